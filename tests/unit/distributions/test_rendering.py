"""Descriptions are rendered here where their nesting is bounded, else by a process that can be killed."""

import os
import time

import pytest

from ci_publish.distributions.checks.rendering import (
    CHILD_SECONDS,
    MAX_HEADINGS,
    MAX_INDENT,
    MAX_MARKERS,
    MAX_RST_HERE,
    TooLargeToRender,
    is_shallow,
    rendering_fault,
)

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
    assert is_shallow(text)


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
    assert not is_shallow(text)


@pytest.mark.parametrize(("text", "kind"), [("[x](y) " + "[" * 200, "text/markdown"), ("words " + "[" * 200, "")])
def test_another_process_says_the_same(text: str, kind: str) -> None:
    assert rendering_fault(text, kind) is None


def test_another_process_finds_the_same_fault() -> None:
    text = " " * (MAX_INDENT + 1) + "x\n\n.. nonsense::\n"
    fault = rendering_fault(text, "text/x-rst")
    assert fault is not None
    assert "nonsense" in fault
    long = ".. nonsense::\n" + "words " * (MAX_RST_HERE // 6)
    assert rendering_fault(long, "text/x-rst") is not None


def test_quotes_within_quotes_do_not_keep_this_process() -> None:
    """500,000 `>` keep the renderer, and the interpreter lock, for minutes: here they take a killed child's time."""
    began, used = time.monotonic(), cpu()
    with pytest.raises(TooLargeToRender):
        rendering_fault(">" * 500_000, "text/markdown")
    assert cpu() - used < 2.0
    assert time.monotonic() - began < CHILD_SECONDS + 10.0


def test_too_many_headings() -> None:
    with pytest.raises(TooLargeToRender):
        rendering_fault("# a\n" * (MAX_HEADINGS + 1), "text/markdown")


@pytest.mark.parametrize("kind", ["(" * 50_000, "text/markdown; " + "a=b; " * 10_000, "text/plain; charset=\0"])
def test_content_types_that_the_library_cannot_read(kind: str) -> None:
    assert rendering_fault("words", kind) is None
