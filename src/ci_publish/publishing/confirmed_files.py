"""The uploads to one index that were looked up in its listing: each once in a run."""

from collections.abc import Sequence

from ci_publish.model.distribution import Distribution
from ci_publish.publishing import confirmation_messages
from ci_publish.publishing.confirmation import Confirmation
from ci_publish.publishing.context import Run
from ci_publish.publishing.file_outcomes import FileOutcomes
from ci_publish.publishing.ports import Index


class ConfirmedFiles:
    """The uploaded files, as far as they were looked up in the listing of *index*.

    ``listed`` are the files with our digests; ``by_md5``: some of them are listed with an MD5 only. ``unreadable`` are
    those that the listing does not confirm, by filename and with the reason.
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
        """Return those of *files* that were uploaded, but not looked up yet."""
        return [file for file in self._outcomes.uploaded if file in files and file not in self._asked]

    def wait_until_listed(self, files: Sequence[Distribution]) -> None:
        """Wait until the index lists *files*. Raises as ``Confirmation``, and if ``strict`` requires a listing."""
        self._asked.update(files)
        confirmed = Confirmation(self._run, self._index).wait_until_listed(files, self._outcomes.doubtful)
        self.listed += confirmed.listed
        self.by_md5 = self.by_md5 or bool(confirmed.by_md5)
        self.unreadable |= confirmed.unreadable
        if self.unreadable and self._run.options.strict:
            raise confirmation_messages.strict_confirmation_error(self._index.endpoints, self.unreadable)
