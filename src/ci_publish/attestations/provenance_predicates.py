"""SLSA build provenance: from a CI job's identity claims to the predicate, and back to its certificate (pure).

A predicate is made from the claims of the job's identity token, and from nothing that a build could have set. Sigstore
writes the same claims into the signing certificate after it has verified the token, so whoever reads a predicate can
compare it with its certificate: ``provenance_contradiction`` does, for our own predicates as well.

GitHub's build type and its parameters are those of GitHub's own builder (actions/toolkit,
``packages/attest/src/provenance.ts``). GitLab's cannot be filled from claims (it wants every variable of the job), so
the build type for GitLab is ours; ``docs/attestations.md`` describes it.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ci_publish.about import DOCS_URL
from ci_publish.attestations.attestation_publishers import GITHUB_ISSUER, GITLAB_ISSUER, Extension
from ci_publish.attestations.slsa_model import slsa_predicate_fault
from ci_publish.model.identity import Claims

GITHUB_BUILD_TYPE: Final = "https://actions.github.io/buildtypes/workflow/v1"
GITLAB_BUILD_TYPE: Final = f"{DOCS_URL}/attestations/#gitlab-job-v1"

Predicate = dict[str, Any]

# What GitHub's and our own build type call internal parameters, and where a certificate says the same.
_GITHUB_INTERNAL: Final = {
    "event_name": Extension.BUILD_TRIGGER,
    "runner_environment": Extension.RUNNER_ENVIRONMENT,
    "repository_id": Extension.SOURCE_REPOSITORY_ID,
    "repository_owner_id": Extension.SOURCE_REPOSITORY_OWNER_ID,
}
_GITLAB_INTERNAL: Final = {
    "pipeline_source": Extension.BUILD_TRIGGER,
    "runner_environment": Extension.RUNNER_ENVIRONMENT,
    "project_id": Extension.SOURCE_REPOSITORY_ID,
    "namespace_id": Extension.SOURCE_REPOSITORY_OWNER_ID,
}
_LONGEST_SHOWN: Final = 200


class NoBuildProvenance(ValueError):
    """The claims lack information for build provenance; the message is a sentence that says what is missing."""


def build_provenance_predicate(claims: Claims) -> Predicate:
    """Return the SLSA v1 predicate for a build by the job with these claims. Raises NoBuildProvenance."""
    issuer = claims.get("iss")
    makers = {GITHUB_ISSUER: _github_build_predicate, GITLAB_ISSUER: _gitlab_build_predicate}
    if issuer not in makers:
        message = (
            "Build provenance can be created in jobs on GitHub.com and GitLab.com; this identity token was"
            f" issued by {issuer}."
        )
        raise NoBuildProvenance(message)
    made = makers[issuer](_RequiredClaims(claims))
    if (fault := slsa_predicate_fault(made)) is not None:
        message = f"The claims of the identity token do not result in valid SLSA provenance: {fault}."
        raise NoBuildProvenance(message)
    return made


def why_build_is_unprovable(claims: Claims) -> str | None:
    """Return why there can be no build provenance for a job with these claims; None if there can."""
    try:
        build_provenance_predicate(claims)
    except NoBuildProvenance as error:
        return str(error)
    return None


class _RequiredClaims:
    """Claims that must exist; numbers are returned as text."""

    def __init__(self, claims: Claims) -> None:
        self._claims = claims

    def __getitem__(self, name: str) -> str:
        value = self._claims.get(name)
        if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
            message = f"The identity token has no usable claim {name!r}, which build provenance needs."
            raise NoBuildProvenance(message)
        return str(value)

    def path_and_ref(self, name: str, prefix: str) -> tuple[str, str]:
        """Return the path and the ref of the claim *name*, which must be ``<prefix><path>@<ref>``."""
        path, separator, ref = self[name].partition("@")
        if not path.startswith(prefix) or not separator:
            message = f"The identity token's claim {name!r} names a file in another repository: {self[name]}"
            raise NoBuildProvenance(message)
        return path.removeprefix(prefix), ref


def _github_build_predicate(claims: _RequiredClaims) -> Predicate:
    home = f"https://github.com/{claims['repository']}"
    path, ref = claims.path_and_ref("workflow_ref", f"{claims['repository']}/")
    return _slsa_predicate(
        build_type=GITHUB_BUILD_TYPE,
        external={"workflow": {"ref": ref, "repository": home, "path": path}},
        internal={"github": {name: claims[name] for name in _GITHUB_INTERNAL}},
        source=(f"git+{home}@{claims['ref']}", claims["sha"]),
        run=(
            f"https://github.com/{claims['job_workflow_ref']}",
            f"{home}/actions/runs/{claims['run_id']}/attempts/{claims['run_attempt']}",
        ),
    )


def _gitlab_build_predicate(claims: _RequiredClaims) -> Predicate:
    home = f"https://gitlab.com/{claims['project_path']}"
    # Sigstore's certificate says the same, with no other word for a ref than these two.
    ref = f"refs/{'heads' if claims['ref_type'] == 'branch' else 'tags'}/{claims['ref']}"
    return _slsa_predicate(
        build_type=GITLAB_BUILD_TYPE,
        external={"source": home, "ref": ref, "config": f"https://{claims['ci_config_ref_uri']}"},
        internal={"gitlab": {name: claims[name] for name in _GITLAB_INTERNAL}},
        source=(f"git+{home}@{ref}", claims["sha"]),
        run=(f"{home}/-/runners/{claims['runner_id']}", f"{home}/-/jobs/{claims['job_id']}"),
    )


def _slsa_predicate(
    *,
    build_type: str,
    external: Mapping[str, Any],
    internal: Mapping[str, Any],
    source: tuple[str, str],
    run: tuple[str, str],
) -> Predicate:
    """Return a predicate; *source* is a URI and its commit, *run* the builder's and the invocation's URI."""
    uri, commit = source
    builder, invocation = run
    return {
        "buildDefinition": {
            "buildType": build_type,
            "externalParameters": dict(external),
            "internalParameters": dict(internal),
            "resolvedDependencies": [{"uri": uri, "digest": {"gitCommit": commit}}],
        },
        "runDetails": {"builder": {"id": builder}, "metadata": {"invocationId": invocation}},
    }


def provenance_contradiction(predicate: Predicate, certificate: Mapping[str, str]) -> str | None:
    """Return how a valid *predicate* differs from the *certificate* (its extensions) that signed it, as a clause.

    None if nothing differs, and for an issuer whose certificates say nothing about builds. For build types that
    ci-publish does not produce, only the builder, the run and the source are compared.
    """
    if certificate.get(Extension.ISSUER) not in {GITHUB_ISSUER, GITLAB_ISSUER}:
        return None
    for what, stated, proven in _provenance_comparisons(predicate, certificate):
        if stated is None or stated not in proven:
            allowed = _predicate_value_text(proven[0])
            return f"its predicate names the {what} {_predicate_value_text(stated)}, its certificate {allowed}"
    return None


_Comparison = tuple[str, object, tuple[str | None, ...]]


def _provenance_comparisons(predicate: Predicate, certificate: Mapping[str, str]) -> Iterator[_Comparison]:
    """Yield what is compared: its name, what the predicate states, and what the certificate allows."""
    definition, run = predicate["buildDefinition"], predicate["runDetails"]
    yield "builder", run["builder"]["id"], _allowed_builders(run["builder"]["id"], certificate)
    invocation = (run.get("metadata") or {}).get("invocationId")
    if invocation is not None and "://" in invocation:
        yield "run", invocation, (certificate.get(Extension.RUN_INVOCATION_URI),)
    yield from _source_comparisons(definition, certificate)
    home = certificate.get(Extension.SOURCE_REPOSITORY_URI)
    config = certificate.get(Extension.BUILD_CONFIG_URI)
    external = definition["externalParameters"]
    if definition["buildType"] == GITHUB_BUILD_TYPE:
        workflow = external["workflow"] if isinstance(external.get("workflow"), dict) else {}
        yield "repository", workflow.get("repository"), (home,)
        yield "workflow", f"{home}/{workflow.get('path')}@{workflow.get('ref')}", (config,)
        yield from _internal_parameter_comparisons(definition, "github", certificate, _GITHUB_INTERNAL)
    elif definition["buildType"] == GITLAB_BUILD_TYPE:
        yield "repository", external.get("source"), (home,)
        yield "ref", external.get("ref"), (certificate.get(Extension.SOURCE_REPOSITORY_REF),)
        yield "pipeline definition", external.get("config"), (config,)
        yield from _internal_parameter_comparisons(definition, "gitlab", certificate, _GITLAB_INTERNAL)


def _allowed_builders(stated: str, certificate: Mapping[str, str]) -> tuple[str | None, ...]:
    """Return the builders that the certificate allows: the workflow or pipeline definition, or the CI's runner.

    Earlier versions of GitHub's builder named the kind of runner. Which of GitLab's runners a job had is in no
    certificate: so any runner of the job's own project is accepted.
    """
    signer = certificate.get(Extension.BUILD_SIGNER_URI)
    if certificate[Extension.ISSUER] == GITHUB_ISSUER:
        return signer, f"https://github.com/actions/runner/{certificate.get(Extension.RUNNER_ENVIRONMENT)}"
    prefix = f"{certificate.get(Extension.SOURCE_REPOSITORY_URI)}/-/runners/"
    runner = stated.removeprefix(prefix)
    return (signer, stated) if stated.startswith(prefix) and runner.isdecimal() else (signer,)


def _source_comparisons(definition: Predicate, certificate: Mapping[str, str]) -> Iterator[_Comparison]:
    """Yield the repository and the commit of each dependency that is, or has to be, the source of the build."""
    home = f"git+{certificate.get(Extension.SOURCE_REPOSITORY_URI)}"
    dependencies = definition.get("resolvedDependencies") or []
    if definition["buildType"] in {GITHUB_BUILD_TYPE, GITLAB_BUILD_TYPE}:
        first = (dependencies[0].get("uri") or "").partition("@")[0] if dependencies else None
        yield "source", first, (home,)
    for dependency in dependencies:
        repository, separator, ref = (dependency.get("uri") or "").partition("@")
        if repository == home:
            digests = dependency.get("digest") or {}
            commit = digests.get("gitCommit") or digests.get("sha1")
            yield "commit", commit, (certificate.get(Extension.SOURCE_REPOSITORY_DIGEST),)
            if separator:
                yield "ref", ref, (certificate.get(Extension.SOURCE_REPOSITORY_REF),)


def _internal_parameter_comparisons(
    definition: Predicate, group: str, certificate: Mapping[str, str], extensions: Mapping[str, Extension]
) -> Iterator[_Comparison]:
    """Yield the internal parameters that are stated: not every version of GitHub's builder states them all."""
    parameters = (definition.get("internalParameters") or {}).get(group)
    stated = parameters if isinstance(parameters, dict) else {}
    for name, extension in extensions.items():
        if name in stated:
            yield name, stated[name], (certificate.get(extension),)


def _predicate_value_text(value: object) -> str:
    """Return a value for a message; long ones are shortened."""
    text = "none" if value is None else str(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"
