"""The whole staircase as a job of each CI whose identity PyPI takes, and whatever can be wrong with that identity.

GitHub's and GitLab's jobs are played to a process of its own once each; what is refused is refused in this one.
Google's metadata server has a fixed name in ``id`` that a test confined to loopback cannot play: there the run is the
real one but for the port to ``id``.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug.wrappers import Response

from ci_publish import errors
from ci_publish.app.composition import Composition
from ci_publish.app.runtime_context import RuntimeContext
from ci_publish.app.settings import Settings
from ci_publish.identity.ambient_identity import AmbientIdentity, Fetching
from ci_publish.identity.ci_environment import CiEnvironment
from ci_publish.model.events import Event, Outcome, ProvenanceChecked
from ci_publish.model.receipt_building import build_receipt
from ci_publish.publishing.interruption import Interruption
from ci_publish.publishing.publish import publish
from ci_publish.rehearsal.ci_claims import simulated_google_claims
from ci_publish.rehearsal.registered_publishers import (
    GitHubPublisher,
    GitLabPublisher,
    GooglePublisher,
    TrustedPublisher,
)
from ci_publish.rehearsal.trusted_publishing import registered
from ci_publish.rehearsal.world import RehearsalWorld
from tests.distributions import make_release
from tests.e2e.in_process import Shell, hooked, second_index

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ci_publish.rehearsal.hooks import After
    from ci_publish.rehearsal.simulated_job import Provider
    from tests.e2e.conftest import Cli, Result

pytestmark = pytest.mark.e2e

OF_GITHUB = GitHubPublisher(repository="octo-org/demo", workflow="release.yml")
OF_GITLAB = GitLabPublisher("octo-group/demo", ".gitlab-ci.yml")
PROVIDERS: list[tuple[Provider, TrustedPublisher]] = [("github", OF_GITHUB), ("gitlab", OF_GITLAB)]


@pytest.fixture(scope="module")
def everyone() -> Iterator[RehearsalWorld]:
    """A world in which every identity of its own CI may publish."""
    with RehearsalWorld() as opened:
        yield opened
        assert opened.failures == ()


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.chdir(tmp_path)
    return Shell(tmp_path)


def files(result: Result) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = result.receipt["files"]
    return listed


def nothing_left_behind(world: RehearsalWorld) -> None:
    """Nobody's name stands in the log, nothing is on the index, and no upload token that was given lives on."""
    assert world.sigstore.entries == ()
    assert world.index.files == {}
    assert all(token.burnt for token in world.index.mint_log)


# as it should be --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("provider", "publisher"), PROVIDERS, ids=["github", "gitlab"])
def test_published_attested_and_verified(cli: Cli, provider: Provider, publisher: TrustedPublisher) -> None:
    made = make_release(cli.folder / "dist")
    with RehearsalWorld(registrations=[registered(publisher, "demo", pending=True)]) as world:
        job = cli.with_environment(world.environment(provider))
        result = job("publish")
        assert result.code == 0, result.stdout + result.stderr
        assert result.receipt["indexes"][0]["credential"]["provider"] == provider
        assert len(world.index.mint_log) == 1
        assert world.index.mint_log[0].burnt
        assert len(world.sigstore.entries) == len(made)
        for file in files(result):
            assert file["status"] == "uploaded"
            assert file["listed"]
            assert file["provenance_verified"]
            assert file["attestations"][0]["verified"]
        assert {path.name: path.read_bytes() for path in made} == {
            name: world.index.path_of(name).read_bytes() for name in world.index.files
        }
        signers = {bundle["publisher"]["kind"] for bundle in bundles(world)}
        assert {kind.lower() for kind in signers} == {provider}

        verified = cli.with_environment({"CI_PUBLISH_SIGSTORE_TRUST_CONFIG": str(world.trust_config_path)})(
            "verify", "demo==1.0", "--repository-url", world.repository_url
        )
        assert verified.code == 0, verified.stdout + verified.stderr
        assert all(file["provenance_verified"] for file in files(verified))
        assert world.failures == ()


def bundles(world: RehearsalWorld) -> list[dict[str, Any]]:
    provenances = [json.loads(json.dumps(file.provenance)) for file in world.index.files.values()]
    return [bundle for provenance in provenances for bundle in provenance["attestation_bundles"]]


def test_gitlabs_one_identity_is_used_once(shell: Shell, everyone: RehearsalWorld) -> None:
    make_release(shell.folder / "dist", "one-mint")
    job = shell.in_job_of(everyone, "gitlab")
    minted = len(everyone.index.mint_log)
    assert job("publish").code == 0
    assert len(everyone.index.mint_log) == minted + 1
    again = job("publish")
    assert again.code == 0
    assert again.receipt["outcome"] == "already-published"
    assert len(everyone.index.mint_log) == minted + 1, "nothing to upload: nothing to exchange"

    make_release(shell.folder / "dist", "one-mint", "1.1")
    spent = job("publish")
    assert spent.code == 6
    assert spent.receipt["error"]["slug"] == "invalid-reuse-token"
    assert len(everyone.index.mint_log) == minted + 1


def test_a_google_service_account(tmp_path: Path) -> None:
    made = make_release(tmp_path / "dist")
    claims = simulated_google_claims()
    publisher = GooglePublisher(str(claims["email"]))
    with RehearsalWorld(registrations=[registered(publisher, "demo", pending=True)]) as world:
        events, outcome = run_as_google(world, tmp_path, claims)
        assert outcome is Outcome.PUBLISHED
        receipt = build_receipt(events)
        assert receipt.indexes[0].credential.provider == "google"
        assert all(file.listed and file.provenance_verified for file in receipt.files)
        assert len(world.sigstore.entries) == len(made)
        labels = {event.outcome.publisher for event in events if isinstance(event, ProvenanceChecked)}  # type: ignore[union-attr]
        assert labels == {f"google:{claims['email']}"}


def test_a_google_service_account_that_nobody_registered(tmp_path: Path) -> None:
    make_release(tmp_path / "dist")
    publisher = GooglePublisher("somebody-else@demo-project.iam.gserviceaccount.com")
    with RehearsalWorld(registrations=[registered(publisher, "demo", pending=True)]) as world:
        with pytest.raises(errors.InvalidPublisher):
            run_as_google(world, tmp_path, simulated_google_claims())
        nothing_left_behind(world)


def run_as_google(world: RehearsalWorld, folder: Path, claims: dict[str, object]) -> tuple[list[Event], Outcome]:
    """Publish what lies in *folder* with everything real but the port to ``id``."""
    events: list[Event] = []
    environ = {"GOOGLE_SERVICE_ACCOUNT_NAME": str(claims["email"])}
    context = RuntimeContext(environ=environ, emit=events.append)
    settings = Settings(
        paths=(str(folder / "dist"),),
        repository_url=(world.repository_url,),
        sigstore_trust_config=world.trust_config_path,
    )
    interruption = Interruption(settings.deadline)
    identity = AmbientIdentity(
        job=CiEnvironment(environ, machine=lambda: ""),
        mask=context.mask,
        waiting=interruption,
        emit=events.append,
        fetching=Fetching(detect=lambda audience: world.identity_provider.issue(audience, claims)),
    )
    composition = Composition(settings, replace(context, interruption=interruption), identity=identity)
    try:
        return events, publish(composition.compose_run("publish"))
    finally:
        composition.close()


# identities that do not fit ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("provider", "publisher", "words"),
    [
        ("github", GitHubPublisher(repository="octo-org/demo", workflow="publish.yml"), "release.yml"),
        ("github", GitHubPublisher(repository="octo-org/other", workflow="release.yml"), "octo-org"),
        ("github", GitHubPublisher(repository="Octo-Org/demo", workflow="release.yml"), "octo-org"),
        ("github", GitHubPublisher(repository="octo-org/demo", workflow="Release.yml"), "release.yml"),
        (
            "github",
            GitHubPublisher(repository="octo-org/demo", workflow="release.yml", environment="pypi"),
            "nvironment",
        ),
        ("gitlab", GitLabPublisher("octo-group/other"), "octo-group"),
        ("gitlab", GitLabPublisher("octo-group/demo", "publish.yml"), ".gitlab-ci.yml"),
        ("gitlab", GitLabPublisher("Octo-Group/demo"), "letter case"),
    ],
    ids=[
        "github-workflow", "github-repository", "github-owners-case", "github-workflows-case", "github-environment",
        "gitlab-project", "gitlab-file", "gitlab-groups-case",
    ],
)  # fmt: skip
def test_an_identity_that_is_not_registered_signs_nothing_where_that_can_be_known(
    shell: Shell, provider: Provider, publisher: TrustedPublisher, words: str
) -> None:
    make_release(shell.folder / "dist")
    with RehearsalWorld(registrations=[registered(publisher, "demo")]) as world:
        result = shell.in_job_of(world, provider)("publish")
        assert result.code == 6, result.stdout
        assert result.receipt["error"]["slug"] == "invalid-publisher"
        assert words in json.dumps(result.receipt["error"])
        assert {file["status"] for file in files(result)} == {"not-attempted"}
        assert world.index.files == {}
        assert world.index.mint_log == ()
        # GitLab gives a job one identity: exchanging it before signing would begin its upload token's 15 minutes.
        assert len(world.sigstore.entries) == (0 if provider == "github" else 2)


def test_a_reusable_workflow_of_the_same_repository_is_refused_before_anything_is_signed(shell: Shell) -> None:
    make_release(shell.folder / "dist")
    called = "octo-org/demo/.github/workflows/reusable.yml@refs/tags/v1.0.0"
    of_the_called = [
        registered(GitHubPublisher(repository="octo-org/demo", workflow="reusable.yml"), "demo", pending=True)
    ]
    for registrations in (of_the_called, [registered(OF_GITHUB, "demo", pending=True)], None):
        with RehearsalWorld(registrations=registrations) as world:
            result = shell.in_job_of(world, job_workflow_ref=called)("publish")
            assert result.code == 6
            assert result.receipt["error"]["slug"] == "reusable-workflow"
            assert "warehouse/issues/11096" in result.receipt["error"]["detail"]
            nothing_left_behind(world)


# what the index serves --------------------------------------------------------------------------------------------


def replaced(prefix: str, change: Callable[[str, bytes], bytes | None]) -> After:
    """Replace what is served below *prefix*: *change* gets the path and the true body; None for a 404."""

    def after(environ: dict[str, Any], response: Response) -> Response | None:
        if not environ["PATH_INFO"].startswith(prefix):
            return None
        body = change(environ["PATH_INFO"], response.get_data())
        return Response(status=404) if body is None else Response(body, content_type=response.content_type)

    return after


def without_attestations(_path: str, body: bytes) -> bytes:
    provenance = json.loads(body)
    emptied = [{**bundle, "attestations": []} for bundle in provenance["attestation_bundles"]]
    return json.dumps({**provenance, "attestation_bundles": emptied}).encode()


def without_bundles(_path: str, body: bytes) -> bytes:
    return json.dumps({**json.loads(body), "attestation_bundles": []}).encode()


def of_somebody_else(_path: str, body: bytes) -> bytes:
    provenance = json.loads(body)
    for bundle in provenance["attestation_bundles"]:
        bundle["publisher"]["repository"] = "octo-org/other"
    return json.dumps(provenance).encode()


def no_json(_path: str, _body: bytes) -> bytes:
    return b"<html>"


@pytest.mark.parametrize("change", [without_attestations, without_bundles, of_somebody_else, no_json])
def test_provenance_that_proves_nothing_is_not_verified(
    shell: Shell, everyone: RehearsalWorld, change: Callable[[str, bytes], bytes]
) -> None:
    project = f"proves-nothing-{change.__name__}"
    make_release(shell.folder / "dist", project)
    job = shell.in_job_of(everyone)
    with hooked(everyone.index.hooks, after=replaced("/integrity/", change)):
        result = job("publish")
        assert result.code == 11, result.stdout
        assert {file["status"] for file in files(result)} == {"uploaded"}
        assert {file["provenance_verified"] for file in files(result)} == {False}
        assert job("verify").code == 11
    assert job("verify").code == 0


def test_provenance_of_other_bytes_is_not_verified(shell: Shell, everyone: RehearsalWorld) -> None:
    sdist, wheel = make_release(shell.folder / "dist", "other-bytes")

    def swap(path: str, _body: bytes) -> bytes:
        other = wheel if sdist.name in path else sdist
        return json.dumps(everyone.index.files[other.name].provenance).encode()

    job = shell.in_job_of(everyone)
    with hooked(everyone.index.hooks, after=replaced("/integrity/", swap)):
        result = job("publish")
    assert result.code == 11, result.stdout
    assert {file["provenance_verified"] for file in files(result)} == {False}
    assert result.receipt["error"]["slug"] == "unverified"


def test_no_provenance_in_time_is_a_warning(shell: Shell, everyone: RehearsalWorld) -> None:
    make_release(shell.folder / "dist", "late-provenance")
    job = shell.in_job_of(everyone)
    with hooked(everyone.index.hooks, after=replaced("/integrity/", lambda *_: None)):
        result = job("publish", "--verify-timeout", "1")
        assert result.code == 0, result.stdout
        assert "does not serve provenance" in result.stdout
        assert job("verify").code == 0
        assert job("verify", "--attestations", "required").code == 11


# files that changed, and attestations beside them -----------------------------------------------------------------


def test_a_distribution_that_is_tampered_with_after_publishing_is_found(shell: Shell, everyone: RehearsalWorld) -> None:
    made = make_release(shell.folder / "dist", "tampered")
    job = shell.in_job_of(everyone)
    assert job("publish").code == 0
    for path in made:
        path.unlink()
    make_release(shell.folder / "dist", "tampered", payload=b"import os\n")
    assert job("verify").code == 8


def test_attestation_files_of_an_earlier_index_are_used(shell: Shell, everyone: RehearsalWorld) -> None:
    """TestPyPI, then PyPI, in one job: what was signed for the first is good for the second."""
    made = make_release(shell.folder / "dist", "two-steps")
    before = len(everyone.sigstore.entries)
    job = shell.in_job_of(everyone)
    with second_index(everyone, shell.folder / "second") as second:
        first = job("publish", "--attestations-dir", "dist")
        assert first.code == 0, first.stdout
        assert len(list((shell.folder / "dist").glob("*.attestation"))) == len(made)
        again = job("publish", "--attestations-dir", "dist", "--repository-url", second.repository_url)
        assert again.code == 0, again.stdout
        assert len(everyone.sigstore.entries) == before + len(made), "signed once"
        assert all(file["provenance_verified"] for file in files(again))
        for path in made:
            ours, theirs = everyone.index.files[path.name].provenance, second.index.files[path.name].provenance
            assert ours == theirs


def test_a_tampered_attestation_file_stops_the_run(shell: Shell, everyone: RehearsalWorld) -> None:
    make_release(shell.folder / "dist", "bad-companion")
    job = shell.in_job_of(everyone)
    assert job("attest", "--output-dir", "dist").code == 0
    sdist, wheel = sorted((shell.folder / "dist").glob("*.attestation"))
    shutil.copyfile(sdist, wheel)
    before = len(everyone.sigstore.entries), len(everyone.index.files)
    result = job("publish")
    assert result.code == 7, result.stdout
    assert wheel.name in json.dumps(result.receipt["error"])
    assert (len(everyone.sigstore.entries), len(everyone.index.files)) == before
    assert all(token.burnt for token in everyone.index.mint_log)
