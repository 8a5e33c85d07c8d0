from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
import requests
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
from werkzeug.test import Client
from werkzeug.wrappers import Response

from ci_publish.rehearsal import hooks
from ci_publish.rehearsal.ci_claims import (
    simulated_circleci_claims,
    simulated_github_claims,
    simulated_gitlab_claims,
    simulated_google_claims,
)
from ci_publish.rehearsal.identity_provider import RehearsalIdentityProvider
from ci_publish.rehearsal.sigstore import (
    LOG_ENTRIES_PATH,
    SIGNING_CERTIFICATE_PATH,
    RehearsalSigstore,
    prepare_sigstore_home,
)
from tests.unit.rehearsal.served_sigstore import ServedSigstore, served_sigstore

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pypi_attestations import Publisher


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
        (simulated_github_claims(), GITHUB),
        (simulated_github_claims(environment="prøduction", ref="refs/tags/vérsion 1%"), GITHUB),
        (simulated_gitlab_claims(), GITLAB),
        (simulated_gitlab_claims(ref_type="branch", ref="main", environment="pypi"), GITLAB),
        (simulated_google_claims(), GOOGLE),
        (simulated_circleci_claims(), CIRCLECI),
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
        (
            simulated_github_claims(),
            GitHubPublisher(repository="octo-org/demo", workflow="other.yml"),
            "Build Config URI",
        ),
        (
            simulated_github_claims(),
            GitHubPublisher(repository="octo-org/other", workflow="release.yml"),
            "SourceRepositoryURI",
        ),
        (
            simulated_github_claims(),
            GitHubPublisher(repository="Octo-Org/demo", workflow="release.yml"),
            "SourceRepositoryURI",
        ),
        (simulated_github_claims(), GITLAB, "Issuer"),
        (
            simulated_github_claims(
                reusable_workflow_ref="octo-org/demo/.github/workflows/publish.yml@refs/tags/v1.0.0"
            ),
            GitHubPublisher(repository="octo-org/demo", workflow="publish.yml"),
            "Build Config URI",
        ),
        (simulated_gitlab_claims(config_path="ci/publish.yml"), GITLAB, "Build Config URI"),
        (simulated_gitlab_claims(project_path="Octo-Group/demo"), GITLAB, "SourceRepositoryURI"),
        (simulated_google_claims(email="Publisher@demo-project.iam.gserviceaccount.com"), GOOGLE, "SANs"),
        (simulated_circleci_claims(vcs_origin="github.com/octo-org/other"), CIRCLECI, "SourceRepositoryURI"),
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
    environment = {**os.environ, **prepare_sigstore_home(tmp_path / "home", world.sigstore.trust_config(world.url))}

    command = [sys.executable, "-c", IN_A_CHILD, str(attestation), str(file), workflow]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)

    assert expected in done.stdout + done.stderr
    assert (done.returncode == 0) == (expected in done.stdout)


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
    sigstore = RehearsalSigstore(identity_provider=RehearsalIdentityProvider())
    sigstore.hooks.delay, sigstore.hooks.sleep = 0.15, waits.append
    sigstore.hooks.after = lambda _environ, _response: Response("lost", status=502)
    assert Client(sigstore.app).get("/api/v1/log").status_code == 502
    assert waits == [0.15]


def test_the_signing_configuration_offers_nothing_but_version_one(world: ServedSigstore) -> None:
    config = world.trust_config()
    assert config.signing_config.get_tsas() == []
    assert len(config.signing_config.get_tlogs()) == 1
    assert world.sigstore.trusted_root(f"{world.url}/") == world.sigstore.trusted_root(world.url)
