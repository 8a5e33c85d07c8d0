"""Releases that are named on the command line."""

import pytest
from pytest_httpserver import HTTPServer

import ci_publish
from ci_publish import Settings
from ci_publish.app import release_argument
from ci_publish.errors import (
    ConfigurationError,
)
from ci_publish.model.index import PublishedFile
from tests.unit.app.contexts import context


@pytest.mark.parametrize("named", ["demo==", "==1", "demo==not a version", "-==1.0"])
def test_a_release_is_named_correctly_or_not_at_all(named: str, private: HTTPServer) -> None:
    settings = Settings(paths=(named,), repository_url=(private.url_for("/"),))
    with pytest.raises(ConfigurationError, match="PROJECT==VERSION"):
        ci_publish.verify(settings, context=context())


def test_a_release_stands_alone(private: HTTPServer) -> None:
    settings = Settings(paths=("demo==1", "dist"), repository_url=(private.url_for("/"),))
    with pytest.raises(ConfigurationError, match="must be the only argument"):
        ci_publish.verify(settings, context=context())


@pytest.mark.parametrize(
    ("filename", "digest", "kind"),
    [
        ("demo-1.0-py3-none-any.whl", "a" * 64, "wheel"),
        ("demo-1.0.tar.gz", "a" * 64, "sdist"),
        ("demo-1.0.tar.gz", None, None),
        ("demo-2.0.tar.gz", "a" * 64, None),
        ("other-1.0.tar.gz", "a" * 64, None),
        ("demo-1.0.exe", "a" * 64, None),
    ],
)
def test_listed_files_of_a_release_are_described(filename: str, digest: str | None, kind: str | None) -> None:
    found = release_argument.listed_file_as_distribution(
        PublishedFile(filename=filename, url="u", sha256=digest, size=7), "demo", "1.0"
    )
    assert (found and found.kind.value) == kind
    if found is not None:
        assert found.size == 7
