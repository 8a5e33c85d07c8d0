"""A run for people, as lines with a tone: what every console shows, whatever it can draw (pure).

Each line begins with the step that it belongs to. Text from outside is neutralised in every line; ``writer.LineWriter``
guards lines that were put together from parts once more.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import singledispatchmethod
from itertools import groupby

from ci_publish.about import NAME, __version__
from ci_publish.errors import CiPublishError
from ci_publish.model.attestation import ProvenanceVerified
from ci_publish.model.events import (
    Checked,
    Collected,
    Compared,
    CredentialChanged,
    Event,
    FileFinished,
    FileListed,
    FileStatus,
    Finding,
    IndexChosen,
    Noted,
    Outcome,
    Planned,
    ProjectLeft,
    ProvenanceChecked,
    RequestTraced,
    Retrying,
    RunFinished,
    RunStarted,
    Signed,
    StepFinished,
    StepStarted,
    UploadProgressed,
    UploadsCollided,
    UploadStarted,
)
from ci_publish.model.frozen import frozen
from ci_publish.model.problem import Problem, Severity
from ci_publish.model.receipt import Redact
from ci_publish.reports import changes, tones, train, wording
from ci_publish.reports.event_history import EventHistory
from ci_publish.reports.failures import file_failures
from ci_publish.reports.neutral import block, one_line
from ci_publish.reports.stopwatch import Stopwatch
from ci_publish.reports.tones import Tone

_COLUMN = 8
_FAILURES = 20


@frozen
class Line:
    """One line of the console, neutral and without a line break."""

    text: str
    tone: Tone = Tone.PLAIN


class ConsoleRenderer:
    """Renders a run event by event. Not thread-safe: the caller holds a lock.

    *clock* gives seconds for the time that an upload took. *verbose* adds requests and the time of each step,
    *print_hash* the SHA-256 of each file.
    """

    def __init__(
        self, *, clock: Callable[[], float], redact: Redact = str, verbose: bool = False, print_hash: bool = False
    ) -> None:
        self._stopwatch = Stopwatch(clock)
        self._redact = redact
        self._verbose = verbose
        self._print_hash = print_hash
        self._history = EventHistory()
        self._indexes: set[str] = set()
        self._at_step = ""
        self._planned: set[tuple[str, str, FileStatus]] = set()

    def render(self, event: Event) -> tuple[Line, ...]:
        """Return the lines for *event*, none for most."""
        self._history.add(event)
        self._stopwatch.take(event)
        return tuple(self._render(event))

    @singledispatchmethod
    def _render(self, event: Event) -> Iterable[Line]:
        message = f"no lines for {type(event).__name__}"
        raise TypeError(message)

    # -- the run --

    @_render.register
    def _(self, event: RunStarted) -> Iterable[Line]:
        yield Line(f"{NAME} {__version__}: {self._line(event.command)}", Tone.STRONG)

    @_render.register
    def _(self, event: StepStarted) -> Iterable[Line]:
        self._at_step = event.step.value
        return ()

    @_render.register
    def _(self, event: StepFinished) -> Iterable[Line]:
        if self._verbose:
            at = f" at {self._line(event.index)}" if event.index else ""
            yield _step(event.step, f"took {wording.duration(event.seconds)}{at}", Tone.QUIET)

    @_render.register
    def _(self, event: RunFinished) -> Iterable[Line]:
        receipt = self._history.receipt()
        yield Line("")
        yield from self._errors_of_files()
        if event.error is not None:
            yield from self._error(event.error)
            yield Line(f"exit code {event.exit_code} · {event.error.slug}", Tone.STRONG)
            yield from (Line(self._line(text)) for text in wording.standing(receipt))
            return
        findings = [event for event in self._history.events if isinstance(event, Finding)]
        if verdicts := [finding.message for finding in findings if finding.name == "verdict"]:
            yield Line(self._line(verdicts[-1]), Tone.WARN)
            return
        headline = Line(f"{self._line(wording.headline(receipt))}.", Tone.GOOD)
        pages = [Line(f"  {self._line(page)}") for page in wording.release_pages(receipt, self._history.events)]
        # Who signed is the last thing to read.
        yield from (*pages, headline) if receipt.outcome is Outcome.VERIFIED else (headline, *pages)

    # -- before anything leaves the machine --

    @_render.register
    def _(self, event: Collected) -> Iterable[Line]:
        width = max((len(self._line(each.filename)) for each in event.distributions), default=0)
        for each in event.distributions:
            name = self._line(each.filename)
            yield _step("collect", f"{name:<{width}}  {each.kind:<5}  {wording.amount(each.size):>8}")
            if self._print_hash:
                yield _step("", f"sha256 {each.sha256}", Tone.QUIET)
        for subject in event.subjects:
            yield _step("collect", f"{self._line(subject.filename)}  sha256 {subject.sha256}")

    @_render.register
    def _(self, event: Checked) -> Iterable[Line]:
        by_file = sorted(event.problems, key=lambda problem: problem.filename or "")
        for filename, problems in groupby(by_file, key=lambda problem: problem.filename):
            yield _step("check", self._line(filename) if filename else "all files together", Tone.STRONG)
            for problem in problems:
                yield from self._problem(problem)
        tone = Tone.BAD if any(each.severity is Severity.ERROR for each in event.problems) else Tone.PLAIN
        yield _step("check", wording.findings(event.problems), tone)

    def _problem(self, problem: Problem) -> Iterator[Line]:
        yield _step("", f"{problem.severity}: {self._line(problem.rule)}", tones.SEVERITY[problem.severity])
        for text in filter(str.strip, (problem.message, problem.advice)):
            yield from (_step("", f"  {line}") for line in block(self._redact(text)).split("\n"))
        yield _step("", f"  {self._line(problem.docs)}", Tone.QUIET)

    @_render.register
    def _(self, event: IndexChosen) -> Iterable[Line]:
        self._indexes.add(event.endpoints.name)
        upload = self._line(event.endpoints.upload)
        yield _step("index", f"{self._line(event.endpoints.name)} ({event.endpoints.profile} rules): {upload}")

    @_render.register
    def _(self, event: Planned) -> Iterable[Line]:
        rows = [(file.distribution, *wording.decision(file)) for file in event.plan.files]
        self._planned |= {(event.plan.index, file.filename, status) for file, status, _ in rows}
        widths = [max((len(wording.STATUS[row[1]]) for row in rows), default=0)]
        widths.append(max((len(self._line(row[0].filename)) for row in rows), default=0))
        for distribution, status, reason in rows:
            name = f"{self._line(distribution.filename):<{widths[1]}}"
            why = f"{wording.amount(distribution.size):>8}  {self._line(reason)}"
            yield _step(
                "plan",
                f"{wording.STATUS[status]:<{widths[0]}}  {name}  {why}{self._at(event.plan.index)}",
                tones.STATUS[status],
            )
        for number, projects in enumerate(train.waves(event), 1):
            yield _step("order", f"{number}. {self._line(projects)}{self._at(event.plan.index)}")

    @_render.register
    def _(self, event: Compared) -> Iterable[Line]:
        for severity, text in changes.rows(event.diff):
            step, tone = ("", tones.SEVERITY[severity]) if severity else ("diff", Tone.STRONG)
            yield _step(step, self._line(text), tone)

    # -- identity and signatures --

    @_render.register
    def _(self, event: CredentialChanged) -> Iterable[Line]:
        yield _step("identity", f"{self._line(wording.credential(event.state))}{self._at(event.index)}")

    @_render.register
    def _(self, event: Signed) -> Iterable[Line]:
        said = self._line(wording.signed(event.attestation))
        yield _step("sign", f"{self._line(event.attestation.filename)}  {said}")

    # -- the index --

    @_render.register
    def _(self, _event: UploadStarted) -> Iterable[Line]:
        return ()

    @_render.register
    def _(self, _event: UploadProgressed) -> Iterable[Line]:
        return ()

    @_render.register
    def _(self, event: Retrying) -> Iterable[Line]:
        at = self._at(event.index) if event.index else ""
        wait = f"attempt {event.attempt + 1} in {wording.duration(event.wait)}"
        yield _step("retry", f"{self._line(event.what)}{at}: {self._line(event.reason)}; {wait}", Tone.WARN)

    @_render.register
    def _(self, event: UploadsCollided) -> Iterable[Line]:
        busy = "the index was busy completing other files of this release (500), which is harmless"
        told = f"{self._line(event.filename)}{self._at(event.index)}: {busy}; sent again alone, the rest one at a time"
        yield _step("retry", told, Tone.WARN)

    @_render.register
    def _(self, event: FileFinished) -> Iterable[Line]:
        if event.attempts == 0 and self._is_shown(event):
            return
        name, size = self._line(event.distribution.filename), wording.amount(event.distribution.size)
        # What the index accepted is uploaded once its listing shows it.
        status = "accepted" if event.status is FileStatus.UPLOADED else wording.STATUS[event.status]
        attempts = f"  {event.attempts} attempts" if event.attempts > 1 else ""
        told = f"{name}  {status}{self._took(event)}  {size}{attempts}"
        reason = f": {self._line(event.error.summary)}" if event.error else ""
        yield _step(self._at_step, f"{told}{self._at(event.index)}{reason}", tones.STATUS[event.status])

    def _is_shown(self, event: FileFinished) -> bool:
        """Return whether the plan has shown it, or the listing will."""
        planned = (event.index, event.distribution.filename, event.status) in self._planned
        return planned or (event.error is None and event.status not in wording.BAD)

    def _took(self, event: FileFinished) -> str:
        seconds = self._stopwatch.seconds(event.index, event.distribution.filename)
        if seconds is None or event.status is not FileStatus.UPLOADED:
            return ""
        return f" in {wording.duration(seconds)}"

    @_render.register
    def _(self, event: FileListed) -> Iterable[Line]:
        tone = {True: Tone.GOOD, False: Tone.BAD, None: Tone.WARN}[event.listed]
        yield _step("confirm", f"{self._line(event.filename)}  {wording.listed(event)}{self._at(event.index)}", tone)

    @_render.register
    def _(self, event: ProjectLeft) -> Iterable[Line]:
        tone = Tone.WARN if event.deferred else Tone.BAD
        yield _step(
            "deferred" if event.deferred else "left out",
            f"{self._line(train.left(event))}{self._at(event.index)}",
            tone,
        )

    @_render.register
    def _(self, event: ProvenanceChecked) -> Iterable[Line]:
        tone = Tone.GOOD if isinstance(event.outcome, ProvenanceVerified) else Tone.WARN
        said = self._line(wording.provenance(event.outcome))
        yield _step("confirm", f"{self._line(event.filename)}  {said}{self._at(event.index)}", tone)

    # -- notes --

    @_render.register
    def _(self, event: Finding) -> Iterable[Line]:
        if event.name == "verdict":  # it is the last line
            return
        first, *rest = block(self._redact(event.message)).split("\n")
        yield _step(event.status, f"{self._line(event.name)}: {first}", tones.FINDING[event.status])
        yield from (_step("", f"  {line}") for line in rest)
        yield from self._hints(event.hints)

    @_render.register
    def _(self, event: Noted) -> Iterable[Line]:
        about = f"{self._line(event.filename)}: " if event.filename and event.filename not in event.message else ""
        tone = Tone.WARN if event.warning else Tone.PLAIN
        yield _step("warning" if event.warning else "note", f"{about}{self._line(event.message)}", tone)
        yield from self._hints(event.hints)

    @_render.register
    def _(self, event: RequestTraced) -> Iterable[Line]:
        if self._verbose:
            request = f"{self._line(event.method)} {self._line(event.url)}"
            yield _step(
                "http", f"{request}: {self._line(event.result)} ({wording.duration(event.seconds)})", Tone.QUIET
            )

    # -- failures --

    def _errors_of_files(self) -> Iterator[Line]:
        failures = file_failures(self._history.events)
        for event, error in failures[:_FAILURES]:
            yield Line(f"{self._line(event.distribution.filename)}{self._at(event.index)}", Tone.STRONG)
            yield from self._error(error)
            yield Line("")
        if len(failures) > _FAILURES:
            yield Line(f"{wording.count(len(failures) - _FAILURES, 'more failure')}: see the receipt", Tone.BAD)
            yield Line("")

    def _error(self, error: CiPublishError) -> Iterator[Line]:
        """Yield what happened, why, what to do and where to read on."""
        yield Line(f"error: {self._line(error.summary)}", Tone.BAD)
        if error.detail.strip():
            yield from (Line(f"  {line}") for line in block(self._redact(error.detail)).split("\n"))
        hints = wording.hints(error)
        if hints:
            yield Line("What to do:", Tone.STRONG)
        for hint in hints:
            first, *rest = block(self._redact(hint)).split("\n")
            yield Line(f"  - {first}")
            yield from (Line(f"    {line}") for line in rest)
        yield Line(f"Read on: {error.docs}")

    # -- parts of lines --

    def _line(self, text: str) -> str:
        return one_line(self._redact(text))

    def _at(self, index: str) -> str:
        return f"  at {self._line(index)}" if len(self._indexes) > 1 else ""

    def _hints(self, hints: Sequence[str]) -> Iterator[Line]:
        for hint in hints:
            first, *rest = block(self._redact(hint)).split("\n")
            yield _step("", f"- {first}")
            yield from (_step("", f"  {line}") for line in rest)


def _step(step: str, text: str, tone: Tone = Tone.PLAIN) -> Line:
    return Line(f"{step:<{_COLUMN}}  {text}".rstrip(), tone)
