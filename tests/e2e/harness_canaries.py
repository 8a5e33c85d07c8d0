"""Canaries: what is secret in a run is known to the test, said back by the servers, and looked for everywhere."""

import base64
import json
import os
import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

from werkzeug.wrappers import Response

from ci_publish.rehearsal.world import RehearsalWorld

Process = subprocess.Popen[str]
USERS = ("__token__", "alice")
FRAGMENT = 24
_SHOWN = re.compile(r"[\r\n\x00-\x1f\x7f-\U0010ffff]")


@dataclass
class Canaries:
    """Every secret of one run: given to it, or issued to it by the servers while it ran. Thread-safe.

    ``told`` are those that servers have seen, and may say back.
    """

    known: set[str] = field(default_factory=set)
    told: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, *secrets: str, told: bool = False) -> None:
        found = {secret for secret in secrets if len(secret) >= 8}
        with self._lock:
            self.known |= found
            self.told |= found if told else set()

    @contextmanager
    def of(self, world: RehearsalWorld) -> Any:  # noqa: ANN401  (an iterator of None)
        """Note what *world* issues: identity tokens and upload tokens."""
        world.identity_provider.hooks.after = self._noting("value", "/idtoken")
        world.index.hooks.after = self._noting("token", "/_/oidc/mint-token")
        try:
            yield
        finally:
            world.identity_provider.hooks.after = world.index.hooks.after = None

    def _noting(self, key: str, path: str) -> Callable[[Mapping[str, Any], Response], None]:
        def after(environ: Mapping[str, Any], response: Response) -> None:
            if environ["PATH_INFO"] == path and response.status_code == 200:
                self.add(str(json.loads(response.get_data())[key]), told=True)

        return after

    def echo(self, status: int, style: str) -> Callable[[dict[str, Any]], Response]:
        """Answer with every secret that the servers have seen, in the reason phrase, a header and the body."""

        def interpose(environ: dict[str, Any]) -> Response:
            body = environ["wsgi.input"].read()
            self._note_request(environ, body)
            text = " ".join(form for secret in sorted(self.told) for form in sorted(forms(secret)))
            reason = _SHOWN.sub(" ", f"No {environ.get('HTTP_AUTHORIZATION', '')} {text}")[:30_000]
            answer = Response(_body(style, text), status=f"{status} {reason}", content_type=_TYPES[style])
            answer.headers["X-Debug"] = reason[:8_000]
            return answer

        return interpose

    def _note_request(self, environ: Mapping[str, Any], body: bytes) -> None:
        scheme, _, given = str(environ.get("HTTP_AUTHORIZATION", "")).partition(" ")
        if scheme.lower() == "basic":
            self.add(base64.b64decode(given).decode().partition(":")[2], told=True)
        elif given:
            self.add(given, told=True)
        if body.startswith(b"{"):
            token = json.loads(body).get("token")
            self.add(*([token] if isinstance(token, str) else []), told=True)

    def found_in(self, places: Mapping[str, str]) -> set[tuple[str, str]]:
        """Return where something of a secret is to be read: a form of it, or a fragment long enough to help a thief."""
        hidden = {part for secret in self.known for form in forms(secret) for part in (form, *fragments(form))}
        return {(place, part) for place, text in places.items() for part in hidden if part in text}


_TYPES = {"text": "text/plain", "json": "application/json", "html": "text/html", "problem": "application/problem+json"}


def _body(style: str, text: str) -> str:
    match style:
        case "json":
            return json.dumps({"message": text, "errors": [{"code": f"invalid-{text}", "description": text}]})
        case "problem":
            return json.dumps({"title": text, "detail": text, "status": 400})
        case "html":
            return f"<html><head><title>{text}</title></head><body><p>{text}</p></body></html>"
        case _:
            return text


def forms(secret: str) -> set[str]:
    """Return the ways in which *secret* may be written."""
    pairs = {secret, *(f"{user}:{secret}" for user in USERS)}
    plain = {secret, quote(secret, safe=""), quote(secret), quote_plus(secret), json.dumps(secret)[1:-1]}
    encoded = {encode(pair.encode()).decode().rstrip("=") for pair in pairs for encode in _ENCODERS}
    return plain | encoded


_ENCODERS = (base64.b64encode, base64.urlsafe_b64encode)


def fragments(form: str) -> Iterable[str]:
    """Return pieces of a long secret, past its beginning: those of a token's begin alike, and say nothing."""
    return (form[start : start + FRAGMENT] for start in range(40, len(form) - FRAGMENT + 1, 8))


# places -----------------------------------------------------------------------------------------------------------


def without_masks(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if not line.startswith("::add-mask::"))


def written(folder: Path, without: Iterable[str] = ("dist",)) -> dict[str, str]:
    """Return the text of every file below *folder*."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.relative_to(folder).parts[0] not in without]
    return {str(path.relative_to(folder)): path.read_text("utf-8", "backslashreplace") for path in files}


@contextmanager
def command_lines(process: Process) -> Any:  # noqa: ANN401  (an iterator of the set that grows)
    """Sample the command lines of a process and its children for as long as the block runs."""
    seen: set[str] = set()
    over = threading.Event()

    def sample() -> None:
        while not over.is_set():
            for pid in [str(process.pid), *_children(process.pid)]:
                seen.update(_read(Path(f"/proc/{pid}/cmdline")).split("\0"))
            time.sleep(0.03)

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def _children(pid: int) -> list[str]:
    return _read(Path(f"/proc/{pid}/task/{pid}/children")).split()


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8", "backslashreplace")
    except OSError:
        return ""


_WRAPPER = """#!/bin/sh
tr '\\0' '\\n' < /proc/$$/environ | grep -v '^REHEARSAL_ID_TOKEN_REQUEST_TOKEN=' > '{folder}/{name}.environ'
printf '%s\\n' "$0" "$@" > '{folder}/{name}.argv'
exec '{real}' "$@"
"""


def wrap(real: Path, folder: Path) -> None:
    """Put an executable of the same name into *folder* that writes down its environment and arguments first.

    The one variable that is left out is the rehearsal's own, by which its stand-in asks for tokens.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wrapper = folder / real.name
    wrapper.write_text(_WRAPPER.format(folder=folder, name=real.name, real=real), encoding="utf-8")
    wrapper.chmod(0o755)


def with_path(environ: Mapping[str, str], first: Path) -> dict[str, str]:
    return {**environ, "PATH": f"{first}{os.pathsep}{environ['PATH']}{os.pathsep}{os.environ['PATH']}"}
