"""In-memory stand-ins for the ports, which obey the same contracts as the real rooms (see tests/contract)."""

import hashlib
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ci_publish.errors import CiPublishError, Interrupted, SigningFailed
from ci_publish.model.attestation import (
    PUBLISH_V1,
    Attestation,
    AttestationPolicy,
    ProvenanceOutcome,
    ProvenanceVerified,
    SigningResult,
)
from ci_publish.model.distribution import (
    Collection,
    CoreMetadata,
    Digests,
    Distribution,
    FoundAttestation,
    Kind,
    Stamp,
)
from ci_publish.model.events import Event
from ci_publish.model.http import Authorization, BearerAuthorization
from ci_publish.model.identity import CredentialKind, CredentialState, Secret
from ci_publish.model.index import (
    Accepted,
    AlreadyThere,
    CredentialRefused,
    Endpoints,
    IndexProfile,
    IndexState,
    NoSuchProject,
    ProjectListing,
    PublishedFile,
    UploadOutcome,
)
from ci_publish.model.problem import Problem
from ci_publish.run import Destination, Options, Run

PYPI = Endpoints(
    "pypi",
    IndexProfile.PYPI,
    "https://upload.pypi.org/legacy/",
    simple="https://pypi.org/simple/",
    integrity="https://pypi.org/integrity/",
)
TESTPYPI = replace(PYPI, name="testpypi", upload="https://test.pypi.org/legacy/")
GENERIC = Endpoints(
    "index.example", IndexProfile.GENERIC, "https://index.example/", simple="https://index.example/simple/"
)


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def wheel(
    project: str = "demo", version: str = "1.0", tag: str = "py3", *, content: str = "", size: int = 10
) -> Distribution:
    filename = f"{project}-{version}-{tag}-none-any.whl"
    return Distribution(
        path=Path("dist") / filename,
        filename=filename,
        kind=Kind.WHEEL,
        project=project,
        version=version,
        python_tag=tag,
        size=size,
        digests=Digests(sha(content or filename)),
        metadata=CoreMetadata("2.1", project, version),
        stamp=Stamp(1, 2, size, 4),
    )


def sdist(project: str = "demo", version: str = "1.0", *, content: str = "", size: int = 5) -> Distribution:
    filename = f"{project}-{version}.tar.gz"
    return replace(
        wheel(project, version, content=content or filename, size=size),
        path=Path("dist") / filename,
        filename=filename,
        kind=Kind.SDIST,
        python_tag="source",
    )


def published(file: Distribution, **changes: object) -> PublishedFile:
    return replace(
        PublishedFile(file.filename, f"https://files.example/{file.filename}", file.sha256),
        **changes,  # type: ignore[arg-type]
    )


@dataclass
class FakeDistributions:
    files: Sequence[Distribution]
    attestations: tuple[FoundAttestation, ...] = ()
    problems: tuple[Problem, ...] = ()
    profiles: list[IndexProfile] = field(default_factory=list)

    def collect(self, paths: Sequence[str]) -> Collection:
        assert paths
        return Collection(tuple(self.files), self.attestations)

    def check(self, collection: Collection, profiles: Sequence[IndexProfile]) -> tuple[Problem, ...]:
        self.profiles = list(profiles)
        return (*collection.problems, *self.problems)


@dataclass
class FakeIndex:
    """An index in memory: ``answers`` are played before it behaves, ``states`` before the truth is told."""

    endpoints: Endpoints = PYPI
    files: dict[str, PublishedFile] = field(default_factory=dict)
    answers: dict[str, list[UploadOutcome]] = field(default_factory=dict)
    states: list[IndexState] = field(default_factory=list)
    provenances: dict[str, bytes | CiPublishError | None] = field(default_factory=dict)
    sent: list[tuple[str, int]] = field(default_factory=list)
    looks: list[bool] = field(default_factory=list)
    authorizations: list[Authorization | None] = field(default_factory=list)
    before_upload: Callable[[Distribution], None] = lambda _: None
    throttle: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def look(self, project: str, version: str | None = None, *, fresh: bool = False) -> IndexState:
        del version
        self.looks.append(fresh)
        if self.states:
            return self.states.pop(0)
        files = {name: file for name, file in self.files.items() if name.startswith(f"{project}-")}
        return ProjectListing(project, files) if files else NoSuchProject(project)

    def upload(
        self,
        distribution: Distribution,
        attestations: Sequence[Attestation],
        authorization: Authorization | None,
        throttled: Callable[[], None],
    ) -> UploadOutcome:
        self.before_upload(distribution)
        with self.lock:
            self.sent.append((distribution.filename, len(attestations)))
            self.authorizations.append(authorization)
            if self.throttle:
                self.throttle -= 1
                throttled()
            if self.answers.get(distribution.filename):
                return self.answers[distribution.filename].pop(0)
            there = self.files.get(distribution.filename)
            if there is not None:
                return AlreadyThere(1, "File already exists")
            self.files[distribution.filename] = published(distribution)
            return Accepted()

    def provenance(self, project: str, version: str, filename: str) -> bytes | None:
        del project, version
        answer = self.provenances.get(filename, b"{}")
        if isinstance(answer, CiPublishError):
            raise answer
        return answer


@dataclass
class FakeCredential:
    kind: CredentialKind = CredentialKind.TRUSTED_PUBLISHING
    refusal: CiPublishError | None = None
    hold_refusal: CiPublishError | None = None
    renewable: bool = True
    log: list[str] = field(default_factory=list)

    @property
    def state(self) -> CredentialState:
        return CredentialState(self.kind)

    def prove(self) -> None:
        self.log.append("prove")
        if self.refusal is not None:
            raise self.refusal

    def hold(self) -> Authorization | None:
        self.log.append("hold")
        if self.hold_refusal is not None:
            raise self.hold_refusal
        return BearerAuthorization(Secret("first"))

    def renew(self, refused: Authorization | None) -> Authorization | None:
        self.log.append("renew")
        assert refused == BearerAuthorization(Secret("first"))
        return BearerAuthorization(Secret("second")) if self.renewable else None

    def burn(self) -> None:
        self.log.append("burn")


@dataclass
class FakeSigner:
    failures: Mapping[str, SigningFailed] = field(default_factory=dict)
    refusal: CiPublishError | None = None
    signed: list[str] = field(default_factory=list)

    def adopt(
        self, found: Sequence[FoundAttestation], distributions: Sequence[Distribution]
    ) -> dict[str, tuple[Attestation, ...]]:
        assert {item.distribution for item in found} <= {file.filename for file in distributions}
        return {item.distribution: (Attestation(item.distribution, PUBLISH_V1, "{}"),) for item in found}

    def sign(self, distributions: Sequence[Distribution]) -> SigningResult:
        if self.refusal is not None:
            raise self.refusal
        self.signed += [file.filename for file in distributions]
        done = {
            file.filename: (Attestation(file.filename, PUBLISH_V1, "{}"),)
            for file in distributions
            if file.filename not in self.failures
        }
        return SigningResult(done, self.failures)


@dataclass
class FakeVerifier:
    outcomes: Mapping[str, ProvenanceOutcome] = field(default_factory=dict)

    def verify(self, filename: str, sha256: str, provenance: bytes) -> ProvenanceOutcome:
        assert sha256
        assert provenance
        return self.outcomes.get(filename, ProvenanceVerified("somebody"))


@dataclass
class FakeWaiting:
    """A clock that only waiting moves; ``stop_after`` waits the run is stopped."""

    now: float = 0.0
    stop: bool = False
    stop_after: int | None = None
    waits: list[float] = field(default_factory=list)

    @property
    def stopped(self) -> bool:
        return self.stop

    @property
    def cut(self) -> bool:
        return self.stop

    def wait(self, seconds: float) -> bool:
        self.now += seconds
        self.waits.append(seconds)
        if self.stop_after is not None and len(self.waits) >= self.stop_after:
            self.stop = True
        return self.stop

    def left(self) -> float:
        return 3600.0 - self.now

    def error(self) -> CiPublishError:
        return Interrupted("The run was stopped by SIGINT.")


@dataclass
class World:
    """A run over fakes, and everything that it emitted and wrote."""

    distributions: FakeDistributions
    destinations: tuple[Destination, ...]
    options: Options = field(default_factory=Options)
    signer: FakeSigner = field(default_factory=FakeSigner)
    verifier: FakeVerifier = field(default_factory=FakeVerifier)
    waiting: FakeWaiting = field(default_factory=FakeWaiting)
    events: list[Event] = field(default_factory=list)
    written: list[tuple[Path, int]] = field(default_factory=list)

    def run(self) -> Run:
        return Run(
            distributions=self.distributions,
            destinations=self.destinations,
            signer=self.signer,
            verifier=self.verifier,
            write_attestations=lambda folder, made: self.written.append((folder, len(made))),
            emit=self.events.append,
            waiting=self.waiting,
            clock=lambda: self.waiting.now,
            options=self.options,
        )


def world(
    *files: Distribution,
    index: FakeIndex | None = None,
    credential: FakeCredential | None = None,
    options: Options | None = None,
    **more: object,
) -> World:
    destination = Destination(index or FakeIndex(), credential or FakeCredential())
    return World(FakeDistributions(files), (destination,), options or Options(), **more)  # type: ignore[arg-type]


__all__ = [
    "AttestationPolicy",
    "CredentialRefused",
    "FakeCredential",
    "FakeDistributions",
    "FakeIndex",
    "FakeSigner",
    "FakeVerifier",
    "FakeWaiting",
    "World",
    "published",
    "sdist",
    "sha",
    "wheel",
    "world",
]
