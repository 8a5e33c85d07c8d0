"""The order of signing, against an authority that fails as it is told to."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import pytest

from ci_publish.attestations.sigstore_signer import Clocks, SigstoreSigner
from ci_publish.attestations.trouble import (
    CertificateEnded,
    IdentityEnded,
    IdentityRefusal,
    Refusal,
    Transient,
    Unsound,
)
from ci_publish.attestations.trust import TrustSource
from ci_publish.errors import (
    AttestationUnsound,
    ConfigurationError,
    IdentityUnavailable,
    SigningFailed,
    SigningIdentityExpired,
    SigstoreIdentityRejected,
    SigstoreRefused,
    SigstoreUnavailable,
    UnattestableWorkflow,
)
from ci_publish.model.attestation import PUBLISH_V1, Attestation, SigningResult
from ci_publish.model.events import Noted, Retrying
from ci_publish.model.identity import Claims, IdentityToken, Provider, Secret
from ci_publish.rehearsal.ci_claims import buildkite_claims, github_claims
from tests.unit.attestations.signing_harness import Events, PatientWaiting, quick, threads_of_the_signer, wheels

if TYPE_CHECKING:
    from sigstore.models import ClientTrustConfig

    from ci_publish.attestations.sigstore_signer import Patience
    from ci_publish.attestations.statements import Subject
    from ci_publish.attestations.trust import Load
    from ci_publish.errors import CiPublishError


@dataclass(frozen=True)
class Made:
    attestation: Attestation
    lifetime: float = 600.0


@dataclass
class FakeAuthority:
    """Certificates and attestations; each planned exception is raised by the next call of its kind."""

    certifying: deque[Exception] = field(default_factory=deque)
    attesting: deque[Exception] = field(default_factory=deque)
    lifetime: float = 600.0
    seconds: float = 0.0
    stuck: threading.Event | None = None
    later: threading.Event | None = None
    """What every file but the first waits for."""
    tokens: list[IdentityToken] = field(default_factory=list)
    attested: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    active: int = 0
    most_active: int = 0

    def certify(self, token: IdentityToken) -> FakeAuthority:
        self.tokens.append(token)
        if self.certifying:
            raise self.certifying.popleft()
        return self

    def attest(self, subject: Subject) -> Made:
        with self.lock:
            self.active += 1
            self.most_active = max(self.most_active, self.active)
            self.attested.append(subject.filename)
            first = len(self.attested) == 1
            trouble = self.attesting.popleft() if self.attesting else None
        try:
            time.sleep(self.seconds)
            if self.stuck is not None and first:
                self.stuck.wait(10)
            if self.later is not None and not first:
                self.later.wait(60)
            if trouble is not None:
                raise trouble
            return Made(
                Attestation(filename=subject.filename, predicate_type=PUBLISH_V1, json="{}", verified=True),
                self.lifetime,
            )
        finally:
            with self.lock:
                self.active -= 1


@dataclass
class Job:
    claims: Claims = field(default_factory=github_claims)
    repeatable: bool = True
    expires: float = float("inf")
    errors: dict[int, CiPublishError] = field(default_factory=dict)
    asked: int = 0

    def token(self, audience: str) -> IdentityToken:
        self.asked += 1
        if self.asked in self.errors:
            raise self.errors[self.asked]
        claims = {**self.claims, "exp": self.expires}
        return IdentityToken(
            secret=Secret(f"token-{self.asked}"), audience=audience, provider=Provider.GITHUB, claims=claims
        )


def no_trust() -> ClientTrustConfig:
    """Return a trust configuration that no authority of these tests looks into."""
    return cast("ClientTrustConfig", object())


@dataclass
class Bench:
    authority: FakeAuthority = field(default_factory=FakeAuthority)
    job: Job = field(default_factory=Job)
    events: Events = field(default_factory=Events)
    waiting: PatientWaiting = field(default_factory=PatientWaiting)
    refresh: Load = no_trust

    def sign(self, count: int, patience: Patience | None = None, workers: int = 8) -> SigningResult:
        signer = SigstoreSigner(
            identity=self.job,
            trust=TrustSource(emit=self.events.append, refreshed=self.refresh, embedded=self.refresh),
            emit=self.events.append,
            waiting=self.waiting,
            workers=workers,
            patience=patience or quick(),
            clocks=Clocks(jitter=lambda: 0.0),
            authority=self.authority,
        )
        result = signer.sign(wheels(count))
        if self.authority.stuck is None and self.authority.later is None and self.refresh is no_trust:
            assert threads_of_the_signer() == []
        return result


@pytest.fixture
def bench() -> Bench:
    return Bench()


def only_error(result: SigningResult) -> SigningFailed:
    """Return the error that all files share."""
    (error,) = set(result.failures.values())
    assert error.summary
    return error


def test_nothing_to_sign_asks_nobody(bench: Bench) -> None:
    assert bench.sign(0) == SigningResult()
    assert bench.job.asked == 0


def test_all_files_are_signed_with_one_identity_and_one_certificate(bench: Bench) -> None:
    result = bench.sign(50)

    assert list(result.attestations) == [wheel.filename for wheel in wheels(50)]
    assert result.failures == {}
    assert (bench.job.asked, len(bench.authority.tokens)) == (1, 1)
    assert sorted(bench.events.signed) == sorted(result.attestations)
    assert bench.authority.tokens[0].audience == "sigstore"


@pytest.mark.parametrize("workers", [1, 3])
def test_no_more_than_the_workers_are_under_way(bench: Bench, workers: int) -> None:
    bench.authority.seconds = 0.01

    bench.sign(10, workers=workers)

    assert bench.authority.most_active == workers


def test_finished_attestations_are_kept_while_others_are_retried(bench: Bench) -> None:
    bench.authority.attesting = deque([Transient("HTTP 502"), Transient("dropped")])

    result = bench.sign(10)

    assert len(result.attestations) == 10
    assert len(bench.authority.attested) == 12
    assert sorted(bench.events.reasons) == ["HTTP 502", "dropped"]
    assert len(bench.authority.tokens) == 1


def test_a_certificate_that_is_not_given_at_once_is_asked_for_again(bench: Bench) -> None:
    bench.authority.certifying = deque([Transient("HTTP 500"), Transient("HTTP 500")])

    assert len(bench.sign(3).attestations) == 3
    assert [(event.what, event.attempt) for event in bench.events.of(Retrying)] == [
        ("signing certificate", 1),
        ("signing certificate", 2),
    ]


def test_retry_after_holds_everybody_back(bench: Bench) -> None:
    bench.authority.attesting = deque([Transient("HTTP 429", retry_after=0.4)])
    began = time.monotonic()

    result = bench.sign(3, workers=1)

    assert time.monotonic() - began >= 0.4
    assert len(result.attestations) == 3
    assert bench.events.of(Retrying)[0].wait == pytest.approx(0.4, abs=0.05)


def test_an_outage_ends_with_the_budget_and_the_last_reason(bench: Bench) -> None:
    bench.authority.attesting = deque(Transient("HTTP 503: down") for _ in range(10_000))
    began = time.monotonic()

    error = only_error(bench.sign(5, quick(budget=0.5)))

    assert isinstance(error, SigstoreUnavailable)
    assert "5 of 5" in error.summary
    assert "HTTP 503: down" in error.summary
    assert error.retryable
    assert 0.3 < time.monotonic() - began < 2.0
    assert len(bench.authority.attested) < 40  # a service in trouble is not hammered


def test_a_retry_after_beyond_the_budget_is_not_waited_for(bench: Bench) -> None:
    bench.authority.attesting = deque([Transient("HTTP 429", retry_after=300.0)])
    began = time.monotonic()

    error = only_error(bench.sign(1))

    assert isinstance(error, SigstoreUnavailable)
    assert time.monotonic() - began < 1.0


def test_what_was_signed_before_the_budget_ended_is_in_the_result(bench: Bench) -> None:
    bench.authority.seconds = 0.15

    result = bench.sign(10, quick(budget=0.8), workers=1)

    assert 0 < len(result.attestations) < 10
    assert len(result.attestations) + len(result.failures) == 10
    assert isinstance(only_error(result), SigstoreUnavailable)


def test_a_stuck_request_is_given_up_and_made_again(bench: Bench) -> None:
    bench.authority.stuck = threading.Event()

    result = bench.sign(4, quick(request=0.1))

    assert len(result.attestations) == 4
    assert bench.authority.attested.count(bench.authority.attested[0]) == 2
    assert "did not answer" in bench.events.reasons[0]
    bench.authority.stuck.set()


@pytest.mark.parametrize(
    ("trouble", "kind", "retryable"),
    [
        (Refusal("HTTP 400: no"), SigstoreRefused, False),
        (Unsound("it is about other bytes"), AttestationUnsound, False),
    ],
)
def test_a_refusal_of_one_file_ends_it_for_all(
    bench: Bench, trouble: Exception, kind: type[SigningFailed], retryable: bool
) -> None:
    bench.authority.attesting = deque([trouble])
    bench.authority.later = threading.Event()

    error = only_error(bench.sign(20, workers=2))

    bench.authority.later.set()
    assert threads_of_the_signer() == []
    assert len(bench.authority.attested) <= 2, "none is handed to a worker afterwards"
    assert type(error) is kind
    assert str(trouble) in error.summary
    assert error.retryable is retryable
    assert error.exit_code == 7


def test_an_identity_that_sigstore_refuses_twice_is_rejected(bench: Bench) -> None:
    bench.authority.certifying = deque(IdentityRefusal("HTTP 400: not you") for _ in range(9))

    error = only_error(bench.sign(3))

    assert isinstance(error, SigstoreIdentityRejected)
    assert "not you" in error.summary
    assert bench.job.asked == 2


def test_an_identity_that_sigstore_refuses_once_is_tried_with_a_new_token(bench: Bench) -> None:
    bench.authority.certifying = deque([IdentityRefusal("HTTP 400: try again")])

    assert len(bench.sign(3).attestations) == 3


def test_no_identity_is_raised_before_anything_else(bench: Bench) -> None:
    bench.job.errors = {1: IdentityUnavailable("no")}

    with pytest.raises(IdentityUnavailable):
        bench.sign(3)

    assert bench.authority.tokens == []


def test_a_bad_trust_configuration_is_raised(bench: Bench) -> None:
    bench.authority.certifying = deque([ConfigurationError("bad")])

    with pytest.raises(ConfigurationError):
        bench.sign(3)


def test_a_bug_is_raised_as_it_is(bench: Bench) -> None:
    bench.authority.attesting = deque([ZeroDivisionError()])

    with pytest.raises(ZeroDivisionError):
        bench.sign(3)


def test_a_reusable_workflow_signs_nothing(bench: Bench) -> None:
    called = "octo-org/demo/.github/workflows/publish.yml@refs/heads/main"
    bench.job.claims = github_claims(reusable_workflow_ref=called)

    result = bench.sign(3)

    assert isinstance(only_error(result), UnattestableWorkflow)
    assert len(result.failures) == 3
    assert bench.authority.tokens == []


def test_what_becomes_public_is_noted_once_before_signing(bench: Bench) -> None:
    bench.job.claims = github_claims(visibility="private")

    bench.sign(3)

    first = bench.events[0]
    assert isinstance(first, Noted)
    assert (first.slug, first.warning) == ("private-project", True)
    assert "octo-org/demo" in first.message
    assert bench.events.notes == ["private-project"]


def test_an_identity_without_publishers_on_pypi_is_noted(bench: Bench) -> None:
    bench.job.claims = buildkite_claims()

    assert len(bench.sign(1).attestations) == 1
    assert bench.events.notes == ["publisher-unknown"]


def test_an_old_certificate_is_renewed_before_it_ends(bench: Bench) -> None:
    bench.authority.lifetime = 0.5
    bench.authority.seconds = 0.1

    result = bench.sign(20, workers=2)

    assert len(result.attestations) == 20
    assert len(bench.authority.tokens) >= 3
    assert len({token.secret for token in bench.authority.tokens}) == len(bench.authority.tokens)
    assert bench.events.reasons == []


def test_files_whose_certificate_ended_under_way_get_one_new_certificate(bench: Bench) -> None:
    bench.authority.attesting = deque(CertificateEnded("the signing certificate has expired") for _ in range(8))
    bench.authority.seconds = 0.05

    result = bench.sign(8)

    assert len(result.attestations) == 8
    assert len(bench.authority.tokens) == 2
    assert bench.events.reasons == ["the signing certificate has expired"]


@pytest.mark.parametrize("trouble", [CertificateEnded("expired"), IdentityEnded("not within its validity period")])
def test_certificates_that_are_over_when_they_come_end_with_a_word_about_the_clock(
    bench: Bench, trouble: Exception
) -> None:
    where = bench.authority.certifying if isinstance(trouble, IdentityEnded) else bench.authority.attesting
    where.extend([trouble] * 100)

    error = only_error(bench.sign(3))

    assert isinstance(error, SigningIdentityExpired)
    assert "clock" in error.detail
    assert str(trouble) in error.summary
    assert len(bench.authority.tokens) == 4


def test_an_identity_that_cannot_be_repeated_is_used_as_long_as_it_lasts(bench: Bench) -> None:
    bench.job.repeatable = False
    bench.authority.certifying = deque([Transient("HTTP 500")])

    assert len(bench.sign(3).attestations) == 3
    assert bench.job.asked == 1


def test_an_identity_that_ended_and_cannot_be_repeated_is_explained(bench: Bench) -> None:
    bench.job.repeatable = False
    bench.job.expires = time.time() + 1.0
    bench.authority.lifetime = 1.5
    bench.authority.seconds = 0.1

    result = bench.sign(40, workers=2)

    error = only_error(result)
    assert isinstance(error, SigningIdentityExpired)
    assert "only identity token" in error.summary
    assert any("GitLab" in hint for hint in error.hints)
    assert 0 < len(result.attestations) < 40


def test_an_identity_that_cannot_be_renewed_mid_run_keeps_what_is_signed(bench: Bench) -> None:
    bench.job.errors = {2: IdentityUnavailable("the token endpoint is down")}
    bench.authority.lifetime = 1.5
    bench.authority.seconds = 0.1

    result = bench.sign(40, workers=2)

    error = only_error(result)
    assert isinstance(error, SigningIdentityExpired)
    assert "the token endpoint is down" in error.summary
    assert result.attestations


def test_a_stopped_run_stops_signing_at_once(bench: Bench) -> None:
    bench.authority.seconds = 0.3
    threading.Timer(0.2, bench.waiting.stop).start()
    began = time.monotonic()

    result = bench.sign(100, workers=2)

    assert time.monotonic() - began < 3.0
    assert "stopped" in only_error(result).summary
    assert len(result.attestations) + len(result.failures) == 100


def test_a_run_that_is_stopped_while_the_trust_root_is_fetched_does_not_wait_for_it(bench: Bench) -> None:
    fetched = threading.Event()

    def refresh() -> ClientTrustConfig:
        fetched.wait(10)
        return no_trust()

    bench.refresh = refresh
    threading.Timer(0.1, bench.waiting.stop).start()
    began = time.monotonic()

    error = only_error(bench.sign(3))

    assert time.monotonic() - began < 2.0
    assert "stopped" in error.summary
    assert bench.authority.tokens == []
    fetched.set()


def test_signing_takes_half_of_the_time_that_is_left_at_most(bench: Bench) -> None:
    bench.waiting.remaining = 1.0
    bench.authority.certifying.extend(Transient("503") for _ in range(500))
    started = time.monotonic()
    error = only_error(bench.sign(3, quick(budget=60.0)))
    assert isinstance(error, SigstoreUnavailable)
    assert "within 0.5 s: 503" in error.summary
    assert any("--signing-timeout" in hint for hint in error.hints)
    assert time.monotonic() - started < 5


def test_found_files_are_inspected_without_an_identity(bench: Bench) -> None:
    signer = SigstoreSigner(
        identity=bench.job,
        trust=TrustSource(emit=bench.events.append, refreshed=no_trust, embedded=no_trust),
        emit=bench.events.append,
        waiting=bench.waiting,
    )
    signer.inspect([], wheels(1))
    assert bench.job.asked == 0
