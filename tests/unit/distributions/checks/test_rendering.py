"""Descriptions are rendered here where their nesting is bounded, else by a process that can be killed."""

import os
import time
from pathlib import Path

import pytest

from ci_publish.distributions.checks.rendering import (
    CHILD_SECONDS,
    MAX_HEADINGS,
    MAX_INDENT,
    MAX_MARKERS,
    MAX_RST_HERE,
    RunStopped,
    is_shallow_description,
    render_description,
)
from ci_publish.distributions.faults import Rendering
from tests.corpus.build import Wheel, metadata
from tests.unit.distributions.checked_folders import checked

QUOTES = ">" * 500_000

README = """[![badge](https://example.org/b.svg)](https://example.org) [![two](https://example.org/c.svg)](https://example.org)

| a | b |
|---|---|
| 1 | 2 |

> a quote
> > in a quote

- a
  - b
    1. c

--------------------------------------------------------------------------------------------------------------------
"""


def cpu() -> float:
    times = os.times()
    return times.user + times.system


@pytest.mark.parametrize("text", [README, README * 50, "=" * 500, "-" * 500, "word " * 10_000])
def test_what_people_write_is_rendered_here(text: str) -> None:
    assert is_shallow_description(text)


@pytest.mark.parametrize(
    "text",
    [
        ">" * 500_000,
        "> " * 1_000,
        "[" * 200,
        "*a " + "**" * 100,
        "- " * 100,
        "1. " * 100,
        " " * (MAX_INDENT + 1) + "x",
        "[a](" * (MAX_MARKERS + 1),
        f"| {'a|' * 500}\n| {'-|' * 500}\n" + "|a\n" * 1_000,
    ],
)
def test_what_nests_is_not(text: str) -> None:
    assert not is_shallow_description(text)


@pytest.mark.parametrize(("text", "kind"), [("[x](y) " + "[" * 200, "text/markdown"), ("words " + "[" * 200, "")])
def test_another_process_says_the_same(text: str, kind: str) -> None:
    assert render_description(text, kind) == Rendering()


def test_another_process_finds_the_same_fault() -> None:
    text = " " * (MAX_INDENT + 1) + "x\n\n.. nonsense::\n"
    fault = render_description(text, "text/x-rst").fault
    assert fault is not None
    assert "nonsense" in fault
    long = ".. nonsense::\n" + "words " * (MAX_RST_HERE // 6)
    assert render_description(long, "text/x-rst").fault is not None


@pytest.mark.stress
def test_quotes_within_quotes_do_not_keep_this_process() -> None:
    """500,000 `>` keep the renderer, and the interpreter lock, for minutes: here they take a killed child's time.

    ``tests/e2e/test_slow_descriptions.py`` has a run in which they do, in ``make test``, too.
    """
    began, used = time.monotonic(), cpu()
    assert render_description(QUOTES, "text/markdown").too_large
    assert cpu() - used < 2.0
    assert time.monotonic() - began < CHILD_SECONDS + 10.0
    began = time.monotonic()
    assert render_description(QUOTES, "text/markdown").too_large
    assert time.monotonic() - began < 1.0, "it was rendered again"


class Stopped:
    """``Waiting`` of a run that is stopped after a second."""

    cut = False

    def __init__(self) -> None:
        self._ends = time.monotonic() + 1.0

    @property
    def stopped(self) -> bool:
        return self.left() == 0.0

    def wait(self, seconds: float) -> bool:
        time.sleep(seconds)
        return self.stopped

    def left(self) -> float:
        return max(0.0, self._ends - time.monotonic())


def test_the_end_of_the_run_ends_the_other_process() -> None:
    """In a thread other than the main one, too, where no signal handler raises anything; and it is no outcome."""
    began = time.monotonic()
    with pytest.raises(RunStopped):
        render_description(">" * 500_001, "text/markdown", Stopped())
    assert time.monotonic() - began < CHILD_SECONDS / 2


def test_no_process_is_left_behind() -> None:
    before = set(children())
    with pytest.raises(RunStopped):
        render_description(">" * 500_002, "text/markdown", Stopped())
    assert set(children()) == before


def children() -> list[str]:
    listed = [task / "children" for task in Path("/proc/self/task").iterdir()]
    return [child for file in listed if file.exists() for child in file.read_text().split()]


def test_too_many_headings() -> None:
    assert render_description("# a\n" * (MAX_HEADINGS + 1), "text/markdown").too_large


@pytest.mark.parametrize("kind", ["(" * 50_000, "text/markdown; " + "a=b; " * 10_000, "text/plain; charset=\0"])
def test_content_types_that_the_library_cannot_read(kind: str) -> None:
    assert render_description("words", kind) == Rendering()


def test_a_description_of_headings_is_not_rendered(tmp_path: Path) -> None:
    text = metadata(fields=[("Description-Content-Type", "text/markdown")], body="# a\n" * 2_001)
    (tmp_path / Wheel().filename).write_bytes(Wheel(metadata=text).build())
    assert checked(tmp_path)[1].keys() == {"description-too-large"}
