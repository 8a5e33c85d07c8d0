"""Lists of files that are attested by digest."""

import json
from pathlib import Path

import pytest

from ci_publish.app.listed_subjects import read_listed_subjects
from ci_publish.errors import ConfigurationError
from ci_publish.model.attestation import Subject

ONE, TWO = "a" * 64, "b" * 64
WHEEL, SDIST = "demo-1.0-py3-none-any.whl", "demo-1.0.tar.gz"


def listed(folder: Path, text: str) -> tuple[Subject, ...]:
    path = folder / "files"
    path.write_text(text, encoding="utf-8")
    return read_listed_subjects(path)


def test_json_names_files_with_whatever_else_is_known_of_them(tmp_path: Path) -> None:
    text = json.dumps([{"filename": WHEEL, "sha256": ONE, "size": 7}, {"filename": SDIST, "sha256": TWO}])
    assert listed(tmp_path, f"\n{text}") == (Subject(WHEEL, ONE), Subject(SDIST, TWO))


def test_the_lines_of_sha256sum_name_files_below_any_folder(tmp_path: Path) -> None:
    text = f"{ONE}  dist/{WHEEL}\n\n{TWO} *{SDIST}\n"
    assert listed(tmp_path, text) == (Subject(WHEEL, ONE), Subject(SDIST, TWO))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "It lists no file"),
        ("[]", "It lists no file"),
        ("[", "It is not JSON"),
        ("[" * 100_000, "It is not JSON"),
        ('["demo-1.0.tar.gz"]', "An entry lacks a filename"),
        (json.dumps([{"filename": SDIST, "sha256": "A" * 64}]), "64 lower-case hexadecimal digits"),
        (json.dumps([{"filename": SDIST, "sha256": None}]), "64 lower-case hexadecimal digits"),
        (json.dumps([{"filename": "../x.txt", "sha256": ONE}]), "Not the name of a wheel or sdist: '../x.txt'"),
        (f"{ONE}  notes.txt", "Not the name of a wheel or sdist: 'notes.txt'"),
        (f"{ONE} {SDIST}", "Not a line of sha256sum"),
        (f"{ONE}  {SDIST}\n{TWO}  other/{SDIST}", f"It lists {SDIST} more than once"),
    ],
)
def test_a_list_that_cannot_be_used_is_refused_with_its_reason(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        listed(tmp_path, text)
    assert reason in caught.value.detail


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_list_that_cannot_be_read_is_refused(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "files").write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        read_listed_subjects(tmp_path / "files")
    assert caught.value.detail.startswith("It cannot be read: ")
