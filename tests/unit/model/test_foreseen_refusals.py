"""Refusals that the listing tells of beforehand."""

from datetime import UTC, datetime

import pytest

from ci_publish.model.filename import version_in_filename
from ci_publish.model.foreseen_refusals import (
    DAY,
    foreseen_upload_refusal,
    is_reserved_project_name,
    reserved_name_refusal,
    yanked_versions_of_uploads,
)
from ci_publish.model.index import Endpoints, ProjectListing, PublishedFile
from tests.unit.fakes import GENERIC, PYPI, published, sdist, wheel

NOW = 1_800_000_000.0
WHEEL, SDIST = wheel(tag="cp311"), sdist()


def listing(*files: PublishedFile, status: str = "active") -> ProjectListing:
    return ProjectListing(project="demo", files={file.filename: file for file in files}, status=status)


def uploaded(days: float, zone: str = "Z") -> PublishedFile:
    time = datetime.fromtimestamp(NOW - days * DAY, UTC).replace(tzinfo=None).isoformat()
    return published(wheel(), upload_time=f"{time}{zone}")


def test_nothing_to_upload_is_nothing_to_refuse() -> None:
    assert foreseen_upload_refusal(listing(status="archived"), [], PYPI, NOW) is None


@pytest.mark.parametrize("endpoints", [PYPI, GENERIC])
@pytest.mark.parametrize("status", ["archived", "quarantined"])
def test_a_closed_project_takes_no_files(status: str, endpoints: Endpoints) -> None:
    error = foreseen_upload_refusal(listing(status=status), [WHEEL], endpoints, NOW)
    assert error is not None
    assert status in error.summary
    assert error.hints


@pytest.mark.parametrize("status", ["active", "deprecated", "something-new"])
def test_other_statuses_take_files(status: str) -> None:
    assert foreseen_upload_refusal(listing(status=status), [WHEEL, SDIST], PYPI, NOW) is None


@pytest.mark.parametrize(
    ("days", "zone", "endpoints", "refused"),
    [
        (13.9, "Z", PYPI, False),
        (14.1, "Z", PYPI, True),
        (14.1, "", PYPI, True),
        (14.1, "+00:00", PYPI, True),
        (400, "Z", GENERIC, False),
        (400, "Z, or so", PYPI, False),
    ],
)
def test_a_release_is_closed_after_14_days_on_pypi(days: float, zone: str, endpoints: Endpoints, refused: bool) -> None:
    error = foreseen_upload_refusal(listing(uploaded(days, zone)), [WHEEL], endpoints, NOW)
    assert (error is not None) is refused
    assert error is None or "14 days old" in error.summary


def test_the_age_of_another_release_does_not_count() -> None:
    assert foreseen_upload_refusal(listing(uploaded(400)), [wheel(version="2.0")], PYPI, NOW) is None


def test_a_second_sdist_is_refused_on_pypi() -> None:
    other = published(SDIST, filename="Demo-1.0.zip")
    error = foreseen_upload_refusal(listing(other), [WHEEL, SDIST], PYPI, NOW)
    assert error is not None
    assert "Demo-1.0.zip" in error.summary
    assert foreseen_upload_refusal(listing(other), [WHEEL], PYPI, NOW) is None
    assert foreseen_upload_refusal(listing(other), [SDIST], GENERIC, NOW) is None
    assert foreseen_upload_refusal(listing(published(wheel())), [SDIST], PYPI, NOW) is None
    inherited = published(SDIST, filename="Demo-1.0.zip", inherited=True)
    assert foreseen_upload_refusal(listing(inherited), [SDIST], PYPI, NOW) is None


def test_a_release_is_yanked_when_all_of_it_is() -> None:
    yanked = published(wheel(), yanked="broken")
    assert yanked_versions_of_uploads(listing(yanked), [WHEEL]) == ("1.0",)
    assert yanked_versions_of_uploads(listing(yanked, published(SDIST)), [WHEEL]) == ()
    assert yanked_versions_of_uploads(listing(), [WHEEL]) == ()


@pytest.mark.parametrize(
    ("filename", "version"),
    [("demo-1.0.tar.gz", "1.0"), ("demo-1.0-py3-none-any.whl", "1.0"), ("x.whl", None), ("x.exe", None)],
)
def test_the_version_in_a_filename(filename: str, version: str | None) -> None:
    assert version_in_filename(filename) == version


def test_names_of_the_standard_library_are_reserved_on_pypi() -> None:
    assert is_reserved_project_name("xml-etree")
    assert not is_reserved_project_name("demo")
    error = reserved_name_refusal("smtplib", PYPI)
    assert "pypi" in error.summary
    assert "smtplib" in error.summary
    assert error.hints
