"""RECORD as a table: what is in it, and how little of a large one is held."""

import base64
import hashlib
from pathlib import Path

import pytest

from ci_publish.distributions import limits
from ci_publish.distributions.limits import MAX_RECORD_LINES
from ci_publish.distributions.wheel_record import parse_wheel_record
from tests.corpus.build import Wheel
from tests.unit.distributions.checked_folders import checked

DIGEST = hashlib.sha256(b"x").digest()
LISTED = "sha256=" + base64.urlsafe_b64encode(DIGEST).decode().rstrip("=")


def test_digests_are_found_by_path() -> None:
    record = parse_wheel_record(f'a.py,{LISTED},1\n"b,c.py",,\nd.py\ne.py,md5=abc,1\n'.encode())
    assert record.digests == {"a.py": LISTED, "b,c.py": "", "d.py": "", "e.py": "md5=abc"}
    assert (record.readable, record.blank_line, record.complete) == (True, False, True)
    assert [record.has_sha256(name) for name in ("a.py", "b,c.py", "e.py", "other")] == [True, False, False, False]


def test_a_digest_is_compared_without_its_padding() -> None:
    record = parse_wheel_record(f"a.py,{LISTED}=,1\n".encode())
    assert not record.differs_from_listed_digest("a.py", DIGEST)
    assert record.differs_from_listed_digest("a.py", hashlib.sha256(b"y").digest())


def test_of_two_rows_the_first_counts() -> None:
    assert parse_wheel_record(f"a,{LISTED},1\na,sha256=other,1\n".encode()).digests == {"a": LISTED}


@pytest.mark.parametrize("text", [b"\xff\n", b'"' + b"x" * 200_000 + b'"\n'])
def test_what_is_no_table_of_utf8_has_no_rows(text: bytes) -> None:
    record = parse_wheel_record(text)
    assert (record.readable, record.digests) == (False, {})


@pytest.mark.parametrize("text", ["a\n\nb\n", "a\r\n\r\nb", "\n", "a\x85\x85b"])
def test_an_empty_line_is_one_wherever_python_ends_lines(text: str) -> None:
    assert parse_wheel_record(text.encode()).blank_line
    assert "" in text.splitlines()


@pytest.mark.parametrize("text", ["", "a", "a\r\nb\rc\x0bd\x0ce\x1cf\x1dg\x1eh\x85i\u2028j\u2029k", "a\n"])
def test_lines_end_where_python_ends_them(text: str) -> None:
    record = parse_wheel_record(text.encode())
    assert list(record.digests) == text.splitlines()
    assert not record.blank_line


def test_a_large_one_is_read_to_its_limit() -> None:
    record = parse_wheel_record(b"a\n" * MAX_RECORD_LINES)
    assert record.complete
    record = parse_wheel_record(b"a\n" * MAX_RECORD_LINES + b"b\n")
    assert (record.complete, record.digests) == (False, {"a": ""})


def test_paths_share_the_strings_of_the_members() -> None:
    name = str(b"demo/module.py", "ascii")
    (path,) = parse_wheel_record(b"demo/module.py,,\n", [name]).digests
    assert path is name


def test_a_record_with_more_lines_than_an_archive_has_members(tmp_path: Path) -> None:
    record = b"a,,\n" * (limits.MAX_RECORD_LINES + 1)
    (tmp_path / Wheel().filename).write_bytes(Wheel(record=record).build())
    found = checked(tmp_path)[1]
    assert found["record-mismatch"].message == "RECORD has more than 60,000 lines, the archive 4 members."
