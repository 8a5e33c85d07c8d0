"""Secrets from the keyring (the extra ``keyring``): at a terminal, and in CI if the user requests it."""

import sys
from collections.abc import Callable, Mapping

from ci_publish.errors import ConfigurationError
from ci_publish.identity.static_credentials import TOKEN_USER
from ci_publish.model.frozen import frozen
from ci_publish.model.identity import Secret


@frozen
class KeyringEntry:
    """A keyring's entry for an address. ``user`` may be defined by the back end, such as ``oauth2accesstoken``."""

    user: str
    secret: Secret


Keyring = Callable[[str, str], KeyringEntry | None]
"""Looks up an address and a user."""

Lookup = Callable[[str, str | None], tuple[str, str] | None]
"""Returns user and password; without a user, those that the back end gives for the address."""


def keyring_at_terminal(
    environ: Mapping[str, str],
    *,
    at_terminal: Callable[[], bool] = lambda: sys.stdin is not None and sys.stdin.isatty(),
    lookup: Callable[[], Lookup | None] | None = None,
) -> Keyring | None:
    """Return a function that looks up a secret by address and user; None in CI, without a terminal or the extra.

    A keyring that fails (locked, no back end) counts as one without the secret.
    """
    if environ.get("CI") or not at_terminal():
        return None
    found = (lookup or import_keyring)()
    return None if found is None else lambda address, user: _look_up_keyring_secret(found, address, user)


def requested_keyring(lookup: Callable[[], Lookup | None] | None = None) -> Keyring:
    """Return the keyring that the user requested. Raises ConfigurationError if it is not installed."""
    found = (lookup or import_keyring)()
    if found is None:
        from ci_publish.installation import Installation  # noqa: PLC0415  (late: hardly ever needed)

        message = "The option keyring needs the extra `keyring`, which is not installed."
        raise ConfigurationError(
            message,
            hints=(
                f"Install it: {Installation.current().install('keyring')}",
                "Artifact Registry also needs keyrings.google-artifactregistry-auth.",
                "CodeArtifact also needs keyrings.codeartifact.",
            ),
        )
    return lambda address, user: _look_up_keyring_secret(found, address, user)


def import_keyring() -> Lookup | None:
    """Return a lookup in ``keyring``; None if the extra is not installed."""
    try:
        import keyring  # noqa: PLC0415  (an extra, and slow to import)
    except ImportError:
        return None

    def look_up_secret(address: str, user: str | None) -> tuple[str, str] | None:
        if user is not None:
            password = keyring.get_password(address, user)
            return None if password is None else (user, password)
        credential = keyring.get_credential(address, None)
        return None if credential is None else (credential.username, credential.password)

    return look_up_secret


def _look_up_keyring_secret(lookup: Lookup, address: str, user: str) -> KeyringEntry | None:
    """Look up *user*'s secret; for ``__token__``, then also that of the back end's own user."""
    for name in (user, None) if user == TOKEN_USER else (user,):
        try:
            found = lookup(address, name)
        except Exception:  # noqa: BLE001, S112  (back ends raise any exception; the next lookup may succeed)
            continue
        if found is not None and found[1]:
            return KeyringEntry(found[0], Secret(found[1]))
    return None
