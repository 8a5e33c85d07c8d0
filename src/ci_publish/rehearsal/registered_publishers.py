"""Trusted Publishers as PyPI keeps them, and which claims match one (pure).

Source: `warehouse/oidc/models/` (github.py, gitlab.py, google.py, _core.py) at 6b62157124ab: the same claims in the
same order, with the same messages.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final, TypeAlias

import pypi_attestations

from ci_publish.model.frozen import frozen
from ci_publish.model.reusable_workflows import COMPARED_CLAIM
from ci_publish.rehearsal.ci_claims import GITHUB_ISSUER, GITLAB_ISSUER, GOOGLE_ISSUER

Claims: TypeAlias = Mapping[str, Any]
Identity: TypeAlias = (
    pypi_attestations.GitHubPublisher | pypi_attestations.GitLabPublisher | pypi_attestations.GooglePublisher
)

_WORKFLOW_FILE: Final = re.compile(r"[^/]+\.(?:yml|yaml)(?=@)")
_CONFIGURATION_PATH: Final = re.compile(r"(?<=//).*[^/]\.(?:yml|yaml)(?=@)")
_NO_FILE_OF_GITHUB: Final = "Could not job extract workflow filename from OIDC claims"
_NO_FILE_OF_GITLAB: Final = "Could not extract workflow filename from OIDC claims"


class InvalidPublisherError(Exception):
    """No publisher matches; the message is PyPI's reason."""


@frozen(kw_only=True)
class GitHubPublisher:
    """A GitHub repository's workflow; an empty `environment` or `owner_id` means any."""

    repository: str
    workflow: str
    environment: str = ""
    owner_id: str = ""
    issuer: ClassVar[str] = GITHUB_ISSUER
    name: ClassVar[str] = "GitHub"
    required: ClassVar[tuple[str, ...]] = (
        "repository",
        "repository_owner",
        "repository_owner_id",
        COMPARED_CLAIM,
        "jti",
        "event_name",
        "ref",
        "sha",
    )

    @property
    def specificity(self) -> bool:
        """Whether it names an environment: such a publisher is preferred."""
        return bool(self.environment)

    @property
    def identity(self) -> Identity:
        """Who must have signed the attestations: the repository in this very spelling."""
        environment = self.environment or None
        return pypi_attestations.GitHubPublisher(
            repository=self.repository, workflow=self.workflow, environment=environment
        )

    def is_found_by_lookup(self, claims: Claims) -> bool:
        """Whether PyPI's lookup finds it: repository and workflow in the registered spelling."""
        workflow = _file_in_claim(claims[COMPARED_CLAIM], _WORKFLOW_FILE, _NO_FILE_OF_GITHUB)
        return (
            claims["repository"] == self.repository
            and self.owner_id in {"", claims["repository_owner_id"]}
            and workflow == self.workflow
            and self.environment.lower() in {"", str(claims.get("environment") or "").lower()}
        )

    def require_claims_match(self, claims: Claims) -> None:
        """Check the claims against this publisher, in PyPI's order; raises InvalidPublisherError."""
        _require_ref_claim(
            COMPARED_CLAIM,
            f"{self.repository}/.github/workflows/{self.workflow}",
            claims,
            [claims.get("ref"), claims.get("sha")],
            "The ref and sha claims are empty",
        )
        if claims["event_name"] == "pull_request_target":
            raise InvalidPublisherError(
                "Publishing from a workflow invoked via 'pull_request_target' is not supported."
            )

    @classmethod
    def of_claims(cls, claims: Claims) -> "GitHubPublisher":
        """Return the publisher that these claims match."""
        return cls(
            repository=str(claims["repository"]),
            workflow=_file_in_claim(claims[COMPARED_CLAIM], _WORKFLOW_FILE, _NO_FILE_OF_GITHUB),
            environment=str(claims.get("environment") or ""),
            owner_id=str(claims["repository_owner_id"]),
        )


@frozen
class GitLabPublisher:
    """A gitlab.com project's pipeline. An empty `environment` means any."""

    project_path: str
    workflow_filepath: str = ".gitlab-ci.yml"
    environment: str = ""
    issuer: ClassVar[str] = GITLAB_ISSUER
    name: ClassVar[str] = "GitLab"
    required: ClassVar[tuple[str, ...]] = ("sub", "project_path", "ci_config_ref_uri", "jti", "ref_path", "sha")

    @property
    def specificity(self) -> bool:
        """Whether it names an environment: such a publisher is preferred."""
        return bool(self.environment)

    @property
    def identity(self) -> Identity:
        """Who must have signed the attestations: the project in this very spelling."""
        return pypi_attestations.GitLabPublisher(
            repository=self.project_path,
            workflow_filepath=self.workflow_filepath,
            environment=self.environment or None,
        )

    def is_found_by_lookup(self, claims: Claims) -> bool:
        """Whether PyPI's lookup finds it: the project in any letter case, file and environment exactly."""
        path = _file_in_claim(claims["ci_config_ref_uri"], _CONFIGURATION_PATH, _NO_FILE_OF_GITLAB)
        return (
            str(claims["project_path"]).lower() == self.project_path.lower()
            and path == self.workflow_filepath
            and self.environment in {"", claims.get("environment")}
        )

    def require_claims_match(self, claims: Claims) -> None:
        """Check the claims against this publisher, in PyPI's order; raises InvalidPublisherError."""
        subject = ":".join(str(claims["sub"]).split(":")[:2])
        if subject.lower() != f"project_path:{self.project_path}".lower():
            raise InvalidPublisherError("Check failed for required claim 'sub'")
        ref_path, sha = claims.get("ref_path"), claims.get("sha")
        _require_ref_claim(
            "ci_config_ref_uri",
            f"gitlab.com/{self.project_path}//{self.workflow_filepath}",
            claims,
            [ref_path, sha] if ref_path and sha else [],
            "The ref_path and sha claims are empty",
        )

    @classmethod
    def of_claims(cls, claims: Claims) -> "GitLabPublisher":
        """Return the publisher that these claims match."""
        path = _file_in_claim(claims["ci_config_ref_uri"], _CONFIGURATION_PATH, _NO_FILE_OF_GITLAB)
        return cls(str(claims["project_path"]), path, str(claims.get("environment") or ""))


@frozen
class GooglePublisher:
    """A Google service account. An empty `sub` means any."""

    email: str
    sub: str = ""
    issuer: ClassVar[str] = GOOGLE_ISSUER
    name: ClassVar[str] = "Google"
    required: ClassVar[tuple[str, ...]] = ("email", "email_verified")

    @property
    def specificity(self) -> bool:
        """Whether it names a subject: such a publisher is preferred."""
        return bool(self.sub)

    @property
    def identity(self) -> Identity:
        """Who must have signed the attestations."""
        return pypi_attestations.GooglePublisher(email=self.email)

    def is_found_by_lookup(self, claims: Claims) -> bool:
        """Whether PyPI's lookup finds it."""
        return claims["email"] == self.email and self.sub in {"", claims.get("sub")}

    def require_claims_match(self, claims: Claims) -> None:
        """Check the claims against this publisher; raises InvalidPublisherError."""
        if claims["email_verified"] is not True:
            raise InvalidPublisherError("Check failed for required claim 'email_verified'")

    @classmethod
    def of_claims(cls, claims: Claims) -> "GooglePublisher":
        """Return the publisher that these claims match."""
        return cls(str(claims["email"]))


TrustedPublisher: TypeAlias = GitHubPublisher | GitLabPublisher | GooglePublisher
_KINDS: Final[tuple[type[TrustedPublisher], ...]] = (GitHubPublisher, GitLabPublisher, GooglePublisher)
# Warehouse's names of the services, in its messages for `not-enabled`.
SERVICE_NAMES: Final = {GITHUB_ISSUER: "github", GITLAB_ISSUER: "gitlab", GOOGLE_ISSUER: "google"}


def find_matching_publisher(publishers: Iterable[TrustedPublisher], claims: Claims) -> TrustedPublisher:
    """Return the publisher that matches, the most specific first; raises InvalidPublisherError with PyPI's reason."""
    kind = _publisher_type_of_claims(claims)
    found = [
        publisher for publisher in publishers if isinstance(publisher, kind) and publisher.is_found_by_lookup(claims)
    ]
    if not found:
        raise InvalidPublisherError("Publisher with matching claims was not found")
    publisher = max(found, key=lambda candidate: candidate.specificity)
    publisher.require_claims_match(claims)
    return publisher


def publisher_of_claims(claims: Claims) -> TrustedPublisher:
    """Return the publisher that would have to be registered for these claims.

    Raises InvalidPublisherError where none could be.
    """
    publisher = _publisher_type_of_claims(claims).of_claims(claims)
    publisher.require_claims_match(claims)
    return publisher


def _publisher_type_of_claims(claims: Claims) -> type[TrustedPublisher]:
    kind = next(kind for kind in _KINDS if kind.issuer == claims["iss"])
    for name in kind.required:
        if claims.get(name) is None:
            raise InvalidPublisherError(f"Missing claim {name!r}")
    return kind


def _file_in_claim(claim: object, pattern: re.Pattern[str], none: str) -> str:
    match = pattern.search(str(claim))
    if match is None:
        raise InvalidPublisherError(none)
    return match.group()


def _require_ref_claim(name: str, truth: str, claims: Claims, refs: Iterable[object], none: str) -> None:
    if not claims[name]:
        raise InvalidPublisherError(f"The {name} claim is empty")
    expected = sorted({f"{truth}@{ref}" for ref in refs if ref})
    if not expected:
        raise InvalidPublisherError(none)
    if claims[name] not in expected:
        raise InvalidPublisherError(
            f"The {name} claim does not match, expecting one of {expected!r}, got {claims[name]!r}"
        )
