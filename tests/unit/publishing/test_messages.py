"""What is said follows from what was read: quarantine, somebody else's project."""

import pytest

from ci_publish.errors import CredentialRejected
from ci_publish.index.endpoints import resolve_endpoints
from ci_publish.model.identity import CredentialKind
from ci_publish.model.index import (
    CredentialRefused,
    Endpoints,
    IndexState,
    ListingUnavailable,
    NoSuchProject,
    ProjectListing,
)
from ci_publish.publishing import messages
from ci_publish.publishing.publish import publish
from tests.unit.fakes import GENERIC, PYPI, FakeCredential, FakeIndex, fake_run, wheel

NOT_ALLOWED = "The user 'me' isn't allowed to upload to project 'demo'."


@pytest.mark.parametrize(("state", "named"), [(ProjectListing(project="demo"), False), (NoSuchProject("demo"), True)])
def test_a_403_hints_at_archived_only_where_the_status_is_not_known(state: IndexState, named: bool) -> None:
    index = FakeIndex(states=[state])
    index.answers[wheel().filename] = [
        CredentialRefused(attempts=1, status=403, message=NOT_ALLOWED, advice=("Somebody else's.",))
    ]
    with pytest.raises(CredentialRejected) as caught:
        publish(fake_run(wheel(), index=index, credential=FakeCredential(CredentialKind.API_TOKEN)).run())
    assert caught.value.hints[0] == "Somebody else's."
    assert any("archived" in hint for hint in caught.value.hints) is named


def test_the_hints_of_pypi_are_pypis() -> None:
    outcome = CredentialRefused(attempts=1, status=403, message=NOT_ALLOWED)
    assert not any("archived" in hint for hint in messages.credential_refused_error(GENERIC, outcome).hints)
    other = CredentialRefused(attempts=1, status=403, message="no")
    assert not any("archived" in hint for hint in messages.credential_refused_error(PYPI, other).hints)


FOUND = resolve_endpoints("https://corp.example/legacy/")
GIVEN = resolve_endpoints("https://corp.example/legacy/", "https://corp.example/index/")
NOT_READ = ListingUnavailable("demo", "the index responded with 503")


@pytest.mark.parametrize(
    ("endpoints", "last"),
    [
        (PYPI, "https://status.python.org/"),
        (FOUND, "specify it: index-url: URL"),
        (GIVEN, "https://corp.example/index/ (index-url) is the root of the index's Simple API."),
    ],
)
def test_the_hints_about_an_unreadable_listing_fit_the_index(endpoints: Endpoints, last: str) -> None:
    hints = messages.listing_unavailable_error(endpoints, NOT_READ).hints
    assert hints[-1].endswith(last)
    assert ("https://status.python.org/" in " ".join(hints)) is (endpoints is PYPI)


def test_a_command_that_sends_nothing_does_not_speak_of_sending() -> None:
    error = messages.listing_unavailable_error(PYPI, NOT_READ, sending=False)
    assert error.detail == "Without the file list, nothing can be compared."
    assert error.hints[0] == "Run it again."
    assert "nothing is sent" in messages.listing_unavailable_error(PYPI, NOT_READ).detail
