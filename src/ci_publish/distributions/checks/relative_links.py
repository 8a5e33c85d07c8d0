"""Images and links in a description that lead nowhere on an index, because their addresses are relative (pure).

An index shows a description on its own page, without the files next to the README: a relative address is dead there
for as long as the release exists. The forms of Markdown, HTML and reStructuredText that READMEs use are recognised.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

from ci_publish.distributions.checks.rules import CheckedFile, Rule
from ci_publish.distributions.faults import Fault
from ci_publish.model.frozen import frozen
from ci_publish.model.problem import Severity

MOST_LINES: Final = 5_000
_MOST_LENGTH: Final = 500
_TARGET = r"(?:<(?=[^<>\s]+>))?([^\s<>()\"']{1,500})"
_MARKDOWN = re.compile(rf"(!?)\[[^\]\[]{{0,500}}\]\(\s*{_TARGET}")
_REFERENCE = re.compile(rf"^ {{0,3}}\[[^\]]{{1,200}}\]:()\s+{_TARGET}")
_HTML = re.compile(r"<(img|a)\b[^<>]{0,500}?\s(?:src|href)\s*=\s*[\"']?([^\s\"'<>]{1,500})", re.IGNORECASE)
_RST = re.compile(r"^\s*(?:\.\. (?:\|[^|]{1,100}\| )?(image|figure)::\s+(\S{1,500}))")
_RST_LINK = re.compile(r"`[^`<]{0,500}()<([^`>\s]{1,500})>`__?")
_RST_TARGET = re.compile(r"^\.\. _[^:]{1,200}:()\s+(\S{1,500})")
_FENCE = re.compile(r"^ {0,3}(```|~~~)")
_FORGE = re.compile(r"https://(?:github\.com|gitlab\.com|codeberg\.org)/[\w.-]+/[\w.-]+")


@frozen
class DeadLink:
    """A relative address in a line of a description; ``image``: it is the address of an image."""

    line: int
    target: str
    image: bool


def find_dead_links(description: str, content_type: str) -> Iterator[DeadLink]:
    """Yield the relative addresses of *description*, which is Markdown or, without a content type, reStructuredText."""
    kind = content_type.split(";", maxsplit=1)[0].strip().lower()
    patterns: Sequence[re.Pattern[str]]
    if kind == "text/markdown":
        patterns = (_MARKDOWN, _REFERENCE, _HTML)
    elif kind in {"", "text/x-rst"}:
        patterns = (_RST, _RST_LINK, _RST_TARGET)
    else:
        return
    fenced = False
    for number, line in enumerate(description.splitlines()[:MOST_LINES], 1):
        if kind == "text/markdown" and _FENCE.match(line):
            fenced = not fenced
        if fenced or len(line) > _MOST_LENGTH * 10:
            continue
        plain = re.sub(r"``?[^`]+``?", "", line) if kind == "text/markdown" else line
        for pattern in patterns:
            for mark, target in pattern.findall(plain):
                if is_relative_address(target):
                    yield DeadLink(number, target, mark.lower() in {"!", "img", "image", "figure"})


def is_relative_address(target: str) -> bool:
    """Return whether *target* is an address that an index resolves against its own page."""
    if target.startswith(("#", "//")) or target.endswith("_"):
        return False
    try:
        return not urlsplit(target).scheme
    except ValueError:
        return False


def probable_absolute_address(link: DeadLink, form: Mapping[str, Sequence[str]]) -> str | None:
    """Return the address that was probably meant, if one of the project's URLs is its repository."""
    urls = [text.rpartition(",")[2].strip() for text in form.get("project_urls", ())]
    root = next((found[0] for url in (*urls, *form.get("home_page", ())) if (found := _FORGE.match(url))), None)
    if root is None or link.target.startswith("/"):
        return None
    path = link.target.removeprefix("./")
    if path.startswith("../"):
        return None
    place = ("raw" if link.image else "blob") if "gitlab.com" not in root else ("-/raw" if link.image else "-/blob")
    return f"{root.removesuffix('.git')}/{place}/HEAD/{path}"


def _description_relative_link(file: CheckedFile) -> Iterable[Fault]:
    for link in find_dead_links(file.form_value("description"), file.form_value("description_content_type")):
        what = "The image" if link.image else "The link to"
        meant = probable_absolute_address(link, file.form)
        yield Fault(
            rule="description-relative-link",
            message=f"{what} {link.target} in line {link.line} of the description is relative, so it will not work"
            " on an index.",
            advice=f"Write the address in full: {meant}" if meant else "",
        )


RULES: Final = (
    Rule(
        id="description-relative-link",
        pypi=Severity.WARNING,
        adjustable=True,
        cause="Images and links in the description must use absolute URLs, or link to a heading in the description.",
        source="Indexes render only the description, which cannot be changed after publishing.",
        example="the image `docs/screenshot.png` in README.md",
        fix="Use absolute https:// URLs, either in the README or inserted at build time (hatch-fancy-pypi-readme).",
        check=_description_relative_link,
    ),
)
