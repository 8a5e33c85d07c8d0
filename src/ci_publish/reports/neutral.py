r"""Escapes untrusted text for logs, commands, Markdown and HTML (pure).

Laws, held by tests with a port of the runner's own parser:

1. What these functions return is never a workflow command: no line of it starts with ``::`` (after white space), no
   ``##[`` stands anywhere in it (nor ``##vso[`` and ``##teamcity[``, which other runners know).
2. It holds no character that moves the cursor, hides or reorders text: control characters (C0, DEL, C1), format
   characters (bidi, zero-width, tags), line and paragraph separators, lone surrogates and the noncharacters that XML
   forbids are shown as escapes such as ``\x1b`` and ``\u202e``. Line breaks of every kind become spaces or ``\n``.
3. The functions are idempotent, except ``workflow_command_data``, ``workflow_command_property``, ``neutral_html``,
   ``escape_markdown`` and ``markdown_code``, which encode for one place, once.

The rules of the runner: actions/runner ``ActionCommand.cs`` (both syntaxes), ``ProcessInvoker.cs`` (lines end at
``\n``, ``\r\n`` and a bare ``\r``).
"""

import re
import unicodedata
from collections.abc import Iterator

from ci_publish.about import DOCS_URL

LINE_LIMIT = 500
BLOCK_LIMIT = 8_000
# A link with a form filled in is long, and useless once it is cut.
HINT_LIMIT = 2_000
_CUT_NOTE = 40

# Where any program along the way may break a line: str.splitlines() knows more than the runner does.
_BREAKS = re.compile(r"\r\n|[\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029]")
_HARMFUL_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# Letters and marks that show nothing, and the two noncharacters that no XML document may hold.
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u3164\uffa0\ufffe\uffff")
_BRACKET_COMMAND = re.compile(r"##(?=\w*\[)")
_MARKDOWN = re.compile(r"""[!"#$&'()*+:<=>@\[\\\]^_`{|}~]""")
_MARKDOWN_IN_LINE = re.compile(rf"^[-+]|^(\d+)[.)]|{_MARKDOWN.pattern}")
_FOLLOWED = re.compile(
    rf"(?<!\S)(?:https://(?:test\.)?pypi\.org/|{re.escape(DOCS_URL)}/|https?://(?:127\.0\.0\.1|localhost)(?::[0-9]{{1,5}})?/)"
    r"(?:[A-Za-z0-9/?&=%._~+-]*[A-Za-z0-9/=_-])?(?=[.,;:]?(?:\s|$))"
)
_CODE_OR_FOLLOWED = re.compile(rf"`[^`\s](?:[^`]*[^`\s])?`|{_FOLLOWED.pattern}")
_WEB_ADDRESS = re.compile(r"\bwww\.", re.IGNORECASE)


def neutral_line(text: str, limit: int = LINE_LIMIT) -> str:
    """Return *text* as one harmless line of at most *limit* characters, without white space at its ends."""
    line = defuse_workflow_commands(" ".join(_visible_lines(text)).strip())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def neutral_block(text: str, limit: int = BLOCK_LIMIT) -> str:
    r"""Return *text* as harmless lines joined with ``\n``, indentation kept, of *limit* characters at most.

    Blank lines at both ends are gone; where the text was cut, the last line says so (and stands alone where *limit*
    leaves no room for more).
    """
    whole = "\n".join(defuse_workflow_commands(line.rstrip()) for line in _visible_lines(text)).strip("\n")
    if len(whole) <= limit:
        return whole
    # The beginning of a harmless text is harmless, too: cutting off its end cannot make a command.
    kept = whole[: max(limit - _CUT_NOTE, 0)].rstrip()
    return f"{kept}\n[cut: {len(whole) - len(kept)} more characters]".lstrip("\n")


def defuse_workflow_commands(line: str) -> str:
    """Return the finished *line* so that no runner takes it for a command; for lines put together from parts."""
    line = _BRACKET_COMMAND.sub("# #", line)
    start = len(line) - len(line.lstrip())
    return f"{line[:start]}: :{line[start + 2 :]}" if line.startswith("::", start) else line


def neutral_html(text: str, limit: int = LINE_LIMIT) -> str:
    """Return *text* as one harmless line of HTML text, good for attribute values in quotes, too."""
    from html import escape  # noqa: PLC0415  (late: imports a large table)

    return escape(neutral_line(text, limit))


def escape_markdown(text: str, limit: int = LINE_LIMIT) -> str:
    """Return *text* as one line of Markdown that renders as the characters themselves: no markup, link or mention.

    Good for table cells and list items. Punctuation that means something to GitHub or GitLab becomes an entity.
    """
    encoded = _MARKDOWN_IN_LINE.sub(_markdown_entity, neutral_line(text, limit))
    return _WEB_ADDRESS.sub(lambda matched: f"{matched.group()[:-1]}&#46;", encoded)


def markdown_with_links(text: str, limit: int = HINT_LIMIT) -> str:
    """Return *text* as ``escape_markdown`` does, with trusted addresses as links and text in backticks monospaced.

    Trusted are pages of PyPI, of TestPyPI, of our documentation and of this machine, made of few characters, none of
    which means anything in a link's destination; every other address stays text.
    """
    out, end, line = "", 0, neutral_line(text, limit)
    for matched in _CODE_OR_FOLLOWED.finditer(line):
        out += _markdown_between_links(line[end : matched.start()])
        said = matched.group()
        out += markdown_code(said[1:-1]) if said.startswith("`") else f"[{escape_markdown(said, limit)}]({said})"
        end = matched.end()
    return out + _markdown_between_links(line[end:])


def markdown_code(text: str, limit: int = LINE_LIMIT) -> str:
    """Return *text* as one line of monospaced Markdown; nothing in it is markup, a link or a mention."""
    return f"<code>{_MARKDOWN.sub(_html_entity, neutral_line(text, limit))}</code>"


def preformatted_markdown(text: str, limit: int = BLOCK_LIMIT) -> str:
    """Return *text* as a monospaced Markdown block that keeps its lines and columns.

    A blank line would end the block for Markdown, so that it is written as an entity.
    """
    lines = [_MARKDOWN.sub(_html_entity, line) or "&#32;" for line in neutral_block(text, limit).split("\n")]
    return "<pre>" + "\n".join(lines) + "</pre>"


def workflow_command_data(text: str, limit: int = BLOCK_LIMIT) -> str:
    """Return *text* as the data of a workflow command, line breaks encoded as the runner decodes them."""
    return _escape_workflow_command(neutral_block(text, limit))


def workflow_command_property(text: str, limit: int = LINE_LIMIT) -> str:
    """Return *text* as the value of a workflow command's property."""
    return _escape_workflow_command(neutral_line(text, limit)).replace(":", "%3A").replace(",", "%2C")


def mask_command_data(line: str) -> str:
    """Return *line* as the data of ``add-mask``: exactly the same characters once the runner has decoded it."""
    return _escape_workflow_command(line)


def _markdown_between_links(text: str) -> str:
    """Return a part of a line as Markdown, with the blanks at its ends."""
    inner = text.strip()
    start, end = (text[: text.index(inner)], text[text.index(inner) + len(inner) :]) if inner else (text, "")
    return f"{start}{escape_markdown(inner, len(inner))}{end}"


def _visible_lines(text: str) -> Iterator[str]:
    """Yield the lines of *text* with harmful characters shown as escapes."""
    for line in _BREAKS.split(text):
        spaced = line.replace("\t", "    ")
        if spaced.isascii() and spaced.isprintable():
            yield spaced
        else:
            yield "".join(
                character.encode("unicode_escape").decode("ascii")
                if unicodedata.category(character) in _HARMFUL_CATEGORIES or character in _INVISIBLE
                else character
                for character in spaced
            )


def _escape_workflow_command(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _html_entity(matched: re.Match[str]) -> str:
    return f"&#{ord(matched.group())};"


def _markdown_entity(matched: re.Match[str]) -> str:
    """Return the last character of *matched* as an entity; before it may be the number of a list item."""
    character = matched.group()[-1]
    # GitHub links @names and #numbers after rendering: a zero-width space keeps them text.
    space = "&#8203;" if character in "@#" else ""
    return f"{matched[1] or ''}&#{ord(character)};{space}"
