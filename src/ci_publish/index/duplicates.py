"""What "already exists" looks like on each kind of index (pure).

The table decides only that the index must be asked what it has under that name. It never decides that a file is
published: PyPI says "File already exists" also for other bytes under this name, and for these bytes under another.
Sources: pypi/warehouse forklift/legacy.py; pypiserver 2.4.2 and devpi 6.20.3 as run; twine up to 6.1.0, pdm and maturin
for the others, with the issues twine#816, #1251 and #1265, uv#8531 and uv#8817.
"""

import re

from ci_publish.model.frozen import frozen


@frozen
class Duplicate:
    """One way to say that the name is taken: a status, and words in the reason phrase or the body (None: any)."""

    index: str
    status: int
    words: re.Pattern[str] | None = None


def _row(index: str, status: int, words: str | None = None) -> Duplicate:
    return Duplicate(index, status, None if words is None else re.compile(words, re.IGNORECASE))


DUPLICATES = (
    _row("PyPI, TestPyPI", 400, r"\bfile already exists\b"),
    _row("pypiserver", 409, r"already exists"),
    _row("pypiserver (User-Agents with “twine” in them)", 400, r"already exists"),
    _row("devpi, not volatile", 409, r"already exists in non-volatile index"),
    _row("Nexus", 400, r"does not allow updating assets|cannot be updated|updating asset"),
    _row("Nexus, newer", 409, r"cannot be updated"),
    _row("Artifactory", 403, r"(?:delete/)?overwrite (?:all )?artifact"),
    _row("GitLab", 400, r"already been taken"),
    _row("Gitea, Forgejo", 400, r"already exist"),
    _row("Azure Artifacts", 409, r"already contains file|PackageAlreadyExists"),
    _row("Google Artifact Registry", 400, r"requested entity already exists"),
    _row("AWS CodeArtifact, and whoever else says no more than Conflict", 409),
    _row("Cloudsmith", 422, r"already exists|already been taken"),
)

# PyPI's words for names that are taken for good: nothing is there, and nothing will ever be.
_NEVER = re.compile(r"previously used by a file that has since been deleted", re.IGNORECASE)


def looks_duplicate(status: int, text: str) -> bool:
    """Whether an answer with this *status* says, in *text* (reason phrase and body), that the name is taken."""
    if _NEVER.search(text):
        return False
    return any(row.status == status and (row.words is None or row.words.search(text)) for row in DUPLICATES)
