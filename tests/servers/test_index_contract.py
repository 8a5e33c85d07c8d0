"""The suite for the Index port (tests/contract), over real index servers."""

import zlib
from collections.abc import Iterator

import pytest

from ci_publish.http.messages import BasicAuthorization
from ci_publish.model.identity import Secret
from tests.contract.test_index_contract import (
    Kind,
    of_real_index,
    test_a_fresh_look_is_as_good_as_any,
    test_each_attempt_is_told_of,
    test_other_content_under_the_name_is_not_taken,
    test_the_same_again_changes_nothing,
    test_threads_may_upload_at_once,
    test_what_is_not_there_is_not_listed,
    test_what_was_sent_without_attestations_has_no_provenance,
    test_what_was_taken_is_listed_with_its_digest,
)
from tests.servers.conftest import PASSWORD, USER

__all__ = [
    "test_a_fresh_look_is_as_good_as_any",
    "test_each_attempt_is_told_of",
    "test_other_content_under_the_name_is_not_taken",
    "test_the_same_again_changes_nothing",
    "test_threads_may_upload_at_once",
    "test_what_is_not_there_is_not_listed",
    "test_what_was_sent_without_attestations_has_no_provenance",
    "test_what_was_taken_is_listed_with_its_digest",
]

pytestmark = pytest.mark.servers


@pytest.fixture(params=["pypiserver", "devpi"])
def kind(request: pytest.FixtureRequest) -> Iterator[Kind]:
    """Give a server, which lives longer than a test: each test has a project of its own there."""
    if request.param == "pypiserver":
        url, user = request.getfixturevalue("pypiserver").repository_url, USER
    else:
        url, user = f"{request.getfixturevalue('devpi_server')}/root/fixed/", "root"
    project = f"contract{zlib.crc32(request.node.name.encode())}"
    yield from of_real_index(url, BasicAuthorization(user, Secret(PASSWORD)), "generic", project)
