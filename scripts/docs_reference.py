"""Write `docs/reference/options.md`: every option with its flag, variable, input, key, default and commands.

The one source is the settings model. `--check` writes nothing and exits 1 when the page is not what it would be (the
tests ask the same).
"""

import argparse
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ci_publish.app.settings import Option, Settings, options
from ci_publish.app.settings_sources import FOREIGN, variable
from ci_publish.cli.arguments import COMMANDS, choices

PAGE: Final = Path(__file__).resolve().parent.parent / "docs" / "reference" / "options.md"

# The spellings that gh-action-pypi-publish gave up, and still takes.
OLD_SPELLINGS: Final = ("repository-url", "packages-dir", "verify-metadata", "skip-existing", "print-hash")

HEAD: Final = """\
# Options

<!-- Written by scripts/docs_reference.py from src/ci_publish/app/settings.py. Change that, and run the script. -->

Every option can be given in several places. The highest that says something counts:

1. a **flag** on the command line;
2. an **input** of [our GitLab component](../gitlab.md);
3. an environment **variable**, `CI_PUBLISH_<OPTION>`;
4. an **input** of our action (an input left empty says nothing);
5. only where nothing of the above says where to publish or as whom: [the variables of twine and uv](#other-tools);
6. a **key** of `[tool.ci-publish]` in `pyproject.toml`, in the folder where the run starts;
7. the default.

`ci-publish settings` prints every effective value and where it came from. A variable with our prefix, or a key, that is
nearly one of ours is an error that names the right one; all others are left alone. Values are validated before anything
else happens, and no message ever shows a secret.

In inputs, anything but `false` (in any letter case) is true. In variables and keys, `true` and `false` are written out.
A variable that is empty says nothing, the password's excepted: there, an empty one is
nearly always a secret that is not set, and is told.
A list is one item a line in inputs and variables, a list of strings in `pyproject.toml`, and a repeated flag.

```toml title="pyproject.toml"
[tool.ci-publish]
attestations = "required"
on-conflict = "keep-published"
```

## All options
"""


def type_of(name: str) -> str:
    """Return what values an option takes, for people."""
    annotation = Settings.model_fields[name].annotation
    if annotation is bool:
        return "true or false"
    words = choices(annotation)
    if "|" in words:
        return ", ".join(f"`{word}`" for word in words.split("|"))
    several = {"TUPLE": "a list of texts", "STR": "a text", "PATH": "a path", "SECRET": "a secret"}
    numbers = {"INT": "a whole number", "FLOAT": "a number"}
    return _limited(name, {**several, **numbers}[words])


def _limited(name: str, words: str) -> str:
    """Add the bounds of a number."""
    bounds = {"ge": "at least", "gt": "more than", "le": "at most"}
    limits = [
        f"{text} {getattr(item, attribute):g}"
        for item in Settings.model_fields[name].metadata
        for attribute, text in bounds.items()
        if getattr(item, attribute, None) is not None
    ]
    return ", ".join([words, *limits])


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
        yield "variable", f"`{variable(name)}`"
    if option.inputs:
        old = [each.replace("-", "_") for each in option.inputs if each in OLD_SPELLINGS]
        yield "input", ", ".join(f"`{each}`" for each in option.inputs) + "".join(f" (old: `{each}`)" for each in old)
    if option.file:
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
        for name, option in options().items()
    ]
    return "\n".join(["| option | |", "|---|---|", *lines]) + "\n"


def other_tools() -> str:
    """Return the section about variables of other tools."""
    lines = [
        f"| `{key}` | {tool} | [`{name.replace('_', '-')}`](#{name.replace('_', '-')}) |"
        for tool, names in FOREIGN.items()
        for key, name in names.items()
    ]
    words = (
        "Where nothing of ours says where to publish or as whom, these are taken, and the log says so: first twine's, "
        "and uv's only where twine has none."
    )
    table = "\n".join(["| variable | of | means |", "|---|---|---|", *lines])
    return f"## Other tools' variables {{ #other-tools }}\n\n{words}\n\n{table}\n"


def page() -> str:
    """Return the whole page."""
    sections = (section(name, option) for name, option in options().items())
    return "\n".join((HEAD, overview(), *sections, other_tools()))


def main() -> int:
    """Write the page, or say whether it is as it would be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    wanted = page()
    if PAGE.is_file() and PAGE.read_text(encoding="utf-8") == wanted:
        return 0
    print(PAGE.name)
    if not check:
        PAGE.write_text(wanted, encoding="utf-8")
    return 1 if check else 0


if __name__ == "__main__":
    raise SystemExit(main())
