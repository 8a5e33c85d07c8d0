from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from ci_publish import errors
from ci_publish.identity.credential_choice import CredentialOptions
from ci_publish.identity.doctor import Doctor
from ci_publish.identity.doctor_findings import Level, Readiness
from ci_publish.model.distribution import Distribution
from ci_publish.model.events import Retrying
from ci_publish.model.identity import Provider, Secret
from ci_publish.model.index import (
    AlreadyPublished,
    Conflict,
    IndexState,
    NoSuchProject,
    Plan,
    ProjectListing,
    PublishedFile,
)
from tests.unit.identity.credential_harness import GITHUB, GITLAB, OTHER, PYPI, FakeCI, Harness, answer, macaroon
from tests.unit.identity.diagnoses import NO_SIGSTORE, UNREACHABLE, codes, diagnose, nothing_published, refuse, request
from tests.unit.identity.test_doctor_findings import WHEEL

DATE = "Fri, 15 Jan 2027 08:00:00 GMT"


def test_a_healthy_job_is_shown_whole() -> None:
    world = Harness()
    world.index.scripts["audience"] = [answer(200, {"audience": "pypi"}, date=DATE)]
    diagnosis, levels = diagnose(world, request("demo", "other", mint=True))
    assert levels == {
        "environment": Level.OK,
        "index": Level.OK,
        "clock": Level.OK,
        "identity": Level.OK,
        "claims": Level.OK,
        "publisher": Level.OK,
        "exchange": Level.OK,
        "project demo": Level.OK,
        "project other": Level.OK,
    }
    assert diagnosis.error is None
    assert world.index.burnt == world.index.minted == ["pypi-upload-1"]


def test_nothing_is_exchanged_unless_asked_for() -> None:
    world = Harness()
    diagnosis, levels = diagnose(world)
    assert levels["exchange"] is Level.SKIPPED
    assert world.index.identities == []
    assert diagnosis.error is None


def test_gitlabs_only_token_is_spent_only_when_told() -> None:
    world = Harness(ci=FakeCI(Provider.GITLAB, GITLAB))
    _, levels = diagnose(world, request(mint=True))
    assert levels["exchange"] is Level.SKIPPED
    assert world.index.identities == []
    _, levels = diagnose(world, request(mint=True, spend_token=True))
    assert levels["exchange"] is Level.OK
    assert len(world.index.identities) == len(world.index.burnt) == 1


def test_a_refused_identity_is_what_publishing_would_end_with() -> None:
    world = Harness()
    refusal = {"errors": [{"code": "invalid-publisher", "description": "Publisher with matching claims was not found"}]}
    world.index.scripts["mint-token"] = [answer(422, refusal)]
    diagnosis, levels = diagnose(world, request("demo", mint=True))
    assert levels["exchange"] is Level.FAILURE
    assert isinstance(diagnosis.error, errors.InvalidPublisher)
    assert any("/manage/project/demo/" in hint for hint in diagnosis.error.hints)


def test_what_the_claims_tell_is_not_tried() -> None:
    world = Harness(ci=FakeCI(claims={**GITHUB, "event_name": "pull_request_target"}))
    diagnosis, levels = diagnose(world, request(mint=True))
    assert levels["exchange"] is Level.FAILURE
    assert isinstance(diagnosis.error, errors.InvalidPublisher)
    assert world.index.identities == []


def test_a_missing_permission_is_a_failure_and_the_rest_is_looked_at() -> None:
    world = Harness(ci=FakeCI(error=errors.NoIdTokenPermission("no permission")))
    diagnosis, levels = diagnose(world, request("demo"))
    assert levels["identity"] is Level.FAILURE
    assert levels["project demo"] is Level.OK
    assert isinstance(diagnosis.error, errors.NoIdTokenPermission)


def test_a_token_that_cannot_be_burnt_is_a_warning() -> None:
    world = Harness()
    world.index.scripts["burn-token"] = [answer(400)]
    diagnosis, levels = diagnose(world, request(mint=True))
    assert levels["exchange"] is Level.WARNING
    assert diagnosis.error is None


@pytest.mark.parametrize(
    ("given", "ci", "error"),
    [
        (CredentialOptions(secret=Secret("pypi-x")), FakeCI(), None),
        (CredentialOptions(user="alice", secret=Secret("x")), FakeCI(), errors.PasswordRefused),
        (CredentialOptions(), FakeCI(provider=None), errors.IdentityUnavailable),
        (CredentialOptions(secret=Secret("x"), anonymous=True), FakeCI(), errors.ConfigurationError),
        (CredentialOptions(anonymous=True), FakeCI(), None),
    ],
)
def test_other_credentials_are_judged(
    given: CredentialOptions, ci: FakeCI, error: type[errors.CiPublishError] | None
) -> None:
    diagnosis, levels = diagnose(Harness(ci=ci), given=given)
    assert (type(diagnosis.error) if diagnosis.error else None) is error
    unproven = Level.SKIPPED if given.secret else Level.OK
    assert levels["credential"] is (Level.FAILURE if error else unproven)


def test_a_look_that_fails_is_a_finding() -> None:
    def fetch_listing(project: str) -> IndexState:
        raise errors.ConfigurationError(f"no address for {project}")

    diagnosis, _ = diagnose(Harness(), request("demo"), fetch_listing=fetch_listing)
    assert isinstance(diagnosis.error, errors.ConfigurationError)


def test_an_archived_project_is_what_publishing_would_end_with() -> None:
    diagnosis, _ = diagnose(
        Harness(),
        request("demo"),
        fetch_listing=lambda name: ProjectListing(project=name, status="archived"),
    )
    assert diagnosis.error is not None
    assert diagnosis.error.exit_code == 9


def test_an_index_without_an_exchange_is_reached_at_its_upload_address() -> None:
    world = Harness(ci=FakeCI(provider=None))
    Doctor(
        endpoints=OTHER,
        credential_options=CredentialOptions(anonymous=True),
        tools=world.tools(),
        fetch_listing=nothing_published,
        request=request(),
    ).run_diagnosis()
    assert world.index.requests[0].url == OTHER.audience


def test_gitlabs_identity_for_sigstore_is_asked_for_where_something_must_be_signed() -> None:
    world = Harness(ci=FakeCI(Provider.GITLAB, GITLAB, lacks={"sigstore": NO_SIGSTORE}))
    diagnosis, levels = diagnose(world)
    assert levels["signing"] is Level.FAILURE
    assert diagnosis.error is NO_SIGSTORE
    assert codes(world, request(attesting=lambda _: False)) == 0


def test_attestations_that_cannot_be_are_a_mistake_of_options() -> None:
    assert codes(Harness(), request(attesting=refuse), CredentialOptions(secret=Secret("pypi-x"))) == 2
    assert (
        codes(
            Harness(),
            request("demo", attesting=refuse),
            CredentialOptions(secret=Secret("pypi-x")),
            UNREACHABLE,
        )
        == 2
    )


# the verdict --------------------------------------------------------------------------------------------------------


def absent_at_first(count: int) -> Callable[..., IndexState]:
    left = [count]

    def fetch_listing(project: str, *, fresh: bool = False) -> IndexState:
        assert fresh is (left[0] < count)
        left[0] -= 1
        return NoSuchProject(project) if left[0] >= 0 else ProjectListing(project=project)

    return fetch_listing


def test_without_an_exchange_nothing_is_known() -> None:
    diagnosis, levels = diagnose(Harness(), request("demo"))
    assert levels["publisher"] is Level.SKIPPED
    assert diagnosis.verdict.readiness is Readiness.UNTRIED
    assert "by trying the exchange" in diagnosis.verdict.message
    assert "Try it: mint: true" in [hint for found in diagnosis.findings for hint in found.hints]


def test_an_exchange_does_not_prove_that_the_project_is_covered() -> None:
    for projects, named in ((["demo"], "demo"), ([], "your project")):
        diagnosis, levels = diagnose(Harness(), request(*projects, mint=True))
        assert levels["publisher"] is Level.OK
        assert diagnosis.verdict.readiness is Readiness.WORKS
        assert f"only the first upload shows whether it covers {named}" in diagnosis.verdict.message


def test_an_exchange_that_could_create_the_project_is_left_out() -> None:
    world = Harness()
    diagnosis, levels = diagnose(world, request("demo", mint=True), fetch_listing=absent_at_first(9))
    assert levels["exchange"] is Level.SKIPPED
    assert world.index.identities == []
    assert any("create-project: true" in hint for found in diagnosis.findings for hint in found.hints)
    assert diagnosis.verdict.readiness is Readiness.UNTRIED


@pytest.mark.parametrize("answers", [1, 3])
def test_a_project_that_the_exchange_created_is_covered(answers: int) -> None:
    world = Harness()
    diagnosis, _ = diagnose(
        world,
        request("demo", mint=True, create_project=True),
        fetch_listing=absent_at_first(answers),
    )
    assert diagnosis.verdict.readiness is Readiness.READY
    assert len(world.index.burnt) == 1


def test_a_project_that_the_exchange_did_not_create_is_not_ready() -> None:
    world = Harness()
    diagnosis, levels = diagnose(
        world, request("demo", mint=True, create_project=True), fetch_listing=absent_at_first(9)
    )
    assert levels["exchange"] is Level.FAILURE
    assert isinstance(diagnosis.error, errors.ProjectNotCovered)
    assert world.waits == [1.0, 2.0, 4.0, 8.0, 15.0]
    assert [event.wait for event in world.of(Retrying)] == world.waits, "no wait is silent"


@pytest.mark.parametrize(
    ("token", "readiness", "error"),
    [
        (macaroon([1, ["demo"]]), Readiness.READY, None),
        (macaroon([2, ["an id"]]), Readiness.UNTRIED, None),
        (macaroon([3, "user"]), Readiness.UNTRIED, None),
        ("pypi-x", Readiness.UNTRIED, None),
        (macaroon([1, ["other"]]), None, errors.ProjectNotCovered),
        (macaroon([2, []]), None, errors.ProjectNotCovered),
        (macaroon([0, 1, 0]), None, errors.ApiTokenUnusable),
    ],
)
def test_an_api_token_states_what_it_is_for(
    token: str, readiness: Readiness | None, error: type[errors.CiPublishError] | None
) -> None:
    diagnosis, _ = diagnose(Harness(), request("demo"), CredentialOptions(secret=Secret(token)))
    assert (type(diagnosis.error) if diagnosis.error else None) is error
    if readiness is not None:
        assert diagnosis.verdict.readiness is readiness


def test_a_new_project_with_the_name_of_a_standard_module_is_what_publishing_would_end_with() -> None:
    diagnosis, levels = diagnose(Harness(), request("asyncio"), fetch_listing=absent_at_first(9))
    assert levels["project asyncio"] is Level.FAILURE
    assert diagnosis.error is not None
    assert diagnosis.error.exit_code == 9
    there, levels = diagnose(Harness(), request("asyncio"))
    assert there.error is None
    assert levels["project asyncio"] is Level.OK


def test_a_hint_names_the_option_that_is_missing() -> None:
    new = request("demo", mint=True)
    absent, _ = diagnose(Harness(), new, fetch_listing=absent_at_first(9))
    assert any(hint.endswith("create-project: true") for found in absent.findings for hint in found.hints)
    spent, _ = diagnose(Harness(ci=FakeCI(Provider.GITLAB, GITLAB)), new)
    assert any(hint.endswith("spend-token: true") for found in spent.findings for hint in found.hints)
    untried, _ = diagnose(Harness(), request("demo"))
    assert "by trying the exchange" in untried.verdict.message


def test_an_api_token_of_a_project_creates_none() -> None:
    token = CredentialOptions(secret=Secret(macaroon([1, ["demo"]])))
    diagnosis, _ = diagnose(Harness(), request("demo"), token, fetch_listing=absent_at_first(9))
    assert isinstance(diagnosis.error, errors.ProjectNotCovered)


def test_where_every_file_is_published_nothing_has_to_be_proven() -> None:
    def published(files: Sequence[Distribution], state: IndexState) -> Plan:
        del state
        return Plan(
            "pypi",
            tuple(
                AlreadyPublished(file, PublishedFile(filename=file.filename, url="", sha256=file.sha256))
                for file in files
            ),
        )

    diagnosis, _ = diagnose(Harness(), request("demo", plan=published))
    assert diagnosis.verdict.readiness is Readiness.READY


@pytest.mark.parametrize(
    "claims",
    [
        {**GITHUB, "job_workflow_ref": "octo-org/shared/.github/workflows/publish.yml@v1"},
        {**GITHUB, "iss": "https://ghe.example/_services/token"},
        {**GITHUB, "iss": f"{GITHUB['iss']}/octo-enterprise"},
        {**GITHUB, "iss": "https://codeberg.org/api/actions"},
        {"iss": "https://agent.buildkite.com"},
        {**GITLAB, "ci_config_ref_uri": "gitlab.com/group/ci//p.yml@main"},
    ],
)
def test_what_publish_would_refuse_is_not_ready_and_has_no_form(claims: dict[str, object]) -> None:
    world = Harness(ci=FakeCI(claims=claims))
    diagnosis, levels = diagnose(world, request("demo", mint=True))
    assert isinstance(diagnosis.error, errors.CredentialRejected)
    assert "publisher" not in levels
    assert world.index.identities == []


def test_a_runner_that_passes_for_githubs_is_named() -> None:
    world = Harness()
    tools = replace(world.tools(), runner="Forgejo Actions")
    [environment, *_] = (
        Doctor(
            endpoints=PYPI,
            credential_options=CredentialOptions(),
            tools=tools,
            fetch_listing=nothing_published,
            request=request(),
        )
        .run_diagnosis()
        .findings
    )
    assert (environment.level, "Forgejo" in environment.message) == (Level.WARNING, True)


def test_a_conflict_is_told_as_publishing_tells_it() -> None:
    error = errors.ContentConflict("pypi already has other content", detail="both digests", hints=("Re-run.",))
    taken = Conflict(WHEEL, PublishedFile(filename=WHEEL.filename, url="", sha256="b" * 64))
    wanted = request("demo", plan=lambda *_: Plan("pypi", (taken,)), conflict=lambda _: error)
    diagnosis, _ = diagnose(Harness(), wanted, fetch_listing=lambda project: ProjectListing(project=project))
    found = next(found for found in diagnosis.findings if found.error is error)
    assert (found.message, found.detail, found.hints) == (error.summary, error.detail, error.hints)
