"""A signer whose authority fails as it is told to."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from ci_publish.attestations.signing_run import SigningClocks, SigningContext, VerifiedAttestation
from ci_publish.attestations.sigstore_signer import SigstoreSigner
from ci_publish.attestations.sigstore_trust import TrustSource
from ci_publish.model.attestation import PUBLISH_V1, Attestation, SigningResult
from ci_publish.model.identity import Claims, IdentityToken, Provider, Secret
from ci_publish.rehearsal.ci_claims import simulated_github_claims
from tests.unit.attestations.signing_harness import Events, PatientWaiting, quick, threads_of_the_signer, wheels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sigstore.models import ClientTrustConfig

    from ci_publish.attestations.signing_run import SigningPatience
    from ci_publish.attestations.sigstore_trust import Load
    from ci_publish.errors import CiPublishError, SigningFailed
    from ci_publish.model.attestation import Subject


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

    def attest(self, subject: Subject, predicate_type: str) -> VerifiedAttestation:
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
            return VerifiedAttestation(
                Attestation(filename=subject.filename, predicate_type=predicate_type, json="{}", verified=True),
                self.lifetime,
            )
        finally:
            with self.lock:
                self.active -= 1


@dataclass
class Job:
    claims: Claims = field(default_factory=simulated_github_claims)
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

    def sign(
        self,
        count: int,
        patience: SigningPatience | None = None,
        workers: int = 8,
        predicate_types: Sequence[str] = (PUBLISH_V1,),
    ) -> SigningResult:
        signer = SigstoreSigner(
            identity=self.job,
            trust=TrustSource(emit=self.events.append, refreshed=self.refresh, embedded=self.refresh),
            context=SigningContext(
                emit=self.events.append,
                waiting=self.waiting,
                workers=workers,
                patience=patience or quick(),
                clocks=SigningClocks(jitter=lambda: 0.0),
            ),
            authority=self.authority,
        )
        result = signer.sign(wheels(count), predicate_types)
        if self.authority.stuck is None and self.authority.later is None and self.refresh is no_trust:
            assert threads_of_the_signer() == []
        return result


def only_error(result: SigningResult) -> SigningFailed:
    """Return the error that all files share."""
    (error,) = set(result.failures.values())
    assert error.summary
    return error
