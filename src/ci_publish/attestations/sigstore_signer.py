"""Signs distributions: one identity, one certificate, many files at once, and an outage is not the end.

What is retried is always a whole step (a certificate, or one file's signature and log entry), never a request: when
the log commits an entry but answers late, the same entry sent again would be refused (409), while a fresh signature is
simply one entry more.
"""

import random
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from ci_publish.attestations.adoption import adopt
from ci_publish.attestations.publishers import ISSUERS, begins, public_facts, publisher_of, unattestable
from ci_publish.attestations.shared_backoff import SharedBackoff
from ci_publish.attestations.signers import AcceptedSigners
from ci_publish.attestations.statements import Subject
from ci_publish.attestations.trouble import (
    Ended,
    IdentityRefusal,
    Transient,
    Trouble,
    Unsound,
    Untrusted,
)
from ci_publish.attestations.trust import TrustSource
from ci_publish.attestations.worker_pool import Ending, Failed, Finished, Overdue, WorkerPool
from ci_publish.errors import (
    AttestationUnsound,
    CiPublishError,
    IdentityUnavailable,
    SigningFailed,
    SigningIdentityExpired,
    SigstoreIdentityRejected,
    SigstoreRefused,
    SigstoreUnavailable,
    UntrustedCertificate,
)
from ci_publish.http.retries import Backoff
from ci_publish.model.attestation import Attestation, SigningResult
from ci_publish.model.distribution import Distribution, FoundAttestation
from ci_publish.model.events import Emit, Noted, Retrying, Signed
from ci_publish.model.frozen import frozen
from ci_publish.model.identity import Claims, IdentityToken
from ci_publish.model.publisher_identity import JobIdentity, PublisherIdentity
from ci_publish.model.waiting import Waiting

AUDIENCE = "sigstore"
_CERTIFICATE = "signing certificate"
_STATUS_PAGE = "https://status.sigstore.dev"

# Fulcio's certificates live 10 minutes; it is only an assumption until the first attestation shows the real one.
_USUAL_LIFETIME = 600.0
# A log entry must fall into the certificate's life, so a certificate is not used in its last two minutes (of ten).
_UNUSED_LIFETIME = 120.0
_UNUSED_SHARE = 0.2
# How many times in a row a certificate or token may turn out to be over before it has signed anything.
_LONGEST_BARREN = 4
_POLL_SECONDS = 0.2


class IdentitySource(Protocol):
    """The CI job's identity, as ``publishing.ports.IdentitySource`` describes it."""

    @property
    def repeatable(self) -> bool:
        """Whether a second token for the same audience can be had."""

    def token(self, audience: str) -> IdentityToken:
        """Fetch an OIDC identity token. Raises IdentityUnavailable."""


class Product(Protocol):
    """A fresh attestation that verified, and the life of its certificate in seconds."""

    @property
    def attestation(self) -> Attestation:
        """The attestation."""

    @property
    def lifetime(self) -> float:
        """How long the certificate lives, from its beginning."""


class Certificate(Protocol):
    """A signing certificate, good for any number of files while it lasts. Thread-safe."""

    def attest(self, subject: Subject) -> Product:
        """Sign, log and verify one attestation. Raises Trouble."""


class Authority(Protocol):
    """Where certificates come from (``libraries.SigstoreAuthority``)."""

    def certify(self, token: IdentityToken) -> Certificate:
        """Obtain a certificate for an identity. Raises Trouble."""


@frozen(kw_only=True)
class Patience:
    """How long signing may take: seconds for one request, for all, and between attempts."""

    request: float = 30.0
    budget: float = 300.0
    first_pause: float = 1.0
    longest_pause: float = 30.0
    until: float | None = None
    """When the budget ends, on the monotonic clock; None: it begins with the first certificate."""

    @property
    def attempt(self) -> float:
        """The seconds after which an attempt is given up from outside; its request should have ended by itself."""
        return self.request * 1.1 + 1.0


@frozen
class Clocks:
    """The monotonic and the wall clock, in seconds, and a source of jitter in [0, 1)."""

    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    jitter: Callable[[], float] = random.random


class SigstoreSigner:
    """Implements ``publishing.ports.Signer`` with a Sigstore instance.

    *claims* gives the identity of this run where it is known from elsewhere, to judge attestation files that were
    found, and *job* is what the CI's variables say of it before; *attested_by* are other identities that the user
    named. *authority* is for tests.
    """

    def __init__(  # noqa: PLR0913  (collaborators, by name)
        self,
        *,
        identity: IdentitySource,
        trust: TrustSource,
        emit: Emit,
        waiting: Waiting,
        workers: int = 8,
        patience: Patience | None = None,
        clocks: Clocks | None = None,
        claims: Callable[[], Claims | None] = lambda: None,
        job: JobIdentity | None = None,
        attested_by: tuple[PublisherIdentity, ...] = (),
        authority: Authority | None = None,
    ) -> None:
        self._identity = identity
        self._trust = trust
        self._emit = emit
        self._waiting = waiting
        self._workers = workers
        self._patience = patience or Patience()
        self._clocks = clocks or Clocks()
        self._claims = claims
        self._job = job
        self._attested_by = attested_by
        self._authority = authority

    def prefetch(self) -> None:
        """Begin what signing will need and what depends on nothing: imports and the trust root. Never raises."""
        self._trust.prefetch()

    def inspect(self, found: Sequence[FoundAttestation], distributions: Sequence[Distribution]) -> None:
        """Verify attestation files that lay beside the distributions, before the identity of this run is known.

        Raises AttestationInvalid, naming every file that does not verify; emits nothing.
        """
        adopt(found, distributions, trust=self._trust, signers=self._accepted(None), emit=lambda _: None)

    def adopt(
        self, found: Sequence[FoundAttestation], distributions: Sequence[Distribution]
    ) -> dict[str, tuple[Attestation, ...]]:
        """Verify attestation files that lay beside the distributions; nothing is imported when there are none.

        Raises AttestationInvalid, naming every file that does not verify.
        """
        signers = self._accepted(self._claims())
        return adopt(found, distributions, trust=self._trust, signers=signers, emit=self._emit)

    def _accepted(self, claims: Claims | None) -> AcceptedSigners:
        own = None if claims is None else publisher_of(claims)
        commit = None if claims is None else claims.get("sha")
        return AcceptedSigners(
            own=own, job=self._job, commit=commit if isinstance(commit, str) else None, named=self._attested_by
        )

    def sign(self, distributions: Sequence[Distribution]) -> SigningResult:
        """Attest each distribution and verify each attestation. Emits Signed, Retrying and Noted.

        Files that could not be attested are in the result, with the reason. Raises IdentityUnavailable when the CI
        gives no identity for Sigstore, ConfigurationError when the trust configuration is bad.
        """
        if not distributions:
            return SigningResult()
        self.prefetch()
        # Half of the time that is left is for the upload: an outage of Sigstore must end as one, not as a deadline.
        patience = replace(self._patience, budget=min(self._patience.budget, self._waiting.left() / 2))
        ends = self._clocks.monotonic() + patience.budget
        token = self._identity.token(AUDIENCE)
        if (mismatch := unattestable(token.claims)) is not None:
            return SigningResult(failures={distribution.filename: mismatch for distribution in distributions})
        self._note_what_becomes_public(token.claims)
        while not self._trust.ready(_POLL_SECONDS) and not self._waiting.stopped and self._clocks.monotonic() < ends:
            pass
        left = replace(patience, until=ends)
        return self._run(token, distributions, left).result()

    def _run(self, token: IdentityToken, distributions: Sequence[Distribution], patience: Patience) -> "_Run":
        identity = _Identity(self._identity, token, self._clocks.wall)
        run = _Run(
            identity=identity,
            authority=self._get_authority(),
            distributions=distributions,
            emit=self._emit,
            waiting=self._waiting,
            patience=patience,
            clocks=self._clocks,
        )
        run.work(self._workers)
        return run

    def _get_authority(self) -> Authority:
        if self._authority is None:
            from ci_publish.attestations.libraries import SigstoreAuthority  # noqa: PLC0415  (takes 0.3 s)

            self._authority = SigstoreAuthority(
                trust=self._trust, seconds=self._patience.request, emit=self._emit, wall=self._clocks.wall
            )
        return self._authority

    def _note_what_becomes_public(self, claims: Claims) -> None:
        if facts := public_facts(claims):
            message = "The project is not public, but its attestations are: Sigstore's log permanently shows "
            hint = "Publish without attestations if that must not be known: attestations: off"
            self._emit(Noted(slug="private-project", message=f"{message}{', '.join(facts)}.", hints=(hint,)))
        publisher = publisher_of(claims)
        if not publisher.known:
            message = (
                "The identity token lacks the claims of a Trusted Publisher: PyPI would not take these attestations."
                if publisher.issuer in ISSUERS
                else f"PyPI knows no publishers of {publisher.label}: it would not take these attestations."
            )
            self._emit(Noted(slug="publisher-unknown", message=message))


class _Identity:
    """The identity token of a run, fetched again where the CI allows it."""

    def __init__(self, source: IdentitySource, token: IdentityToken, wall: Callable[[], float]) -> None:
        self._source = source
        self._token = token
        self._wall = wall
        self._used = False

    def token(self) -> IdentityToken:
        """Return a token for the next certificate: a new one for each if possible. Raises SigningFailed.

        A token that was handed out before its life began (the clocks differ) is handed out again.
        """
        now = self._wall()
        if self._used and self._source.repeatable:
            self._token = self._fetch()
        elif self._used and self._token.expires is not None and self._token.expires <= now:
            raise self.ended("it has expired")
        self._used = begins(self._token) <= now
        return self._token

    def ended(self, reason: str) -> SigningFailed:
        """Return the error for an identity that ended and cannot be renewed."""
        if self._source.repeatable:
            return SigningIdentityExpired(
                f"The identity for signing ended again and again before it could be used ({reason}).",
                detail="The clock of this machine is probably wrong.",
                hints=("Set the runner's clock (identity tokens live for minutes only), and run again.",),
            )
        return SigningIdentityExpired(
            f"The job's only identity token for Sigstore ended before all files were signed ({reason}).",
            detail="This CI gives a job one identity token for each audience, when the job starts.",
            hints=(
                "Build in an earlier job, so that this one signs right after it started.",
                "On GitLab, the job's `timeout` sets how long its tokens live.",
            ),
        )

    def _fetch(self) -> IdentityToken:
        try:
            return self._source.token(AUDIENCE)
        except IdentityUnavailable as error:
            raise SigningIdentityExpired(
                f"The identity for signing could not be renewed: {error.summary}",
                detail=error.detail,
                hints=error.hints,
            ) from error


class _Run:
    """One call of `sign`: which files are done, which are to do, and with which certificate."""

    def __init__(  # noqa: PLR0913  (the signer's own collaborators)
        self,
        *,
        identity: _Identity,
        authority: Authority,
        distributions: Sequence[Distribution],
        emit: Emit,
        waiting: Waiting,
        patience: Patience,
        clocks: Clocks,
    ) -> None:
        self._identity = identity
        self._authority = authority
        self._order = tuple(Subject(distribution.filename, distribution.sha256) for distribution in distributions)
        self._todo = deque(self._order)
        self._done: dict[str, Attestation] = {}
        self._attempts: Counter[str] = Counter()
        self._emit = emit
        self._waiting = waiting
        self._patience = patience
        self._clock = clocks.monotonic
        self._ends = clocks.monotonic() + patience.budget if patience.until is None else patience.until
        self._pace = SharedBackoff(Backoff(patience.first_pause, patience.longest_pause), clocks.jitter)
        self._certificate: Certificate | None = None
        self._certifying = False
        self._issued = 0.0
        self._lifetime = _USUAL_LIFETIME
        self._barren = 0
        self._refused = False
        self._last_reason = ""
        self._end: CiPublishError | None = None

    def work(self, workers: int) -> None:
        """Sign until every file is done or nothing more can be. Raises CiPublishErrors that are no SigningFailed."""
        crew: WorkerPool[Subject | None, Certificate | Product] = WorkerPool(workers, self._clock)
        try:
            while (self._todo or crew.busy) and not self._over():
                self._dispatch(crew, workers)
                if (ending := crew.next(self._wait())) is not None:
                    self._settle(ending)
        finally:
            crew.close()

    def result(self) -> SigningResult:
        """Return what was made, and for each other file the reason."""
        missing = [subject.filename for subject in self._order if subject.filename not in self._done]
        error = self._end or self._unavailable(len(missing))
        if missing and not isinstance(error, SigningFailed):
            raise error
        done = {
            subject.filename: (self._done[subject.filename],)
            for subject in self._order
            if subject.filename in self._done
        }
        return SigningResult(done, {filename: error for filename in missing if isinstance(error, SigningFailed)})

    def _over(self) -> bool:
        if self._end is None and self._waiting.stopped:
            self._end = SigningFailed("Signing was stopped before every file had its attestation.")
        elif self._end is None and max(self._clock(), self._pace.resume) >= self._ends:
            self._end = self._unavailable(len(self._order) - len(self._done))
        return self._end is not None

    def _wait(self) -> float:
        """Return how long to wait for an ending: not past the next moment at which something can be begun."""
        pause = self._pace.resume - self._clock()
        return min(_POLL_SECONDS, pause) if pause > 0 else _POLL_SECONDS

    def _dispatch(self, crew: "WorkerPool[Subject | None, Certificate | Product]", workers: int) -> None:
        if self._certifying or not self._todo or self._clock() < self._pace.resume:
            return
        if self._certificate is None or self._is_old():
            self._renew(crew)
            return
        while self._todo and crew.free and crew.busy < self._pace.width(workers):
            subject = self._todo.popleft()
            crew.start(subject, _attesting(self._certificate, subject), self._patience.attempt)

    def _is_old(self) -> bool:
        unused = min(_UNUSED_LIFETIME, self._lifetime * _UNUSED_SHARE)
        return self._clock() - self._issued >= self._lifetime - unused

    def _renew(self, crew: "WorkerPool[Subject | None, Certificate | Product]") -> None:
        if not crew.free:
            return
        try:
            token = self._identity.token()
        except SigningFailed as error:
            self._end = error
            return
        self._certificate, self._certifying, self._issued = None, True, self._clock()
        crew.start(None, _certifying(self._authority, token), self._patience.attempt)

    def _settle(self, ending: "Ending[Subject | None, Certificate | Product]") -> None:
        if ending.key is None:
            self._certifying = False
        match ending:
            case Finished(key=None, value=certificate):
                self._certificate = certificate  # type: ignore[assignment]  # the task without a file is `certify`
                self._pace.succeeded()
            case Finished(key=subject, value=product):
                self._finish(subject, product)  # type: ignore[arg-type]  # the task of a file is `attest`
            case Overdue(seconds=seconds):
                self._retry(ending.key, ending.started, Transient(f"Sigstore did not answer within {seconds:g} s"))
            case Failed(error=Trouble() as trouble):
                self._trouble(ending.key, ending.started, trouble)
            case Failed(error=CiPublishError() as error):
                self._end = error
            case Failed(error=error):
                raise error

    def _finish(self, subject: Subject, product: Product) -> None:
        self._done[subject.filename] = product.attestation
        self._lifetime = product.lifetime
        self._barren = 0
        self._refused = False
        self._pace.succeeded()
        self._emit(Signed(product.attestation))

    def _trouble(self, subject: Subject | None, started: float, trouble: Trouble) -> None:
        match trouble:
            case Transient():
                self._retry(subject, started, trouble)
            case IdentityRefusal() if not self._refused:
                # Fulcio says the same when it cannot reach the identity provider: another token is worth a try.
                self._refused = True
                self._retry(subject, started, Transient(trouble.reason))
            case Ended():
                self._begin_again(subject, started, trouble)
            case _:
                self._end = _final(trouble, subject)

    def _retry(self, subject: Subject | None, started: float, trouble: Transient) -> None:
        self._put_back(subject)
        self._last_reason = trouble.reason
        what = _CERTIFICATE if subject is None else subject.filename
        self._attempts[what] += 1
        wait = self._pace.failed(started, self._clock(), trouble.retry_after)
        self._emit(Retrying(what=what, attempt=self._attempts[what], reason=trouble.reason, wait=wait))

    def _begin_again(self, subject: Subject | None, started: float, trouble: Ended) -> None:
        """Put a file back whose certificate or identity ended; the next round gets new ones."""
        self._put_back(subject)
        if subject is not None and (self._certificate is None or started < self._issued):
            return  # another file told already
        self._certificate = None
        self._barren += 1
        if self._barren >= _LONGEST_BARREN:
            self._end = self._identity.ended(trouble.reason)
        elif self._barren > 1:
            self._retry(None, self._clock(), Transient(trouble.reason))
        else:
            self._emit(Retrying(what=_CERTIFICATE, attempt=1, reason=trouble.reason, wait=0.0))

    def _put_back(self, subject: Subject | None) -> None:
        if subject is not None:
            self._todo.appendleft(subject)

    def _unavailable(self, missing: int) -> SigstoreUnavailable:
        seconds = round(self._patience.budget, 1)
        return SigstoreUnavailable(
            f"Sigstore did not attest {missing} of {len(self._order)} files within {seconds:g} s"
            f"{f': {self._last_reason}' if self._last_reason else ''}.",
            detail="Sigstore is a public service, and it has outages.",
            hints=(
                f"Look at {_STATUS_PAGE} and run again later: nothing was uploaded.",
                "To publish without attestations when Sigstore is down: attestations: if-possible",
                "A longer wait: --signing-timeout SECONDS (at most half of the time left before the deadline).",
            ),
        )


def _certifying(authority: Authority, token: IdentityToken) -> Callable[[], Certificate | Product]:
    return lambda: authority.certify(token)


def _attesting(certificate: Certificate, subject: Subject) -> Callable[[], Certificate | Product]:
    return lambda: certificate.attest(subject)


def _final(trouble: Trouble, subject: Subject | None) -> SigningFailed | UntrustedCertificate:
    """Return the error for a trouble that no repetition will cure."""
    what = "the signing certificate" if subject is None else subject.filename
    match trouble:
        case Untrusted():
            return UntrustedCertificate(f"Nothing could be signed: {trouble.reason}.")
        case IdentityRefusal():
            return SigstoreIdentityRejected(
                f"Sigstore does not certify the identity of this job: {trouble.reason}.",
                detail="Its certificate authority knows the identity providers of the hosted CI services.",
                hints=(
                    "With a self-hosted CI, name a Sigstore instance that knows it: sigstore-trust-config",
                    "Or publish without attestations: attestations: off",
                ),
            )
        case Unsound():
            return AttestationUnsound(
                f"The new attestation of {what} does not verify: {trouble.reason}.",
                detail="An index would refuse it, so nothing was uploaded.",
                hints=(
                    "Run it again: every run signs afresh.",
                    "If it stays, check whether a proxy changes Sigstore's answers, and report it.",
                ),
            )
        case _:
            return SigstoreRefused(
                f"Sigstore refused what it was sent for {what}: {trouble.reason}.",
                detail="Sending it again would not change that. Nothing was uploaded.",
                hints=(
                    f"Check whether {_STATUS_PAGE} tells of a fault, and whether a proxy stands in between.",
                    "To publish without attestations: attestations: off",
                ),
            )
