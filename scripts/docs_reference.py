"""`docs/reference/options.md`: every option with its flag, variable, input, key, default and commands.

The one source is the settings model. `make generate` writes the page.
"""

# ruff: noqa: E501  (tables of Markdown)

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ci_publish.app.commands import COMMANDS
from ci_publish.app.options import Option, Source, Use, option_use
from ci_publish.app.other_tools import TOOLS
from ci_publish.app.setting_values import ByteLimit
from ci_publish.app.settings import Settings, declared_options
from ci_publish.app.settings_sources import option_variable
from ci_publish.cli.arguments import option_choices_text

PAGE: Final = Path(__file__).resolve().parent.parent / "docs" / "reference" / "options.md"

# The spellings that gh-action-pypi-publish gave up, and still takes.
OLD_SPELLINGS: Final = ("repository-url", "packages-dir", "verify-metadata", "skip-existing", "print-hash")

HEAD: Final = """\
# Options

<!-- Written by `make generate` from src/ci_publish/app/option_groups: change that, not the page. -->

Every option can be set in several places. In order of precedence:

1. a **flag** on the command line;
2. an **input** of [our GitLab component](../gitlab.md);
3. an environment **variable**, `CI_PUBLISH_<OPTION>`;
4. an **input** of our action (an empty input counts as not set);
5. a **key** of `[tool.ci-publish]` in `pyproject.toml`, in the folder in which the run starts;
6. [variables of other upload tools](#other-tools);
7. the default.

In Python, the arguments of `Settings` take the place of flags; other options are read from the same places.

`ci-publish settings` prints every effective value, where it came from, and which commands do not use it. Unknown keys are errors,
and so are tables with a name like `[tool.ci_publish]` or `[ci-publish]`. If the name of a variable with the prefix `CI_PUBLISH_`
is a near miss of a valid name, that is an error, and the message names the right one. Any other unknown variable with this prefix is an error if its name contains TOKEN, PASSWORD, SECRET, URL, INDEX,
REPOSITORY, DESTINATION, TARGET, DRY, REHEARSE or TEST, and otherwise a warning. Values and URLs are validated before anything else happens, and no
message ever shows a secret.

In inputs, any value except `false` (in any letter case) means true. In variables and keys, write `true` or `false`. An empty
variable counts as not set, except for the password: an empty password is nearly always a secret that is not set, so it is
reported. An empty `CI_PUBLISH_REPOSITORY_URL` causes a warning if nothing else names the destination, and so does a
`repository-url` in the `pyproject.toml` of a parent folder in the same repository, because it is not used. To give a list, write one item per line in inputs and variables, use a list of strings in `pyproject.toml`, or repeat
the flag.

```toml title="pyproject.toml"
[tool.ci-publish]
attestations = "required"
on-conflict = "keep-published"
```

The table has a [JSON schema](../settings.schema.json) (draft-07). If
[validate-pyproject](https://validate-pyproject.readthedocs.io/) is installed in the same environment as ci-publish, it finds the
schema automatically. In editors that support schemas for TOML, such as those with Taplo, enter its address:
`https://ci-publish.github.io/ci-publish/settings.schema.json`.

## The checkout's pyproject.toml { #project-settings }

In a run that may contain untrusted code, others can change that file. Such runs are those for GitHub's events `pull_request`,
`pull_request_target`, `pull_request_review`, `pull_request_review_comment`, `workflow_run` and `issue_comment`; GitLab's merge
request and external pull request pipelines; pull requests on Buildkite; and forked pull requests on CircleCI. In such a run,
`publish`, `attest`, `doctor`, a `plan` with a secret or `--prove-credential`, and a `verify` with a secret exit with code 2 if the
file sets `repository-url` (also by the name of an entry of `[[tool.uv.index]]`), `index-url`, `user`, `anonymous`, `allow-http`,
`sigstore-trust-config`, `audience`, `config-file`, `publisher` or `attested-by`, or makes a check rule weaker. Set the same value
outside the file instead, or set `CI_PUBLISH_TRUST_PROJECT_SETTINGS=true` if nobody else can change the checkout.

`check`, `diff` and `rehearse` send no secrets and honour the file; `expect-wheels` and stricter `rules` are honoured everywhere. All
other runs honour the file, and the first lines of the log say if the destination comes from it. `token-for` and
`trust-project-settings` are never read from a file.

## All options
"""


USE: Final = """\
The option is ✓ honoured, · skipped, or ✗ refused with exit code 2. If a cell has two signs, the first applies to an option given for
this call (a flag or a Python argument), and the second to one that several commands may share (a variable, an input, a key). A
command that can upload, sign or request an identity never skips an option that controls where, as whom or whether to publish. A
value that equals the default counts as not set. `settings` shows everything. In Python, `output`, `verbose`, `print-hash` and
`password-stdin` are refused, because they are only for the command line."""

OTHER_TOOLS: Final = """\
These variables are honoured or refused, but never silently ignored:

| situation | result |
|---|---|
| a ci-publish setting and another tool's variable name different destinations | exit 2, naming both; the same destination is fine |
| only another tool's variable names the destination (command line, Python) | that destination, with the same tool's credential; with a ci-publish credential, exit 2 |
| the action's input `repository-url` is not set (so PyPI is the default), but a variable names another index | exit 2; the message shows the line to write |
| two other tools' destinations differ | exit 2 |
| `publish-url` in `[tool.uv]` or `uv.toml` names an index other than the destination, and neither a ci-publish setting nor uv's variables name one | exit 2 |
| `index-url` names another host than PyPI's, and nothing names the destination | exit 2: `index-url` does not select it |
| only another tool's credential is set, in the action, in a job that can use Trusted Publishing on that index | not used, with a warning |
| only another tool's credential is set, in any other case | an API token (`pypi-…`) is used if the destination issued it; any other secret is used if the destination was named and is neither PyPI nor TestPyPI; otherwise, exit 2 |
| the destination is a name instead of a URL | `pypi`, `testpypi`, an entry of `[[tool.uv.index]]` or a section of `~/.pypirc`; otherwise, exit 2. `pypi` and `testpypi` may not be other indexes in those places |

The variables that name a destination are `TWINE_REPOSITORY`, `TWINE_REPOSITORY_URL`, `UV_PUBLISH_INDEX`, `UV_PUBLISH_URL`,
`HATCH_INDEX_REPO`, `FLIT_INDEX_URL`, `PDM_PUBLISH_REPO`, `MATURIN_REPOSITORY` and `MATURIN_REPOSITORY_URL`. Only twine's and uv's
credentials are used.

A `.pypirc` file is read only to look up a given name, or if `--config-file` names the file. Its password is used only for that
section's index, and never if Trusted Publishing is available.

`check`, `attest` and `settings` never stop because of these variables. `CI_PUBLISH_TOKEN` is another name for
`CI_PUBLISH_PASSWORD`. `TWINE_CERT` has the same effect as `SSL_CERT_FILE`. `PYPI_TOKEN`, `POETRY_PYPI_TOKEN_*`, `HATCH_INDEX_AUTH`,
`FLIT_PASSWORD`, `PDM_PUBLISH_PASSWORD` and `MATURIN_PYPI_TOKEN` are never used; if there is no credential, the message names
those that are set."""


def type_of(name: str) -> str:
    """Return what values an option takes, for people."""
    annotation = Settings.model_fields[name].annotation
    if annotation is bool:
        return "true or false"
    words = option_choices_text(annotation)
    if "|" in words:
        return ", ".join(f"`{word}`" for word in words.split("|"))
    several = {"TUPLE": "a list of strings", "STR": "a string", "PATH": "a path", "SECRET": "a secret"}
    numbers = {"INT": "a whole number", "FLOAT": "a number"}
    return _limited(name, {**several, **numbers}[words])


def _limited(name: str, words: str) -> str:
    """Add the bounds of a number."""
    bounds = {"ge": "at least", "gt": "more than", "le": "at most"}
    limits = [
        (text, getattr(item, attribute))
        for item in Settings.model_fields[name].metadata
        for attribute, text in bounds.items()
        if getattr(item, attribute, None) is not None
    ]
    if sizes := [each for each in limits if isinstance(each[1], ByteLimit)]:
        words, limits = "`off` or a size such as `25MiB`", sizes
    return ", ".join(
        [words, *(f"{text} {limit if isinstance(limit, int) else f'{limit:g}'}" for text, limit in limits)]
    )


def default_of(name: str) -> str:
    """Return an option's default as a user would write it; an empty text where there is none."""
    match Settings.model_fields[name].default:
        case None | ():
            return ""
        case tuple() as several:
            return "\n".join(map(str, several))
        case bool() as switch:
            return str(switch).lower()
        case float() as number:
            return f"{number:g}"
        case other:
            return str(other)


def flag(name: str, option: Option) -> str:
    """Return how an option is written on the command line; an empty text where it never may be."""
    if name == "paths":
        return "PATH …"
    if not option.flag:
        return ""
    written = f"--{name.replace('_', '-')}"
    if Settings.model_fields[name].annotation is not bool:
        return f"{written} {option.metavar or 'VALUE'}"
    return f"{written}, --no-{written.removeprefix('--')}" if option.file else written


def commands(option: Option) -> str:
    """Return the commands that know an option."""
    known = [command for command in COMMANDS if command in option.commands]
    return "all" if len(known) == len(COMMANDS) else ", ".join(f"`{command}`" for command in known)


def rows(name: str, option: Option) -> Iterator[tuple[str, str]]:
    """Yield what there is to say about an option, label and text."""
    yield "values", type_of(name)
    default = default_of(name)
    yield "default", f"`{default}`" if default else "none"
    if written := flag(name, option):
        yield "flag", f"`{written}`"
    if option.file or name == "password":
        yield "variable", f"`{option_variable(name)}`"
    if option.input_name:
        old = option.input_name.replace("-", "_")
        yield "input", f"`{option.input_name}`" + (f" (old: `{old}`)" if option.input_name in OLD_SPELLINGS else "")
    if option.key:
        yield "key", f"`{name.replace('_', '-')}`"
    yield "commands", commands(option)


def section(name: str, option: Option) -> str:
    """Return the section of one option."""
    table = "\n".join(f"| {label} | {text} |" for label, text in rows(name, option))
    return f"### {name.replace('_', '-')}\n\n{_prose(option.help)}\n\n| | |\n|---|---|\n{table}\n"


def _prose(text: str) -> str:
    """Return help as Markdown: what is written with two underscores is a name."""
    return re.sub(r"(__\w+__)", r"`\1`", text)


def overview() -> str:
    """Return one line for each option, for finding."""
    lines = [
        f"| [`{name.replace('_', '-')}`](#{name.replace('_', '-')}) | {_prose(option.help)} |"
        for name, option in declared_options().items()
    ]
    return "\n".join(["| option | |", "|---|---|", *lines]) + "\n"


def other_tools() -> str:
    """Return the section about variables of other tools."""
    means = {"addresses": "repository-url", "users": "user", "secrets": "password"}
    lines = [
        f"| `{key}` | {tool.name} | [`{option}`](#{option}) |"
        for tool in TOOLS
        for field, option in means.items()
        for key in getattr(tool, field)
    ]
    table = "\n".join(["| variable | tool | option |", "|---|---|---|", *lines])
    return f"## Other tools' variables {{ #other-tools }}\n\n{OTHER_TOOLS}\n\n{table}\n"


def use_table() -> str:
    """Return what each command does with each option: the table that a test runs cell by cell."""
    commands = [command for command in COMMANDS if command != "settings"]
    signs = {Use.HONOURED: "✓", Use.SKIPPED: "·", Use.REFUSED: "✗"}
    lines = []
    for name, option in declared_options().items():
        cells = []
        for command in commands:
            given, shared = option_use(option, command, Source.FLAG), option_use(option, command, Source.VARIABLE)
            cells.append(signs[shared] if given == shared else f"{signs[given]} {signs[shared]}")
        lines.append(f"| `{name.replace('_', '-')}` | {' | '.join(cells)} |")
    head = f"| option | {' | '.join(f'`{command}`' for command in commands)} |"
    rule = "|---" * (len(commands) + 1) + "|"
    return "\n".join(["## What a command does with an option", "", USE, "", head, rule, *lines]) + "\n"


def page() -> str:
    """Return the whole page."""
    sections = (section(name, option) for name, option in declared_options().items())
    return "\n".join((HEAD, overview(), *sections, use_table(), other_tools()))


def files() -> Iterator[tuple[Path, str]]:
    """Yield the page as it should be."""
    yield PAGE, page()
