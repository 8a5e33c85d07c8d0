"""Renders events as lines with a tone, for every kind of console (pure).

Each line begins with the step that it belongs to. Text from outside is neutralised in every line;
``line_writer.LineWriter`` checks finished lines once more, because they are made of several parts.
"""

from collections.abc import Callable, Iterable
from functools import singledispatchmethod

from ci_publish.about import NAME, __version__
from ci_publish.model.byte_counts import format_size
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
from ci_publish.reports import release_changes, tones, wording
from ci_publish.reports.console_lines import Line, console_hint_lines, step_line
from ci_publish.reports.event_history import EventHistory
from ci_publish.reports.failure_lines import failure_lines, file_failure_lines
from ci_publish.reports.file_failures import file_failures_not_in_run_error
from ci_publish.reports.file_lines import FileLines
from ci_publish.reports.neutral import neutral_block, neutral_line
from ci_publish.reports.problem_lines import problem_lines
from ci_publish.reports.repeated_lines import FEW, RepeatedLines
from ci_publish.reports.tones import Tone


class ConsoleRenderer:
    """Renders a run event by event. Not thread-safe: the caller holds a lock.

    *clock* gives seconds for the time that an upload took, from its first attempt. *verbose* adds requests, the time of
    each step and the name of every file, *print_hash* the SHA-256 of each file. *announces*: a line says that a file is
    sent.
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
        self._clock = clock
        self._begun: dict[tuple[str, str], float] = {}
        self._redact = redact
        self._verbose = verbose
        self._announces = announces
        self.history = EventHistory()
        self._indexes: set[str] = set()
        self._at_step = ""
        self._collected = 0
        self._repetition = RepeatedLines(unlimited=verbose)
        self._files = FileLines(neutral=self._neutral, at=self._index_suffix, every=verbose, print_hash=print_hash)

    def render_event(self, event: Event) -> tuple[Line, ...]:
        """Return the lines for *event*, none for most."""
        self.history.remember_event(event)
        return tuple(self._render_by_type(event))

    @singledispatchmethod
    def _render_by_type(self, event: Event) -> Iterable[Line]:
        message = f"no lines for {type(event).__name__}"
        raise TypeError(message)

    # -- the run --

    @_render_by_type.register
    def _render_run_started(self, event: RunStarted) -> Iterable[Line]:
        yield Line(f"{NAME} {__version__}: {self._neutral(event.command)}", Tone.STRONG)

    @_render_by_type.register
    def _render_step_started(self, event: StepStarted) -> Iterable[Line]:
        self._at_step = event.step.value
        return ()

    @_render_by_type.register
    def _render_step_finished(self, event: StepFinished) -> Iterable[Line]:
        yield from self._files.take_postponed_lines()
        yield from self._repetition.take_omitted_line_counts()
        if self._verbose:
            at = f" at {self._neutral(event.index)}" if event.index else ""
            yield step_line(event.step, f"took {wording.format_duration(event.seconds)}{at}", Tone.QUIET)

    @_render_by_type.register
    def _render_run_finished(self, event: RunFinished) -> Iterable[Line]:
        receipt = self.history.build_receipt()
        yield from self._files.take_postponed_lines()
        yield from self._repetition.take_omitted_line_counts()
        yield Line("")
        yield from file_failure_lines(file_failures_not_in_run_error(self.history.events), self._redact)
        if event.error is not None:
            yield from failure_lines(event.error, self._redact)
            yield Line(f"exit code {event.exit_code} · {event.error.slug}", Tone.STRONG)
            yield from (Line(self._neutral(text)) for text in wording.public_state_and_rerun_lines(receipt))
            return
        findings = [event for event in self.history.events if isinstance(event, Finding)]
        if verdicts := [finding.message for finding in findings if finding.name == "verdict"]:
            yield Line(self._neutral(verdicts[-1]), Tone.WARN)
            return
        headline = Line(
            f"{self._neutral(release_changes.changes_or_run_headline(receipt, self.history.events))}.",
            Tone.GOOD,
        )
        pages = [
            Line(f"  {self._neutral(page)}") for page in wording.release_page_addresses(receipt, self.history.events)
        ]
        # Who signed is the last thing to read.
        yield from (*pages, headline) if receipt.outcome is Outcome.VERIFIED else (headline, *pages)

    # -- before anything leaves the machine --

    @_render_by_type.register
    def _render_collected(self, event: Collected) -> Iterable[Line]:
        self._collected = len(event.distributions)
        return self._files.collected_file_lines(event)

    @_render_by_type.register
    def _render_checked(self, event: Checked) -> Iterable[Line]:
        return problem_lines(event.problems, self._redact, verbose=self._verbose)

    @_render_by_type.register
    def _render_index_chosen(self, event: IndexChosen) -> Iterable[Line]:
        self._indexes.add(event.endpoints.name)
        upload = self._neutral(event.endpoints.upload)
        yield step_line("index", f"{self._neutral(event.endpoints.name)} ({event.endpoints.profile} rules): {upload}")

    @_render_by_type.register
    def _render_planned(self, event: Planned) -> Iterable[Line]:
        yield from self._files.planned_file_lines(event)
        for number, projects in enumerate(wording.upload_order_lines(event), 1):
            yield step_line("order", f"{number}. {self._neutral(projects)}{self._index_suffix(event.plan.index)}")

    @_render_by_type.register
    def _render_compared(self, event: Compared) -> Iterable[Line]:
        for severity, text in release_changes.release_changes_rows(event.diff):
            step, tone = ("", tones.SEVERITY[severity]) if severity else ("diff", Tone.STRONG)
            yield step_line(step, self._neutral(text), tone)

    @_render_by_type.register
    def _render_tried(self, event: Tried) -> Iterable[Line]:
        result = f"{'passed' if event.passed else 'failed'} in {wording.format_duration(event.seconds)}"
        text = f"{event.filename}  {event.interpreter}  {event.installer}  {result}"
        yield step_line("install", self._neutral(text), Tone.GOOD if event.passed else Tone.BAD)
        if event.output:
            lines = neutral_block(self._redact(event.output)).split("\n")
            yield from (step_line("", f"| {line}", Tone.QUIET) for line in lines)

    # -- identity and signatures --

    @_render_by_type.register
    def _render_credential_changed(self, event: CredentialChanged) -> Iterable[Line]:
        yield step_line(
            "identity",
            f"{self._neutral(wording.describe_credential(event.state))}{self._index_suffix(event.index)}",
        )

    @_render_by_type.register
    def _render_signed(self, event: Signed) -> Iterable[Line]:
        return self._files.signed_file_lines_or_postpone(event.attestation, files=self._collected)

    @_render_by_type.register
    def _render_wait_started(self, _event: WaitStarted) -> Iterable[Line]:
        return ()  # ``waiting_messages`` says so when it takes long

    # -- the index --

    @_render_by_type.register
    def _render_upload_started(self, event: UploadStarted) -> Iterable[Line]:
        self._begun.setdefault((event.index, event.filename), self._clock())
        return self._files.upload_started_lines(event) if self._announces else ()

    @_render_by_type.register
    def _render_upload_progressed(self, _event: UploadProgressed) -> Iterable[Line]:
        return ()

    @_render_by_type.register
    def _render_retrying(self, event: Retrying) -> Iterable[Line]:
        at = self._index_suffix(event.index) if event.index else ""
        wait = f"attempt {event.attempt + 1} in {wording.format_duration(event.wait)}"
        reason = self._neutral(event.reason)
        line = step_line("retry", f"{self._neutral(event.what)}{at}: {reason}; {wait}", Tone.WARN)
        yield from self._repetition.limit_repeated_lines(("retry", event.reason), [line], reason, "retry")

    @_render_by_type.register
    def _render_uploads_collided(self, event: UploadsCollided) -> Iterable[Line]:
        busy = "the index was busy completing other files of this release (500), which is harmless"
        file = f"{self._neutral(event.filename)}{self._index_suffix(event.index)}"
        yield step_line("retry", f"{file}: {busy}; retried alone, then the rest one at a time", Tone.WARN)

    @_render_by_type.register
    def _render_file_finished(self, event: FileFinished) -> Iterable[Line]:
        begun = self._begun.pop((event.index, event.distribution.filename), None)
        good = event.error is None and event.status not in wording.BAD
        if event.attempts == 0 and (good or self._files.is_status_in_plan(event)):
            return ()
        if good and event.attempts == 1 and self._collected > FEW and not self._verbose:
            return ()  # the listing will show it
        name, size = self._neutral(event.distribution.filename), format_size(event.distribution.size)
        # What the index accepted is uploaded once its listing shows it.
        accepted = event.status is FileStatus.UPLOADED
        status = "accepted" if accepted else wording.STATUS[event.status]
        took = f" in {wording.format_duration(self._clock() - begun)}" if accepted and begun is not None else ""
        attempts = f"  {event.attempts} attempts" if event.attempts > 1 else ""
        reason = f": {self._neutral(event.error.summary)}" if event.error else ""
        text = f"{name}  {status}{took}  {size}{attempts}{self._index_suffix(event.index)}{reason}"
        line = step_line(self._at_step, text, tones.STATUS[event.status])
        slug = event.error.slug if event.error else ""
        kind = (event.status, event.index, slug)
        return self._repetition.limit_repeated_lines(kind, [line], f"{status} {slug}".strip(), self._at_step)

    @_render_by_type.register
    def _render_file_listed(self, event: FileListed) -> Iterable[Line]:
        return self._files.listed_file_lines_or_postpone(event)

    @_render_by_type.register
    def _render_project_left(self, event: ProjectLeft) -> Iterable[Line]:
        step, tone = ("deferred", Tone.WARN) if event.deferred else ("incomplete", Tone.BAD)
        others = ", ".join(name for name in event.because if name != event.project)
        text = f"{event.project}{f', because of {others}' if others else ''}: {event.reason}"
        yield step_line(step, f"{self._neutral(text)}{self._index_suffix(event.index)}", tone)

    @_render_by_type.register
    def _render_provenance_checked(self, event: ProvenanceChecked) -> Iterable[Line]:
        return self._files.provenance_lines_or_postpone(event)

    # -- notes --

    @_render_by_type.register
    def _render_finding(self, event: Finding) -> Iterable[Line]:
        if event.name == "verdict":  # it is the last line
            return
        first, *rest = neutral_block(self._redact(event.message)).split("\n")
        yield step_line(event.status, f"{self._neutral(event.name)}: {first}", tones.FINDING[event.status])
        yield from (step_line("", f"  {line}") for line in rest)
        yield from console_hint_lines(event.hints, self._redact)

    @_render_by_type.register
    def _render_noted(self, event: Noted) -> Iterable[Line]:
        about = f"{self._neutral(event.filename)}: " if event.filename and event.filename not in event.message else ""
        tone = Tone.WARN if event.warning else Tone.PLAIN
        step = "warning" if event.warning else "note"
        lines = [
            step_line(step, f"{about}{self._neutral(event.message)}", tone),
            *console_hint_lines(event.hints, self._redact),
        ]
        if event.filename is None:
            return lines
        return self._repetition.limit_repeated_lines(("note", event.slug), lines, self._neutral(event.slug), step)

    @_render_by_type.register
    def _render_request_traced(self, event: RequestTraced) -> Iterable[Line]:
        if self._verbose:
            request = f"{self._neutral(event.method)} {self._neutral(event.url)}"
            yield step_line(
                "http",
                f"{request}: {self._neutral(event.result)} ({wording.format_duration(event.seconds)})",
                Tone.QUIET,
            )

    # -- parts of lines --

    def _neutral(self, text: str) -> str:
        return neutral_line(self._redact(text))

    def _index_suffix(self, index: str) -> str:
        return f"  at {self._neutral(index)}" if len(self._indexes) > 1 else ""
