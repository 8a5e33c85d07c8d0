"""What PyPI's tokens state, without verification: only the index has the key (pure).

Sources: the macaroon serialisation of libmacaroons, version 2, which pymacaroons writes; the caveats' JSON arrays in
warehouse/macaroons/caveats/ (``[0, expires, not before]``, ``[1, [names]]``, ``[2, [project ids]]``, ``[3, user]``,
``[4, publisher, claims]``), and the objects that older tokens have in their place (``_legacy.py`` there). Caveats of
other kinds are ignored here; the index checks them.
"""

import binascii
import json
from collections.abc import Iterator
from dataclasses import replace

from ci_publish.http.urls import is_loopback_host, url_host
from ci_publish.identity.jwt import decode_token_base64url
from ci_publish.model.frozen import frozen
from ci_publish.model.token_scope import TokenScope

PREFIX = "pypi-"
_LONGEST = 65_536
_VERSION, _END, _LOCATION, _IDENTIFIER, _SIGNATURE = 2, 0, 1, 2, 6
# The version and the kind of the first field: every token of PyPI begins with them (``pypi-AgE``).
_HEAD = bytes([_VERSION, _LOCATION])
# Other hosts that the host in a token includes: PyPI's upload API has its own host.
_COVERS = {"pypi.org": "upload.pypi.org"}


@frozen
class TruncatedToken:
    """The token begins like PyPI's, but its end, with the signature, is missing."""


@frozen
class ReadToken:
    """The index that a token names, and what the token is for."""

    location: str
    scope: TokenScope


def read_pypi_token(text: str) -> ReadToken | TruncatedToken | None:
    """Return what a token states; None if it is not a macaroon with PyPI's prefix."""
    raw = _decode_macaroon(text)
    if raw is None or not raw.startswith(_HEAD):
        return None
    try:
        fields = list(_macaroon_fields(raw))
    except IndexError:
        return TruncatedToken()
    if not any(kind == _SIGNATURE and content for kind, content in fields):
        return TruncatedToken()
    location = next(content for kind, content in fields if kind == _LOCATION)
    caveats = [content for kind, content in fields if kind == _IDENTIFIER][1:]
    return ReadToken(location.decode("ascii", "replace"), _token_scope_of_caveats(caveats))


def macaroon_location(text: str) -> str | None:
    """Return the host of the index that a token names, without port, in lower case; None if it names none.

    It comes first, so a truncated token also has it.
    """
    raw = _decode_macaroon(text)
    if raw is None or not raw.startswith(_HEAD):
        return None
    try:
        _, named = next(_macaroon_fields(raw))
    except IndexError:
        return None
    return url_host(f"//{named.decode('ascii', 'replace')}") or None


def has_pypi_token_prefix(text: str) -> bool:
    """Return whether *text* begins as PyPI's API tokens do."""
    return text.startswith(PREFIX)


def is_token_issued_for(token: str, host: str) -> bool | None:
    """Return whether *token* was issued by the index whose upload host is *host*; None if it does not say.

    All names of this machine count as the same host.
    """
    issuer = macaroon_location(token)
    if issuer is None:
        return None
    return host in {issuer, _COVERS.get(issuer)} or (is_loopback_host(issuer) and is_loopback_host(host))


def _decode_macaroon(text: str) -> bytes | None:
    if not text.startswith(PREFIX) or len(text) > _LONGEST:
        return None
    encoded = text.removeprefix(PREFIX).rstrip("=")
    # One character after a multiple of four comes from a truncated token; its bits are not a whole byte.
    whole = encoded if len(encoded) % 4 != 1 else encoded[:-1]
    try:
        return decode_token_base64url(whole)
    except (ValueError, binascii.Error):
        return None


def _macaroon_fields(raw: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield each field's kind and content. Raises IndexError if the bytes end too early."""
    position = 1
    while position < len(raw):
        kind, position = raw[position], position + 1
        if kind != _END:
            length, shift = raw[position] & 0x7F, 7
            while raw[position] & 0x80:
                position += 1
                length, shift = length | (raw[position] & 0x7F) << shift, shift + 7
            position += 1
            content = raw[position : position + length]
            if len(content) < length:
                raise IndexError(position)
            position += length
            yield kind, content


def _token_scope_of_caveats(caveats: list[bytes]) -> TokenScope:
    """Return what the caveats allow: arrays, or the objects of Warehouse's older tokens."""
    from packaging.utils import canonicalize_name  # noqa: PLC0415  (late: only where a token's scope is read)

    names: frozenset[str] | None = None
    counts: list[int] = []
    times: list[tuple[float, float]] = []
    for content in caveats:
        try:
            caveat = json.loads(content)
        except (ValueError, RecursionError):
            continue
        match caveat:
            case [1, [*listed]] | {"version": 1, "permissions": {"projects": [*listed]}} if all(
                isinstance(name, str) for name in listed
            ):
                stated = frozenset(canonicalize_name(name) for name in listed)
                names = stated if names is None else names & stated
            case [0, int() as expires, int() as begins] | {"exp": int() as expires, "nbf": int() as begins}:
                times.append((float(expires), float(begins)))
            case [2, [*ids]] | {"project_ids": [*ids]}:
                counts.append(len(set(map(str, ids))))
            case _:
                pass
    scope = TokenScope(projects=names, count=min(counts, default=None))
    return replace(scope, expires=min(times)[0], begins=min(times)[1]) if times else scope
