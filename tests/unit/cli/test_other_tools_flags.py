"""A flag of another tool is answered with its translation."""

import pytest

from ci_publish.cli.arguments import parse_command_line
from ci_publish.cli.other_tools_flags import TRANSLATIONS, translate_other_tool_flags
from ci_publish.errors import ConfigurationError


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (["-r", "testpypi"], "--repository-url"),
        (["-rtestpypi"], "--repository-url"),
        (["--repository=testpypi"], "--repository-url"),
        (["-u", "__token__"], "--user"),
        (["--publish-url", "https://x.example/"], "--repository-url"),
        (["--index", "corp"], "--repository-url"),
        (["--check-url", "https://x.example/"], "--index-url"),
        (["--cert", "ca.pem"], "SSL_CERT_FILE"),
        (["--sign"], "--attestations"),
        (["--pypirc", "x"], "--config-file"),
        (["--repo", "main"], "--repository-url"),
        (["--no-prompt"], "never asks"),
        (["--build"], "build first"),
    ],
)
def test_the_translation_is_the_first_hint(words: list[str], answer: str) -> None:
    with pytest.raises(ConfigurationError, match="Unknown option of publish") as caught:
        parse_command_line(["publish", *words])
    assert answer in caught.value.hints[0]


def test_every_flag_is_one_that_is_not_ours() -> None:
    for flag in TRANSLATIONS:
        with pytest.raises(ConfigurationError):
            parse_command_line(["publish", flag, "x"])


def test_other_words_are_left_alone() -> None:
    assert list(translate_other_tool_flags(["--unheard-of", "word", "-"])) == []


def test_an_option_of_another_command_is_named_with_its_commands() -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_command_line(["check", "--mint", "--no-verify", "--unheard-of"])
    assert caught.value.hints[:2] == (
        "--mint is an option of doctor.",
        "--no-verify is an option of publish, plan, rehearse, settings.",
    )


def test_a_flag_that_is_a_command_is_named() -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_command_line(["publish", "--rehearse"])
    assert caught.value.hints[0] == "Rehearsing is a command: ci-publish rehearse"
