"""Installations before publication, as every report shows them (pure)."""

from ci_publish.model.events import Tried
from ci_publish.reports import wording


def installation_trial_result(event: Tried) -> str:
    """Return how a trial ended, in a word: the value of the receipt."""
    return "passed" if event.passed else "failed"


def installation_trial_line(event: Tried) -> str:
    """Return a trial in one line."""
    where = f"{event.interpreter}  {event.installer}"
    return f"{event.filename}  {where}  {installation_trial_result(event)} in {wording.format_duration(event.seconds)}"
