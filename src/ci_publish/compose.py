"""The composition root: settings → real rooms → pipeline. Also what the Python API calls."""

import os
import random
import time
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name, parse_sdist_filename, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from ci_publish import explain, pipeline
from ci_publish.attestations.files import write_attestations
from ci_publish.attestations.trust import REFRESH_SECONDS, TrustSource
from ci_publish.attestations.verification import ProvenanceJudge
from ci_publish.delivery import attestation_policy
from ci_publish.distributions.local import LocalDistributions
from ci_publish.errors import CiPublishError, ConfigurationError, InternalError, NothingToPublish
from ci_publish.identity.ambient import BUDGET, AmbientIdentity
from ci_publish.identity.credential import Given, choose_credential, meant_for, shared
from ci_publish.identity.tools import Tools
from ci_publish.index import endpoints as index_endpoints
from ci_publish.index.ahead import LookingAhead, Postponed, UntilClosed
from ci_publish.index.client import HttpIndex
from ci_publish.index.transport import HttpTransport
from ci_publish.interruption import Interruption
from ci_publish.model.attestation import Attestation, AttestationPolicy, SigningResult
from ci_publish.model.distribution import Collection, CoreMetadata, Digests, Distribution, FoundAttestation, Kind, Stamp
from ci_publish.model.events import (
    Emit,
    Event,
    Finding,
    FindingStatus,
    IndexChosen,
    Noted,
    Outcome,
    RunFinished,
    RunStarted,
)
from ci_publish.model.http import Authorization, BasicAuthorization
from ci_publish.model.identity import Claims, CredentialKind, IdentityToken, Provider, Secret
from ci_publish.model.index import Endpoints, IndexProfile, IndexState, Plan, PublishedFile
from ci_publish.model.problem import Problem, Severity, noted
from ci_publish.model.receipt import Receipt, receipt_of
from ci_publish.planning import ConflictRules, OnConflict, make_plan
from ci_publish.ports import Credential, IdentitySource, Signer
from ci_publish.run import Destination, Options, Run
from ci_publish.settings import Settings

if TYPE_CHECKING:
    from ci_publish.identity.diagnosis import Doctor
    from ci_publish.identity.findings import Finding as Diagnosed

# The commands that begin with a look at what the index has of the files' projects.
_LOOKING = frozenset({"publish", "plan", "verify"})


Checks = Callable[[AbstractSet[str]], CiPublishError | None]
"""What the checks end with, given the names of the files that are published as they are."""


def _ignore(_: object) -> None:
    """Take an event or a secret, and do nothing."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a run finds around it: everything that is not a setting.

    ``emit`` takes every event, ``mask`` every secret before any event that could follow from it. ``environ`` says
    which CI this is and where proxies and certificates are. ``password_name`` is what the user calls the password.
    """

    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    emit: Emit = _ignore
    mask: Callable[[Secret], None] = _ignore
    interruption: Interruption | None = None
    password_name: str = "The password"  # noqa: S105  (what it is called)
    keyring: Callable[[str, str], Secret | None] | None = None
    notes: tuple[Noted, ...] = ()


class Composition:
    """The real rooms for some settings, built when they are first needed, closed together."""

    def __init__(self, settings: Settings, around: Surroundings) -> None:
        self.settings = settings
        self.around = around
        self.interruption = around.interruption or Interruption(settings.deadline)
        self.told = Postponed(around.emit)
        self.waiting = UntilClosed(self.interruption)
        self.transport = self._transport(self.waiting)
        self.patient_transport = self._transport(self.interruption.patient())
        self.distributions = LocalSteps(settings, self.interruption)
        self._ahead: list[LookingAhead] = []
        self.identity = RememberedIdentity(
            AmbientIdentity(
                around.environ,
                around.mask,
                self.interruption.patient(),
                around.emit,
                random.random,
                transport=self.patient_transport,
                budget=settings.timeout or BUDGET,
            )
        )

    def close(self) -> None:
        """End what still goes on in the background, and close every connection."""
        self.waiting.close()
        for index in self._ahead:
            index.finish()
        self.transport.close()
        self.patient_transport.close()

    def run(self, command: str) -> Run:
        """Put the rooms of *command* together. Raises ConfigurationError for addresses that cannot be right."""
        settings = self.settings
        trust = TrustSource(
            emit=self.around.emit,
            config=_text(settings.sigstore_trust_config),
            seconds=settings.timeout or REFRESH_SECONDS,
        )
        destinations = () if command == "attest" else self.destinations(online=command != "check")
        if command in _LOOKING:
            self.transport.warm()
            self.distributions.when_collected += [index.begin for index in self._ahead]
        self.distributions.with_md5 = any("artifactory" in each.index.endpoints.upload for each in destinations)
        return Run(
            distributions=self.distributions,
            destinations=destinations,
            signer=LateSigner(lambda: self._signer(trust)),
            verifier=ProvenanceJudge(trust, lambda: self.identity.claims),
            write_attestations=write_attestations,
            emit=self.around.emit,
            waiting=self.interruption,
            clock=time.monotonic,
            options=_options(settings, command),
        )

    def _signer(self, trust: TrustSource) -> Signer:
        from ci_publish.attestations.sigstore_signer import Patience, SigstoreSigner  # noqa: PLC0415  (see LateSigner)

        timeout = self.settings.timeout
        return SigstoreSigner(
            identity=self.identity,
            trust=trust,
            emit=self.around.emit,
            waiting=self.interruption,
            patience=None if timeout is None else Patience(request=timeout),
            claims=lambda: self.identity.claims,
        )

    def destinations(self, *, online: bool = True) -> tuple[Destination, ...]:
        """Return each index with its credential; a rehearsal on loopback is recognised when *online*.

        Raises ConfigurationError for a secret that several servers would be shown, before any is.
        """
        destinations = tuple(self._destination(url, online=online) for url in self.settings.repository_url)
        if online:
            self.require_unshared([each.index.endpoints for each in destinations])
        return destinations

    def require_unshared(self, destinations: Sequence[Endpoints]) -> None:
        """Raise ConfigurationError for a secret that several of these servers would be shown."""
        if error := shared(destinations, self._given()):
            raise error

    def endpoints(self, repository_url: str) -> Endpoints:
        """Return the addresses of an index by its upload URL or name."""
        settings = self.settings
        return index_endpoints.resolve(
            repository_url, settings.index_url, settings.index_profile, allow_http=frozenset(settings.allow_http)
        )

    def credential(self, endpoints: Endpoints) -> Credential:
        """Choose the credential for one index."""
        return choose_credential(
            endpoints,
            self._given(),
            self._tools(),
            projects=lambda: self.distributions.projects,
            attesting=lambda: self._attesting(endpoints) and self.distributions.unattested,
        )

    def doctor(self, repository_url: str) -> "Doctor":
        """Put together what looks at one index and this job."""
        from ci_publish.identity.diagnosis import Doctor, Wanted  # noqa: PLC0415  (late: for one command)

        index = self._index(repository_url, online=True)
        distributions, checks = self._files_if_any(index.endpoints)
        wanted = Wanted(
            distributions,
            attesting=lambda kind: self._attesting(index.endpoints, kind) and self.distributions.unattested,
            mint=self.settings.mint,
            spend_token=self.settings.spend_token,
            plan=lambda files, state: self._planned(index.endpoints, files, state),
            checks=checks,
        )
        self.around.emit(IndexChosen(index.endpoints))
        return Doctor(index.endpoints, self._given(), self._tools(), index.look, wanted)

    def _files_if_any(self, endpoints: Endpoints) -> tuple[tuple[Distribution, ...], Checks | None]:
        """What doctor compares with the index, and what the checks say of it: the files that lie there, if any do."""
        try:
            collection = self.distributions.collect(self.settings.paths)
            problems = self.distributions.check(collection, [endpoints.profile])
        except NothingToPublish:
            return (), None
        except CiPublishError as error:
            failure = error
            return (), lambda _: failure
        return collection.distributions, lambda published: _failed_checks(noted(problems, published))

    def _planned(self, endpoints: Endpoints, files: Sequence[Distribution], state: IndexState) -> Plan:
        """What publishing would do with *files* of one project."""
        options = _options(self.settings, "doctor")
        rules = ConflictRules.of(endpoints, options.on_conflict, skip_existing=options.skip_existing)
        return make_plan(endpoints.name, files, {file.project: state for file in files}, rules)

    def _attesting(self, endpoints: Endpoints, kind: CredentialKind = CredentialKind.TRUSTED_PUBLISHING) -> bool:
        """Return whether attestations must be made with a credential of *kind* at this index.

        Raises ConfigurationError where they are required and cannot be made with it.
        """
        policy = attestation_policy(self.settings.attestations, kind, endpoints)
        return policy is AttestationPolicy.REQUIRED

    def _destination(self, repository_url: str, *, online: bool) -> Destination:
        index = self._index(repository_url, online=online)
        self._ahead.append(LookingAhead(index, self.told))
        return Destination(self._ahead[-1], self.credential(index.endpoints))

    def _index(self, repository_url: str, *, online: bool) -> HttpIndex:
        index = HttpIndex(
            self.endpoints(repository_url),
            self.transport,
            emit=self.around.emit,
            waiting=self.interruption,
        )
        if online:
            index.recognise(self.settings.index_profile)
        index.look_authorization = self._look_authorization(index.endpoints)
        return index

    def _look_authorization(self, endpoints: Endpoints) -> Authorization | None:
        """Looks are made with the upload's own password or API token; the client keeps it on the same origin."""
        secret = meant_for(endpoints, self._given()).secret
        if not secret:
            return None
        self.around.mask(secret)
        return BasicAuthorization(self.settings.user, secret)

    def _given(self) -> Given:
        settings = self.settings
        return Given(
            settings.user,
            settings.password,
            self.around.password_name,
            anonymous=settings.anonymous,
            several=len(settings.repository_url) > 1,
        )

    def _tools(self) -> Tools:
        return Tools(
            self.identity,
            self.patient_transport,
            self.interruption.patient(),
            self.around.emit,
            self.around.mask,
            time.time,
            random.random,
            self.interruption.shielded,
            self.around.keyring,
            self.settings.timeout,
        )

    def _transport(self, waiting: object) -> HttpTransport:
        return HttpTransport(
            waiting=waiting,  # type: ignore[arg-type]
            emit=self.told,
            timeout=self.settings.timeout,
            allow_http=frozenset(self.settings.allow_http),
            max_connections=self.settings.jobs + 1,
            environ=self.around.environ,
        )


class LocalSteps:
    """The steps that touch only the disk: a signal ends them at once. Remembers which projects were found.

    ``when_collected`` are told the releases (project and version) as soon as these are known, before the checks.
    """

    def __init__(self, settings: Settings, interruption: Interruption) -> None:
        self._settings = settings
        self._interruption = interruption
        self._local: LocalDistributions | None = None
        self.with_md5 = False
        self.projects: tuple[str, ...] = ()
        self.unattested = True
        self.when_collected: list[Callable[[Sequence[tuple[str, str]]], None]] = []

    def collect(self, paths: Sequence[str]) -> Collection:
        """Find, hash and read the files; see ``ports.Distributions``."""
        with self._interruption.immediate():
            collection = self._distributions().collect(paths)
        self.projects = tuple(dict.fromkeys(file.project for file in collection.distributions))
        self.unattested = _unattested(collection)
        for tell in self.when_collected:
            tell(tuple({file.project: file.version for file in collection.distributions}.items()))
        return collection

    def check(self, collection: Collection, profiles: Sequence[IndexProfile]) -> tuple[Problem, ...]:
        """Run every rule; see ``ports.Distributions``."""
        with self._interruption.immediate():
            return self._distributions().check(collection, profiles)

    def _distributions(self) -> LocalDistributions:
        if self._local is None:
            self._local = LocalDistributions(
                strict=self._settings.strict,
                verify_metadata=self._settings.verify_metadata,
                with_md5=self.with_md5,
            )
        return self._local


class LateSigner:
    """A ``Signer`` that is made when it is first needed: most of what it takes to sign is imported only then."""

    def __init__(self, make: Callable[[], Signer]) -> None:
        self._signer = cache(make)

    def prefetch(self) -> None:
        """Begin what signing needs; see ``ports.Signer``."""
        self._signer().prefetch()

    def adopt(
        self, found: Sequence[FoundAttestation], distributions: Sequence[Distribution]
    ) -> dict[str, tuple[Attestation, ...]]:
        """Verify attestation files that lay beside the distributions; see ``ports.Signer``."""
        return self._signer().adopt(found, distributions)

    def sign(self, distributions: Sequence[Distribution]) -> SigningResult:
        """Attest each distribution; see ``ports.Signer``."""
        return self._signer().sign(distributions)


class RememberedIdentity:
    """An ``IdentitySource`` that remembers whose tokens it gave, to judge attestations by."""

    def __init__(self, source: IdentitySource) -> None:
        self._source = source
        self.claims: Claims | None = None

    @property
    def provider(self) -> Provider | None:
        """Which CI this is."""
        return self._source.provider

    @property
    def repeatable(self) -> bool:
        """Whether a second token for the same audience can be had."""
        return self._source.repeatable

    def missing(self, audience: str | None) -> CiPublishError | None:
        """Return what the environment lacks for a token."""
        return self._source.missing(audience)

    def token(self, audience: str) -> IdentityToken:
        """Fetch an identity token and remember its claims."""
        token = self._source.token(audience)
        self.claims = token.claims
        return token


# commands --------------------------------------------------------------------------------------------------------


def publish(what: Settings | Run | None = None, *, around: Surroundings | None = None) -> Receipt:
    """Publish; return the receipt. See ``execute`` for what is raised."""
    return execute("publish", what, around)


def plan(what: Settings | Run | None = None, *, around: Surroundings | None = None) -> Receipt:
    """Say what ``publish`` would do, and send nothing."""
    return execute("plan", what, around)


def check(what: Settings | Run | None = None, *, around: Surroundings | None = None) -> Receipt:
    """Run all local checks; no network."""
    return execute("check", what, around)


def attest(what: Settings | Run | None = None, *, around: Surroundings | None = None) -> Receipt:
    """Attest every distribution and write the attestations into ``output_dir``."""
    return execute("attest", what, around)


def verify(what: Settings | Run | None = None, *, around: Surroundings | None = None) -> Receipt:
    """Look whether the index shows these very files, or a ``PROJECT==VERSION``, with provenance that verifies."""
    return execute("verify", what, around)


def doctor(settings: Settings | None = None, *, around: Surroundings | None = None) -> Receipt:
    """Look whether Trusted Publishing would work from here; raise the error that publishing would end with."""
    return execute("doctor", settings, around)


COMMANDS: Mapping[str, Callable[[Run], Outcome]] = {
    "publish": pipeline.publish,
    "plan": pipeline.plan,
    "check": pipeline.check,
    "attest": pipeline.attest,
    "verify": lambda run: _verify(run),  # noqa: PLW0108  (defined below)
}


def execute(command: str, what: Settings | Run | None = None, around: Surroundings | None = None) -> Receipt:
    """Run a command and return its receipt.

    *what* is settings (by default those of a plain ``publish dist``: nothing is read from the environment but the CI's
    own variables), or a ``Run`` with rooms of your own. Raises the CiPublishError that ended the run, with the receipt
    of what happened until then as its ``receipt``; a bug surfaces as InternalError.
    """
    around = around or Surroundings()
    if isinstance(what, Run):
        return recorded(command, lambda recording: COMMANDS[command](_heard(what, recording.emit)), around)
    settings = what or Settings()

    def run(recording: Surroundings) -> Outcome:
        composition = Composition(settings, recording)
        try:
            if command == "doctor":
                return _diagnose(composition)
            return COMMANDS[command](composition.run(command))
        finally:
            composition.close()

    return recorded(command, run, around)


def _heard(run: Run, emit: Emit) -> Run:
    """Return *run*, whose own events reach *emit* as well: a receipt is made of them."""

    def both(event: Event) -> None:
        run.emit(event)
        emit(event)

    return replace(run, emit=both)


def recorded(command: str, work: Callable[[Surroundings], Outcome], around: Surroundings) -> Receipt:
    """Do *work* between RunStarted and RunFinished, keeping every event for the receipt."""
    events: list[object] = []

    def emit(event: object) -> None:
        events.append(event)
        around.emit(event)  # type: ignore[arg-type]

    emit(RunStarted(command, time.time()))
    for note in around.notes:
        emit(note)
    error: CiPublishError | None = None
    outcome = Outcome.FAILED
    try:
        outcome = work(replace(around, emit=emit))
    except CiPublishError as caught:
        error = caught if around.interruption is None else around.interruption.instead_of(caught)
    except Exception as caught:  # noqa: BLE001  (a bug: reported as one, never as a traceback)
        error = InternalError.of(caught)
        error.__cause__ = caught
    emit(RunFinished(_outcome(outcome, error), error.exit_code if error else 0, time.time(), error))
    receipt = receipt_of(events)  # type: ignore[arg-type]
    if error is not None:
        error.receipt = receipt
        raise error
    return receipt


def _outcome(outcome: Outcome, error: CiPublishError | None) -> Outcome:
    if error is None:
        return outcome
    return Outcome.INTERRUPTED if error.exit_code in {130, 143} else Outcome.FAILED


# details ---------------------------------------------------------------------------------------------------------


def _options(settings: Settings, command: str) -> Options:
    return Options(
        paths=settings.paths,
        on_conflict=OnConflict(settings.on_conflict),
        skip_existing=settings.skip_existing,
        attestations=settings.attestations,
        attestations_dir=settings.output_dir if command == "attest" else settings.attestations_dir,
        jobs=settings.jobs,
        keep_going=settings.keep_going,
        verify=settings.verify,
        verify_timeout=settings.verify_timeout,
        prove_credential=settings.prove_credential,
    )


def _failed_checks(problems: Sequence[Problem]) -> CiPublishError | None:
    failing = any(problem.severity is Severity.ERROR for problem in problems)
    return explain.failed_checks(problems) if failing else None


def _unattested(collection: Collection) -> bool:
    """Return whether a file lies there without a publish attestation beside it: one must be made."""
    attested = {found.distribution for found in collection.attestations if found.type == "publish"}
    return any(file.filename not in attested for file in collection.distributions)


def _text(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = f"The Sigstore trust configuration {path} cannot be read: {error}"
        raise ConfigurationError(
            message, hints=("Name a ClientTrustConfig file: --sigstore-trust-config FILE",)
        ) from error


# By identity.findings.Level.
_FINDINGS = {
    "ok": FindingStatus.OK,
    "warning": FindingStatus.WARN,
    "failure": FindingStatus.FAIL,
    "skipped": FindingStatus.SKIP,
}


def _diagnose(composition: Composition) -> Outcome:
    """Look at each index in turn; raise the first error that publishing would end with."""
    errors: list[CiPublishError] = []
    addresses = composition.settings.repository_url
    composition.require_unshared([composition.endpoints(each) for each in addresses])
    for repository_url in addresses:
        diagnosis = composition.doctor(repository_url).run()
        for found in diagnosis.findings:
            composition.around.emit(_finding(found))
        errors += [] if diagnosis.error is None else [diagnosis.error]
    if errors:
        raise errors[0]
    return Outcome.READY


def _finding(found: "Diagnosed") -> Finding:
    return Finding(
        found.name, _FINDINGS[found.level], "\n".join(filter(None, (found.message, found.detail))), found.hints
    )


def _verify(run: Run) -> Outcome:
    """Verify local files, or every file of a PROJECT==VERSION."""
    named = [path for path in run.options.paths if "==" in path]
    if not named:
        return pipeline.verify(run)
    if len(run.options.paths) > 1:
        message = "PROJECT==VERSION stands alone: it cannot be mixed with paths or another release."
        raise ConfigurationError(message, hints=("Run verify once for each release.",))
    project, version = _release(named[0])
    return pipeline.verify_release(run, project, version, lambda file: as_distribution(file, project, version))


def _release(text: str) -> tuple[str, str]:
    name, _, version = text.partition("==")
    try:
        return canonicalize_name(name.strip(), validate=True), str(Version(version.strip()))
    except (InvalidVersion, ValueError) as error:
        message = f"{text} is not a PROJECT==VERSION: {error}"
        raise ConfigurationError(
            message, hints=("Write it like this: ci-publish verify sampleproject==4.0.0",)
        ) from error


def as_distribution(file: PublishedFile, project: str, version: str) -> Distribution | None:
    """Describe a listed file of the release *project* *version*; None for a file of another, or one without digest."""
    wheel = file.filename.endswith(".whl")
    try:
        found = parse_wheel_filename(file.filename)[:2] if wheel else parse_sdist_filename(file.filename)
    except ValueError:
        return None
    if found[0] != project or str(found[1]) != version or file.sha256 is None:
        return None
    size = file.size or 0
    return Distribution(
        path=Path(file.filename),
        filename=file.filename,
        kind=Kind.WHEEL if wheel else Kind.SDIST,
        project=project,
        version=version,
        python_tag="" if wheel else "source",
        size=size,
        digests=Digests(file.sha256),
        metadata=CoreMetadata("", project, version),
        stamp=Stamp(0, 0, size, 0),
    )
