"""What people read when something fails: every message has a cause or a next step, a link, and was read by somebody."""

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import ci_publish
from ci_publish.about import DOCS_URL
from ci_publish.app.commands import COMMANDS
from ci_publish.app.front_end_wording import FrontEnd, FrontEndWording
from ci_publish.app.options import Option
from ci_publish.app.settings import declared_options
from ci_publish.errors import CiPublishError, error_classes
from tests.situations import MESSAGES, SITUATIONS, Situation, all_messages, examples, printed

PACKAGE = Path(ci_publish.__file__).parent


@pytest.fixture(params=SITUATIONS, ids=lambda each: each.what)
def met(request: pytest.FixtureRequest) -> CiPublishError:
    chosen: Situation = request.param
    error = chosen.produce()
    chosen.reader.reword_error(error)
    return error


def test_a_message_says_what_happened_what_to_do_and_where_to_read_on(met: CiPublishError) -> None:
    lines = printed(met).splitlines()
    assert lines[0].startswith("error: ")
    assert len(lines[0]) > len("error: ") + 15
    assert met.detail.strip()
    assert "What to do:" in lines
    assert [hint for hint in met.hints if not hint.strip()] == []
    assert lines[-2] == f"More information: {DOCS_URL}/errors/{met.slug}/"
    assert lines[-1] == f"exit code {met.exit_code} · {met.slug}"


def test_a_message_holds_no_secret_and_no_traces_of_programming(met: CiPublishError) -> None:
    text = printed(met)
    found = [word for word in ("hunter2", "Traceback", "<class", "object at 0x") if word in text]
    assert found == []


def test_the_messages_are_those_that_somebody_read() -> None:
    """After a change: ``make generate``, and read what it changed."""
    assert MESSAGES.read_text(encoding="utf-8") == all_messages()


def test_at_least_ninety_three_situations_and_every_kind_of_error_are_among_them() -> None:
    met = {each.produce().slug for each in SITUATIONS}
    unmet = {each.slug for each in error_classes()} - met
    assert len(SITUATIONS) >= 93
    # Its kinds below it stand for it: nothing raises it when signing is not stopped.
    assert unmet <= {"signing-failed"}


def test_examples_are_found_by_slug() -> None:
    what, message = examples(
        "=== 01 A bug\nerror: x\nexit code 1 · internal\n\n=== 02 B\nerror: y\nexit code 1 · internal\n"
    )["internal"]
    assert (what, message) == ("A bug", "error: x\nexit code 1 · internal")


# --- hints fit the front end and the command ------------------------------------------------------------------------

FLAG = re.compile(r"(?<![\w-])--([a-z][a-z-]+)")
VARIABLE = re.compile(r"\bCI_PUBLISH_([A-Z_]+)")
ARGUMENT = re.compile(r"\bSettings\((\w+)=")
OF_INPUT = re.compile(r"\bthe input ([a-z-]+)|(?<![\w-])([a-z][a-z-]+): (?!--|Settings|CI_PUBLISH|[a-z-]+: )(?=\S)")
COMMAND_LINE = re.compile(r"`ci-publish ([a-z]+)([^`]*)`")
RUNNING = sorted(set(COMMANDS) - {"settings"})


def declared(written: str, reader: FrontEndWording) -> Option | None:
    """Return the option that *reader*'s command has under the name *written*."""
    name = written.replace("-", "_").lower()
    found = declared_options().get(name) or declared_options().get(name.removeprefix("no_"))
    return found if found is not None and reader.command in found.commands else None


def strange(text: str, reader: FrontEndWording) -> list[str]:
    """Return what *text* tells *reader* to write, and what neither the front end nor the command has."""
    commands = [
        (each[1], flag) for each in COMMAND_LINE.finditer(text) for flag in FLAG.findall(each[2]) if flag != "help"
    ]
    wrong = [
        f"{command} --{flag}" for command, flag in commands if not declared(flag, replace(reader, command=command))
    ]
    rest = re.sub("`[^`]*`", "", text)
    for flag in FLAG.findall(rest):
        found = declared(flag, reader)
        wrong += [] if found and found.flag and reader.front_end is FrontEnd.COMMAND_LINE else [f"--{flag}"]
    for variable in VARIABLE.findall(rest):
        found = declared(variable, reader)
        theirs = reader.front_end in {FrontEnd.ACTION, FrontEnd.COMPONENT} and found and found.input_name and found.file
        wrong += [] if found and reader.front_end is not FrontEnd.PYTHON and not theirs else [variable]
    for argument in ARGUMENT.findall(rest):
        found = declared(argument, reader)
        wrong += [] if found and found.python and reader.front_end is FrontEnd.PYTHON else [f"Settings({argument}=…)"]
    for match in OF_INPUT.finditer(rest):
        inputs = {each.input_name: each for each in declared_options().values() if each.input_name}
        found = inputs.get(match[1] or match[2])
        fits = reader.front_end in {FrontEnd.ACTION, FrontEnd.COMPONENT} and found and reader.command in found.commands
        wrong += [match[0]] if (match[1] or found) and not fits else []
    return wrong


@pytest.mark.parametrize("used", FrontEnd)
@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda each: each.what)
def test_no_hint_names_what_the_front_end_or_the_command_does_not_have(situation: Situation, used: FrontEnd) -> None:
    error = situation.produce()
    written = f"{error.summary}\n{error.detail}"
    for command in [situation.command] if situation.only else RUNNING:
        reader = situation.reader if situation.only else FrontEndWording(used, command)
        hints = reader.reword_hints(error.hints)
        ours = [hint for hint in hints if not hint.startswith("Did you mean")]
        found = {word for hint in ours for word in strange(hint, reader) if word.strip("-") not in written}
        assert found == set(), (command, hints)


@pytest.mark.parametrize("used", FrontEnd)
@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda each: each.what)
def test_every_front_end_is_told_what_to_do(situation: Situation, used: FrontEnd) -> None:
    assert FrontEndWording(used, situation.command).reword_hints(situation.produce().hints) != ()


@pytest.mark.parametrize(
    ("text", "used", "command", "found"),
    [
        ("Go on: --keep-going", FrontEnd.COMMAND_LINE, "publish", []),
        ("Go on: --keep-going", FrontEnd.COMMAND_LINE, "verify", ["--keep-going"]),
        ("Go on: --keep-going", FrontEnd.ACTION, "publish", ["--keep-going"]),
        ("Go on: --no-such", FrontEnd.COMMAND_LINE, "publish", ["--no-such"]),
        ("Go on: keep-going: true", FrontEnd.ACTION, "publish", []),
        ("Go on: keep-going: true", FrontEnd.COMMAND_LINE, "publish", ["keep-going: "]),
        ("Set the input mint", FrontEnd.ACTION, "publish", ["the input mint"]),
        ("Set CI_PUBLISH_JOBS", FrontEnd.ACTION, "publish", ["JOBS"]),
        ("Set CI_PUBLISH_JOBS", FrontEnd.COMMAND_LINE, "publish", []),
        ("Set CI_PUBLISH_PASSWORD", FrontEnd.PYTHON, "publish", ["PASSWORD"]),
        ("Use Settings(jobs=2)", FrontEnd.PYTHON, "publish", []),
        ("Use Settings(jobs=2)", FrontEnd.PYTHON, "check", ["Settings(jobs=…)"]),
        ("Run `ci-publish verify --publisher X` and `git --version`", FrontEnd.ACTION, "publish", []),
        ("Run `ci-publish verify --keep-going`", FrontEnd.ACTION, "publish", ["verify --keep-going"]),
    ],
)
def test_what_does_not_exist_is_found(text: str, used: FrontEnd, command: str, found: list[str]) -> None:
    assert strange(text, FrontEndWording(used, command)) == found


# What belongs to one front end, and what is no text for people.
SPELLED_FOR_ONE = (
    "app/commands.py",
    "app/option_groups/",
    "app/rehearse.py",
    "app/served_rehearsal.py",
    "app/settings_sources.py",
    "cli/",
    "installation.py",  # of uv
    "rehearsal/",
)


def literals(tree: ast.AST) -> Iterator[str]:
    """Yield the texts of a module that are no docstrings."""
    documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            yield node.value


def test_no_text_outside_of_the_front_ends_spells_one_of_our_options() -> None:
    """Name it instead: ``hints.option``."""
    flags = {name.replace("_", "-") for name, each in declared_options().items() if each.flag}
    variables = {name.upper() for name in declared_options()}
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        where = path.relative_to(PACKAGE).as_posix()
        if any(where.startswith(each) for each in SPELLED_FOR_ONE):
            continue
        for text in literals(ast.parse(path.read_text(encoding="utf-8"))):
            plain = re.sub("`[^`]*`", "", text)
            words = {word for word in FLAG.findall(plain) if word.removeprefix("no-") in flags}
            words |= {word for word in VARIABLE.findall(plain) if word in variables}
            found.update({f"{where}: {word}": text for word in words})
    assert found == {}


def test_the_help_of_an_option_with_an_input_spells_no_flag() -> None:
    assert [name for name, each in declared_options().items() if each.input_name and FLAG.search(each.help)] == []
