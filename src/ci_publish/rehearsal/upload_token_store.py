"""Upload tokens and API tokens of the rehearsal's index: real macaroons, as PyPI's are, so that clients can read them.

The binary form is libmacaroons' version 2; the caveats are Warehouse's JSON arrays (`warehouse/macaroons/caveats/`).
"""

import base64
import hashlib
import hmac
import json
import secrets
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeAlias

from ci_publish.model.frozen import frozen
from ci_publish.rehearsal.registered_publishers import Claims, TrustedPublisher

PREFIX: Final = "pypi-"
_KEY_GENERATOR: Final = b"macaroons-key-generator".ljust(32, b"\0")
_VERSION, _END, _LOCATION, _IDENTIFIER, _SIGNATURE = 2, 0, 1, 2, 6

Caveat: TypeAlias = list[Any]


@frozen
class TokenUser:
    """A user with an API token."""

    name: str


@frozen(kw_only=True)
class TokenPublisher:
    """A Trusted Publisher that exchanged an identity token.

    `projects` are the normalised names it may upload to; None means all, created on demand.
    """

    id: str
    publisher: TrustedPublisher
    claims: Claims
    projects: frozenset[str] | None


Owner: TypeAlias = TokenUser | TokenPublisher


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedUploadToken:
    """One token that the index issued. `jti` is the identity token's it was exchanged for; `expires` is Unix time."""

    id: str
    owner: Owner
    caveats: tuple[Caveat, ...]
    key: bytes = field(repr=False)
    jti: str | None = None
    expires: float | None = None
    burnt: bool = False


@frozen
class _Macaroon:
    identifier: str
    caveats: tuple[bytes, ...]
    signature: bytes


@frozen
class PresentedToken:
    """A token as it was sent, which its sender may have restricted or forged, and what the index issued."""

    issued: IssuedUploadToken
    sent: _Macaroon

    @property
    def is_genuine(self) -> bool:
        """Whether its signature is one that follows from the index's key."""
        expected = _macaroon_signature(self.issued.key, self.issued.id, self.sent.caveats)
        return hmac.compare_digest(expected, self.sent.signature)


class UploadTokenStore:
    """All tokens of one index. Thread-safe."""

    def __init__(self, location: str, clock: Callable[[], float]) -> None:
        self._location = location
        self._clock = clock
        self._lock = threading.Lock()
        self._tokens: dict[str, IssuedUploadToken] = {}
        self._used: set[str] = set()

    @property
    def issued(self) -> tuple[IssuedUploadToken, ...]:
        """Every token issued so far, oldest first."""
        with self._lock:
            return tuple(self._tokens.values())

    def was_identity_token_used(self, jti: str) -> bool:
        """Whether an identity token was exchanged before."""
        with self._lock:
            return jti in self._used

    def claim_identity_token(self, jti: str) -> bool:
        """Claim an identity token for one exchange; False if it was claimed before. Atomic."""
        with self._lock:
            new = jti not in self._used
            self._used.add(jti)
            return new

    def issue_upload_token(
        self, owner: Owner, caveats: Sequence[Caveat], *, jti: str | None = None, expires: float | None = None
    ) -> str:
        """Return a fresh token for *owner*, restricted by *caveats*."""
        token = IssuedUploadToken(
            id=str(uuid.uuid4()),
            owner=owner,
            caveats=tuple(caveats),
            key=secrets.token_bytes(32),
            jti=jti,
            expires=expires,
        )
        with self._lock:
            self._tokens[token.id] = token
        return PREFIX + base64.urlsafe_b64encode(_serialize_macaroon(self._location, token)).rstrip(b"=").decode()

    def burn_upload_token(self, raw: str) -> None:
        """Revoke a token, if it is one of this index's with a valid signature."""
        token = self.find_unburnt_token(raw)
        if token is not None and token.is_genuine:
            with self._lock:
                self._tokens[token.issued.id] = replace(token.issued, burnt=True)

    def find_unburnt_token(self, raw: str) -> PresentedToken | None:
        """Return the token of that identifier unless it was burned, whatever its signature; None for others."""
        sent = _parse_macaroon(raw)
        with self._lock:
            issued = self._tokens.get(sent.identifier) if sent else None
        return None if sent is None or issued is None or issued.burnt else PresentedToken(issued, sent)

    def reasons_against_token(self, token: PresentedToken, project: str, spelled: str) -> list[str]:
        """Return why a token is not valid for a project (normalised, and as spelled); empty if it is.

        The messages are Warehouse's, which checks the stored caveats beside those in the token, and so repeats each.
        """
        caveats = [*map(_parse_macaroon_caveat, token.sent.caveats), *token.issued.caveats]
        reasons = [self._caveat_failure(caveat, token.issued.owner, project, spelled) for caveat in caveats]
        failed = [reason for reason in reasons if reason]
        return failed or ([] if token.is_genuine else ["signatures do not match"])

    def _caveat_failure(self, caveat: Caveat | None, owner: Owner, project: str, spelled: str) -> str | None:
        match caveat:
            case [0, int(expires), int(not_before)]:
                valid, reason = not_before <= self._clock() < expires, "token is expired"
            case [1 | 2 as kind, [*projects]]:
                valid = (project if kind == 1 else project_id_in_caveat(project)) in projects
                reason = f"project-scoped token is not valid for project: {spelled!r}"
            case [3, str()]:
                valid, reason = isinstance(owner, TokenUser), "token with user restriction without a user"
            case [4, str(), *_] if isinstance(owner, TokenPublisher):
                valid = owner.projects is None or project in owner.projects
                reason = f"OIDC scoped token is not valid for project '{spelled}'"
            case _:
                return "caveat deserialization failed"
        return None if valid else reason


def project_id_in_caveat(project: str) -> str:
    """Return the id of a project (normalised name): in the form of Warehouse's, and the same in every rehearsal."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"project:{project}"))


def _parse_macaroon_caveat(text: bytes) -> Caveat | None:
    try:
        caveat = json.loads(text)
    except ValueError:
        return None
    return caveat if isinstance(caveat, list) else None


def _macaroon_signature(key: bytes, identifier: str, caveats: Sequence[bytes]) -> bytes:
    derived = hmac.digest(_KEY_GENERATOR, key, hashlib.sha256)
    signature = hmac.digest(derived, identifier.encode(), hashlib.sha256)
    for caveat in caveats:
        signature = hmac.digest(signature, caveat, hashlib.sha256)
    return signature


def _serialize_macaroon(location: str, token: IssuedUploadToken) -> bytes:
    caveats = [json.dumps(caveat, separators=(",", ":")).encode() for caveat in token.caveats]
    head = (
        bytes([_VERSION])
        + _encode_macaroon_field(_LOCATION, location.encode())
        + _encode_macaroon_field(_IDENTIFIER, token.id.encode())
    )
    body = b"".join(_encode_macaroon_field(_IDENTIFIER, caveat) + bytes([_END]) for caveat in caveats)
    signature = _macaroon_signature(token.key, token.id, caveats)
    return head + bytes([_END]) + body + bytes([_END]) + _encode_macaroon_field(_SIGNATURE, signature)


def _encode_macaroon_field(kind: int, data: bytes) -> bytes:
    return bytes([kind]) + _encode_macaroon_varint(len(data)) + data


def _encode_macaroon_varint(number: int) -> bytes:
    low, rest = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + _encode_macaroon_varint(rest) if rest else bytes([low])


def _parse_macaroon(raw: str) -> _Macaroon | None:
    """Read a token; None for anything that is not a macaroon of version 2 with PyPI's prefix."""
    if not raw.startswith(PREFIX):
        return None
    text = raw.removeprefix(PREFIX)
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        fields = list(_parse_macaroon_fields(data))
        identifiers = [content for kind, content in fields if kind == _IDENTIFIER]
        signature = next(content for kind, content in fields if kind == _SIGNATURE)
        return _Macaroon(identifiers[0].decode(), tuple(identifiers[1:]), signature)
    except (ValueError, IndexError, StopIteration):  # binascii.Error is a ValueError
        return None


def _parse_macaroon_fields(data: bytes) -> Iterator[tuple[int, bytes]]:
    if data[0] != _VERSION:
        raise ValueError("not a macaroon of version 2")
    position = 1
    while position < len(data):
        kind, position = data[position], position + 1
        if kind != _END:
            length, position = _decode_macaroon_varint(data, position)
            yield kind, data[position : position + length]
            position += length


def _decode_macaroon_varint(data: bytes, position: int) -> tuple[int, int]:
    number, shift = 0, 0
    while True:
        byte = data[position]
        number, position = number | (byte & 0x7F) << shift, position + 1
        if not byte & 0x80:
            return number, position
        shift += 7
