"""Equal problems of many files are one."""

from ci_publish.model.problem import Problem, Severity
from ci_publish.reports.problem_lines import problem_lines


def problem(filename: str | None, message: str, rule: str = "metadata-summary") -> Problem:
    return Problem(filename=filename, rule=rule, severity=Severity.ERROR, message=message, advice="Shorten it.")


def said(problems: list[Problem], *, verbose: bool = False) -> list[str]:
    return [line.text for line in problem_lines(problems, str, verbose=verbose)]


def test_one_mistake_in_many_files_is_said_once() -> None:
    wheels = [problem(f"demo-1.0-{number}.whl", "Summary is too long.") for number in range(200)]
    assert said(wheels) == [
        "check     error: 200 files: metadata-summary",
        "            Summary is too long.",
        "            Shorten it.",
        "            https://ci-publish.github.io/ci-publish/checks/#metadata-summary",
        "check     200 errors",
    ]
    assert "            demo-1.0-199.whl" in said(wheels, verbose=True)


def test_the_name_of_the_file_makes_no_difference() -> None:
    wheels = [problem(f"{number}.whl", f"{number}.whl is too large.") for number in range(3)]
    assert said(wheels)[0] == "check     error: 3 files: metadata-summary"


def test_a_rule_that_found_many_different_things_shows_a_few() -> None:
    wheels = [problem(f"{number}.whl", f"line {number}") for number in range(9)]
    text = said(wheels)
    assert len([line for line in text if "error: " in line]) == 3
    assert "check     6 more of metadata-summary: see them with verbose" in text
    assert len([line for line in said(wheels, verbose=True) if "error: " in line]) == 9


def test_what_concerns_no_file_says_so() -> None:
    assert said([problem(None, "x")])[0] == "check     error: all files: metadata-summary"
    assert said([]) == ["check     no problems"]
