"""Reading HTML that strangers wrote (pure)."""

from html.parser import HTMLParser


def is_readable(parser: HTMLParser, text: str) -> bool:
    """Feed *text* to *parser*; return whether it got to the end.

    ``html.parser`` gives up on some broken declarations, with other exceptions in other versions of Python.
    """
    try:
        parser.feed(text)
        parser.close()
    except (AssertionError, ValueError, RecursionError, NotImplementedError):
        return False
    return True
