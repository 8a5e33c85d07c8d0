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
from pypi_attestations import Distribution

from ci_publish.rehearsal.ci_claims import github_claims, gitlab_claims, google_claims
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


def judge(workshop: Path, world: ServedSigstore, bundle: dict[str, Any], name: str, issuer: str) -> tuple[int, str]:
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
        (github_claims(), GITHUB_NAME),
        (github_claims(environment="pypi", ref="refs/heads/main"), GITHUB_NAME.replace("tags/v1.0.0", "heads/main")),
        (gitlab_claims(), "https://gitlab.com/octo-group/demo//.gitlab-ci.yml@refs/tags/v1.0.0"),
        (google_claims(email="me@example.org"), "me@example.org"),
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
