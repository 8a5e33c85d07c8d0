"""What the program says of itself is what its package metadata say."""

import tomllib
from pathlib import Path

from ci_publish import about

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_name_and_addresses_agree_with_the_package_metadata() -> None:
    assert PROJECT["name"] == about.NAME
    assert PROJECT["urls"]["Homepage"] == about.PROJECT_URL
    assert PROJECT["urls"]["Documentation"] == about.DOCS_URL
    assert PROJECT["urls"]["Issues"] == about.ISSUES_URL


def test_an_index_can_tell_who_uploads_and_whom_to_ask() -> None:
    assert f"ci-publish/{about.__version__} (+{about.PROJECT_URL})" == about.USER_AGENT
