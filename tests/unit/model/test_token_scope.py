from ci_publish.model.token_scope import TokenScope, projects_outside_scope, scope_has_too_few_projects


def test_names_are_compared_where_they_are_stated() -> None:
    assert projects_outside_scope(TokenScope(), ["a"]) == ()
    assert projects_outside_scope(TokenScope(projects=frozenset({"a"})), ["b", "a", "c", "b"]) == ("b", "c")


def test_numbers_are_compared_where_they_are_stated() -> None:
    assert not scope_has_too_few_projects(TokenScope(), ["a", "b"])
    assert not scope_has_too_few_projects(TokenScope(count=2), ["a", "b", "a"])
    assert scope_has_too_few_projects(TokenScope(count=1), ["a", "b"])


def test_what_a_token_states() -> None:
    assert not TokenScope(expires=1.0).is_limited_to_projects
    assert TokenScope(projects=frozenset()).is_limited_to_projects
    assert TokenScope(count=1).is_limited_to_projects
    assert TokenScope(projects=frozenset({"a"})).names_project("a")
    assert not TokenScope(projects=frozenset({"a"})).names_project("b")
    assert not TokenScope(count=1).names_project("a")
