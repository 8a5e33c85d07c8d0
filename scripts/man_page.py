"""The manual page ci-publish(1), from the tables of commands, options and errors; `make generate` writes it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ci_publish.about import DOCS_URL, ISSUES_URL, NAME, __version__
from ci_publish.app.commands import COMMANDS
from ci_publish.app.options import Option
from ci_publish.app.settings import options_by_heading
from ci_publish.app.settings_sources import option_variable
from scripts.docs_errors import MEANINGS
from scripts.docs_reference import default_of, flag

PAGE: Final = Path(__file__).resolve().parent.parent / "share" / "man" / "man1" / f"{NAME}.1"

DESCRIPTION: Final = """
A run is a plan that converges: it compares the distributions with what the index has and applies only the difference.
It exchanges the job's identity for a short-lived upload token, signs every file, uploads in parallel, and is not done
until the index lists exactly the bytes that were signed. Running it again after any failure is safe.
"""


def escaped(text: str) -> str:
    """Return *text* as one line of roff that shows exactly these characters."""
    line = " ".join(text.split()).replace("\\", "\\e").replace("-", "\\-")
    line = "".join(character if character.isascii() else f"\\[u{ord(character):04X}]" for character in line)
    return f"\\&{line}" if line.startswith((".", "'")) else line


def entry(term: str, *texts: str) -> Iterator[str]:
    """Yield a term in bold, and what there is to say about it."""
    yield from (".TP", f"\\fB{escaped(term)}\\fR")
    yield escaped(" ".join(filter(None, texts)))


def option_entry(name: str, option: Option) -> Iterator[str]:
    """Yield one option, with its default, its variable and the commands that use it."""
    default = ", ".join(default_of(name).splitlines())
    commands = [command for command in COMMANDS if command in option.commands]
    yield from entry(
        flag(name, option) or option_variable(name),
        option.help,
        f"Default: {default}." if default else "",
        f"Variable: {option_variable(name)}." if option.file and flag(name, option) else "",
        "" if len(commands) == len(COMMANDS) else f"Commands: {', '.join(commands)}.",
    )


def lines() -> Iterator[str]:
    """Yield the page."""
    yield '.\\" Written by `make generate` from the tables of commands, options and errors.'
    yield f'.TH CI\\-PUBLISH 1 "" "{NAME} {__version__}" "User Commands"'
    yield from (".SH NAME", escaped(f"{NAME} - publish Python distributions from CI without stored secrets"))
    yield from (".SH SYNOPSIS", f".B {escaped(NAME)}", ".I COMMAND", "[\\fIOPTION\\fR]... [\\fIPATH\\fR]...")
    yield from (".SH DESCRIPTION", escaped(DESCRIPTION))
    yield ".SH COMMANDS"
    for name, command in COMMANDS.items():
        yield from entry(name, command.help)
    yield ".SH OPTIONS"
    yield escaped("Each option can also be set by its variable, an action input, or its key of [tool.ci-publish].")
    for heading, options in options_by_heading().items():
        yield f".SS {escaped(heading.capitalize())}"
        for name, option in options.items():
            yield from option_entry(name, option)
    yield ".SS Without a command"
    yield from entry("--help, -h", "List the commands, or the options of a command.")
    yield from entry("--version", "Print the version.")
    yield from entry("--print-completion SHELL", "Print the completions for bash, zsh or fish.")
    yield ".SH ENVIRONMENT"
    yield from entry("CI_PUBLISH_DEBUG", "1 prints the tracebacks of an error and its causes, with secrets redacted.")
    yield from entry("NO_COLOR", "If not empty, disables colours.")
    yield from entry("SSL_CERT_FILE", "Certificate authorities to trust instead of the bundled ones.")
    yield ".SH EXIT STATUS"
    yield from entry("0", "The index has every file with the correct content.")
    for code, meaning in MEANINGS.items():
        yield from entry(str(code), f"{meaning}.")
    yield ".SH FILES"
    yield from entry("pyproject.toml", "Settings in [tool.ci-publish], read from the current folder.")
    yield ".SH SEE ALSO"
    yield from (f".UR {DOCS_URL}/", "The documentation", ".UE", ".PP", f".UR {ISSUES_URL}", "Issues", ".UE")


def files() -> Iterator[tuple[Path, str]]:
    """Yield the page as it should be."""
    yield PAGE, "\n".join(lines()) + "\n"
