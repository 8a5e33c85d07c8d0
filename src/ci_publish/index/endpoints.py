"""Derives all addresses of an index from its upload URL (pure).

Knows PyPI and TestPyPI, the shapes of the addresses of the common private indexes, and the wrong addresses that people
actually use, each with its fix. Sources: docs.pypi.org (upload, trusted publishers), PEP 807 (well-known discovery and
its fallbacks), and the vendors' manuals for where each keeps its Simple API.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Literal
from urllib.parse import quote_plus, urlunsplit

from ci_publish.errors import ConfigurationError
from ci_publish.hints import Hint, option
from ci_publish.http.urls import (
    is_loopback_host,
    is_loopback_url,
    redacted_url,
    split_url,
    url_has_secrets,
    url_host,
    url_with_slash,
)
from ci_publish.model.frozen import frozen
from ci_publish.model.index import Endpoints, IndexProfile

REHEARSAL_HEADER = "X-Ci-Publish-Rehearsal"
REHEARSAL_VERSION = "1"
REHEARSAL_VARIABLE = "CI_PUBLISH_REHEARSAL_INDEX"
"""Holds the upload URL of a rehearsal, for commands that may not ask the index what it is."""

REHEARSAL_AUDIENCE = "ci-publish-rehearsal"

PYPI = Endpoints(
    name="pypi",
    profile=IndexProfile.PYPI,
    upload="https://upload.pypi.org/legacy/",
    simple="https://pypi.org/simple/",
    json_api="https://pypi.org/pypi/",
    integrity="https://pypi.org/integrity/",
    audience="https://pypi.org/_/oidc/audience",
    mint="https://pypi.org/_/oidc/mint-token",
    burn="https://pypi.org/_/oidc/burn-token",
    pinned_audience="pypi",
    web="https://pypi.org/project/",
)
TESTPYPI = Endpoints(
    name="testpypi",
    profile=IndexProfile.PYPI,
    upload="https://test.pypi.org/legacy/",
    simple="https://test.pypi.org/simple/",
    json_api="https://test.pypi.org/pypi/",
    integrity="https://test.pypi.org/integrity/",
    audience="https://test.pypi.org/_/oidc/audience",
    mint="https://test.pypi.org/_/oidc/mint-token",
    burn="https://test.pypi.org/_/oidc/burn-token",
    pinned_audience="testpypi",
    web="https://test.pypi.org/project/",
)
_KNOWN = {endpoints.name: endpoints for endpoints in (PYPI, TESTPYPI)}

# Every host that people use, or used, to mean PyPI or TestPyPI.
_MEANT = {
    "pypi.org": PYPI,
    "www.pypi.org": PYPI,
    "upload.pypi.org": PYPI,
    "files.pythonhosted.org": PYPI,
    "pypi.python.org": PYPI,
    "upload.pypi.io": PYPI,
    "pypi.io": PYPI,
    "test.pypi.org": TESTPYPI,
    "upload.test.pypi.org": TESTPYPI,
    "test-files.pythonhosted.org": TESTPYPI,
    "testpypi.python.org": TESTPYPI,
}

Profile = Literal["auto", "pypi", "generic"]


def _simple_api_below(match: re.Match[str]) -> tuple[str, ...]:
    return (f"{match[0].rstrip('/')}/simple/",)


@frozen(kw_only=True)
class Shape:
    """The upload URLs of one kind of index (whole matches), and the corresponding address of its Simple API.

    ``simple`` returns a path on the same origin, or an https address elsewhere. ``certain``: no other kind of index has
    such URLs. Otherwise ``simple`` returns guesses, the likeliest first.
    """

    kind: str
    path: str
    simple: Callable[[re.Match[str]], tuple[str, ...]] = _simple_api_below
    host: str = r".+"
    certain: bool = True


# In this order: the first whose host and whole path match.
SHAPES = (
    Shape(
        kind="cloudsmith",
        path=r"/([^/]+)/([^/]+)/?",
        simple=lambda match: (f"https://dl.cloudsmith.io/basic/{match[1]}/{match[2]}/python/simple/",),
        host=r"python\.cloudsmith\.io",
    ),
    Shape(kind="gitlab", path=r".*/api/v4/(?:projects|groups)/[^/]+(?:/-)?/packages/pypi/?"),
    Shape(kind="gitea", path=r".*/api/packages/[^/]+/pypi/?"),
    Shape(
        kind="azure",
        path=r"(.*/_packaging/[^/]+/pypi)/upload/?",
        simple=lambda match: (f"{match[1]}/simple/",),
        host=r"pkgs\.dev\.azure\.com|.+\.pkgs\.visualstudio\.com",
    ),
    Shape(kind="azure", path=r"(.*/_packaging/[^/]+/pypi)/upload/?", simple=lambda match: (f"{match[1]}/simple/",)),
    Shape(kind="codeartifact", path=r"/pypi/[^/]+/?", host=r".+\.d\.codeartifact\..+\.(?:amazonaws\.com|on\.aws)"),
    Shape(kind="google", path=r"/[^/]+/[^/]+/?", host=r".+-python\.pkg\.dev|python\.pkg\.dev"),
    Shape(kind="artifactory", path=r".*/api/pypi/[^/]+/?"),
    Shape(kind="nexus", path=r".*/repository/[^/]+/?", certain=False),
    Shape(kind="simple", path=r".*/simple/?", simple=lambda match: (url_with_slash(match[0]),), certain=False),
    Shape(kind="warehouse", path=r"(.*)/legacy/?", simple=lambda match: (f"{match[1]}/simple/",), certain=False),
    Shape(kind="pypiserver", path=r"/?", simple=lambda _: ("/simple/",), certain=False),
    # or another server behind a proxy, below a path of two parts
    Shape(
        kind="devpi",
        path=r"/[^/]+/[^/]+/?",
        simple=lambda match: (f"{match[0].rstrip('/')}/+simple/", *_simple_api_below(match)),
        certain=False,
    ),
)


def resolve_endpoints(
    repository_url: str,
    index_url: str | None = None,
    profile: Profile = "auto",
    *,
    allow_http: frozenset[str] = frozenset(),
) -> Endpoints:
    """Return the addresses of the index whose upload URL, or name (``pypi``, ``testpypi``), is *repository_url*.

    *index_url* is the root of the Simple API where the user gave one; else it is derived where possible.
    *allow_http* holds the hosts (not loopback) to which plain http was allowed. Raises ConfigurationError, with the
    fix, for an address that cannot work or that would send a secret where it does not belong.
    """
    endpoints = _KNOWN.get(repository_url.strip().lower())
    if endpoints is None:
        _require_usable_index_url(repository_url, "repository-url", allow_http)
        endpoints = _pypi_or_testpypi_endpoints(repository_url) or _other_index_endpoints(repository_url, profile)
    if profile != "auto":
        endpoints = replace(endpoints, profile=IndexProfile(profile))
    if index_url is None:
        return endpoints
    _require_usable_index_url(index_url, "index-url", allow_http)
    return replace(endpoints, simple=url_with_slash(index_url), simple_guesses=())


def may_be_rehearsal(endpoints: Endpoints, profile: Profile) -> bool:
    """Whether to ask the index if it is a rehearsal: only on loopback, and only if no profile is set."""
    return profile == "auto" and is_loopback_url(endpoints.upload)


def known_rehearsal_endpoints(endpoints: Endpoints, profile: Profile) -> Endpoints:
    """Return the addresses of what the environment says is a rehearsal, if it may be one; see ``may_be_rehearsal``."""
    return rehearsal_endpoints(endpoints) if may_be_rehearsal(endpoints, profile) else endpoints


def rehearsal_endpoints(endpoints: Endpoints) -> Endpoints:
    """Return the addresses of a rehearsal that announced itself at this upload URL: PyPI's layout on the same origin.

    A Simple API root that the user gave or that was derived stays.
    """
    rehearsal = _with_pypi_services(endpoints)
    return replace(
        rehearsal,
        profile=IndexProfile.PYPI,
        simple=endpoints.simple or rehearsal.simple,
        discovery=None,
        pinned_audience=REHEARSAL_AUDIENCE,
    )


def index_kind_of_upload_url(upload_url: str) -> str | None:
    """Return the kind of index that the upload URL's shape belongs to, None if it is unknown."""
    if upload_url in {PYPI.upload, TESTPYPI.upload}:
        return "warehouse"
    found = _find_upload_url_shape(upload_url)
    return None if found is None else found[0].kind


def _pypi_or_testpypi_endpoints(url: str) -> Endpoints | None:
    """Return PyPI or TestPyPI for their own upload URL, None for other hosts; raise for their wrong URLs."""
    meant = _MEANT.get(url_host(url))
    if meant is None:
        return None
    parts = split_url(url)
    normal = urlunsplit((parts.scheme, parts.hostname or "", parts.path, parts.query, ""))
    if normal == meant.upload and parts.port in {None, 443}:
        return meant
    own = "PyPI" if meant is PYPI else "TestPyPI"
    raise ConfigurationError(
        f"{redacted_url(url)} is not the upload URL of {own}.",
        detail=_why_upload_url_is_wrong(url, meant),
        hints=(
            Hint(
                f"Use the name {meant.name}: ",
                option("repository_url", meant.name),
                f" (short for {meant.upload})",
            ),
            *((Hint("To upload to PyPI itself, omit ", option("repository_url"), "."),) if meant is PYPI else ()),
        ),
    )


def _why_upload_url_is_wrong(url: str, meant: Endpoints) -> str:
    parts = split_url(url)
    if (parts.hostname or "").endswith("."):
        return "Its host has a dot at the end."
    if parts.scheme == "http" and parts.hostname == url_host(meant.upload):
        return "It accepts uploads over https only."
    if parts.hostname in {"pypi.python.org", "testpypi.python.org", "upload.pypi.io", "pypi.io"}:
        return "This host was retired and accepts no uploads."
    if parts.path.startswith("/simple"):
        return "Installers read from this URL; uploads use a different one."
    if parts.hostname == url_host(meant.upload) and f"{parts.path}/" == split_url(meant.upload).path:
        return "The trailing slash is missing: the server would redirect instead of accepting the file."
    return "Uploads use a different URL."


def _require_usable_index_url(url: str, name: str, allow_http: frozenset[str]) -> None:
    """Raise for a text that is not a URL, for a URL with a secret, and for an unencrypted one."""
    parts = split_url(url)
    if url_has_secrets(url):
        raise ConfigurationError(
            f"The {name} {redacted_url(url)} contains a user name or a password.",
            detail="URLs end up in logs, where everyone can read them, so this one is not used.",
            hints=(
                "Remove them from the address, and treat the password as exposed if it was ever committed or logged.",
                Hint("Set ", option("user"), ", and ", option("password"), " from a secret."),
            ),
        )
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigurationError(
            f"The {name} {redacted_url(url)!r} is not an http or https address.",
            hints=(f"Write an address like {PYPI.upload}, or one of the names pypi and testpypi.",),
        )
    if parts.query or parts.fragment:
        raise ConfigurationError(
            f"The {name} {redacted_url(url)} has a query or a fragment, which upload addresses do not have.",
            hints=("Remove everything from the first ? or # onwards.",),
        )
    if parts.scheme == "http" and url_host(url) not in _MEANT:
        _require_encrypted_index_url(url, name, allow_http)


def _require_encrypted_index_url(url: str, name: str, allow_http: frozenset[str]) -> None:
    host = url_host(url)
    if is_loopback_host(host) or host in {allowed.lower().rstrip(".") for allowed in allow_http}:
        return
    raise ConfigurationError(
        f"The {name} {redacted_url(url)} is plain http.",
        detail="Anyone on the network path could read the credential and modify the files.",
        hints=(
            f"Use https: {redacted_url(url).replace('http:', 'https:', 1)}",
            Hint(
                "If this network is trusted, allow it: ",
                option("allow_http", host),
                " (for passwords and API tokens only, never for Trusted Publishing)",
            ),
        ),
    )


def _other_index_endpoints(url: str, profile: Profile) -> Endpoints:
    """Return the addresses of an index that is neither PyPI nor TestPyPI."""
    root, parts = _index_url_root(url), split_url(url)
    found = _find_upload_url_shape(url)
    paths = () if found is None else found[0].simple(found[1])
    simple = tuple(path if path.startswith("https:") else root + path for path in paths)
    endpoints = Endpoints(
        name=f"{parts.netloc}{parts.path.rstrip('/').removesuffix('/legacy')}".lower(),
        profile=IndexProfile.GENERIC,
        upload=url,
        simple=simple[0] if simple else None,
        simple_guesses=() if found is None or found[0].certain else simple,
        discovery=f"{root}/.well-known/pytp?discover={quote_plus(parts.path or '/')}",
        audience=f"{root}/_/oidc/audience",
        mint=f"{root}/_/oidc/mint-token",
        burn=f"{root}/_/oidc/burn-token",
    )
    return _with_pypi_services(endpoints) if profile == "pypi" else endpoints


def _with_pypi_services(endpoints: Endpoints) -> Endpoints:
    """Return *endpoints* with the other services of PyPI, on the same origin."""
    path = split_url(endpoints.upload).path.rstrip("/").removesuffix("/legacy").rstrip("/")
    prefix = _index_url_root(endpoints.upload) + path
    return replace(
        endpoints,
        simple=f"{prefix}/simple/",
        simple_guesses=(),
        json_api=f"{prefix}/pypi/",
        integrity=f"{prefix}/integrity/",
        web=f"{prefix}/project/",
    )


def _find_upload_url_shape(url: str) -> tuple[Shape, re.Match[str]] | None:
    path = split_url(url).path
    for shape in SHAPES:
        match = re.fullmatch(shape.path, path)
        if match and re.fullmatch(shape.host, url_host(url)):
            return shape, match
    return None


def _index_url_root(url: str) -> str:
    parts = split_url(url)
    return f"{parts.scheme}://{parts.netloc}"
