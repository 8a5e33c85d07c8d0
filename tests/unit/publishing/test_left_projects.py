"""Which projects did not go out, over fakes."""

from collections.abc import Callable
from typing import Any

import pytest

from ci_publish.app.settings import Settings
from ci_publish.errors import (
    CiPublishError,
    ConfigurationError,
    ContentConflict,
    CredentialRejected,
    Interrupted,
    PublishingDeferred,
    Terminated,
    UploadRejected,
)
from ci_publish.model.events import FileStatus, Outcome, ProjectLeft
from ci_publish.model.identity import CredentialKind
from ci_publish.model.index import (
    CredentialRefused,
    NewProjectLimit,
    NoSuchProject,
    NotVisible,
    ProjectListing,
    Refused,
    Upload,
)
from ci_publish.model.train import train_of_distributions
from ci_publish.publishing.context import Run
from ci_publish.publishing.file_outcomes import FileOutcomes
from ci_publish.publishing.left_projects import projects_left_unpublished
from ci_publish.publishing.messages import combined_failures_error
from ci_publish.publishing.publish import plan, publish
from tests.unit.fakes import FakeCredential, FakeIndex, FakeRun, fake_run, published, sha
from tests.unit.publishing.projects import project
from tests.unit.publishing.run_harness import attempted, failing, statuses

CORE, PLUGIN, META = project("core", size=3), project("plugin", "core"), project("meta", "plugin")
APART = project("apart", size=2)
EXTRA = project("core", tag="py2", size=9)
NO = Refused(attempts=1, status=400, message="no")
LIMIT = NewProjectLimit(attempts=1, message="Too many new projects created", wait=3600.0)


def play(index: FakeIndex, **options: Any) -> FakeRun:  # noqa: ANN401
    credential = FakeCredential(CredentialKind.API_TOKEN)
    return fake_run(CORE, EXTRA, PLUGIN, META, APART, index=index, credential=credential, options=Settings(**options))


def left(played: FakeRun) -> dict[str, tuple[tuple[str, ...], bool]]:
    events = [event for event in played.events if isinstance(event, ProjectLeft)]
    return {event.project: (event.because, event.deferred) for event in events}


def test_with_keep_going_the_table_names_the_cause_of_each() -> None:
    played = play(FakeIndex(answers={PLUGIN.filename: [NO]}), keep_going=True)
    failing(played, UploadRejected)
    assert left(played) == {"plugin": (("plugin",), False), "meta": (("plugin",), False)}


def taken() -> FakeIndex:
    return FakeIndex(files={PLUGIN.filename: published(PLUGIN, sha256=sha("x"))})


def archived() -> FakeIndex:
    closed = ProjectListing(project="plugin", files={}, status="archived")
    return FakeIndex(states=[NoSuchProject("core"), closed, NoSuchProject("meta"), NoSuchProject("apart")])


@pytest.mark.parametrize(("made", "kind"), [(taken, ContentConflict), (archived, UploadRejected)])
def test_with_keep_going_a_foreseen_refusal_leaves_out_its_project_and_what_requires_it(
    made: Callable[[], FakeIndex], kind: type[CiPublishError]
) -> None:
    played = fake_run(CORE, EXTRA, PLUGIN, META, APART, index=made(), options=Settings(keep_going=True))
    error = failing(played, kind)
    assert error.summary.startswith("2 of 5 files could not be published.")
    assert left(played) == {"plugin": (("plugin",), False), "meta": (("plugin",), False)}
    sent = {file.filename for file in (CORE, EXTRA, APART)}
    assert set(played.signer.signed) == sent
    assert {name for name, status in statuses(played).items() if status is FileStatus.UPLOADED} == sent
    assert statuses(played)[META.filename] is FileStatus.NOT_ATTEMPTED


@pytest.mark.parametrize(("made", "kind"), [(taken, ContentConflict), (archived, UploadRejected)])
@pytest.mark.parametrize(("command", "keep_going"), [(publish, False), (plan, True)])
def test_a_foreseen_refusal_sends_nothing_without_keep_going_or_in_a_plan(
    made: Callable[[], FakeIndex],
    kind: type[CiPublishError],
    command: Callable[[Run], Outcome],
    keep_going: bool,
) -> None:
    index = made()
    played = fake_run(CORE, PLUGIN, META, APART, index=index, options=Settings(keep_going=keep_going))
    failing(played, kind, command)
    assert index.sent == []
    assert played.signer.signed == []


def test_a_conflict_sends_nothing_where_all_that_remains_requires_its_project() -> None:
    index = taken()
    index.files[CORE.filename] = published(CORE)
    played = fake_run(CORE, PLUGIN, META, index=index, options=Settings(keep_going=True))
    failing(played, ContentConflict)
    assert statuses(played)[CORE.filename] is FileStatus.ALREADY_PUBLISHED
    assert index.sent == []


def test_without_it_nothing_is_started_after_the_first_failure() -> None:
    played = play(FakeIndex(answers={APART.filename: [NO]}))
    failing(played, UploadRejected)
    assert left(played) == dict.fromkeys(("apart", "core", "plugin", "meta"), (("apart",), False))


def test_a_run_that_was_stopped_names_no_cause() -> None:
    played = play(FakeIndex())
    index = played.destinations[0].index
    assert isinstance(index, FakeIndex)
    index.before_upload = lambda file: setattr(played.waiting, "stop", file == PLUGIN)
    with pytest.raises(CiPublishError):
        publish(played.run())
    assert left(played)["meta"][0] == ()


def test_a_single_project_has_no_table() -> None:
    played = fake_run(CORE, EXTRA, index=FakeIndex(answers={CORE.filename: [NO]}))
    failing(played, UploadRejected)
    assert left(played) == {}


def test_a_limit_on_new_projects_defers_them_and_what_requires_them_and_completes_the_others() -> None:
    old = {name: published(project(name, tag="py1")) for name in ("plugin-0.9-py3-none-any.whl",)}
    index = FakeIndex(answers={CORE.filename: [LIMIT]}, files=old)
    played = play(index)
    played.waiting.now = 0.0
    error = failing(played, PublishingDeferred)
    assert isinstance(error, PublishingDeferred)
    assert error.resume_after is not None
    assert attempted(played) == [APART.filename, CORE.filename]
    assert left(played) == {
        "core": (("core",), True),
        "plugin": (("core",), True),
        "meta": (("meta",), True),
    }
    assert statuses(played)[EXTRA.filename] is FileStatus.DEFERRED
    assert error.summary == "3 projects are deferred to a later run: core, plugin, meta."
    assert "pypi accepts no more new projects for now: Too many new projects created" in error.detail


def test_what_was_created_before_the_limit_is_completed() -> None:
    index = FakeIndex(answers={PLUGIN.filename: [LIMIT]})
    played = play(index)
    failing(played, PublishingDeferred)
    assert set(index.files) == {CORE.filename, EXTRA.filename, APART.filename}


def test_any_other_failure_takes_precedence() -> None:
    forbidden = CredentialRefused(attempts=1, status=403, message="no", one_project=True)
    index = FakeIndex(answers={CORE.filename: [LIMIT], APART.filename: [forbidden]})
    failing(play(index, keep_going=True), CredentialRejected)


def test_the_user_says_how_many_projects_a_run_creates_and_what_waits_is_not_signed() -> None:
    index = FakeIndex()
    played = fake_run(CORE, EXTRA, PLUGIN, META, APART, index=index, options=Settings(new_projects=2))
    error = failing(played, PublishingDeferred)
    assert isinstance(error, PublishingDeferred)
    assert error.resume_after is None
    assert sorted(played.signer.signed) == sorted(index.files) == sorted(file.filename for file in (APART, CORE, EXTRA))
    assert left(played) == {"plugin": (("plugin",), True), "meta": (("plugin",), True)}
    assert statuses(played)[META.filename] is FileStatus.DEFERRED
    assert "no waiting period is known" in error.hints[0]
    again = fake_run(CORE, EXTRA, PLUGIN, META, APART, index=index, options=Settings(new_projects=2))
    assert publish(again.run()) is Outcome.PUBLISHED


def test_a_plan_says_what_would_be_deferred() -> None:
    played = play(FakeIndex(), new_projects=0)
    assert plan(played.run()) is Outcome.PLANNED
    assert set(statuses(played).values()) == {FileStatus.DEFERRED}
    failing(play(FakeIndex(), new_projects=0), PublishingDeferred)


def test_new_projects_that_cannot_be_told_from_others_cannot_be_limited() -> None:
    failing(play(FakeIndex(states=[NotVisible("core", "HTTP 401")]), new_projects=2), ConfigurationError)


def test_projects_of_a_deferred_cycle_wait_for_the_limit_and_not_for_each_other() -> None:
    cycle = (project("alpha", "beta"), project("beta", "alpha"), project("gamma", "alpha"))
    played = fake_run(*cycle, index=FakeIndex(), options=Settings(new_projects=0))
    failing(played, PublishingDeferred)
    assert left(played) == {
        "alpha": (("alpha",), True),
        "beta": (("beta",), True),
        "gamma": (("alpha", "beta"), True),
    }


@pytest.mark.parametrize("stopped", [Interrupted("stopped"), Terminated("stopped")])
def test_a_signal_is_told_once_and_not_for_each_project(stopped: CiPublishError) -> None:
    played = play(FakeIndex())
    train = train_of_distributions([CORE, EXTRA, PLUGIN, META, APART])
    planned = [Upload(file) for file in (CORE, EXTRA, PLUGIN, META, APART)]
    outcomes = FileOutcomes(run=played.run(), index="pypi", train=train)
    outcomes.record_failure(CORE, stopped, FileStatus.FAILED, 1)
    assert list(projects_left_unpublished("pypi", planned, outcomes, train)) == []

    outcomes = FileOutcomes(run=played.run(), index="pypi", train=train)
    outcomes.record_failure(APART, UploadRejected("no"), FileStatus.REFUSED, 1)
    outcomes.record_failure(CORE, stopped, FileStatus.FAILED, 1)
    there = {each.project: each.because for each in projects_left_unpublished("pypi", planned, outcomes, train)}
    assert there["apart"] == ("apart",)


def test_files_that_a_signal_ended_are_not_counted_as_failed() -> None:
    stopped, refused = Interrupted("stopped"), UploadRejected("no")
    assert combined_failures_error([(CORE, stopped), (PLUGIN, stopped)], 5) is stopped
    assert combined_failures_error([(CORE, stopped), (PLUGIN, refused)], 5) is refused
    both = combined_failures_error([(CORE, stopped), (PLUGIN, refused), (META, refused)], 5)
    assert both.summary.startswith("2 of 5 files could not be published")
