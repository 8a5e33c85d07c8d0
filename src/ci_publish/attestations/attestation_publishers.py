"""Who may have signed an attestation: from a job's claims to the publisher that the index will compare with (pure).

PyPI compares the certificate's issuer, Source Repository URI and Build Config URI with the Trusted Publisher, letter
for letter (warehouse/attestations/services.py, pypi_attestations' publishers). Extension numbers are those of Fulcio's
``docs/oid-info.md``.
"""

from collections.abc import Mapping
from enum import StrEnum

from ci_publish.errors import UnattestableWorkflow
from ci_publish.hints import WITHOUT_ATTESTATIONS
from ci_publish.model.frozen import frozen
from ci_publish.model.identity import Claims, IdentityToken
from ci_publish.model.reusable_workflows import CALLED_WORKFLOWS_PUBLISH

GITHUB_ISSUER = "https://token.actions.githubusercontent.com"
GITLAB_ISSUER = "https://gitlab.com"
GOOGLE_ISSUER = "https://accounts.google.com"
CIRCLECI_ISSUER = "https://oidc.circleci.com"
ISSUERS = frozenset({GITHUB_ISSUER, GITLAB_ISSUER, GOOGLE_ISSUER, CIRCLECI_ISSUER})


class Extension(StrEnum):
    """What Fulcio writes into a certificate, by object identifier."""

    ISSUER = "1.3.6.1.4.1.57264.1.8"
    BUILD_SIGNER_URI = "1.3.6.1.4.1.57264.1.9"
    RUNNER_ENVIRONMENT = "1.3.6.1.4.1.57264.1.11"
    SOURCE_REPOSITORY_URI = "1.3.6.1.4.1.57264.1.12"
    SOURCE_REPOSITORY_DIGEST = "1.3.6.1.4.1.57264.1.13"
    SOURCE_REPOSITORY_REF = "1.3.6.1.4.1.57264.1.14"
    SOURCE_REPOSITORY_ID = "1.3.6.1.4.1.57264.1.15"
    SOURCE_REPOSITORY_OWNER_ID = "1.3.6.1.4.1.57264.1.17"
    BUILD_CONFIG_URI = "1.3.6.1.4.1.57264.1.18"
    BUILD_TRIGGER = "1.3.6.1.4.1.57264.1.20"
    RUN_INVOCATION_URI = "1.3.6.1.4.1.57264.1.21"
    ENVIRONMENT = "1.3.6.1.4.1.57264.1.23"


_NAMES = {
    Extension.ISSUER: "identity provider",
    Extension.BUILD_SIGNER_URI: "pipeline definition",
    Extension.SOURCE_REPOSITORY_URI: "repository",
    Extension.SOURCE_REPOSITORY_DIGEST: "commit",
    Extension.SOURCE_REPOSITORY_REF: "ref",
    Extension.BUILD_CONFIG_URI: "workflow",
}


@frozen(kw_only=True)
class Publisher:
    """The exact values in a certificate of this publisher.

    ``extensions`` are values to be found letter for letter. ``build_config`` is the Build Config URI without its
    ``@ref``, which must be the certificate's own commit or ref. ``email`` is the subject where people or service
    accounts sign. ``known`` says whether PyPI has publishers of this kind.
    """

    label: str
    issuer: str
    extensions: tuple[tuple[Extension, str], ...] = ()
    build_config: str | None = None
    email: str | None = None
    known: bool = True

    def includes(self, other: "Publisher") -> bool:
        """Return whether *other* is this publisher, perhaps described more narrowly (CircleCI: with a repository)."""
        same = (self.issuer, self.build_config, self.email) == (other.issuer, other.build_config, other.email)
        return same and set(self.extensions) <= set(other.extensions)


def github_attestation_publisher(repository: str, workflow: str) -> Publisher:
    """Return the publisher for a repository (``owner/name``) and the file name of the workflow that was started."""
    home = f"https://github.com/{repository}"
    return Publisher(
        label=f"GitHub {repository} ({workflow})",
        issuer=GITHUB_ISSUER,
        extensions=((Extension.SOURCE_REPOSITORY_URI, home),),
        build_config=f"{home}/.github/workflows/{workflow}",
    )


def gitlab_attestation_publisher(project: str, configuration: str) -> Publisher:
    """Return the publisher for a gitlab.com project (its full path) and its pipeline configuration file."""
    home = f"https://gitlab.com/{project}"
    return Publisher(
        label=f"GitLab {project} ({configuration})",
        issuer=GITLAB_ISSUER,
        extensions=((Extension.SOURCE_REPOSITORY_URI, home),),
        build_config=f"{home}//{configuration}",
    )


def google_attestation_publisher(email: str) -> Publisher:
    """Return the publisher for a Google service account."""
    return Publisher(label=f"Google {email}", issuer=GOOGLE_ISSUER, email=email)


def circleci_attestation_publisher(
    project_id: str, pipeline_definition_id: str, vcs_origin: str | None = None, vcs_ref: str | None = None
) -> Publisher:
    """Return the publisher for a CircleCI pipeline definition, at one repository and ref if they are given."""
    signer = f"https://circleci.com/api/v2/projects/{project_id}/pipeline-definitions/{pipeline_definition_id}"
    optional = ((Extension.SOURCE_REPOSITORY_URI, vcs_origin), (Extension.SOURCE_REPOSITORY_REF, vcs_ref))
    return Publisher(
        label=f"CircleCI project {project_id}",
        issuer=CIRCLECI_ISSUER,
        extensions=(
            (Extension.BUILD_SIGNER_URI, signer),
            *((extension, value) for extension, value in optional if value is not None),
        ),
    )


def attestation_publisher_of_claims(claims: Claims) -> Publisher:
    """Return the publisher that the index will see in a job with these claims.

    For an identity provider that PyPI does not know, and for claims that lack what a publisher needs, only the issuer
    is compared, and the publisher says so (``known`` is False).
    """
    issuer = _publisher_claim(claims, "iss")
    if issuer == GITHUB_ISSUER:
        repository, uri = _publisher_claim(claims, "repository"), _publisher_claim(claims, "workflow_ref")
        path, prefix = uri.partition("@")[0], f"{repository}/.github/workflows/"
        if repository and path.startswith(prefix):
            return github_attestation_publisher(repository, path.removeprefix(prefix))
    elif issuer == GITLAB_ISSUER:
        project, uri = _publisher_claim(claims, "project_path"), _publisher_claim(claims, "ci_config_ref_uri")
        path, prefix = uri.partition("@")[0], f"gitlab.com/{project}//"
        if project and path.startswith(prefix):
            return gitlab_attestation_publisher(project, path.removeprefix(prefix))
    elif issuer == GOOGLE_ISSUER and (email := _publisher_claim(claims, "email")):
        return google_attestation_publisher(email)
    elif issuer == CIRCLECI_ISSUER:
        project = _publisher_claim(claims, "oidc.circleci.com/project-id")
        definition = _publisher_claim(claims, "oidc.circleci.com/pipeline-definition-id")
        if project and definition:
            return circleci_attestation_publisher(project, definition)
    return Publisher(label=issuer or "an unknown identity provider", issuer=issuer, known=False)


def certificate_mismatch(publisher: Publisher, certificate: Mapping[str, str]) -> str | None:
    """Return why a certificate with these extensions is not *publisher*'s, or None if it may be.

    The subject (``email``) is not among the extensions and is left to the verifier's policy.
    """
    for extension, wanted in ((Extension.ISSUER, publisher.issuer), *publisher.extensions):
        if (found := certificate.get(extension)) != wanted:
            return _certificate_difference(_NAMES[extension], wanted, found)
    if publisher.build_config is None:
        return None
    found = certificate.get(Extension.BUILD_CONFIG_URI)
    if found in allowed_build_config_uris(publisher.build_config, certificate):
        return None
    return _certificate_difference("workflow", f"{publisher.build_config}@…", found)


def allowed_build_config_uris(base: str, certificate: Mapping[str, str]) -> tuple[str, ...]:
    """Return the Build Config URIs that *base* may have: at the commit or at the ref that the certificate names."""
    extensions = (Extension.SOURCE_REPOSITORY_DIGEST, Extension.SOURCE_REPOSITORY_REF)
    return tuple(f"{base}@{certificate[extension]}" for extension in extensions if extension in certificate)


def _certificate_difference(name: str, wanted: str, found: str | None) -> str:
    if found is None:
        return f"its certificate names no {name} (expected {wanted})"
    if wanted.removesuffix("@…").lower() == found[: len(wanted.removesuffix("@…"))].lower():
        return f"its certificate names the {name} {found}, which differs from {wanted} in letter case or at its end"
    return f"its certificate names the {name} {found}, not {wanted}"


def reusable_workflow_attestation_error(
    claims: Claims, *, may_publish: bool = CALLED_WORKFLOWS_PUBLISH
) -> UnattestableWorkflow | None:
    """Return the error to raise before signing when a reusable workflow runs the job, None when none does.

    PyPI expects the identity token of the workflow that is called (``job_workflow_ref``), but attestations of the
    workflow that was started (``workflow_ref``), so no Trusted Publisher matches both (pypi/warehouse#11096). None also
    where reusable workflows *may publish*.
    """
    started, running = _publisher_claim(claims, "workflow_ref"), _publisher_claim(claims, "job_workflow_ref")
    if (
        may_publish
        or _publisher_claim(claims, "iss") != GITHUB_ISSUER
        or not started
        or not running
        or started.lower() == running.lower()
    ):
        return None
    return UnattestableWorkflow(
        f"The job runs in the reusable workflow {running}, called by {started}: PyPI would reject its attestations.",
        detail="PyPI compares attestations with the workflow that was started, but the identity of the upload with the "
        "workflow that is called; no Trusted Publisher matches both (https://github.com/pypi/warehouse/issues/11096).",
        hints=(
            f"Run ci-publish in a job of {started.partition('@')[0]} itself, and only build in the reusable workflow.",
            WITHOUT_ATTESTATIONS,
        ),
    )


def pipeline_elsewhere_attestation_error(claims: Claims) -> UnattestableWorkflow | None:
    """Return the error to raise before signing when a GitLab job's CI configuration is in another project."""
    project = _publisher_claim(claims, "project_path")
    configuration = _publisher_claim(claims, "ci_config_ref_uri")
    path, separator, _ = configuration.partition("@")[0].partition("//")
    if not project or not separator or path.partition("/")[2].lower() == project.lower():
        return None
    return UnattestableWorkflow(
        f"The CI configuration of this job is in another project, {path}: PyPI would reject its attestations.",
        detail="PyPI compares the configuration's project with the Trusted Publisher's, which is the project that the "
        f"job runs in, {project}.",
        hints=(
            "Keep a .gitlab-ci.yml in the project itself and `include:` the shared configuration there.",
            WITHOUT_ATTESTATIONS,
        ),
    )


def unattestable_workflow_error(claims: Claims) -> UnattestableWorkflow | None:
    """Return the error for a job whose attestations no index with PyPI's rules accepts; None for other jobs."""
    return reusable_workflow_attestation_error(claims) or pipeline_elsewhere_attestation_error(claims)


def facts_made_public(claims: Claims) -> tuple[str, ...]:
    """Return what an attestation of this job reveals about a project that is not public; empty for a public project.

    The transparency log keeps the certificate permanently: each line is a claim that Fulcio copies into it.
    """
    if _publisher_claim(claims, "repository_visibility", "project_visibility") in {"", "public"}:
        return ()
    named = {
        "repository": _publisher_claim(claims, "repository", "project_path"),
        "workflow": _publisher_claim(claims, "workflow_ref", "ci_config_ref_uri"),
        "ref": _publisher_claim(claims, "ref"),
        "commit": _publisher_claim(claims, "sha"),
        "environment and subject": _publisher_claim(claims, "sub"),
        "run": _publisher_claim(claims, "run_id", "job_id"),
    }
    return tuple(f"{name} {value}" for name, value in named.items() if value)


def token_validity_start(token: IdentityToken) -> float:
    """Return when a token becomes valid according to its claims, in seconds since the epoch."""
    times = (token.claims.get("nbf"), token.claims.get("iat"))
    return max((float(value) for value in times if isinstance(value, int | float)), default=0.0)


def _publisher_claim(claims: Claims, *names: str) -> str:
    """Return the first of these claims that is a text and not empty; empty if there is none."""
    return next((value for name in names if isinstance(value := claims.get(name), str) and value), "")
