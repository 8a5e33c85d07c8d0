import base64
import io
import json
from urllib.parse import quote_plus

import pytest

from ci_publish.model.identity import Secret
from ci_publish.reports.masking import Masker
from tests.unit.reports.runner import commands

RAW = 'pypi-AgEIc/+hl=?&é"x'


class Flushed(io.StringIO):
    flushes = 0

    def flush(self) -> None:
        self.flushes += 1


def forms(raw: str, user: str = "__token__") -> list[str]:
    basic = base64.b64encode(f"{user}:{raw}".encode()).decode()
    return [raw, base64.b64encode(raw.encode()).decode(), basic, quote_plus(raw), json.dumps(raw)[1:-1]]


def test_every_form_is_announced_to_the_runner_at_once() -> None:
    stream = Flushed()
    Masker(stream, on=True).mask(Secret(RAW))
    masked = {command.data for command in commands(stream.getvalue())}
    assert all(command.name == "add-mask" for command in commands(stream.getvalue()))
    assert {form.rstrip("=") for form in forms(RAW)[1:3]} | {RAW} <= masked
    assert stream.flushes == 1


def test_off_a_runner_nothing_is_written_but_all_is_remembered() -> None:
    stream = Flushed()
    masker = Masker(stream, on=False)
    masker.mask(Secret(RAW))
    assert stream.getvalue() == ""
    assert masker.redact(f"token {RAW} refused") == "token *** refused"


@pytest.mark.parametrize("form", forms(RAW))
def test_every_form_is_redacted(form: str) -> None:
    masker = Masker(io.StringIO(), on=False)
    masker.mask(Secret(RAW))
    redacted = masker.redact(f"<<{form}>>")
    assert redacted.replace("=", "") == "<<***>>"


def test_the_name_that_goes_with_a_password_is_part_of_a_form() -> None:
    masker = Masker(io.StringIO(), on=False)
    masker.mask(Secret("hunter22"), users=("alice",))
    header = base64.b64encode(b"alice:hunter22").decode()
    assert masker.redact(f"Basic {header}") in {"Basic ***", "Basic ***=", "Basic ***=="}


def test_each_line_of_a_secret_is_hidden_and_line_breaks_are_encoded() -> None:
    stream = Flushed()
    masker = Masker(stream, on=True)
    masker.mask(Secret("first line\nsecond 100%\r\n\nx"))
    masked = [command.data for command in commands(stream.getvalue())]
    assert masked[0] == "first line\nsecond 100%\r\n\nx"
    assert {"first line", "second 100%"} <= set(masked)
    assert "x" not in masked
    assert masker.redact("it said second 100% and first line") == "it said *** and ***"


def test_a_secret_is_announced_once() -> None:
    stream = Flushed()
    masker = Masker(stream, on=True)
    masker.mask(Secret("the-secret"))
    before = stream.getvalue()
    masker.mask(Secret("the-secret"))
    assert stream.getvalue() == before


def test_the_longer_of_two_secrets_is_hidden_whole() -> None:
    masker = Masker(io.StringIO(), on=False)
    masker.mask(Secret("pypi-abc"))
    masker.mask(Secret("pypi-abcdef"))
    assert masker.redact("pypi-abcdef") == "***"


@pytest.mark.parametrize("raw", ["", " ", "\n"])
def test_an_empty_secret_masks_nothing(raw: str) -> None:
    stream = Flushed()
    Masker(stream, on=True).mask(Secret(raw))
    assert "add-mask::\n" not in stream.getvalue()
    assert commands(stream.getvalue()) == []


def test_a_secret_of_three_letters_is_announced_but_does_not_eat_the_log() -> None:
    stream = Flushed()
    masker = Masker(stream, on=True)
    masker.mask(Secret("dis"))
    assert commands(stream.getvalue())[0].data == "dis"
    assert masker.redact("dist/demo") == "dist/demo"


def test_a_secret_cannot_smuggle_a_command() -> None:
    stream = Flushed()
    Masker(stream, on=True).mask(Secret("abcd\n::stop-commands::token\n##[set-env name=PATH]x"))
    assert {command.name for command in commands(stream.getvalue())} == {"add-mask"}


def test_a_stream_that_is_gone_stops_nothing() -> None:
    class Gone(io.StringIO):
        def write(self, _text: str) -> int:
            raise BrokenPipeError

    masker = Masker(Gone(), on=True)
    masker.mask(Secret("the-secret"))
    assert masker.redact("the-secret") == "***"


LONG = "pypi-AgEIcHlwaS5vcmcCJDEyMzQ1Njc4LTEyMzQtMTIzNC0xMjM0LTEyMzQ1Njc4OTAxMgACKlszLCI"


@pytest.mark.parametrize("form", [*forms(LONG)[:3], forms(LONG, "alice")[2]])
@pytest.mark.parametrize("kept", [slice(0, 40), slice(30, 60), slice(-25, None), slice(7, 31)])
def test_what_a_cut_text_leaves_of_a_long_secret_is_hidden(form: str, kept: slice) -> None:
    """Somebody cuts the index's answer at 500 characters, in the middle of what it says back."""
    masker = Masker(io.StringIO(), on=False)
    masker.mask(Secret(LONG), users=("__token__", "alice"))
    assert masker.redact(f"400 no {form[kept]}").rstrip("=") == "400 no ***"
    assert masker.redact(f'{{"message":"{form[kept].rstrip("=")}","code":1}}') == '{"message":"***","code":1}'


def test_words_beside_a_long_secret_are_left_alone() -> None:
    masker = Masker(io.StringIO(), on=False)
    masker.mask(Secret(LONG))
    text = "demo-1.0-py3-none-any.whl 101cd11f0e4456ae84fe88109aa93cbd629d6d54 https://pypi.org/project/demo/1.0/"
    assert masker.redact(text) == text
