"""What Fulcio writes into a certificate for an identity token's claims (pure).

Sources: Fulcio's `config/identity/config.yaml` (which claim goes where, for each kind of issuer) and
`pkg/certificate/extensions.go` (which extension carries it: numbers 1 to 6 as raw bytes, 8 and up as a DER UTF8String;
empty values are left out).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ci_publish.model.frozen import frozen
from ci_publish.rehearsal.ci_claims import (
    BUILDKITE_ISSUER,
    CIRCLECI_ISSUER,
    GITHUB_ISSUER,
    GITLAB_ISSUER,
    GOOGLE_ISSUER,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ci_publish.rehearsal.ci_claims import Claims

_ARC: Final = "1.3.6.1.4.1.57264.1"
_ISSUER, _ISSUER_V2 = 1, 8
_LAST_RAW: Final = 6
_PLACEHOLDER: Final = re.compile(r"\{([^{}]+)\}")

_GITHUB: Final[Mapping[int, str]] = {
    2: "{event_name}",
    3: "{sha}",
    4: "{workflow}",
    5: "{repository}",
    6: "{ref}",
    9: "https://github.com/{job_workflow_ref}",
    10: "{job_workflow_sha}",
    11: "{runner_environment}",
    12: "https://github.com/{repository}",
    13: "{sha}",
    14: "{ref}",
    15: "{repository_id}",
    16: "https://github.com/{repository_owner}",
    17: "{repository_owner_id}",
    18: "https://github.com/{workflow_ref}",
    19: "{workflow_sha}",
    20: "{event_name}",
    21: "https://github.com/{repository}/actions/runs/{run_id}/attempts/{run_attempt}",
    22: "{repository_visibility}",
    23: "{environment}",
}
_GITLAB: Final[Mapping[int, str]] = {
    9: "https://{ci_config_ref_uri}",
    10: "{ci_config_sha}",
    11: "{runner_environment}",
    12: "https://gitlab.com/{project_path}",
    13: "{sha}",
    14: "refs/{ref_folder}/{ref}",
    15: "{project_id}",
    16: "https://gitlab.com/{namespace_path}",
    17: "{namespace_id}",
    18: "https://{ci_config_ref_uri}",
    19: "{ci_config_sha}",
    20: "{pipeline_source}",
    21: "https://gitlab.com/{project_path}/-/jobs/{job_id}",
    22: "{project_visibility}",
    23: "{environment}",
}
_BUILDKITE: Final[Mapping[int, str]] = {
    11: "{runner_environment}",
    13: "{build_commit}",
    20: "{build_source}",
    21: "https://buildkite.com/{organization_slug}/{pipeline_slug}/builds/{build_number}#{job_id}",
}
_CIRCLECI_SIGNER: Final = (
    "https://circleci.com/api/v2/projects/{oidc.circleci.com/project-id}"
    "/pipeline-definitions/{oidc.circleci.com/pipeline-definition-id}"
)
_CIRCLECI: Final[Mapping[int, str]] = {
    9: _CIRCLECI_SIGNER,
    11: "{ssh_rerun}",
    12: "{oidc.circleci.com/vcs-origin}",
    14: "{oidc.circleci.com/vcs-ref}",
    18: "https://circleci.com/api/v2/pipeline/{oidc.circleci.com/pipeline-id}/config",
    # The two slashes are Fulcio's: its platform_url ends with one.
    21: "https://app.circleci.com//workflow/{oidc.circleci.com/workflow-id}/job/{oidc.circleci.com/job-id}",
}


@frozen
class UriName:
    """The certificate's subject alternative name is this URI: a CI job."""

    value: str


@frozen
class EmailName:
    """The certificate's subject alternative name is this e-mail address: a person or a service account."""

    value: str


@frozen
class FulcioProfile:
    """The name and Fulcio's own extensions (dotted OID, value as it goes into the certificate), in ascending order."""

    name: UriName | EmailName
    extensions: tuple[tuple[str, bytes], ...]


class ProfileError(ValueError):
    """Fulcio has no certificate for these claims: unknown issuer, a missing claim, or an unverified e-mail address."""


def fulcio_profile_of_claims(claims: Claims) -> FulcioProfile:
    """Return what the certificate for verified claims says; raises `ProfileError`."""
    issuer = _claim_as_text(claims, "iss")
    if issuer == GOOGLE_ISSUER:
        email = _claim_as_text(claims, "email")
        if claims.get("email_verified") is not True:
            raise ProfileError(f"the e-mail address {email!r} is not verified")
        return FulcioProfile(EmailName(email), _encode_fulcio_extensions(issuer, {}))
    name, templates = _fulcio_templates_of_issuer(issuer)
    rerun = _claim_value_as_text(claims.get("oidc.circleci.com/ssh-rerun", "false")) == "true"
    values = {
        **claims,
        "ref_folder": "heads" if claims.get("ref_type") == "branch" else "tags",
        "ssh_rerun": "ssh-rerun" if rerun else '""',  # Fulcio's template has the two quotes in it
        "environment": claims.get("environment", ""),
    }
    rendered = {number: _render_fulcio_template(template, values) for number, template in templates.items()}
    return FulcioProfile(UriName(_render_fulcio_template(name, values)), _encode_fulcio_extensions(issuer, rendered))


def _fulcio_templates_of_issuer(issuer: str) -> tuple[str, Mapping[int, str]]:
    """Return the templates of the name and of the extensions, for one of Fulcio's CI providers."""
    if _is_issuer_or_below(issuer, GITHUB_ISSUER):
        return "https://github.com/{job_workflow_ref}", _GITHUB
    if issuer == GITLAB_ISSUER:
        return "https://{ci_config_ref_uri}", _GITLAB
    if issuer == BUILDKITE_ISSUER:
        return "https://buildkite.com/{organization_slug}/{pipeline_slug}", _BUILDKITE
    if _is_issuer_or_below(issuer, CIRCLECI_ISSUER):
        return _CIRCLECI_SIGNER, _CIRCLECI
    raise ProfileError(f"unknown issuer {issuer!r}")


def _is_issuer_or_below(issuer: str, root: str) -> bool:
    return issuer == root or issuer.startswith(f"{root}/")


def _render_fulcio_template(template: str, claims: Claims) -> str:
    return _PLACEHOLDER.sub(lambda match: _claim_as_text(claims, match[1]), template)


def _claim_as_text(claims: Claims, name: str) -> str:
    if name not in claims:
        raise ProfileError(f"the claim {name!r} is missing")
    return _claim_value_as_text(claims[name])


def _claim_value_as_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _encode_fulcio_extensions(issuer: str, values: Mapping[int, str]) -> tuple[tuple[str, bytes], ...]:
    everything = sorted({**values, _ISSUER: issuer, _ISSUER_V2: issuer}.items())
    return tuple(
        (f"{_ARC}.{number}", text.encode() if number <= _LAST_RAW else der_utf8_string(text))
        for number, text in everything
        if text
    )


def der_utf8_string(text: str) -> bytes:
    """Return the DER encoding of an ASN.1 UTF8String (ITU-T X.690 §8.1.3, definite length)."""
    content = text.encode()
    if len(content) < 0x80:  # noqa: PLR2004 - the short form of a length ends there
        return bytes((0x0C, len(content))) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes((0x0C, 0x80 | len(length))) + length + content
