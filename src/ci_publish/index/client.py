"""The index as the pipeline sees it: look, upload, provenance. Order and retries of requests; no sockets.

What goes over the wire is built and understood in the pure modules of this room; the transport sends.
"""

import math
import random
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import assert_never
from urllib.parse import urljoin

from ci_publish.errors import IndexUnavailable
from ci_publish.http.messages import (
    Authorization,
    BodyChanged,
    HttpAnswer,
    HttpRequest,
    NoAnswer,
    NoAnswerReason,
    Transport,
)
from ci_publish.http.retries import (
    MAX_ATTEMPTS,
    GiveUp,
    History,
    Once,
    Trouble,
    TryAgain,
    asked_wait,
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
from ci_publish.index.upload_body import LONGEST_PAUSE, FormBody, md5
from ci_publish.model.attestation import Attestation
from ci_publish.model.completion import UNSCHEDULED, CompletionTurn
from ci_publish.model.distribution import Distribution
from ci_publish.model.events import Emit, Noted, Retrying, UploadProgressed, UploadsCollided, UploadStarted
from ci_publish.model.frozen import frozen
from ci_publish.model.index import (
    Accepted,
    AlreadyThere,
    Cancelled,
    CredentialRefused,
    Endpoints,
    FileChanged,
    IndexProfile,
    IndexState,
    LookFailed,
    NoSuchProject,
    NotVisible,
    ProjectListing,
    Refused,
    Unavailable,
    UploadOutcome,
)
from ci_publish.model.waiting import Waiting

MAX_REDIRECTS = 3
DISCOVERY_SECONDS = 5.0
# A question in the middle of an upload's retries must not use up the time of the run.
QUESTION_ATTEMPTS = 2

_FRESH = {"Cache-Control": "no-cache, max-age=0", "Pragma": "no-cache"}
_HINT = "Set index-url to the root of the index's Simple API, the address that pip's --index-url takes."


@frozen
class _Known:
    """A listing that was read in this run, and what it takes (if not empty) to ask whether it is still the newest."""

    etag: str
    listing: ProjectListing


@dataclass(slots=True)
class _Attempts:
    """The retries of one file so far, and its turn to be completed."""

    turn: CompletionTurn
    history: History = field(default_factory=History)
    unclear: bool = False

    @property
    def count(self) -> int:
        return self.history.attempts


@dataclass(slots=True)
class _Effort:
    """What one question may cost: attempts of each of its requests, and seconds until the last retry of all begins."""

    began: float
    max_attempts: int = MAX_ATTEMPTS
    patience: float | None = None
    waited: float = 0.0

    def left(self, now: float) -> float:
        """Return the seconds that retries may still take; ``now`` is by the clock of ``began``."""
        return math.inf if self.patience is None else self.patience - max(self.waited, now - self.began)


class HttpIndex:
    """The port ``publishing.pipeline.Index`` over HTTP. Thread-safe.

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
        self._known: dict[str, _Known] = {}
        self._serials: dict[str, int] = {}

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

    # --- look

    def look(
        self, project: str, version: str | None = None, *, fresh: bool = False, patience: float | None = None
    ) -> IndexState:
        """Ask what the index has of *project*; see ``publishing.pipeline.Index``.

        No retry begins later than *patience* seconds after the look: 0 is one attempt, None the usual patience.
        """
        return self._look(project, version, _Effort(self._clock(), patience=patience), fresh=fresh)

    def _look(self, project: str, version: str | None, effort: _Effort, *, fresh: bool) -> IndexState:
        simple = self.endpoints.simple
        if simple is None:
            reason = f"the address of the Simple API cannot be derived from {shown(self.endpoints.upload)}. {_HINT}"
            return NotVisible(project, reason)
        known = self._remembered(project)
        first = self._look_at_simple(project, simple, known, effort, fresh=fresh)
        same = known is not None and first is known.listing
        if self._wants_second_look(first, version, fresh=fresh, same=same):
            first = self._with_second_look(first, project, version or "", effort)
        if isinstance(first, ProjectListing) and first.serial is not None:
            with self._lock:
                self._serials[project] = max(first.serial, self._serials.get(project, 0))
        return first

    def _look_at_simple(
        self, project: str, simple: str, known: _Known | None, effort: _Effort, *, fresh: bool
    ) -> IndexState:
        """Return what the listing says: that of *known* itself where the index says that it has not changed."""
        url = simple_api.project_url(simple, project)
        headers = {"Accept": simple_api.ACCEPT, **(_FRESH if fresh else {})}
        if known is not None and known.etag:
            headers["If-None-Match"] = known.etag  # beside no-cache: caches on the way ask, too (RFC 9111 §5.2.1.4)
        answer, url = self._get(url, headers, simple_api.MAX_LISTING, project, effort)
        unchanged = isinstance(answer, HttpAnswer) and answer.status == 304  # noqa: PLR2004
        if known is not None and known.etag and unchanged:
            return known.listing
        state = self._state(project, answer, url)
        if isinstance(state, ProjectListing) and isinstance(answer, HttpAnswer):
            self._remember(project, answer, state)
        return state

    def _state(self, project: str, answer: HttpAnswer | NoAnswer, url: str) -> IndexState:
        """Return what an answer of the Simple API means."""
        if isinstance(answer, NoAnswer):
            return LookFailed(project, f"{shown(url)} could not be asked: {answer.text}")
        match answer.status:
            case 200:
                return self._listing(project, answer, url)
            case 404 | 410:
                return NoSuchProject(project)
            case 301 | 302 | 303 | 307 | 308:
                return self._sent_elsewhere(project, answer, url)
            case _:
                return self._unseen(project, answer, url)

    def _unseen(self, project: str, answer: HttpAnswer, url: str) -> NotVisible | LookFailed:
        told = f"{shown(url)} answered {answer.status} {answer.reason[:200]}".rstrip()
        if self._is_pypi or is_transient_status(answer.status):
            return LookFailed(project, told)
        why = ": the credential of this run may not read there" if answer.status in {401, 403} else ""
        return NotVisible(project, f"{told}{why}. {_HINT}")

    def _sent_elsewhere(self, project: str, answer: HttpAnswer, url: str) -> IndexState:
        target = _target(url, answer)
        if same_origin(target, url):
            return LookFailed(project, f"{shown(url)} redirects again and again")
        # GitLab forwards what it does not have to pypi.org: what is there is not here.
        return NoSuchProject(project, f"the index does not have it: it redirects to {shown(target)[:300]}")

    def _listing(self, project: str, answer: HttpAnswer, url: str) -> IndexState:
        if answer.truncated:
            return LookFailed(project, f"the answer of {shown(url)} broke off, or is too long for a listing")
        content_type = answer.headers.get("content-type", "")
        parsed = simple_api.parse(project, answer.body, content_type, url, public=self._is_pypi)
        if isinstance(parsed, ProjectListing):
            return parsed
        reason = f"the answer of {shown(url)} {parsed.reason}"
        return LookFailed(project, reason) if self._is_pypi else NotVisible(project, f"{reason}. {_HINT}")

    @property
    def _is_pypi(self) -> bool:
        return self.endpoints.profile is IndexProfile.PYPI

    def _remembered(self, project: str) -> _Known | None:
        with self._lock:
            return self._known.get(project)

    def _remember(self, project: str, answer: HttpAnswer, listing: ProjectListing) -> None:
        with self._lock:
            self._known[project] = _Known(answer.headers.get("etag", ""), listing)

    # The Simple API of PyPI comes through a cache that may be ten minutes old; the page of a release is fresher.

    def _wants_second_look(self, first: IndexState, version: str | None, *, fresh: bool, same: bool) -> bool:
        """Whether *first* may be old; *same*: it is the very listing of the look before."""
        if not self._is_pypi or self.endpoints.json_api is None:
            return False
        if isinstance(first, NoSuchProject):
            return version is not None or fresh
        if version is None:
            return False
        if not isinstance(first, ProjectListing):
            return False
        with self._lock:
            seen = self._serials.get(first.project)
        no_newer = first.serial is not None and seen is not None and first.serial <= seen
        return (fresh and (same or no_newer)) or not simple_api.lists_version(first, version)

    def _with_second_look(self, first: IndexState, project: str, version: str, effort: _Effort) -> IndexState:
        url = simple_api.json_api_url(self.endpoints.json_api or "", project, version)
        headers = {"Accept": simple_api.ACCEPT_JSON_API, **_FRESH}
        answer, url = self._get(url, headers, simple_api.MAX_LISTING, project, effort)
        if not isinstance(answer, HttpAnswer) or answer.status != 200 or answer.truncated:  # noqa: PLR2004
            return first
        second = simple_api.parse_json_api(project, answer.body, url)
        if not isinstance(second, ProjectListing):
            return first
        return simple_api.merged(first if isinstance(first, ProjectListing) else None, second)

    # --- upload

    def upload(
        self,
        distribution: Distribution,
        attestations: Sequence[Attestation],
        authorization: Authorization | None,
        throttled: Callable[[], None],
        turn: CompletionTurn = UNSCHEDULED,
    ) -> UploadOutcome:
        """Send one file, with retries; see ``publishing.pipeline.Index``."""
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
        return Cancelled(attempts.count, "the run was stopped before this file was done")

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
                if verdict.throttled or (verdict.status >= 500 and not self._is_pypi):  # noqa: PLR2004
                    throttled()
                ask = verdict.trouble.once is Once.MALFORMED_ANSWER
                return self._again(distribution, verdict.trouble, attempts, ask=ask)
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
            return Cancelled(attempts.count, lost.text)
        if not is_transient(lost):
            return Unavailable(attempts.count, lost.text, unclear=attempts.unclear)
        once = Once.MALFORMED_ANSWER if lost.reason is NoAnswerReason.PROTOCOL else None
        return self._again(distribution, Trouble(lost.text, once=once), attempts, ask=lost.sent)

    def _again(
        self, distribution: Distribution, trouble: Trouble, attempts: _Attempts, *, ask: bool
    ) -> UploadOutcome | None:
        """Wait for another attempt and return None, or return how the upload ended.

        Where the index may have stored the file (*ask*, or before giving up), its own listing is asked first.
        """
        if ask and self._is_there(distribution):
            return _found(attempts)
        decision = decide(attempts.history, trouble, random=self._random(), left=self._waiting.left())
        match decision:
            case GiveUp(reason):
                if attempts.unclear and not ask and self._is_there(distribution):
                    return _found(attempts)
                if trouble.once in {Once.DIGEST_MISMATCH, Once.DAMAGED_TRANSFER, Once.ATTESTATION_ERROR}:
                    return Refused(attempts.count, 400, trouble.reason, upload_api.advice_for(trouble.reason))
                return Unavailable(attempts.count, reason, unclear=attempts.unclear)
            case TryAgain(wait):
                self._emit(Retrying(distribution.filename, attempts.count, trouble.reason, wait, self._endpoints.name))
                attempts.history = attempts.history.went_on(trouble, wait)
                self._waiting.wait(wait)
                return None
            case _:
                assert_never(decision)

    def _is_there(self, distribution: Distribution) -> bool:
        """Whether the index lists these very bytes under this name."""
        effort = _Effort(self._clock(), QUESTION_ATTEMPTS)
        state = self._look(distribution.project, distribution.version, effort, fresh=True)
        if not isinstance(state, ProjectListing):
            return False
        published = state.files.get(distribution.filename)
        return published is not None and not published.inherited and published.sha256 == distribution.sha256

    # --- provenance

    def provenance(self, project: str, version: str, filename: str) -> bytes | None:
        """Return the provenance that the index serves for a file; see ``publishing.pipeline.Index``."""
        url = self._provenance_url(project, version, filename)
        if url is None:
            return None
        headers = {"Accept": simple_api.ACCEPT_INTEGRITY, **_FRESH}
        answer, url = self._get(url, headers, simple_api.MAX_PROVENANCE, filename, _Effort(self._clock()))
        if isinstance(answer, NoAnswer):
            raise IndexUnavailable(f"The provenance of {filename} could not be fetched.", detail=answer.text)
        if answer.status == 200 and not answer.truncated:  # noqa: PLR2004
            return answer.body
        if is_transient_status(answer.status) or answer.truncated:
            raise IndexUnavailable(
                f"The provenance of {filename} could not be fetched.",
                detail=f"{shown(url)} answered {answer.status} {answer.reason[:200]}",
            )
        return None

    def _provenance_url(self, project: str, version: str, filename: str) -> str | None:
        if self.endpoints.integrity is not None:
            return simple_api.provenance_url(self.endpoints.integrity, project, version, filename)
        known = self._remembered(project)
        published = None if known is None else known.listing.files.get(filename)
        return None if published is None else published.provenance

    # --- requests that may be repeated

    def _get(
        self, url: str, headers: Mapping[str, str], limit: int, what: str, effort: _Effort
    ) -> tuple[HttpAnswer | NoAnswer, str]:
        """GET with retries and, on the same origin, redirects by hand; return the answer and whose it is."""
        history = History()
        while True:
            history = history.attempted()
            answer, at = self._get_followed(url, headers, limit)
            trouble = self._trouble(answer)
            if trouble is None or self._waiting.stopped:
                return answer, at
            left = min(self._waiting.left(), effort.left(self._clock()))
            decision = decide(history, trouble, random=self._random(), left=left, max_attempts=effort.max_attempts)
            if isinstance(decision, GiveUp):
                return answer, at
            self._emit(Retrying(what, history.attempts, trouble.reason, decision.wait, self._endpoints.name))
            history = history.went_on(trouble, decision.wait)
            effort.waited += decision.wait
            self._waiting.wait(decision.wait)

    def _trouble(self, answer: HttpAnswer | NoAnswer) -> Trouble | None:
        if isinstance(answer, NoAnswer):
            once = Once.MALFORMED_ANSWER if answer.reason is NoAnswerReason.PROTOCOL else None
            return Trouble(answer.text, once=once) if is_transient(answer) else None
        if is_transient_status(answer.status):
            asked = asked_wait(answer.headers, self._clock())
            return Trouble(f"the index answered {answer.status} {answer.reason[:200]}".rstrip(), asked)
        return None

    def _get_followed(self, url: str, headers: Mapping[str, str], limit: int) -> tuple[HttpAnswer | NoAnswer, str]:
        for _ in range(MAX_REDIRECTS):
            answer = self._get_once(url, headers, limit)
            if not isinstance(answer, HttpAnswer) or answer.status not in {301, 302, 303, 307, 308}:
                return answer, url
            target = _target(url, answer)
            if not same_origin(target, url):
                return answer, url
            url = target
        return self._get_once(url, headers, limit), url

    def _get_once(self, url: str, headers: Mapping[str, str], limit: int) -> HttpAnswer | NoAnswer:
        authorization = self.look_authorization if same_origin(url, self._endpoints.upload) else None
        return self._transport.send(HttpRequest("GET", url, headers, authorization), limit=limit)


def _target(url: str, answer: HttpAnswer) -> str:
    """Return where a redirect leads, the address itself where it leads nowhere."""
    try:
        return urljoin(url, answer.headers.get("location", ""))
    except ValueError:
        return url


def _found(attempts: _Attempts) -> Accepted:
    return Accepted(attempts.count, "the answer was lost, but the index lists the file with our digest")
