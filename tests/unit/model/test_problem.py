from ci_publish.distributions.checks import RULES
from ci_publish.distributions.checks.rules import Stage
from ci_publish.model.problem import UNDECIDED_RULES, Problem, Severity, noted, undecided


def test_problems_of_files_that_are_published_already_are_only_noted() -> None:
    error = Problem("a", "zip-bomb", Severity.ERROR, "x")
    other = Problem("b", "zip-bomb", Severity.ERROR, "x")
    whole = Problem(None, "several-projects", Severity.WARNING, "x")
    assert noted([error, other, whole], {"a"}) == (Problem("a", "zip-bomb", Severity.NOTE, "x"), other, whole)
    assert error.docs.endswith("/checks/#zip-bomb")


def test_what_the_index_decides_is_known_by_file() -> None:
    tag = Problem("a", "platform-tag-unknown", Severity.WARNING, "a new tag")
    classifier = Problem("a", "metadata-classifier-unknown", Severity.WARNING, "a new classifier")
    other = Problem("b", "sdist-bomb", Severity.WARNING, "x")
    whole = Problem(None, "platform-tag-unknown", Severity.WARNING, "x")
    assert undecided([tag, classifier, other, whole]) == {"a": {"a new tag", "a new classifier"}}


def test_undecided_are_the_warnings_about_what_pypi_refused_when_this_version_was_made() -> None:
    warnings = {rule.id for rule in RULES.values() if rule.pypi is Severity.WARNING}
    refused = {rule.id for rule in RULES.values() if rule.stage is not Stage.NEVER}
    # How large a file may be is decided for each project: one that had large files before will have them again.
    assert warnings & refused == UNDECIDED_RULES | {"size-limit"}
