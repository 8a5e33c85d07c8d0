"""HTML that strangers wrote is read once, from front to back."""

import sys

import pytest

from ci_publish.model.html_scanner import (
    MAX_ATTRIBUTE,
    MAX_TOKENS,
    HtmlPage,
    HtmlScanner,
    parse_html_page,
    visible_html_text,
)


def page(text: str, most: int = 10) -> HtmlPage:
    return parse_html_page(text, most)


def test_anchors_with_their_attributes() -> None:
    read = page("""<A href="a.whl#sha256=1" DATA-yanked=''  data-x = y>a</A><a href='b'/><a href=c>c</a>""")
    assert read.anchors == [
        {"href": "a.whl#sha256=1", "data-yanked": "", "data-x": "y"},
        {"href": "b"},
        {"href": "c"},
    ]
    assert read.whole


def test_the_first_of_two_attributes_counts_and_a_value_may_be_empty() -> None:
    assert page("<a href=1 href=2 =odd b= >").anchors == [{"href": "1", "=odd": "", "b": ""}]


def test_character_references() -> None:
    assert page('<a href="x?a=1&amp;b=2" data-requires-python="&gt;=3.8">').anchors == [
        {"href": "x?a=1&b=2", "data-requires-python": ">=3.8"}
    ]


def test_a_reference_to_a_character_of_too_many_digits_stays() -> None:
    digits = "9" * (MAX_ATTRIBUTE - 2)
    limit = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(640)
    try:
        assert page(f'<a href="&#{digits}">').anchors == [{"href": f"&#{digits}"}]
    finally:
        sys.set_int_max_str_digits(limit)


def test_base_and_meta_count_once() -> None:
    read = page('<base target=x><base href="https://e/"><base href="no"><meta name=A content=1><meta name=a content=2>')
    assert read.base == "https://e/"
    assert read.meta == {"a": "1"}


def test_no_more_anchors_than_wanted() -> None:
    assert len(page("<a><a><a>", 2).anchors) == 2


@pytest.mark.parametrize(
    "hidden",
    ["<!-- <a> -->", "<script><a></script>", "<STYLE><a></style >", "<title><a></title/>", "<!doctype <a>", "<?<a>"],
)
def test_what_is_no_tag(hidden: str) -> None:
    read = page(f"{hidden}<a href=1>")
    assert read.anchors == [{"href": "1"}]
    assert read.whole


@pytest.mark.parametrize("end", ["<a href", '<a href="', "<a href='x>", "<!-- <b>", "<?php", "</a"])
def test_a_page_that_ends_inside_a_tag_is_not_whole(end: str) -> None:
    read = page(f"<html><a href=1>{end}")
    assert not read.whole
    assert read.anchors == [{"href": "1"}]


@pytest.mark.parametrize("end", ["<script> <a>", "<", "< a>", "<3", "text"])
def test_a_page_that_ends_outside_tags_is_whole(end: str) -> None:
    assert page(end).whole
    assert page(end).anchors == []


def test_no_more_tags_than_the_cap() -> None:
    read = page("<b>" * MAX_TOKENS + "<a href=x>")
    assert not read.whole


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<h1>502</h1>\n<p>Bad &amp; Gateway", ["502", "Bad", "&", "Gateway"]),
        ("<title>x</title><style>b {}</style><script>if (a<b)</script><b>y</b> z", ["y", "z"]),
        ("plain", ["plain"]),
        ("a <!-- b --> c <b", ["a", "c"]),
        ("1 < 2", ["1", "<", "2"]),
        ("", []),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert visible_html_text(text).split() == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<title>502</title><h1>Bad Gateway</h1>", "502 Bad Gateway"),
        ("<h1>Bad Gateway</h1>", "Bad Gateway"),
        ("<title lang=en>502 &amp; more</title>", "502 & more"),
        ("<title>never closed", "never closed"),
    ],
)
def test_words_with_the_title(text: str, words: str) -> None:
    assert " ".join(visible_html_text(text, title=True).split()) == words


def test_the_title_of_a_page_that_shows_nothing_else() -> None:
    assert visible_html_text("<title>502 Bad Gateway</title><body></body>").strip() == "502 Bad Gateway"


@pytest.mark.parametrize("piece", ["<a ", "<a x='", "<!--", "<script>", "<a =", "</", "<a\t\n", "<a x = ", "&#", "<"])
def test_the_work_is_counted(piece: str) -> None:
    """However a text is made, there are no more tokens than characters, and twice the text makes twice as many."""
    counts = []
    for length in (2_000, 4_000):
        scanner = HtmlScanner(piece * length)
        assert sum(1 for _ in scanner.scan_tags()) <= scanner.tokens
        counts.append(scanner.tokens)
    assert counts[1] <= 2.1 * max(counts[0], 1)
