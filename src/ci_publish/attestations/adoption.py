"""Attestation files that lie beside the distributions: verified, then used as if they had been made here."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ci_publish.attestations.publishers import Publisher, publisher_of
from ci_publish.attestations.statements import Subject
from ci_publish.attestations.trouble import Unsound
from ci_publish.attestations.trust import TrustSource
from ci_publish.errors import AttestationInvalid
from ci_publish.model.attestation import Attestation
from ci_publish.model.distribution import Distribution, FoundAttestation
from ci_publish.model.events import Emit, Noted
from ci_publish.model.identity import Claims

if TYPE_CHECKING:
    from ci_publish.attestations.libraries import Examined


def adopt(
    found: Sequence[FoundAttestation],
    distributions: Sequence[Distribution],
    *,
    trust: TrustSource,
    claims: Claims | None,
    emit: Emit,
) -> dict[str, tuple[Attestation, ...]]:
    """Return the found attestations of *distributions* by filename, each verified.

    The identity is compared with *claims* where these are known and of the same identity provider: the index will
    compare it with the publisher of this run. Files for other distributions are left alone. Raises AttestationInvalid.
    """
    subjects = {
        distribution.filename: Subject(distribution.filename, distribution.sha256) for distribution in distributions
    }
    concerned = [file for file in found if file.distribution in subjects]
    if not concerned:
        return {}
    adoption = _Adoption(trust, None if claims is None else publisher_of(claims), emit)
    for file in concerned:
        adoption.take(file, subjects[file.distribution])
    return adoption.result()


class _Adoption:
    def __init__(self, trust: TrustSource, publisher: Publisher | None, emit: Emit) -> None:
        from ci_publish.attestations.libraries import Examiner  # noqa: PLC0415  (takes 0.3 s)

        self._examiner = Examiner(trust.get())
        self._publisher = publisher
        self._emit = emit
        self._taken: dict[str, dict[str, Attestation]] = {}
        self._faults: list[str] = []

    def take(self, file: FoundAttestation, subject: Subject) -> None:
        """Verify one file and keep it, or note what is wrong with it."""
        try:
            attestation = self._verify(file, subject)
        except Unsound as error:
            self._faults.append(f"{file.path.name}: {error.reason}")
            return
        taken = self._taken.setdefault(subject.filename, {})
        if attestation.predicate_type in taken:
            self._faults.append(f"{file.path.name}: a second attestation of the type {attestation.predicate_type}")
        taken[attestation.predicate_type] = attestation

    def result(self) -> dict[str, tuple[Attestation, ...]]:
        """Return what was taken. Raises AttestationInvalid when anything was wrong."""
        if self._faults:
            raise AttestationInvalid(
                f"{_attestation_files(len(self._faults))} beside the distributions cannot be used.",
                detail="\n".join(self._faults),
                hints=(
                    "An index refuses a file whose attestations do not verify, so nothing was uploaded.",
                    "Delete the attestation files: ci-publish makes new ones.",
                ),
            )
        return {filename: tuple(taken.values()) for filename, taken in self._taken.items()}

    def _verify(self, file: FoundAttestation, subject: Subject) -> Attestation:
        from ci_publish.attestations.libraries import read_attestation, value_of  # noqa: PLC0415  (imported already)

        attestation = read_attestation(file.content)
        examined = self._examiner.examine(attestation, subject, None)
        if self._publisher is not None and examined.issuer == self._publisher.issuer:
            self._examiner.examine(attestation, subject, self._publisher)
        else:
            self._note_unknown(file, examined)
        # Sent as it was found: what is written elsewhere later is the very same file.
        return replace(value_of(attestation, subject.filename, examined), json=file.content.decode())

    def _note_unknown(self, file: FoundAttestation, examined: "Examined") -> None:
        message = (
            f"{file.path.name} fits the file; its identity ({examined.issuer}) could not be compared with this run's."
        )
        slug = "attestation-identity-unchecked"
        self._emit(Noted(slug=slug, message=message, warning=False, filename=file.distribution))


def _attestation_files(number: int) -> str:
    return "1 attestation file" if number == 1 else f"{number} attestation files"
