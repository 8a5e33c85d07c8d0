"""Action inputs without the mark that our actions set, which would be ignored.

A `docker://` step passes its inputs without that mark: with ``rehearse: true`` it would publish to PyPI.
"""

from collections.abc import Mapping

from ci_publish.app.settings import Settings
from ci_publish.app.settings_sources import ACTION_MARK, MARK_HINTS, given_action_inputs, parse_action_input_value
from ci_publish.app.settings_view import address_without_secrets
from ci_publish.errors import ConfigurationError
from ci_publish.index.endpoints import resolve_endpoints

# The commands that never upload, sign or request an identity.
_HARMLESS = frozenset({"check", "diff", "verify", "settings"})


def refuse_ignored_inputs(command: str, settings: Settings, environ: Mapping[str, str]) -> None:
    """Raise ConfigurationError for an ignored input whose intent this run would not follow.

    Inputs that decide whether and where anything is published are never ignored silently.
    """
    if environ.get(ACTION_MARK) or command in _HARMLESS:
        return
    for name, spelling, text in given_action_inputs(environ):
        value = parse_action_input_value(name, text)
        match name:
            case "rehearse":
                followed = not value or command == "rehearse" or settings.rehearse
            case "dry_run":
                followed = not value or command in {"plan", "rehearse"} or settings.dry_run or settings.rehearse
            case "repository_url":
                asked = [line.strip() for line in str(value).splitlines() if line.strip()]
                followed = [*map(_upload_url, asked)] == [*map(_upload_url, settings.repository_url)]
            case _:
                followed = True
        if not followed:
            said = address_without_secrets(text) if name == "repository_url" else text
            message = f"INPUT_{spelling.upper()} is {said}, but this run would ignore it."
            detail = f"Inputs are read only if {ACTION_MARK} is set, as the ci-publish actions do."
            raise ConfigurationError(message, detail=detail, hints=MARK_HINTS)


def _upload_url(address: str) -> str:
    """Return the upload URL that *address*, which may be a name, refers to; *address* itself if it is invalid."""
    try:
        return resolve_endpoints(address).upload
    except ConfigurationError:
        return address
