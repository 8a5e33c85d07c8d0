"""One call of ``sign``: one identity, one certificate, many files at once; outages are waited out.

Retries repeat a whole step (a certificate, or one file's signature and log entry), never a single request: when the log
commits an entry but answers late, sending the same entry again would be refused (409), while a new signature is just
another entry.
"""

import random
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from ci_publish.attestations.signing_errors import final_signing_error, sigstore_unavailable_error
from ci_publish.attestations.signing_identity import SigningIdentity
from ci_publish.attestations.signing_worker_pool import Ending, Failed, Finished, Overdue, SigningWorkerPool
from ci_publish.attestations.sigstore_backoff import SigstoreBackoff
from ci_publish.attestations.sigstore_trouble import Ended, IdentityRefusal, Transient, Trouble
from ci_publish.errors import CiPublishError, SigningFailed, SigstoreUnavailable
from ci_publish.http.retries import Backoff
from ci_publish.model.attestation import Attestation, SigningResult, Subject
from ci_publish.model.events import Emit, Retrying, Signed, WaitStarted
from ci_publish.model.frozen import frozen
from ci_publish.model.identity import IdentityToken
from ci_publish.model.waiting import Waiting

_CERTIFICATE = "signing certificate"
# Fulcio's certificates live 10 minutes; it is only an assumption until the first attestation shows the real one.
_USUAL_LIFETIME = 600.0
# A log entry must fall into the certificate's life, so a certificate is not used in its last two minutes (of ten).
_UNUSED_LIFETIME = 120.0
_UNUSED_SHARE = 0.2
# How many certificates or tokens in a row may expire before they have signed anything.
_MAX_EXPIRED_UNUSED = 4
POLL_SECONDS = 0.2


@frozen
class VerifiedAttestation:
    """A fresh attestation that verified, and how long its certificate lives, in seconds."""

    attestation: Attestation
    lifetime: float


@frozen
class SigningTask:
    """An attestation to be created: its file and predicate type."""

    subject: Subject
    predicate_type: str


class SigningCertificate(Protocol):
    """A signing certificate, good for any number of files while it lasts. Thread-safe."""

    def attest(self, subject: Subject, predicate_type: str) -> VerifiedAttestation:
        """Sign, log and verify one attestation. Raises Trouble."""


class SigningAuthority(Protocol):
    """Where certificates come from (``authority.SigstoreAuthority``)."""

    def certify(self, token: IdentityToken) -> SigningCertificate:
        """Obtain a certificate for an identity. Raises Trouble."""


@frozen(kw_only=True)
class SigningPatience:
    """How long signing may take: seconds for one request, for all, and between attempts."""

    request: float = 30.0
    budget: float = 300.0
    first_pause: float = 1.0
    longest_pause: float = 30.0
    until: float | None = None
    """When the budget ends, on the monotonic clock; None: it begins with the first certificate."""

    @property
    def attempt_seconds(self) -> float:
        """The seconds after which an attempt is abandoned; its request should have ended before."""
        return self.request * 1.1 + 1.0


@frozen
class SigningClocks:
    """The monotonic and the wall clock, in seconds, and a source of jitter in [0, 1)."""

    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    jitter: Callable[[], float] = random.random


@frozen(kw_only=True)
class SigningContext:
    """The collaborators and limits of signing: events, stopping, parallel tasks, time."""

    emit: Emit
    waiting: Waiting
    workers: int = 8
    patience: SigningPatience = SigningPatience()
    clocks: SigningClocks = SigningClocks()


class SigningRun:
    """One call of `sign`: which files are done, which are pending, and with which certificate."""

    def __init__(
        self,
        *,
        identity: SigningIdentity,
        authority: SigningAuthority,
        tasks: Sequence[SigningTask],
        context: SigningContext,
    ) -> None:
        patience, clocks = context.patience, context.clocks
        self._identity = identity
        self._authority = authority
        self._order = tuple(tasks)
        self._todo = deque(self._order)
        self._done: dict[SigningTask, Attestation] = {}
        self._attempts: Counter[str] = Counter()
        self._emit = context.emit
        self._waiting = context.waiting
        self._workers = context.workers
        self._patience = patience
        self._clock = clocks.monotonic
        self._ends = clocks.monotonic() + patience.budget if patience.until is None else patience.until
        self._backoff = SigstoreBackoff(Backoff(patience.first_pause, patience.longest_pause), clocks.jitter)
        self._certificate: SigningCertificate | None = None
        self._certifying = False
        self._issued = 0.0
        self._lifetime = _USUAL_LIFETIME
        self._expired_unused = 0
        self._identity_refused = False
        self._last_reason = ""
        self._end: CiPublishError | None = None
        # A task without a file obtains a certificate.
        self._pool: SigningWorkerPool[SigningTask | None, SigningCertificate | VerifiedAttestation] = SigningWorkerPool(
            context.workers, clocks.monotonic
        )

    def sign_all_files(self) -> None:
        """Sign until every file is done or signing has failed. Raises CiPublishErrors other than SigningFailed."""
        self._announce_wait()
        try:
            while self._end is None and (self._todo or self._pool.busy_workers):
                if self._waiting.stopped:
                    self._end = SigningFailed("Signing was stopped before every file had its attestation.")
                elif max(self._clock(), self._backoff.resume) >= self._ends:
                    self._end = self._sigstore_unavailable(len(self._order) - len(self._done))
                else:
                    self._start_signing_tasks()
                    pause = self._backoff.resume - self._clock()  # nothing can be started earlier
                    ending = self._pool.next_ending(min(POLL_SECONDS, pause) if pause > 0 else POLL_SECONDS)
                    if ending is not None:
                        self._handle_task_ending(ending)
        finally:
            self._pool.close()

    def _announce_wait(self) -> None:
        files = "1 file" if len(self._order) == 1 else f"{len(self._order)} files"
        self._emit(WaitStarted(f"Sigstore to attest {files}", max(0.0, self._ends - self._clock())))

    def signing_result(self) -> SigningResult:
        """Return the new attestations, and the reason for each file that lacks one."""
        missing = [task.subject.filename for task in self._order if task not in self._done]
        error = self._end or self._sigstore_unavailable(len(missing))
        if missing and not isinstance(error, SigningFailed):
            raise error
        done: dict[str, tuple[Attestation, ...]] = {}
        for task in self._order:
            if task in self._done:
                done[task.subject.filename] = (*done.get(task.subject.filename, ()), self._done[task])
        return SigningResult(done, {filename: error for filename in missing if isinstance(error, SigningFailed)})

    def _start_signing_tasks(self) -> None:
        """Start all tasks that can run now: the request for a certificate, or else one task for each free worker."""
        if self._certifying or not self._todo or not self._pool.free_workers or self._clock() < self._backoff.resume:
            return
        seconds = self._patience.attempt_seconds
        unused = min(_UNUSED_LIFETIME, self._lifetime * _UNUSED_SHARE)
        if self._certificate is None or self._clock() - self._issued >= self._lifetime - unused:
            try:
                token = self._identity.token_for_certificate()
            except SigningFailed as error:
                self._end = error
                return
            self._announce_wait()  # the CI was waited for
            self._certificate, self._certifying, self._issued = None, True, self._clock()
            self._pool.start_task(None, partial(self._authority.certify, token), seconds)
            return
        allowed = self._backoff.allowed_attempts(self._workers)
        while self._todo and self._pool.free_workers and self._pool.busy_workers < allowed:
            task = self._todo.popleft()
            self._pool.start_task(task, partial(self._certificate.attest, task.subject, task.predicate_type), seconds)

    def _handle_task_ending(
        self, ending: "Ending[SigningTask | None, SigningCertificate | VerifiedAttestation]"
    ) -> None:
        if ending.key is None:
            self._certifying = False
        match ending:
            case Finished(key=SigningTask() as task, value=VerifiedAttestation() as product):
                self._done[task] = product.attestation
                self._lifetime = product.lifetime
                self._expired_unused = 0
                self._identity_refused = False
                self._backoff.note_outage_over()
                self._emit(Signed(product.attestation))
            case Finished(value=certificate):
                self._certificate = certificate  # type: ignore[assignment]  # the task without a file is `certify`
                self._backoff.note_outage_over()
            case Overdue():
                reason = f"Sigstore did not respond within {self._patience.attempt_seconds:g} s"
                self._retry_task(ending.key, ending.started, Transient(reason))
            case Failed(error=Trouble() as trouble):
                self._handle_trouble(ending.key, ending.started, trouble)
            case Failed(error=CiPublishError() as error):
                self._end = error
            case Failed(error=error):
                raise error

    def _handle_trouble(self, task: SigningTask | None, started: float, trouble: Trouble) -> None:
        match trouble:
            case Transient():
                self._retry_task(task, started, trouble)
            case IdentityRefusal() if not self._identity_refused:
                # Fulcio says the same when it cannot reach the identity provider: another token is worth a try.
                self._identity_refused = True
                self._retry_task(task, started, Transient(trouble.reason))
            case Ended():
                # Of a certificate or an identity: the file is put back, and the next round gets new ones.
                self._requeue_task(task)
                if task is not None and (self._certificate is None or started < self._issued):
                    return  # another file has reported it already
                self._certificate = None
                self._expired_unused += 1
                if self._expired_unused >= _MAX_EXPIRED_UNUSED:
                    self._end = self._identity.identity_expired_error(trouble.reason)
                elif self._expired_unused > 1:
                    self._retry_task(None, self._clock(), Transient(trouble.reason))
                else:
                    self._emit(Retrying(what=_CERTIFICATE, attempt=1, reason=trouble.reason, wait=0.0))
            case _:
                self._end = final_signing_error(trouble, None if task is None else task.subject)

    def _retry_task(self, task: SigningTask | None, started: float, trouble: Transient) -> None:
        self._requeue_task(task)
        self._last_reason = trouble.reason
        what = _CERTIFICATE if task is None else task.subject.filename
        self._attempts[what] += 1
        wait = self._backoff.pause_after_failure(started, self._clock(), trouble.retry_after)
        self._emit(Retrying(what=what, attempt=self._attempts[what], reason=trouble.reason, wait=wait))

    def _requeue_task(self, task: SigningTask | None) -> None:
        if task is not None:
            self._todo.appendleft(task)

    def _sigstore_unavailable(self, missing: int) -> SigstoreUnavailable:
        return sigstore_unavailable_error(missing, len(self._order), self._patience.budget, self._last_reason)
