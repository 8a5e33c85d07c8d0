"""The index as the pipeline sees it: listings, upload, provenance. Order and retries of requests; no sockets.

What goes over the wire is built and understood in the pure modules of this package; the transport sends.
"""

import hashlib
import random
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import assert_never
from urllib.parse import urljoin

from ci_publish.errors import FileChangedDuringRun, IndexUnavailable
from ci_publish.http.messages import (
    Authorization,
    BodyChanged,
    HttpAnswer,
    HttpRequest,
    NoAnswer,
    NoAnswerReason,
    Transport,
)
from ci_publish.http.responses import status_line
from ci_publish.http.retries import (
    FailedAttempt,
    GiveUp,
    RetryState,
    SingleRetry,
    TryAgain,
    decide,
    is_transient,
    is_transient_status,
)
from ci_publish.http.urls import same_origin, shown
from ci_publish.index import simple_api, upload_api
from ci_publish.index.endpoints import (
    REHEARSAL_HEADER,
    REHEARSAL_VERSION,
    Profile,
    as_rehearsal,
    kind_of,
    may_be_rehearsal,
)
from ci_publish.index.listings import FRESH, Listings
from ci_publish.index.reading import Reader
from ci_publish.index.upload_body import LONGEST_PAUSE, FormBody, md5
from ci_publish.model.attestation import Attestation
from ci_publish.model.completion import UNSCHEDULED, CompletionTurn
from ci_publish.model.distribution import Distribution
from ci_publish.model.events import Emit, Noted, Retrying, UploadProgressed, UploadsCollided, UploadStarted
from ci_publish.model.index import (
    Accepted,
    AlreadyThere,
    Cancelled,
    CredentialRefused,
    Endpoints,
    FileChanged,
    IndexProfile,
    IndexState,
    ProjectListing,
    PublishedFile,
    Refused,
    Unavailable,
    UploadOutcome,
)
from ci_publish.model.waiting import Waiting

DISCOVERY_SECONDS = 5.0
# A question in the middle of an upload's retries must not use up the time of the run.
QUESTION_ATTEMPTS = 2


@dataclass(slots=True)
class _Attempts:
    """The retries of one file so far, and its turn to be completed."""

    turn: CompletionTurn
    history: RetryState = field(default_factory=RetryState)
    unclear: bool = False

    @property
    def count(self) -> int:
        return self.history.attempts


_REFUSALS_RETRIED_ONCE = frozenset(
    {SingleRetry.DIGEST_MISMATCH, SingleRetry.DAMAGED_TRANSFER, SingleRetry.ATTESTATION_ERROR}
)


class HttpIndex:
    """The port ``publishing.ports.Index`` over HTTP. Thread-safe.

    ``look_authorization`` is shown to the Simple API where that lies on the origin of the upload API, and to nobody
    else. *random* gives numbers in [0, 1), *clock* seconds since the epoch.
    """

    def __init__(  # noqa: PLR0913  (the composition root's own choices, all by name)
        self,
        endpoints: Endpoints,
        transport: Transport,
        *,
        emit: Emit,
        waiting: Waiting,
        look_authorization: Authorization | None = None,
        random: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.time,
        boundary: Callable[[], str] = lambda: f"ci-publish-{secrets.token_hex(16)}",
    ) -> None:
        self._endpoints = endpoints
        self._transport = transport
        self.look_authorization = look_authorization
        self._emit = emit
        self._waiting = waiting
        self._random = random
        self._clock = clock
        self._boundary = boundary
        self._lock = Lock()
        self._reader = Reader(
            transport,
            index=endpoints.name,
            authorization=self._authorization_at,
            emit=emit,
            waiting=waiting,
            random=random,
            clock=clock,
        )
        self._listings = Listings(self._reader, lambda: self._endpoints, self._found_simple)

    @property
    def endpoints(self) -> Endpoints:
        """The addresses of this index."""
        return self._endpoints

    def recognise(self, profile: Profile = "auto") -> None:
        """Ask an index on loopback, where *profile* is ``auto``, whether it is a rehearsal; one request at most.

        If it is, ``endpoints`` follow PyPI's profile and layout from then on. To be called before anything else.
        """
        if may_be_rehearsal(self._endpoints, profile) and self._is_rehearsal(self._endpoints):
            self._endpoints = as_rehearsal(self._endpoints)

    def _is_rehearsal(self, endpoints: Endpoints) -> bool:
        request = HttpRequest("GET", endpoints.audience or urljoin(endpoints.upload, "/"))
        answer = self._transport.send(request, deadline=DISCOVERY_SECONDS)
        return isinstance(answer, HttpAnswer) and answer.headers.get(REHEARSAL_HEADER.lower()) == REHEARSAL_VERSION

    def _authorization_at(self, url: str) -> Authorization | None:
        return self.look_authorization if same_origin(url, self._endpoints.upload) else None

    def _found_simple(self, root: str) -> None:
        """Use *root*, which proved to be the root of the Simple API, from now on."""
        with self._lock:
            self._endpoints = replace(self._endpoints, simple=root, simple_guesses=())

    # --- listings

    def fetch_listing(
        self, project: str, version: str | None = None, *, fresh: bool = False, patience: float | None = None
    ) -> IndexState:
        """Ask what the index has of *project*; see ``publishing.ports.Index``.

        No retry begins later than *patience* seconds after the look: 0 is one attempt, None the usual patience.
        """
        return self._listings.fetch(project, version, self._reader.effort(patience=patience), fresh=fresh)

    # --- upload

    def upload(
        self,
        distribution: Distribution,
        attestations: Sequence[Attestation],
        authorization: Authorization | None,
        throttled: Callable[[], None],
        turn: CompletionTurn = UNSCHEDULED,
    ) -> UploadOutcome:
        """Send one file, with retries; see ``publishing.ports.Index``."""
        attempts = _Attempts(turn)
        url = self.endpoints.upload
        try:
            digest = (distribution.digests.md5 or md5(distribution)) if kind_of(url) == "artifactory" else None
        except BodyChanged as error:
            return FileChanged(0, str(error))
        form = upload_api.fields(distribution, attestations, md5=digest)
        while not self._waiting.stopped:
            attempts.history = attempts.history.attempted()
            verdict = self._attempt(distribution, form, url, authorization, attempts)
            while isinstance(verdict, upload_api.MissingSlash):  # once at most: then there is no slash to add
                url = self._corrected(verdict.url)
                verdict = self._attempt(distribution, form, url, authorization, attempts)
            outcome = self._outcome(distribution, verdict, attempts, throttled)
            if outcome is not None:
                return outcome
        return Cancelled(attempts.count, "the run was stopped before this file was done", unclear=attempts.unclear)

    def _attempt(
        self,
        distribution: Distribution,
        form: Sequence[upload_api.Field],
        url: str,
        authorization: Authorization | None,
        attempts: _Attempts,
    ) -> upload_api.Verdict | upload_api.MissingSlash | NoAnswer:
        name, filename = self._endpoints.name, distribution.filename
        framing = upload_api.framing(form, filename, self._boundary())
        total = len(framing.head) + distribution.size + len(framing.tail)
        self._emit(UploadStarted(name, filename, distribution.size, attempts.count))

        def progress(sent: int) -> None:
            self._emit(UploadProgressed(name, filename, sent, total))

        body = FormBody(distribution, framing, progress, attempts.turn)
        request = HttpRequest("POST", url, upload_api.HEADERS, authorization, body, pause=LONGEST_PAUSE)
        try:
            answer = self._transport.send(request)
        finally:
            attempts.turn.end()
        if isinstance(answer, NoAnswer):
            return answer
        return upload_api.understand(answer, url, attempts.count, self._clock())

    def _corrected(self, url: str) -> str:
        """Take *url*, the upload address with its slash, for all files from now on; say so once."""
        with self._lock:
            new = self._endpoints.upload != url
            self._endpoints = replace(self._endpoints, upload=url)
        if new:
            message = f"The index takes uploads at {shown(url)}; the slash at the end of repository-url was missing."
            self._emit(Noted("missing-slash", message, hints=(f"Set repository-url to {shown(url)}",)))
        return url

    def _outcome(
        self,
        distribution: Distribution,
        verdict: upload_api.Verdict | NoAnswer,
        attempts: _Attempts,
        throttled: Callable[[], None],
    ) -> UploadOutcome | None:
        """Return how the upload ended, or None after waiting for another attempt."""
        match verdict:
            case Accepted() | AlreadyThere() | Refused() | CredentialRefused():
                return verdict
            case NoAnswer():
                return self._unanswered(distribution, verdict, attempts)
            case upload_api.Later():
                attempts.unclear = attempts.unclear or verdict.unclear
                if verdict.status == 500 and attempts.turn.collided():  # noqa: PLR2004  (what a deadlock is answered with)
                    self._collided(distribution, attempts)
                    return None
                if verdict.throttled or (verdict.status >= 500 and self._endpoints.profile is not IndexProfile.PYPI):  # noqa: PLR2004
                    throttled()
                ask = verdict.trouble.once is SingleRetry.MALFORMED_ANSWER
                return self._again(distribution, verdict.trouble, attempts, ask=ask, page=verdict.page)
            case _:
                assert_never(verdict)

    def _collided(self, distribution: Distribution, attempts: _Attempts) -> None:
        """Have the file sent again at once, and take the attempt back."""
        name, project, version = self._endpoints.name, distribution.project, distribution.version
        self._emit(UploadsCollided(name, distribution.filename, project, version))
        attempts.history = attempts.history.taken_back()

    def _unanswered(self, distribution: Distribution, lost: NoAnswer, attempts: _Attempts) -> UploadOutcome | None:
        if lost.reason is NoAnswerReason.FILE_CHANGED:
            return FileChanged(attempts.count, lost.text)
        attempts.unclear = attempts.unclear or lost.sent
        if lost.reason is NoAnswerReason.CANCELLED:
            return Cancelled(attempts.count, lost.text, unclear=attempts.unclear)
        if not is_transient(lost):
            untrusted = lost.reason is NoAnswerReason.UNTRUSTED_CERTIFICATE
            return Unavailable(attempts.count, lost.text, unclear=attempts.unclear, untrusted=untrusted)
        once = SingleRetry.MALFORMED_ANSWER if lost.reason is NoAnswerReason.PROTOCOL else None
        return self._again(distribution, FailedAttempt(lost.text, once=once), attempts, ask=lost.sent)

    def _again(
        self, distribution: Distribution, trouble: FailedAttempt, attempts: _Attempts, *, ask: bool, page: bool = False
    ) -> UploadOutcome | None:
        """Wait for another attempt and return None, or return how the upload ended.

        Where the index may have stored the file (*ask*, or before giving up), its own listing is asked first. A web
        *page* in place of the index's response is left to the listing.
        """
        if ask and self._is_there(distribution):
            return _found(attempts)
        decision = decide(attempts.history, trouble, random=self._random(), left=self._waiting.left())
        match decision:
            case GiveUp(reason):
                if attempts.unclear and not ask and self._is_there(distribution):
                    return _found(attempts)
                if trouble.once in _REFUSALS_RETRIED_ONCE:
                    return Refused(attempts.count, 400, trouble.reason, upload_api.advice_for(trouble.reason))
                if page:
                    return Accepted(attempts.count, reason, doubt=reason)
                return Unavailable(attempts.count, reason, unclear=attempts.unclear)
            case TryAgain(wait):
                self._emit(Retrying(distribution.filename, attempts.count, trouble.reason, wait, self._endpoints.name))
                attempts.history = attempts.history.went_on(trouble, wait)
                self._waiting.wait(wait)
                return None
            case _:
                assert_never(decision)

    def _is_there(self, distribution: Distribution) -> bool:
        """Whether the index lists this content under this name: by SHA-256, or by MD5 if it shows nothing better."""
        effort = self._reader.effort(max_attempts=QUESTION_ATTEMPTS)
        state = self._listings.fetch(distribution.project, distribution.version, effort, fresh=True)
        if not isinstance(state, ProjectListing):
            return False
        published = state.files.get(distribution.filename)
        if published is None or published.inherited:
            return False
        if published.sha256 is not None or published.md5 is None:
            return published.sha256 == distribution.sha256
        try:
            return published.md5 == self.md5(distribution)
        except FileChangedDuringRun:
            return False

    def md5(self, distribution: Distribution) -> str:
        """Return the MD5 of a file's bytes; see ``publishing.ports.Index``."""
        try:
            return distribution.digests.md5 or md5(distribution)
        except BodyChanged as error:
            raise FileChangedDuringRun(f"{distribution.filename} changed during the run: {error}") from error

    def download_sha256(self, published: PublishedFile, limit: int) -> str | None:
        """Download a listed file and return its SHA-256; see ``publishing.ports.Index``."""
        what = f"the content of {published.filename}"
        answer, _ = self._reader.get(published.url, {"Accept": "*/*"}, limit, what, self._reader.effort())
        if not isinstance(answer, HttpAnswer) or answer.status != 200 or answer.truncated:  # noqa: PLR2004
            return None
        return hashlib.sha256(answer.body).hexdigest()

    # --- provenance

    def provenance(self, project: str, version: str, filename: str) -> bytes | None:
        """Return the provenance that the index serves for a file; see ``publishing.ports.Index``."""
        url = self._provenance_url(project, version, filename)
        if url is None:
            return None
        headers = {"Accept": simple_api.ACCEPT_INTEGRITY, **FRESH}
        answer, url = self._reader.get(url, headers, simple_api.MAX_PROVENANCE, filename, self._reader.effort())
        if isinstance(answer, NoAnswer):
            raise IndexUnavailable(f"The provenance of {filename} could not be fetched.", detail=answer.text)
        if answer.status == 200 and not answer.truncated:  # noqa: PLR2004
            return answer.body
        if is_transient_status(answer.status) or answer.truncated:
            raise IndexUnavailable(
                f"The provenance of {filename} could not be fetched.",
                detail=f"{shown(url)} answered {status_line(answer)}",
            )
        return None

    def _provenance_url(self, project: str, version: str, filename: str) -> str | None:
        if self.endpoints.integrity is not None:
            return simple_api.provenance_url(self.endpoints.integrity, project, version, filename)
        known = self._listings.remembered(project)
        published = None if known is None else known.listing.files.get(filename)
        return None if published is None else published.provenance


def _found(attempts: _Attempts) -> Accepted:
    return Accepted(attempts.count, "the answer was lost, but the index lists the file with our digest")
