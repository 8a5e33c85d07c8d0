"""A release's description as on PyPI: rendered by the same library, in the same formats."""

import html
import re
import warnings
from collections.abc import Callable, Mapping
from typing import Final

import readme_renderer.markdown
import readme_renderer.rst
import readme_renderer.txt

from ci_publish.distributions.checks.relative_links import is_relative_address
from ci_publish.distributions.checks.rendering import (
    description_media_type,
    is_quick_to_render,
    render_description,
)
from ci_publish.rehearsal.index_records import Fields
from ci_publish.rehearsal.message_responses import HELP

_IMAGE = re.compile(r"<img\b([^<>]*)>")
_LINK = re.compile(r'<a\b([^<>]*\shref="([^"]*)"[^<>]*)>')
_ATTRIBUTE = re.compile(r'\s(src|alt)="([^"]*)"')
_RENDERERS: Final[Mapping[str, Callable[[str], str | None]]] = {
    "text/markdown": readme_renderer.markdown.render,
    "text/x-rst": readme_renderer.rst.render,
}


def description_as_safe_html(description: str, content_type: str | None) -> str:
    """Return the description as safe HTML: as plain text where it cannot be rendered (`warehouse/utils/readme.py`).

    Images are placeholders with their address; relative images and links, which are dead on PyPI, have a class.
    """
    kind, rendered = description_media_type(content_type or ""), None
    if kind in _RENDERERS and is_quick_to_render(description, kind):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            rendered = _RENDERERS[kind](description)
    if rendered is None:
        return f"<pre>{readme_renderer.txt.render(description)}</pre>"
    return _LINK.sub(_mark_relative_link, _IMAGE.sub(_image_placeholder_html, rendered))


def _image_placeholder_html(image: re.Match[str]) -> str:
    """Return what stands for an image; the attributes are escaped already, by the sanitiser."""
    attributes = dict(_ATTRIBUTE.findall(image[1]))
    address, alt = attributes.get("src", ""), attributes.get("alt", "")
    if is_relative_address(html.unescape(address)):
        return f'<span class="image dead">image, dead on PyPI: {alt} <code>{address}</code></span>'
    return f'<span class="image">image: {alt} <code>{address}</code></span>'


def _mark_relative_link(link: re.Match[str]) -> str:
    return f'<a class="dead"{link[1]}>' if is_relative_address(html.unescape(link[2])) else link[0]


def description_refusal_message(fields: Fields) -> str | None:
    """Return PyPI's message for a description that cannot be rendered; None for others, and without one."""
    texts = dict(reversed(fields))
    description, content_type = texts.get("description", ""), texts.get("description_content_type", "")
    if not description or render_description(description, content_type).fault is None:
        return None
    subject = f"for '{content_type}'" if content_type else "in the default format of reStructuredText"
    return f"The description failed to render {subject}. See {HELP}#description-content-type for more information."
