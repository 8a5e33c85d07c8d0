"""What is known of a Markdown description without rendering it."""

import warnings

from hypothesis import example, given
from hypothesis import strategies as st

from ci_publish.distributions.checks import rendering

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from readme_renderer import markdown

# Characters that mean something in Markdown are most of them; documents are short, so that they meet.
CHARACTERS = st.one_of(st.sampled_from("#[]()<>!-*_`~|:&;\\\"'=+.^ \t\n\r1aZ"), st.characters(codec="utf-8"))
TEXTS = st.text(CHARACTERS, max_size=60)


@given(
    st.sampled_from(["", " ", "\n", "   \n\n", "\t", "\u2003", "\x0c"]),
    st.sampled_from(["", "# ", "###### ", "##  "]),
    st.sampled_from("aZ09"),
    TEXTS,
)
@example("", "", "a", "\n[a]: /url")
@example("", "", "1", ". ")
@example("", "# ", "a", " #")
@example("", "", "a", "]: /url")
@example(" ", "", "a", "\n---\n<!--")
def test_what_begins_with_a_word_renders(blank: str, heading: str, word: str, rest: str) -> None:
    """As PyPI renders it: the shortcut of the check never says what the renderer would not."""
    description = f"{blank}{heading}{word}{rest}"
    assert rendering.render_description(description, "text/markdown").fault is None
    assert markdown.render(description) is not None


@given(TEXTS)
def test_the_check_says_what_the_renderer_says(description: str) -> None:
    fault = rendering.render_description(description, "text/markdown").fault
    assert (fault is None) == (markdown.render(description) is not None)
