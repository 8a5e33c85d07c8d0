"""Text from outside made harmless, by example; tests/property has the laws."""

import pytest

from ci_publish.reports import neutral


@pytest.mark.parametrize(
    ("text", "harmless"),
    [
        ("::error::x", ": :error::x"),
        ("  ::error::x", "  : :error::x"),
        ("##[error]x", "# #[error]x"),
        ("##vso[task]x", "# #vso[task]x"),
        ("a ::b", "a ::b"),
        ("## heading", "## heading"),
    ],
)
def test_a_finished_line_is_no_command(text: str, harmless: str) -> None:
    assert neutral.defuse_workflow_commands(text) == harmless


def test_a_block_keeps_its_columns_and_loses_what_moves_the_cursor() -> None:
    assert neutral.neutral_block("\n  a\tb\r\n\x1b[2Jc\n\n") == "  a    b\n\\x1b[2Jc"


def test_a_block_that_is_cut_says_how_much_is_missing() -> None:
    assert neutral.neutral_block("a" * 200, 100).endswith("\n[cut: 140 more characters]")


@pytest.mark.parametrize(
    ("text", "encoded"),
    [
        ("a|b", "a&#124;b"),
        ("- a", "&#45; a"),
        ("1. a", "1&#46; a"),
        ("@me", "&#64;&#8203;me"),
        ("www.a.b", "www&#46;a.b"),
    ],
)
def test_markdown_is_shown_as_text(text: str, encoded: str) -> None:
    assert neutral.escape_markdown(text) == encoded


def test_only_known_addresses_become_links() -> None:
    known = "https://pypi.org/manage/account/publishing/"
    assert f"({known})" in neutral.markdown_with_links(f"Open {known}.")
    assert "](" not in neutral.markdown_with_links("Open https://evil.example/.")


def test_the_data_of_a_command_is_encoded_once() -> None:
    assert neutral.workflow_command_data("a%\nb") == "a%25%0Ab"
    assert neutral.workflow_command_property("a:b,c") == "a%3Ab%2Cc"
    assert neutral.mask_command_data("a%\r\nb") == "a%25%0D%0Ab"
