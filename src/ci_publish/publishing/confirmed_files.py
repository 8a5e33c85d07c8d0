"""The uploads of one index that its listing was asked about: each once, in the waves of a run."""

from collections.abc import Sequence

from ci_publish.model.distribution import Distribution
from ci_publish.publishing import confirmation_messages
from ci_publish.publishing.confirmation import Confirmation
from ci_publish.publishing.context import Run
from ci_publish.publishing.file_outcomes import FileOutcomes
from ci_publish.publishing.ports import Index


class ConfirmedFiles:
    """What the listing of *index* showed of the files that were uploaded, as far as it was asked.

    ``listed`` are the files with our digests; ``by_md5``: of some of them it shows only an MD5. ``unreadable`` are
    those of which it shows nothing, by filename and with the reason.
    """

    def __init__(self, run: Run, index: Index, outcomes: FileOutcomes) -> None:
        self._run = run
        self._index = index
        self._outcomes = outcomes
        self._asked: set[Distribution] = set()
        self.listed: list[Distribution] = []
        self.by_md5 = False
        self.unreadable: dict[str, str] = {}

    def unconfirmed_uploads(self, files: Sequence[Distribution]) -> list[Distribution]:
        """Return those of *files* that were uploaded, and that the listing was not asked about."""
        return [file for file in self._outcomes.uploaded if file in files and file not in self._asked]

    def wait_until_listed(self, files: Sequence[Distribution]) -> None:
        """Wait until the index lists *files*. Raises as ``Confirmation``, and where ``strict`` wants a listing."""
        self._asked.update(files)
        confirmed = Confirmation(self._run, self._index).wait_until_listed(files, self._outcomes.doubtful)
        self.listed += confirmed.listed
        self.by_md5 = self.by_md5 or bool(confirmed.by_md5)
        self.unreadable |= confirmed.unreadable
        if self.unreadable and self._run.options.strict:
            raise confirmation_messages.strict_confirmation_error(self._index.endpoints, self.unreadable)
