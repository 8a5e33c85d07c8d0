"""The inputs and outputs of the actions and of the GitLab components, from the one declaration of all options.

    action.yml, native/action.yml   inputs and outputs
    templates/*.yml                 spec:inputs, and the variables that hand them on

Each part stands between two comment lines that name it; everything else in these files is left alone. `make generate`
writes them.
"""

import json
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from ci_publish.app.options import Option
from ci_publish.app.settings import Settings, declared_options
from ci_publish.app.settings_sources import component_input_variable
from ci_publish.cli.arguments import option_choices_text

ROOT = Path(__file__).resolve().parent.parent
WIDTH = 116

# The spellings that gh-action-pypi-publish gave up, and still takes. No input that is only ours has a second one.
DEPRECATED = ("repository-url", "packages-dir", "verify-metadata", "skip-existing", "print-hash")

# What `reports/ci_outputs.py` writes (a test compares).
OUTPUTS = {
    "outcome": "The result of the run, such as published or already-published.",
    "exit-code": "The exit code of ci-publish.",
    "files": "The result for each file, as JSON; the same as the `files` list of the receipt.",
    "uploaded": "The number of uploaded files.",
    "already-published": "The number of files that were already on the index with the same content.",
    "receipt": "The path of the receipt; empty unless the receipt input is set.",
    "attestations-dir": "The folder that contains the attestations; empty unless the attestations-dir input is set.",
    "resume-after": "The time after which a deferred run can continue (RFC 3339, UTC); empty if unknown.",
    "release-url": "The URLs of the releases on the index, one per line; empty if there are none.",
}

# A component's inputs are shown to everybody who may see the pipeline: a secret is a masked variable, not an input.
NOT_FOR_GITLAB = ("password", "output")
# Kept where the component's artifacts and reports are. They are parts of the job's own paths, so none may be empty.
GITLAB_DEFAULTS = {"reports-dir": "ci-publish-reports", "receipt": "ci-publish-reports/receipt.json"}
# What a setting takes besides the words that it is named by.
SYNONYMS = {"attestations": ("true", "false")}


def inputs() -> Iterator[tuple[str, str, Option]]:
    """Yield input, option name and declaration, in the order of the declaration."""
    for name, option in declared_options().items():
        if option.input_name:
            yield option.input_name, name, option


def is_switch(name: str) -> bool:
    """Return whether the option is true or false."""
    return Settings.model_fields[name].annotation is bool


def is_number(name: str) -> bool:
    """Return whether the option is a number."""
    return Settings.model_fields[name].annotation in (int, float, float | None)


def allowed(name: str) -> tuple[str, ...]:
    """Return the words that the option takes, nothing where it takes any text."""
    if is_switch(name):
        return ("true", "false")
    words = option_choices_text(Settings.model_fields[name].annotation)
    return tuple(words.split("|")) if "|" in words else ()


def described(name: str, option: Option) -> str:
    """Return the option's help, with what it may be and what it is by default."""
    words, default = allowed(name), default_of(name)
    sentences = (
        option.help,
        f"One of: {', '.join(words)}." if words else "",
        f"Default: {default}." if default else "",
    )
    return " ".join(filter(None, sentences))


def default_of(name: str) -> str:
    """Return an option's default as a user would write it, nothing where it has none."""
    match Settings.model_fields[name].default:
        case None:
            return ""
        case tuple() as several:
            return ", ".join(map(str, several))
        case bool() as switch:
            return str(switch).lower()
        case float() as number:
            return f"{number:g}"
        case other:
            return str(other)


def folded(key: str, text: str, indent: int) -> list[str]:
    """Return `key:` with *text* folded below it: no character of a folded text means anything in YAML."""
    pad = " " * indent
    return [
        f"{pad}{key}: >-",
        *textwrap.wrap(
            text,
            WIDTH,
            initial_indent=f"{pad}  ",
            subsequent_indent=f"{pad}  ",
            break_long_words=False,
            break_on_hyphens=False,
        ),
    ]


def action_inputs() -> Iterator[str]:
    """Yield the inputs of an action. None has a default: what is left empty may be said in pyproject.toml."""
    for title, name, option in inputs():
        yield f"  {title}:"
        yield from folded("description", described(name, option), 4)
        yield "    required: false"
    for title in DEPRECATED:
        yield f"  {title.replace('-', '_')}:"
        yield f"    description: Old spelling of {title}."
        yield f"    deprecationMessage: Write {title}."
        yield "    required: false"


def action_outputs() -> Iterator[str]:
    """Yield the outputs of a docker action, whose program writes them."""
    for title, text in OUTPUTS.items():
        yield f"  {title}:"
        yield from folded("description", text, 4)


def composite_outputs() -> Iterator[str]:
    """Yield the outputs of the composite action: those of its step `publish`."""
    for title, text in OUTPUTS.items():
        yield f"  {title}:"
        yield from folded("description", text, 4)
        yield f"    value: ${{{{ steps.publish.outputs.{title} }}}}"


def component_inputs() -> Iterator[str]:
    """Yield `spec:inputs` of the component."""
    for title, name, option in inputs():
        if title in NOT_FOR_GITLAB:
            continue
        yield f"    {title}:"
        text = described(name, option)
        if is_switch(name):
            yield from folded("description", text, 6)
            yield from ("      type: boolean", f"      default: {default_of(name)}")
        elif is_number(name):
            yield from folded("description", f"{text} -1 means not given.", 6)
            yield from ("      type: number", "      default: -1")
        else:
            yield from folded("description", text, 6)
            yield "      type: string"
            yield f'      default: "{GITLAB_DEFAULTS.get(title, "")}"'
            yield from component_limits(title, name)


def component_limits(title: str, name: str) -> Iterator[str]:
    """Yield what GitLab can refuse before a job starts."""
    if title in GITLAB_DEFAULTS:
        yield "      regex: ^.+$"
    elif words := allowed(name):
        yield f"      options: {json.dumps(['', *words, *SYNONYMS.get(name, ())])}"


def component_variables() -> Iterator[str]:
    """Yield the job's variables; what they mean by "not given" says `sources._component_inputs`."""
    for title, name, _ in inputs():
        if title not in NOT_FOR_GITLAB:
            yield f'    {component_input_variable(name)}: "$[[ inputs.{title} ]]"'


Parts = Mapping[str, Callable[[], Iterator[str]]]

FILES: Mapping[str, Parts] = {
    "action.yml": {"inputs": action_inputs, "outputs": action_outputs},
    "native/action.yml": {"inputs": action_inputs, "outputs": composite_outputs},
    "templates/publish.yml": {"inputs": component_inputs, "variables": component_variables},
    "templates/rehearse.yml": {"inputs": component_inputs, "variables": component_variables},
}


def generated(text: str, parts: Parts) -> str:
    """Return *text* with every part between its marks replaced; raise LookupError when marks are missing."""
    for name, lines in parts.items():
        mark = re.compile(
            rf"(?P<head>^ *# {name}: written by scripts/action_inputs\.py\n).*?(?P<tail>^ *# end of {name}$)",
            re.MULTILINE | re.DOTALL,
        )
        if not mark.search(text):
            raise LookupError(f"no marks for {name}")
        body = "\n".join(lines())
        text = mark.sub(lambda match: f"{match['head']}{body}\n{match['tail']}", text)  # noqa: B023 - used at once
    return text


def files() -> Iterator[tuple[Path, str]]:
    """Yield the actions and the component as they should be."""
    for name, parts in FILES.items():
        path = ROOT / name
        yield path, generated(path.read_text(encoding="utf-8"), parts)
