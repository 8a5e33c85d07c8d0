"""Whether a description renders, as PyPI renders it. Slow imports and slow work: each description once for a run."""

import email.message
import io
import re
import warnings
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from ci_publish.distributions.limits import KIB, MIB

MAX_RST: Final = 256 * KIB
MAX_MARKDOWN: Final = MIB
MAX_HEADINGS: Final = 2_000
"""readme-renderer looks at all headings for each: 8,000 with the same words take 4 s, 200,000 take minutes."""

_HEADING: Final = re.compile(r"^ {0,3}(?:#{1,6}(?:\s|$)|=+\s*$|-+\s*$)", re.MULTILINE)
# What begins with a word, or a heading with one, renders to something, whatever follows (CommonMark 4.2, 4.8);
# the server refuses only what renders to nothing (readme_renderer/markdown.py).
_BEGINS_WITH_WORD: Final = re.compile(r"\s*(?:#{1,6}[ ]+)?[A-Za-z0-9]")
_NOTHING: Final = "No content rendered from RST source."


class TooLargeToRender(Exception):
    """The description is larger than what is rendered here."""


@lru_cache(maxsize=32)
def rendering_fault(description: str, content_type: str) -> str | None:
    """Return why PyPI could not render *description*, None where it can. Raises TooLargeToRender.

    Source: warehouse/utils/readme.py:21-50, with readme-renderer. An unknown or empty content type falls back as there:
    none means reStructuredText, others plain text.
    """
    renderer = _renderer(_media_type(content_type))
    if len(description) > (MAX_RST if renderer is _render_rst else MAX_MARKDOWN):
        raise TooLargeToRender
    return renderer(description)


def _media_type(content_type: str) -> str:
    if not content_type:
        return "text/x-rst"
    message = email.message.EmailMessage()
    try:
        message["content-type"] = content_type
    except (ValueError, IndexError):
        return "text/plain"
    return message.get_content_type()


def _renderer(media_type: str) -> Callable[[str], str | None]:
    return {"text/x-rst": _render_rst, "text/markdown": _render_markdown}.get(media_type, _render_text)


def _render_text(_description: str) -> str | None:
    """Plain text always renders."""
    return None


def _render_markdown(description: str) -> str | None:
    if sum(1 for _ in _HEADING.finditer(description)) > MAX_HEADINGS:
        raise TooLargeToRender
    if _BEGINS_WITH_WORD.match(description):
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from readme_renderer import markdown  # noqa: PLC0415 - see the module's docstring

        rendered = markdown.render(description)
    return None if rendered is not None else "the Markdown source renders to nothing"


def _render_rst(description: str) -> str | None:
    from readme_renderer import rst  # noqa: PLC0415 - see the module's docstring

    stream = io.StringIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            rendered = rst.render(description, stream=stream)
        except Exception as error:  # noqa: BLE001 - docutils has no common base; the server would fail as well
            return f"docutils fails with {type(error).__name__}"
    if rendered is not None:
        return None
    text = re.sub(r"^<string>:", "line ", stream.getvalue().strip() or _NOTHING)
    return " ".join(text.split())[:400]
