"""Find phrases in the project's own texts that a native-speaking engineer would not write; exit 1 if there are any.

The list is short on purpose: phrases that came up again and again in reviews, each with what to write. It covers code,
documentation, actions and templates; tests may quote messages of others.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SEARCHED = ("src", "docs", "scripts", "native", "templates", "action.yml", "*.md")
SUFFIXES = frozenset({".py", ".md", ".yml", ".yaml", ".toml", ".sh"})

PHRASES = {
    r"leave[sd]? (?:it|them|both|one of the two) away|left away": "omit, remove",
    r"nothing lay|what lay there": "the folder is empty; found: …",
    r"(?<!there\x20)is no (?:field|key|distribution|wheel|sdist|CI|regular file|fault)\b": "is not a …",
    r"belongs? into": "belongs in",
    r"for ever\b": "permanently",
    r"these very bytes": "the same content",
    r"stands? more than once": "appears more than once",
    r"say(?:s|ing)? (?:so )?loudly": "warn",
    r"could not be asked|cannot be asked": "cannot be reached, cannot be read",
    r"what comes of": "the result of",
    r"of its own accord": "by itself",
    r"is minded": "is handled",
    r"taken apart": "parsed, torn down",
    r"blotted": "redacted",
    r"call(?:s|ed)? (?:it )?done before": "is not done until",
    r"look(?:s|ed)? whether": "check whether",
    r"wished for": "requested",
    r"must be reached|is not reached": "the target is, was not met",
    r"mends? what": "fix what",
    r"in the order of their requirements": "in dependency order",
    r"a setting is wrong|settings are wrong": "invalid setting",
    r"(?:act|publish) in (?:your|his|their) name": "impersonate, on your behalf",
    r"within its reach": "which it could read",
    r"what (?:is known about each|becomes? of|became of)|says? what became": "the status of",
    r"(?:job|run) of its own|a (?:job|run) each": "a separate job, a separate run",
    r"waits? for a later run|left for a later run": "deferred to a later run",
    r"the rest follows": "the rest is published",
    r"the wish for": "the request for",
    r"does not say enough": "lacks information",
    r"(?:an|the|its) answer (?:was lost|within)|no answer within|(?:did|does) not answer": "response, respond",
    r"answered (?:with )?(?:HTTP )?\d{3}|answers (?:with )?(?:HTTP )?\d{3}": "responded with",
    r"(?:index|pypi|sigstore|server)(?: would| will| may| has| permanently)? refuse[sd]?\b(?! to\b)": "rejects",
    r"beside (?:the|a|its|their|it|them|each|his)\b": "next to",
    r"(?:make|makes|made) (?:the |an? |new )?(?:attestations?|build provenance)": "create, created",
    r"reads? on:": "more information:",
}


def findings(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield the line number, the phrase and what to write for each phrase of the list in *text*, in any case.

    Phrases may be broken over two lines.
    """
    for pattern, better in PHRASES.items():
        for found in re.finditer(pattern.replace(" ", r"\s+"), text, re.IGNORECASE):
            yield text.count("\n", 0, found.start()) + 1, " ".join(found[0].split()), better


def searched_files() -> Iterator[Path]:
    """Yield the files of this checkout that git knows or would add, without this list itself."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *SEARCHED]
    for name in subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines():
        path = ROOT / name
        if path.suffix in SUFFIXES and path.is_file() and path != Path(__file__).resolve():
            yield path


def main(paths: Iterable[Path] | None = None) -> int:
    """Print each finding in *paths* (None: in the checkout) with its place."""
    found = [
        f"{os.path.relpath(path, ROOT)}:{line}: {phrase!r}; write: {better}"
        for path in (searched_files() if paths is None else paths)
        for line, phrase, better in sorted(findings(path.read_text(encoding="utf-8")))
    ]
    print("\n".join(found) if found else "no phrases of the word list")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
