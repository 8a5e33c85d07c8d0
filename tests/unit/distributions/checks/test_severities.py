import pytest

from ci_publish.distributions.checks.severities import parse_rule_severities, weakens_any_rule
from ci_publish.distributions.checks.table import RULES
from ci_publish.errors import ConfigurationError
from ci_publish.model.problem import Problem, Severity


def problem(rule: str, severity: Severity | None = None) -> Problem:
    return Problem(filename=None, rule=rule, severity=severity or RULES[rule].pypi, message="")


def severities(*rules: str, entries: tuple[str, ...] = (), strict: bool = False) -> list[str]:
    return [
        each.severity for each in parse_rule_severities(entries, strict=strict).apply_to_problems(map(problem, rules))
    ]


def test_a_rule_has_its_own_severity_unless_something_else_is_said() -> None:
    assert severities("wheel-lost", "wheel-gained", "zip-bomb") == ["error", "warning", "note"]


def test_any_rule_may_be_stricter_and_an_adjustable_one_weaker_or_off() -> None:
    assert severities("wheel-gained", entries=("wheel-gained=error",)) == ["error"]
    assert severities("platform-tag-unknown", entries=("platform-tag-unknown = Error",)) == ["error"]
    assert severities("wheel-lost", entries=("wheel-lost=note",)) == ["note"]
    assert severities("wheel-lost", entries=("wheel-lost=off",)) == []


def test_strict_turns_warnings_into_errors_and_not_notes() -> None:
    assert severities("wheel-lost", "wheel-gained", strict=True) == ["error", "note"]
    assert severities("wheel-lost", entries=("wheel-lost=note",), strict=True) == ["note"]
    assert severities("wheel-gained", entries=("wheel-gained=warning",), strict=True) == ["error"]


def test_a_rule_that_is_not_adjustable_keeps_what_an_index_makes_of_it() -> None:
    # an error for PyPI, and a warning for an index without its rules
    elsewhere = problem("zip64", Severity.WARNING)
    settings = parse_rule_severities(("zip64=error",))
    assert [each.severity for each in settings.apply_to_problems([elsewhere])] == ["error"]
    noted = problem("zip64", Severity.ERROR)
    assert [each.severity for each in settings.apply_to_problems([noted])] == ["error"]


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ("zip64", "reflects a rejection by the index"),
        ("zip-bomb", "protects the machine"),
        ("version-tag", "what was requested"),
        ("expected-wheel-missing", "what was requested"),
        ("archive-unsafe-path", "protects the machine"),
    ],
)
def test_a_rule_that_binds_is_not_weakened_and_the_error_says_why(rule: str, why: str) -> None:
    for level in ("off", "note"):
        with pytest.raises(ConfigurationError, match="cannot be weaker") as caught:
            parse_rule_severities((f"{rule}={level}",))
        assert why in caught.value.detail
        assert rule in caught.value.hints[0]


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ("wheel-losst=error", "unknown rule"),
        ("qqq=error", "unknown rule"),
        ("wheel-lost=fatal", "is not a severity of wheel-lost"),
        ("wheel-lost", "is not a severity of wheel-lost"),
    ],
)
def test_a_wrong_entry_is_named(entry: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        parse_rule_severities((entry,))


def test_a_near_miss_is_named() -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_rule_severities(("wheel-losst=error",))
    assert caught.value.hints == ("Did you mean wheel-lost?", "Correct rules.")


@pytest.mark.parametrize(
    ("source", "example"),
    [
        ("--rules", "sdist-lost=error"),
        ("CI_PUBLISH_RULES", "sdist-lost=error"),
        ("[tool.ci-publish.rules]", 'sdist-lost = "error"'),
    ],
)
@pytest.mark.parametrize("entry", ["sdist-lost", "not-a-rule=note", "version-tag=off"])
def test_a_wrong_entry_is_looked_for_where_it_comes_from(source: str, example: str, entry: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_rule_severities((entry,), source=source)
    assert caught.value.summary.startswith(f"Invalid setting in {source}: ")
    told = "\n".join(caught.value.hints)
    assert source in told
    assert (example in told) is (entry == "sdist-lost")


def test_whether_entries_weaken_a_rule() -> None:
    assert weakens_any_rule(("wheel-lost=note", "zip64=error"))
    assert not weakens_any_rule(("wheel-lost=error", "zip64=error"))


def test_every_rule_is_adjustable_or_says_why_it_is_not() -> None:
    assert all(rule.ground for rule in RULES.values())
    errors_that_may_be_weakened = {
        rule.id for rule in RULES.values() if rule.adjustable and rule.pypi is Severity.ERROR
    }
    assert errors_that_may_be_weakened == set()
