"""Where an OIDC identity token may be sent (pure)."""

from urllib.parse import SplitResult, urlsplit

from ci_publish.http.urls import have_same_origin, is_loopback_host, url_origin
from ci_publish.model.index import Endpoints


def upload_host(endpoints: Endpoints) -> str:
    """Return the host that the index's distributions are sent to, in lower case."""
    return (urlsplit(endpoints.upload).hostname or "").casefold()


def exchange_address_objection(address: object, endpoints: Endpoints) -> str:
    """Return why nothing may be sent to *address* for this index, or an empty text.

    It must be https (http on loopback only), without user or fragment, and on the upload host or where the built-in
    index has its exchange.
    """
    parts = split_exchange_address(address)
    if parts is None:
        return "its address for the token exchange is not a URL"
    host = (parts.hostname or "").casefold()
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback_host(host)):
        return "its address for the token exchange is not https"
    if parts.username is not None or parts.password is not None or parts.fragment:
        return "its address for the token exchange holds a user name or a fragment"
    if url_origin(parts.geturl()) in _allowed_exchange_origins(endpoints):
        return ""
    return f"it points to {host or 'nowhere'} for the token exchange"


# PyPI's exchange is on its main domain, not on the upload host (docs.pypi.org/trusted-publishers/internals).
_BUILT_IN = {"upload.pypi.org": "pypi.org", "pypi.org": "pypi.org", "test.pypi.org": "test.pypi.org"}


def _allowed_exchange_origins(endpoints: Endpoints) -> frozenset[tuple[str, str, int | None]]:
    upload = split_exchange_address(endpoints.upload)
    if upload is None:
        return frozenset()
    own = url_origin(upload.geturl())
    built_in = _BUILT_IN.get(own[1])
    return frozenset({own} if built_in is None else {own, ("https", built_in, 443)})


def split_exchange_address(address: object) -> SplitResult | None:
    """Split a URL that every client would read alike; None for anything odd."""
    if not isinstance(address, str) or not address.isascii() or not address.isprintable() or set(address) & set(" \\"):
        return None
    try:
        parts = urlsplit(address)
        sound = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts if sound else None


def discovered_exchange_address_objection(address: object, endpoints: Endpoints) -> str:
    """Return why an endpoint from a discovery document is not on the upload host itself, or an empty text."""
    if reason := exchange_address_objection(address, endpoints):
        return reason
    found, upload = split_exchange_address(address), split_exchange_address(endpoints.upload)
    same = found is not None and upload is not None and have_same_origin(found.geturl(), upload.geturl())
    return "" if same else "its discovery document names another host for the token exchange"
