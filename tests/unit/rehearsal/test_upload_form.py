"""The form of an upload, checked field by field."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.rehearsal.served_index import ServedIndex, form_of, served_index, words


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ServedIndex]:
    with served_index(tmp_path) as world:
        yield world


@pytest.mark.parametrize(
    ("fields", "status", "reason"),
    [
        ({"action": None}, 404, "Not Found"),
        ({"action": "nonsense"}, 404, "Not Found"),
        ({"action": "submit"}, 410, "Project pre-registration is no longer required or supported, upload your files"),
        ({"action": "doc_upload"}, 410, "Uploading documentation is no longer supported"),
        ({"protocol_version": "2"}, 400, "Unknown protocol version."),
        ({"name": None}, 400, "'' is an invalid value for Name. Error: This field is required. See https://packaging"),
        ({"name": "-x"}, 400, "'-x' is an invalid value for Name. Error: Start and end with a letter or numeral"),
        ({"name": "-" + "x" * 70}, 400, f"'-{'x' * 29}...{'x' * 30}' is an invalid value for Name."),
        ({"filetype": None}, 400, "Invalid value for filetype. Error: This field is required."),
        ({"filetype": "bdist_egg"}, 400, "Invalid value for filetype. Error: Use a known file type."),
        (
            {"pyversion": None},
            400,
            "Invalid value for pyversion. Error: Python version is required for binary",
        ),
        (
            {"filetype": "sdist"},
            400,
            "Invalid value for pyversion. Error: Use 'source' as Python",
        ),
        ({"sha256_digest": None}, 400, "Error: Include at least one message digest."),
        (
            {"sha256_digest": "xyz"},
            400,
            "Invalid value for sha256_digest. Error: Use a valid, hex-encoded, SHA256 message digest.",
        ),
        (
            {"blake2_256_digest": "xyz"},
            400,
            "Invalid value for blake2_256_digest. Error: Use a valid, hex-encoded, BLAKE2 message digest.",
        ),
        ({"metadata_version": None}, 400, "None is not a valid metadata version. See https://packaging.python.org"),
        ({"metadata_version": "2.6"}, 400, "'2.6' is not a valid metadata version. See https://packaging.python.org"),
        ({"version": "UNKNOWN"}, 400, "'version' is a required field. See"),
        ({"version": "one"}, 400, "'one' is invalid for 'version'. See"),
        ({"version": "1.0+local"}, 400, "The use of local versions in '1.0+local' is not allowed. See"),
        ({"name": "json"}, 400, "The name 'json' isn't allowed (conflict with Python Standard Library module name)"),
        (
            {"description": "Title\n==\n\n.. nonsense::\n"},
            400,
            (
                "The description failed to render in the default format of reStructuredText. "
                "See https://pypi.org/help/#description-content-type for more information."
            ),
        ),
        (
            {"description": "Title\n==\n\n.. nonsense::\n", "description_content_type": "text/x-rst"},
            400,
            "The description failed to render for 'text/x-rst'.",
        ),
        (
            {"description": "x", "description_content_type": "text/html"},
            400,
            "'description-content-type' must be one of",
        ),
        ({"summary": "x" * 513}, 400, "'summary' field must be 512 characters or less. See"),
        (
            {"requires_dist": "x @ https://example.org/x.whl"},
            400,
            "Can't have direct dependency: x @ https://example.org",
        ),
        (
            {"license": "MIT", "license_expression": "MIT"},
            400,
            "License is deprecated when License-Expression is present.",
        ),
        ({"sha256_digest": "0" * 64}, 400, "The digest supplied does not match a digest calculated from the uploaded"),
        ({"md5_digest": "0" * 32}, 400, "The digest supplied does not match a digest calculated from the uploaded"),
    ],
)
def test_a_bad_form_is_refused(world: ServedIndex, fields: dict[str, Any], status: int, reason: str) -> None:
    answered, said = words(world.upload(**fields))

    assert (answered, said[: len(reason)]) == (status, reason)
    assert world.index.files == {}
    assert world.index.state.projects == {}


@pytest.mark.parametrize(
    ("filename", "reason"),
    [
        ("demo-1.0\x07.whl", "Cannot upload a file with non-printable characters (ordinals 0-31) or the DEL character"),
        ("a/demo-1.0-py3-none-any.whl", "Cannot upload a file with '/' or '\\' in the name."),
        ("demo-1.0.exe", "Invalid file extension: Use .tar.gz, .whl or .zip extension."),
        ("demo-1.0.tar.gz", "Invalid file extension: Extension .tar.gz is invalid for filetype bdist_wheel."),
    ],
)
def test_a_bad_filename_is_refused(world: ServedIndex, filename: str, reason: str) -> None:
    good: dict[str, Any] = {"filetype": "bdist_wheel", "pyversion": "py3", "name": "demo", "version": "1.0"}

    status, said = words(world.upload(filename=filename, **good))

    assert (status, said[: len(reason)]) == (400, reason)


@pytest.mark.parametrize("kind", ["image/png", ""])
def test_the_file_needs_a_type_of_its_own(world: ServedIndex, kind: str) -> None:
    wheel = world.wheel()

    answer = world.upload(wheel, content=(wheel.open("rb"), wheel.name, kind))

    assert words(answer) == (400, "Invalid distribution file.")


def test_a_file_without_a_type_is_text(world: ServedIndex) -> None:
    """Uv sends such parts (RFC 7578, section 4.4)."""
    wheel = world.wheel()
    fields = "".join(
        f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in form_of(wheel.name, wheel.read_bytes()).items()
    )
    file = f'--x\r\nContent-Disposition: form-data; name="content"; filename="{wheel.name}"\r\n\r\n'
    body = fields.encode() + file.encode() + wheel.read_bytes() + b"\r\n--x--\r\n"

    answer = world.client.post(
        "/legacy/",
        data=body,
        content_type="multipart/form-data; boundary=x",
        headers={"Authorization": f"Bearer {world.index.issue_api_token()}"},
    )

    assert (answer.status, list(world.index.files)) == ("200 OK", [wheel.name])


FILE_PART = b'--x\r\nContent-Disposition: form-data; name="content"; filename="demo-1.0.tar.gz"\r\n\r\nbytes'


class BrokenOff(io.BytesIO):
    """A body whose sender goes away at its end."""

    def read(self, size: int | None = -1, /) -> bytes:
        if data := super().read(size):
            return data
        raise ConnectionResetError


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        (b"", (400, "Malformed form: ")),
        (
            b'\r\n--x\r\nContent-Disposition: form-data; name="description"\r\n\r\n' + b"x" * (64 * 1024 * 1024 + 1),
            (413, "The fields of the form are too large."),
        ),
    ],
    ids=["truncated", "too large"],
)
def test_a_form_that_cannot_be_read_leaves_no_file(world: ServedIndex, rest: bytes, expected: tuple[int, str]) -> None:
    status, said = words(
        world.client.post(
            "/legacy/",
            data=FILE_PART + rest,
            content_type="multipart/form-data; boundary=x",
            headers={"Accept": "application/json"},
        )
    )

    assert (status, said[: len(expected[1])]) == expected
    assert list(world.folder.glob("index/incoming/*")) == []


def test_a_connection_that_breaks_off_leaves_no_file(world: ServedIndex) -> None:
    with pytest.raises(ConnectionResetError):
        world.client.post(
            "/legacy/",
            input_stream=BrokenOff(FILE_PART),
            environ_overrides={"wsgi.input_terminated": True},
            content_type="multipart/form-data; boundary=x",
        )

    assert list(world.folder.glob("index/incoming/*")) == []


def test_of_two_files_in_one_field_the_last_one_counts(world: ServedIndex) -> None:
    wheel = world.wheel()
    parts = [(io.BytesIO(content), wheel.name, "application/zip") for content in (b"other", wheel.read_bytes())]

    assert words(world.upload(wheel, content=parts)) == (200, "OK")
    assert world.index.files[wheel.name].size == wheel.stat().st_size
    assert list(world.folder.glob("index/incoming/*")) == []


def test_a_field_that_came_as_a_file_is_refused(world: ServedIndex) -> None:
    answer = world.client.post(
        "/legacy/",
        data={":action": "file_upload", "summary": (io.BytesIO(b"x"), "summary.txt")},
        headers={"Accept": "application/json"},
    )

    assert words(answer) == (400, "summary: Should not be a tuple.")


def test_a_form_without_a_file_is_refused(world: ServedIndex) -> None:
    assert words(world.upload(content=None)) == (400, "Upload payload does not have a file.")


def test_what_is_no_form_is_refused(world: ServedIndex) -> None:
    answer = world.client.post("/legacy/", data=b"--x\r\nrubbish", content_type="multipart/form-data; boundary=x")

    assert answer.status_code == 400
    assert answer.status.startswith("400 Malformed form")


def test_unknown_values_vanish_and_nuls_are_escaped(world: ServedIndex) -> None:
    world.upload(license=" UNKNOWN ", author="a\x00b", keywords="")

    release = world.index.state.projects["demo"].releases["1"]
    assert (
        release.first_form_value("license"),
        release.first_form_value("author"),
        release.first_form_value("keywords"),
    ) == (
        None,
        "a\\x00b",
        None,
    )
