"""The word list of `make lint`: it finds what it should, and nothing is left in the project."""

from pathlib import Path

import pytest

from scripts import lint_wording


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("Leave it\n    away for now.", "Leave it away"),
        ("'Licence' is no field.", "is no field"),
        ("These very bytes are there.", "These very bytes"),
        ("It waits for ever.", "for ever"),
    ],
)
def test_a_phrase_is_found_with_its_line(text: str, phrase: str) -> None:
    [(line, found, better)] = lint_wording.findings(f"# A comment\n{text}")
    assert (line, found) == (2, phrase)
    assert better


@pytest.mark.parametrize("text", ["There is no field of that name.", "It stays forever.", "for every file"])
def test_plain_english_is_left_alone(text: str) -> None:
    assert list(lint_wording.findings(text)) == []


def test_a_file_with_a_phrase_fails_the_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.md"
    page.write_text("Nothing lay there.", encoding="utf-8")
    assert lint_wording.main([page]) == 1
    assert "page.md:1: 'Nothing lay'" in capsys.readouterr().out


def test_the_project_has_none_of_the_phrases() -> None:
    assert lint_wording.main() == 0
