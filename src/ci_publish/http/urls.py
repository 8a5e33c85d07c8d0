"""Functions for URLs: their origin, whether they are on this machine, and how they may be shown (pure)."""

from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit, urlunsplit

DEFAULT_PORTS = {"http": 80, "https": 443}


def split_url(url: str) -> SplitResult:
    """Split *url*; unlike ``urlsplit`` it never raises: what cannot be split has an empty scheme and host."""
    try:
        parts = urlsplit(url)
        _ = parts.port, parts.hostname
    except ValueError:
        return SplitResult("", "", "", "", "")
    return parts


def url_host(url: str) -> str:
    """Return the host of *url* in lower case, without brackets or a dot at its end; empty if it has none."""
    return (split_url(url).hostname or "").rstrip(".")


def url_origin(url: str) -> tuple[str, str, int | None]:
    """Return scheme, host and port, the default port filled in."""
    parts = split_url(url)
    return parts.scheme, parts.hostname or "", parts.port or DEFAULT_PORTS.get(parts.scheme)


def have_same_origin(one: str, other: str) -> bool:
    """Whether both addresses are absolute and share scheme, host and port."""
    return bool(url_host(one)) and url_origin(one) == url_origin(other)


def is_loopback_host(host: str) -> bool:
    """Whether *host* is always this machine: ``localhost`` and names below it (RFC 6761), 127/8 and ::1."""
    name = host.lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def is_loopback_url(url: str) -> bool:
    """Whether *url* can only lead to this machine."""
    return is_loopback_host(url_host(url))


def url_has_secrets(url: str) -> bool:
    """Whether *url* holds a user name or password."""
    return "@" in split_url(url).netloc


def redacted_url(url: str) -> str:
    """Return *url* as it may be shown: without user name, password, the query's values and the fragment."""
    parts = split_url(url)
    if not parts.netloc:
        return url.partition("?")[0].partition("#")[0].rpartition("@")[2]
    netloc = parts.netloc.rpartition("@")[2]
    query = "&".join(f"{item.partition('=')[0]}=…" for item in parts.query.split("&")) if parts.query else ""
    return urlunsplit((parts.scheme, netloc, parts.path, query, ""))


def url_with_slash(url: str) -> str:
    """Return *url* with a path that ends with a slash."""
    return url if url.endswith("/") else f"{url}/"
