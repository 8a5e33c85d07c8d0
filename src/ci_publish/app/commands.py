"""What the Python API and the command line call: a command, from settings to its receipt."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from ci_publish.app.composition import Composition, Surroundings
from ci_publish.app.settings import Settings
from ci_publish.errors import CiPublishError, ConfigurationError, CredentialRejected, InternalError
from ci_publish.model.distribution import CoreMetadata, Digests, Distribution, Kind, Stamp
from ci_publish.model.events import Emit, Event, Finding, FindingStatus, Outcome, RunFinished, RunStarted
from ci_publish.model.filename import parse_filename
from ci_publish.model.index import PublishedFile
from ci_publish.model.receipt import Receipt, receipt_of
from ci_publish.publishing.context import Run

if TYPE_CHECKING:
    from ci_publish.identity.findings import Finding as Diagnosed


def publish(what: Settings | Run | None = None, *, around: Surroundings | None = None) -> Receipt:
    """Publish; return the receipt. See ``execute`` for what is raised."""
    return execute("publish", what, around)


def plan(what: Settings | Run | None = None, *, around: Surroundings | None = None) -> Receipt:
    """Say what ``publish`` would do, and send nothing."""
    return execute("plan", what, around)


def check(what: Settings | Run | None = None, *, around: Surroundings | None = None) -> Receipt:
    """Run all local checks; no network."""
    return execute("check", what, around)


def attest(what: Settings | Run | None = None, *, around: Surroundings | None = None) -> Receipt:
    """Attest every distribution and write the attestations into ``output_dir``."""
    return execute("attest", what, around)


def verify(what: Settings | Run | None = None, *, around: Surroundings | None = None) -> Receipt:
    """Look whether the index shows these very files, or a ``PROJECT==VERSION``, with provenance that verifies."""
    return execute("verify", what, around)


def doctor(settings: Settings | None = None, *, around: Surroundings | None = None) -> Receipt:
    """Look whether Trusted Publishing would work from here; raise the error that publishing would end with."""
    return execute("doctor", settings, around)


def execute(command: str, what: Settings | Run | None = None, around: Surroundings | None = None) -> Receipt:
    """Run a command and return its receipt.

    *what* is settings (by default those of a plain ``publish dist``: nothing is read from the environment but the CI's
    own variables), or a ``Run`` with rooms of your own. Raises the CiPublishError that ended the run, with the receipt
    of what happened until then as its ``receipt``; a bug surfaces as InternalError.
    """
    around = around or Surroundings()
    if isinstance(what, Run):
        return recorded(command, lambda recording: _piped(command, _heard(what, recording.emit)), around)
    settings = what or Settings()

    def run(recording: Surroundings) -> Outcome:
        composition = Composition(settings, recording)
        try:
            if command == "doctor":
                return _diagnose(composition)
            return _piped(command, composition.run(command))
        finally:
            composition.close()

    return recorded(command, run, around)


def _piped(command: str, run: Run) -> Outcome:
    from ci_publish.publishing import pipeline  # noqa: PLC0415  (late: the first look at the index may be under way by now)

    commands: Mapping[str, Callable[[Run], Outcome]] = {
        "publish": pipeline.publish,
        "plan": pipeline.plan,
        "check": pipeline.check,
        "attest": pipeline.attest,
        "verify": _verify,
    }
    return commands[command](run)


def _heard(run: Run, emit: Emit) -> Run:
    """Return *run*, whose own events reach *emit* as well: a receipt is made of them."""

    def both(event: Event) -> None:
        run.emit(event)
        emit(event)

    return replace(run, emit=both)


def recorded(command: str, work: Callable[[Surroundings], Outcome], around: Surroundings) -> Receipt:
    """Do *work* between RunStarted and RunFinished, keeping every event for the receipt."""
    events: list[object] = []

    def emit(event: object) -> None:
        events.append(event)
        around.emit(event)  # type: ignore[arg-type]

    emit(RunStarted(command, time.time()))
    for note in around.notes:
        emit(note)
    error: CiPublishError | None = None
    outcome = Outcome.FAILED
    try:
        outcome = work(replace(around, emit=emit))
    except CiPublishError as caught:
        error = caught if around.interruption is None else around.interruption.instead_of(caught)
    except Exception as caught:  # noqa: BLE001  (a bug: reported as one, never as a traceback)
        error = InternalError.of(caught)
        error.__cause__ = caught
    emit(RunFinished(_outcome(outcome, error), error.exit_code if error else 0, time.time(), error))
    receipt = receipt_of(events)  # type: ignore[arg-type]
    if error is not None:
        error.receipt = receipt
        raise error
    return receipt


def _outcome(outcome: Outcome, error: CiPublishError | None) -> Outcome:
    if error is None:
        return outcome
    return Outcome.INTERRUPTED if error.exit_code in {130, 143} else Outcome.FAILED


# details ---------------------------------------------------------------------------------------------------------


# By identity.findings.Level.
_FINDINGS = {
    "ok": FindingStatus.OK,
    "warning": FindingStatus.WARN,
    "failure": FindingStatus.FAIL,
    "skipped": FindingStatus.SKIP,
}


def _diagnose(composition: Composition) -> Outcome:
    """Look at each index in turn; raise the first error that publishing would end with.

    What cannot be known without trying is no failure, unless the user asked for certainty (``strict``).
    """
    errors: list[CiPublishError] = []
    open_questions: list[str] = []
    from ci_publish.identity.findings import Readiness  # noqa: PLC0415  (late: for one command)

    addresses = composition.settings.repository_url
    composition.require_unshared([composition.endpoints(each) for each in addresses])
    for repository_url in addresses:
        diagnosis = composition.doctor(repository_url).run()
        for found in diagnosis.findings:
            composition.around.emit(_finding(found))
        errors += [] if diagnosis.error is None else [diagnosis.error]
        if diagnosis.verdict.readiness is not Readiness.READY:
            open_questions.append(diagnosis.verdict.message)
    if errors:
        raise errors[0]
    if not open_questions:
        return Outcome.READY
    if composition.settings.strict:
        raise _undetermined(open_questions)
    composition.around.emit(Finding("verdict", FindingStatus.SKIP, " ".join(open_questions)))
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


def _verify(run: Run) -> Outcome:
    """Verify local files, or every file of a PROJECT==VERSION."""
    from ci_publish.publishing import pipeline  # noqa: PLC0415  (see ``_piped``)

    named = [path for path in run.options.paths if "==" in path]
    if not named:
        return pipeline.verify(run)
    if len(run.options.paths) > 1:
        message = "PROJECT==VERSION stands alone: it cannot be mixed with paths or another release."
        raise ConfigurationError(message, hints=("Run verify once for each release.",))
    project, version = _release(named[0])
    return pipeline.verify_release(run, project, version, lambda file: as_distribution(file, project, version))


def _release(text: str) -> tuple[str, str]:
    name, _, version = text.partition("==")
    try:
        return canonicalize_name(name.strip(), validate=True), str(Version(version.strip()))
    except (InvalidVersion, ValueError) as error:
        message = f"{text} is not a PROJECT==VERSION: {error}"
        raise ConfigurationError(
            message, hints=("Write it like this: ci-publish verify sampleproject==4.0.0",)
        ) from error


def as_distribution(file: PublishedFile, project: str, version: str) -> Distribution | None:
    """Describe a listed file of the release *project* *version*; None for a file of another, or one without digest."""
    wheel = file.filename.endswith(".whl")
    try:
        found = parse_filename(file.filename)
    except ValueError:
        return None
    if found.project != project or str(found.version) != version or file.sha256 is None:
        return None
    size = file.size or 0
    return Distribution(
        path=Path(file.filename),
        filename=file.filename,
        kind=Kind.WHEEL if wheel else Kind.SDIST,
        project=project,
        version=version,
        python_tag="" if wheel else "source",
        size=size,
        digests=Digests(file.sha256),
        metadata=CoreMetadata("", project, version),
        stamp=Stamp(0, 0, size, 0),
    )
