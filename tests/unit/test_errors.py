"""The tree of errors: each has a slug of its own, and the exit code of the class that it narrows."""

import re

import pytest

from ci_publish import errors
from ci_publish.errors import CiPublishError, ContentConflict, InternalError, error_classes


def test_slugs_are_unique_and_spelled_for_urls() -> None:
    slugs = [each.slug for each in error_classes()]
    assert len(slugs) == len(set(slugs))
    assert all(re.fullmatch(r"[a-z]+(?:-[a-z]+)*", slug) for slug in slugs)


def test_a_subclass_keeps_the_exit_code_of_its_class_but_for_terminated() -> None:
    for each in error_classes():
        narrowed = [parent for parent in each.__bases__ if parent is not CiPublishError]
        if each is not errors.Terminated:
            assert {parent.__dict__.get("exit_code", each.exit_code) for parent in narrowed} <= {each.exit_code}


def test_the_docstring_of_the_module_names_each_exit_code() -> None:
    described = {int(number) for number in re.findall(r"\b(\d{1,3})\b", (errors.__doc__ or "").split("└──")[0])}
    codes = {each.exit_code for each in error_classes()}
    assert codes - {errors.Interrupted.exit_code, errors.Terminated.exit_code} <= described


def test_a_class_without_a_slug_is_a_mistake() -> None:
    with pytest.raises(TypeError, match="slug"):
        type("Nameless", (ContentConflict,), {})


def test_an_error_knows_its_page() -> None:
    error = ContentConflict("taken", hints=(hint for hint in ["raise the version"]))
    assert error.hints == ("raise the version",)
    assert error.docs.endswith("/errors/content-conflict/")
    assert errors.docs_url_for_rule("wheel-tags").endswith("/checks/#wheel-tags")


def test_a_bug_names_the_line_where_it_happened() -> None:
    try:
        raise ZeroDivisionError("of all things")  # noqa: TRY301  (a traceback is what this is about)
    except ZeroDivisionError as error:
        bug = InternalError.from_exception(error)
    assert "test_errors.py" in bug.detail
    assert "ZeroDivisionError: of all things" in bug.detail
