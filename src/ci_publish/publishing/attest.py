"""Attestations of a run's files: existing ones are adopted, missing ones are made."""

from collections.abc import Container, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Protocol

from ci_publish.errors import ConfigurationError, IdentityUnavailable, SigningFailed
from ci_publish.hints import Hint, option
from ci_publish.model.attestation import (
    PUBLISH_V1,
    SLSA_PROVENANCE_V1,
    Attestation,
    AttestationPolicy,
    BuildProvenancePolicy,
    Signable,
    SigningResult,
)
from ci_publish.model.distribution import Collection, Distribution, FoundAttestation
from ci_publish.model.events import Collected, Outcome, Signed, Step
from ci_publish.model.frozen import frozen
from ci_publish.model.identity import Claims, CredentialKind
from ci_publish.model.index import Endpoints, IndexProfile
from ci_publish.publishing import messages, required_build_provenance
from ci_publish.publishing.collect import collect_valid_distributions
from ci_publish.publishing.context import Run


@frozen
class Attested:
    """The attestations of each file, by filename, and the claims of the identity that this run showed, if it did."""

    files: Mapping[str, tuple[Attestation, ...]]
    claims: Claims | None = None


class AttestationReceiver(Protocol):
    """One index's part of a run: the files that it is sent, and whether with attestations."""

    @property
    def policy(self) -> AttestationPolicy:
        """Whether this index accepts attestations, and whether they are required."""

    @property
    def uploads(self) -> tuple[Distribution, ...]:
        """The files that are uploaded to it."""


def attest(run: Run) -> Outcome:
    """Attest every distribution and write the attestations to ``options.attestations_dir``."""
    if run.options.attestations is AttestationPolicy.OFF:
        message = "The command attest creates attestations, but attestations are off."
        raise ConfigurationError(message, hints=(Hint("Remove ", option("attestations", "off"), "."),))
    options, folder = run.options, run.options.attestations_dir
    if not options.build and (run.subjects or options.with_publish or options.sigstore_bundle):
        message = "Subjects, Sigstore bundles and with-publish are for build provenance, which was not requested."
        raise ConfigurationError(message, hints=(Hint("Add ", option("build", "true"), "."),))
    run.signer().prefetch()
    if run.subjects:
        run.emit(Collected(distributions=(), subjects=run.subjects))
    collection = Collection(distributions=()) if run.subjects else collect_valid_distributions(run)
    if folder is None:
        message = "No folder was given for the attestations."
        detail = "The command attest uploads nothing; its only result is the attestation files."
        raise ConfigurationError(message, detail=detail, hints=(Hint("Specify one: ", option("output_dir", "DIR")),))
    with run.step(Step.SIGN):
        if options.build:
            _make_build_provenance(run, run.subjects or collection.distributions, folder)
        else:
            _adopt_or_sign_attestations(
                run=run,
                collection=collection,
                files=collection.distributions,
                policy=AttestationPolicy.REQUIRED,
                claims=None,
            )
    return Outcome.ATTESTED


def _make_build_provenance(run: Run, files: Sequence[Signable], folder: Path) -> None:
    """Create build provenance for every file, even if some exists already: this job vouches for its own build."""
    predicate_types = (PUBLISH_V1, SLSA_PROVENANCE_V1) if run.options.with_publish else (SLSA_PROVENANCE_V1,)
    run.require_unwritten(folder, [file.filename for file in files], predicate_types)
    result = run.signer().sign(files, predicate_types)
    run.raise_if_stopped()
    if result.failures:
        raise messages.unsigned_files_error(result.failures)
    made = [attestation for each in result.attestations.values() for attestation in each]
    run.write_attestations(folder, made, bundles=run.options.sigstore_bundle)


def resolve_attestation_policy(
    option: AttestationPolicy, kind: CredentialKind, endpoints: Endpoints
) -> AttestationPolicy:
    """Resolve ``auto`` for one index: required with Trusted Publishing under PyPI's rules, off elsewhere.

    PyPI accepts attestations only with Trusted Publishing (warehouse/attestations/services.py). With an API token
    there, this raises ConfigurationError if attestations are required, and returns OFF if they are only made if
    possible.
    """
    trusted = kind is CredentialKind.TRUSTED_PUBLISHING
    pypi = endpoints.profile is IndexProfile.PYPI
    match option:
        case AttestationPolicy.AUTO:
            return AttestationPolicy.REQUIRED if trusted and pypi else AttestationPolicy.OFF
        case AttestationPolicy.REQUIRED if pypi and kind in {CredentialKind.API_TOKEN, CredentialKind.PASSWORD}:
            raise messages.attestations_need_trusted_publishing_error(endpoints)
        case AttestationPolicy.IF_POSSIBLE if pypi and not trusted:
            return AttestationPolicy.OFF
        case _:
            return option


def wants_attestations(receiver: AttestationReceiver) -> bool:
    """Return whether an index is sent attestations."""
    return receiver.policy is not AttestationPolicy.OFF


def verify_found_attestations(
    run: Run, collection: Collection, receivers: Sequence[AttestationReceiver], *, warn: bool = False
) -> None:
    """Verify the attestation files of the files that are uploaded with attestations, before any token exchange.

    With *warn*, report which of them are not uploaded; a run that continues reports that when it adopts them.

    Raises BuildProvenanceMissing if build provenance is required and a file that is uploaded has none next to it, and
    ConfigurationError if it is required for an index that is sent no attestations.
    """
    required = run.options.build_provenance is BuildProvenancePolicy.REQUIRED
    if required and any(each.uploads and not wants_attestations(each) for each in receivers):
        raise required_build_provenance.attestations_not_sent_error()
    files = _attested_uploads(receivers)
    found = _attestation_files_of(run, collection, files)
    if required:
        required_build_provenance.require_local_build_provenance(list(files), found)
    if found and warn:
        run.signer().adopt(found, list(files.values()), None)
    elif found:
        run.signer().inspect(found, list(files.values()))


def _attestation_files_of(run: Run, collection: Collection, names: Container[str]) -> list[FoundAttestation]:
    """Return the attestation files of the distributions *names* that the run uses."""
    concerned = [found for found in collection.attestations if found.distribution in names]
    return required_build_provenance.relevant_attestation_files(run.options, concerned)


def attest_uploads(
    run: Run, collection: Collection, receivers: Sequence[AttestationReceiver], claims: Claims | None
) -> Attested:
    """Attest the files that are uploaded with attestations, once for all indexes, by the strictest policy among them.

    *claims* are those of the identity that the run has already sent to an index.
    """
    files = list(_attested_uploads(receivers).values())
    if not files:
        return Attested({}, claims)
    policies = {receiver.policy for receiver in receivers}
    required = AttestationPolicy.REQUIRED in policies
    with run.step(Step.SIGN):
        policy = AttestationPolicy.REQUIRED if required else AttestationPolicy.IF_POSSIBLE
        return _adopt_or_sign_attestations(run=run, collection=collection, files=files, policy=policy, claims=claims)


def _attested_uploads(receivers: Sequence[AttestationReceiver]) -> dict[str, Distribution]:
    """Return the files that are uploaded with attestations to at least one index, by filename."""
    return {file.filename: file for each in receivers if wants_attestations(each) for file in each.uploads}


def _adopt_or_sign_attestations(
    *,
    run: Run,
    collection: Collection,
    files: Sequence[Distribution],
    policy: AttestationPolicy,
    claims: Claims | None,
) -> Attested:
    """Raises SigningFailed or IdentityUnavailable if a required attestation cannot be made."""
    names = {file.filename for file in files}
    adopted = run.signer().adopt(_attestation_files_of(run, collection, names), files, claims)
    for attestation in chain.from_iterable(adopted.values()):
        run.emit(Signed(attestation))
    signed = {name for name, found in adopted.items() if any(each.predicate_type == PUBLISH_V1 for each in found)}
    result = _sign_uploads(run, [file for file in files if file.filename not in signed], policy)
    both = {name: (*result.attestations.get(name, ()), *adopted.get(name, ())) for name in names}
    if run.options.attestations_dir is not None:
        run.write_attestations(run.options.attestations_dir, list(chain.from_iterable(both.values())))
    by_name = {name: attestations for name, attestations in both.items() if attestations}
    return Attested(by_name, result.claims or claims)


def _sign_uploads(run: Run, files: Sequence[Distribution], policy: AttestationPolicy) -> SigningResult:
    """Sign the files; if attestations are not required, warn about each file that cannot be signed."""
    folder, required = run.options.attestations_dir, policy is AttestationPolicy.REQUIRED
    if files and folder is not None:
        run.require_unwritten(folder, [file.filename for file in files], (PUBLISH_V1,))
    try:
        result = run.signer().sign(files) if files else SigningResult()
    except (IdentityUnavailable, SigningFailed) as error:
        if required:
            raise
        reason = SigningFailed(error.summary, detail=error.detail, hints=error.hints)
        result = SigningResult(failures={file.filename: reason for file in files})
    run.raise_if_stopped()
    if result.failures and required:
        raise messages.unsigned_files_error(result.failures)
    for name, failure in result.failures.items():
        run.warn(
            "published-without-attestation",
            f"{name} is published WITHOUT an attestation: {failure.summary}",
            "An attestation cannot be added to a published file.",
            filename=name,
        )
    return result
