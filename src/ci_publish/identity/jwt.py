"""Reads identity tokens without verifying them: the index does that, with the issuer's keys (pure)."""

import base64
import binascii
import json
from collections.abc import Sequence
from typing import Any

from ci_publish.model.identity import Claims

_LONGEST = 65_536
_PARTS = 3


def decode_jwt_claims(token: str) -> Claims | None:
    """Return the claims of a JSON Web Token (RFC 7519); None if *token* is not one."""
    parts = token.split(".")
    if len(parts) != _PARTS or len(token) > _LONGEST:
        return None
    try:
        claims = json.loads(decode_token_base64url(parts[1]))
    except (ValueError, RecursionError, binascii.Error):
        return None
    return claims if isinstance(claims, dict) else None


def decode_token_base64url(text: str) -> bytes:
    """Return the bytes of base64url with or without its padding (RFC 7515 §2); raises ValueError for other text."""
    if "+" in text or "/" in text:
        raise ValueError("not base64url")
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def audiences_of_claims(claims: Claims) -> tuple[str, ...]:
    """Return every audience that the token is for: ``aud`` is a string or a list of strings (RFC 7519 §4.1.3)."""
    value: Any = claims.get("aud")
    if isinstance(value, str):
        return (value,)
    return tuple(str(one) for one in value) if isinstance(value, Sequence) else ()
