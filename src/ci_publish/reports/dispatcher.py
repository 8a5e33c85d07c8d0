"""Passes each event to all reports; no report can stop the run or another report."""

import threading
from collections.abc import Callable, Iterable
from typing import Protocol

from ci_publish.model.events import Event, Noted


class Report(Protocol):
    """A listener to a run. Called for one event at a time; ``close`` ends it and may be called twice."""

    def __call__(self, event: Event) -> None:
        """Take one event."""

    def close(self) -> None:
        """Write everything that is pending; no event follows."""


class Dispatcher:
    """Hands each event to each report, in the order given, one event at a time; an ``Emit`` that never raises.

    A report may emit an event of its own while it takes one (such as a warning): all reports get it at once. A report
    that raises is named in a warning the first time, and goes on being called. The order matters where reports share
    a stream: reports that open and close groups come before the console, those that write files before both.
    """

    def __init__(self, reports: Iterable[Report] = ()) -> None:
        self._reports = list(reports)
        self._lock = threading.RLock()
        self._failures: dict[int, Exception] = {}

    @property
    def report_failures(self) -> tuple[Exception, ...]:
        """The first exception of each report that raised: bugs, or streams that were closed."""
        return tuple(self._failures.values())

    def add_report(self, report: Report) -> None:
        """Add *report*, after all others."""
        with self._lock:
            self._reports.append(report)

    def __call__(self, event: Event) -> None:
        """Hand *event* to every report."""
        self._for_each_report(lambda report: report(event))

    def close(self) -> None:
        """Close every report."""
        self._for_each_report(lambda report: report.close())

    def _for_each_report(self, act: Callable[[Report], None]) -> None:
        with self._lock:
            for report in self._reports:
                try:
                    act(report)
                except Exception as error:  # noqa: BLE001  (a report must not stop a run)
                    if id(report) not in self._failures:
                        self._failures[id(report)] = error
                        reason = f"The report {type(report).__name__} failed: {type(error).__name__}."
                        self(Noted(slug="report-failed", message=reason))
