"""Lines about what happens to files; many files with the same result share one line (pure).

A file is announced before it is sent, and has one line when its listing and its provenance are known.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

from ci_publish.model.attestation import Attestation, ProvenanceVerified
from ci_publish.model.byte_counts import format_size
from ci_publish.model.distribution import Distribution
from ci_publish.model.events import (
    Collected,
    FileFinished,
    FileListed,
    FileStatus,
    Planned,
    ProvenanceChecked,
    UploadStarted,
)
from ci_publish.reports import wording
from ci_publish.reports.console_lines import Line, step_line
from ci_publish.reports.repeated_lines import FEW
from ci_publish.reports.tones import STATUS, Tone

Key = tuple[str, str]
"""An index and a file."""


class FileLines:
    """Renders what happens to files. *every* names each of them, however many there are; *at* names the index.

    *neutral* makes text from outside fit for a line.
    """

    def __init__(
        self, *, neutral: Callable[[str], str], at: Callable[[str], str], every: bool, print_hash: bool
    ) -> None:
        self._neutral = neutral
        self._at = at
        self._every = every
        self._print_hash = print_hash
        self._planned: set[tuple[str, str, FileStatus]] = set()
        self._signed: list[Attestation] = []
        self._listed: dict[Key, str] = {}
        self._proven: dict[Key, tuple[str, str]] = {}

    def collected_file_lines(self, event: Collected) -> Iterator[Line]:
        """Yield the files that were found."""
        files = event.distributions
        if self._share_a_line(len(files)) and not self._print_hash:
            kinds = Counter(str(each.kind) for each in files)
            counted = ", ".join(wording.pluralise(number, kind) for kind, number in sorted(kinds.items(), reverse=True))
            yield step_line("collect", f"{len(files)} files: {counted}, {_files_total_size(files)}")
            files = ()
        width = max((len(self._neutral(each.filename)) for each in files), default=0)
        for each in files:
            name = self._neutral(each.filename)
            yield step_line("collect", f"{name:<{width}}  {each.kind:<5}  {format_size(each.size):>8}")
            if self._print_hash:
                yield step_line("", f"sha256 {each.sha256}", Tone.QUIET)
        for subject in event.subjects:
            yield step_line("collect", f"{self._neutral(subject.filename)}  sha256 {subject.sha256}")

    def planned_file_lines(self, event: Planned) -> Iterator[Line]:
        """Yield what is decided: many files with one decision are one line."""
        rows = [(*wording.describe_plan_decision(file), file.distribution) for file in event.plan.files]
        self._planned |= {(event.plan.index, file.filename, status) for status, _, file in rows}
        at = self._at(event.plan.index)
        width = max((len(wording.STATUS[row[0]]) for row in rows), default=0)
        names = max((len(self._neutral(row[2].filename)) for row in rows), default=0)
        counted = Counter(row[:2] for row in rows)
        for (status, reason), group in groupby(rows, key=lambda row: row[:2]):
            files = [row[2] for row in group]
            said = f"{wording.STATUS[status]:<{width}}"
            if self._share_a_line(counted[status, reason]):
                counted_files = f"{wording.pluralise(len(files), 'file')}  {_files_total_size(files)}"
                text = f"{said}  {counted_files}  {self._neutral(reason)}{at}"
                yield step_line("plan", text, STATUS[status])
                continue
            for file in files:
                why = f"{format_size(file.size):>8}  {self._neutral(reason)}"
                yield step_line("plan", f"{said}  {self._neutral(file.filename):<{names}}  {why}{at}", STATUS[status])

    def signed_file_lines_or_postpone(self, attestation: Attestation, *, files: int) -> Iterator[Line]:
        """Yield the attestation of a file; where *files* are many, ``take_postponed_lines`` yields all."""
        if self._share_a_line(files):
            self._signed.append(attestation)
        else:
            described = self._neutral(wording.describe_attestation(attestation))
            yield step_line("sign", f"{self._neutral(attestation.filename)}  {described}")

    def upload_started_lines(self, event: UploadStarted) -> Iterator[Line]:
        """Yield that a file is sent now."""
        if event.attempt == 1:
            yield step_line(
                "upload",
                f"{self._neutral(event.filename)}  sending {format_size(event.size)}{self._at(event.index)}",
            )

    def is_status_in_plan(self, event: FileFinished) -> bool:
        """Return whether the plan has said it already."""
        return (event.index, event.distribution.filename, event.status) in self._planned

    def listed_file_lines_or_postpone(self, event: FileListed) -> Iterator[Line]:
        """Yield what the index lists; what is good waits for the provenance, or for ``take_postponed_lines``."""
        if event.listed and (event.index, event.filename, FileStatus.ALREADY_PUBLISHED) in self._planned:
            return
        if event.listed:
            self._listed[event.index, event.filename] = wording.describe_listing(event)
            return
        tone = Tone.BAD if event.listed is False else Tone.WARN
        yield step_line(
            "confirm",
            f"{self._neutral(event.filename)}  {wording.describe_listing(event)}{self._at(event.index)}",
            tone,
        )

    def provenance_lines_or_postpone(self, event: ProvenanceChecked) -> Iterator[Line]:
        """Yield what the index serves, together with what it lists; many good ones are for ``take_postponed_lines``."""
        listed = self._listed.pop((event.index, event.filename), "")
        said = self._neutral(wording.describe_provenance(event.outcome))
        both = "; ".join(filter(None, (listed, said)))
        if isinstance(event.outcome, ProvenanceVerified):
            signer = self._neutral(event.outcome.publisher)
            self._proven[event.index, event.filename] = (both, f"{listed or 'on the index'}; provenance by {signer}")
            return
        yield step_line("confirm", f"{self._neutral(event.filename)}  {both}{self._at(event.index)}", Tone.WARN)

    def take_postponed_lines(self) -> Iterator[Line]:
        """Yield what was put off, at the end of a step."""
        if self._signed:
            yield step_line("sign", wording.describe_attestations(self._signed))
        files = {key: (text, text) for key, text in self._listed.items()} | self._proven
        counted = Counter((index, shared) for (index, _), (_, shared) in files.items())
        several = {key: number for key, number in counted.items() if number > 1 and self._share_a_line(len(files))}
        for (index, name), (text, shared) in files.items():
            if (index, shared) not in several:
                yield step_line("confirm", f"{self._neutral(name)}  {text}{self._at(index)}", Tone.GOOD)
        for (index, shared), number in several.items():
            yield step_line("confirm", f"{number} files  {shared}{self._at(index)}", Tone.GOOD)
        self._signed, self._listed, self._proven = [], {}, {}

    def _share_a_line(self, files: int) -> bool:
        """Return whether so many *files* share a line instead of each having its own."""
        return files > FEW and not self._every


def _files_total_size(files: Sequence[Distribution]) -> str:
    return format_size(sum(file.size for file in files))
