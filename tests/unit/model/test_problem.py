from ci_publish.distributions.checks.rules import Stage
from ci_publish.distributions.checks.table import RULES
from ci_publish.model.problem import (
    UNDECIDED_RULES,
    Problem,
    Severity,
    published_problems_as_notes,
    undecided_problems_by_file,
)


def test_problems_of_files_that_are_published_already_are_only_noted() -> None:
    error = Problem(filename="a", rule="zip-bomb", severity=Severity.ERROR, message="x")
    other = Problem(filename="b", rule="zip-bomb", severity=Severity.ERROR, message="x")
    whole = Problem(filename=None, rule="several-projects", severity=Severity.WARNING, message="x")
    assert published_problems_as_notes([error, other, whole], {"a"}) == (
        Problem(filename="a", rule="zip-bomb", severity=Severity.NOTE, message="x"),
        other,
        whole,
    )
    assert error.docs.endswith("/checks/#zip-bomb")


def test_what_the_index_decides_is_known_by_file() -> None:
    tag = Problem(filename="a", rule="platform-tag-unknown", severity=Severity.WARNING, message="a new tag")
    classifier = Problem(
        filename="a", rule="metadata-classifier-unknown", severity=Severity.WARNING, message="a new classifier"
    )
    other = Problem(filename="b", rule="sdist-bomb", severity=Severity.WARNING, message="x")
    whole = Problem(filename=None, rule="platform-tag-unknown", severity=Severity.WARNING, message="x")
    assert undecided_problems_by_file([tag, classifier, other, whole]) == {"a": {"a new tag", "a new classifier"}}


def test_undecided_are_the_warnings_about_what_pypi_refused_when_this_version_was_made() -> None:
    warnings = {rule.id for rule in RULES.values() if rule.pypi is Severity.WARNING}
    refused = {rule.id for rule in RULES.values() if rule.stage is not Stage.NEVER}
    # How large a file may be is decided for each project: one that had large files before will have them again.
    assert warnings & refused == UNDECIDED_RULES | {"size-limit"}
