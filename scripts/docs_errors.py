"""Keep the pages about errors true: what is printed, its exit code, and the list of all pages.

    docs/errors/<slug>.md         the facts and the example, between their marks; all else is written by people
    docs/errors/index.md          the list, whole
    docs/reference/exit-codes.md  the table, between its marks

The examples are those of `tests/assets/messages.txt`, which a test compares with what the program prints. `make
generate` writes the pages.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from ci_publish.errors import CiPublishError, error_classes

ROOT: Final = Path(__file__).resolve().parent.parent
DOCS: Final = ROOT / "docs"
MESSAGES: Final = ROOT / "tests" / "assets" / "messages.txt"
NOTHING_WRONG: Final = (
    "| 0 | The index has every file with the correct content, or kept different content at your request"
    " (`kept-published`). A command that uploads nothing found no problems. | | |"
)
MEANINGS: Final = {
    1: "Bug in ci-publish",
    2: "Invalid setting",
    3: "No distributions found",
    4: "A check failed before the upload",
    5: "No credential",
    6: "The index rejected the identity or the token",
    7: "A required attestation is missing",
    8: "The index has different content under the same filename",
    9: "The index rejected a file",
    10: "Network error, or 429 or 5xx responses, despite retries",
    11: "The index does not list the file, or serves unexpected provenance",
    12: "Some projects were deferred to a later run",
    130: "Interrupted with Ctrl-C (SIGINT)",
    143: "Terminated by the CI service (SIGTERM)",
}

# Raised through its kinds, and by itself only when signing is stopped from outside.
WITHOUT_EXAMPLE: Final = ("signing-failed",)


def examples(text: str) -> Mapping[str, tuple[str, str]]:
    """Return the first situation of each slug in a file of messages: what happened, and what was printed."""
    found: dict[str, tuple[str, str]] = {}
    for part in f"\n{text}".split("\n=== ")[1:]:
        head, _, body = part.partition("\n")
        slug = body.rstrip().rpartition(" · ")[2]
        found.setdefault(slug, (head.partition(" ")[2], body.strip("\n")))
    return found


def again(error: type[CiPublishError]) -> str:
    """Return whether running again can help, for people."""
    return "yes" if error.retryable else "no"


def facts(error: type[CiPublishError]) -> str:
    """Return what the class says of itself."""
    docstring = " ".join((error.__doc__ or "").partition("\n\n")[0].split())
    return (
        f"{docstring}\n\n"
        f"Exit code: **{error.exit_code}** ({MEANINGS[error.exit_code]}). "
        f"Does it help to retry without changing anything? **{again(error).capitalize()}.**\n"
    )


def example(what: str, printed: str) -> str:
    """Return what happened, and what was printed, as it was."""
    return f"{what}:\n\n```text\n{printed}\n```\n"


def generated(text: str, parts: Mapping[str, str]) -> str:
    """Return *text* with every part between its marks replaced; raise LookupError when marks are missing."""
    for name, body in parts.items():
        mark = re.compile(
            rf"(<!-- {name}: written by scripts/docs_errors\.py -->\n).*?(<!-- end of {name} -->)", re.DOTALL
        )
        if not mark.search(text):
            raise LookupError(f"no marks for {name}")
        text = mark.sub(lambda match: f"{match[1]}\n{body}\n{match[2]}", text)  # noqa: B023 - used at once
    return text


def index() -> str:
    """Return the list of all pages, by exit code."""
    lines = [
        "# Errors",
        "",
        "<!-- Written by scripts/docs_errors.py. -->",
        "",
        "Every error message ends with the exit code and the name of the error. Each name has its own page. Names and",
        "exit codes never change, so you can use them in workflows. See also [exit codes](../reference/exit-codes.md).",
    ]
    for code, meaning in MEANINGS.items():
        lines += ["", f"## Exit code {code}: {meaning}", ""]
        lines += ["| Name | Description | Does a retry help? |", "|---|---|---|"]
        lines += [_row(error) for error in error_classes() if error.exit_code == code]
    return "\n".join(lines) + "\n"


def _row(error: type[CiPublishError]) -> str:
    docstring = " ".join((error.__doc__ or "").partition("\n\n")[0].split())
    return f"| [`{error.slug}`]({error.slug}.md) | {docstring} | {again(error)} |"


def exit_codes() -> str:
    """Return the table of exit codes, each with the names that it holds."""
    lines = ["| Code | Meaning | Does a retry help? | Names |", "|---|---|---|---|", NOTHING_WRONG]
    for code, meaning in MEANINGS.items():
        kinds = [error for error in error_classes() if error.exit_code == code]
        helps = "sometimes" if len({error.retryable for error in kinds}) > 1 else again(kinds[0])
        names = ", ".join(f"[`{error.slug}`](../errors/{error.slug}.md)" for error in kinds)
        lines.append(f"| {code} | {meaning} | {helps} | {names} |")
    return "\n".join(lines) + "\n"


def files() -> Iterator[tuple[Path, str]]:
    """Yield every page with the text that it should have. Raises FileNotFoundError for an error without a page."""
    shown = examples(MESSAGES.read_text(encoding="utf-8"))
    yield DOCS / "errors" / "index.md", index()
    codes = DOCS / "reference" / "exit-codes.md"
    yield codes, generated(codes.read_text(encoding="utf-8"), {"codes": exit_codes()})
    for error in error_classes():
        page = DOCS / "errors" / f"{error.slug}.md"
        parts = {"facts": facts(error)}
        if error.slug not in WITHOUT_EXAMPLE:
            parts["example"] = example(*shown[error.slug])
        yield page, generated(page.read_text(encoding="utf-8"), parts)
