"""Addresses that are dead on an index are found, with the line and the address that was meant."""

import pytest

from ci_publish.distributions.checks.relative_links import (
    RULES,
    DeadLink,
    find_dead_links,
    is_relative_address,
    probable_absolute_address,
)
from ci_publish.distributions.checks.rules import CheckedFile
from ci_publish.model.distribution import Kind

MARKDOWN = "text/markdown; charset=UTF-8"


@pytest.mark.parametrize(
    ("text", "content_type", "found"),
    [
        ("# x\n![a](docs/a.png)", MARKDOWN, [DeadLink(2, "docs/a.png", image=True)]),
        ("[guide](docs/guide.md) and [other](<b c>)", MARKDOWN, [DeadLink(1, "docs/guide.md", image=False)]),
        ("[![ci](a.svg)](LICENSE)", MARKDOWN, [DeadLink(1, "a.svg", image=True)]),
        ("[a]: ./LICENSE", MARKDOWN, [DeadLink(1, "./LICENSE", image=False)]),
        (
            '<img src="a.png" alt="x"> <a href=b.md>',
            MARKDOWN,
            [DeadLink(1, "a.png", image=True), DeadLink(1, "b.md", image=False)],
        ),
        ("[a](https://x.example/) [b](#part) [c](mailto:a@b.example) [d](//x.example/)", MARKDOWN, []),
        ("```\n![a](a.png)\n```\n`![b](b.png)`", MARKDOWN, []),
        ("x" * 6_000 + "![a](a.png)", MARKDOWN, []),
        (".. image:: docs/a.png", "", [DeadLink(1, "docs/a.png", image=True)]),
        (".. |x| image:: a.png", "text/x-rst", [DeadLink(1, "a.png", image=True)]),
        ("see `the guide <docs/guide.rst>`_", "", [DeadLink(1, "docs/guide.rst", image=False)]),
        (".. _guide: docs/guide.rst", "", [DeadLink(1, "docs/guide.rst", image=False)]),
        ("see `the guide <guide_>`_ and `x <https://x.example/>`_", "", []),
        ("![a](a.png)", "text/plain", []),
    ],
)
def test_relative_addresses_are_found(text: str, content_type: str, found: list[DeadLink]) -> None:
    assert list(find_dead_links(text, content_type)) == found


def test_what_is_no_address_at_all_is_left_alone() -> None:
    assert not is_relative_address("http://[x")
    assert is_relative_address("/docs")


@pytest.mark.parametrize(
    ("url", "link", "meant"),
    [
        ("https://github.com/o/r.git", DeadLink(1, "./a.png", image=True), "https://github.com/o/r/raw/HEAD/a.png"),
        ("https://github.com/o/r/issues", DeadLink(1, "b.md", image=False), "https://github.com/o/r/blob/HEAD/b.md"),
        ("https://gitlab.com/o/r", DeadLink(1, "b.md", image=False), "https://gitlab.com/o/r/-/blob/HEAD/b.md"),
        ("https://gitlab.com/o/r", DeadLink(1, "a.png", image=True), "https://gitlab.com/o/r/-/raw/HEAD/a.png"),
        ("https://x.example/", DeadLink(1, "b.md", image=False), None),
        ("https://github.com/o/r", DeadLink(1, "../b.md", image=False), None),
        ("https://github.com/o/r", DeadLink(1, "/b.md", image=False), None),
    ],
)
def test_the_address_that_was_meant_is_guessed_from_the_repository(url: str, link: DeadLink, meant: str | None) -> None:
    assert probable_absolute_address(link, {"project_urls": (f"Source, {url}",)}) == meant
    assert probable_absolute_address(link, {"home_page": (url,)}) == meant


def test_the_rule_names_line_target_and_address() -> None:
    (rule,) = RULES
    form = {
        "description": ("![a](a.png)\n[b](b.md)",),
        "description_content_type": (MARKDOWN,),
        "project_urls": ("Source, https://github.com/o/r",),
    }
    first, second = rule.faults_of_file(CheckedFile(filename="x.whl", kind=Kind.WHEEL, size=1, form=form))
    assert first.message == "The image a.png in line 1 of the description is relative, so it will not work on an index."
    assert first.advice == "Write the address in full: https://github.com/o/r/raw/HEAD/a.png"
    assert second.message.startswith("The link to b.md in line 2")
    (unknown,) = rule.faults_of_file(
        CheckedFile(
            filename="x.whl", kind=Kind.WHEEL, size=1, form={**form, "project_urls": (), "description": ("[b](b.md)",)}
        )
    )
    assert unknown.advice == ""
