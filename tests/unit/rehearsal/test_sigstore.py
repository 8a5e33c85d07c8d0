from __future__ import annotations

import base64
import datetime as dt
import json
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from pypi_attestations import (
    Attestation,
    AttestationError,
    CircleCIPublisher,
    Distribution,
    GitHubPublisher,
    GitLabPublisher,
    GooglePublisher,
)
from sigstore._internal.rekor import RekorClientError
from sigstore.errors import VerificationError
from werkzeug.test import Client, TestResponse
from werkzeug.wrappers import Response

from ci_publish.rehearsal import hooks
from ci_publish.rehearsal.ci_claims import (
    buildkite_claims,
    circleci_claims,
    github_claims,
    gitlab_claims,
    google_claims,
)
from ci_publish.rehearsal.identity_provider import IdentityProvider
from ci_publish.rehearsal.sigstore import LOG_ENTRIES_PATH, SIGNING_CERTIFICATE_PATH, Sigstore, prepare_home
from tests.unit.rehearsal.served_sigstore import ServedSigstore, served_sigstore

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pypi_attestations import Publisher

    from ci_publish.rehearsal.sigstore_log import LogEntry

GITHUB = GitHubPublisher(repository="octo-org/demo", workflow="release.yml")
GITLAB = GitLabPublisher(repository="octo-group/demo", workflow_filepath=".gitlab-ci.yml")
GOOGLE = GooglePublisher(email="publisher@demo-project.iam.gserviceaccount.com")
CIRCLECI = CircleCIPublisher(
    project_id="f1d6a9b2-5b7c-4c6d-8e9f-0a1b2c3d4e5f",
    pipeline_definition_id="0c1d2e3f-4a5b-4c6d-8e7f-9a0b1c2d3e4f",
    vcs_origin="github.com/octo-org/demo",
    vcs_ref="refs/tags/v1.0.0",
)


@pytest.fixture
def world() -> Iterator[ServedSigstore]:
    with served_sigstore() as running:
        yield running


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "demo-1.0.0.tar.gz"
    path.write_bytes(b"the bytes of a distribution")
    return path


@pytest.mark.parametrize(
    ("claims", "publisher"),
    [
        (github_claims(), GITHUB),
        (github_claims(environment="prøduction", ref="refs/tags/vérsion 1%"), GITHUB),
        (gitlab_claims(), GITLAB),
        (gitlab_claims(ref_type="branch", ref="main", environment="pypi"), GITLAB),
        (google_claims(), GOOGLE),
        (circleci_claims(), CIRCLECI),
    ],
)
def test_unmodified_clients_sign_and_verify(
    world: ServedSigstore, file: Path, claims: Mapping[str, object], publisher: Publisher
) -> None:
    attestation = world.attest(file, claims)

    statement = json.loads(world.verify(attestation, publisher))

    distribution = Distribution.from_file(file)
    assert statement["subject"] == [{"name": distribution.name, "digest": {"sha256": distribution.digest}}]
    assert len(world.sigstore.entries) == 1


@pytest.mark.parametrize(
    ("claims", "publisher", "reason"),
    [
        (github_claims(), GitHubPublisher(repository="octo-org/demo", workflow="other.yml"), "Build Config URI"),
        (github_claims(), GitHubPublisher(repository="octo-org/other", workflow="release.yml"), "SourceRepositoryURI"),
        (github_claims(), GitHubPublisher(repository="Octo-Org/demo", workflow="release.yml"), "SourceRepositoryURI"),
        (github_claims(), GITLAB, "Issuer"),
        (
            github_claims(reusable_workflow_ref="octo-org/demo/.github/workflows/publish.yml@refs/tags/v1.0.0"),
            GitHubPublisher(repository="octo-org/demo", workflow="publish.yml"),
            "Build Config URI",
        ),
        (gitlab_claims(config_path="ci/publish.yml"), GITLAB, "Build Config URI"),
        (gitlab_claims(project_path="Octo-Group/demo"), GITLAB, "SourceRepositoryURI"),
        (google_claims(email="Publisher@demo-project.iam.gserviceaccount.com"), GOOGLE, "SANs"),
        (circleci_claims(vcs_origin="github.com/octo-org/other"), CIRCLECI, "SourceRepositoryURI"),
    ],
)
def test_another_identity_does_not_verify(
    world: ServedSigstore, file: Path, claims: Mapping[str, object], publisher: Publisher, reason: str
) -> None:
    attestation = world.attest(file, claims)
    with pytest.raises(VerificationError, match=reason):
        world.verify(attestation, publisher)


def test_another_world_does_not_believe(world: ServedSigstore, file: Path) -> None:
    attestation = world.attest(file)
    with served_sigstore() as other, pytest.raises(VerificationError, match="timestamp certificate chain"):
        other.verify(attestation, GITHUB)


@pytest.mark.parametrize("part", ["statement", "signature"])
def test_a_tampered_envelope_does_not_verify(world: ServedSigstore, file: Path, part: str) -> None:
    content = json.loads(world.attest(file).model_dump_json())
    raw = bytearray(base64.b64decode(content["envelope"][part]))
    raw[-2] ^= 1
    content["envelope"][part] = base64.b64encode(bytes(raw)).decode()

    tampered = Attestation.model_validate(content)

    with pytest.raises(VerificationError, match="DSSE: invalid signature"):
        world.verify(tampered, GITHUB)


@pytest.mark.parametrize("field", ["integratedTime", "logIndex"])
def test_a_tampered_promise_does_not_verify(world: ServedSigstore, file: Path, field: str) -> None:
    content = json.loads(world.attest(file).model_dump_json())
    entry = content["verification_material"]["transparency_entries"][0]
    entry[field] = str(int(entry[field]) + 1)

    tampered = Attestation.model_validate(content)

    with pytest.raises(VerificationError, match="invalid log entry"):
        world.verify(tampered, GITHUB)


def test_fifty_files_in_eight_threads_share_one_certificate(world: ServedSigstore, tmp_path: Path) -> None:
    files = [tmp_path / f"demo-1.0.{number}.tar.gz" for number in range(50)]
    for path in files:
        path.write_bytes(path.name.encode())

    with world.signer() as signer, ThreadPoolExecutor(8) as pool:
        attestations = list(pool.map(lambda path: Attestation.sign(signer, Distribution.from_file(path)), files))

    assert len({attestation.verification_material.certificate for attestation in attestations}) == 1
    assert len(world.sigstore.entries) == 50
    assert len(world.identity_provider.issued) == 1
    for path, attestation in zip(files, attestations, strict=True):
        assert json.loads(world.verify(attestation, GITHUB))["subject"][0]["name"] == path.name


IN_A_CHILD = """
import sys, pathlib
from pypi_attestations import Attestation, Distribution, GitHubPublisher
attestation = Attestation.model_validate_json(pathlib.Path(sys.argv[1]).read_bytes())
publisher = GitHubPublisher(repository="octo-org/demo", workflow=sys.argv[3])
print(attestation.verify(publisher, Distribution.from_file(pathlib.Path(sys.argv[2])), offline=True)[0])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the XDG variables move sigstore's folders on Linux only")
@pytest.mark.parametrize(
    ("workflow", "content", "expected"),
    [
        ("release.yml", None, "https://docs.pypi.org/attestations/publish/v1"),
        ("other.yml", None, "does not match expected Trusted Publisher"),
        ("release.yml", b"other bytes", "subject does not match distribution digest"),
    ],
)
def test_pypi_attestations_own_verification_in_a_prepared_home(  # noqa: PLR0913, PLR0917 - three cases, three fixtures
    world: ServedSigstore, file: Path, tmp_path: Path, workflow: str, content: bytes | None, expected: str
) -> None:
    attestation = tmp_path / "demo.attestation"
    attestation.write_text(world.attest(file).model_dump_json())
    if content is not None:
        file.write_bytes(content)
    environment = {**os.environ, **prepare_home(tmp_path / "home", world.sigstore.trust_config(world.url))}

    command = [sys.executable, "-c", IN_A_CHILD, str(attestation), str(file), workflow]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)

    assert expected in done.stdout + done.stderr
    assert (done.returncode == 0) == (expected in done.stdout)


def test_the_same_request_again_is_a_conflict_that_names_the_first(world: ServedSigstore, file: Path) -> None:
    with world.signer() as signer:
        Attestation.sign(signer, Distribution.from_file(file))
        client = Client(world.sigstore.app)
        entry = world.sigstore.entries[0]
        answer = client.post(LOG_ENTRIES_PATH, json=proposed(entry.envelope, verifier_of(entry.body)))

    assert answer.status_code == 409
    uuid = entry.uuid
    assert answer.json == {
        "code": 409,
        "message": f"an equivalent entry already exists in the transparency log with UUID {uuid}",
    }
    assert answer.headers["Location"] == f"{LOG_ENTRIES_PATH}/{uuid}"
    assert len(world.sigstore.entries) == 1


def test_signing_again_is_a_new_entry(world: ServedSigstore, file: Path) -> None:
    with world.signer() as signer:
        first, second = (Attestation.sign(signer, Distribution.from_file(file)) for _ in range(2))
    indexes = [
        int(attestation.verification_material.transparency_entries[0]["logIndex"]) for attestation in (first, second)
    ]
    assert indexes[1] == indexes[0] + 1


def test_an_entry_can_be_read_by_index_and_by_uuid_with_a_proof_in_the_tree_of_now(
    world: ServedSigstore, file: Path
) -> None:
    for _ in range(3):
        world.attest(file)
    client = Client(world.sigstore.app)
    entry = world.sigstore.entries[0]

    by_index = read(client, f"{LOG_ENTRIES_PATH}?logIndex={entry.log_index}")
    by_uuid = read(client, f"{LOG_ENTRIES_PATH}/{entry.uuid}")
    by_leaf = read(client, f"{LOG_ENTRIES_PATH}/{entry.uuid[16:]}")

    assert list(by_index) == list(by_uuid) == list(by_leaf) == [entry.uuid]
    proof = by_index[entry.uuid]["verification"]["inclusionProof"]
    assert (proof["treeSize"], proof["logIndex"], len(proof["hashes"])) == (3, 0, 2)
    state = read(client, "/api/v1/log")
    assert (state["treeSize"], state["rootHash"]) == (3, proof["rootHash"])
    assert state["signedTreeHead"].startswith(f"localhost - {state['treeID']}\n3\n")


def read(client: Client, path: str) -> dict[str, Any]:
    answer = client.get(path)
    assert answer.status_code == 200
    return dict(answer.json or {})


@pytest.mark.parametrize(
    "path",
    [
        LOG_ENTRIES_PATH,
        f"{LOG_ENTRIES_PATH}?logIndex=0",
        f"{LOG_ENTRIES_PATH}?logIndex=99999999",
        f"{LOG_ENTRIES_PATH}?logIndex=x",
        f"{LOG_ENTRIES_PATH}/00",
        "/api/v1/nothing",
    ],
)
def test_what_is_not_there_is_404(path: str) -> None:
    answer = Client(Sigstore(IdentityProvider()).app).get(path)
    assert answer.status_code == 404
    assert (answer.json or {})["code"] == 404


def proposed(envelope: str, *verifiers: str) -> dict[str, object]:
    content = {"envelope": envelope, "verifiers": list(verifiers)}
    return {"apiVersion": "0.0.1", "kind": "dsse", "spec": {"proposedContent": content}}


def verifier_of(body: bytes) -> str:
    return str(json.loads(body)["spec"]["signatures"][0]["verifier"])


def verifier_with(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    now = dt.datetime.now(tz=dt.UTC)
    name, serial, until = x509.Name([]), x509.random_serial_number(), now + dt.timedelta(hours=1)
    certificate = x509.CertificateBuilder(name, name, key.public_key(), serial, now, until).sign(key, hashes.SHA256())
    return base64.b64encode(certificate.public_bytes(serialization.Encoding.PEM)).decode()


def with_signature(envelope: str, signature: str) -> str:
    return json.dumps({**json.loads(envelope), "signatures": [{"sig": signature, "keyid": ""}]})


class TestRefusedEntries:
    """Rekor takes a DSSE envelope only when all signatures verify."""

    @pytest.fixture
    def entry(self, world: ServedSigstore, file: Path) -> LogEntry:
        world.attest(file)
        return world.sigstore.entries[0]

    @staticmethod
    def refusal(world: ServedSigstore, content: object) -> str:
        answer = Client(world.sigstore.app).post(LOG_ENTRIES_PATH, json=content)
        assert answer.status_code == 400
        assert answer.json is not None
        assert answer.json["code"] == 400
        assert len(world.sigstore.entries) == 1
        return str(answer.json["message"])

    @pytest.mark.parametrize(
        "content",
        [
            None,
            [],
            {"apiVersion": "0.0.1", "kind": "hashedrekord", "spec": {}},
            {"apiVersion": "0.0.2", "kind": "dsse", "spec": {"proposedContent": {"envelope": "", "verifiers": ["x"]}}},
            {"apiVersion": "0.0.1", "kind": "dsse", "spec": {"proposedContent": {"envelope": "{}", "verifiers": []}}},
        ],
    )
    def test_other_content(self, world: ServedSigstore, entry: LogEntry, content: object) -> None:
        assert "takes proposed dsse entries" in self.refusal(world, content)

    @pytest.mark.parametrize("verifier", ["%", "bm90IGEgY2VydGlmaWNhdGU="])
    def test_no_certificate(self, world: ServedSigstore, entry: LogEntry, verifier: str) -> None:
        reason = self.refusal(world, proposed(entry.envelope, verifier))
        assert reason.startswith("error processing entry: could not parse public key as x509: ")

    @pytest.mark.parametrize(
        "envelope", ["", "{", "[]", "{}", '{"payload": "%", "payloadType": "x", "signatures": []}']
    )
    def test_no_envelope(self, world: ServedSigstore, entry: LogEntry, envelope: str) -> None:
        reason = self.refusal(world, proposed(envelope, verifier_of(entry.body)))
        assert "the envelope cannot be read" in reason

    def test_no_signature(self, world: ServedSigstore, entry: LogEntry) -> None:
        envelope = json.dumps({**json.loads(entry.envelope), "signatures": []})
        assert "no signatures found" in self.refusal(world, proposed(envelope, verifier_of(entry.body)))

    @pytest.mark.parametrize("signature", ["%", "AAAA"])
    def test_an_invalid_signature(self, world: ServedSigstore, entry: LogEntry, signature: str) -> None:
        envelope = with_signature(entry.envelope, signature)
        reason = self.refusal(world, proposed(envelope, verifier_of(entry.body)))
        assert "all signatures must have a key that verifies it" in reason

    @pytest.mark.parametrize(
        "key",
        [ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(public_exponent=65537, key_size=2048)],
        ids=["ec", "rsa"],
    )
    def test_somebody_elses_key(
        self, world: ServedSigstore, entry: LogEntry, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
    ) -> None:
        other = verifier_with(key)
        assert "all signatures must have a key" in self.refusal(world, proposed(entry.envelope, other))
        surplus = self.refusal(world, proposed(entry.envelope, verifier_of(entry.body), other))
        assert "could not verify envelope" in surplus


def request_for(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def forged_request() -> bytes:
    """Return a request whose signature another key made: no proof of possession."""
    mine, theirs = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    der = x509.load_pem_x509_csr(request_for(mine)).public_bytes(serialization.Encoding.DER)
    point, other_point = (
        key.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
        for key in (mine, theirs)
    )
    forged = x509.load_der_x509_csr(der.replace(point, other_point))
    return forged.public_bytes(serialization.Encoding.PEM)


P256_REQUEST = request_for(ec.generate_private_key(ec.SECP256R1()))


class TestFulcio:
    """Who gets a certificate, and what it is like."""

    @pytest.fixture
    def provider(self) -> IdentityProvider:
        return IdentityProvider()

    @staticmethod
    def ask(
        sigstore: Sigstore, token: str, request: bytes | str = P256_REQUEST, *, in_body: bool = False
    ) -> TestResponse:
        encoded = request if isinstance(request, str) else base64.b64encode(request).decode()
        content: dict[str, object] = {"certificateSigningRequest": encoded}
        headers = {} if in_body else {"Authorization": f"Bearer {token}"}
        if in_body:
            content["credentials"] = {"oidcIdentityToken": token}
        return Client(sigstore.app).post(SIGNING_CERTIFICATE_PATH, json=content, headers=headers)

    @staticmethod
    def refusal(answer: TestResponse) -> str:
        assert answer.status_code == 400
        assert answer.json is not None
        assert answer.json["code"] == 3
        return str(answer.json["message"])

    @pytest.mark.parametrize("in_body", [False, True])
    def test_a_certificate_follows_fulcios_profile(self, provider: IdentityProvider, *, in_body: bool) -> None:
        now = 1_800_000_000.9
        provider = IdentityProvider(clock=lambda: now)
        sigstore = Sigstore(provider, clock=lambda: now, certificate_lifetime=120)

        answer = self.ask(sigstore, provider.issue("sigstore"), in_body=in_body)

        assert answer.status_code == 200
        assert answer.json is not None
        chain = answer.json["signedCertificateEmbeddedSct"]["chain"]["certificates"]
        leaf, intermediate, root = (x509.load_pem_x509_certificate(link.encode()) for link in chain)
        leaf.verify_directly_issued_by(intermediate)
        intermediate.verify_directly_issued_by(root)
        assert leaf.not_valid_before_utc.timestamp() == 1_800_000_000
        assert leaf.not_valid_after_utc.timestamp() == 1_800_000_120
        assert leaf.subject == x509.Name([])
        timestamps = leaf.extensions.get_extension_for_class(x509.PrecertificateSignedCertificateTimestamps).value
        assert len(timestamps) == 1
        assert leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).critical

    def test_the_chain_is_the_trust_bundle(self, provider: IdentityProvider) -> None:
        sigstore = Sigstore(provider)
        answer = self.ask(sigstore, provider.issue("sigstore"))
        bundle = Client(sigstore.app).get("/api/v2/trustBundle").json
        assert answer.json is not None
        assert bundle is not None
        chain = answer.json["signedCertificateEmbeddedSct"]["chain"]["certificates"]
        assert bundle["chains"] == [{"certificates": chain[1:]}]

    @pytest.mark.parametrize("claims", [github_claims(), gitlab_claims(), google_claims(), buildkite_claims()])
    def test_a_list_of_audiences_is_enough(self, provider: IdentityProvider, claims: Mapping[str, object]) -> None:
        assert self.ask(Sigstore(provider), provider.issue(["x", "sigstore"], claims)).status_code == 200

    def test_refused_tokens(self, provider: IdentityProvider) -> None:
        sigstore = Sigstore(provider)
        tokens = {
            "none": "",
            "garbage": "a.b.c",
            "wrong audience": provider.issue("pypi"),
            "somebody else's": IdentityProvider().issue("sigstore"),
            "expired": provider.issue("sigstore", lifetime=-1),
            "unknown issuer": provider.issue("sigstore", iss="https://evil.example"),
            "claim missing": provider.issue("sigstore", {"iss": "https://gitlab.com", "sub": "x"}),
            "unverified e-mail": provider.issue("sigstore", google_claims(), email_verified=False),
        }
        for what, token in tokens.items():
            assert self.refusal(self.ask(sigstore, token)) == ("There was an error processing the identity token"), what

    @pytest.mark.parametrize(
        ("request_", "reason"),
        [
            ("%", "The certificate signing request could not be parsed"),
            (b"no request", "The certificate signing request could not be parsed"),
            (
                request_for(rsa.generate_private_key(public_exponent=65537, key_size=2048)),
                "The public key supplied in the request is insecure",
            ),
            (
                request_for(ec.generate_private_key(ec.SECP256K1())),
                "The public key supplied in the request is insecure",
            ),
            (forged_request(), "The signature supplied in the request could not be verified"),
        ],
    )
    def test_refused_requests(self, provider: IdentityProvider, request_: bytes | str, reason: str) -> None:
        assert self.refusal(self.ask(Sigstore(provider), provider.issue("sigstore"), request_)) == reason

    def test_a_name_that_no_certificate_can_hold(self, provider: IdentityProvider) -> None:
        token = provider.issue("sigstore", google_claims(email="mé@example.org"))
        assert "A-label" in self.refusal(self.ask(Sigstore(provider), token))

    @pytest.mark.parametrize("body", [b"", b"[]", b"{", b"{}"])
    def test_no_request_at_all(self, provider: IdentityProvider, body: bytes) -> None:
        token = provider.issue("sigstore")
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        answer = Client(Sigstore(provider).app).post(SIGNING_CERTIFICATE_PATH, data=body, headers=headers)
        assert self.refusal(answer) == "The certificate signing request could not be parsed"


class TestFaults:
    """The hooks do what they say to unmodified clients."""

    def test_refused_once_then_served(self, world: ServedSigstore, file: Path) -> None:
        fault = hooks.answer(429, '{"code":429,"message":"slow down"}', retry_after="1")
        world.sigstore.hooks.interpose = hooks.only(LOG_ENTRIES_PATH, hooks.times(1, fault), method="POST")
        distribution = Distribution.from_file(file)
        with world.signer() as signer:
            with pytest.raises(RekorClientError, match="429: slow down"):
                Attestation.sign(signer, distribution)
            attestation = Attestation.sign(signer, distribution)
        assert world.verify(attestation, GITHUB)
        assert len(world.sigstore.entries) == 1

    def test_dropped(self, world: ServedSigstore) -> None:
        world.sigstore.hooks.interpose = hooks.only(SIGNING_CERTIFICATE_PATH, hooks.drop)
        with pytest.raises(requests.ConnectionError), world.signer():
            pass

    def test_committed_but_the_answer_is_lost(self, world: ServedSigstore, file: Path) -> None:
        with world.signer() as signer:
            world.sigstore.hooks.after = hooks.lose_answer
            with pytest.raises(requests.ConnectionError):
                Attestation.sign(signer, Distribution.from_file(file))
        assert len(world.sigstore.entries) == 1

    def test_committed_but_the_answer_is_late(self, world: ServedSigstore, file: Path) -> None:
        release = threading.Event()
        with world.signer() as signer, ThreadPoolExecutor(1) as pool:
            world.sigstore.hooks.after = hooks.late(release)
            signing = pool.submit(Attestation.sign, signer, Distribution.from_file(file))
            with pytest.raises(TimeoutError):
                signing.result(timeout=0.3)
            assert len(world.sigstore.entries) == 1
            release.set()
            assert world.verify(signing.result(timeout=10), GITHUB)

    def test_hung(self, world: ServedSigstore, file: Path) -> None:
        release = threading.Event()
        with world.signer() as signer, ThreadPoolExecutor(1) as pool:
            world.sigstore.hooks.interpose = hooks.hang(release)
            signing = pool.submit(Attestation.sign, signer, Distribution.from_file(file))
            with pytest.raises(TimeoutError):
                signing.result(timeout=0.3)
            assert world.sigstore.entries == ()
            release.set()
            assert world.verify(signing.result(timeout=10), GITHUB)

    def test_the_certificate_may_end_before_the_work(self, file: Path) -> None:
        with served_sigstore(behind=10, certificate_lifetime=5) as world, world.signer() as signer:
            with pytest.raises(AttestationError) as caught:
                Attestation.sign(signer, Distribution.from_file(file))
            assert type(caught.value.__context__).__name__ == "ExpiredCertificate"
            assert world.sigstore.entries == ()


def test_a_request_waits_for_its_delay_and_may_be_replaced_after_it_was_handled() -> None:
    waits: list[float] = []
    knobs = hooks.Hooks(delay=0.15, sleep=waits.append, after=lambda _environ, _response: Response("lost", status=502))
    sigstore = Sigstore(IdentityProvider(), hooks=knobs)
    assert Client(sigstore.app).get("/api/v1/log").status_code == 502
    assert waits == [0.15]


def test_the_signing_configuration_offers_nothing_but_version_one(world: ServedSigstore) -> None:
    config = world.trust_config()
    assert config.signing_config.get_tsas() == []
    assert len(config.signing_config.get_tlogs()) == 1
    assert world.sigstore.trusted_root(f"{world.url}/") == world.sigstore.trusted_root(world.url)
