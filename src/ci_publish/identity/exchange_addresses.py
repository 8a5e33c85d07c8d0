"""Where an OIDC identity token may be sent (pure)."""

from urllib.parse import SplitResult, urlsplit

from ci_publish.http.urls import have_same_origin, is_loopback_host, url_origin
from ci_publish.model.index import Endpoints

# PyPI's exchange is on its main domain, not on the upload host (docs.pypi.org/trusted-publishers/internals).
_BUILT_IN = {"upload.pypi.org": "pypi.org", "pypi.org": "pypi.org", "test.pypi.org": "test.pypi.org"}


def exchange_address_objection(address: object, endpoints: Endpoints) -> str:
    """Return why nothing may be sent to *address* for this index; empty if it is allowed.

    It must be https (http only on loopback), without user and fragment, and on the upload host or the host of a
    built-in index's exchange.
    """
    parts = split_exchange_address(address)
    if parts is None:
        return "its address for the token exchange is not a URL"
    host = (parts.hostname or "").casefold()
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback_host(host)):
        return "its address for the token exchange is not https"
    if parts.username is not None or parts.password is not None or parts.fragment:
        return "its address for the token exchange contains a user name or a fragment"
    own = url_origin(endpoints.upload)
    allowed = {own, ("https", _BUILT_IN.get(own[1]), 443)}
    if split_exchange_address(endpoints.upload) is not None and url_origin(parts.geturl()) in allowed:
        return ""
    return f"it points to {host or 'nowhere'} for the token exchange"


def split_exchange_address(address: object) -> SplitResult | None:
    """Split a URL; None for one that clients may interpret in different ways."""
    if not isinstance(address, str) or not address.isascii() or not address.isprintable() or set(address) & set(" \\"):
        return None
    try:
        parts = urlsplit(address)
        sound = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts if sound else None


def discovered_exchange_address_objection(address: object, endpoints: Endpoints) -> str:
    """Return why an endpoint from a discovery document is not allowed: it must be on the upload host itself."""
    if reason := exchange_address_objection(address, endpoints):
        return reason
    return (
        ""
        if have_same_origin(str(address), endpoints.upload)
        else "its discovery document names another host for the token exchange"
    )
