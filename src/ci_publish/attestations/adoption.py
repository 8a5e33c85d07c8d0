"""Attestation files found next to the distributions: verified, then used as if this run had created them."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import assert_never

from ci_publish.attestations.signers import (
    AcceptedSigners,
    ByAnother,
    ByNamed,
    ByThisRun,
    ByUnknown,
    CertificateFacts,
)
from ci_publish.attestations.sigstore_trouble import Unsound
from ci_publish.attestations.sigstore_trust import TrustSource
from ci_publish.errors import AttestationByAnother, AttestationInvalid, BuildProvenanceMissing
from ci_publish.hints import Hint, option
from ci_publish.model.attestation import FILE_TYPES, SLSA_PROVENANCE_V1, Attestation, BuildProvenancePolicy, Subject
from ci_publish.model.distribution import Distribution, FoundAttestation
from ci_publish.model.events import Emit, Noted
from ci_publish.model.frozen import frozen

_WHY_REFUSED = (
    "PyPI rejects a file whose attestations are signed by an identity other than the Trusted Publisher that uploads"
    " it, so nothing was uploaded."
)


def adopt_attestations(
    found: Sequence[FoundAttestation],
    distributions: Sequence[Distribution],
    *,
    trust: TrustSource,
    signers: AcceptedSigners,
    emit: Emit,
) -> dict[str, tuple[Attestation, ...]]:
    """Return the found attestations of *distributions* by filename, each verified and of an identity in *signers*.

    Files for other distributions are left alone. Raises AttestationInvalid, and AttestationByAnother where every file
    verifies and some are signed by an identity that is known and not accepted. Build provenance of another workflow of
    the run's repository, or of another commit, is left out with a warning; where build provenance is required, raises
    BuildProvenanceMissing.
    """
    subjects = {
        distribution.filename: Subject(distribution.filename, distribution.sha256) for distribution in distributions
    }
    concerned = [file for file in found if file.distribution in subjects]
    if not concerned:
        return {}
    adoption = _AttestationAdoption(trust, signers, emit)
    for file in concerned:
        adoption.adopt_file(file, subjects[file.distribution])
    return adoption.adopted_attestations()


@frozen
class ForeignAttestation:
    """An attestation file that verifies but is signed by an identity that this run does not accept."""

    file: FoundAttestation
    certificate: CertificateFacts
    reason: str

    def __str__(self) -> str:
        return f"{self.file.path.name}: it is signed by {self.certificate}; {self.reason}"


@frozen
class UnsuitableProvenance:
    """Build provenance that verifies but is not from this run's workflow and commit; *reason* is a clause."""

    file: FoundAttestation
    reason: str

    def __str__(self) -> str:
        return f"{self.file.path.name} is for another build: {self.reason}"


class _AttestationAdoption:
    def __init__(self, trust: TrustSource, signers: AcceptedSigners, emit: Emit) -> None:
        from ci_publish.attestations.examiner import Examiner  # noqa: PLC0415  (takes 0.3 s)

        self._examiner = Examiner(trust.get())
        self._signers = signers
        self._emit = emit
        self._adopted: dict[str, dict[str, Attestation]] = defaultdict(dict)
        self._invalid: list[tuple[FoundAttestation, str]] = []
        self._foreign: list[ForeignAttestation] = []
        self._unsuitable: list[UnsuitableProvenance] = []

    def adopt_file(self, file: FoundAttestation, subject: Subject) -> None:
        """Verify one file and keep it, or record what is wrong with it."""
        try:
            outcome = self._verify_attestation_file(file, subject)
        except Unsound as error:
            self._invalid.append((file, error.reason))
            return
        match outcome:
            case ForeignAttestation():
                self._foreign.append(outcome)
            case UnsuitableProvenance():
                self._unsuitable.append(outcome)
            case Attestation():
                kept = self._adopted[subject.filename].setdefault(outcome.predicate_type, outcome)
                if kept.json != outcome.json:
                    self._invalid.append((file, f"a second attestation of the type {outcome.predicate_type}"))
            case None:
                pass
            case _:
                assert_never(outcome)

    def adopted_attestations(self) -> dict[str, tuple[Attestation, ...]]:
        """Return what was adopted, by filename; emit a warning for what is left out. Raises as `adopt_attestations`."""
        if self._invalid:
            faults = [f"{file.path.name}: {reason}" for file, reason in self._invalid]
            unusable = [file for file, _ in self._invalid] + [foreign.file for foreign in self._foreign]
            raise AttestationInvalid(
                f"{_pluralise_attestation_files(len(faults))} next to the distributions cannot be used.",
                detail="\n".join([*faults, *map(str, self._foreign)]),
                hints=(
                    "An index rejects a file whose attestations do not verify, so nothing was uploaded.",
                    *_delete_attestations_hints(unusable),
                ),
            )
        if self._foreign:
            raise foreign_signer_error(self._foreign, self._signers)
        if self._unsuitable and self._signers.build_provenance is BuildProvenancePolicy.REQUIRED:
            raise unsuitable_provenance_error(self._unsuitable)
        for each in self._unsuitable:
            self._emit(
                Noted(
                    slug="build-provenance-omitted",
                    message=f"{each}; it is not uploaded.",
                    hints=("Create it in the workflow run that publishes, for the commit that is published.",),
                    filename=each.file.distribution,
                )
            )
        return {filename: tuple(taken.values()) for filename, taken in self._adopted.items()}

    def _verify_attestation_file(
        self, file: FoundAttestation, subject: Subject
    ) -> Attestation | ForeignAttestation | UnsuitableProvenance | None:
        """Return the attestation in *file*, or why it is not adopted; None for provenance where that is off.

        Raises Unsound.
        """
        from ci_publish.attestations.examiner import attestation_from_pep740, parse_attestation  # noqa: PLC0415  (imported already)

        attestation = parse_attestation(file.content)
        examined = self._examiner.examine_attestation(attestation, subject, None)
        if file.type != FILE_TYPES[examined.predicate_type] and file.type in FILE_TYPES.values():
            raise Unsound(f"its name says {file.type}, its predicate is of the type {examined.predicate_type}")
        is_provenance = examined.predicate_type == SLSA_PROVENANCE_V1
        if is_provenance and self._signers.build_provenance is BuildProvenancePolicy.OFF:
            return None
        match signed_by := self._signers.classify_signer(examined.certificate):
            case ByThisRun(commit=str() as commit) if is_provenance:
                return UnsuitableProvenance(file, f"it was built from commit {commit}, not from this run's commit")
            case ByAnother(reason=reason, own_repository=True) if is_provenance:
                return UnsuitableProvenance(file, reason)
            case ByAnother(reason=reason):
                return ForeignAttestation(file, examined.certificate, reason)
            case _:
                pass
        if isinstance(signed_by, ByThisRun) and self._signers.own is not None:
            # Once more by the rules of sigstore's own policies, which are those of the index.
            self._examiner.examine_attestation(attestation, subject, self._signers.own)
        self._note_signer(file, examined.certificate, signed_by)
        # Sent as it was found: what is written elsewhere later is the very same file.
        return replace(attestation_from_pep740(attestation, subject.filename, examined), json=file.content.decode())

    def _note_signer(
        self, file: FoundAttestation, certificate: CertificateFacts, signed_by: ByThisRun | ByNamed | ByUnknown
    ) -> None:
        name = file.path.name
        match signed_by:
            case ByThisRun(commit=None):
                return
            case ByThisRun(commit=commit):
                slug = "attestation-other-commit"
                message = f"{name} was created for another commit ({commit}) than this run's."
            case ByNamed(identity=identity):
                slug = "attestation-by-named"
                message = (
                    f"{name} is signed by {identity}, which attested-by names. PyPI accepts attestations only from the"
                    " Trusted Publisher that uploads the file."
                )
            case ByUnknown():
                slug = "attestation-identity-unchecked"
                message = f"{name} matches the file; it is not known whether {certificate} is this run's identity."
            case _:
                assert_never(signed_by)
        is_warning = isinstance(signed_by, ByNamed)
        self._emit(Noted(slug=slug, message=message, warning=is_warning, filename=file.distribution))


def foreign_signer_error(foreign: Sequence[ForeignAttestation], signers: AcceptedSigners) -> AttestationByAnother:
    """Return the error for files that verify but are signed by identities that the run does not accept."""
    files = _pluralise_attestation_files(len(foreign))
    identities = dict.fromkeys(
        str(replace(identity, environment=None))
        for each in foreign
        if (identity := each.certificate.identity) is not None
    )
    hints = list(_delete_attestations_hints([each.file for each in foreign]))
    if identities:
        first, *others = (option("attested_by", each) for each in identities)
        more = (part for each in others for part in (" and ", each))
        hints.append(Hint("For an index that accepts such attestations, specify the signer: ", first, *more))
    own = "" if str(signers) == "unknown" else f", {signers}"
    return AttestationByAnother(
        f"{files} next to the distributions {'is' if len(foreign) == 1 else 'are'} signed by an identity other than"
        f" this run's{own}.",
        detail="\n".join([*map(str, foreign), _WHY_REFUSED]),
        hints=tuple(hints),
    )


def unsuitable_provenance_error(unsuitable: Sequence[UnsuitableProvenance]) -> BuildProvenanceMissing:
    """Return the error for build provenance that is required and was made for another workflow or commit."""
    number = len(unsuitable)
    return BuildProvenanceMissing(
        f"The build provenance of {number} {'file' if number == 1 else 'files'} is not from this run, but build"
        " provenance is required.",
        detail="\n".join([*map(str, unsuitable), "Nothing was uploaded."]),
        hints=(
            "Create it in the workflow run that publishes, for the commit that is published.",
            Hint("To publish without it, with a warning: ", option("build_provenance", "if-present")),
        ),
    )


def _delete_attestations_hints(files: Sequence[FoundAttestation]) -> tuple[str, ...]:
    """Return what happens after deleting *files*: ci-publish creates publish attestations again, but no others."""
    publish = [file for file in files if file.type == "publish"]
    hints = []
    if publish:
        hints.append(
            f"Delete {_files_to_delete(publish)}: ci-publish creates"
            f" {'a new one' if len(publish) == 1 else 'new ones'}."
        )
    if others := [file for file in files if file.type != "publish"]:
        hints.append(f"Delete {_files_to_delete(others)} to publish without {'it' if len(others) == 1 else 'them'}.")
    return tuple(hints)


def _files_to_delete(files: Sequence[FoundAttestation]) -> str:
    """Return the name of a single file, or the number of files."""
    return files[0].path.name if len(files) == 1 else f"the {len(files)} attestation files named above"


def _pluralise_attestation_files(number: int) -> str:
    return "1 attestation file" if number == 1 else f"{number} attestation files"
