"""Inputs of an action that no action of ours marked as its own, and that would be ignored.

A `docker://` step passes its inputs without our mark: with ``rehearse: true`` it would publish to PyPI.
"""

from collections.abc import Mapping

from ci_publish.app.settings import Settings
from ci_publish.app.settings_sources import ACTION_MARK, MARK_HINTS, given_action_inputs, parse_action_input_value
from ci_publish.app.settings_view import addresses_without_secrets
from ci_publish.errors import ConfigurationError
from ci_publish.index.endpoints import resolve_endpoints

# Decide whether and where anything is published, so they are never ignored in silence.
_DECISIVE = frozenset({"rehearse", "dry_run", "repository_url"})

# The commands that never upload, sign or request an identity.
_HARMLESS = frozenset({"check", "diff", "verify", "settings"})


def refuse_ignored_inputs(command: str, settings: Settings, environ: Mapping[str, str]) -> None:
    """Raise ConfigurationError for an ignored input whose intent this run would not follow."""
    if environ.get(ACTION_MARK) or command in _HARMLESS:
        return
    for name, spelling, text in given_action_inputs(environ):
        value = parse_action_input_value(name, text)
        if name in _DECISIVE and not _does_what_input_asks(command, settings, name, value):
            said = addresses_without_secrets(text) if name == "repository_url" else text
            message = f"INPUT_{spelling.upper()} is {said}, but this run would ignore it."
            detail = f"Inputs are read only where {ACTION_MARK} is set, as our actions set it."
            raise ConfigurationError(message, detail=detail, hints=MARK_HINTS)


def _does_what_input_asks(command: str, settings: Settings, name: str, value: object) -> bool:
    """Return whether *command* with *settings* does what the input *name* asks for anyway."""
    match name:
        case "rehearse":
            return not value or command == "rehearse" or settings.rehearse
        case "dry_run":
            return not value or command in {"plan", "rehearse"} or settings.dry_run or settings.rehearse
        case _:
            asked = [line.strip() for line in str(value).splitlines() if line.strip()]
            return [*map(_upload_url_of_address, asked)] == [*map(_upload_url_of_address, settings.repository_url)]


def _upload_url_of_address(address: str) -> str:
    """Return the upload URL that *address*, which may be a name, stands for; *address* itself if it is wrong."""
    try:
        return resolve_endpoints(address).upload
    except ConfigurationError:
        return address
