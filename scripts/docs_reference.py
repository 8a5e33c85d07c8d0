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

You can set an option in several places. They take precedence in this order:

1. a **flag** on the command line
2. an **input** of the [GitLab component](../gitlab.md)
3. an environment **variable**, `CI_PUBLISH_<OPTION>`
4. an **input** of the GitHub action (empty inputs are ignored)
5. a **key** in the table `[tool.ci-publish]` of the `pyproject.toml` in the current folder
6. [variables of other upload tools](#other-tools)
7. the default

In Python, arguments of `Settings` take the place of flags.

To see all settings, their sources and the commands that do not use them, run `ci-publish settings`. All settings are validated
before anything else happens, and messages never contain secrets.

## Syntax

- **Booleans.** In an input, any value except `false` means true. In a variable or key, use `true` or `false`.
- **Lists.** In an input or variable, use one line for each item. In `pyproject.toml`, use a list of strings. On the command line,
  repeat the flag.
- **Empty variables** are ignored. An empty password causes an error, because it usually means that a secret is not set.

```toml title="pyproject.toml"
[tool.ci-publish]
attestations = "required"
on-conflict = "keep-published"
```

There is a [JSON schema](../settings.schema.json) (draft-07) for the table. If
[validate-pyproject](https://validate-pyproject.readthedocs.io/) is installed in the same environment as ci-publish, it uses the
schema automatically. For editors that support schemas for TOML, use this URL:
`https://ci-publish.github.io/ci-publish/settings.schema.json`.

## Unknown and ineffective settings

These settings cause an error (exit code 2):

- unknown keys in `[tool.ci-publish]`, and tables with a similar name, such as `[tool.ci_publish]` or `[ci-publish]`
- variables with the prefix `CI_PUBLISH_` whose names resemble the name of a setting
- other unknown variables with this prefix whose names contain TOKEN, PASSWORD, SECRET, URL, INDEX, REPOSITORY, DESTINATION,
  TARGET, DRY, REHEARSE or TEST

These settings cause a warning:

- all other unknown variables with the prefix `CI_PUBLISH_`
- an empty `CI_PUBLISH_REPOSITORY_URL`, if no other setting names the destination
- `repository-url` in the `pyproject.toml` of a parent folder in the same repository, because that file is not read

## pyproject.toml in pull requests { #project-settings }

`pyproject.toml` is part of the checkout, so a pull request can change it. In a run that may involve untrusted code, the file is
therefore not allowed to determine where secrets and identity tokens are sent. This applies to the following runs:

- GitHub events `pull_request`, `pull_request_target`, `pull_request_review`, `pull_request_review_comment`, `workflow_run` and
  `issue_comment`
- GitLab pipelines for merge requests and external pull requests
- Buildkite builds of pull requests
- CircleCI builds of pull requests from forks

In these runs, the commands `publish`, `attest`, `doctor`, `plan` (with a secret or `--prove-credential`) and `verify` (with a secret)
exit with code 2 if the file contains one of these settings:

- `repository-url` (including the name of an entry in `[[tool.uv.index]]`), `index-url`, `user`, `anonymous`, `allow-http`
- `sigstore-trust-config`, `audience`, `config-file`, `publisher`, `attested-by`
- a lower severity for a check rule

Set the value outside the file instead. If nobody else can change the checkout, you can set
`CI_PUBLISH_TRUST_PROJECT_SETTINGS=true`.

`check`, `diff` and `rehearse` send no secrets, so they use all settings in the file. `expect-wheels` and higher severities are used in all
runs. In runs without untrusted code, all settings are used, and if the destination comes from the file, the first lines of the log say so.
`token-for` and `trust-project-settings` are never read from a file.

## All options
"""


USE: Final = """\
✓ means that the command uses the option, · that it ignores the option, and ✗ that it exits with code 2. If a cell contains two
symbols, the first one applies to flags and Python arguments, and the second one to variables, inputs and keys, which several commands
can share.

Commands that can upload, sign or request an identity never ignore an option that determines whether to publish, where, or as which user.
A value that equals the default counts as not set. `settings` shows all options. In Python, `output`, `verbose`, `print-hash` and
`password-stdin` cause an error, because they are only for the command line."""

OTHER_TOOLS: Final = """\
ci-publish never silently ignores these variables. For each variable, it either uses the value or reports an error or a warning:

| Case | Result |
|---|---|
| a ci-publish setting and another tool's variable specify different destinations | exit code 2; the message shows both destinations |
| on the command line or in Python, only another tool's variable specifies a destination | uses this destination with the same tool's credential; exit code 2 if the credential comes from ci-publish's own settings |
| in the action, the input `repository-url` is not set, and a variable names an index other than PyPI | exit code 2; the message shows the line to add |
| variables for two other tools specify different destinations | exit code 2 |
| `publish-url` in `[tool.uv]` or `uv.toml` names a different index, and neither ci-publish's settings nor uv's variables specify a destination | exit code 2 |
| `index-url` names a host other than PyPI's, and no setting names the destination | exit code 2, because `index-url` does not set the destination |
| in the action, only another tool's credential is set, and the job can use Trusted Publishing | ignores the credential, with a warning |
| in all other cases, only another tool's credential is set | uses an API token (`pypi-…`) if the destination issued it; uses any other secret if a setting names a destination other than PyPI and TestPyPI; otherwise, exit code 2 |
| the destination is a name | looks up `pypi`, `testpypi`, an entry in `[[tool.uv.index]]` or a section in `~/.pypirc`; exit code 2 if the name is not found, or if `pypi` or `testpypi` refers to a different index there |

These variables specify a destination: `TWINE_REPOSITORY`, `TWINE_REPOSITORY_URL`, `UV_PUBLISH_INDEX`, `UV_PUBLISH_URL`, `HATCH_INDEX_REPO`,
`FLIT_INDEX_URL`, `PDM_PUBLISH_REPO`, `MATURIN_REPOSITORY` and `MATURIN_REPOSITORY_URL`.

Only the credentials of twine and uv are used. `PYPI_TOKEN`, `POETRY_PYPI_TOKEN_*`, `HATCH_INDEX_AUTH`, `FLIT_PASSWORD`,
`PDM_PUBLISH_PASSWORD` and `MATURIN_PYPI_TOKEN` are never used. If there is no credential, the error message lists any of these variables that are set.
`CI_PUBLISH_TOKEN` is another name for `CI_PUBLISH_PASSWORD`, and `TWINE_CERT` has the same effect as `SSL_CERT_FILE`.

A `.pypirc` file is read only if you specify one of its sections, or the file itself with `--config-file`. A section's password is used only
for that section's index, and never if Trusted Publishing is available.

`check`, `attest` and `settings` never fail because of these variables."""


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
    yield "Values", type_of(name)
    default = default_of(name)
    yield "Default", f"`{default}`" if default else "none"
    if written := flag(name, option):
        yield "Flag", f"`{written}`"
    if option.file or name == "password":
        yield "Variable", f"`{option_variable(name)}`"
    if option.input_name:
        old = option.input_name.replace("-", "_")
        yield "Input", f"`{option.input_name}`" + (f" (old: `{old}`)" if option.input_name in OLD_SPELLINGS else "")
    if option.key:
        yield "Key", f"`{name.replace('_', '-')}`"
    yield "Commands", commands(option)


def section(name: str, option: Option) -> str:
    """Return the section of one option."""
    table = "\n".join(f"| {label} | {text} |" for label, text in rows(name, option))
    return f"### {name.replace('_', '-')}\n\n{_prose(option.help)}\n\n| Property | Value |\n|---|---|\n{table}\n"


def _prose(text: str) -> str:
    """Return help as Markdown: what is written with two underscores is a name."""
    return re.sub(r"(__\w+__)", r"`\1`", text)


def overview() -> str:
    """Return one line for each option, for finding."""
    lines = [
        f"| [`{name.replace('_', '-')}`](#{name.replace('_', '-')}) | {_prose(option.help)} |"
        for name, option in declared_options().items()
    ]
    return "\n".join(["| Option | Description |", "|---|---|", *lines]) + "\n"


def other_tools() -> str:
    """Return the section about variables of other tools."""
    means = {"addresses": "repository-url", "users": "user", "secrets": "password"}
    lines = [
        f"| `{key}` | {tool.name} | [`{option}`](#{option}) |"
        for tool in TOOLS
        for field, option in means.items()
        for key in getattr(tool, field)
    ]
    table = "\n".join(["| Variable | Tool | Option |", "|---|---|---|", *lines])
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
    head = f"| Option | {' | '.join(f'`{command}`' for command in commands)} |"
    rule = "|---" * (len(commands) + 1) + "|"
    return "\n".join(["## Options of each command", "", USE, "", head, rule, *lines]) + "\n"


def page() -> str:
    """Return the whole page."""
    sections = (section(name, option) for name, option in declared_options().items())
    return "\n".join((HEAD, overview(), *sections, use_table(), other_tools()))


def files() -> Iterator[tuple[Path, str]]:
    """Yield the page as it should be."""
    yield PAGE, page()
