from dataclasses import replace
from pathlib import Path

import pytest

from ci_publish import errors
from ci_publish.identity.doctor_findings import (
    Finding,
    Level,
    claims_finding,
    clock_finding,
    project_finding,
    publisher_form_finding,
    reusable_workflow_findings,
)
from ci_publish.model.distribution import CoreMetadata, Digests, Distribution, Kind, Stamp
from ci_publish.model.index import (
    Endpoints,
    IndexState,
    ListingUnavailable,
    NoSuchProject,
    NotVisible,
    Plan,
    ProjectListing,
    PublishedFile,
)
from ci_publish.publishing.planning import ConflictRules, make_plan
from tests.unit.identity.credential_harness import GITHUB, NOW, OTHER, PYPI

WHEEL = Distribution(
    path=Path("dist/demo-1.0-py3-none-any.whl"),
    filename="demo-1.0-py3-none-any.whl",
    kind=Kind.WHEEL,
    project="demo",
    version="1.0",
    python_tag="py3",
    size=1,
    digests=Digests("a" * 64),
    metadata=CoreMetadata(metadata_version="2.4", name="demo", version="1.0"),
    stamp=Stamp(device=0, inode=0, size=1, mtime_ns=0),
)
FRESH, OLD = "2027-01-14T08:00:00.5Z", "2026-12-01T08:00:00Z"  # NOW is 2027-01-15T08:00:00Z


def listing(*files: tuple[str, str | None, str | None], status: str = "active") -> ProjectListing:
    published = {
        name: PublishedFile(filename=name, url="", sha256=sha256, upload_time=time) for name, sha256, time in files
    }
    return ProjectListing(project="demo", files=published, status=status)


def planned(state: IndexState, **rules: bool) -> Plan:
    return (
        Plan("", ())
        if isinstance(state, ListingUnavailable)
        else make_plan("", [WHEEL], {"demo": state}, ConflictRules(**rules))
    )


@pytest.mark.parametrize(
    ("date", "before", "after", "level", "words"),
    [
        (None, NOW, NOW, Level.SKIPPED, "no date"),
        (NOW, NOW, NOW + 1, Level.OK, "agrees"),
        (NOW, NOW + 30.5, NOW + 31, Level.OK, "agrees"),
        (NOW, NOW + 101, NOW + 102, Level.WARNING, "100 s ahead of"),
        (NOW, NOW - 102, NOW - 100, Level.WARNING, "100 s behind"),
        (NOW, NOW - 60, NOW + 60, Level.OK, "agrees"),
    ],
)
def test_the_clock_is_compared(date: float | None, before: float, after: float, level: Level, words: str) -> None:
    found = clock_finding(date, before, after)
    assert found.level is level
    assert words in found.message


def test_the_publisher_that_would_match_is_shown() -> None:
    assert "repository_owner_id" in claims_finding(GITHUB).detail
    publisher = publisher_form_finding(GITHUB, PYPI, ["demo"])
    assert publisher.level is Level.SKIPPED, "a form that still has to be filled in is not ok"
    assert "Workflow name:     release.yml" in publisher.detail
    assert [hint.partition(":")[0] for hint in publisher.hints] == [
        "In a project's settings",
        "For a project that does not exist yet",
    ]
    assert publisher_form_finding(GITHUB, OTHER, ["demo"]).hints == ()
    assert publisher_form_finding({"iss": "https://agent.buildkite.com"}, PYPI, []).level is Level.WARNING
    assert len(publisher_form_finding(GITHUB, PYPI, []).hints) == 1


@pytest.mark.parametrize(
    ("called", "words"),
    [
        ("octo-org/demo/.github/workflows/_publish.yml@v1", "rejects its attestations"),
        ("octo-org/shared/.github/workflows/publish.yml@v1", "rejects its identity"),
    ],
)
def test_a_reusable_workflow_is_seen(called: str, words: str) -> None:
    claims = {**GITHUB, "job_workflow_ref": called}
    [found] = reusable_workflow_findings(claims, PYPI)
    assert (found.name, found.level) == ("workflow", Level.WARNING)
    assert words in found.message
    assert reusable_workflow_findings(claims, OTHER) == ()


OTHER_VERSION = ("demo-0.9-py3-none-any.whl", "b" * 64, OLD)


@pytest.mark.parametrize(
    ("state", "level", "error", "words"),
    [
        (listing(), Level.OK, None, "accepts files"),
        (listing(OTHER_VERSION), Level.OK, None, "accepts files"),
        (listing(("demo-1.0.tar.gz", "b" * 64, FRESH)), Level.OK, None, "accepts files"),
        (listing(("demo-1.0.tar.gz", "b" * 64, None), ("demo-1.0.exe", None, OLD)), Level.OK, None, "accepts files"),
        (listing(("demo-1.0.tar.gz", "b" * 64, "long ago")), Level.OK, None, "accepts files"),
        (listing(("demo-1.0.tar.gz", "b" * 64, OLD)), Level.FAILURE, errors.UploadRejected, "45 days old"),
        (listing((WHEEL.filename, WHEEL.sha256, OLD)), Level.OK, None, "already published"),
        (listing(status="archived"), Level.FAILURE, errors.UploadRejected, "archived"),
        (listing(status="quarantined"), Level.FAILURE, errors.UploadRejected, "quarantined"),
        (listing(status="deprecated"), Level.OK, None, "deprecated"),
        (NoSuchProject("demo"), Level.WARNING, None, "not on pypi yet"),
        (NotVisible("demo", "it wants a password"), Level.SKIPPED, None, "it wants a password"),
        (ListingUnavailable("demo", "HTTP 503"), Level.FAILURE, errors.IndexUnavailable, "HTTP 503"),
    ],
)
def test_a_project_is_judged(
    state: IndexState, level: Level, error: type[errors.CiPublishError] | None, words: str
) -> None:
    found = project_finding("demo", state, PYPI, planned(state), NOW, trusted=True)
    assert (found.name, found.level) == ("project demo", level)
    assert words in found.message
    assert (type(found.error) if found.error else None) is error


@pytest.mark.parametrize("endpoints", [OTHER, replace(PYPI, profile=OTHER.profile)])
def test_the_age_of_a_release_is_pypis_rule(endpoints: Endpoints) -> None:
    state = listing(("demo-1.0.tar.gz", "b" * 64, OLD))
    found = project_finding("demo", state, endpoints, planned(state), NOW, trusted=True)
    assert found.level is Level.OK


@pytest.mark.parametrize(
    ("endpoints", "trusted", "words"),
    [(PYPI, True, "pending publisher"), (PYPI, False, "for the whole account"), (OTHER, False, "")],
)
def test_a_hint_says_what_the_first_upload_of_a_project_takes(endpoints: Endpoints, trusted: bool, words: str) -> None:
    found = project_finding("demo", NoSuchProject("demo"), endpoints, Plan("", ()), NOW, trusted=trusted)
    assert words in " ".join(found.hints)
    assert bool(found.hints) is bool(words)


def test_without_files_only_the_project_is_judged() -> None:
    found = project_finding(
        "demo", listing(("demo-1.0.tar.gz", "b" * 64, OLD)), PYPI, Plan("pypi", ()), NOW, trusted=True
    )
    assert found == Finding(name="project demo", level=Level.OK, message="The project is active and accepts files.")


def test_other_content_is_kept_where_the_user_said_so() -> None:
    state = listing((WHEEL.filename, "b" * 64, OLD))
    found = project_finding("demo", state, PYPI, planned(state, keep_other=True), NOW, trusted=True)
    assert (found.level, found.error) == (Level.WARNING, None)
    assert WHEEL.filename in found.message
