"""The command ``doctor`` over all indexes: its findings, and how it ends."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ci_publish.app.composition import Composition
from ci_publish.errors import CiPublishError, CredentialRejected
from ci_publish.model.events import Finding, FindingStatus, Outcome

if TYPE_CHECKING:
    from ci_publish.identity.findings import Finding as Diagnosed

# By identity.findings.Level.
_FINDINGS = {
    "ok": FindingStatus.OK,
    "warning": FindingStatus.WARN,
    "failure": FindingStatus.FAIL,
    "skipped": FindingStatus.SKIP,
}


def diagnose(composition: Composition) -> Outcome:
    """Check each index in turn; raise the first error that publishing would end with.

    What cannot be known without trying is not a failure, unless the user asks for certainty (``strict``).
    """
    errors: list[CiPublishError] = []
    open_questions: list[str] = []
    from ci_publish.identity.findings import Readiness  # noqa: PLC0415  (late: for one command)

    addresses = composition.settings.repository_url
    composition.require_unshared([composition.endpoints(each) for each in addresses])
    for repository_url in addresses:
        diagnosis = composition.doctor(repository_url).run()
        for found in diagnosis.findings:
            composition.context.emit(_finding(found))
        errors += [] if diagnosis.error is None else [diagnosis.error]
        if diagnosis.verdict.readiness is not Readiness.READY:
            open_questions.append(diagnosis.verdict.message)
    if errors:
        raise errors[0]
    if not open_questions:
        return Outcome.READY
    if composition.settings.strict:
        raise _undetermined(open_questions)
    composition.context.emit(Finding("verdict", FindingStatus.SKIP, " ".join(open_questions)))
    return Outcome.UNDETERMINED


def _undetermined(questions: Sequence[str]) -> CredentialRejected:
    return CredentialRejected(
        questions[0],
        detail="\n".join(["With --strict, doctor ends with 0 only where it knows.", *questions[1:]]),
        hints=("Try the exchange: --mint (and --create-project for a new project).", "Or leave out --strict."),
    )


def _finding(found: "Diagnosed") -> Finding:
    return Finding(
        found.name, _FINDINGS[found.level], "\n".join(filter(None, (found.message, found.detail))), found.hints
    )
