"""How raw values of settings are read, and how wrong ones are named."""

import re
import shlex
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError

from ci_publish.about import OPTIONS_URL
from ci_publish.errors import ConfigurationError
from ci_publish.model.attestation import AttestationPolicy
from ci_publish.model.byte_counts import format_limit
from ci_publish.model.identity import Secret
from ci_publish.model.publisher_identity import PublisherIdentity, parse_identity

_SIZE = re.compile(r"(\d{1,12}) ?([kmg])?(i)?b?", re.IGNORECASE | re.ASCII)
_QUOTED = re.compile(r"'([^']*)'")
_ONE_OF = frozenset({"enum", "literal_error"})
_WORDS = {
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_parsing": "must be a number",
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "finite_number": "must be a finite number",
    "path_type": "must be a path",
}


def parse_attestation_policy(value: object) -> object:
    """``true`` means auto and ``false`` off, as in gh-action-pypi-publish."""
    if isinstance(value, bool):
        return AttestationPolicy.AUTO if value else AttestationPolicy.OFF
    if isinstance(value, str):
        return {"true": "auto", "false": "off"}.get(value.lower(), value.lower())
    return value


def split_setting_lines(value: object) -> object:
    """Split a value that comes as one text, one item a line."""
    if isinstance(value, str):
        return tuple(item.strip() for item in value.splitlines() if item.strip())
    return value


def parse_setting_entries(value: object) -> object:
    """Take a table for ``NAME=VALUE`` lines, as several of them come as one text."""
    if isinstance(value, dict):
        return tuple(f"{name}={level}" for name, level in value.items())
    return split_setting_lines(value)


def split_setting_hosts(value: object) -> object:
    """Split host names at blanks, commas and line ends."""
    return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value


def texts_of_list(value: object) -> tuple[str, ...]:
    """Return the items of a raw value as strings, nothing if it is not a list."""
    return tuple(map(str, value)) if isinstance(value, tuple | list) else ()


def parse_secret_setting(value: object) -> object:
    """Read a secret of one line, without the blanks around it."""
    if not isinstance(value, str):
        return value
    if not value.strip().isprintable():
        message = "must not contain line breaks or control characters"
        raise ValueError(message)
    return Secret(value.strip())


LONGEST_WAIT = 7 * 24 * 3600.0
"""A week: longer than any CI lets a job run, and no number that a lock cannot wait for."""

Seconds = Annotated[float, Field(gt=0, le=LONGEST_WAIT, allow_inf_nan=False)]


class ByteLimit(int):
    """A number of bytes that is shown with a unit: ``25 MiB``, ``off`` for none."""

    def __str__(self) -> str:
        return format_limit(self) if self else "off"


def parse_size_setting(value: object) -> object:
    """Read ``off`` or a number of bytes, with or without a unit: ``25 MiB``, ``10M``, ``1000000``."""
    if not isinstance(value, str):
        return value
    if value.strip().lower() == "off":
        return 0
    found = _SIZE.fullmatch(value.strip())
    if found is None:
        message = "must be off or a size such as 25MiB"
        raise ValueError(message)
    prefix, binary = (found[2] or "").lower(), bool(found[3])
    return int(found[1]) * (1024 if binary else 1000) ** " kmg".index(prefix or " ")


def byte_limit_or_none(stated: int | None) -> ByteLimit | None:
    """Convert ``off`` (0) to no limit, as if nothing was stated."""
    return ByteLimit(stated) if stated else None


LARGEST_LIMIT = ByteLimit(2**50)
"""A petabyte."""

SizeLimit = Annotated[
    int | None, Field(ge=0, le=LARGEST_LIMIT), BeforeValidator(parse_size_setting), AfterValidator(byte_limit_or_none)
]


def require_version_text(value: object) -> object:
    """Require a valid version. Raises ValueError."""
    if isinstance(value, str):
        from packaging.version import Version  # noqa: PLC0415  (for one command)

        try:
            Version(value)
        except ValueError as error:
            message = f"must be a version such as 1.4.2, not {value[:100]!r}"
            raise ValueError(message) from error
    return value


def parse_publisher_identities(value: object) -> object:
    """Read identities of publishers, several one a line. Raises ValueError."""
    items = split_setting_lines(value)
    if not isinstance(items, tuple | list):
        return items
    return tuple(parse_identity(item) if isinstance(item, str) else item for item in items)


def parse_builder_identities(value: object) -> object:
    """Read identities of builders: a workflow, which no environment belongs to. Raises ValueError."""
    found = parse_publisher_identities(value)
    for each in found if isinstance(found, tuple) else ():
        if each.environment is not None:
            message = f"must not contain an environment, because a builder has none: {each}"
            raise ValueError(message)
    return found


def parse_commands(value: object) -> object:
    """Read commands, several one a line, each of which can be split into words. Raises ValueError."""
    items = split_setting_lines(value)
    for item in items if isinstance(items, tuple | list) else ():
        if isinstance(item, str) and not "".join(shlex.split(item)[:1]):
            message = "must not contain an empty command"
            raise ValueError(message)
    return items


Commands = Annotated[tuple[str, ...], BeforeValidator(parse_commands)]
Lines = Annotated[tuple[str, ...], BeforeValidator(split_setting_lines)]
Hosts = Annotated[tuple[str, ...], BeforeValidator(split_setting_hosts)]
Identities = Annotated[tuple[PublisherIdentity, ...], BeforeValidator(parse_publisher_identities)]
Builders = Annotated[tuple[PublisherIdentity, ...], BeforeValidator(parse_builder_identities)]


def refuse_null_characters(values: Mapping[str, object]) -> None:
    """Raise ValueError for a string with a null character, which no file system, variable or URL can contain."""
    for name, value in values.items():
        if any("\0" in str(item) for item in (value if isinstance(value, tuple | list) else (value,))):
            message = f"{name}: must not contain a null character"
            raise ValueError(message)


def wrong_values_error(error: ValidationError, spelled: Mapping[str, str] | None = None) -> ConfigurationError:
    """Return the error that names every wrong value in the user's own words, never showing a secret.

    *spelled* says how the user wrote each option; without it, as a Python argument.
    """
    names = {} if spelled is None else spelled
    found = tuple(_line_for_wrong_option(item, names) for item in error.errors(include_input=False, include_url=False))
    message = f"{'Invalid setting' if len(found) == 1 else f'{len(found)} invalid settings'}: {found[0]}"
    detail = "\n".join((*found[1:], "Settings are read before anything else; nothing was signed or sent."))
    hints: list[str] = []
    for item in error.errors(include_url=False):
        name = str(item["loc"][0]) if item["loc"] else item["msg"].removeprefix("Value error, ").partition(": ")[0]
        if item["type"] in _ONE_OF:
            meant = get_close_matches(str(item["input"]), _QUOTED.findall(str(item.get("ctx", {}).get("expected"))), 1)
            hints += (f"Did you mean {value}?" for value in meant)
        hints.append(f"Correct {names.get(name, name)}; see {OPTIONS_URL}#{name.replace('_', '-')}")
    return ConfigurationError(message, detail=detail, hints=tuple(hints))


def _line_for_wrong_option(item: Mapping[str, Any], spelled: Mapping[str, str]) -> str:
    """Return what is wrong with an option, in plain words where pydantic's message is about its own types."""
    text = item["msg"].removeprefix("Value error, ")
    name, _, rest = text.partition(": ")
    if item["loc"]:
        name, rest = str(item["loc"][0]), f"{text[0].lower()}{text[1:]}"
    limits = {
        name: f"{value:,}" if isinstance(value, int) else f"{value:g}" if isinstance(value, float) else value
        for name, value in item.get("ctx", {}).items()
    }
    if item["type"] in _ONE_OF:
        rest = f"must be one of {', '.join(_QUOTED.findall(str(limits['expected'])))}"
    elif item["type"] == "extra_forbidden":
        rest = "is not an option"
    elif item["type"] in _WORDS:
        rest = _WORDS[item["type"]].format(**limits)
    separator = " " if rest.startswith(("must ", "is not ", "contradicts ")) else ": "
    return f"{spelled.get(name, name)}{separator}{rest}"
