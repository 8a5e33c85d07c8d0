"""The work on outside text grows with its length and with nothing else, for every row of docs/threat-model.md.

Counted are the calls that a profile function sees. C code makes none: with CI_PUBLISH_STRESS=1 the CPU time is
measured, the least of five runs, up to the cap.
"""

import gc
import re
import sys
import time
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from ci_publish.distributions.checks.rendering import (
    MAX_MARKDOWN_HERE,
    MAX_RST_HERE,
    is_quick_to_render,
    render_description,
)
from tests.property.worst_text import PARSERS, Parser, Piece

GROWTH = 2.1
LONGEST = 2.0
START = 4_000
# Fewer calls are the cost of being called at all. Shorter times are noise, and no growth of them is asserted.
FEW_CALLS = 300
SHORT = 0.1
CASES = [
    pytest.param(parser, piece, id=f"{name}-{piece[0][-20:]!r}-{piece[1][:20]!r}")
    for name, parser in PARSERS.items()
    for piece in parser.pieces
]


def calls(parser: Parser, text: bytes) -> int:
    seen = 0

    def count(_frame: object, _event: str, _argument: object) -> None:
        nonlocal seen
        seen += 1

    before = sys.getprofile()
    gc.disable()  # its callbacks are calls, too, and come when they come
    sys.setprofile(count)
    try:
        parser.read(text)
    finally:
        sys.setprofile(before)
        gc.enable()
    return seen


def seconds(parser: Parser, text: bytes, runs: int) -> float:
    times = []
    gc.disable()
    try:
        for _ in range(runs):
            began = time.process_time()
            parser.read(text)
            times.append(time.process_time() - began)
    finally:
        gc.enable()
    return min(times)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("parser", "piece"), CASES)
def test_calls_grow_with_the_length(parser: Parser, piece: Piece) -> None:
    start = min(START, parser.cap // 4)
    calls(parser, Parser.text(piece, start))  # what the first text imports is no work on the others
    counts = [calls(parser, Parser.text(piece, length)) for length in (start, 2 * start, 4 * start)]
    for shorter, longer in pairwise(counts):
        assert longer <= GROWTH * max(shorter, FEW_CALLS), counts


@cache
def times(name: str, piece: Piece) -> tuple[float, ...]:
    """Return the CPU time of reading a quarter, a half and all of what is read at most."""
    parser = PARSERS[name]
    return tuple(seconds(parser, Parser.text(piece, parser.cap // part), 5) for part in (4, 2, 1))


TIMED = [
    pytest.param(name, piece, id=f"{name}-{piece[0][-20:]!r}-{piece[1][:20]!r}")
    for name, parser in PARSERS.items()
    for piece in parser.pieces
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.stress
@pytest.mark.parametrize(("name", "piece"), TIMED)
def test_time_is_short_at_the_cap(name: str, piece: Piece) -> None:
    assert max(times(name, piece)) < LONGEST


@pytest.mark.filterwarnings("ignore")
@pytest.mark.stress
@pytest.mark.parametrize(("name", "piece"), TIMED)
def test_time_grows_with_the_length(name: str, piece: Piece) -> None:
    measured = [(shorter, longer) for shorter, longer in pairwise(times(name, piece)) if shorter >= SHORT]
    if not measured and times(name, piece)[-1] < 2 * GROWTH * SHORT:
        pytest.skip(f"half of the cap takes less than {SHORT} s: its growth cannot be told from noise")
    assert measured, times(name, piece)
    for shorter, longer in measured:
        assert longer <= GROWTH * shorter, times(name, piece)


LINES = (
    "word ",
    "a\n",
    "a\n\n",
    "- a\n",
    "> a\n",
    "# a\n\n",
    "[a](b) ",
    "`a` ",
    "**a** ",
    "| a | b |\n",
    "    a\n",
    "<b>",
    "&amp;",
)
RST = (*LINES, ":a:`b` ", ".. a:: b\n\n", "a\n=\n\n", "`a`_ ", "|a| ", ":a: b\n", ".. _a: b\n", "* a\n\n", "a_ ")


@pytest.mark.stress
@pytest.mark.parametrize(
    ("kind", "unit", "most"),
    [
        *(("text/markdown", unit, MAX_MARKDOWN_HERE) for unit in LINES),
        *(("text/x-rst", unit, MAX_RST_HERE) for unit in RST),
    ],
)
def test_what_is_rendered_here_takes_two_seconds(kind: str, unit: str, most: int) -> None:
    """The longest text of such lines that this process renders itself."""
    length = most
    while not is_quick_to_render("\n" + unit * (length // len(unit)), kind):
        length //= 2
    began = time.process_time()
    render_description("\n" + unit * (length // len(unit)), kind)
    assert time.process_time() - began < LONGEST


def test_every_row_of_the_threat_model_is_here() -> None:
    text = (Path(__file__).parents[2] / "docs" / "threat-model.md").read_text(encoding="utf-8")
    table = text.partition("| Input | Parser |")[2].partition("\n\n")[0]
    rows = {re.split(r"\s*\|\s*", line)[1] for line in table.splitlines()[2:]}
    assert rows == set(PARSERS)
