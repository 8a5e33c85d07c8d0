"""How descriptions are shown, whatever they are."""

import pytest

from ci_publish.rehearsal.descriptions import description_as_safe_html, description_refusal_message

HUGE = "x " * 1024 * 1024


@pytest.mark.parametrize(
    ("description", "content_type", "start"),
    [
        ("# Words", "text/markdown", "<h1"),
        ("*words*", "text/x-rst", "<p><em>words</em></p>"),
        ("*words*", None, "<p><em>words</em></p>"),
        ("*words*", "text/plain", "<pre>*words*</pre>"),
        ("<b>", "text/other", "<pre>&lt;b&gt;</pre>"),
        ("*words*", "rubbish\n", "<pre>*words*</pre>"),
        (".. nonsense::", "text/x-rst", "<pre>.. nonsense::</pre>"),
        (HUGE, "text/markdown", "<pre>x x "),
        (f"x\n\n{'>' * 500_000}", "text/markdown", "<pre>x<br><br>&gt;&gt;"),
        ("# x\n" * 8_000, "text/markdown", "<pre># x<br>"),
    ],
)
def test_a_description_is_always_shown(description: str, content_type: str | None, start: str) -> None:
    assert description_as_safe_html(description, content_type).startswith(start)


@pytest.mark.parametrize(
    ("fields", "refused"),
    [
        ((), False),
        ((("description", "words"),), False),
        ((("description", ".. nonsense::"),), True),
        ((("description", ".. nonsense::"), ("description_content_type", "text/markdown")), False),
        ((("description", HUGE), ("description_content_type", "text/markdown")), False),
    ],
)
def test_only_what_cannot_be_rendered_is_refused(fields: tuple[tuple[str, str], ...], refused: bool) -> None:
    assert (description_refusal_message(fields) is not None) is refused


def test_images_are_placeholders_and_dead_addresses_are_marked() -> None:
    text = description_as_safe_html(
        "![a](docs/a.png) ![b](https://x.example/b.png) [c](c.md) [d](https://x.example/)", "text/markdown"
    )
    assert '<span class="image dead">image, dead on PyPI: a <code>docs/a.png</code></span>' in text
    assert '<span class="image">image: b <code>https://x.example/b.png</code></span>' in text
    assert '<a class="dead" href="c.md"' in text
    assert text.count("dead") == 3
