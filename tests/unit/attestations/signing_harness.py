"""A signer in front of the rehearsal's Sigstore, with a CI identity that is asked as the real one is."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import threading
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import jwt

from ci_publish.attestations.signing_run import SigningClocks, SigningContext, SigningPatience
from ci_publish.attestations.sigstore_signer import SigstoreSigner
from ci_publish.attestations.sigstore_trust import TrustSource
from ci_publish.model.distribution import CoreMetadata, Digests, Distribution, Kind, Stamp
from ci_publish.model.events import Event, Noted, Retrying, Signed
from ci_publish.model.identity import Claims, IdentityToken, Provider, Secret
from ci_publish.rehearsal.ci_claims import simulated_github_claims
from ci_publish.rehearsal.identity_provider import RehearsalIdentityProvider
from ci_publish.rehearsal.sigstore import RehearsalSigstore
from tests.unit.rehearsal.served_sigstore import served

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ci_publish.attestations.signers import AcceptedSigners
    from ci_publish.errors import CiPublishError

Kept = TypeVar("Kept")

QUICK = SigningPatience(request=5.0, budget=20.0, first_pause=0.02, longest_pause=0.1)


def wheel(number: int = 0, content: str = "") -> Distribution:
    """Return a distribution whose digest is that of *content* and its number; nothing is on disk."""
    filename = f"demo-1.0-{number + 1}-py3-none-any.whl"
    sha256 = hashlib.sha256(f"{content}{number}".encode()).hexdigest()
    return Distribution(
        path=Path(filename),
        filename=filename,
        kind=Kind.WHEEL,
        project="demo",
        version="1.0",
        python_tag="py3",
        size=10,
        digests=Digests(sha256),
        metadata=CoreMetadata(metadata_version="2.4", name="demo", version="1.0"),
        stamp=Stamp(device=1, inode=2, size=10, mtime_ns=3),
    )


def wheels(count: int) -> tuple[Distribution, ...]:
    return tuple(wheel(number) for number in range(count))


class Events(list[Event]):
    """Collects events, and finds them again by type."""

    def of(self, kind: type[Kept]) -> list[Kept]:
        return [event for event in self if isinstance(event, kind)]

    @property
    def reasons(self) -> list[str]:
        return [event.reason for event in self.of(Retrying)]

    @property
    def signed(self) -> list[str]:
        return [event.attestation.filename for event in self.of(Signed)]

    @property
    def notes(self) -> list[str]:
        return [event.slug for event in self.of(Noted)]


class PatientWaiting:
    """A run that is stopped when told so, and has all the time in the world."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self.remaining = 3600.0

    def stop(self) -> None:
        self._event.set()

    @property
    def stopped(self) -> bool:
        return self._event.is_set()

    @property
    def cut(self) -> bool:
        return self._event.is_set()

    def wait(self, seconds: float) -> bool:
        return self._event.wait(seconds)

    def left(self) -> float:
        return self.remaining


@dataclass
class CiIdentity:
    """The identity of a job; on GitLab (not *repeatable*) every call gives the same token.

    *claim* makes the source say something else about the token than the token itself.
    """

    provider: Provider
    issue: Callable[[str], str]
    repeatable: bool = True
    fail_after: int | None = None
    error: CiPublishError | None = None
    asked: list[str] = field(default_factory=list)
    claim: Claims = field(default_factory=dict)
    _fixed: str | None = None

    def token(self, audience: str) -> IdentityToken:
        self.asked.append(audience)
        if self.error is not None and len(self.asked) > (self.fail_after or 0):
            raise self.error
        raw = self._raw(audience)
        claims = jwt.decode(raw, options={"verify_signature": False})
        return IdentityToken(
            secret=Secret(raw), audience=audience, provider=self.provider, claims={**claims, **self.claim}
        )

    def _raw(self, audience: str) -> str:
        if self.repeatable:
            return self.issue(audience)
        self._fixed = self._fixed or self.issue(audience)
        return self._fixed


@dataclass
class SigningHarness:
    provider: RehearsalIdentityProvider
    sigstore: RehearsalSigstore
    url: str
    events: Events = field(default_factory=Events)
    trust_events: Events = field(default_factory=Events)
    waiting: PatientWaiting = field(default_factory=PatientWaiting)

    @property
    def trust(self) -> TrustSource:
        """Trust in this world's Sigstore; that it is not the public one is said elsewhere (test_trust.py)."""
        return TrustSource(emit=self.trust_events.append, config=self.sigstore.trust_config(self.url))

    def identity(self, claims: Claims | None = None, *, repeatable: bool = True, lifetime: float = 300.0) -> CiIdentity:
        said = simulated_github_claims() if claims is None else claims
        return CiIdentity(
            Provider.GITHUB if repeatable else Provider.GITLAB,
            lambda audience: self.provider.issue(audience, said, lifetime=lifetime),
            repeatable,
        )

    def signer(  # noqa: PLR0913  (each is what a test replaces)
        self,
        identity: CiIdentity | None = None,
        *,
        patience: SigningPatience = QUICK,
        workers: int = 8,
        trust: TrustSource | None = None,
        signers: AcceptedSigners | None = None,
        clocks: SigningClocks | None = None,
    ) -> SigstoreSigner:
        return SigstoreSigner(
            identity=identity or self.identity(),
            trust=trust or self.trust,
            context=SigningContext(
                emit=self.events.append,
                waiting=self.waiting,
                workers=workers,
                patience=patience,
                clocks=clocks or SigningClocks(jitter=lambda: 0.0),
            ),
            signers=signers,
        )


@functools.cache
def identity_provider() -> RehearsalIdentityProvider:
    """Return one identity provider for all tests: its key takes longer to make than most tests take."""
    return RehearsalIdentityProvider()


@contextlib.contextmanager
def signing_harness(*, certificate_lifetime: float = 600.0) -> Iterator[SigningHarness]:
    provider = identity_provider()
    sigstore = RehearsalSigstore(identity_provider=provider, certificate_lifetime=certificate_lifetime)
    with served(sigstore.app) as url:
        yield SigningHarness(provider, sigstore, url)


def quick(**changes: float) -> SigningPatience:
    return replace(QUICK, **changes)


def threads_of_the_signer() -> list[str]:
    """Return the names of signing threads that still live after a moment to end."""
    ends = time.monotonic() + 2.0
    while alive := [thread.name for thread in threading.enumerate() if thread.name.startswith("sigstore-")]:
        if time.monotonic() > ends:
            return alive
        time.sleep(0.01)
    return []
