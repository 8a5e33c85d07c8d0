"""Waiting that never continues past the end of the run, or while the run is being stopped."""

from typing import Protocol


class Waiting(Protocol):
    """The only way to sleep and to learn that the run should end; safe to use from any thread."""

    @property
    def stopped(self) -> bool:
        """Whether no new work may begin (a signal came, a fatal refusal, or the run's deadline passed)."""

    @property
    def cut(self) -> bool:
        """Whether work in flight must end now, too (the grace period after ``stopped`` is over)."""

    def wait(self, seconds: float) -> bool:
        """Sleep for *seconds*, or less when the run is stopped; return whether the run is stopped."""

    def left(self) -> float:
        """Return the seconds that are left of the whole run's deadline, 0.0 when it has passed."""
