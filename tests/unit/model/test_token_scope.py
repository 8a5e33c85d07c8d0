from ci_publish.model.token_scope import TokenScope, too_few, uncovered


def test_names_are_compared_where_they_are_stated() -> None:
    assert uncovered(TokenScope(), ["a"]) == ()
    assert uncovered(TokenScope(projects=frozenset({"a"})), ["b", "a", "c", "b"]) == ("b", "c")


def test_numbers_are_compared_where_they_are_stated() -> None:
    assert not too_few(TokenScope(), ["a", "b"])
    assert not too_few(TokenScope(count=2), ["a", "b", "a"])
    assert too_few(TokenScope(count=1), ["a", "b"])


def test_what_a_token_states() -> None:
    assert not TokenScope(expires=1.0).limited
    assert TokenScope(projects=frozenset()).limited
    assert TokenScope(count=1).limited
    assert TokenScope(projects=frozenset({"a"})).names("a")
    assert not TokenScope(projects=frozenset({"a"})).names("b")
    assert not TokenScope(count=1).names("a")
