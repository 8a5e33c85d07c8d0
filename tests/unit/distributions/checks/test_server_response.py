"""What PyPI's server would answer to files and forms that the client itself never sends."""

from pathlib import Path

import pytest

from ci_publish.distributions.checks.server_response import pypi_upload_refusal
from tests.corpus.build import Wheel


@pytest.mark.parametrize(
    ("filename", "filetype", "begins"),
    [
        (
            "demo_pkg-1.0-py3-none-any.WHL",
            "bdist_wheel",
            "Invalid file extension: Extension .WHL is invalid for filetype",
        ),
        (
            "demo_pkg-1.0-py3-none-any.whl",
            "sdist",
            "Invalid file extension: Extension .whl is invalid for filetype sdist",
        ),
        ("demo_pkg-1.0.exe", "bdist_wheel", "Invalid file extension: Use .tar.gz, .whl or .zip extension."),
        ("a/demo_pkg-1.0-py3-none-any.whl", "bdist_wheel", "Cannot upload a file with '/' or '\\' in the name."),
    ],
)
def test_filenames_that_no_client_of_ours_would_send(tmp_path: Path, filename: str, filetype: str, begins: str) -> None:
    path = tmp_path / "content"
    path.write_bytes(Wheel().build())
    form = {"name": ["demo-pkg"], "version": ["1.0"], "metadata_version": ["2.4"], "filetype": [filetype]}
    refusal = pypi_upload_refusal(path, filename, form)
    assert refusal is not None
    assert refusal.message.startswith(begins)


@pytest.mark.parametrize(
    ("form", "begins"),
    [
        (
            {"version": ["1.0"], "metadata_version": ["2.4"]},
            "'' is an invalid value for Name. Error: This field is required.",
        ),
        ({"name": ["demo-pkg"], "metadata_version": ["2.4"]}, "'version' is a required field."),
        (
            {"name": ["demo-pkg"], "version": ["1.0"], "metadata_version": ["2.6"], "dynamic": ["Name"]},
            "'2.6' is not a valid metadata version.",
        ),
        ({"name": ["UNKNOWN"], "version": ["1.0"]}, "'' is an invalid value for Name."),
        ({"name": ["x" * 70 + "-"], "version": ["1"]}, f"'{'x' * 30}...{'x' * 29}-' is an invalid value for Name."),
        (
            {"name": ["demo-pkg"], "version": ["1.0"], "metadata_version": ["2.4"], "summary": ["a", "b"]},
            "'summary' has invalid data.",
        ),
        (
            {"name": ["demo-pkg"], "version": ["1.0"], "metadata_version": ["2.4"], "description": ["  \n "]},
            "The description failed to render in the default format of reStructuredText.",
        ),
    ],
)
def test_forms_that_no_client_of_ours_would_send(tmp_path: Path, form: dict[str, list[str]], begins: str) -> None:
    path = tmp_path / "content"
    path.write_bytes(Wheel().build())
    refusal = pypi_upload_refusal(path, Wheel().filename, {**form, "filetype": ["bdist_wheel"]})
    assert refusal is not None
    assert refusal.message.startswith(begins)


def test_an_empty_upload_is_no_archive(tmp_path: Path) -> None:
    path = tmp_path / "content"
    path.write_bytes(b"")
    form = {"name": ["demo-pkg"], "version": ["1.0"], "metadata_version": ["2.4"], "filetype": ["bdist_wheel"]}
    refusal = pypi_upload_refusal(path, Wheel().filename, form)
    assert refusal is not None
    assert refusal.message == "Invalid distribution file. File is not a zipfile"
