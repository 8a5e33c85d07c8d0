"""The syntax of publisher identities, and how two are compared (pure).

    github:OWNER/REPO[:WORKFLOW][#ENVIRONMENT]
    gitlab:GROUP/…/PROJECT[:FILE][#ENVIRONMENT]
    google:EMAIL

An identity represents an issuer, a repository, a workflow file and an environment; what is omitted may be anything.
The commit, ref and run of a job are no part of it. OWNER/REPO, GROUP/…/PROJECT and GitHub's environments are compared
without regard to the case of letters, as GitHub and GitLab do; all else is compared letter for letter.
"""

import re
from enum import StrEnum
from typing import Final

from ci_publish.model.frozen import frozen

GRAMMAR: Final = (
    "github:OWNER/REPO[:WORKFLOW][#ENVIRONMENT], gitlab:GROUP/…/PROJECT[:FILE][#ENVIRONMENT] or google:EMAIL"
)

_GITHUB_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,98}[A-Za-z0-9])?/[A-Za-z0-9._-]{1,100}")
_GITLAB_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}(?:/[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}){1,20}")
_EMAIL = re.compile(r"[^\s@:#/]{1,64}@[A-Za-z0-9.-]{1,255}")
_YAML = (".yml", ".yaml")
_LONGEST_ENVIRONMENT = 255


class PublisherKind(StrEnum):
    """The identity providers whose identities have a name here; the value is the word before the first colon."""

    GITHUB = "github"
    GITLAB = "gitlab"
    GOOGLE = "google"


@frozen(kw_only=True)
class PublisherIdentity:
    """An identity. ``name`` is the repository, the project's full path or the email address.

    ``workflow`` is the file below ``.github/workflows`` on GitHub, and the path of the pipeline's configuration on
    GitLab. In an identity that is expected, None means any; in one that was found, None means unknown.
    """

    kind: PublisherKind
    name: str
    workflow: str | None = None
    environment: str | None = None

    def __str__(self) -> str:
        workflow = "" if self.workflow is None else f":{self.workflow}"
        environment = "" if self.environment is None else f"#{self.environment}"
        return f"{self.kind}:{self.name}{workflow}{environment}"

    def accepts(self, found: "PublisherIdentity | None") -> bool:
        """Return whether *found* is this identity, in every part that this one names."""
        if found is None or found.kind is not self.kind or self.workflow not in {None, found.workflow}:
            return False
        if not self._is_same_name(self.name, found.name, ignore_case=self.kind is not PublisherKind.GOOGLE):
            return False
        github = self.kind is PublisherKind.GITHUB
        return self.environment is None or self._is_same_name(self.environment, found.environment, ignore_case=github)

    @staticmethod
    def _is_same_name(ours: str, theirs: str | None, *, ignore_case: bool) -> bool:
        """Compare; outside ASCII, the case of letters counts, because lower case is not the same everywhere there."""
        if theirs is None:
            return False
        return ours == theirs or (ignore_case and theirs.isascii() and ours.lower() == theirs.lower())


@frozen
class JobIdentity:
    """The identity that the CI job's variables state: enough to compare with, never a proof."""

    publisher: PublisherIdentity
    commit: str | None = None


def parse_identity(text: str) -> PublisherIdentity:
    """Read an identity in the grammar above. Raises ValueError with a message that says what is wrong."""
    kind, separator, rest = text.strip().partition(":")
    if not separator or kind not in set(PublisherKind):
        message = f"{text.strip()!r} is not {GRAMMAR}"
        raise ValueError(message)
    if kind == PublisherKind.GOOGLE:
        if not _EMAIL.fullmatch(rest):
            message = f"{rest!r} is not an email address: write google:EMAIL"
            raise ValueError(message)
        return PublisherIdentity(kind=PublisherKind.GOOGLE, name=rest)
    place, hash_sign, environment = rest.partition("#")
    name, colon, workflow = place.partition(":")
    if hash_sign and not (environment.isprintable() and 0 < len(environment.strip()) <= _LONGEST_ENVIRONMENT):
        message = f"the environment in {text.strip()!r} is empty or not an environment's name"
        raise ValueError(message)
    _require_valid_parts(PublisherKind(kind), name, workflow if colon else None)
    return PublisherIdentity(
        kind=PublisherKind(kind),
        name=name,
        workflow=workflow if colon else None,
        environment=environment if hash_sign else None,
    )


def parse_identity_or_none(text: str) -> PublisherIdentity | None:
    """Read an identity in the grammar above; None if *text* is not one."""
    try:
        return parse_identity(text)
    except ValueError:
        return None


def _require_valid_parts(kind: PublisherKind, name: str, workflow: str | None) -> None:
    """Raise ValueError for a repository or workflow that cannot exist on GitHub or GitLab."""
    message = ""
    if kind is PublisherKind.GITHUB:
        if not _GITHUB_NAME.fullmatch(name):
            message = f"{name!r} is not a GitHub repository: write github:OWNER/REPO"
        elif workflow is not None and not is_github_workflow(workflow):
            message = (
                f"{workflow!r} is not the name of a workflow file: write github:{name}:release.yml, without folders"
            )
    elif not _GITLAB_NAME.fullmatch(name):
        message = f"{name!r} is not the full path of a GitLab project: write gitlab:GROUP/PROJECT"
    elif workflow is not None and not is_gitlab_configuration(workflow):
        message = f"{workflow!r} is not the path of a pipeline configuration: write gitlab:{name}:.gitlab-ci.yml"
    if message:
        raise ValueError(message)


def is_github_workflow(name: str) -> bool:
    """Return whether *name* can be a file below ``.github/workflows``."""
    return name.isprintable() and "/" not in name and name.endswith(_YAML) and name not in _YAML


def is_gitlab_configuration(path: str) -> bool:
    """Return whether *path* can be a pipeline configuration inside its own project."""
    inside = not path.startswith("/") and "//" not in path and "@" not in path
    return path.isprintable() and inside and path.endswith(_YAML)
