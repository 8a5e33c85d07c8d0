"""When the last bytes of an upload may be sent: the contract between the client that sends and the scheduler.

PyPI's database can complete few uploads of one release at once (``publishing.upload_concurrency`` says why), while any
number may be in transit. So an upload is sent up to its last bytes, and waits there for its turn.
"""

from enum import StrEnum
from typing import Protocol


class Permission(StrEnum):
    """Whether the last bytes of an upload may be sent."""

    GRANTED = "granted"
    NOT_YET = "not-yet"
    STOPPED = "stopped"


class CompletionTurn(Protocol):
    """One upload's turn to be completed by the index; each attempt waits for it again. Used by one thread."""

    def wait(self, seconds: float) -> Permission:
        """Wait at most *seconds* for the turn. ``STOPPED``: the run is being stopped before it was granted."""

    def begin_without_permission(self) -> None:
        """Take the turn without permission: the index would not wait any longer."""

    def end(self) -> None:
        """Give the turn back: the response has arrived, or will not arrive any more. Idempotent."""

    def may_have_collided(self) -> bool:
        """Report that the index responded with 500; return whether other uploads of this run may be the cause.

        True once at most: from then on the uploads of this release are completed one at a time.
        """


class Unscheduled:
    """A turn that is granted immediately, for indexes that complete uploads in parallel, and for single uploads."""

    def wait(self, seconds: float) -> Permission:
        """Grant it."""
        del seconds
        return Permission.GRANTED

    def begin_without_permission(self) -> None:
        """Nothing needs to be taken."""

    def end(self) -> None:
        """Nothing needs to be given back."""

    def may_have_collided(self) -> bool:
        """Nothing is known of other uploads."""
        return False


UNSCHEDULED = Unscheduled()
