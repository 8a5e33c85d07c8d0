from ci_publish.model.problem import Problem, Severity, noted


def test_problems_of_files_that_are_published_already_are_only_noted() -> None:
    error = Problem("a", "zip-bomb", Severity.ERROR, "x")
    other = Problem("b", "zip-bomb", Severity.ERROR, "x")
    whole = Problem(None, "several-projects", Severity.WARNING, "x")
    assert noted([error, other, whole], {"a"}) == (Problem("a", "zip-bomb", Severity.NOTE, "x"), other, whole)
    assert error.docs.endswith("/checks/#zip-bomb")
