"""Reading HTML that strangers wrote (pure)."""

from html.parser import HTMLParser


class Page(HTMLParser):
    """Base address, meta tags and anchors of a page; ``whole``: it could be read to its end."""

    def __init__(self, most: int) -> None:
        super().__init__(convert_charrefs=True)
        self.whole = False
        self.base: str | None = None
        self.meta: dict[str, str] = {}
        self.anchors: list[dict[str, str]] = []
        self._most = most

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take note of a tag."""
        values = {name: value or "" for name, value in reversed(attrs)}
        if tag == "a" and len(self.anchors) < self._most:
            self.anchors.append(values)
        elif tag == "base" and self.base is None:
            self.base = values.get("href")
        elif tag == "meta":
            self.meta.setdefault(values.get("name", "").lower(), values.get("content", ""))


def read_page(text: str, most: int) -> Page:
    """Return the page that *text* is, with at most so many anchors."""
    page = Page(most)
    page.whole = is_readable(page, text)
    return page


class _Words(HTMLParser):
    """Collects what a page shows."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self._hidden: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002  (html.parser's)
        if self._hidden is None and tag in {"script", "style", "title"}:
            self._hidden = tag

    def handle_endtag(self, tag: str) -> None:
        if tag == self._hidden:
            self._hidden = None

    def handle_data(self, data: str) -> None:
        if self._hidden is None:
            self.words.append(data)


def words_of(text: str) -> str:
    """Return what a page shows, as one line; empty where it cannot be read to its end."""
    page = _Words()
    return " ".join(page.words) if is_readable(page, text) else ""


def is_readable(parser: HTMLParser, text: str) -> bool:
    """Feed *text* to *parser*; return whether it got to the end.

    ``html.parser`` gives up on some broken declarations, with other exceptions in other versions of Python.
    """
    try:
        parser.feed(text)
        parser.close()
    except (AssertionError, ValueError, RecursionError, NotImplementedError):
        return False
    return True
