"""Whether the checkout's pyproject.toml may determine where secrets and identity tokens are sent.

Anyone who opens a pull request can change that file. Where a run can see such a checkout, the file does not decide
where a secret or an identity goes; elsewhere it does, and the log begins by saying so.
"""

import json
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence

from ci_publish.app.front_end_wording import FrontEnd, FrontEndWording
from ci_publish.app.options import Source
from ci_publish.app.settings import Settings, declared_options
from ci_publish.app.settings_sources import ACTION_MARK, Loaded, option_variable
from ci_publish.app.settings_view import option_value_for_people, option_values_for_people
from ci_publish.errors import ConfigurationError
from ci_publish.hints import Hint, option
from ci_publish.model.attestation import AttestationPolicy
from ci_publish.model.events import Noted

DECISIVE = (
    "repository_url", "index_url", "user", "anonymous", "allow_http", "sigstore_trust_config", "audience",
    "config_file", "publisher", "attested_by", "builder", "source",
)  # fmt: skip
"""The options that say where secrets and identity tokens are sent, or whom to believe."""

_BELIEVED = frozenset({"sigstore_trust_config", "publisher", "attested_by", "builder", "source"})
"""Those that say whom to believe: what ``verify`` finds out rests on them, also where it sends no secret."""

# Workflow events whose runs can have the code of somebody who may not push here. Also recognised by the ref.
_GITHUB_EVENTS = frozenset(
    {
        "pull_request", "pull_request_target", "pull_request_review", "pull_request_review_comment", "workflow_run",
        "issue_comment",
    }
)  # fmt: skip
_PULL_REQUESTS = "refs/pull/"
_GITLAB_SOURCES = frozenset({"merge_request_event", "external_pull_request_event"})
# Set in child pipelines, too, whose source is `parent_pipeline`.
_GITLAB_REQUESTS = ("CI_MERGE_REQUEST_IID", "CI_EXTERNAL_PULL_REQUEST_IID")

_PLAIN = re.compile(r"[A-Za-z0-9_./:@+-]+")


def why_foreign_code_is_visible(environ: Mapping[str, str]) -> str:
    """Return why a run may contain untrusted code, as the CI calls it; empty if it cannot.

    Sources: GitHub's "Events that trigger workflows", GitLab's "Predefined CI/CD variables", Buildkite's and CircleCI's
    lists of variables.
    """
    event = environ.get("GITHUB_EVENT_NAME", "")
    if event in _GITHUB_EVENTS:
        return event
    if environ.get("GITHUB_REF", "").startswith(_PULL_REQUESTS):
        return environ["GITHUB_REF"]
    source = environ.get("CI_PIPELINE_SOURCE", "")
    if source in _GITLAB_SOURCES:
        return source
    names = [name for name in _GITLAB_REQUESTS if environ.get(name)]
    if environ.get("BUILDKITE_PULL_REQUEST", "false") not in {"", "false"}:
        names.append("BUILDKITE_PULL_REQUEST")
    if environ.get("CIRCLE_PR_NUMBER"):
        names.append("CIRCLE_PR_NUMBER")
    return f"{names[0]} is set" if names else ""


def refuse_untrusted_project_settings(
    reader: FrontEndWording, settings: Settings, loaded: Loaded, environ: Mapping[str, str]
) -> None:
    """Raise ConfigurationError if a file that others can change would determine where secrets are sent.

    The command of *reader* and *settings* are what the run does. ``check``, ``diff`` and ``rehearse`` send none; nor
    does ``verify`` without a password, but the file does not decide whose provenance it believes, or that it looks for
    none. Nor does the file make rules of the checks weaker for those that send; stricter ones are always honoured.
    """
    command = reader.command
    why = why_foreign_code_is_visible(environ)
    if not why or loaded.settings.trust_project_settings:
        return
    sends = _sends_secret_or_identity(command, settings)
    found = _untrusted_project_settings(command, settings, loaded, sends=sends)
    if not found:
        return
    decides = "where secrets and identity tokens are sent" if sends else "whose provenance is trusted"
    if found.keys() == {"rules"}:
        decides = "which problems stop a run"
    outside = _lines_that_set_options(reader, found, loaded.settings, environ)
    names = " and ".join(name.replace("_", "-") for name in found)
    raise ConfigurationError(
        f"{command} would take {names} from pyproject.toml, in a run that may contain untrusted code ({why}).",
        detail=f"Anyone who opens a pull request can change that file, and thereby {decides}:\n"
        + "\n".join(f"{where}: {option_value_for_people(name, loaded.settings)}" for name, where in found.items()),
        hints=(
            f"If the values are correct, set them outside the file: {outside}",
            Hint("If nobody else can change this checkout: ", option("trust_project_settings", "true")),
        ),
    )


def _untrusted_project_settings(command: str, settings: Settings, loaded: Loaded, *, sends: bool) -> dict[str, str]:
    """Return the options that the file must not decide for *command*, with the place in it."""
    decided = frozenset(DECISIVE) if sends else _BELIEVED if command == "verify" else frozenset()
    found = {name: where for name, where in _options_decided_by_project(loaded).items() if name in decided}
    provenance, rules = loaded.origin("attestations"), loaded.origin("rules")
    if command == "verify" and provenance.source == Source.FILE and settings.attestations is AttestationPolicy.OFF:
        found["attestations"] = provenance.spelled
    if sends and rules.source == Source.FILE:
        from ci_publish.distributions.checks.severities import weakens_any_rule  # noqa: PLC0415  (late, see ``Composition.compose_run``)

        if weakens_any_rule(settings.rules):
            found["rules"] = rules.spelled
    return found


def project_destination_notes(command: str, loaded: Loaded) -> tuple[Noted, ...]:
    """Return the note with which a run begins if pyproject.toml names the destination of *command*."""
    if command not in {"publish", "plan", "diff", "verify", "rehearse", "doctor"}:
        return ()
    told = [
        f"{option_value_for_people(name, loaded.settings)} ({where})"
        for name, where in _options_decided_by_project(loaded).items()
        if name in {"repository_url", "index_url"}
    ]
    message = f"The destination comes from pyproject.toml: {', '.join(told)}."
    return (Noted(slug="destination-from-project", message=message, warning=False),) if told else ()


def _sends_secret_or_identity(command: str, settings: Settings) -> bool:
    """Return whether a command would send a secret or request an identity."""
    if command in {"publish", "attest", "doctor"}:
        return True
    if command not in {"plan", "verify"}:
        return False
    secret = settings.password is not None and not settings.password.is_blank
    return secret or settings.keyring or (command == "plan" and settings.prove_credential)


def _options_decided_by_project(loaded: Loaded) -> dict[str, str]:
    """Return the decisive options whose value pyproject.toml decides, with the place in it."""
    found = {
        name: loaded.origin(name).spelled
        for name in DECISIVE
        if loaded.origin(name).source == Source.FILE and loaded.requests(name)
    }
    if loaded.named_by_project:
        found["repository_url"] = ", ".join(loaded.named_by_project)
    return found


def _lines_that_set_options(
    reader: FrontEndWording, names: Iterable[str], settings: Settings, environ: Mapping[str, str]
) -> str:
    """Return how the user of this front end writes the options with the values that they have.

    What the command or the action has no name for is written as a variable.
    """
    values = {name: option_values_for_people(name, settings) for name in names}
    if reader.front_end is not FrontEnd.PYTHON and environ.get("GITLAB_CI"):
        return _option_yaml_block("variables:", {option_variable(name): each for name, each in values.items()})
    if reader.front_end is not FrontEnd.PYTHON and environ.get(ACTION_MARK):
        inputs = {name: declared_options()[name].input_name for name in values}
        given = {title: values[name] for name, title in inputs.items() if title}
        others = {option_variable(name): values[name] for name, title in inputs.items() if not title}
        blocks = (_option_yaml_block("with:", given), _option_yaml_block("env:", others))
        return "\n".join(filter(None, blocks))
    words: list[str | None] = []
    for name, some in values.items():
        if reader.front_end is FrontEnd.PYTHON or reader.command in declared_options()[name].commands:
            words += [reader.spell_option(option(name, each)) for each in some]
        else:
            words.append(f"{option_variable(name)}={shlex.quote(chr(10).join(some))}")
    return " ".join(filter(None, words))


def _option_yaml_block(head: str, values: Mapping[str, Sequence[str]]) -> str:
    """Return lines of YAML that give *values* below *head*; empty without any."""
    lines = [f"below `{head}`"]
    for key, some in values.items():
        if len(some) > 1:
            lines += [f"  {key}: |", *(f"    {value}" for value in some)]
        else:
            lines.append(f"  {key}: {some[0] if _PLAIN.fullmatch(some[0]) else json.dumps(some[0])}")
    return "\n".join(lines) if values else ""
