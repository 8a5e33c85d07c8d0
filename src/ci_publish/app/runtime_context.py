"""What a run gets from its process, with every front end."""

import os
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import TextIO

from ci_publish.identity.keyring import Keyring
from ci_publish.model.events import Emit, Noted
from ci_publish.model.frozen import frozen
from ci_publish.model.identity import Secret
from ci_publish.publishing.interruption import Interruption


def _ignore_value(_: object) -> None:
    """Ignore an event or a secret."""


@frozen(kw_only=True)
class RuntimeContext:
    """What a run gets from its process: everything that is not a setting.

    ``emit`` takes every event, ``mask`` every secret before any event that could follow from it. ``environ`` says
    which CI this is and where proxies and certificates are. ``password_name`` is what the user calls the password.
    ``keyring`` returns the secret of an address and a user; without it, only ``Settings(keyring=True)`` asks the
    keyring. ``stdout`` is for what a command prints itself. ``reached`` gets the listener that reaches all reports,
    including those that are files.
    """

    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    emit: Emit = _ignore_value
    mask: Callable[[Secret], None] = _ignore_value
    interruption: Interruption | None = None
    password_name: str = "The password"  # noqa: S105  (what it is called)
    keyring: Keyring | None = None
    notes: tuple[Noted, ...] = ()
    stdout: TextIO | None = None
    reached: Callable[[Emit], None] = _ignore_value
