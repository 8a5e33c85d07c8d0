"""The upstream for projects that are not rehearsed: the one that the user names, or pip's, or PyPI."""

import ast
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlunsplit
from urllib.request import url2pathname

from ci_publish.errors import ConfigurationError
from ci_publish.hints import Hint, option
from ci_publish.http.messages import Authorization, BasicAuthorization
from ci_publish.http.transport import HttpTransport
from ci_publish.http.urls import is_loopback_url, redacted_url, split_url, url_has_secrets, url_host
from ci_publish.model.events import Noted
from ci_publish.model.frozen import frozen
from ci_publish.model.identity import Secret
from ci_publish.rehearsal.upstream import (
    DistributionFolder,
    ForwardedIndex,
    RedirectedIndex,
    url_holds_no_credential,
)

PYPI: Final = "https://pypi.org/simple/"
_SECONDS: Final = 30.0
# What counts more comes later: variables, then the section of the command, then the common one.
_SECTIONS: Final = ("global", "install", ":env:")
_LISTED: Final = re.compile(r"^(global|install|:env:)\.(\S+?)=('.*'|\".*\")$", re.MULTILINE)
_NAME_ANOTHER: Final = Hint(
    "Specify the root of a Simple API, such as https://pypi.org/simple/, or a folder of wheels: ",
    option("upstream", "URL"),
)
_IGNORED: Final = ("extra-index-url", "find-links")


@frozen
class UpstreamAddress:
    """The upstream, and the place that names it: empty for the option, which hints spell for the reader.

    ``text`` may hold a password: show it with ``urls.redacted_url`` only.
    """

    text: str
    named_by: str
    notes: tuple[Noted, ...] = ()


def upstream_address(named: str | None, pip: Callable[[], Mapping[str, str]]) -> UpstreamAddress:
    """Return the upstream that is *named*, else the index of *pip*'s settings, else PyPI."""
    if named is not None:
        return UpstreamAddress(named, "")
    settings = pip()
    ignored = [name for name in _IGNORED if settings.get(name)]
    notes = tuple(
        Noted(
            slug="upstream-ignored",
            message=f"pip's setting {name} is not used: dependencies come from one index.",
            warning=False,
            hints=(Hint("Specify an index or a folder that contains all of them: ", option("upstream", "URL")),),
        )
        for name in ignored
    )
    index = settings.get("index-url", "").strip()
    return UpstreamAddress(index, "pip's index-url", notes) if index else UpstreamAddress(PYPI, "the default", notes)


def read_pip_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what pip's configuration files and variables say; empty if this Python has no pip."""
    quiet = ["--disable-pip-version-check", "--no-input"]
    command = [sys.executable, "-I", "-X", "utf8", "-m", "pip", *quiet, "config", "list"]
    try:
        listed = subprocess.run(  # noqa: S603  (pip of this very Python)
            command,
            env={**environ, "PIP_USER": "0", "PIP_GLOBAL": "0", "PIP_SITE": "0"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=_SECONDS,
            check=False,
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return {}
    found = sorted(_LISTED.findall(listed), key=lambda item: _SECTIONS.index(item[0]))
    return {name: " ".join(str(ast.literal_eval(value)).split()) for _, name, value in found}


def open_named_upstream(
    address: UpstreamAddress,
    transport: Callable[[], HttpTransport],
    mask: Callable[[Secret], None],
    *,
    allow_http: frozenset[str] = frozenset(),
    everything: bool = False,
) -> RedirectedIndex | ForwardedIndex | DistributionFolder:
    """Return the upstream at *address*; its password is masked first. Raises ConfigurationError for no such place.

    With *everything*, installers need to reach nothing but the rehearsal.
    """
    text = address.text
    comes_from = f"It comes from {address.named_by}." if address.named_by else ""
    parts = split_url(text)
    if parts.scheme not in {"http", "https"}:
        folder = Path(url2pathname(parts.path)) if parts.scheme == "file" else Path(text)
        if not folder.is_dir():
            raise ConfigurationError(
                f"The upstream is neither a folder nor a URL: {redacted_url(text) if '://' in text else text}",
                detail=comes_from,
                hints=(_NAME_ANOTHER,),
            )
        return DistributionFolder(folder.absolute())
    host = url_host(text)
    if not host:
        message = f"The upstream {redacted_url(text)} names no host."
        raise ConfigurationError(message, detail=comes_from, hints=(_NAME_ANOTHER,))
    plain = parts.scheme == "http" and not is_loopback_url(text)
    if plain and host not in allow_http:
        raise ConfigurationError(
            f"The upstream {redacted_url(text)} is plain http.",
            detail=f"{comes_from} Anyone on the network path could replace what is installed.".strip(),
            hints=(Hint("Use https, or allow it: ", option("allow_http", host)),),
        )
    if url_holds_no_credential(text) and not plain and not everything:
        return RedirectedIndex(text)
    return ForwardedIndex(
        url=urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment="")),
        authorization=_upstream_authorization(text, mask),
        transport=transport(),
        everything=everything,
    )


def _upstream_authorization(url: str, mask: Callable[[Secret], None]) -> Authorization | None:
    """Return the user and password in *url*; a user alone is a token, as pip sends it."""
    if not url_has_secrets(url):
        return None
    parts = split_url(url)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    for text in filter(None, (password or user, parts.password or parts.username)):
        mask(Secret(text))
    return BasicAuthorization(user, Secret(password))
