"""In-memory stand-ins for the ports, which obey the same contracts as the real ones (see tests/contract)."""

import hashlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ci_publish.app.settings import Settings
from ci_publish.errors import (
    AttestationInvalid,
    CiPublishError,
    IndexUnavailable,
    Interrupted,
    NothingToPublish,
    SigningFailed,
)
from ci_publish.http.messages import Authorization, BearerAuthorization
from ci_publish.model.attestation import (
    PUBLISH_V1,
    SLSA_PROVENANCE_V1,
    Attestation,
    AttestationPolicy,
    ProvenanceInvalid,
    ProvenanceOutcome,
    ProvenanceVerified,
    Signable,
    SigningResult,
    Subject,
)
from ci_publish.model.completion import UNSCHEDULED, CompletionTurn, Permission
from ci_publish.model.distribution import (
    Collection,
    CoreMetadata,
    Digests,
    Distribution,
    FoundAttestation,
    Kind,
    Stamp,
)
from ci_publish.model.events import Emit, Event, Signed, UploadStarted
from ci_publish.model.identity import Claims, CredentialKind, CredentialState, Purpose, Secret
from ci_publish.model.index import (
    Accepted,
    AlreadyThere,
    Cancelled,
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
from ci_publish.model.publisher_identity import PublisherIdentity
from ci_publish.model.release import Comparison
from ci_publish.model.token_scope import TokenScope
from ci_publish.publishing.context import Destination, Run

PYPI = Endpoints(
    name="pypi",
    profile=IndexProfile.PYPI,
    upload="https://upload.pypi.org/legacy/",
    simple="https://pypi.org/simple/",
    integrity="https://pypi.org/integrity/",
)
TESTPYPI = replace(PYPI, name="testpypi", upload="https://test.pypi.org/legacy/")
GENERIC = Endpoints(
    name="index.example",
    profile=IndexProfile.GENERIC,
    upload="https://index.example/",
    simple="https://index.example/simple/",
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
        metadata=CoreMetadata(metadata_version="2.1", name=project, version=version),
        stamp=Stamp(device=1, inode=2, size=size, mtime_ns=4),
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
        PublishedFile(filename=file.filename, url=f"https://files.example/{file.filename}", sha256=file.sha256),
        **changes,  # type: ignore[arg-type]
    )


@dataclass
class FakeDistributions:
    files: Sequence[Distribution]
    attestations: tuple[FoundAttestation, ...] = ()
    problems: tuple[Problem, ...] = ()
    unreadable: tuple[Problem, ...] = ()
    profiles: list[IndexProfile] = field(default_factory=list)
    found: tuple[Problem, ...] = ()
    tag_problems: tuple[Problem, ...] = ()
    comparisons: list[tuple[Comparison, bool]] = field(default_factory=list)

    def collect(self, paths: Sequence[str]) -> Collection:
        assert paths
        if not self.files and not self.unreadable:
            raise NothingToPublish("There are no distributions.")
        return Collection(distributions=tuple(self.files), attestations=self.attestations, problems=self.unreadable)

    def check(
        self, collection: Collection, profiles: Sequence[IndexProfile], *, compared: bool = False
    ) -> tuple[Problem, ...]:
        self.profiles = list(profiles)
        return tuple(sorted((*collection.problems, *self.problems), key=lambda problem: problem.filename or ""))

    def check_stated(self, collection: Collection) -> tuple[Problem, ...]:
        assert collection.distributions
        return self.tag_problems

    def compare(
        self, comparison: Comparison, profiles: Sequence[IndexProfile], *, differences: bool
    ) -> tuple[Problem, ...]:
        self.comparisons.append((comparison, differences))
        return self.found if differences else ()


@dataclass
class FakeIndex:
    """An index in memory: ``answers`` are played before it behaves, ``states`` before the truth is told.

    It completes an upload in ``seconds``; ``most_at_once`` counts the uploads of one release that it completed at once.
    """

    endpoints: Endpoints = PYPI
    files: dict[str, PublishedFile] = field(default_factory=dict)
    answers: dict[str, list[UploadOutcome]] = field(default_factory=dict)
    states: list[IndexState] = field(default_factory=list)
    provenances: dict[str, bytes | CiPublishError | None] = field(default_factory=dict)
    sent: list[tuple[str, int]] = field(default_factory=list)
    looks: list[bool] = field(default_factory=list)
    authorizations: list[Authorization | None] = field(default_factory=list)
    before_upload: Callable[[Distribution], None] = lambda _: None
    contents: dict[str, str | None] = field(default_factory=dict)
    metadata: dict[str, bytes] = field(default_factory=dict)
    downloads: list[str] = field(default_factory=list)
    throttle: int = 0
    seconds: float = 0.0
    completing: Counter[tuple[str, str]] = field(default_factory=Counter)
    most_at_once: int = 0
    most_in_all: int = 0
    emit: Emit = lambda _: None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def fetch_listing(
        self, project: str, version: str | None = None, *, fresh: bool = False, patience: float | None = None
    ) -> IndexState:
        del patience
        del version
        self.looks.append(fresh)
        if self.states:
            return self.states.pop(0)
        files = {name: file for name, file in self.files.items() if name.startswith(f"{project}-")}
        return ProjectListing(project=project, files=files) if files else NoSuchProject(project)

    def upload(
        self,
        distribution: Distribution,
        attestations: Sequence[Attestation],
        authorization: Authorization | None,
        throttled: Callable[[], None],
        turn: CompletionTurn = UNSCHEDULED,
    ) -> UploadOutcome:
        self.before_upload(distribution)
        permission = turn.wait(0)
        while permission is Permission.NOT_YET:
            permission = turn.wait(1)
        if permission is Permission.STOPPED:
            turn.end()
            return Cancelled(1, "stopped")
        with self.lock:
            self.completing[distribution.release] += 1
            self.most_at_once = max(self.most_at_once, self.completing[distribution.release])
            self.most_in_all = max(self.most_in_all, self.completing.total())
        time.sleep(self.seconds)
        try:
            return self._completed(distribution, attestations, authorization, throttled)
        finally:
            with self.lock:
                self.completing[distribution.release] -= 1
            turn.end()

    def _completed(
        self,
        distribution: Distribution,
        attestations: Sequence[Attestation],
        authorization: Authorization | None,
        throttled: Callable[[], None],
    ) -> UploadOutcome:
        self.emit(UploadStarted(index=self.endpoints.name, filename=distribution.filename, size=distribution.size))
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

    def md5(self, distribution: Distribution) -> str:
        return hashlib.md5(distribution.sha256.encode(), usedforsecurity=False).hexdigest()

    def download_sha256(self, published: PublishedFile, limit: int) -> str | None:
        assert limit > 0
        self.downloads.append(published.filename)
        return self.contents.get(published.filename)

    def core_metadata(self, published: PublishedFile) -> bytes | None:
        self.downloads.append(f"{published.filename}.metadata")
        return self.metadata.get(published.filename)

    def provenance(self, project: str, version: str, filename: str) -> bytes | None:
        del project, version
        answer = self.provenances.get(filename, self._provenance_of_what_was_sent(filename))
        if isinstance(answer, CiPublishError):
            raise answer
        return answer

    def _provenance_of_what_was_sent(self, filename: str) -> bytes | None:
        return b"{}" if filename in self.files and (filename, 0) not in self.sent else None


@dataclass
class FakeCredential:
    kind: CredentialKind = CredentialKind.TRUSTED_PUBLISHING
    refusal: CiPublishError | None = None
    hold_refusal: CiPublishError | None = None
    renewable: bool = True
    held: str = "first"
    lacks: CiPublishError | None = None
    scope: TokenScope | None = None
    scope_when_held: TokenScope | None = None
    claims: Claims | None = None
    purposes: list[Purpose] = field(default_factory=list)
    log: list[str] = field(default_factory=list)

    @property
    def state(self) -> CredentialState:
        return CredentialState(kind=self.kind, scope=self.scope)

    def missing_credential_error(self, purpose: Purpose) -> CiPublishError | None:
        del purpose
        return self.lacks

    def authenticate(self, purpose: Purpose, *, mint: bool = True) -> Claims | None:
        self.purposes.append(purpose)
        self.log.append("prove" if mint else "judge")
        if self.refusal is not None:
            raise self.refusal
        return self.claims

    def authorization(self) -> Authorization | None:
        self.log.append("hold")
        if self.hold_refusal is not None:
            raise self.hold_refusal
        self.scope = self.scope or self.scope_when_held
        return BearerAuthorization(Secret(self.held))

    def renew(self, refused: Authorization | None) -> Authorization | None:
        self.log.append("renew")
        assert refused == BearerAuthorization(Secret("first"))
        if not self.renewable:
            return None
        self.held = "second"
        return BearerAuthorization(Secret(self.held))

    def burn(self) -> None:
        self.log.append("burn")


@dataclass
class FakeSigner:
    failures: Mapping[str, SigningFailed] = field(default_factory=dict)
    refusal: CiPublishError | None = None
    emit: Emit = lambda _: None
    signed: list[str] = field(default_factory=list)
    predicate_types: tuple[str, ...] = ()
    prefetched: int = 0
    claims: Claims | None = None
    shown: list[Claims | None] = field(default_factory=list)

    def prefetch(self) -> None:
        self.prefetched += 1

    def inspect(self, found: Sequence[FoundAttestation], distributions: Sequence[Distribution]) -> None:
        self.adopt(found, distributions, None)

    def adopt(
        self, found: Sequence[FoundAttestation], distributions: Sequence[Distribution], claims: Claims | None
    ) -> dict[str, tuple[Attestation, ...]]:
        self.shown.append(claims)
        names = {file.filename for file in distributions}
        found = [item for item in found if item.distribution in names]
        if not all(item.content for item in found):
            raise AttestationInvalid("An attestation file next to the distributions cannot be used.")
        adopted: dict[str, tuple[Attestation, ...]] = {}
        for item in found:
            attestation = Attestation(
                filename=item.distribution,
                predicate_type=SLSA_PROVENANCE_V1 if item.type == "slsa" else PUBLISH_V1,
                json=item.content.decode(),
                verified=True,
            )
            adopted[item.distribution] = (*adopted.get(item.distribution, ()), attestation)
        return adopted

    def sign(self, files: Sequence[Signable], predicate_types: Sequence[str] = (PUBLISH_V1,)) -> SigningResult:
        if self.refusal is not None:
            raise self.refusal
        names = [file.filename for file in files]
        self.signed += names
        self.predicate_types = tuple(predicate_types)
        done = {
            name: tuple(
                Attestation(filename=name, predicate_type=each, json="{}", verified=True) for each in predicate_types
            )
            for name in names
            if name not in self.failures
        }
        for made in done.values():
            for attestation in made:
                self.emit(Signed(attestation))
        failures = {name: self.failures[name] for name in names if name in self.failures}
        return SigningResult(done, failures, self.claims)


@dataclass
class FakeVerifier:
    outcomes: Mapping[str, ProvenanceOutcome] = field(default_factory=dict)

    shown: list[Claims | None] = field(default_factory=list)

    def verify(self, file: Distribution, provenance: bytes, claims: Claims | None) -> ProvenanceOutcome:
        self.shown.append(claims)
        if not file.sha256 or not provenance:
            return ProvenanceInvalid("it is empty")
        served = tuple(
            Attestation(filename=file.filename, predicate_type=each, json="{}")
            for each in (PUBLISH_V1, SLSA_PROVENANCE_V1)
        )
        return self.outcomes.get(file.filename, ProvenanceVerified("somebody", attestations=served))


@dataclass
class FakeWaiting:
    """A clock that only waiting moves; ``stop_after`` waits the run is stopped."""

    now: float = 0.0
    deadline: float = 3600.0
    stop: bool = False
    stop_after: int | None = None
    waits: list[float] = field(default_factory=list)

    @property
    def stopped(self) -> bool:
        return self.stop or self.left() == 0.0

    @property
    def cut(self) -> bool:
        return self.stopped

    def wait(self, seconds: float) -> bool:
        if self.stopped:
            return True
        self.now += max(0.0, min(seconds, self.left()))
        self.waits.append(seconds)
        if self.stop_after is not None and len(self.waits) >= self.stop_after:
            self.stop = True
        return self.stopped

    def left(self) -> float:
        return max(0.0, self.deadline - self.now)

    def error(self) -> CiPublishError:
        if not self.stop and self.left() == 0.0:
            return IndexUnavailable("The run did not finish within its deadline.")
        return Interrupted("The run was stopped by SIGINT.")


@dataclass
class FakeRun:
    """A run over fakes, and everything that it emitted and wrote."""

    distributions: FakeDistributions
    destinations: tuple[Destination, ...]
    options: Settings = field(default_factory=Settings)
    signer: FakeSigner = field(default_factory=FakeSigner)
    verifier: FakeVerifier = field(default_factory=FakeVerifier)
    waiting: FakeWaiting = field(default_factory=FakeWaiting)
    events: list[Event] = field(default_factory=list)
    written: list[tuple[Path, int]] = field(default_factory=list)
    expected_publishers: tuple[PublisherIdentity, ...] = ()
    subjects: tuple[Subject, ...] = ()

    def run(self) -> Run:
        return Run(
            distributions=self.distributions,
            destinations=self.destinations,
            signer=lambda: self.signer,
            verifier=self.verifier,
            write_attestations=lambda folder, made, **_: self.written.append((folder, len(made))),
            emit=self.events.append,
            waiting=self.waiting,
            clock=lambda: self.waiting.now,
            options=self.options,
            expected_publishers=self.expected_publishers,
            subjects=self.subjects,
        )


def fake_run(
    *files: Distribution,
    index: FakeIndex | None = None,
    credential: FakeCredential | None = None,
    options: Settings | None = None,
    **more: object,
) -> FakeRun:
    destination = Destination(index or FakeIndex(), credential or FakeCredential())
    return FakeRun(FakeDistributions(files), (destination,), options or Settings(), **more)  # type: ignore[arg-type]


__all__ = [
    "AttestationPolicy",
    "CredentialRefused",
    "FakeCredential",
    "FakeDistributions",
    "FakeIndex",
    "FakeRun",
    "FakeSigner",
    "FakeVerifier",
    "FakeWaiting",
    "fake_run",
    "published",
    "sdist",
    "sha",
    "wheel",
]
