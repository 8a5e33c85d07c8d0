"""When an index may be given the last bytes of an upload: the contract between the client that sends and the schedule.

PyPI's database can complete few uploads of one release at once (``publishing.upload_concurrency`` says why), while any
number may be on their way. So an upload is sent up to its last bytes, and waits there for its turn.
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
        """Give the turn back: the answer has come, or will not come any more. Idempotent."""

    def may_have_collided(self) -> bool:
        """Tell that the index answered 500; return whether that may be because of other uploads of this run.

        True once at most: from then on the uploads of this release are completed one at a time.
        """


class Unscheduled:
    """A turn that always comes at once, for indexes that complete uploads side by side, and for single uploads."""

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
