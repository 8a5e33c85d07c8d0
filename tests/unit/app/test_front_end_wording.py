"""Each option is spelled as the front end and the command have it."""

import re

import pytest

from ci_publish.app.front_end_wording import FrontEnd, FrontEndWording, front_end_of_process
from ci_publish.app.option_groups.installation import TABLE
from ci_publish.app.settings import declared_options
from ci_publish.app.settings_sources import ACTION_MARK
from ci_publish.distributions.checks.rules import Rule
from ci_publish.distributions.checks.table import RULES, problem_of_rule_fault
from ci_publish.distributions.faults import Fault
from ci_publish.errors import ConfigurationError, UploadRejected
from ci_publish.hints import Hint, OptionNamed, option
from ci_publish.model.events import (
    Checked,
    Compared,
    FileFinished,
    FileStatus,
    Noted,
    Outcome,
    RunFinished,
    RunStarted,
)
from ci_publish.model.finding import Finding, FindingStatus
from ci_publish.model.problem import Problem, Severity
from ci_publish.model.release import Release, ReleaseDiff
from tests.unit.fakes import wheel

KEEP_GOING = Hint("Go on: ", option("keep_going", "true"))
TERMINAL = FrontEndWording(FrontEnd.COMMAND_LINE, "publish")


@pytest.mark.parametrize(
    ("environ", "used"),
    [
        ({}, FrontEnd.COMMAND_LINE),
        ({"GITLAB_CI": "true", "CI_PUBLISH_JOBS": "2"}, FrontEnd.COMMAND_LINE),
        ({ACTION_MARK: "docker"}, FrontEnd.ACTION),
        ({"GITLAB_CI": "true", "CI_PUBLISH_INPUT_JOBS": "-1"}, FrontEnd.COMPONENT),
    ],
)
def test_a_process_knows_its_front_end(environ: dict[str, str], used: FrontEnd) -> None:
    assert front_end_of_process(environ) is used


@pytest.mark.parametrize(
    ("named", "flag", "action", "component", "python"),
    [
        (
            option("keep_going", "true"),
            "--keep-going",
            "keep-going: true",
            "keep-going: true",
            "Settings(keep_going=True)",
        ),
        (option("verify", "false"), "--no-verify", "verify: false", "verify: false", "Settings(verify=False)"),
        (option("strict"), "--strict", "the input strict", "the input strict", "Settings(strict=…)"),
        (
            option("on_conflict", "keep-published"),
            "--on-conflict keep-published",
            "on-conflict: keep-published",
            "on-conflict: keep-published",
            "Settings(on_conflict='keep-published')",
        ),
        (
            option("repository_url", "testpypi"),
            "--repository-url testpypi",
            "repository-url: testpypi",
            "repository-url: testpypi",
            "Settings(repository_url=('testpypi',))",
        ),
        (
            option("deadline", "SECONDS"),
            "--deadline SECONDS",
            "deadline: SECONDS",
            "deadline: SECONDS",
            "Settings(deadline=SECONDS)",
        ),
        (
            option("password"),
            "CI_PUBLISH_PASSWORD",
            "the input password",
            "CI_PUBLISH_PASSWORD",
            "Settings(password=…)",
        ),
        (option("password_stdin"), "--password-stdin", None, None, "Settings(password_stdin=…)"),
        (
            option("anonymous", "true"),
            "--anonymous",
            "CI_PUBLISH_ANONYMOUS=true",
            "CI_PUBLISH_ANONYMOUS=true",
            "Settings(anonymous=True)",
        ),
        (option("paths"), "PATH", "the input packages-dir", "the input packages-dir", "Settings(paths=…)"),
        (
            option("paths", "dist/**"),
            "dist/**",
            "packages-dir: dist/**",
            "packages-dir: dist/**",
            "Settings(paths=('dist/**',))",
        ),
        (option("verbose", "true"), "--verbose", "verbose: true", "verbose: true", None),
        (option("mint", "true"), None, None, None, None),
    ],
)
def test_an_option_is_spelled_for_the_front_end(
    named: OptionNamed, flag: str | None, action: str | None, component: str | None, python: str | None
) -> None:
    spelled = [FrontEndWording(each, "publish").spell_option(named) for each in FrontEnd]
    if named.name == "password_stdin":
        python = None
    assert spelled == [flag, action, component, python]


def test_before_the_command_is_known_every_option_may_be_named() -> None:
    assert FrontEndWording(FrontEnd.COMMAND_LINE, "ci-publish").spell_option(option("mint", "true")) == "--mint"


def test_events_reach_people_in_their_words() -> None:
    noted = TERMINAL.reword_event(Noted(slug="x", message="m", hints=(KEEP_GOING,)))
    assert isinstance(noted, Noted)
    assert noted.hints == ("Go on: --keep-going",)
    finding = TERMINAL.reword_event(Finding(name="x", status=FindingStatus.OK, message="m", hints=(KEEP_GOING,)))
    assert isinstance(finding, Finding)
    assert finding.hints == ("Go on: --keep-going",)
    problem = Problem(filename=None, rule="r", severity=Severity.ERROR, message="m", advice=KEEP_GOING)
    plain = Problem(filename=None, rule="r", severity=Severity.ERROR, message="m")
    checked = TERMINAL.reword_event(Checked((problem, plain)))
    assert isinstance(checked, Checked)
    assert [each.advice for each in checked.problems] == ["Go on: --keep-going", ""]
    ours = Release(project="demo", version="1.1", files=())
    diff = ReleaseDiff(index="pypi", ours=ours, against=None, why_not="", findings=(problem, plain))
    compared = TERMINAL.reword_event(Compared(diff))
    assert isinstance(compared, Compared)
    assert [each.advice for each in compared.diff.findings] == ["Go on: --keep-going", ""]


def test_errors_are_the_same_errors_afterwards() -> None:
    error = UploadRejected("no", hints=(KEEP_GOING,))
    event = FileFinished(index="pypi", distribution=wheel(), status=FileStatus.FAILED, error=error)
    assert TERMINAL.reword_event(event) is event
    assert error.hints == ("Go on: --keep-going",)
    wrong = ConfigurationError("no", hints=(KEEP_GOING,))
    ended = RunFinished(outcome=Outcome.FAILED, exit_code=2, time=0.0, error=wrong)
    assert FrontEndWording(FrontEnd.COMMAND_LINE, "check").reword_event(ended) is ended
    assert wrong.hints == ()


def test_other_events_are_left_alone() -> None:
    event = RunStarted("publish", 0.0)
    assert TERMINAL.reword_event(event) is event


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)
def test_only_an_adjustable_rule_says_how_it_is_made_a_note(rule: Rule) -> None:
    assert "[tool.ci-publish" not in rule.fix
    named = set(re.findall(r"rules: ([a-z-]+)=", rule.fix))
    assert named <= ({rule.id} if rule.adjustable else set())


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)
def test_advice_of_rules_leaves_the_spelling_of_options_to_the_reader(rule: Rule) -> None:
    names = {name.replace("_", "-") for name in declared_options()} | set(TABLE)
    literal = "".join(part for part in getattr(rule.fix, "parts", (rule.fix,)) if not isinstance(part, OptionNamed))

    assert names.isdisjoint(re.findall(r"`-{0,2}([a-z-]+)(?::[^`]*)?`", literal))


@pytest.mark.parametrize(
    ("rule", "front_end", "command", "said"),
    [
        ("wheel-lost", FrontEnd.COMMAND_LINE, "diff", "make the rule a note (--rules wheel-lost=note)."),
        ("wheel-lost", FrontEnd.ACTION, "publish", "make the rule a note (CI_PUBLISH_RULES=wheel-lost=note)."),
        ("wheel-lost", FrontEnd.PYTHON, "plan", "make the rule a note (Settings(rules=('wheel-lost=note',)))."),
        (
            "install-import",
            FrontEnd.COMMAND_LINE,
            "rehearse",
            " If the import cannot work in this environment: --no-import.",
        ),
        (
            "install-import",
            FrontEnd.ACTION,
            "rehearse",
            " If the import cannot work in this environment: install-no-import: true.",
        ),
        (
            "install-import",
            FrontEnd.PYTHON,
            "rehearse",
            " If the import cannot work in this environment: Settings(no_import=True).",
        ),
        ("install-not-tried", FrontEnd.COMMAND_LINE, "rehearse", "supports the file (--python), or"),
        ("expected-wheel-missing", FrontEnd.COMMAND_LINE, "publish", "wheels, or correct --expect-wheels."),
        ("project-size", FrontEnd.ACTION, "plan", " and state it: project-size-limit: SIZE."),
        ("distributions-in-subfolders", FrontEnd.COMMAND_LINE, "check", "To ignore them: --ignore-subfolders."),
    ],
)
def test_advice_of_rules_names_options_as_the_reader_writes_them(
    rule: str, front_end: FrontEnd, command: str, said: str
) -> None:
    found = problem_of_rule_fault(Fault(rule=rule, message="It is wrong."), "demo-1.0.tar.gz", Severity.ERROR)
    event = FrontEndWording(front_end, command).reword_event(Checked((found,)))

    assert isinstance(event, Checked)
    assert said in event.problems[0].advice
