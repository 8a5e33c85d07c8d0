import io

import pytest

from ci_publish.model.identity import Secret
from ci_publish.reports.line_writer import LineWriter
from ci_publish.reports.masking import Masker
from ci_publish.reports.neutral import neutral_line
from tests.unit.reports.runner import commands


@pytest.mark.parametrize("parts", [(":", ":error::x"), ("#", "#[error]x"), ("", "::error::x"), ("  ", "::error::x")])
def test_a_line_put_together_from_harmless_parts_is_guarded_once_more(parts: tuple[str, str]) -> None:
    stream = io.StringIO()
    LineWriter(stream).write_lines(f"{parts[0]}{neutral_line(parts[1])}", "next")
    assert commands(stream.getvalue()) == []
    assert stream.getvalue().endswith("\nnext\n")


def test_a_secret_that_two_parts_make_together_is_taken_out() -> None:
    stream, masker = io.StringIO(), Masker(io.StringIO(), on=False)
    masker.mask(Secret("s3cr3t-token"))
    lines = LineWriter(stream, masker.redact)
    lines.write_lines("s3cr3t" + "-token")
    lines.write_command("::group::s3cr3t-token")
    assert stream.getvalue() == "***\n::group::***\n"
