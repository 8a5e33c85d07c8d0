"""What can be read in an API token without its index: a macaroon names the place that issued it (pure).

Source: libmacaroons' binary format, version 2, in which ``pypitoken`` and Warehouse serialize their tokens.
"""

import base64
import binascii

PREFIX = "pypi-"
_VERSION = 2
_LOCATION = 1


def has_prefix(text: str) -> bool:
    """Return whether *text* begins as PyPI's API tokens do."""
    return text.startswith(PREFIX)


def location(token: str) -> str | None:
    """Return the host that issued *token* (``pypi.org``, ``test.pypi.org``); None where it names none."""
    if not has_prefix(token):
        return None
    text = token.removeprefix(PREFIX)
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    if len(data) < 3 or data[0] != _VERSION or data[1] != _LOCATION:  # noqa: PLR2004  (version, field, length)
        return None
    found = data[3 : 3 + data[2]]
    if len(found) != data[2]:
        return None
    host = found.decode("ascii", "replace").lower()
    return host if "." in host else None


def issued_for(token: str, host: str) -> bool | None:
    """Return whether *token* was issued by the index at *host*, or a host above it; None where it does not say."""
    found = location(token)
    return None if found is None else host == found or _above(found, host)


def _above(issuer: str, host: str) -> bool:
    """Return whether *host* is the upload host of *issuer*; test.pypi.org is another index than pypi.org."""
    return host != "test.pypi.org" and host.endswith(f".{issuer}")
