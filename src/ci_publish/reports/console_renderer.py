"""A run for people, as lines with a tone: what every console shows, whatever it can draw (pure).

Each line begins with the step that it belongs to. Text from outside is neutralised in every line; ``writer.LineWriter``
guards lines that were put together from parts once more.
"""

from collections.abc import Callable, Iterable
from functools import singledispatchmethod

from ci_publish.about import NAME, __version__
from ci_publish.model.events import (
    Checked,
    Collected,
    Compared,
    CredentialChanged,
    Event,
    FileFinished,
    FileListed,
    FileStatus,
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
    Tried,
    UploadProgressed,
    UploadsCollided,
    UploadStarted,
    WaitStarted,
)
from ci_publish.model.finding import Finding
from ci_publish.model.receipt import Redact
from ci_publish.reports import changes, tones, train, trials, wording
from ci_publish.reports.event_history import EventHistory
from ci_publish.reports.failure_lines import error_lines, file_failure_lines
from ci_publish.reports.failures import file_failures
from ci_publish.reports.file_lines import FileLines
from ci_publish.reports.lines import Line, of_hints, of_step
from ci_publish.reports.neutral import block, one_line
from ci_publish.reports.problem_lines import problem_lines
from ci_publish.reports.repetition import FEW, Repetition
from ci_publish.reports.stopwatch import Stopwatch
from ci_publish.reports.tones import Tone


class ConsoleRenderer:
    """Renders a run event by event. Not thread-safe: the caller holds a lock.

    *clock* gives seconds for the time that an upload took. *verbose* adds requests, the time of each step and the name
    of every file, *print_hash* the SHA-256 of each file. *announces*: a line says that a file is sent.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        redact: Redact = str,
        verbose: bool = False,
        print_hash: bool = False,
        announces: bool = True,
    ) -> None:
        self._stopwatch = Stopwatch(clock)
        self._redact = redact
        self._verbose = verbose
        self._announces = announces
        self._history = EventHistory()
        self._indexes: set[str] = set()
        self._at_step = ""
        self._collected = 0
        self._repetition = Repetition(unlimited=verbose)
        self._files = FileLines(redact=redact, at=self._at, every=verbose, print_hash=print_hash)

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
        yield from self._files.rest()
        yield from self._repetition.rest()
        if self._verbose:
            at = f" at {self._line(event.index)}" if event.index else ""
            yield of_step(event.step, f"took {wording.duration(event.seconds)}{at}", Tone.QUIET)

    @_render.register
    def _(self, event: RunFinished) -> Iterable[Line]:
        receipt = self._history.receipt()
        yield from self._files.rest()
        yield from self._repetition.rest()
        yield Line("")
        yield from file_failure_lines(file_failures(self._history.events), self._redact)
        if event.error is not None:
            yield from error_lines(event.error, self._redact)
            yield Line(f"exit code {event.exit_code} · {event.error.slug}", Tone.STRONG)
            yield from (Line(self._line(text)) for text in wording.standing(receipt))
            return
        findings = [event for event in self._history.events if isinstance(event, Finding)]
        if verdicts := [finding.message for finding in findings if finding.name == "verdict"]:
            yield Line(self._line(verdicts[-1]), Tone.WARN)
            return
        headline = Line(f"{self._line(changes.headline(receipt, self._history.events))}.", Tone.GOOD)
        pages = [Line(f"  {self._line(page)}") for page in wording.release_pages(receipt, self._history.events)]
        # Who signed is the last thing to read.
        yield from (*pages, headline) if receipt.outcome is Outcome.VERIFIED else (headline, *pages)

    # -- before anything leaves the machine --

    @_render.register
    def _(self, event: Collected) -> Iterable[Line]:
        self._collected = len(event.distributions)
        return self._files.collected(event)

    @_render.register
    def _(self, event: Checked) -> Iterable[Line]:
        return problem_lines(event.problems, self._redact, verbose=self._verbose)

    @_render.register
    def _(self, event: IndexChosen) -> Iterable[Line]:
        self._indexes.add(event.endpoints.name)
        upload = self._line(event.endpoints.upload)
        yield of_step("index", f"{self._line(event.endpoints.name)} ({event.endpoints.profile} rules): {upload}")

    @_render.register
    def _(self, event: Planned) -> Iterable[Line]:
        yield from self._files.planned(event)
        for number, projects in enumerate(train.waves(event), 1):
            yield of_step("order", f"{number}. {self._line(projects)}{self._at(event.plan.index)}")

    @_render.register
    def _(self, event: Compared) -> Iterable[Line]:
        for severity, text in changes.rows(event.diff):
            step, tone = ("", tones.SEVERITY[severity]) if severity else ("diff", Tone.STRONG)
            yield of_step(step, self._line(text), tone)

    @_render.register
    def _(self, event: Tried) -> Iterable[Line]:
        yield of_step("install", self._line(trials.line(event)), Tone.GOOD if event.passed else Tone.BAD)
        if event.output:
            lines = block(self._redact(event.output)).split("\n")
            yield from (of_step("", f"| {line}", Tone.QUIET) for line in lines)

    # -- identity and signatures --

    @_render.register
    def _(self, event: CredentialChanged) -> Iterable[Line]:
        yield of_step("identity", f"{self._line(wording.credential(event.state))}{self._at(event.index)}")

    @_render.register
    def _(self, event: Signed) -> Iterable[Line]:
        return self._files.signed(event.attestation, files=self._collected)

    @_render.register
    def _(self, _event: WaitStarted) -> Iterable[Line]:
        return ()  # ``silence`` says so when it takes long

    # -- the index --

    @_render.register
    def _(self, event: UploadStarted) -> Iterable[Line]:
        return self._files.sending(event) if self._announces else ()

    @_render.register
    def _(self, _event: UploadProgressed) -> Iterable[Line]:
        return ()

    @_render.register
    def _(self, event: Retrying) -> Iterable[Line]:
        at = self._at(event.index) if event.index else ""
        wait = f"attempt {event.attempt + 1} in {wording.duration(event.wait)}"
        reason = self._line(event.reason)
        line = of_step("retry", f"{self._line(event.what)}{at}: {reason}; {wait}", Tone.WARN)
        yield from self._repetition.limited(("retry", event.reason), [line], reason, "retry")

    @_render.register
    def _(self, event: UploadsCollided) -> Iterable[Line]:
        busy = "the index was busy completing other files of this release (500), which is harmless"
        told = f"{self._line(event.filename)}{self._at(event.index)}: {busy}; sent again alone, the rest one at a time"
        yield of_step("retry", told, Tone.WARN)

    @_render.register
    def _(self, event: FileFinished) -> Iterable[Line]:
        good = event.error is None and event.status not in wording.BAD
        if event.attempts == 0 and (good or self._files.is_planned(event)):
            return ()
        if good and event.attempts == 1 and self._collected > FEW and not self._verbose:
            return ()  # the listing will show it
        name, size = self._line(event.distribution.filename), wording.amount(event.distribution.size)
        # What the index accepted is uploaded once its listing shows it.
        status = "accepted" if event.status is FileStatus.UPLOADED else wording.STATUS[event.status]
        attempts = f"  {event.attempts} attempts" if event.attempts > 1 else ""
        reason = f": {self._line(event.error.summary)}" if event.error else ""
        told = f"{name}  {status}{self._took(event)}  {size}{attempts}{self._at(event.index)}{reason}"
        line = of_step(self._at_step, told, tones.STATUS[event.status])
        slug = event.error.slug if event.error else ""
        kind = (event.status, event.index, slug)
        return self._repetition.limited(kind, [line], f"{status} {slug}".strip(), self._at_step)

    def _took(self, event: FileFinished) -> str:
        seconds = self._stopwatch.seconds(event.index, event.distribution.filename)
        if seconds is None or event.status is not FileStatus.UPLOADED:
            return ""
        return f" in {wording.duration(seconds)}"

    @_render.register
    def _(self, event: FileListed) -> Iterable[Line]:
        return self._files.listed(event)

    @_render.register
    def _(self, event: ProjectLeft) -> Iterable[Line]:
        tone = Tone.WARN if event.deferred else Tone.BAD
        yield of_step(
            "deferred" if event.deferred else "left out",
            f"{self._line(train.left(event))}{self._at(event.index)}",
            tone,
        )

    @_render.register
    def _(self, event: ProvenanceChecked) -> Iterable[Line]:
        return self._files.provenance(event)

    # -- notes --

    @_render.register
    def _(self, event: Finding) -> Iterable[Line]:
        if event.name == "verdict":  # it is the last line
            return
        first, *rest = block(self._redact(event.message)).split("\n")
        yield of_step(event.status, f"{self._line(event.name)}: {first}", tones.FINDING[event.status])
        yield from (of_step("", f"  {line}") for line in rest)
        yield from of_hints(event.hints, self._redact)

    @_render.register
    def _(self, event: Noted) -> Iterable[Line]:
        about = f"{self._line(event.filename)}: " if event.filename and event.filename not in event.message else ""
        tone = Tone.WARN if event.warning else Tone.PLAIN
        step = "warning" if event.warning else "note"
        lines = [of_step(step, f"{about}{self._line(event.message)}", tone), *of_hints(event.hints, self._redact)]
        if event.filename is None:
            return lines
        return self._repetition.limited(("note", event.slug), lines, self._line(event.slug), step)

    @_render.register
    def _(self, event: RequestTraced) -> Iterable[Line]:
        if self._verbose:
            request = f"{self._line(event.method)} {self._line(event.url)}"
            yield of_step(
                "http", f"{request}: {self._line(event.result)} ({wording.duration(event.seconds)})", Tone.QUIET
            )

    # -- parts of lines --

    def _line(self, text: str) -> str:
        return one_line(self._redact(text))

    def _at(self, index: str) -> str:
        return f"  at {self._line(index)}" if len(self._indexes) > 1 else ""
