"""gzip streams against Python's own reader, and at the edges of the format."""

import gzip
import random
import zlib

import pytest

from ci_publish.distributions.gzip_stream import GzipCutOff, GzipDamaged, NotGzip, OverBudget
from tests.unit.distributions.compressed_streams import stream

NOISE = random.Random(7).randbytes(700_000)  # noqa: S311 - noise, no secret


TEXT = b"hello world " * 60_000


def read_everything(data: bytes) -> tuple[bytes, list[str]]:
    source = stream(data)
    parts = []
    while part := source.read(100_001):
        parts.append(part)
    return b"".join(parts), source.remarks


@pytest.mark.parametrize("content", [b"", b"x", NOISE, TEXT, bytes(3 << 20)])
def test_what_gzip_writes_is_read(content: bytes) -> None:
    assert read_everything(gzip.compress(content, 6, mtime=0)) == (content, [])


def test_skipping_counts_what_was_there() -> None:
    source = stream(gzip.compress(TEXT))
    assert source.skip(1000) == 1000
    assert source.position == 1000
    assert source.skip(1 << 30) == len(TEXT) - 1000


def test_members_follow_one_another_and_padding_is_read_over() -> None:
    assert read_everything(gzip.compress(b"a") + gzip.compress(b"b") + bytes(600_000)) == (b"ab", [])


def test_header_fields_are_read_over() -> None:
    body = gzip.compress(b"x", mtime=0)[10:]
    header = b"\x1f\x8b\x08\x1e" + bytes(6) + b"\x03\x00abc" + b"name\x00" + b"comment\x00" + b"\x00\x00"
    assert read_everything(header + body) == (b"x", [])


@pytest.mark.parametrize(
    "data", [b"PK\x03\x04" + bytes(20), b"\x1f\x8b\x09" + bytes(20), b"\x1f\x8b\x08\x08" + b"x" * 70_000]
)
def test_what_is_no_gzip_is_refused(data: bytes) -> None:
    with pytest.raises(NotGzip):
        stream(data)


def test_a_header_that_is_cut_off_is_cut_off() -> None:
    with pytest.raises(GzipCutOff):
        stream(b"\x1f\x8b")


def test_data_that_is_cut_off_is_cut_off() -> None:
    with pytest.raises(GzipCutOff):
        read_everything(gzip.compress(NOISE)[:-100])


def test_damaged_data_says_how_much_came_out() -> None:
    data = bytearray(gzip.compress(NOISE, 9))
    # A stored block's length stands at its beginning; random data is stored in several.
    data[400_000:600_000] = bytes(200_000)
    with pytest.raises(GzipDamaged) as caught:
        read_everything(bytes(data))
    assert caught.value.position > 0


def test_more_than_the_budget_is_not_inflated() -> None:
    with pytest.raises(OverBudget) as caught:
        stream(gzip.compress(bytes(1 << 20)), 1 << 19).skip(1 << 20)
    assert caught.value.position > 1 << 19


@pytest.mark.parametrize(
    ("change", "remark"),
    [
        (lambda data: data[:-8] + bytes(8), "its trailer does not match the data"),
        (lambda data: data[:-8], "its trailer is missing"),
        (lambda data: data + b"more", "other data follows the gzip data"),
        (lambda data: data + b"much more than a header", "other data follows the gzip data"),
    ],
)
def test_what_stands_around_the_data_is_remarked(change, remark: str) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    assert read_everything(change(gzip.compress(TEXT, mtime=0))) == (TEXT, [remark])


def test_zlib_damage_at_the_very_start_has_no_position() -> None:
    with pytest.raises(GzipDamaged) as caught:
        stream(gzip.compress(b"")[:10] + b"\xff" * 50).read(1)
    assert caught.value.position == 0
    assert zlib.error.__name__ not in str(caught.value)
