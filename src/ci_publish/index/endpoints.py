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
from ci_publish.http.urls import has_secrets, host_of, is_loopback, is_loopback_host, shown, split, with_slash
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


def _below(match: re.Match[str]) -> tuple[str, ...]:
    return (f"{match[0].rstrip('/')}/simple/",)


@frozen(kw_only=True)
class Shape:
    """What the upload URLs of one kind of index look like (whole matches), and where its Simple API is then.

    ``certain``: no other kind of index has such URLs. Otherwise ``simple`` returns guesses, the likeliest first.
    """

    kind: str
    path: str
    simple: Callable[[re.Match[str]], tuple[str, ...]] = _below
    host: str = r".+"
    certain: bool = True


# In this order: the first whose host and whole path match.
SHAPES = (
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
    Shape(kind="simple", path=r".*/simple/?", simple=lambda match: (with_slash(match[0]),), certain=False),
    Shape(kind="warehouse", path=r"(.*)/legacy/?", simple=lambda match: (f"{match[1]}/simple/",), certain=False),
    Shape(kind="pypiserver", path=r"/?", simple=lambda _: ("/simple/",), certain=False),
    # or another server behind a proxy, below a path of two parts
    Shape(
        kind="devpi",
        path=r"/[^/]+/[^/]+/?",
        simple=lambda match: (f"{match[0].rstrip('/')}/+simple/", *_below(match)),
        certain=False,
    ),
)
_CLOUDSMITH = r"/([^/]+)/([^/]+)/?"


def resolve(
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
        _refuse_wrong(repository_url, "repository-url", allow_http)
        endpoints = _pypi_itself(repository_url) or _elsewhere(repository_url, profile)
    if profile != "auto":
        endpoints = replace(endpoints, profile=IndexProfile(profile))
    if index_url is None:
        return endpoints
    _refuse_wrong(index_url, "index-url", allow_http)
    return replace(endpoints, simple=with_slash(index_url), simple_guesses=())


def may_be_rehearsal(endpoints: Endpoints, profile: Profile) -> bool:
    """Whether to ask the index if it is a rehearsal: only loopback is believed, and only where no profile is set."""
    return profile == "auto" and is_loopback(endpoints.upload)


def as_known_rehearsal(endpoints: Endpoints, profile: Profile) -> Endpoints:
    """Return the addresses of what the environment says is a rehearsal, if it may be one; see ``may_be_rehearsal``."""
    return as_rehearsal(endpoints) if may_be_rehearsal(endpoints, profile) else endpoints


def as_rehearsal(endpoints: Endpoints) -> Endpoints:
    """Return the addresses of a rehearsal that announced itself at this upload URL: PyPI's layout on the same origin.

    A Simple API root that the user gave or that was derived stays.
    """
    rehearsal = _pypi_layout(endpoints)
    return replace(
        rehearsal,
        profile=IndexProfile.PYPI,
        simple=endpoints.simple or rehearsal.simple,
        discovery=None,
        pinned_audience=REHEARSAL_AUDIENCE,
    )


def kind_of(upload_url: str) -> str | None:
    """Return the kind of index that the upload URL's shape belongs to, None where it is unknown."""
    if upload_url in {PYPI.upload, TESTPYPI.upload}:
        return "warehouse"
    if host_of(upload_url) == "python.cloudsmith.io":
        return "cloudsmith"
    found = _find_shape(upload_url)
    return None if found is None else found[0].kind


def _pypi_itself(url: str) -> Endpoints | None:
    """Return PyPI or TestPyPI for their own upload URL, None for other hosts; raise for their wrong URLs."""
    meant = _MEANT.get(host_of(url))
    if meant is None:
        return None
    parts = split(url)
    normal = urlunsplit((parts.scheme, parts.hostname or "", parts.path, parts.query, ""))
    if normal == meant.upload and parts.port in {None, 443}:
        return meant
    raise _wrong(url, meant)


def _wrong(url: str, meant: Endpoints) -> ConfigurationError:
    own = "PyPI" if meant is PYPI else "TestPyPI"
    return ConfigurationError(
        f"{shown(url)} is not an upload address of {own}.",
        detail=_why_wrong(url, meant),
        hints=(
            Hint(
                f"Use the name {meant.name}: ",
                option("repository_url", meant.name),
                f" (short for {meant.upload})",
            ),
            *((Hint("To upload to PyPI itself, omit ", option("repository_url"), "."),) if meant is PYPI else ()),
        ),
    )


def _why_wrong(url: str, meant: Endpoints) -> str:
    parts = split(url)
    if (parts.hostname or "").endswith("."):
        return "Its host has a dot at the end."
    if parts.scheme == "http" and parts.hostname == host_of(meant.upload):
        return "It accepts uploads over https only."
    if parts.hostname in {"pypi.python.org", "testpypi.python.org", "upload.pypi.io", "pypi.io"}:
        return "This host was retired and accepts no uploads."
    if parts.path.startswith("/simple"):
        return "This is the address that installers read from; uploads have a different one."
    if parts.hostname == host_of(meant.upload) and f"{parts.path}/" == split(meant.upload).path:
        return "The trailing slash is missing: the server would redirect instead of accepting the file."
    return "Uploads have a different address."


def _refuse_wrong(url: str, name: str, allow_http: frozenset[str]) -> None:
    """Raise for a text that is not a URL, for a URL with a secret, and for an unencrypted one."""
    parts = split(url)
    if has_secrets(url):
        raise ConfigurationError(
            f"The {name} {shown(url)} contains a user name or a password.",
            detail="URLs end up in logs, where everyone can read them, so this one is not used.",
            hints=(
                "Remove them from the address, and treat the password as exposed if it was ever committed or logged.",
                Hint("Set ", option("user"), ", and ", option("password"), " from a secret."),
            ),
        )
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigurationError(
            f"The {name} {shown(url)!r} is not an http or https address.",
            hints=(f"Write an address like {PYPI.upload}, or one of the names pypi and testpypi.",),
        )
    if parts.query or parts.fragment:
        raise ConfigurationError(
            f"The {name} {shown(url)} has a query or a fragment, which upload addresses do not have.",
            hints=("Remove everything from the first ? or # onwards.",),
        )
    if parts.scheme == "http" and host_of(url) not in _MEANT:
        _refuse_plain_http(url, name, allow_http)


def _refuse_plain_http(url: str, name: str, allow_http: frozenset[str]) -> None:
    host = host_of(url)
    if is_loopback_host(host) or host in {allowed.lower().rstrip(".") for allowed in allow_http}:
        return
    raise ConfigurationError(
        f"The {name} {shown(url)} is plain http.",
        detail="Anyone on the network path could read the credential and modify the files.",
        hints=(
            f"Use https: {shown(url).replace('http:', 'https:', 1)}",
            Hint(
                "If this network is trusted, allow it: ",
                option("allow_http", host),
                " (for passwords and API tokens only, never for Trusted Publishing)",
            ),
        ),
    )


def _elsewhere(url: str, profile: Profile) -> Endpoints:
    """Return the addresses of an index that is neither PyPI nor TestPyPI."""
    root = _root(url)
    simple, certain = _derived_simple(url)
    endpoints = Endpoints(
        name=_name(url),
        profile=IndexProfile.GENERIC,
        upload=url,
        simple=simple[0] if simple else None,
        simple_guesses=() if certain else simple,
        discovery=f"{root}/.well-known/pytp?discover={quote_plus(split(url).path or '/')}",
        audience=f"{root}/_/oidc/audience",
        mint=f"{root}/_/oidc/mint-token",
        burn=f"{root}/_/oidc/burn-token",
    )
    return _pypi_layout(endpoints) if profile == "pypi" else endpoints


def _pypi_layout(endpoints: Endpoints) -> Endpoints:
    """Return *endpoints* with the other services of PyPI, on the same origin."""
    root = _root(endpoints.upload)
    prefix = root + split(endpoints.upload).path.rstrip("/").removesuffix("/legacy").rstrip("/")
    return replace(
        endpoints,
        simple=f"{prefix}/simple/",
        simple_guesses=(),
        json_api=f"{prefix}/pypi/",
        integrity=f"{prefix}/integrity/",
        audience=f"{root}/_/oidc/audience",
        mint=f"{root}/_/oidc/mint-token",
        burn=f"{root}/_/oidc/burn-token",
        web=f"{prefix}/project/",
    )


def _derived_simple(url: str) -> tuple[tuple[str, ...], bool]:
    """Return where the Simple API of an upload URL may be, and whether that is certain; nothing for unknown shapes."""
    cloudsmith = re.fullmatch(_CLOUDSMITH, split(url).path)
    if host_of(url) == "python.cloudsmith.io" and cloudsmith:
        return (f"https://dl.cloudsmith.io/basic/{cloudsmith[1]}/{cloudsmith[2]}/python/simple/",), True
    found = _find_shape(url)
    if found is None:
        return (), True
    shape, match = found
    return tuple(_root(url) + path for path in shape.simple(match)), shape.certain


def _find_shape(url: str) -> tuple[Shape, re.Match[str]] | None:
    path = split(url).path
    for shape in SHAPES:
        match = re.fullmatch(shape.path, path)
        if match and re.fullmatch(shape.host, host_of(url)):
            return shape, match
    return None


def _root(url: str) -> str:
    parts = split(url)
    return f"{parts.scheme}://{parts.netloc}"


def _name(url: str) -> str:
    """Return a short name that distinguishes indexes on one host."""
    parts = split(url)
    path = parts.path.rstrip("/").removesuffix("/legacy")
    return f"{parts.netloc}{path}".lower()
