"""Keeps secrets out of logs: announces them to the runner first, and redacts them in all text.

The second of the two places that may call ``Secret.reveal()`` (the other is the client that sends it).
"""

import base64
import contextlib
import json
import re
import threading
from collections.abc import Iterable, Iterator
from typing import TextIO
from urllib.parse import quote, quote_plus

from ci_publish.model.identity import Secret
from ci_publish.reports.neutral import mask_command_data

MASK = "***"
# Shorter texts occur in every log by chance: hiding them would hide the log, and protects nothing.
_SHORTEST = 4
# A text that is cut may end within a secret: a long form is remembered in pieces of this length, and a word that
# contains one is hidden, so that no more than twice its length of a long secret can be left.
_PIECE = 12
_LONG = 32
_WORD = re.compile(rf"[A-Za-z0-9_.+/-]{{{_PIECE},}}")


class Masker:
    """Announces secrets to the runner and removes them from text. Thread-safe.

    With *on* (a GitHub runner listens to *stream*), each form of a secret is written as ``::add-mask::`` and flushed at
    once, before ``mask`` returns. Without, they are only remembered for ``redact``. The runner listens to stdout and
    stderr: where stdout is a JSON document, pass stderr.
    """

    def __init__(self, stream: TextIO, *, on: bool) -> None:
        self._stream = stream
        self._on = on
        self._lock = threading.Lock()
        self._known: set[str] = set()
        self._longest_first: tuple[str, ...] = ()
        self._pieces: frozenset[str] = frozenset()

    def mask(self, secret: Secret, *, users: Iterable[str] = ("__token__",)) -> None:
        """Hide *secret* from now on: as it is, line by line, in base64 (alone and after each of *users*), URL-encoded.

        *users* are the names that it may be sent with in a Basic authorization header, which servers echo.
        """
        with self._lock:
            forms = dict.fromkeys(_secret_forms(secret.reveal(), users))  # each once, the plain one first
            new = [form for form in forms if form.strip() and form not in self._known]
            if not new:
                return
            self._known.update(new)
            redacted = (form for form in self._known if len(form) >= _SHORTEST)
            self._longest_first = tuple(sorted(redacted, key=len, reverse=True))
            for form in (form for form in new if len(form) >= _LONG):
                self._pieces |= {form[start : start + _PIECE] for start in range(0, len(form) - _PIECE + 1, _PIECE)}
            if self._on:
                # A closed stream shows nothing: there is nothing to hide, and the run must go on to burn its token.
                with contextlib.suppress(OSError):
                    self._stream.write("".join(f"::add-mask::{mask_command_data(form)}\n" for form in new))
                    self._stream.flush()

    def redact(self, text: str) -> str:
        """Return *text* with every known form of every secret replaced by ``***``, also those that were cut short.

        The last defence, not the first.
        """
        for form in self._longest_first:
            if form in text:
                text = text.replace(form, MASK)
        return _WORD.sub(self._mask_if_secret, text) if self._pieces else text

    def _mask_if_secret(self, word: re.Match[str]) -> str:
        found, pieces = word[0], self._pieces
        known = any(found[start : start + _PIECE] in pieces for start in range(len(found) - _PIECE + 1))
        return MASK if known else found


def _secret_forms(raw: str, users: Iterable[str]) -> Iterator[str]:
    """Yield the texts under which *raw* may show up in a log, the plain one first."""
    yield raw
    if not raw.strip():
        return
    for line in raw.splitlines():
        if len(line.strip()) >= _SHORTEST:
            yield line.strip()
    yield from _base64_secret_forms(raw)
    for user in users:
        yield from _base64_secret_forms(f"{user}:{raw}")
    yield quote(raw, safe="")
    yield quote(raw)
    yield quote_plus(raw)
    yield json.dumps(raw)[1:-1]


def _base64_secret_forms(text: str) -> Iterator[str]:
    """Yield both alphabets without the padding, so that a form is found with and without it."""
    data = text.encode("utf-8", "surrogateescape")
    yield base64.b64encode(data).decode("ascii").rstrip("=")
    yield base64.urlsafe_b64encode(data).decode("ascii").rstrip("=")
