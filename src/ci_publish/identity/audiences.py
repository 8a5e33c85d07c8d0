"""Which audience an index may request (pure).

An OIDC identity token is intended for one party: its audience. An index that could choose any audience could request a
token for PyPI, Sigstore or a cloud, and use it there on the user's behalf. No standard forbids that (PEP 807 has no
rule), so these are our own rules:

* PyPI's and TestPyPI's audiences belong to their hosts, and these hosts get no other audience. No other index gets
  these audiences or Sigstore's, even if the user names them.
* An audience that names a host, alone or as an https URL, belongs to that host, its subdomains and its parents.
* Any other audience is given only to the index that the user named it for.
"""

import re
import unicodedata
from urllib.parse import urlsplit

from ci_publish.http.urls import is_loopback_host
from ci_publish.model.frozen import frozen

REHEARSAL_AUDIENCE = "ci-publish-rehearsal"

PINNED_AUDIENCES = {
    "pypi.org": "pypi",
    "upload.pypi.org": "pypi",
    "www.pypi.org": "pypi",
    "test.pypi.org": "testpypi",
    "upload.test.pypi.org": "testpypi",
}

# Never for another index, not even if the user names them. Compared case-folded, without dashes and dots.
RESERVED_NAMES = frozenset({"pypi", "testpypi", "sigstore"})

_MAX_LENGTH = 255
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~:/@+-]*|//[A-Za-z0-9][A-Za-z0-9._~:/@+-]*")
_NAMES_HOST = re.compile(r"[./:@]")


@frozen
class Audience:
    """The audience that the identity token for an index must have."""

    value: str


@frozen
class AudienceForeign:
    """The index must not get a token for this audience, for ``reason``.

    ``nameable``: it would get one if the user named this audience for it.
    """

    asked: str
    reason: str
    nameable: bool = False


def validate_audience(
    asked: object, host: str, pinned: str | None = None, named: str | None = None
) -> Audience | AudienceForeign:
    """Validate the audience that the index at *host* asks for.

    *pinned* is the only audience that it may have, if that is known; *named* is the one that the user named for it.
    """
    if not isinstance(asked, str):
        return AudienceForeign(str(asked)[:_MAX_LENGTH], "it is not a string")
    host = host.casefold().rstrip(".")
    pinned = pinned or PINNED_AUDIENCES.get(host)
    if reason := _reserved_audience_objection(asked, host, pinned):
        return AudienceForeign(asked[:_MAX_LENGTH], reason)
    folded = unicodedata.normalize("NFKC", asked).casefold()
    if asked in {pinned, named} or folded == REHEARSAL_AUDIENCE:  # on loopback; elsewhere it is reserved
        return Audience(asked)
    other = _host_of_audience(folded)
    if other is None or not (_NAMES_HOST.search(folded) or other == host):
        return AudienceForeign(asked, f"it does not name the index's host, {host}", nameable=True)
    # A top-level domain is not the parent of a host.
    related = host.endswith(f".{other}") or other.endswith(f".{host}")
    if other == host or (related and "." in min(other, host, key=len) and not is_loopback_host(host)):
        return Audience(asked)
    return AudienceForeign(asked, f"it names the host {other}, which is not that of the index", nameable=True)


def is_foreign_audience(audience: str, host: str, named: str | None = None) -> bool:
    """Return whether a token whose audiences include *audience* must not be sent to the index at *host*."""
    return isinstance(validate_audience(audience, host, named=named), AudienceForeign)


def named_audience_objection(named: str, host: str) -> str:
    """Return why the user cannot name *named* as the audience of the index at *host*; empty if they can."""
    host = host.casefold().rstrip(".")
    return _reserved_audience_objection(named, host, PINNED_AUDIENCES.get(host))


def _reserved_audience_objection(asked: str, host: str, pinned: str | None) -> str:
    """Return why the index at *host* never gets this audience; empty if it may get it."""
    if pinned is not None:
        return "" if asked == pinned else f"the audience of {host} is {pinned!r} and no other"
    if not _PLAIN.fullmatch(asked) or len(asked) > _MAX_LENGTH:
        return "it is not a plain name or URL of at most 255 ASCII characters"
    folded = unicodedata.normalize("NFKC", asked).casefold()
    of_pypi = f".{_host_of_audience(folded) or ''}".endswith(".pypi.org")
    if of_pypi or re.sub(r"[^a-z0-9]", "", folded) in RESERVED_NAMES:
        return "it is the audience of another service"
    if folded == REHEARSAL_AUDIENCE and not is_loopback_host(host):
        return "it is the audience of rehearsals on this machine"
    return ""


def _host_of_audience(audience: str) -> str | None:
    """Return the host that *audience* names (an https URL, ``//host/…``, ``host``, ``host:port``, ``host/path``)."""
    url = audience if "://" in audience else f"https://{audience.removeprefix('//')}"
    try:
        parts = urlsplit(url)
        named, _ = parts.hostname, parts.port
    except ValueError:
        return None
    return named.rstrip(".") if named and parts.scheme == "https" and "@" not in parts.netloc else None
