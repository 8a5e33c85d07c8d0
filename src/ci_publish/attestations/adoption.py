"""Attestation files that lie beside the distributions: verified, then used as if they had been made here."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, assert_never

from ci_publish.attestations.signers import (
    AcceptedSigners,
    ByAnother,
    ByNamed,
    ByThisRun,
    ByUnknown,
    CertificateFacts,
    SignedBy,
)
from ci_publish.attestations.sigstore_trouble import Unsound
from ci_publish.attestations.sigstore_trust import TrustSource
from ci_publish.errors import AttestationByAnother, AttestationInvalid, BuildProvenanceMissing
from ci_publish.hints import Hint, option
from ci_publish.model.attestation import FILE_TYPES, SLSA_PROVENANCE_V1, Attestation, BuildProvenancePolicy, Subject
from ci_publish.model.distribution import Distribution, FoundAttestation
from ci_publish.model.events import Emit, Noted
from ci_publish.model.frozen import frozen

if TYPE_CHECKING:
    from ci_publish.attestations.examiner import Examined


_WHY_REFUSED = (
    "PyPI refuses a file whose attestations are signed by an identity other than the Trusted Publisher that uploads"
    " it, so"
    " nothing was uploaded."
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
    """A file that verifies, and is signed by another identity than this run takes."""

    file: FoundAttestation
    certificate: CertificateFacts
    reason: str

    def __str__(self) -> str:
        return f"{self.file.path.name}: it is signed by {self.certificate}; {self.reason}"


@frozen
class UnsuitableProvenance:
    """Build provenance that verifies, and is not of this run's workflow and commit; *reason* is a clause."""

    file: FoundAttestation
    reason: str

    def __str__(self) -> str:
        return f"{self.file.path.name} is for another build: {self.reason}"


def _why_provenance_is_unsuitable(signed_by: SignedBy) -> str | None:
    """Return why build provenance of the run's own repository is not for this run; None for all other identities."""
    match signed_by:
        case ByThisRun(commit=str() as commit):
            return f"it was built from the commit {commit}, not from this run's"
        case ByAnother(reason=reason, own_repository=True):
            return reason
        case _:
            return None


class _AttestationAdoption:
    def __init__(self, trust: TrustSource, signers: AcceptedSigners, emit: Emit) -> None:
        from ci_publish.attestations.examiner import Examiner  # noqa: PLC0415  (takes 0.3 s)

        self._examiner = Examiner(trust.get())
        self._signers = signers
        self._emit = emit
        self._unsuitable: list[UnsuitableProvenance] = []
        self._taken: dict[str, dict[str, Attestation]] = {}
        self._faults: list[str] = []
        self._faulty: list[FoundAttestation] = []
        self._foreign: list[ForeignAttestation] = []

    def adopt_file(self, file: FoundAttestation, subject: Subject) -> None:
        """Verify one file and keep it, or note what is wrong with it."""
        try:
            attestation = self._verify_attestation_file(file, subject)
        except Unsound as error:
            self._reject_attestation_file(file, error.reason)
            return
        if attestation is None:
            return
        taken = self._taken.setdefault(subject.filename, {})
        known = taken.get(attestation.predicate_type)
        if known is not None and known.json != attestation.json:
            self._reject_attestation_file(file, f"a second attestation of the type {attestation.predicate_type}")
        taken[attestation.predicate_type] = attestation

    def adopted_attestations(self) -> dict[str, tuple[Attestation, ...]]:
        """Return what was taken. Raises AttestationInvalid when anything was wrong."""
        if self._faults:
            raise AttestationInvalid(
                f"{_pluralise_attestation_files(len(self._faults))} beside the distributions cannot be used.",
                detail="\n".join([*self._faults, *map(str, self._foreign)]),
                hints=(
                    "An index refuses a file whose attestations do not verify, so nothing was uploaded.",
                    *_delete_attestations_hints([*self._faulty, *(foreign.file for foreign in self._foreign)]),
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
                    hints=("Make it in the workflow run that publishes, for the commit that is published.",),
                    filename=each.file.distribution,
                )
            )
        return {filename: tuple(taken.values()) for filename, taken in self._taken.items()}

    def _reject_attestation_file(self, file: FoundAttestation, reason: str) -> None:
        self._faults.append(f"{file.path.name}: {reason}")
        self._faulty.append(file)

    def _verify_attestation_file(self, file: FoundAttestation, subject: Subject) -> Attestation | None:
        from ci_publish.attestations.examiner import attestation_from_pep740, parse_attestation  # noqa: PLC0415  (imported already)

        attestation = parse_attestation(file.content)
        examined = self._examiner.examine_attestation(attestation, subject, None)
        if file.type != FILE_TYPES[examined.predicate_type] and file.type in FILE_TYPES.values():
            raise Unsound(f"its name says {file.type}, its predicate is of the type {examined.predicate_type}")
        signed_by = self._signers.classify_signer(examined.certificate)
        if examined.predicate_type == SLSA_PROVENANCE_V1:
            if self._signers.build_provenance is BuildProvenancePolicy.OFF:
                return None
            if (reason := _why_provenance_is_unsuitable(signed_by)) is not None:
                self._unsuitable.append(UnsuitableProvenance(file, reason))
                return None
        if isinstance(signed_by, ByAnother):
            self._foreign.append(ForeignAttestation(file, examined.certificate, signed_by.reason))
            return None
        if isinstance(signed_by, ByThisRun) and self._signers.own is not None:
            # Once more by the rules of sigstore's own policies, which are those of the index.
            self._examiner.examine_attestation(attestation, subject, self._signers.own)
        self._note_signer(file, examined, signed_by)
        # Sent as it was found: what is written elsewhere later is the very same file.
        return replace(attestation_from_pep740(attestation, subject.filename, examined), json=file.content.decode())

    def _note_signer(self, file: FoundAttestation, examined: "Examined", signed_by: SignedBy) -> None:
        name = file.path.name
        match signed_by:
            case ByThisRun(commit=str() as commit):
                message = f"{name} was made for another commit ({commit}) than this run's."
                note = Noted(
                    slug="attestation-other-commit", message=message, warning=False, filename=file.distribution
                )
            case ByNamed(identity=identity):
                message = (
                    f"{name} is signed by {identity}, which attested-by names. PyPI takes attestations only by the"
                    " Trusted Publisher that uploads the file."
                )
                note = Noted(slug="attestation-by-named", message=message, filename=file.distribution)
            case ByUnknown():
                message = f"{name} fits the file; whether {examined.certificate} is this run's identity is not known."
                note = Noted(
                    slug="attestation-identity-unchecked", message=message, warning=False, filename=file.distribution
                )
            case ByThisRun() | ByAnother():
                return
            case _:
                assert_never(signed_by)
        self._emit(note)


def foreign_signer_error(foreign: Sequence[ForeignAttestation], signers: AcceptedSigners) -> AttestationByAnother:
    """Return the error for files that verify and are signed by identities that the run does not take."""
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
        hints.append(Hint("For an index that accepts such attestations, name the signer: ", first, *more))
    own = "" if str(signers) == "unknown" else f", {signers}"
    return AttestationByAnother(
        f"{files} beside the distributions {'is' if len(foreign) == 1 else 'are'} signed by an identity other than"
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
            "Make it in the workflow run that publishes, for the commit that is published.",
            Hint("To publish without it, with a warning: ", option("build_provenance", "if-present")),
        ),
    )


def _delete_attestations_hints(files: Sequence[FoundAttestation]) -> tuple[str, ...]:
    """Return what deleting *files* leads to: ci-publish makes publish attestations, and no others."""
    publish = [file for file in files if file.type == "publish"]
    hints = []
    if publish:
        hints.append(
            f"Delete {_files_to_delete(publish)}: ci-publish makes {'a new one' if len(publish) == 1 else 'new ones'}."
        )
    if others := [file for file in files if file.type != "publish"]:
        hints.append(f"Delete {_files_to_delete(others)} to publish without {'it' if len(others) == 1 else 'them'}.")
    return tuple(hints)


def _files_to_delete(files: Sequence[FoundAttestation]) -> str:
    """Name one file, or say how many."""
    return files[0].path.name if len(files) == 1 else f"the {len(files)} attestation files named above"


def _pluralise_attestation_files(number: int) -> str:
    return "1 attestation file" if number == 1 else f"{number} attestation files"
