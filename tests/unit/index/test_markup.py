from html.parser import HTMLParser

import pytest

from ci_publish.index.markup import is_readable


class _GivingUp(HTMLParser):
    def __init__(self, error: type[Exception]) -> None:
        super().__init__()
        self._error = error

    def handle_data(self, data: str) -> None:
        raise self._error(data)


@pytest.mark.parametrize("error", [AssertionError, ValueError, RecursionError, NotImplementedError])
def test_a_parser_that_gives_up(error: type[Exception]) -> None:
    assert not is_readable(_GivingUp(error), "<p>words</p>")


def test_a_parser_that_gets_to_the_end() -> None:
    assert is_readable(HTMLParser(), "<p>words")
