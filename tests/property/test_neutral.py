import html as std_html
import re
import unicodedata
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from ci_publish.reports.neutral import (
    HINT_LIMIT,
    defuse_workflow_commands,
    escape_markdown,
    markdown_code,
    markdown_with_links,
    mask_command_data,
    neutral_block,
    neutral_html,
    neutral_line,
    preformatted_markdown,
    workflow_command_data,
    workflow_command_property,
)
from tests.unit.reports.recorded_runs import STRESS, hostile_texts
from tests.unit.reports.runner import commands

EXAMPLES = settings(max_examples=1_000 if STRESS else 100, deadline=None)
ADDRESSES = st.sampled_from(
    [
        *(
            "https://pypi.org/",
            "https://test.pypi.org/",
            "https://ci-publish.github.io/ci-publish/",
            "http://127.0.0.1:8/",
        ),
        *("a=b&c=d", "x_y*z", "?q=%20", ")", "[", "@evil.example", "<b>", " ", ".", "\u202e", "`", "|", "https:", "//"),
    ]
)
HOSTILE = st.sampled_from(list(hostile_texts())) | st.text()
TEXTS = st.lists(HOSTILE, max_size=4).map("".join)
EVERY: tuple[Callable[[str], str], ...] = (
    neutral_line,
    neutral_block,
    neutral_html,
    escape_markdown,
    markdown_with_links,
    markdown_code,
    preformatted_markdown,
)


def is_harmless(text: str) -> bool:
    harmful = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    return not any(unicodedata.category(each) in harmful for each in text.replace("\n", ""))


@EXAMPLES
@given(TEXTS)
def test_nothing_is_a_command_and_nothing_is_hidden(text: str) -> None:
    for make in EVERY:
        assert commands(make(text)) == [], make
        assert is_harmless(make(text)), make


@EXAMPLES
@given(TEXTS)
def test_twice_is_once(text: str) -> None:
    assert neutral_line(neutral_line(text)) == neutral_line(text)
    assert neutral_block(neutral_block(text)) == neutral_block(text)
    assert defuse_workflow_commands(defuse_workflow_commands(neutral_line(text))) == neutral_line(text)


@EXAMPLES
@given(TEXTS, st.integers(1, 120))
def test_limits_hold(text: str, limit: int) -> None:
    assert len(neutral_line(text, limit)) <= limit
    assert "\n" not in neutral_line(text, limit)
    assert len(neutral_block(text, limit)) <= max(limit, len("[cut: 000000 more characters]"))
    assert commands(neutral_block(text, limit)) == []
    assert commands(neutral_line(text, limit)) == []


@EXAMPLES
@given(TEXTS, st.integers(40, 200))
def test_twice_is_once_also_where_it_was_cut(text: str, limit: int) -> None:
    assert neutral_line(neutral_line(text, limit), limit) == neutral_line(text, limit)
    assert neutral_block(neutral_block(text, limit), limit) == neutral_block(text, limit)


@EXAMPLES
@given(st.lists(TEXTS, min_size=1, max_size=4))
def test_a_line_put_together_from_harmless_parts_is_harmless_once_guarded(parts: list[str]) -> None:
    assert commands(defuse_workflow_commands("".join(neutral_line(part) for part in parts))) == []


@EXAMPLES
@given(TEXTS, TEXTS)
def test_a_command_of_ours_carries_text_and_stays_one_command(title: str, text: str) -> None:
    line = f"::error title={workflow_command_property(title)}::{workflow_command_data(text)}"
    found = commands(line)
    assert [each.name for each in found] == ["error"] * 2  # the line, and the line without weightless characters
    assert dict(found[0].properties).get("title", "") == neutral_line(title)
    assert found[0].data == neutral_block(text)


@EXAMPLES
@given(st.text())
def test_what_is_masked_is_the_text_itself(text: str) -> None:
    decoded = mask_command_data(text).replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")
    assert decoded == text
    assert "\n" not in mask_command_data(text)
    assert "\r" not in mask_command_data(text)


@EXAMPLES
@given(TEXTS)
def test_markdown_renders_as_the_characters_themselves(text: str) -> None:
    renderer = MarkdownIt("gfm-like", {"html": True, "linkify": False})
    rendered = renderer.render(f"| a | b |\n|---|---|\n| {escape_markdown(text)} | end |\n")
    cell = rendered.split("<tbody>")[1].split("<td>")[1].split("</td>")[0]
    shown = std_html.unescape(cell).replace("\u200b", "")
    assert "<" not in cell
    assert shown.split() == neutral_line(text).split()


@EXAMPLES
@given(st.lists(ADDRESSES | HOSTILE, max_size=8).map("".join))
def test_links_show_where_they_lead_and_lead_to_known_places_only(text: str) -> None:
    renderer = MarkdownIt("gfm-like", {"html": True, "linkify": False})
    rendered = renderer.render(f"| a | b |\n|---|---|\n| {markdown_with_links(text)} | end |\n")
    cell = rendered.split("<tbody>")[1].split("<td>")[1].split("</td>")[0]
    links = re.findall(r'<a href="([^"]*)">([^<]*)</a>', cell)
    rest = re.sub(r'<a href="[^"]*">([^<]*)</a>', r"\1", cell)
    rest = re.sub(r"<code>([^<]*)</code>", r"`\1`", rest)
    assert "<" not in rest
    assert std_html.unescape(rest).replace("\u200b", "").split() == neutral_line(text, HINT_LIMIT).split()
    for target, shown in links:
        assert std_html.unescape(target) == std_html.unescape(shown).replace("\u200b", "")
        assert urlsplit(std_html.unescape(target)).netloc in {
            *("pypi.org", "test.pypi.org", "ci-publish.github.io", "127.0.0.1:8")
        }


@pytest.mark.parametrize(
    "url",
    [
        "https://pypi.org/manage/project/demo/settings/publishing/?provider=github&owner=o&repository=a_b-c.d",
        "https://test.pypi.org/manage/account/publishing/?project_name=demo&workflow_filename=a%20b.yml",
        "https://ci-publish.github.io/ci-publish/checks/",
        "http://127.0.0.1:8080/project/demo/",
        "https://localhost:8443/project/demo/",
    ],
)
def test_addresses_of_forms_and_pages_can_be_followed(url: str) -> None:
    assert (
        markdown_with_links(f"Add it (soon) at {url}.") == f"Add it &#40;soon&#41; at [{escape_markdown(url)}]({url})."
    )
    assert (
        markdown_with_links(f"{url} and {url}")
        == f"[{escape_markdown(url)}]({url}) and [{escape_markdown(url)}]({url})"
    )


@pytest.mark.parametrize(
    "text",
    [
        *(
            "https://pypi.org.evil.example/",
            "https://pypi.org@evil.example/",
            "https://evil.example/",
            "http://pypi.org/",
        ),
        *(
            "https://pypi.org/a)b",
            "https://pypi.org/<b>",
            "https://pypi.org/a#b",
            "https://pypi.org",
            "xhttps://pypi.org/",
        ),
        *(
            "http://127.0.0.1.evil.example/",
            "javascript:https://pypi.org/",
            "https://pypi.org/…",
            "https://pypi.org/a\\b",
        ),
    ],
)
def test_every_other_address_stays_text(text: str) -> None:
    assert markdown_with_links(text) == escape_markdown(text)


def test_an_address_that_was_cut_is_no_link() -> None:
    assert "](" not in markdown_with_links("at https://pypi.org/" + "a" * HINT_LIMIT)


@EXAMPLES
@given(TEXTS)
def test_markdown_at_the_start_of_a_line_is_a_paragraph_or_nothing(text: str) -> None:
    rendered = MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(escape_markdown(text))
    assert not rendered or rendered.startswith("<p>")
    assert rendered.count("<") == (2 if rendered else 0)


@EXAMPLES
@given(TEXTS)
def test_code_and_preformatted_text_hold_no_markup(text: str) -> None:
    renderer = MarkdownIt("gfm-like", {"html": True, "linkify": False})
    inline = renderer.render(f"x {markdown_code(text)}")
    assert inline.startswith("<p>x <code>")
    assert inline.count("<") == 4
    whole = renderer.render(f"{preformatted_markdown(text)}\n\nafter")
    assert whole.count("<") == 4
    assert whole.endswith("<p>after</p>\n")


@EXAMPLES
@given(TEXTS)
def test_html_is_text(text: str) -> None:
    assert std_html.unescape(neutral_html(text)) == neutral_line(text)
    assert not set(neutral_html(text)) & set("<>\"'")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\x1b[31mb", r"a\x1b[31mb"),
        ("a\u202eb", r"a\u202eb"),
        ("a\U000e0041b", r"a\U000e0041b"),
        ("a\udc80b", r"a\udc80b"),
        ("a\r\nb\rc\u2028d", "a b c d"),
        ("  ::error::x", ": :error::x"),
        ("x ::error::y", "x ::error::y"),
        ("##[error]", "# #[error]"),
        ("####[error]", "### #[error]"),
        ("##vso[task.x]", "# #vso[task.x]"),
        ("C## [x]", "C## [x]"),
        ("Ärger 🐍", "Ärger 🐍"),
        ("a\tb", "a    b"),
    ],
)
def test_one_line_by_example(text: str, expected: str) -> None:
    assert neutral_line(text) == expected


def test_cutting_says_so() -> None:
    assert neutral_line("x" * 20, 5) == "xxxx…"
    assert neutral_block("x" * 50, 45) == "xxxxx\n[cut: 45 more characters]"
    assert neutral_block("x" * 50, 5) == "[cut: 50 more characters]"
    assert neutral_block("\n\n  a  \n\n    b\n\n") == "  a\n\n    b"


def test_a_cut_cannot_make_a_command() -> None:
    assert commands(neutral_block("ab\n    ::error::x" * 30, 40)) == []


def test_links_and_mentions_stay_text() -> None:
    text = escape_markdown("- www.x.org https://y @z #1 1. a")
    assert text == "&#45; www&#46;x.org https&#58;//y &#64;&#8203;z &#35;&#8203;1 1. a"
    assert escape_markdown("1. a") == "1&#46; a"
