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
    "| 0 | the index has every file exactly as signed (or, at your request, kept other content: `kept-published`); for"
    " commands that send nothing: no problem was found | | |"
)
MEANINGS: Final = {
    1: "a bug; the message shows what to report",
    2: "a flag, input, variable or file setting is wrong",
    3: "no distributions were found",
    4: "a check failed; nothing has left the machine",
    5: "no credential: the CI issues no OIDC identity token, and nothing else was given",
    6: "the index refuses the identity or the token",
    7: "no attestation where one is required; nothing was uploaded",
    8: "the index has different content under that filename",
    9: "the index refuses the file",
    10: "network, 429 or 5xx until the retries ran out",
    11: "accepted, but the index does not show what was sent, or shows provenance that does not verify",
    12: "published what the index allows for now; the rest is left for a later run",
    130: "stopped by Ctrl-C (SIGINT)",
    143: "stopped by SIGTERM: the CI cancelled the job",
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
        f"Exit code **{error.exit_code}** ({MEANINGS[error.exit_code]}). "
        f"Will running it again without changes help? **{again(error).capitalize()}.**\n"
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
        "Every error message ends with the exit code and the name of the error, which is also the name of its page.",
        "Names and codes are stable, so workflows can depend on them. For what they mean in a pipeline, see",
        "[exit codes](../reference/exit-codes.md).",
    ]
    for code, meaning in MEANINGS.items():
        lines += ["", f"## Exit code {code}: {meaning}", ""]
        lines += ["| name | what happened | does a retry help? |", "|---|---|---|"]
        lines += [_row(error) for error in error_classes() if error.exit_code == code]
    return "\n".join(lines) + "\n"


def _row(error: type[CiPublishError]) -> str:
    docstring = " ".join((error.__doc__ or "").partition("\n\n")[0].split())
    return f"| [`{error.slug}`]({error.slug}.md) | {docstring} | {again(error)} |"


def exit_codes() -> str:
    """Return the table of exit codes, each with the names that it holds."""
    lines = ["| code | meaning | does a retry help? | names |", "|---|---|---|---|", NOTHING_WRONG]
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
