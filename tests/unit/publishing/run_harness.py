"""Runs over fakes, and what they emitted."""

from collections.abc import Callable

import pytest

from ci_publish.app.settings import Settings
from ci_publish.errors import (
    CiPublishError,
)
from ci_publish.model.distribution import Distribution
from ci_publish.model.events import (
    FileFinished,
    FileListed,
    FileStatus,
    Noted,
    Outcome,
    Step,
    StepStarted,
)
from ci_publish.model.identity import CredentialKind
from ci_publish.model.index import (
    UploadOutcome,
)
from ci_publish.model.problem import Problem, Severity
from ci_publish.publishing.context import Destination
from ci_publish.publishing.publish import publish
from tests.unit.fakes import (
    GENERIC,
    FakeCredential,
    FakeDistributions,
    FakeIndex,
    FakeRun,
    fake_run,
    published,
    sdist,
    wheel,
)

ONE, TWO, SOURCE = wheel(tag="py2"), wheel(tag="py3"), sdist()


ALL = (ONE, TWO, SOURCE)


def statuses(played: FakeRun, index: str = "pypi") -> dict[str, FileStatus]:
    return {
        event.distribution.filename: event.status
        for event in played.events
        if isinstance(event, FileFinished) and event.index == index
    }


def notes(played: FakeRun) -> set[str]:
    return {event.slug for event in played.events if isinstance(event, Noted)}


def steps(played: FakeRun) -> list[Step]:
    return [event.step for event in played.events if isinstance(event, StepStarted)]


def listed(played: FakeRun) -> dict[str, bool | None]:
    return {event.filename: event.listed for event in played.events if isinstance(event, FileListed)}


def index_of(played: FakeRun) -> FakeIndex:
    index = played.destinations[0].index
    assert isinstance(index, FakeIndex)
    return index


def credential_of(played: FakeRun) -> FakeCredential:
    credential = played.destinations[0].credential
    assert isinstance(credential, FakeCredential)
    return credential


def failing(played: FakeRun, error: type[CiPublishError], command: Callable[..., Outcome] = publish) -> CiPublishError:
    with pytest.raises(error) as caught:
        command(played.run())
    assert type(caught.value) is error
    assert caught.value.summary
    return caught.value


def broken(name: str) -> Problem:
    return Problem(filename=name, rule="rule", severity=Severity.ERROR, message="is broken", advice="mend it")


def unsure(file: Distribution, message: str = "a new tag") -> Problem:
    return Problem(filename=file.filename, rule="platform-tag-unknown", severity=Severity.WARNING, message=message)


def attempted(played: FakeRun) -> list[str]:
    return [filename for filename, _ in index_of(played).sent]


def answered(outcome: UploadOutcome, *more: UploadOutcome, **changes: object) -> FakeRun:
    index = FakeIndex(answers={ONE.filename: [outcome, *more]})
    return fake_run(*ALL, index=index, options=Settings(**changes))  # type: ignore[arg-type]


def by_md5(md5: str) -> FakeRun:
    listing = {ONE.filename: published(ONE, sha256=None, md5=md5)}
    return fake_run(ONE, index=FakeIndex(GENERIC, files=listing), credential=FakeCredential(CredentialKind.PASSWORD))


UNDIGESTED = published(ONE, sha256=None)


def undigested(content: str | None, **options: object) -> FakeRun:
    """A second run at an index that shows no digest, and serves *content* (its SHA-256) when it is asked for it."""
    index = FakeIndex(GENERIC, files={ONE.filename: UNDIGESTED}, contents={ONE.filename: content})
    credential = FakeCredential(CredentialKind.PASSWORD)
    return fake_run(ONE, index=index, credential=credential, options=Settings(**options))  # type: ignore[arg-type]


def both(first: FakeIndex, second: FakeIndex) -> FakeRun:
    destinations = (Destination(first, FakeCredential()), Destination(second, FakeCredential()))
    return FakeRun(FakeDistributions(ALL), destinations)
