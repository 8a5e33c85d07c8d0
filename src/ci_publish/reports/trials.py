"""Installations before publication, as every report shows them (pure)."""

from ci_publish.model.events import Tried
from ci_publish.reports import wording


def result(event: Tried) -> str:
    """Return how a trial ended, in a word: the value of the receipt."""
    return "passed" if event.passed else "failed"


def line(event: Tried) -> str:
    """Return a trial in one line."""
    where = f"{event.interpreter}  {event.installer}"
    return f"{event.filename}  {where}  {result(event)} in {wording.duration(event.seconds)}"
