import time
from pathlib import Path

import pytest

from ci_publish.distributions import limits
from ci_publish.distributions.core_metadata import normalized_version, parse_core_metadata
from tests.corpus.build import Wheel, metadata
from tests.unit.distributions.checked_folders import checked


def test_fields_keep_their_order_and_the_body_is_the_description() -> None:
    parsed = parse_core_metadata(
        b"Metadata-Version: 2.1\nName: Demo\nVersion: 1.0\nPlatform: a\nPlatform: b\n\nHello\n\nWorld\n"
    )
    assert parsed.faults == ()
    assert parsed.metadata.all("platform") == ("a", "b")
    assert parsed.metadata.first("name") == "Demo"
    assert parsed.metadata.description == "Hello\n\nWorld\n"


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_both_kinds_of_line_ends_are_read(ends: str) -> None:
    text = ends.join(["Metadata-Version: 2.1", "Name: demo", "Version: 1.0", "", "Hello"])
    metadata = parse_core_metadata(text.encode()).metadata
    assert (metadata.name, metadata.version, metadata.description) == ("demo", "1.0", "Hello")


@pytest.mark.parametrize("indent", ["        ", "       |", "\t"])
def test_a_folded_description_header_is_unfolded(indent: str) -> None:
    text = (
        f"Metadata-Version: 1.0\nName: demo\nVersion: 1.0\nDescription: Hello\n{indent}\n{indent}World\n{indent}  *\n"
    )
    assert parse_core_metadata(text.encode()).metadata.description == "Hello\n\nWorld\n  *"


@pytest.mark.parametrize("indent", ["        ", "       |", "\t"])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_a_description_header_that_begins_on_the_next_line_is_unfolded_too(indent: str, ends: str) -> None:
    lines = [
        "Name: jieba",
        "Version: 0.42.1",
        "Description: ",
        f"{indent}jieba",
        f"{indent}=====",
        f"{indent}",
        "Summary: x",
    ]
    metadata = parse_core_metadata(ends.join([*lines, ""]).encode()).metadata
    assert (metadata.description or "").split() == ["jieba", "====="]
    assert (metadata.description or "").startswith("jieba")
    assert (metadata.description or "").splitlines()[1] == "====="
    assert metadata.first("summary") == "x"


def test_a_byte_order_mark_is_left_out_and_a_fault() -> None:
    parsed = parse_core_metadata(b"\xef\xbb\xbfMetadata-Version: 2.1\nName: demo\nVersion: 1.0\n")
    assert parsed.metadata.metadata_version == "2.1"
    assert [fault.rule for fault in parsed.faults] == ["metadata-byte-order-mark"]


def test_a_line_that_is_no_header_begins_the_description() -> None:
    metadata = parse_core_metadata(b"Name: demo\nVersion: 1.0\nno header\nSummary: x\n\nmore\n").metadata
    assert metadata.first("summary") is None
    assert (metadata.description or "").startswith("no header\n")


def test_missing_required_fields_are_empty() -> None:
    metadata = parse_core_metadata(b"").metadata
    assert (metadata.metadata_version, metadata.name, metadata.version, metadata.description) == ("", "", "", None)


@pytest.mark.parametrize(("text", "where"), [(b"Summary: \xff\n", "headers"), (b"Name: x\n\n\xff\n", "description")])
def test_bytes_that_are_not_utf8_are_a_fault(text: bytes, where: str) -> None:
    (fault,) = parse_core_metadata(text).faults
    assert fault.rule == "metadata-not-utf8"
    assert where in fault.message


def test_headers_have_a_cap() -> None:
    (fault,) = parse_core_metadata(b"Summary: " + b"x" * (3 << 20)).faults
    assert fault.rule == "metadata-too-large"


def test_versions_are_normalised() -> None:
    assert normalized_version("1.0.0.RC1") == "1.0.0rc1"
    assert normalized_version("latest") == "latest"


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"License: " + b"x" * limits.MAX_METADATA_HEADERS, "more than 2 MiB"),
        (b"License: x\n" + b" y\n" * limits.MAX_METADATA_LINES, "more than 50,000 lines"),
        (b"Platform: x\n" * (limits.MAX_METADATA_FIELDS + 1), "more than 10,000 fields"),
    ],
)
def test_headers_without_end_are_not_read(head: bytes, words: str) -> None:
    parsed = parse_core_metadata(head + b"\n\nbody")
    assert [fault.rule for fault in parsed.faults] == ["metadata-too-large"]
    assert words in parsed.faults[0].message
    assert parsed.metadata.fields == ()


def test_thousands_of_dependencies_take_no_minutes(tmp_path: Path) -> None:
    fields = [("Requires-Dist", f"other{number}") for number in range(5_000)]
    (tmp_path / Wheel().filename).write_bytes(Wheel(metadata=metadata(fields=fields)).build())
    start = time.process_time()
    assert checked(tmp_path)[1] == {}
    assert time.process_time() - start < 10
