"""A secret from the person's keyring (the extra ``keyring``): for people at a terminal, never in CI."""

import sys
from collections.abc import Callable, Mapping

from ci_publish.model.identity import Secret

Lookup = Callable[[str, str], str | None]


def keyring_for_people(
    environ: Mapping[str, str],
    *,
    at_terminal: Callable[[], bool] = lambda: sys.stdin is not None and sys.stdin.isatty(),
    lookup: Callable[[], Lookup | None] | None = None,
) -> Callable[[str, str], Secret | None] | None:
    """Return a function that looks a secret up by address and user; None in CI, without a terminal or the extra.

    A keyring that fails (locked, no back end) counts as one without the secret.
    """
    if environ.get("CI") or not at_terminal():
        return None
    found = (lookup or import_keyring)()
    return None if found is None else lambda address, user: _look(found, address, user)


def import_keyring() -> Lookup | None:
    """Return ``keyring.get_password``, or None where the extra is not installed."""
    try:
        from keyring import get_password  # noqa: PLC0415  (an extra, and slow to import)
    except ImportError:
        return None
    return get_password


def _look(lookup: Lookup, address: str, user: str) -> Secret | None:
    try:
        text = lookup(address, user)
    except Exception:  # noqa: BLE001  (back ends raise what they like; without their secret, others are asked for)
        return None
    return Secret(text) if text else None
