"""Whose audiences are whose (pure).

An OIDC identity token is meant for one party: its audience. An index that could choose any audience could ask for a
token that is meant for PyPI, for Sigstore or for a cloud, and use it there in our name. No standard forbids it (PEP 807
has no rule), so this is ours:

* PyPI's and TestPyPI's audiences belong to their hosts, and these hosts get no other.
* An audience that names a host belongs to that host, its subdomains and its parents.
* The short names that other services use belong to nobody.
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

# Audiences without a host in them, as their services document them. Compared case-folded, without dashes and dots.
RESERVED_NAMES = frozenset(
    {
        "pypi", "testpypi", "sigstore", "fulcio", "rekor", "npm", "npmjs", "crates", "cratesio", "rubygems", "nuget",
        "jsr", "pub", "hex", "hexpm", "maven", "gradle", "docker", "dockerhub", "ghcr", "conda", "condaforge",
        "vault", "hashicorp", "aws", "sts", "azure", "azureadtokenexchange", "entra", "gcp", "google", "iam", "github",
        "githubactions", "gitlab", "octosts", "codecov", "tailscale", "pulumi", "terraform", "snowflake", "kubernetes",
        "jfrog", "jfroggithub", "artifactory", "cloudsmith", "urn", "spiffe", "api", "buildkite", "circleci", "pyx",
    }
)  # fmt: skip

_MAX_LENGTH = 255
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~:/@+-]*|//[A-Za-z0-9][A-Za-z0-9._~:/@+-]*")
_NAMES_HOST = re.compile(r"[./:@]")


@frozen
class Audience:
    """The audience that the identity token for an index must have."""

    value: str


@frozen
class AudienceForeign:
    """The index must not get a token for this audience; ``reason`` is a sentence."""

    asked: str
    reason: str


def judge_audience(asked: object, host: str, pinned: str | None = None) -> Audience | AudienceForeign:
    """Judge the audience that the index at *host* asks for; *pinned* is the only one that it may have, if known."""
    if not isinstance(asked, str):
        return AudienceForeign(str(asked)[:_MAX_LENGTH], "it is not a text")
    host = host.casefold().rstrip(".")
    reason = _objection(asked, host, pinned or PINNED_AUDIENCES.get(host))
    return AudienceForeign(asked[:_MAX_LENGTH], reason) if reason else Audience(asked)


def is_reserved(audience: str, host: str) -> bool:
    """Return whether a token that is (also) for *audience* may not be shown to the index at *host*."""
    return isinstance(judge_audience(audience, host), AudienceForeign)


def _objection(asked: str, host: str, pinned: str | None) -> str:
    if pinned is not None:
        return "" if asked == pinned else f"the audience of {host} is {pinned!r} and no other"
    if not _PLAIN.fullmatch(asked) or len(asked) > _MAX_LENGTH:
        return "it is not a plain name or URL of at most 255 ASCII characters"
    folded = unicodedata.normalize("NFKC", asked).casefold()
    if _short(folded) in RESERVED_NAMES:
        return "it is the audience of another service"
    if folded == REHEARSAL_AUDIENCE:
        return "" if is_loopback_host(host) else "it is the audience of rehearsals on this machine"
    return _host_objection(folded, host)


def _short(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name)


def _host_objection(audience: str, host: str) -> str:
    """Object to an audience that names a host which is not the index's own."""
    if not _NAMES_HOST.search(audience):
        return ""
    named = _named_host(audience)
    if named is None:
        return "it is of a form that other services use"
    return "" if _related(named, host) else f"it names the host {named}, which is not that of the index"


def _named_host(audience: str) -> str | None:
    """Return the host that *audience* names (a URL, ``//host/…``, ``host``, ``host:port``, ``host/path``)."""
    url = audience if "://" in audience else f"https://{audience.removeprefix('//')}"
    try:
        parts = urlsplit(url)
        named, _ = parts.hostname, parts.port
    except ValueError:
        return None
    return named.rstrip(".") if named and parts.scheme in {"http", "https"} and "@" not in parts.netloc else None


def _related(named: str, host: str) -> bool:
    """Return whether both are the same host, or one lies below the other (a lone top-level name relates to nobody)."""
    if named == host:
        return True
    shorter = min(named, host, key=len)
    return "." in shorter and not is_loopback_host(host) and (host.endswith(f".{named}") or named.endswith(f".{host}"))
