"""The order of the uploads of several projects: what is public can be installed, whatever happens."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from ci_publish.app.settings import Settings
from ci_publish.errors import (
    CiPublishError,
    ContentConflict,
    CredentialRejected,
    IndexUnavailable,
    Unverified,
    UploadRejected,
)
from ci_publish.model.distribution import Distribution
from ci_publish.model.events import FileStatus, Noted, Outcome, Step
from ci_publish.model.identity import CredentialKind
from ci_publish.model.index import (
    AlreadyThere,
    CredentialRefused,
    IndexState,
    NotVisible,
    ProjectListing,
    Refused,
    Unavailable,
    UploadOutcome,
)
from ci_publish.model.receipt_building import build_receipt
from ci_publish.publishing.publish import plan, publish
from tests.unit.fakes import GENERIC, FakeCredential, FakeIndex, FakeRun, fake_run, published, sha
from tests.unit.publishing.projects import project
from tests.unit.publishing.run_harness import attempted, failing, index_of, notes, statuses, steps

CORE = project("core", size=30)
PLUGIN = project("plugin", "core==1.0", size=20)
META = project("meta", "core==1.0", "plugin==1.0", size=10)
APART = project("apart", size=5)
FAMILY = (META, PLUGIN, CORE)


class SlowListing(FakeIndex):
    """Lists a file only when it was asked about it so many times since its upload; knows what it was asked when."""

    def __init__(self, late: int = 0, **more: Any) -> None:  # noqa: ANN401
        super().__init__(**more)
        self.late = late
        self.asked: dict[str, int] = {}
        self.log: list[str] = []

    def fetch_listing(self, project: str, version: str | None = None, **more: Any) -> IndexState:  # noqa: ANN401
        state = super().fetch_listing(project, version, **more)
        if isinstance(state, ProjectListing):
            self.asked[project] = self.asked.get(project, 0) + 1
            if self.asked[project] <= self.late:
                return ProjectListing(project=project)
            self.log.append(f"listed {project}")
        return state

    def _completed(self, distribution: Distribution, *more: Any) -> UploadOutcome:  # noqa: ANN401
        self.log.append(distribution.project)
        return super()._completed(distribution, *more)


def on(index: FakeIndex, *files: Distribution, **options: Any) -> FakeRun:  # noqa: ANN401
    kind = CredentialKind.API_TOKEN
    return fake_run(*files, index=index, credential=FakeCredential(kind), options=Settings(**options))


def test_a_project_follows_when_what_it_requires_is_listed_with_our_digest() -> None:
    index = SlowListing(late=2)
    played = on(index, *FAMILY)
    assert publish(played.run()) is Outcome.PUBLISHED
    assert attempted(played) == [file.filename for file in (CORE, PLUGIN, META)]
    assert index.log == ["core", "listed core", "plugin", "listed plugin", "meta", "listed meta"]
    assert steps(played)[-6:] == [Step.UPLOAD, Step.CONFIRM] * 3
    receipt = build_receipt(played.events)
    assert [wave.projects for wave in receipt.waves] == [("core",), ("plugin",), ("meta",)]
    assert {file.listed for file in receipt.files} == {True}


def test_no_listing_is_asked_for_twice_and_what_is_published_is_not_waited_for() -> None:
    index = SlowListing(files={CORE.filename: published(CORE)})
    publish(on(index, *FAMILY).run())
    assert index.log == ["listed core", "plugin", "listed plugin", "meta", "listed meta"]
    apart = SlowListing()
    publish(on(apart, CORE, APART).run())
    assert len(apart.looks) == 4, "two for the plan, two to confirm"


def test_a_listing_with_another_digest_ends_the_run_before_the_next_wave() -> None:
    index = FakeIndex()
    played = on(index, *FAMILY)
    other = published(CORE, sha256=sha("other"))
    index.before_upload = lambda _: index.states.append(ProjectListing(project="core", files={CORE.filename: other}))
    failing(played, Unverified)
    assert attempted(played) == [CORE.filename]


@pytest.mark.parametrize("options", [{"on_conflict": "keep-published"}, {"skip_existing": True}])
@pytest.mark.parametrize("late", [False, True])
def test_other_content_that_the_user_keeps_is_what_the_others_require(*, options: dict[str, Any], late: bool) -> None:
    other = {CORE.filename: published(CORE, sha256=sha("other"))}
    index = FakeIndex(GENERIC, files={} if late else other)
    if late:
        index.answers[CORE.filename] = [AlreadyThere(1, "exists")]
        index.before_upload = lambda _: index.files.update(other)
    played = on(index, CORE, PLUGIN, **options)
    assert publish(played.run()) is Outcome.PUBLISHED
    assert statuses(played, GENERIC.name) == {
        CORE.filename: FileStatus.KEPT_PUBLISHED,
        PLUGIN.filename: FileStatus.UPLOADED,
    }


def test_without_the_listing_the_answer_to_the_upload_counts_with_a_warning() -> None:
    class Hidden(FakeIndex):
        def fetch_listing(self, project: str, *_: Any, **__: Any) -> IndexState:  # noqa: ANN401
            return NotVisible(project, "HTTP 401")

    for index, options in ((Hidden(GENERIC), {}), (FakeIndex(GENERIC), {"verify": False})):
        played = on(index, *FAMILY, **options)
        assert publish(played.run()) is Outcome.NOT_CONFIRMED
        assert attempted(played) == [file.filename for file in (CORE, PLUGIN, META)]
        warned = [
            event.message
            for event in played.events
            if isinstance(event, Noted) and event.slug == "requirement-not-confirmed"
        ]
        assert len(warned) == 2
        assert ("not-confirmed" in notes(played)) is (not options)
        assert "does not show the required core, plugin" in warned[1]
    strict = on(Hidden(GENERIC), *FAMILY, strict=True)
    failing(strict, Unverified)
    assert attempted(strict) == [CORE.filename]


NO = Refused(attempts=1, status=400, message="no")
FORBIDDEN = CredentialRefused(attempts=1, status=403, message="not yours", one_project=True)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (NO, UploadRejected),
        (Refused(attempts=1, status=400, message="Project size too large", whole_project=True), UploadRejected),
        (FORBIDDEN, CredentialRejected),
        (AlreadyThere(1, "exists"), ContentConflict),
        (Unavailable(attempts=5, message="HTTP 503"), IndexUnavailable),
    ],
)
def test_with_keep_going_a_refused_project_stops_what_requires_it_and_no_other(
    answer: UploadOutcome, error: type[CiPublishError]
) -> None:
    index = FakeIndex(answers={PLUGIN.filename: [answer]})
    if isinstance(answer, AlreadyThere):
        other = {PLUGIN.filename: published(PLUGIN, sha256=sha("other"))}
        index.before_upload = lambda file: index.files.update(other) if file == PLUGIN else None
    played = on(index, *FAMILY, project("late", "core"), APART, keep_going=True)
    caught = failing(played, error)
    assert META.filename not in attempted(played)
    assert set(index.files) >= {CORE.filename, APART.filename, "late-1.0-py3-none-any.whl"}
    assert caught.detail.count("\n") == 1, "two files could not be published"
    (stopped,) = [file for file in build_receipt(played.events).files if file.project == "meta"]
    assert stopped.status is FileStatus.NOT_ATTEMPTED
    assert stopped.error is not None
    assert "meta was not uploaded: it requires plugin" in stopped.error.summary


def test_without_keep_going_nothing_is_begun_after_a_refusal() -> None:
    played = on(FakeIndex(answers={CORE.filename: [NO]}), *FAMILY, project("zz", size=99))
    failing(played, UploadRejected)
    assert attempted(played) == [CORE.filename]


def files_of(name: str, number: int) -> Sequence[Distribution]:
    return [project(name, tag=f"cp3{each}", size=each + 1) for each in range(number)]


@pytest.mark.parametrize(("answer", "sent"), [(replace(NO, whole_project=True), 1), (FORBIDDEN, 1), (NO, 4)])
def test_a_project_that_is_refused_as_a_whole_is_not_tried_again(answer: UploadOutcome, sent: int) -> None:
    core = files_of("core", 4)
    played = on(FakeIndex(answers={core[0].filename: [answer]}), *core, APART, keep_going=True)
    with pytest.raises(CiPublishError):
        publish(played.run())
    assert sum(name.startswith("core") for name in attempted(played)) == sent
    assert APART.filename in attempted(played)


def test_a_single_project_goes_on_with_its_other_files() -> None:
    core = files_of("core", 4)
    played = on(FakeIndex(answers={core[0].filename: [replace(NO, whole_project=True)]}), *core, keep_going=True)
    failing(played, UploadRejected)
    assert len(attempted(played)) == 4
    alone = on(FakeIndex(answers={core[0].filename: [FORBIDDEN]}), *core, keep_going=True)
    failing(alone, CredentialRejected)
    assert len(attempted(alone)) == 1, "the credential is all that it has"


def test_in_a_cycle_a_refusal_withdraws_those_that_wait_for_their_turn() -> None:
    ring = [project("aa", "bb", size=1), project("bb", "cc", size=2), project("cc", "aa", size=3)]
    played = on(FakeIndex(answers={ring[0].filename: [NO]}, seconds=0.05), *ring, APART, keep_going=True)
    failing(played, UploadRejected)
    assert sorted(attempted(played)) == sorted([ring[0].filename, APART.filename])
    assert statuses(played)[ring[2].filename] is FileStatus.NOT_ATTEMPTED


def test_an_answer_that_was_lost_stops_nothing_where_the_index_has_the_file() -> None:
    lost = Unavailable(attempts=5, message="the connection was closed", unclear=True)
    index = FakeIndex(answers={CORE.filename: [lost]})
    index.before_upload = lambda file: index.files.update({CORE.filename: published(CORE)}) if file == CORE else None
    played = on(index, *FAMILY)
    assert publish(played.run()) is Outcome.PUBLISHED
    assert "lost-answer-found" in notes(played)
    away = on(FakeIndex(answers={CORE.filename: [lost]}), *FAMILY)
    failing(away, IndexUnavailable)
    assert attempted(away) == [CORE.filename]


def test_a_plan_names_the_files_in_upload_order() -> None:
    played = on(FakeIndex(), *FAMILY)
    assert plan(played.run()) is Outcome.PLANNED
    assert list(statuses(played)) == [file.filename for file in (CORE, PLUGIN, META)]
    assert index_of(played).sent == []
