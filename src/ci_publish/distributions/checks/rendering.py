"""Whether a description renders as on PyPI. Imports and rendering are slow: each description is rendered once per run.

The renderers take time that grows with nesting, not with length: 500,000 ``>`` keep one, and the interpreter lock, for
minutes. A description whose nesting exceeds the limits below is rendered by a separate process, which is killed after
``CHILD_SECONDS`` or when the run is stopped. Most are within the limits: starting an interpreter for each would cost
more than everything else here.
"""

import email.message
import io
import json
import re
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from typing import IO, Final

from ci_publish.distributions.faults import Rendering
from ci_publish.distributions.limits import KIB, MIB
from ci_publish.errors import CiPublishError
from ci_publish.model.waiting import Waiting
from ci_publish.python_processes import python_command

MAX_RST: Final = 256 * KIB
MAX_MARKDOWN: Final = MIB
MAX_HEADINGS: Final = 2_000
"""readme-renderer compares each heading with all others: 8,000 with the same words take 4 s, 200,000 take minutes."""

MAX_CONTENT_TYPE: Final = 1_000
MAX_ROW: Final = 100
"""Characters of markers in a row (quotes, lists, brackets, emphasis), in what is rendered in this process."""

MAX_INDENT: Final = 100
MAX_MARKERS: Final = 20_000
"""Markers in all: a renderer may search everything that follows for the end of each."""

MAX_CELLS: Final = 200_000
"""Bars in the widest line, times lines: each row of a table is filled up to the width of its head."""

MAX_RST_HERE: Final = 48 * KIB
MAX_MARKDOWN_HERE: Final = 256 * KIB
"""docutils takes up to 1.5 seconds for 48 KiB, 30 for a MiB; highlighting a MB of code takes 5."""

CHILD_SECONDS: Final = 10.0
_PAUSE: Final = 0.02
_RST: Final = "text/x-rst"
_MARKDOWN: Final = "text/markdown"
_PROGRAM: Final = "from ci_publish.distributions.checks.rendering import render_standard_input; render_standard_input()"

_ROW: Final = re.compile(r"(?:[>\[(<!*_`]\s*+|[-+]\s++|[0-9]{1,9}[.)]\s++)++")
_MARKERS: Final = "[]<>`*_~|&\\$!("
_HEADING: Final = re.compile(r"^ {0,3}(?:#{1,6}(?:\s|$)|=+\s*$|-+\s*$)", re.MULTILINE)
# Text that begins with a word, or a heading with one, renders to something (CommonMark 4.2, 4.8); the server rejects
# only text that renders to nothing (readme_renderer/markdown.py).
_BEGINS_WITH_WORD: Final = re.compile(r"\s*(?:#{1,6}[ ]+)?[A-Za-z0-9]")
_NOTHING: Final = "No content rendered from RST source."


class RunStopped(Exception):
    """The run was stopped while a description was rendered."""


@dataclass(frozen=True, slots=True)
class _DescriptionSource:
    """A description; ``waiting`` is not part of the cache key."""

    text: str
    content_type: str
    waiting: Waiting | None = field(compare=False)


def render_description(description: str, content_type: str, waiting: Waiting | None = None) -> Rendering:
    """Return whether PyPI could render *description*. Raises RunStopped when *waiting* is stopped.

    Source: warehouse/utils/readme.py:21-50, with readme-renderer. An unknown or empty content type falls back as there:
    none means reStructuredText, others plain text.
    """
    return _render_description_source(_DescriptionSource(description, content_type, waiting))


def render_form_description(form: Mapping[str, Sequence[str]], waiting: Waiting | None = None) -> Rendering:
    """Return how the description of an upload form renders; nothing for none. Raises RunStopped."""
    description, kind = (next(iter(form.get(name, ())), "") for name in ("description", "description_content_type"))
    return render_description(description, kind, waiting) if description else Rendering()


@lru_cache(maxsize=32)
def _render_description_source(source: _DescriptionSource) -> Rendering:
    description, kind = source.text, description_media_type(source.content_type)
    if len(description) > (MAX_RST if kind == _RST else MAX_MARKDOWN):
        return Rendering(too_large=True)
    if kind == _MARKDOWN and _has_too_many_headings(description):
        return Rendering(too_large=True)
    if kind not in _RENDERERS or (kind == _MARKDOWN and _BEGINS_WITH_WORD.match(description)):
        return Rendering()
    if is_quick_to_render(description, kind):
        return Rendering(_RENDERERS[kind](description))
    return _render_in_child_process(source, kind)


def description_media_type(content_type: str) -> str:
    """Return the media type as which PyPI renders a description: reStructuredText for none, plain text if invalid."""
    if not content_type:
        return _RST
    if len(content_type) > MAX_CONTENT_TYPE:  # which the library reads in quadratic time, and by recursion
        return "text/plain"
    message = email.message.EmailMessage()
    try:
        message["content-type"] = content_type
    except (ValueError, IndexError):
        return "text/plain"
    return message.get_content_type()


def is_quick_to_render(description: str, media_type: str) -> bool:
    """Return whether this process may render *description*: it is not long, not deeply nested, and has few headings."""
    most = MAX_RST_HERE if media_type == _RST else MAX_MARKDOWN_HERE
    return len(description) <= most and is_shallow_description(description) and not _has_too_many_headings(description)


def is_shallow_description(description: str) -> bool:
    """Return whether *description* may be rendered in this process: counted, in time that grows with its length.

    Counted are markers in a row, also over the ends of lines, indentation, cells of tables, and markers in all.
    """
    if sum(map(description.count, _MARKERS)) > MAX_MARKERS:
        return False
    longest = max((len(row.group()) for row in _ROW.finditer(description)), default=0)
    lines = description.splitlines()
    depth = max((len(line) - len(line.lstrip()) for line in lines), default=0)
    cells = max((line.count("|") for line in lines), default=0) * len(lines)
    return longest <= MAX_ROW and depth <= MAX_INDENT and cells <= MAX_CELLS


def _has_too_many_headings(description: str) -> bool:
    return sum(1 for _ in _HEADING.finditer(description)) > MAX_HEADINGS


def _render_in_child_process(source: _DescriptionSource, media_type: str) -> Rendering:
    """Render in a process that can be killed; it is too large if that fails or takes too long. Raises RunStopped.

    This thread waits in short steps: a signal or the deadline ends its wait, too.
    """
    command, answer = python_command(_PROGRAM, media_type), b""
    try:
        with subprocess.Popen(  # noqa: S603  (this very program)
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as process:
            assert process.stdin is not None  # noqa: S101  (both are pipes)
            assert process.stdout is not None  # noqa: S101
            try:
                sending = (process.stdin, source.text)
                threading.Thread(target=_send_description_to_child, args=sending, daemon=True).start()
                ends = time.monotonic() + CHILD_SECONDS
                while process.poll() is None and time.monotonic() < ends:
                    if source.waiting is not None and source.waiting.stopped:
                        raise RunStopped
                    time.sleep(_PAUSE)
                if process.poll() is not None:
                    answer = process.stdout.read()
            finally:
                process.kill()
        return Rendering(json.loads(answer)["fault"])
    except (OSError, ValueError, KeyError):
        return Rendering(too_large=True)


def _send_description_to_child(pipe: IO[bytes], text: str) -> None:
    with suppress(OSError), pipe:  # it was killed
        pipe.write(text.encode("utf-8", "surrogatepass"))


def render_standard_input() -> None:
    """Render standard input as the media type in the argument and print the fault; this is what the child runs."""
    description = sys.stdin.buffer.read().decode("utf-8", "surrogatepass")
    sys.stdout.write(json.dumps({"fault": _RENDERERS[sys.argv[1]](description)}))


def _render_markdown(description: str) -> str | None:
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
        except CiPublishError:  # a signal or the deadline stopped the run
            raise
        except Exception as error:  # noqa: BLE001 - docutils has no common base; the server would fail as well
            return f"docutils fails with {type(error).__name__}"
    if rendered is not None:
        return None
    text = re.sub(r"^<string>:", "line ", stream.getvalue().strip() or _NOTHING)
    return " ".join(text.split())[:400]


_RENDERERS: Final[Mapping[str, Callable[[str], str | None]]] = {_RST: _render_rst, _MARKDOWN: _render_markdown}
"""What renders each media type; all others are plain text, which always renders."""
