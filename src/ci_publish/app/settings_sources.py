"""Where settings come from: every source turned into raw values, the highest first, each with what the user wrote."""

import re
from collections.abc import Iterator, Mapping, MutableMapping
from pathlib import Path
from typing import Any

from ci_publish.app.settings import Option, Settings, options, validated
from ci_publish.errors import ConfigurationError
from ci_publish.model.events import Noted
from ci_publish.model.frozen import frozen
from ci_publish.model.identity import Secret

PREFIX = "CI_PUBLISH_"

# The GitLab component's inputs have names of their own, so that they leave the pipeline's CI_PUBLISH_ variables alone.
COMPONENT_PREFIX = "CI_PUBLISH_INPUT_"

# Set by our own action.yml, so that the INPUT_ variables of somebody else's action are never taken for ours.
ACTION_MARK = "CI_PUBLISH_ACTION"

MARK_HINTS = (
    f"If these inputs are for ci-publish, as in a `docker://` step, add to the step: env: {{{ACTION_MARK}: docker}}",
    "If they belong to another action, clear them for this command: env -u NAME ci-publish …",
)

# Variables with our prefix that are not options.
RESERVED = frozenset({ACTION_MARK, "CI_PUBLISH_STRESS"})

FOREIGN = {
    "twine": {
        "TWINE_REPOSITORY_URL": "repository_url",
        "TWINE_USERNAME": "user",
        "TWINE_PASSWORD": "password",
    },
    "uv": {
        "UV_PUBLISH_URL": "repository_url",
        "UV_PUBLISH_USERNAME": "user",
        "UV_PUBLISH_TOKEN": "password",
        "UV_PUBLISH_PASSWORD": "password",
    },
}


@frozen
class Origin:
    """Where a value came from: a source's name, and how the user spelled the option there."""

    source: str
    spelled: str


DEFAULT = Origin("default", "default")


@frozen
class Loaded:
    """Validated settings, the origin of every value that is not a default, and what people should know about them."""

    settings: Settings
    origins: Mapping[str, Origin]
    notes: tuple[Noted, ...] = ()

    def origin(self, name: str) -> Origin:
        """Return where the option *name* got its value from."""
        return self.origins.get(name, DEFAULT)


def load(flags: Mapping[str, Any], environ: Mapping[str, str], pyproject: Path) -> Loaded:
    """Merge all sources and validate.

    *flags* holds only what stood on the command line. Raises ConfigurationError for wrong values, for variables and
    keys that are nearly one of ours, and for a pyproject.toml that cannot be read.
    """
    values: dict[str, Any] = {}
    origins: dict[str, Origin] = {}
    for found in (_flags(flags), _component_inputs(environ), _variables(environ), _inputs(environ)):
        _merge(values, origins, found)
    notes = (*_merge_foreign(values, origins, environ), *_ignored_inputs(environ))
    _merge(values, origins, _file(pyproject))
    spelled = {name: origin.spelled for name, origin in origins.items()}
    return Loaded(validated(values, spelled), origins, notes)


Found = Iterator[tuple[str, Any, Origin]]


def _merge(values: dict[str, Any], origins: dict[str, Origin], found: Found) -> None:
    for name, value, origin in found:
        if name not in values:
            values[name] = value
            origins[name] = origin


def _flags(flags: Mapping[str, Any]) -> Found:
    for name, value in flags.items():
        spelled = "PATH" if name == "paths" else f"--{name.replace('_', '-')}"
        yield name, value, Origin("flag", spelled)


def variable(name: str) -> str:
    """Return the environment variable of the option *name*."""
    return PREFIX + name.upper()


def forget_secrets(environ: MutableMapping[str, str]) -> None:
    """Remove the variables that hold a password or an API token, once they are read: no child of ours gets them."""
    foreign = (name for tool in FOREIGN.values() for name, option in tool.items() if option == "password")
    inputs = (f"INPUT_{spelling.upper()}" for spelling in _spellings(options()["password"]))
    for name in (variable("password"), *foreign, *inputs):
        environ.pop(name, None)


def component_variable(name: str) -> str:
    """Return the variable in which the GitLab component passes its input for the option *name*."""
    return COMPONENT_PREFIX + options()[name].inputs[0].replace("-", "_").upper()


def _component_inputs(environ: Mapping[str, str]) -> Found:
    """Read the GitLab component's inputs; empty means "not given".

    GitLab's own types have no empty value. The number -1, and a boolean that equals the option's default, mean "not
    given" as well. Raises ConfigurationError for an input that this version does not have.
    """
    ours = {component_variable(name): name for name, option in options().items() if option.inputs and option.file}
    for key in sorted(environ):
        if not key.startswith(COMPONENT_PREFIX) or not environ[key]:
            continue
        if key not in ours:
            message = f"Unknown input of the GitLab component: {key}."
            raise ConfigurationError(
                message,
                detail="It would be ignored in silence.",
                hints=("Use the component and the image of the same release.",),
            )
        name = ours[key]
        if _is_given(name, environ[key]):
            yield name, environ[key], Origin("component input", options()[name].inputs[0])


def _is_given(name: str, value: str) -> bool:
    field = Settings.model_fields[name]
    if field.annotation is bool:
        return value.lower() != str(field.default).lower()
    return not (field.annotation in (int, float, float | None) and value == "-1")


def _variables(environ: Mapping[str, str]) -> Found:
    ours = {variable(name): name for name, option in options().items() if option.file or name == "password"}
    for key in sorted(environ):
        if key in ours and (environ[key] or ours[key] == "password"):
            yield ours[key], environ[key], Origin("environment", key)
        elif key.startswith(PREFIX) and not key.startswith(COMPONENT_PREFIX) and key not in {*ours, *RESERVED}:
            _refuse_near_miss(key, ours, "environment variable")


def _inputs(environ: Mapping[str, str]) -> Found:
    """Read the inputs of our own actions."""
    if environ.get(ACTION_MARK):
        for name, spelling, value in given_inputs(environ):
            yield name, input_value(name, value), Origin("action input", spelling)


def given_inputs(environ: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Yield option, spelling and value of every input that is given, whoever gave it.

    The runner sets them upper-cased, keeps their hyphens, and sets an input without a value to the empty text.
    """
    for name, option in options().items():
        for spelling in _spellings(option):
            if value := environ.get(f"INPUT_{spelling.upper()}", "").strip():
                yield name, spelling, value
                break


def _ignored_inputs(environ: Mapping[str, str]) -> tuple[Noted, ...]:
    """Warn of inputs that look like ours and are ignored, because no action of ours says that they are."""
    found = () if environ.get(ACTION_MARK) else tuple(given_inputs(environ))
    if not found:
        return ()
    names = ", ".join(f"INPUT_{spelling.upper()}" for _, spelling, _ in found)
    message = f"Ignored because {ACTION_MARK} is not set: {names}."
    return (Noted("inputs-ignored", message, hints=MARK_HINTS),)


def _spellings(option: Option) -> Iterator[str]:
    """Yield an input's name and its deprecated snake_case alias, which gh-action-pypi-publish still takes."""
    for name in option.inputs:
        yield name
        if "-" in name:
            yield name.replace("-", "_")


def input_value(name: str, value: str) -> object:
    """Apply gh-action-pypi-publish's truth rule: anything but ``false`` is true."""
    field = Settings.model_fields[name]
    if field.annotation is bool:
        return value.lower() != "false"
    if name == "attestations" and value.lower() not in {"false", "auto", "required", "if-possible", "off"}:
        return True
    return value


def _merge_foreign(values: dict[str, Any], origins: dict[str, Origin], environ: Mapping[str, str]) -> tuple[Noted, ...]:
    """Take twine's or uv's variables, only where nothing of ours says where to publish or as whom."""
    if {"repository_url", "user", "password", "password_stdin", "anonymous"} & values.keys():
        return ()
    for tool, names in FOREIGN.items():
        found = {key: name for key, name in names.items() if environ.get(key)}
        if found:
            _merge(
                values,
                origins,
                ((name, environ[key], Origin(f"{tool}'s variable", key)) for key, name in found.items()),
            )
            message = f"Using {', '.join(found)} of {tool}, because nothing of ci-publish's own is set."
            return (Noted("foreign-variables", message, warning=False),)
    return ()


def _file(pyproject: Path) -> Found:
    found = table(pyproject)
    ours = {name: option for name, option in options().items() if option.file}
    for key, value in found.items():
        name = key.replace("-", "_")
        if name in ours:
            yield name, _file_value(value), Origin("pyproject.toml", f"[tool.ci-publish] {key}")
        elif name in {"password", "user_password", "token"}:
            message = f"[tool.ci-publish] {key}: a secret does not belong into a file."
            raise ConfigurationError(
                message,
                detail="Whoever can read the repository, or an sdist of it, could publish.",
                hints=(
                    "Use Trusted Publishing, or set CI_PUBLISH_PASSWORD from your CI's secret store.",
                    "Revoke this one.",
                ),
            )
        else:
            _refuse_near_miss(key, dict.fromkeys(name.replace("_", "-") for name in ours), "key of [tool.ci-publish]")


def _file_value(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def table(pyproject: Path) -> Mapping[str, Any]:
    """Return ``[tool.ci-publish]``, empty where there is none. Raises ConfigurationError for a broken file."""
    try:
        content = pyproject.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise _unreadable(pyproject, error) from error
    import tomllib  # noqa: PLC0415  (late: few jobs that publish have the file)

    try:
        found = tomllib.loads(content.decode()).get("tool", {}).get("ci-publish", {})
    # tomllib's own, and UnicodeDecodeError, are ValueErrors; arrays may be nested deeper than Python goes
    except (ValueError, AttributeError, RecursionError) as error:
        raise _unreadable(pyproject, error) from error
    if not isinstance(found, dict):
        message = "[tool.ci-publish] is not a table."
        raise ConfigurationError(message, hints=("Write the keys below a line that says [tool.ci-publish].",))
    return found


def _unreadable(pyproject: Path, error: Exception) -> ConfigurationError:
    message = f"{pyproject.name} cannot be read: {error}"
    return ConfigurationError(message, hints=("Correct the file, or run in another folder.",))


def _refuse_near_miss(key: str, ours: Mapping[str, object], kind: str) -> None:
    """Refuse a name that is nearly one of ours; leave all others alone."""
    import difflib  # noqa: PLC0415  (late: hardly ever needed)

    normal = {name.replace("-", "_").upper(): name for name in ours}
    near = difflib.get_close_matches(key.replace("-", "_").upper(), normal, n=1, cutoff=0.86)
    if near:
        message = f"There is no {kind} {key}."
        why = "Nobody would read it, and what it says would silently not happen."
        raise ConfigurationError(message, detail=why, hints=(f"Did you mean {normal[near[0]]}?",))


def shown(name: str, settings: Settings) -> str:
    """Return the value of an option for people; a secret is only said to be there, also one inside an address."""
    value = getattr(settings, name)
    if isinstance(value, Secret):
        return "***" if value else "(empty)"
    if name in {"repository_url", "index_url"} and value is not None:
        value = without_secrets(value)
    if isinstance(value, tuple):
        return ", ".join(str(item) for item in value)
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


_IN_ADDRESS = re.compile(r"(?<=//).*(?=@)|(?<=[?#]).+")


def without_secrets(addresses: tuple[str, ...] | str) -> tuple[str, ...] | str:
    """Hide what addresses must not hold (it is refused later, but shown before): user, password, query."""
    if isinstance(addresses, tuple):
        return tuple(_IN_ADDRESS.sub("***", address) for address in addresses)
    return _IN_ADDRESS.sub("***", addresses)
