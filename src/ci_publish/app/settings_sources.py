"""Where settings come from: one class for each place, in order of precedence; every value knows its source.

Highest first: what is given for this call (flag or Python argument), input of the GitLab component
(``CI_PUBLISH_INPUT_<INPUT>``), ``CI_PUBLISH_<OPTION>``, action input (``INPUT_<OPTION>``, read only when our own action
says so), ``[tool.ci-publish]`` in pyproject.toml, variables of other upload tools, default.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ci_publish.about import OPTIONS_URL
from ci_publish.app.file_source import FileSource
from ci_publish.app.option_source import EnvironmentSource, Found, OptionSource, refuse_misspelled_option
from ci_publish.app.options import DEFAULT, Option, Origin, Source
from ci_publish.app.other_tools_source import OtherToolsSource
from ci_publish.app.project_file import parent_project_with_destination, read_project_tables
from ci_publish.app.setting_values import wrong_values_error
from ci_publish.app.settings import SOURCES, Settings, declared_options
from ci_publish.errors import ConfigurationError
from ci_publish.hints import Hint, option
from ci_publish.index.endpoints import REHEARSAL_VARIABLE
from ci_publish.model.events import Noted
from ci_publish.model.frozen import frozen
from ci_publish.model.identity import Secret

PREFIX = "CI_PUBLISH_"

# The GitLab component's inputs have names of their own, so that they leave the pipeline's CI_PUBLISH_ variables alone.
COMPONENT_PREFIX = "CI_PUBLISH_INPUT_"

# A second name of CI_PUBLISH_PASSWORD.
TOKEN = "CI_PUBLISH_TOKEN"  # noqa: S105  (a variable's name)

# Set by our own action.yml, so that the INPUT_ variables of somebody else's action are never taken for ours.
ACTION_MARK = "CI_PUBLISH_ACTION"

MARK_HINTS = (
    f"If these inputs are for ci-publish, as in a `docker://` step, add to the step: env: {{{ACTION_MARK}: docker}}",
    "If they belong to another action, unset them for this command: env -u NAME ci-publish …",
)

# Prints the tracebacks of a failure, for bug reports; not an option, since it must work before there are settings.
DEBUG = "CI_PUBLISH_DEBUG"

# Variables with our prefix that are not options.
RESERVED = frozenset({ACTION_MARK, DEBUG, REHEARSAL_VARIABLE, TOKEN, "CI_PUBLISH_STRESS"})
# GitLab's identity tokens are variables, too: this one is for a rehearsal.
_IDENTITY_TOKEN = "_ID_TOKEN"  # noqa: S105  (the end of a variable's name)

# An unknown variable whose name holds one of these was meant to decide where to publish, as whom, or whether.
_SUSPICIOUS = (
    *("TOKEN", "PASSWORD", "SECRET", "URL", "INDEX", "REPOSITORY", "DESTINATION", "TARGET"),
    *("DRY", "REHEARSE", "TEST"),
)


@frozen(kw_only=True)
class Loaded:
    """Validated settings, the origin of every value that is not a default, and notes about them.

    ``objection`` is why a command that contacts an index must stop: what other tools' variables say contradicts these
    settings, or cannot be honoured. ``named_by_project`` holds the entries of ``[[tool.uv.index]]`` that a name of the
    destination stands for.
    """

    settings: Settings
    origins: Mapping[str, Origin]
    notes: tuple[Noted, ...] = ()
    objection: ConfigurationError | None = None
    named_by_project: tuple[str, ...] = ()

    def origin(self, name: str) -> Origin:
        """Return the origin of the value of the option *name*."""
        return self.origins.get(name, DEFAULT)

    def requests(self, name: str) -> bool:
        """Return whether the option *name* was set to something other than its default; a blank secret is nothing."""
        value = getattr(self.settings, name)
        asks = not value.is_blank if isinstance(value, Secret) else value != Settings.model_fields[name].default
        return asks and name in self.origins

    def password_name(self) -> str:
        """Return the name of the password in the user's terms, to begin a sentence with."""
        origin = self.origin("password")
        return {
            Source.INPUT: f"The input {origin.spelled}",
            Source.FLAG: "The password on standard input",
            Source.DEFAULT: "The password",
        }.get(Source(origin.source), origin.spelled)


class ArgumentSource(OptionSource):
    """What is given for this call: flags, or the arguments of ``Settings`` in Python."""

    def __init__(self, given: Mapping[str, Any], source: Source) -> None:
        super().__init__()
        self._given = given
        self._source = source

    def read(self) -> Found:
        """Yield what was given."""
        for name, value in self._given.items():
            spelled = "PATH" if name == "paths" else f"--{name.replace('_', '-')}"
            if self._source is Source.PYTHON:
                spelled = f"Settings({name}=…)"
            yield name, value, Origin(self._source, spelled)


class ComponentSource(EnvironmentSource):
    """Inputs of our GitLab component; empty means "not given".

    GitLab's own types have no empty value. The number -1, and a boolean that equals the option's default, mean "not
    given" as well.
    """

    def read(self) -> Found:
        """Yield the inputs that are given. Raises ConfigurationError for an input that this version does not have."""
        ours = {
            component_input_variable(name): (name, option.input_name)
            for name, option in declared_options().items()
            if option.input_name and option.file
        }
        for key in sorted(self._environ):
            value = self._environ[key]
            if not key.startswith(COMPONENT_PREFIX) or not value:
                continue
            if key not in ours:
                message = f"Unknown input of the GitLab component: {key}."
                raise ConfigurationError(
                    message,
                    detail="It would be silently ignored.",
                    hints=("Use the component and the image from the same release.",),
                )
            name, spelled = ours[key]
            field = Settings.model_fields[name]
            if field.annotation is bool:
                given = value.lower() != str(field.default).lower()
            else:
                given = value != "-1" or field.annotation not in (int, float, float | None)
            if given:
                yield name, value, Origin(Source.COMPONENT, spelled)


class VariableSource(EnvironmentSource):
    """Environment variables with our prefix."""

    def read(self) -> Found:
        """Yield our variables; an empty one counts as not set, except for the password."""
        ours = {
            option_variable(name): name
            for name, option in declared_options().items()
            if option.file or name == "password"
        }
        token = self._password_alias_in_use()
        if token is not None:
            yield "password", self._environ[token], Origin(Source.VARIABLE, token)
        for key in sorted(self._environ):
            if key in ours and (self._environ[key] or ours[key] == "password"):
                yield ours[key], self._environ[key], Origin(Source.VARIABLE, key)
            elif (
                key.startswith(PREFIX)
                and not key.startswith(COMPONENT_PREFIX)
                and not key.endswith(_IDENTITY_TOKEN)
                and key not in {*ours, *RESERVED}
            ):
                refuse_misspelled_option(key, ours, "environment variable")
                if any(word in key for word in _SUSPICIOUS):
                    raise ConfigurationError(
                        f"Unknown environment variable: {key}",
                        detail="It looks like a setting, but would be ignored.",
                        hints=(f"Unset {key}, or use one of the variables that exist: {OPTIONS_URL}",),
                    )
                message = f"Unknown environment variable, ignored: {key}"
                self.notes.append(Noted(slug="unknown-variable", message=message))

    def _password_alias_in_use(self) -> str | None:
        """Return the second name of the password if that one is set."""
        token, password = self._environ.get(TOKEN), self._environ.get(option_variable("password"))
        if token and password and token.strip() != password.strip():
            message = (
                f"{TOKEN} and {option_variable('password')} are set to different values, but they are the same option."
            )
            raise ConfigurationError(message, hints=("Unset one of them.",))
        return TOKEN if token or (token is not None and password is None) else None


class InputSource(EnvironmentSource):
    """Action inputs as the runner sets them: upper-cased, hyphens kept, an input without a value empty."""

    def read(self) -> Found:
        """Yield the inputs of our own actions; warn of inputs that look like ours and are ignored."""
        found = tuple(given_action_inputs(self._environ))
        if self._environ.get(ACTION_MARK):
            for name, spelling, value in found:
                yield name, parse_action_input_value(name, value), Origin(Source.INPUT, spelling)
        elif found:
            names = ", ".join(f"INPUT_{spelling.upper()}" for _, spelling, _ in found)
            message = f"Ignored because {ACTION_MARK} is not set: {names}."
            self.notes.append(Noted(slug="inputs-ignored", message=message, hints=MARK_HINTS))


def load_settings(
    given: Mapping[str, Any], environ: Mapping[str, str], pyproject: Path, *, source: Source = Source.FLAG
) -> Loaded:
    """Merge all sources and validate.

    *given* holds only what was given for this call, as flags or, with *source*, as Python arguments. Raises
    ConfigurationError for wrong values, for variables and keys that are nearly one of ours, for names of indexes that
    are not known, and for a pyproject.toml that cannot be read.
    """
    tables = read_project_tables(pyproject)
    higher = (
        ArgumentSource(given, source),
        ComponentSource(environ),
        VariableSource(environ),
        InputSource(environ),
        FileSource(tables.ours),
    )
    others = OtherToolsSource(environ=environ, tables=tables, higher=higher, in_action=bool(environ.get(ACTION_MARK)))
    sources = (*higher, others)
    passed: dict[str, Any] = {SOURCES: sources}
    try:
        settings = Settings(**passed)
    except ConfigurationError as error:
        origins = _option_origins(sources)
        if isinstance(error.__cause__, ValidationError):
            spelled = {name: origin.spelled for name, origin in origins.items()}
            raise wrong_values_error(error.__cause__, spelled) from error.__cause__
        destination = origins.get("repository_url", DEFAULT).spelled
        if error.summary.startswith("The repository-url ") and "repository-url" not in destination:
            error.detail = f"{error.detail} It comes from {destination}.".strip()
        raise
    origins = _option_origins(sources)
    notes = tuple(note for each in sources for note in each.notes)
    if "repository_url" not in origins:
        notes += tuple(_notes_on_default_destination(environ, pyproject))
    return Loaded(
        settings=others.with_index_urls(settings),
        origins=origins,
        notes=notes,
        objection=others.objection,
        named_by_project=others.named_by_project,
    )


def _notes_on_default_destination(environ: Mapping[str, str], pyproject: Path) -> Iterator[Noted]:
    """Yield notes about values that may have been meant as the destination, if none is set."""
    variable = option_variable("repository_url")
    if variable in environ:
        message = f"{variable} is set but empty, which counts as not set: the destination is PyPI."
        hint = Hint("If PyPI is meant, say so: ", option("repository_url", "pypi"))
        yield Noted(slug="empty-destination", message=message, hints=(hint,))
    parent = parent_project_with_destination(pyproject)
    if parent is not None:
        message = f"The repository-url in {parent} is not used: only the pyproject.toml of the current folder is read."
        hint = Hint("Run in that folder, or specify the destination: ", option("repository_url", "URL"))
        yield Noted(slug="destination-in-parent-folder", message=message, hints=(hint,))


def _option_origins(sources: Sequence[OptionSource]) -> dict[str, Origin]:
    return {name: origin for source in reversed(sources) for name, origin in source.origins.items()}


def component_input_variable(name: str) -> str:
    """Return the variable in which the GitLab component passes its input for the option *name*."""
    return f"{COMPONENT_PREFIX}{declared_options()[name].input_name}".replace("-", "_").upper()


def given_action_inputs(environ: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Yield option, spelling and value of every input that is given, with or without our mark.

    The runner sets them upper-cased, keeps their hyphens, and sets an input without a value to the empty text.
    """
    for name, declared in declared_options().items():
        for spelling in action_input_spellings(declared):
            if value := environ.get(f"INPUT_{spelling.upper()}", "").strip():
                yield name, spelling, value
                break


def option_variable(name: str) -> str:
    """Return the environment variable of the option *name*."""
    return PREFIX + name.upper()


def action_input_spellings(option: Option) -> tuple[str, ...]:
    """Return an input's name and its deprecated snake_case alias, which gh-action-pypi-publish still accepts."""
    name = option.input_name
    return tuple(dict.fromkeys((name, name.replace("-", "_")))) if name else ()


def parse_action_input_value(name: str, value: str) -> object:
    """Apply gh-action-pypi-publish's truth rule: anything but ``false`` is true."""
    field = Settings.model_fields[name]
    if field.annotation is bool:
        return value.lower() != "false"
    if name == "attestations" and value.lower() not in {"false", "required", "if-possible", "off"}:
        return True
    return value
