"""What the user states about a release in the settings (pure)."""

import re
from collections.abc import Sequence
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Final

from ci_publish.errors import ConfigurationError
from ci_publish.hints import Hint, option
from ci_publish.model.filename import DistributionFilename
from ci_publish.model.frozen import frozen

MAX_PATTERNS: Final = 300
"""Patterns that ``expect-wheels`` may expand to: more than any release has wheels."""

MAX_PATTERN: Final = 100
"""Characters of one pattern."""

MAX_STARS: Final = 10
"""Asterisks of one pattern: each multiplies the work."""

_TOKEN: Final = re.compile(r"\[[!^]?.[^]]*\]|.", re.DOTALL)
"""One part of a shell pattern: a set in brackets, or a character, ``?`` or ``*``."""


class VersionTag(StrEnum):
    """What to do about a tag of another version; ``auto``: it is an error only if the tag names the project."""

    AUTO = "auto"
    ERROR = "error"
    WARN = "warn"
    OFF = "off"


@frozen(kw_only=True)
class ExpectedWheel:
    """One wheel that a release must have: a shell pattern over its tags, for one project or (empty) for all."""

    project: str
    pattern: str


@frozen(kw_only=True)
class Stated:
    """What the user states: wheels that a release must have, size limits in bytes, and what its tag means.

    ``tag`` is the name of the tag that the CI job runs for, empty if there is none.
    """

    expected: tuple[ExpectedWheel, ...] = ()
    file_limit: int | None = None
    project_limit: int | None = None
    tag: str = ""
    version_tag: VersionTag = VersionTag.AUTO


NOTHING_STATED: Final = Stated()


def parse_expected_wheels(lines: Sequence[str]) -> tuple[ExpectedWheel, ...]:
    """Return the wheels that ``expect-wheels`` describes; braces are expanded as a shell does.

    Raises ConfigurationError for braces that do not match, and for more than ``MAX_PATTERNS`` wheels.
    """
    expected: list[ExpectedWheel] = []
    for line in lines:
        project, colon, pattern = line.rpartition(":")
        for each in _expand_pattern_braces(pattern, line):
            if each.count("-") < 2 and "*" not in each:  # noqa: PLR2004  (python-abi-platform)
                raise _expect_wheels_error(line, "not in the form python-abi-platform")
            if each.count("*") > MAX_STARS:
                raise _expect_wheels_error(line, f"more than {MAX_STARS} asterisks")
            expected.append(ExpectedWheel(project=project if colon else "", pattern=each.lower()))
            if len(expected) > MAX_PATTERNS:
                raise _expect_wheels_error(line, f"more than {MAX_PATTERNS:,} wheels in total")
    return tuple(dict.fromkeys(expected))


def _expand_pattern_braces(pattern: str, line: str) -> list[str]:
    """Expand braces as a shell does; groups may be nested."""
    if len(pattern) > MAX_PATTERN:
        raise _expect_wheels_error(line, f"more than {MAX_PATTERN} characters")
    done: list[str] = []
    left = [pattern]
    while left:
        text = left.pop()
        start = text.find("{")
        if start < 0:
            if "}" in text:
                raise _expect_wheels_error(line, "a brace is not closed")
            done.append(text)
            continue
        alternatives, end = _parse_brace_group(text, start, line)
        left += [text[:start] + each + text[end:] for each in reversed(alternatives)]
        if len(left) + len(done) > MAX_PATTERNS:
            raise _expect_wheels_error(line, f"more than {MAX_PATTERNS:,} wheels")
    return done


def _parse_brace_group(text: str, start: int, line: str) -> tuple[list[str], int]:
    """Return the alternatives of the group that begins at *start*, and where the text after it begins."""
    depth, begin, alternatives = 0, start + 1, list[str]()
    for place in range(start, len(text)):
        match text[place]:
            case "{":
                depth += 1
            case "," if depth == 1:
                alternatives.append(text[begin:place])
                begin = place + 1
            case "}":
                depth -= 1
                if depth == 0:
                    return [*alternatives, text[begin:place]], place + 1
            case _:
                pass
    raise _expect_wheels_error(line, "a brace is not closed")


def _expect_wheels_error(line: str, why: str) -> ConfigurationError:
    shown = line if len(line) <= MAX_PATTERN else f"{line[:MAX_PATTERN]}…"
    return ConfigurationError(
        f"Invalid pattern in expect-wheels: {shown} ({why})",
        detail="Braces expand to several wheels, as in a shell: cp3{12,13} means cp312 and cp313.",
        hints=(
            Hint("Write patterns like this: ", option("expect_wheels", "cp3{12,13}-*-{manylinux*_x86_64,win_amd64}")),
        ),
    )


def matches_wheel_pattern(pattern: str, name: DistributionFilename) -> bool:
    """Whether one of the tags of a wheel's name matches a shell pattern.

    A compressed tag set is not expanded: the places in the pattern that can be reached are followed through the
    interpreters, ABIs and platforms in turn, in time that grows with the lengths of pattern and name.
    """
    if not name.tags:
        return False
    tokens = _TOKEN.findall(re.sub(r"\*+", "*", pattern))
    reached = _places_after_asterisks({0}, tokens)
    for part, members in enumerate(name.tags):
        after: set[int] = set()
        for member in members:
            places = reached
            for character in member if part == len(name.tags) - 1 else f"{member}-":
                places = _places_after_asterisks(
                    {
                        place if tokens[place] == "*" else place + 1
                        for place in places
                        if place < len(tokens) and _token_matches_character(tokens[place], character)
                    },
                    tokens,
                )
            after |= places
        reached = after
    return len(tokens) in reached


def _places_after_asterisks(places: set[int], tokens: Sequence[str]) -> set[int]:
    """Return *places* in a pattern and those after its asterisks, which may match nothing and are never adjacent."""
    return places | {place + 1 for place in places if place < len(tokens) and tokens[place] == "*"}


def _token_matches_character(token: str, character: str) -> bool:
    if len(token) > 1:  # a set in brackets
        return fnmatchcase(character, token.replace("[^", "[!", 1))
    return token in {"*", "?", character}
