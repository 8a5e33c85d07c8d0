"""How each kind of index says "already exists" (pure).

The table decides only that the listing must be read. It never decides that a file is published: PyPI says "File already
exists" also for other bytes under this name, and for these bytes under another. Sources: pypi/warehouse
forklift/legacy.py; pypiserver 2.4.2 and devpi 6.20.3 as run; twine up to 6.1.0, pdm and maturin for the others, with
the issues twine#816, #1251 and #1265, uv#8531 and uv#8817.
"""

import re

from ci_publish.model.frozen import frozen


@frozen
class Duplicate:
    """One way to say that the name is taken: a status, and a pattern in the reason phrase or the body (None: any)."""

    index: str
    status: int
    words: str | None = None


DUPLICATES = (
    Duplicate("PyPI, TestPyPI", 400, r"\bfile already exists\b"),
    Duplicate("pypiserver", 409, r"already exists"),
    Duplicate("pypiserver (User-Agents with “twine” in them)", 400, r"already exists"),
    Duplicate("devpi, not volatile", 409, r"already exists in non-volatile index"),
    Duplicate("Nexus", 400, r"does not allow updating assets|cannot be updated|updating asset"),
    Duplicate("Nexus, newer", 409, r"cannot be updated"),
    Duplicate("Artifactory", 403, r"(?:delete/)?overwrite (?:all )?artifact"),
    Duplicate("GitLab", 400, r"already been taken"),
    Duplicate("Gitea, Forgejo", 400, r"already exist"),
    Duplicate("Azure Artifacts", 409, r"already contains file|PackageAlreadyExists"),
    Duplicate("Google Artifact Registry", 400, r"requested entity already exists"),
    Duplicate("AWS CodeArtifact, and others that say only Conflict", 409),
    Duplicate("Cloudsmith", 422, r"already exists|already been taken"),
)

# PyPI's message for names that can never be used again.
_NEVER = r"previously used by a file that has since been deleted"


def says_already_exists(status: int, text: str) -> bool:
    """Whether an answer with this *status* says, in *text* (reason phrase and body), that the name is taken."""
    if re.search(_NEVER, text, re.IGNORECASE):
        return False
    rows = (row for row in DUPLICATES if row.status == status)
    return any(row.words is None or re.search(row.words, text, re.IGNORECASE) for row in rows)
