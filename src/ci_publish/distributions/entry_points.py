"""entry_points.txt: the scripts and plugins of a wheel (pure)."""

import configparser
import re
from collections.abc import Iterator
from typing import Final

MAX_LINES: Final = 5_000
"""More lines are not read: the library takes quadratic time to report lines that it cannot parse."""

_NAME: Final = re.compile(r"[\w.-]+")


class _CaseSensitiveParser(configparser.ConfigParser):
    """A parser that keeps the case of names (warehouse/utils/wheel.py:270)."""

    def optionxform(self, optionstr: str) -> str:
        """Return the name unchanged."""
        return optionstr


def parse_entry_points(text: bytes) -> Iterator[tuple[str, str, str]]:
    """Yield section, name and value of each entry point; nothing if *text* is invalid or has ``MAX_LINES``."""
    try:
        parser = _parse_sections(text)
    except (configparser.Error, UnicodeDecodeError):
        return
    for section in parser.sections():
        for name, value in parser[section].items():
            yield section, name, value


def entry_points_refusal_reason(text: bytes) -> str | None:
    """Return why the server rejects *text*, None if it accepts it (warehouse/utils/wheel.py:243-300).

    A text with ``MAX_LINES`` is not checked.
    """
    try:
        parser = _parse_sections(text)
    except UnicodeDecodeError:
        return "it is not UTF-8"
    except configparser.Error as error:
        return str(error).replace("\n", " ")
    for section in ("console_scripts", "gui_scripts"):
        for name in parser[section] if parser.has_section(section) else ():
            if _NAME.fullmatch(name) is None:
                return f"{name!r} in [{section}] is not a valid name for a script"
    return None


def _parse_sections(text: bytes) -> configparser.ConfigParser:
    """Return the sections, none of a text with ``MAX_LINES``. Raises UnicodeDecodeError or configparser.Error."""
    parser = _CaseSensitiveParser(delimiters=("=",), interpolation=None)
    if text.count(b"\n") < MAX_LINES:
        parser.read_string(text.decode("utf-8"))
    return parser
