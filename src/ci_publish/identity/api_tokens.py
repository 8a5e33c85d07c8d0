"""Which index an API token belongs to, as far as it says so: a macaroon names the place that issued it (pure)."""

from ci_publish.http.urls import is_loopback_host
from ci_publish.identity.macaroons import PREFIX, location

# The hosts besides itself that the host in a token stands for: PyPI's upload API has one of its own.
_COVERS = {"pypi.org": "upload.pypi.org"}


def has_prefix(text: str) -> bool:
    """Return whether *text* begins as PyPI's API tokens do."""
    return text.startswith(PREFIX)


def issued_for(token: str, host: str) -> bool | None:
    """Return whether *token* was issued by the index whose upload host is *host*; None where it does not say.

    All names of this machine are one.
    """
    issuer = location(token)
    if issuer is None:
        return None
    return host in {issuer, _COVERS.get(issuer)} or (is_loopback_host(issuer) and is_loopback_host(host))
