"""An index by name: `pypi`, `testpypi`, an entry of ``[[tool.uv.index]]``, a section of ``.pypirc``.

A ``.pypirc`` is read only to look up a given name, or if ``--config-file`` names it; never because it exists.
"""

import configparser
import errno
import os
import re
import stat
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Final, NoReturn

from ci_publish.errors import ConfigurationError
from ci_publish.hints import Hint, option
from ci_publish.http.urls import redacted_url
from ci_publish.index.endpoints import PYPI, TESTPYPI
from ci_publish.model.events import Noted
from ci_publish.model.frozen import frozen
from ci_publish.model.identity import Secret
from ci_publish.regular_files import read_settings_file

MAX_LINES: Final = 5_000
"""Lines of a .pypirc. The parser's message about lines that it cannot read takes time that grows with their square."""

KNOWN = {"pypi": PYPI.upload, "testpypi": TESTPYPI.upload}
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_OTHERS_READ = stat.S_IRGRP | stat.S_IROTH


@frozen(kw_only=True)
class NamedIndex:
    """The index that a name refers to. ``where`` is where it is defined; ``user`` and ``password`` are from .pypirc.

    ``in_project``: that place is the checkout's pyproject.toml.
    """

    name: str
    upload: str
    where: str
    simple: str | None = None
    user: str | None = None
    password: Secret | None = None
    in_project: bool = False


class IndexNames:
    """Looks names up in one project and one ``.pypirc``; the file is read when it is first needed.

    *named* tells that ``--config-file`` names the file, which must be readable then.
    """

    def __init__(self, uv_indexes: object, pypirc: Path | None, *, named: bool = False) -> None:
        self._uv = [entry for entry in uv_indexes if isinstance(entry, dict)] if isinstance(uv_indexes, list) else []
        self._path = pypirc
        self._named = named
        self.notes: list[Noted] = []

    def find(self, name: str, spelled: str) -> NamedIndex:
        """Return the index that *name* refers to; *spelled* is where it was given. Raises ConfigurationError."""
        known = KNOWN.get(name.lower())
        if known is not None:
            for entry in self._uv:
                upload = entry.get("publish-url")
                if str(entry.get("name")).lower() == name.lower() and isinstance(upload, str):
                    _require_known_index(name.lower(), known, upload, "[[tool.uv.index]]")
            return NamedIndex(name=name.lower(), upload=known, where="PyPI's own names")
        uv = next((entry for entry in self._uv if entry.get("name") == name), None)
        if uv is not None:
            upload, simple = uv.get("publish-url"), uv.get("url")
            if not isinstance(upload, str) or not upload:
                raise ConfigurationError(
                    f"{spelled} names the index {name}, whose entry of [[tool.uv.index]] has no publish-url.",
                    hints=(f'Add it to the entry: publish-url = "https://…" (the upload URL of {name}).',),
                )
            where, simple = f"[[tool.uv.index]] {name}", simple if isinstance(simple, str) else None
            return NamedIndex(name=name, upload=upload, where=where, simple=simple, in_project=True)
        return self.pypirc_section(name) or self._raise_unknown_index(name, spelled)

    def look_up(self, address: str, spelled: str) -> NamedIndex | str:
        """Return the URL that *address* refers to if it is a name, else *address* itself. Raises ConfigurationError."""
        return self.find(address.strip(), spelled) if is_index_name(address) else address.strip()

    def upload_url(self, address: str, spelled: str) -> str:
        """Return the upload URL of *address*, which may be a name. Raises ConfigurationError."""
        found = self.look_up(address, spelled)
        return found if isinstance(found, str) else found.upload

    def pypirc_section(self, name: str) -> NamedIndex | None:
        """Return the section *name* of ``.pypirc``, None if there is none. Raises ConfigurationError."""
        if not self._pypirc.has_section(name):
            return None
        values = {key: value.strip() for key, value in self._pypirc.items(name)}
        known = KNOWN.get(name.lower())
        upload = values.get("repository") or known
        if upload is None:
            message = f"[{name}] in {self._path} has no `repository`."
            raise ConfigurationError(message, hints=(f"Add the upload URL below [{name}]: repository = https://…",))
        if known is not None:
            _require_known_index(name, known, upload, str(self._path))
        secret = values.get("password")
        where = f"{self._path} [{name}]"
        user = values.get("username") or None
        return NamedIndex(name=name, upload=upload, where=where, user=user, password=Secret(secret) if secret else None)

    @cached_property
    def _pypirc(self) -> configparser.RawConfigParser:
        parser, path = configparser.RawConfigParser(), self._path
        if path is None:
            return parser
        try:
            parser.read_string(_require_bounded_pypirc(read_settings_file(path), path))
            mode = path.stat().st_mode
        except (OSError, UnicodeDecodeError, configparser.Error) as error:
            if isinstance(error, FileNotFoundError) and not self._named:
                return parser
            reason = getattr(error, "strerror", None) or type(error).__name__
            message = f"{path} cannot be read: {reason}."
            raise ConfigurationError(message, hints=("Correct the file, or specify the index by its URL.",)) from error
        if os.name == "posix" and mode & _OTHERS_READ:
            message = f"{path} can be read by other users of this machine, and it may contain passwords."
            self.notes.append(
                Noted(slug="pypirc-readable-by-others", message=message, hints=(f"Run: chmod 600 {path}",))
            )
        return parser

    def _raise_unknown_index(self, name: str, spelled: str) -> NoReturn:
        names = sorted({*KNOWN, *(str(entry["name"]) for entry in self._uv if entry.get("name"))})
        looked = f" and the sections of {self._path}" if self._path is not None else ""
        raise ConfigurationError(
            f"{spelled} names an unknown index: {name}",
            detail=f"Known names: {', '.join(names)}{looked}.",
            hints=(
                Hint("Write the upload URL instead: ", option("repository_url", "https://…")),
                f'Or add the index to pyproject.toml: [[tool.uv.index]], name = "{name}", publish-url = "https://…"',
            ),
        )


def _require_known_index(name: str, known: str, upload: str, where: str) -> None:
    """Raise ConfigurationError if *where* defines one of PyPI's own names as a different index."""
    if upload.rstrip("/") not in {known.rstrip("/"), f"https://{name.lower()}.org"}:
        raise ConfigurationError(
            f"{name} is a different index in {where}: {redacted_url(upload)}",
            detail=f"In ci-publish, {name} always means {known}.",
            hints=(Hint("Specify the index by its URL: ", option("repository_url", redacted_url(upload))),),
        )


def _require_bounded_pypirc(text: str, path: Path) -> str:
    if text.count("\n") > MAX_LINES:
        raise OSError(errno.EFBIG, f"it has more than {MAX_LINES:,} lines", str(path))
    return text


def pypirc_path(environ: Mapping[str, str]) -> Path | None:
    """Return the path of the user's ``.pypirc``; None if the environment has no home directory."""
    home = environ.get("HOME") or environ.get("USERPROFILE")
    return Path(home) / ".pypirc" if home else None


def is_index_name(address: str) -> bool:
    """Return whether *address* is the name of an index, not a URL."""
    return _NAME.fullmatch(address.strip()) is not None
