"""Reads untrusted HTML, once from front to back (pure).

Law: the work grows with the length of the text and with nothing else. As in the HTML standard (section 13.2.5) the
position only moves forward: a tag, comment or script that is not closed takes the rest of the text. Python's
``html.parser`` reads that rest again for each tag, and 1 MB of ``<a `` keeps it and the interpreter lock for hours.
"""

import re
from collections.abc import Iterator
from typing import Final

from ci_publish.model.frozen import frozen

MAX_TOKENS: Final = 500_000
"""Tags and attributes that are read of a page: at most a second of work. PyPI's longest pages have 100,000."""

MAX_ATTRIBUTE: Final = 4_096
"""Characters of an attribute's value that are read."""

# Possessive throughout: nothing that was read is given back and read again.
_TAG: Final = re.compile(r"<(?:(/?+[a-zA-Z][^\s/>]*+)|(!--)|[!?/])")
_ATTRIBUTE: Final = re.compile(
    r"""[\s/]*+(?:(>)|(=?+[^\s/>=]*+)"""
    r"""(?:\s*+=\s*+(?:"([^"]*+)(?:"|\Z)|'([^']*+)(?:'|\Z)|([^\s>"'][^\s>]*+)?+))?+)"""
)
_RAW_ENDS: Final = {name: re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE) for name in ("script", "style", "title")}


@frozen(kw_only=True)
class HtmlPage:
    """Base address, meta tags and anchors of a page; ``whole``: it was read to its end, which is not inside a tag."""

    whole: bool
    base: str | None
    meta: dict[str, str]
    anchors: list[dict[str, str]]


def parse_html_page(text: str, most: int) -> HtmlPage:
    """Return the page that *text* is, with at most *most* anchors."""
    scanner = HtmlScanner(text)
    base: str | None = None
    meta: dict[str, str] = {}
    anchors: list[dict[str, str]] = []
    for tag in scanner.scan_tags():
        if not scanner.whole:
            break  # the text ends inside this tag, which therefore is none
        if tag.name == "a" and len(anchors) < most:
            anchors.append(tag.attributes)
        elif tag.name == "base" and base is None:
            base = tag.attributes.get("href")
        elif tag.name == "meta":
            meta.setdefault(tag.attributes.get("name", "").lower(), tag.attributes.get("content", ""))
    return HtmlPage(whole=scanner.whole, base=base, meta=meta, anchors=anchors)


def visible_html_text(text: str, *, title: bool = False) -> str:
    """Return what a page shows: its text without tags, comments, scripts and styles.

    With *title*, the title comes first; a page without other text is represented by its title.
    """
    titles, words, end = [], [], 0
    for tag in HtmlScanner(text).scan_tags():
        words.append(text[end : tag.start])
        end = tag.end
        if tag.name == "title":
            titles.append(text[tag.start : end].partition(">")[2])
    words.append(text[end:])
    shown = " ".join(words)
    return _unescape_html(" ".join((*titles, shown)) if title or not shown.strip() else shown)


@frozen(kw_only=True)
class HtmlTag:
    """One tag, comment or declaration. An end tag's name begins with ``/``, that of other markup is empty.

    ``end``: where the text goes on, for scripts, styles and titles at their end tag.
    """

    name: str
    start: int
    end: int
    attributes: dict[str, str]


class HtmlScanner:
    """Finds the tags of a text. ``tokens`` counts tags and attributes; ``whole``: the end was reached outside a tag."""

    def __init__(self, text: str) -> None:
        self.tokens = 0
        self.whole = True
        self._text = text
        self._at = 0

    def scan_tags(self) -> Iterator[HtmlTag]:
        """Yield the tags in order; one that the text ends in is the last."""
        while self.whole and (found := _TAG.search(self._text, self._at)) is not None:
            self.tokens += 1
            self._at = found.end()
            name = (found[1] or "").lower()
            attributes = self._read_tag_attributes() if name else self._skip_past_mark("-->" if found[2] else ">")
            if name in _RAW_ENDS and self.whole:
                end = _RAW_ENDS[name].search(self._text, self._at)
                self._at = len(self._text) if end is None else end.start()
            yield HtmlTag(name=name, start=found.start(), end=self._at, attributes=attributes)

    def _skip_past_mark(self, mark: str) -> dict[str, str]:
        found = self._text.find(mark, self._at)
        self.whole = found >= 0
        self._at = found + len(mark) if self.whole else len(self._text)
        return {}

    def _read_tag_attributes(self) -> dict[str, str]:
        """Read up to the tag's end; of two attributes with one name the first counts."""
        values: dict[str, str] = {}
        while self._at < len(self._text) and self.tokens < MAX_TOKENS:
            found = _ATTRIBUTE.match(self._text, self._at)
            assert found is not None  # noqa: S101  (every part of it may be empty)
            self._at = found.end()
            if found[1]:
                return values
            self.tokens += 1
            value = found[3] or found[4] or found[5] or ""
            values.setdefault(found[2].lower(), _unescape_html(value[:MAX_ATTRIBUTE]))
        self.whole = False
        self._at = len(self._text)
        return values


def _unescape_html(text: str) -> str:
    if "&" not in text:
        return text
    from html import unescape  # noqa: PLC0415  (late: imports a large table)

    try:
        return unescape(text)
    except ValueError:  # a character's number of more than 4,300 digits
        return text
