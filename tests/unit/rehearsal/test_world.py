"""The rehearsal world as a client meets it: one port, one identity, one Sigstore, real signatures."""

import hashlib
import json
import os
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import id as oidc
import pytest
from pypi_attestations import Attestation, Distribution, Provenance
from sigstore import dsse
from sigstore.models import ClientTrustConfig
from sigstore.oidc import IdentityToken
from sigstore.sign import SigningContext
from sigstore.verify import Verifier

from ci_publish.rehearsal.ci_claims import github_claims, gitlab_claims, google_claims
from ci_publish.rehearsal.job import Provider
from ci_publish.rehearsal.oidc import AUDIENCE, registered
from ci_publish.rehearsal.publishers import GitHubPublisher, GitLabPublisher, GooglePublisher, TrustedPublisher
from ci_publish.rehearsal.world import RehearsalWorld
from tests.distributions import make_sdist, make_wheel
from tests.unit.rehearsal.served_index import form_of

REFUSED = "Invalid attestations supplied during upload: "
UNVERIFIED = f"{REFUSED}Could not verify the uploaded artifact using the included attestation: Verification failed: "
SLSA = "https://slsa.dev/provenance/v1"
GOOGLE = "publisher@demo-project.iam.gserviceaccount.com"


@pytest.fixture(scope="module")
def world() -> Iterator[RehearsalWorld]:
    with RehearsalWorld() as world:
        yield world
        assert world.failures == ()


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with httpx.Client() as client:
        yield client


def mint(client: httpx.Client, world: RehearsalWorld, claims: dict[str, object]) -> str:
    token = world.identity_provider.issue(AUDIENCE, claims)
    answer = client.post(f"{world.base_url}/_/oidc/mint-token", json={"token": token})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["token"])


def sign(world: RehearsalWorld, path: Path, claims: dict[str, object]) -> str:
    config = ClientTrustConfig.from_json(world.trust_config_path.read_text(encoding="utf-8"))
    token = IdentityToken(world.identity_provider.issue("sigstore", claims))
    with SigningContext.from_trust_config(config).signer(token) as signer:
        return Attestation.sign(signer, Distribution.from_file(path)).model_dump_json()


def sign_statement(world: RehearsalWorld, predicate: str, *subjects: tuple[str, str]) -> str:
    """Sign a statement of any kind about any files (name, SHA-256), as the rehearsed GitHub job."""
    config = ClientTrustConfig.from_json(world.trust_config_path.read_text(encoding="utf-8"))
    builder = dsse.StatementBuilder().predicate_type(predicate).predicate({})
    named = [dsse.Subject(name=name, digest=dsse.DigestSet({"sha256": digest})) for name, digest in subjects]
    token = IdentityToken(world.identity_provider.issue("sigstore", github_claims()))
    with SigningContext.from_trust_config(config).signer(token) as signer:
        bundle = signer.sign_dsse(builder.subjects(named).build())
    return Attestation.from_bundle(bundle).model_dump_json()


def upload(
    client: httpx.Client, world: RehearsalWorld, path: Path, token: str, attestations: str | None = None
) -> tuple[int, str]:
    form: dict[str, Any] = form_of(path.name, path.read_bytes())
    if attestations is not None:
        form["attestations"] = attestations
    files = {"content": (path.name, path.read_bytes(), "application/octet-stream")}
    answer = client.post(world.repository_url, data=form, files=files, auth=("__token__", token))
    return answer.status_code, answer.reason_phrase


def provenance(client: httpx.Client, world: RehearsalWorld, path: Path) -> httpx.Response:
    project, version = path.name.removesuffix(".tar.gz").split("-")[:2]
    return client.get(f"{world.base_url}/integrity/{project}/{version}/{path.name}/provenance")


def verified(world: RehearsalWorld, answer: httpx.Response) -> dict[str, Any]:
    """Verify provenance with pypi-attestations and the world's trust root, and return the statement."""
    config = ClientTrustConfig.from_json(world.trust_config_path.read_text(encoding="utf-8"))
    (bundle,) = Provenance.model_validate_json(answer.content).attestation_bundles
    (attestation,) = bundle.attestations
    policy = bundle.publisher._as_policy()  # noqa: SLF001 - it has no public name
    _, payload = Verifier(trusted_root=config.trusted_root).verify_dsse(attestation.to_bundle(), policy)
    statement: dict[str, Any] = json.loads(payload)
    return statement


@pytest.mark.parametrize(
    ("claims", "publisher"),
    [
        (
            github_claims(environment="pypi"),
            {"kind": "GitHub", "repository": "octo-org/demo", "workflow": "release.yml", "environment": "pypi"},
        ),
        (
            gitlab_claims(),
            {
                "kind": "GitLab",
                "repository": "octo-group/demo",
                "workflow_filepath": ".gitlab-ci.yml",
                "environment": None,
            },
        ),
        (google_claims(), {"kind": "Google", "email": GOOGLE}),
    ],
)
def test_attestations_are_taken_and_served_as_provenance_that_verifies(
    world: RehearsalWorld,
    client: httpx.Client,
    tmp_path: Path,
    claims: dict[str, object],
    publisher: dict[str, object],
) -> None:
    path = make_wheel(tmp_path, payload=json.dumps(publisher).encode(), name=str(publisher["kind"]).lower())

    taken = upload(client, world, path, mint(client, world, claims), f"[{sign(world, path, claims)}]")
    answer = provenance(client, world, path)

    assert taken == (200, "OK")
    assert answer.headers["Content-Type"] == "application/vnd.pypi.integrity.v1+json"
    assert answer.json()["attestation_bundles"][0]["publisher"] == publisher
    (subject,) = verified(world, answer)["subject"]
    assert (subject["name"], subject["digest"]["sha256"]) == (path.name, world.index.files[path.name].sha256)
    page = client.get(f"{world.base_url}/project/{world.index.files[path.name].project}/").text
    assert f"({publisher['kind']}), log index " in page


def test_one_of_each_kind_is_taken(world: RehearsalWorld, client: httpx.Client, tmp_path: Path) -> None:
    path = make_wheel(tmp_path, "two-kinds")
    slsa = sign_statement(world, SLSA, (path.name, hashlib.sha256(path.read_bytes()).hexdigest()))
    attestations = f"[{sign(world, path, github_claims())}, {slsa}]"

    taken = upload(client, world, path, mint(client, world, github_claims()), attestations)

    assert taken == (200, "OK")
    page = client.get(f"{world.base_url}/project/two-kinds/").text
    assert ("published by" in page, "built by" in page) == (True, True)
    assert f'data-provenance="{world.base_url}/integrity/two-kinds/' in client.get(f"{world.index_url}two-kinds/").text


class TestRefusedAttestations:
    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        return make_wheel(tmp_path, "refused", payload=os.urandom(8).hex().encode())

    def refused(self, client: httpx.Client, world: RehearsalWorld, path: Path, attestations: str) -> str:
        status, reason = upload(client, world, path, mint(client, world, github_claims()), attestations)
        assert (status, path.name in world.index.files) == (400, False)
        return reason

    def test_with_an_api_token(self, client: httpx.Client, world: RehearsalWorld, path: Path) -> None:
        answer = upload(client, world, path, world.issue_api_token(), f"[{sign(world, path, github_claims())}]")

        assert answer == (400, f"{REFUSED}Attestations are only supported when using Trusted Publishing")

    def test_an_empty_list(self, client: httpx.Client, world: RehearsalWorld, path: Path) -> None:
        assert self.refused(client, world, path, "[]") == (
            f"{REFUSED}Malformed attestations: an empty attestation set is not permitted"
        )

    @pytest.mark.parametrize("rubbish", ["rubbish", "{}", '[{"version": 1}]'])
    def test_what_is_none(self, client: httpx.Client, world: RehearsalWorld, path: Path, rubbish: str) -> None:
        assert self.refused(client, world, path, rubbish).startswith(f"{REFUSED}Malformed attestations: ")

    def test_too_many(self, client: httpx.Client, world: RehearsalWorld, path: Path) -> None:
        one = sign(world, path, github_claims())

        said = self.refused(client, world, path, f"[{one}, {one}, {one}]")

        assert said == f"{REFUSED}A maximum of 2 attestations per file are supported"

    def test_two_of_one_kind(self, client: httpx.Client, world: RehearsalWorld, path: Path) -> None:
        one = sign(world, path, github_claims())

        said = self.refused(client, world, path, f"[{one}, {one}]")

        assert said == (
            f"{REFUSED}Multiple attestations for the same file with the same predicate type "
            "(https://docs.pypi.org/attestations/publish/v1) are not supported"
        )

    def test_of_other_bytes(self, client: httpx.Client, world: RehearsalWorld, path: Path, tmp_path: Path) -> None:
        other = make_wheel(tmp_path / "other", "refused", payload=b"other")

        said = self.refused(client, world, path, f"[{sign(world, other, github_claims())}]")

        assert said == f"{UNVERIFIED}subject does not match distribution digest"

    def test_of_another_name(self, client: httpx.Client, world: RehearsalWorld, path: Path, tmp_path: Path) -> None:
        other = make_wheel(tmp_path / "other", "other")

        said = self.refused(client, world, path, f"[{sign(world, other, github_claims())}]")

        assert said == f"{UNVERIFIED}subject does not match distribution name: {other.name} != {path.name}"

    @pytest.mark.parametrize(
        ("claims", "reason"),
        [
            (
                github_claims(repository="octo-org/other"),
                "Certificate's OIDCSourceRepositoryURI does not match (got https://github.com/octo-org/other, ",
            ),
            (
                github_claims(repository="Octo-Org/demo"),
                "Certificate's OIDCSourceRepositoryURI does not match (got https://github.com/Octo-Org/demo, ",
            ),
            (github_claims(workflow="other.yml"), "Certificate's Build Config URI ("),
            (gitlab_claims(), "Certificate's OIDCIssuerV2 does not match"),
        ],
    )
    def test_of_another_identity(
        self, client: httpx.Client, world: RehearsalWorld, path: Path, claims: dict[str, object], reason: str
    ) -> None:
        said = self.refused(client, world, path, f"[{sign(world, path, claims)}]")

        assert said.startswith(f"{UNVERIFIED}{reason}")

    @pytest.mark.parametrize(
        ("predicate", "names", "reason"),
        [
            (SLSA, ["{}", "{}"], "too many subjects in statement (must be exactly one)"),
            ("https://example.org/x", ["{}"], "unknown attestation type: https://example.org/x"),
            (SLSA, ["rubbish"], "invalid subject: "),
            (SLSA, ["rubbish.whl"], "invalid subject: "),
        ],
    )
    def test_of_another_shape(  # noqa: PLR0913, PLR0917 - three fixtures and a table
        self,
        client: httpx.Client,
        world: RehearsalWorld,
        path: Path,
        predicate: str,
        names: list[str],
        reason: str,
    ) -> None:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        attestation = sign_statement(world, predicate, *((name.format(path.name), digest) for name in names))

        assert self.refused(client, world, path, f"[{attestation}]").startswith(f"{UNVERIFIED}{reason}")

    def test_of_a_reusable_workflow(self, client: httpx.Client, world: RehearsalWorld, path: Path) -> None:
        """The upload token is the called workflow's, the certificate the caller's: PyPI takes one and not the other."""
        called = "octo-org/demo/.github/workflows/reusable.yml@refs/tags/v1.0.0"
        claims = github_claims(reusable_workflow_ref=called)

        answer = upload(client, world, path, mint(client, world, claims), f"[{sign(world, path, claims)}]")

        assert answer[0] == 400
        assert "does not match expected Trusted Publisher (reusable.yml @ octo-org/demo)" in answer[1]

    def test_signed_in_another_world(self, client: httpx.Client, world: RehearsalWorld, path: Path) -> None:
        with RehearsalWorld() as other:
            attestation = sign(other, path, github_claims())

        assert self.refused(client, world, path, f"[{attestation}]").startswith(REFUSED)

    def test_with_a_changed_signature(self, client: httpx.Client, world: RehearsalWorld, path: Path) -> None:
        attestation = json.loads(sign(world, path, github_claims()))
        other = json.loads(sign(world, path, github_claims()))
        attestation["envelope"]["signature"] = other["envelope"]["signature"]

        assert self.refused(client, world, path, json.dumps([attestation])).startswith(REFUSED)

    def test_without_a_log_entrys_promise(self, client: httpx.Client, world: RehearsalWorld, path: Path) -> None:
        attestation = json.loads(sign(world, path, github_claims()))
        del attestation["verification_material"]["transparency_entries"][0]["inclusionPromise"]

        said = self.refused(client, world, path, json.dumps([attestation]))

        assert said.startswith(f"{REFUSED}Unknown error while trying to verify included attestations: ")

    def test_when_they_are_switched_off_they_are_ignored(
        self, client: httpx.Client, world: RehearsalWorld, path: Path
    ) -> None:
        world.index.rules.flags.add("disable-pep740")
        try:
            assert upload(client, world, path, world.issue_api_token(), "rubbish") == (200, "OK")
        finally:
            world.index.rules.flags.clear()
        assert provenance(client, world, path).status_code == 404


@pytest.mark.parametrize(
    ("publisher", "claims", "status"),
    [
        (GitHubPublisher("octo-org/demo", "release.yml", "other"), github_claims(environment="other"), 200),
        (GitHubPublisher("octo-org/demo", "release.yml"), github_claims(environment="any"), 200),
        (GitLabPublisher("octo-group/demo"), gitlab_claims(), 200),
        (GooglePublisher(GOOGLE), google_claims(), 200),
    ],
)
def test_a_registered_publisher_is_the_one_that_must_have_signed(
    client: httpx.Client, tmp_path: Path, publisher: TrustedPublisher, claims: dict[str, object], status: int
) -> None:
    path = make_sdist(tmp_path)
    with RehearsalWorld(registrations=[registered(publisher, "demo", pending=True)]) as world:
        token = mint(client, world, claims)
        answer = upload(client, world, path, token, f"[{sign(world, path, claims)}]")

    assert answer[0] == status, answer[1]


def test_every_answer_says_that_this_is_a_rehearsal(world: RehearsalWorld, client: httpx.Client) -> None:
    paths = (
        "/",
        "/simple/",
        "/nothing",
        "/ci/.well-known/jwks",
        "/ci",
        "/api/v1/log",
        "/api/v2/nothing",
        "/_/oidc/audience",
    )

    answers = [client.get(f"{world.base_url}{path}") for path in paths]

    assert [answer.headers["X-Ci-Publish-Rehearsal"] for answer in answers] == ["1"] * len(paths)
    assert [answer.status_code for answer in answers] == [200, 200, 404, 200, 404, 200, 404, 200]


class TestEnvironment:
    def test_a_github_job_has_what_it_needs(self, world: RehearsalWorld) -> None:
        environment = world.environment("github", environment="pypi")

        assert environment["CI_PUBLISH_REPOSITORY_URL"] == f"{world.base_url}/legacy/" == world.repository_url
        assert environment["CI_PUBLISH_SIGSTORE_TRUST_CONFIG"] == str(world.trust_config_path)
        assert environment["ACTIONS_ID_TOKEN_REQUEST_URL"].startswith(f"{world.base_url}/ci/")
        assert environment["GITHUB_ACTIONS"] == "true"
        assert "SSL_CERT_FILE" not in environment
        assert world.certificate_authority_path is None
        assert world.index_url == f"{world.base_url}/simple/"

    def test_a_gitlab_job_has_its_tokens(self, world: RehearsalWorld) -> None:
        environment = world.environment("gitlab")

        assert {"SIGSTORE_ID_TOKEN", "CI_PUBLISH_REHEARSAL_ID_TOKEN", "GITLAB_CI"} <= environment.keys()

    @pytest.mark.parametrize("provider", ["github", "gitlab"])
    def test_the_process_becomes_a_job_and_no_real_ci_is_asked(
        self, world: RehearsalWorld, monkeypatch: pytest.MonkeyPatch, provider: Provider
    ) -> None:
        real = {
            "ACTIONS_ID_TOKEN_REQUEST_URL": "http://127.0.0.1:9/real",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "real",
            "GITHUB_ACTIONS": "true",
            "GITLAB_CI": "true",
            "PYPI_ID_TOKEN": "real",
            "CIRCLECI": "true",
            "BUILDKITE": "true",
            "GOOGLE_SERVICE_ACCOUNT_NAME": "real",
        }
        for name, value in real.items():
            monkeypatch.setenv(name, value)
        before = dict(os.environ)

        with world.ambient(provider):
            token = oidc.detect_credential(AUDIENCE)
            within = dict(os.environ)

        assert token is not None
        assert world.identity_provider.verify(token, AUDIENCE)
        assert "real" not in within.values()
        assert dict(os.environ) == before

    def test_the_environment_comes_back_after_a_failure(self, world: RehearsalWorld) -> None:
        environ = {"GITHUB_SHA": "mine", "CIRCLECI": "true"}

        def fail() -> None:
            with world.ambient("github", environ):
                assert environ["GITHUB_SHA"] != "mine"
                raise KeyError

        with pytest.raises(KeyError):
            fail()
        assert environ == {"GITHUB_SHA": "mine", "CIRCLECI": "true"}


def test_over_tls_the_own_authority_is_the_only_one(client: httpx.Client, tmp_path: Path) -> None:
    path = make_wheel(tmp_path)
    with RehearsalWorld(tls=True) as world:
        environment = world.environment("github")
        authority = environment["SSL_CERT_FILE"]
        with httpx.Client(verify=ssl.create_default_context(cafile=authority)) as trusting:
            answer = upload(trusting, world, path, world.issue_api_token())
            urls = [
                file["url"]
                for file in trusting.get(
                    f"{world.index_url}demo/", headers={"Accept": "application/vnd.pypi.simple.v1+json"}
                ).json()["files"]
            ]
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            client.get(world.base_url)

        assert world.base_url.startswith("https://127.0.0.1:")
        assert Path(authority) == world.certificate_authority_path
        assert world.failures == ()
    assert answer == (200, "OK")
    assert urls == [url for url in urls if url.startswith("https://")] != []


def test_a_client_that_never_shakes_hands_hinders_nobody(tmp_path: Path) -> None:
    import socket  # noqa: PLC0415 - only here

    with RehearsalWorld(tls=True) as world:
        port = int(world.base_url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=10):
            context = ssl.create_default_context(cafile=world.certificate_authority_path)
            with httpx.Client(verify=context) as client:
                assert client.get(world.base_url).status_code == 200


def test_a_second_world_in_the_same_folder_goes_on(client: httpx.Client, tmp_path: Path) -> None:
    path, storage = make_wheel(tmp_path / "dist"), tmp_path / "world"
    with RehearsalWorld(storage=storage) as first:
        token = mint(client, first, github_claims())
        upload(client, first, path, token, f"[{sign(first, path, github_claims())}]")
    with RehearsalWorld(storage=storage) as second:
        statement = verified(second, provenance(client, second, path))
        again = upload(client, second, path, second.issue_api_token())
        other = make_sdist(tmp_path / "dist")
        token = mint(client, second, github_claims())
        added = upload(client, second, other, token, f"[{sign(second, other, github_claims())}]")
        assert verified(second, provenance(client, second, other))

        assert json.loads(second.trusted_root())["mediaType"]
    assert statement["subject"][0]["name"] == path.name
    assert (again, added) == ((200, "OK"), (200, "OK"))


def test_a_temporary_world_leaves_nothing_behind() -> None:
    with RehearsalWorld() as world:
        folder = world.trust_config_path.parent
        assert folder.is_dir()

    assert not folder.exists()


def test_waiting_ends_when_it_is_told_to() -> None:
    with RehearsalWorld() as world:
        world.wait(0.01)
        timer = threading.Timer(0.05, world.stop)
        timer.start()
        world.wait(30)
        timer.join()


def test_projects_that_come_in_parallel_are_all_kept(world: RehearsalWorld, tmp_path: Path) -> None:
    paths = [make_wheel(tmp_path, f"parallel{number}", payload=str(number).encode()) for number in range(12)]
    token = world.issue_api_token()

    def work(mine: list[Path]) -> None:
        with httpx.Client() as client:
            for path in mine:
                assert upload(client, world, path, token) == (200, "OK")

    threads = [threading.Thread(target=work, args=(paths[start::4],)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {path.name for path in paths} <= world.index.files.keys()
