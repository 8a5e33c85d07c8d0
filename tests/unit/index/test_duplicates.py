import re

import pytest

from ci_publish.index.duplicates import DUPLICATES, says_already_exists

MESSAGES = [
    (400, "File already exists ('demo-1.0.tar.gz', with blake2_256 hash '00'). See https://pypi.org/help/"),
    (409, "Conflict\nPackage 'demo-1.0.tar.gz' already exists!\n You may start server with `--overwrite` option."),
    (400, "Package 'demo-1.0.tar.gz' already exists!"),
    (409, "demo-1.0.tar.gz already exists in non-volatile index"),
    (400, "Repository does not allow updating assets: pypi-hosted"),
    (409, "demo-1.0.tar.gz cannot be updated as asset already exists"),
    (403, "Not enough permissions to delete/overwrite artifact 'demo' (user 'u' needs DELETE permission)"),
    (403, "Not enough permissions to delete/overwrite all artifacts under 'demo' (user: 'u' needs DELETE permission)"),
    (400, "Validation failed: File name has already been taken"),
    (400, "package file already exists"),
    (409, "The feed 'F' already contains file 'demo.whl' in package 'demo 1.0'"),
    (400, "Requested entity already exists"),
    (409, ""),
    (422, "This package already exists in this repository."),
]


@pytest.mark.parametrize(("status", "text"), MESSAGES)
def test_every_index_says_it_in_its_own_way(status: int, text: str) -> None:
    assert says_already_exists(status, text)


def test_every_row_is_met_by_a_message() -> None:
    for row in DUPLICATES:
        assert any(
            row.status == status and (row.words is None or re.search(row.words, text, re.IGNORECASE))
            for status, text in MESSAGES
        ), row


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (400, "This filename was previously used by a file that has since been deleted. Use a different version."),
        (400, "Only one sdist may be uploaded per release."),
        (400, "Uploading new files to releases older than 14 days is not allowed."),
        (403, "File already exists"),
        (200, "File already exists"),
        (403, "Forbidden"),
        (500, "already exists"),
    ],
)
def test_other_refusals_are_none(status: int, text: str) -> None:
    assert not says_already_exists(status, text)
