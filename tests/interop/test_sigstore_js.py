"""What the rehearsal signs is accepted by an implementation that shares no code with ours or with sigstore-python.

Needs Node with npm, which fetches sigstore-js by the digests in package-lock.json; `make test-interop` runs it.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pypi_attestations import Attestation, Distribution, GitHubPublisher
from sigstore.models import ClientTrustConfig
from sigstore.verify import Verifier

from ci_publish.attestations.examiner import sigstore_bundle_json
from ci_publish.attestations.provenance_predicates import build_provenance_predicate
from ci_publish.model.attestation import SLSA_PROVENANCE_V1
from ci_publish.rehearsal.ci_claims import simulated_github_claims, simulated_gitlab_claims, simulated_google_claims
from tests.unit.attestations.signing_harness import SigningHarness, signing_harness, wheel
from tests.unit.attestations.tamperings import TAMPERINGS, Bench
from tests.unit.rehearsal.served_sigstore import ServedSigstore, served_sigstore

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.interop

HERE = Path(__file__).parent
GITHUB_NAME = "https://github.com/octo-org/demo/.github/workflows/release.yml@refs/tags/v1.0.0"
GITHUB_ISSUER = "https://token.actions.githubusercontent.com"


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install sigstore-js into a folder of its own; the checkout stays as it is."""
    folder = tmp_path_factory.mktemp("sigstore-js")
    for name in ("package.json", "package-lock.json", "verify.mjs"):
        shutil.copy(HERE / name, folder)
    npm = shutil.which("npm")
    assert npm, "these tests need Node with npm on PATH"
    subprocess.run(
        [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--engine-strict"],
        cwd=folder,
        check=True,
        timeout=300,
    )
    return folder


@pytest.fixture(scope="module")
def world() -> Iterator[ServedSigstore]:
    with served_sigstore() as running:
        for number in range(5):  # a tree of some size, so that inclusion proofs have something to prove
            running.attest(_distribution(f"warmup-{number}"))
        yield running


def _distribution(name: str) -> Distribution:
    return Distribution(name=f"{name.replace('-', '_')}-1.0.0.tar.gz", digest="ab" * 32)


def judge(
    workshop: Path, world: ServedSigstore | SigningHarness, bundle: dict[str, Any], name: str, issuer: str
) -> tuple[int, str]:
    """Return Node's exit code and what it said."""
    (workshop / "bundle.json").write_text(json.dumps(bundle), encoding="utf-8")
    (workshop / "trusted_root.json").write_text(world.sigstore.trusted_root(world.url), encoding="utf-8")
    node = shutil.which("node")
    assert node, "these tests need Node on PATH"
    done = subprocess.run(
        [node, "verify.mjs", "bundle.json", "trusted_root.json", name, issuer],
        cwd=workshop,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        (simulated_github_claims(), GITHUB_NAME),
        (
            simulated_github_claims(environment="pypi", ref="refs/heads/main"),
            GITHUB_NAME.replace("tags/v1.0.0", "heads/main"),
        ),
        (simulated_gitlab_claims(), "https://gitlab.com/octo-group/demo//.gitlab-ci.yml@refs/tags/v1.0.0"),
        (simulated_google_claims(email="me@example.org"), "me@example.org"),
    ],
    ids=["github", "github-environment", "gitlab", "google"],
)
def test_sigstore_js_accepts(workshop: Path, world: ServedSigstore, claims: dict[str, object], name: str) -> None:
    bundle = json.loads(world.attest(_distribution("demo"), claims).to_bundle().to_json())

    code, said = judge(workshop, world, bundle, name, str(claims["iss"]))

    assert code == 0, said
    assert json.loads(said)["subject"] == [{"name": "demo-1.0.0.tar.gz", "digest": {"sha256": "ab" * 32}}]


def test_sigstore_js_refuses_another_identity(workshop: Path, world: ServedSigstore) -> None:
    bundle = json.loads(world.attest(_distribution("demo")).to_bundle().to_json())
    for name, issuer in ((GITHUB_NAME.replace("release", "other"), GITHUB_ISSUER), (GITHUB_NAME, "https://gitlab.com")):
        code, said = judge(workshop, world, bundle, name, issuer)
        assert code == 1
        assert "UNTRUSTED_SIGNER_ERROR" in said


def test_sigstore_js_refuses_another_world(workshop: Path, world: ServedSigstore) -> None:
    with served_sigstore() as other:
        bundle = json.loads(other.attest(_distribution("demo")).to_bundle().to_json())
    code, said = judge(workshop, world, bundle, GITHUB_NAME, GITHUB_ISSUER)
    assert code == 1
    assert said.startswith("CERTIFICATE_ERROR: ")


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("payload", "TLOG_BODY_ERROR"),
        ("signature", "TLOG_BODY_ERROR"),
        ("integratedTime", "TLOG_INCLUSION_PROMISE_ERROR"),
        ("checkpoint", "TLOG_INCLUSION_PROOF_ERROR"),
        ("inclusionProof", "TLOG_INCLUSION_PROOF_ERROR"),
    ],
)
def test_sigstore_js_refuses_what_was_tampered_with(
    workshop: Path, world: ServedSigstore, what: str, reason: str
) -> None:
    bundle = json.loads(world.attest(_distribution("demo")).to_bundle().to_json())
    entry = bundle["verificationMaterial"]["tlogEntries"][0]
    envelope = bundle["dsseEnvelope"]
    proof = entry["inclusionProof"]
    match what:
        case "payload":
            envelope["payload"] = "e30="
        case "signature":
            envelope["signatures"][0]["sig"] = "MAYCAQECAQE="
        case "integratedTime":
            entry["integratedTime"] = str(int(entry["integratedTime"]) + 1)
        case "checkpoint":
            proof["checkpoint"]["envelope"] = proof["checkpoint"]["envelope"].replace("\n", "\n1", 1)
        case _:
            proof["hashes"] = [*proof["hashes"][:-1], "AA" * 21 + "A="]

    code, said = judge(workshop, world, bundle, GITHUB_NAME, GITHUB_ISSUER)

    assert code == 1
    assert said.startswith(f"{reason}: ")


BUILDER = "ci-publish/ci-publish/.github/workflows/build-with-provenance.yml@refs/tags/v1.0.0"
GITLAB_NAME = "https://gitlab.com/octo-group/demo//.gitlab-ci.yml@refs/tags/v1.0.0"


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        (simulated_github_claims(reusable_workflow_ref=BUILDER), f"https://github.com/{BUILDER}"),
        (simulated_gitlab_claims(), GITLAB_NAME),
    ],
    ids=["github", "gitlab"],
)
def test_sigstore_js_accepts_the_bundle_of_build_provenance(
    workshop: Path, claims: dict[str, object], name: str
) -> None:
    with signing_harness() as world:
        result = world.signer(world.identity(claims)).sign([wheel()], (SLSA_PROVENANCE_V1,))
        (made,) = result.attestations[wheel().filename]
        issuer = str(claims["iss"])

        code, said = judge(workshop, world, json.loads(sigstore_bundle_json(made)), name, issuer)
        others = [
            judge(workshop, world, json.loads(sigstore_bundle_json(made)), other, issuer)
            for other in (GITHUB_NAME, "x")
        ]

    assert code == 0, said
    assert json.loads(said)["predicateType"] == SLSA_PROVENANCE_V1
    assert json.loads(said)["predicate"] == build_provenance_predicate(claims)
    assert {other for other, _ in others} == {1}


# What is wrong in a statement that was signed as it is, no verifier of signatures can tell.
_AFTERWARDS = [name for name in TAMPERINGS if name.startswith(("order:", "log:", "certificate:"))]
_AFTERWARDS += ["subject: other bytes", "subject: other name", "predicate: other commit", "builder: another one"]


@pytest.mark.parametrize("name", sorted(set(_AFTERWARDS) - {"order: the statement of another file"}))
def test_sigstore_js_and_sigstore_python_refuse_build_provenance_that_was_changed_afterwards(
    workshop: Path, name: str
) -> None:
    with signing_harness() as world:
        config = ClientTrustConfig.from_json(world.sigstore.trust_config(world.url))
        claims = simulated_github_claims(reusable_workflow_ref=BUILDER)
        bench = Bench(
            trust_config=world.sigstore.trust_config(world.url),
            provider=world.provider,
            claims=claims,
            file=wheel(),
            other_file=wheel(1),
        )
        tampered = Attestation.model_validate(TAMPERINGS[name](bench))
        publisher = GitHubPublisher(repository="octo-org/demo", workflow="release.yml")
        with pytest.raises(Exception, match=r".") as caught:
            Verifier(trusted_root=config.trusted_root).verify_dsse(tampered.to_bundle(), publisher._as_policy())  # noqa: SLF001
        assert type(caught.value).__module__.startswith(("sigstore", "pypi_attestations"))
        bundle = _bundle(TAMPERINGS[name](bench))

        code, said = judge(workshop, world, bundle, f"https://github.com/{BUILDER}", GITHUB_ISSUER)

    assert code == 1, said


def _bundle(attestation: dict[str, Any]) -> dict[str, Any]:
    """Return a PEP 740 attestation as a Sigstore bundle, part by part: the libraries build none of broken parts."""
    material, envelope = attestation["verification_material"], attestation["envelope"]
    return {
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {
            "certificate": {"rawBytes": material["certificate"]},
            "tlogEntries": material["transparency_entries"],
        },
        "dsseEnvelope": {
            "payload": envelope["statement"],
            "payloadType": "application/vnd.in-toto+json",
            "signatures": [{"sig": envelope["signature"]}],
        },
    }
