import pytest

from ci_publish.distributions.checks.pypi_metadata_rules import fields_invalid_for_pypi, is_valid_url


@pytest.mark.parametrize("url", ["http://example.com", "HTTPS://example.com/a b?c#d", "https://", "https://x/%zz"])
def test_urls_are_lax(url: str) -> None:
    assert is_valid_url(url)


@pytest.mark.parametrize("url", ["", "example.com", "ftp://example.com", "mailto:a@example.com"])
def test_urls_that_are_not_http(url: str) -> None:
    assert not is_valid_url(url)


def test_a_field_that_is_invalid_already_is_not_reported_twice() -> None:
    raw = {"version": "1.0", "summary": "x" * 513}
    assert [invalid.field for invalid in fields_invalid_for_pypi(raw, set())] == ["summary"]  # type: ignore[arg-type]
    assert list(fields_invalid_for_pypi(raw, {"summary"})) == []  # type: ignore[arg-type]


def test_an_address_that_python_reads_by_recursion_is_invalid() -> None:
    raw = {"version": "1.0", "author_email": "(" * 3_000}
    found = list(fields_invalid_for_pypi(raw, set()))  # type: ignore[arg-type]
    assert [invalid.field for invalid in found] in ([], ["author-email"])
