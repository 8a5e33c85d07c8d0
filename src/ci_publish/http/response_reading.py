"""Responses as values: what the network gives, decoded, capped, and without the secrets that a server echoes."""

import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ci_publish.http.messages import BodyBroken, HttpAnswer

if TYPE_CHECKING:
    from ci_publish.http.network import RawHttpResponse

REDACTED: Final = b"***"


def redacted_headers(raw: "RawHttpResponse", secrets: tuple[bytes, ...]) -> dict[str, str]:
    """Return the headers of a response, names in lower case, *secrets* redacted."""
    headers: dict[str, str] = {}
    for name, value in raw.headers:
        key = name.decode("latin-1").lower()
        text = _decode_header_text(_redact_secrets(value, secrets))
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers


def capped_body_chunks(chunks: Iterator[bytes], limit: int) -> Iterator[bytes]:
    """Yield *chunks*, at most *limit* bytes of them. Raises BodyBroken."""
    left = limit
    try:
        for chunk in chunks:
            left -= len(chunk)
            if left < 0:
                break
            yield chunk
    except Exception as error:
        message = "the response broke off"
        raise BodyBroken(message) from error
    if left < 0:
        message = f"the response has more than {limit} bytes"
        raise BodyBroken(message)


def read_response(raw: "RawHttpResponse", limit: int, secrets: tuple[bytes, ...]) -> HttpAnswer:
    """Read a response to its end, or to *limit* bytes of its body; *secrets* that it echoes are redacted."""
    headers = redacted_headers(raw, secrets)
    body, complete = _read_capped_body(raw.chunks, limit)
    if headers.get("content-encoding", "").strip().lower() in {"gzip", "x-gzip", "deflate"}:
        # A compression that we did not ask for. 32: gzip or zlib, whichever it is.
        inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
        try:
            body = inflater.decompress(body, limit)
        except zlib.error:
            body = b""
        complete = complete and inflater.eof
    return HttpAnswer(
        status=raw.status,
        reason=_decode_header_text(_redact_secrets(raw.reason, secrets)),
        headers=headers,
        body=_redact_secrets(body, secrets),
        truncated=not complete,
    )


def _read_capped_body(chunks: Iterator[bytes], limit: int) -> tuple[bytes, bool]:
    """Read at most *limit* bytes; an incomplete body counts as too long: status and headers are known."""
    body = bytearray()
    try:
        for chunk in chunks:
            body += chunk
            if len(body) > limit:
                return bytes(body[:limit]), False
    except Exception:  # noqa: BLE001  (the edge: the status counts, whatever happened to the body)
        return bytes(body), False
    return bytes(body), True


def _redact_secrets(text: bytes, secrets: tuple[bytes, ...]) -> bytes:
    for secret in secrets:
        text = text.replace(secret, REDACTED)
    return text


def _decode_header_text(raw: bytes) -> str:
    """Decode the text of a status line or header: as UTF-8 if it is valid, else as Latin-1 (RFC 9110 §5.5)."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")
