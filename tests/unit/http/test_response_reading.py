"""Responses as values: capped, decoded, without the secrets that a server echoes."""

import zlib
from collections.abc import Iterator

import pytest

from ci_publish.http.messages import BodyBroken
from ci_publish.http.network import RawHttpResponse
from ci_publish.http.response_reading import capped_body_chunks, read_response, redacted_headers


def raw(*chunks: bytes, headers: tuple[tuple[bytes, bytes], ...] = (), reason: bytes = b"OK") -> RawHttpResponse:
    return RawHttpResponse(status=200, reason=reason, headers=headers, chunks=iter(chunks))


def test_secrets_are_redacted_everywhere() -> None:
    answer = read_response(
        raw(b"a hunter22 b", headers=((b"X-A", b"hunter22"),), reason=b"hunter22"), 99, (b"hunter22",)
    )

    assert (answer.reason, answer.headers, answer.body) == ("***", {"x-a": "***"}, b"a *** b")


def test_headers_are_joined_and_decoded() -> None:
    found = redacted_headers(raw(headers=((b"A", b"1"), (b"a", b"2"), (b"B", "ä".encode()), (b"C", b"\xe4"))), ())

    assert found == {"a": "1, 2", "b": "ä", "c": "ä"}


@pytest.mark.parametrize(
    ("chunks", "body", "truncated"),
    [((b"12", b"34"), b"1234", False), ((b"12", b"345"), b"1234", True)],
)
def test_a_body_is_capped(chunks: tuple[bytes, ...], body: bytes, *, truncated: bool) -> None:
    answer = read_response(raw(*chunks), 4, ())

    assert (answer.body, answer.truncated) == (body, truncated)


def test_compression_is_undone_up_to_the_cap() -> None:
    encoding = ((b"Content-Encoding", b"deflate"),)
    answer = read_response(raw(zlib.compress(b"x" * 1000), headers=encoding), 100, ())

    assert (answer.body, answer.truncated) == (b"x" * 100, True)
    assert read_response(raw(b"no zlib", headers=encoding), 100, ()).truncated


def broken() -> Iterator[bytes]:
    yield b"12"
    raise OSError


def test_a_body_that_breaks_off_counts_as_cut() -> None:
    answer = read_response(RawHttpResponse(status=200, reason=b"OK", headers=(), chunks=broken()), 9, ())

    assert (answer.body, answer.truncated) == (b"12", True)


def test_a_streamed_body_ends_with_an_error_where_it_breaks_off_or_is_too_long() -> None:
    assert list(capped_body_chunks(iter((b"12", b"34")), 4)) == [b"12", b"34"]
    for chunks, said in ((broken(), "broke off"), (iter((b"12", b"345")), "more than 4 bytes")):
        body = capped_body_chunks(chunks, 4)
        assert next(body) == b"12"
        with pytest.raises(BodyBroken, match=said):
            next(body)
