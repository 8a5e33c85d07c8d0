"""The composition root: settings → real rooms → pipeline.

What a run needs for its first look at the index is imported first, and that look begins; the rest is imported while
the index answers.
"""

import os
import random
import time
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import field, replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from ci_publish.app.named_audiences import named_audiences
from ci_publish.app.output_files import require_writable
from ci_publish.app.settings import Settings
from ci_publish.errors import CiPublishError, ConfigurationError, NothingToPublish
from ci_publish.http.messages import Authorization, BasicAuthorization
from ci_publish.http.transport import HttpTransport
from ci_publish.http.urls import host_of
from ci_publish.identity.context import IdentityContext
from ci_publish.identity.credential import KEYRING_NAME, CredentialOptions, choose_credential, meant_for, shared
from ci_publish.identity.job import job_identity
from ci_publish.identity.keyring import Keyring, KeyringEntry, asked_keyring
from ci_publish.identity.static import TOKEN_USER, static_objection, token_objection
from ci_publish.index import endpoints as index_endpoints
from ci_publish.index.prefetch import BufferedEmitter, PrefetchedIndex, UntilClosed
from ci_publish.model.attestation import Attestation, AttestationPolicy, SigningResult
from ci_publish.model.distribution import Collection, Distribution, FoundAttestation
from ci_publish.model.events import Emit, IndexChosen, Noted
from ci_publish.model.frozen import frozen
from ci_publish.model.identity import Claims, CredentialKind, IdentityToken, Provider, Secret
from ci_publish.model.index import Endpoints, IndexProfile, IndexState, Plan
from ci_publish.model.problem import Problem, Severity, noted
from ci_publish.model.publisher_identity import PublisherIdentity
from ci_publish.publishing import digests
from ci_publish.publishing.context import Destination, Options, Run
from ci_publish.publishing.interruption import Interruption
from ci_publish.publishing.planning import ConflictRules, OnConflict, make_plan

if TYPE_CHECKING:
    from ci_publish.attestations.trust import TrustSource
    from ci_publish.distributions.local import LocalDistributions
    from ci_publish.distributions.subfolders import Subfolders
    from ci_publish.identity.doctor import Doctor
    from ci_publish.index.client import HttpIndex
    from ci_publish.publishing.ports import Credential, IdentitySource, Signer

# The commands that upload, or write to a public log.
_IRREVERSIBLE = frozenset({"publish", "attest"})

# The commands that begin with a look at what the index has of the files' projects.
_LOOKING = frozenset({"publish", "plan", "verify"})


Checks = Callable[[AbstractSet[str]], CiPublishError | None]
"""What the checks end with, given the names of the files that are published as they are."""


def _ignore(_: object) -> None:
    """Take an event or a secret, and do nothing."""


@frozen
class RuntimeContext:
    """What a run gets from its process: everything that is not a setting.

    ``emit`` takes every event, ``mask`` every secret before any event that could follow from it. ``environ`` says
    which CI this is and where proxies and certificates are. ``password_name`` is what the user calls the password.
    ``keyring`` returns the secret of an address and a user; without it, only ``Settings(keyring=True)`` asks the
    keyring. ``stdout`` is for what a command prints itself. ``reached`` is told the listener that reaches all reports,
    those that are files included.
    """

    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    emit: Emit = _ignore
    mask: Callable[[Secret], None] = _ignore
    interruption: Interruption | None = None
    password_name: str = "The password"  # noqa: S105  (what it is called)
    keyring: Keyring | None = None
    notes: tuple[Noted, ...] = ()
    stdout: TextIO | None = None
    reached: Callable[[Emit], None] = _ignore


class Composition:
    """The real rooms for some settings, built when they are first needed, closed together."""

    def __init__(self, settings: Settings, context: RuntimeContext) -> None:
        self.settings = settings
        self.context = context
        self.interruption = context.interruption or Interruption(settings.deadline)
        self.told = BufferedEmitter(context.emit)
        self.waiting = UntilClosed(self.interruption)
        self.transport = self._transport(self.waiting)
        self.patient_transport = self._transport(self.interruption.patient())
        self.distributions = LocalSteps(settings, self.interruption)
        self._ahead: list[PrefetchedIndex] = []
        self.identity = RememberedIdentity(self._ambient)
        self._entries: dict[str, KeyringEntry | None] = {}

    def close(self) -> None:
        """End what still goes on in the background, and close every connection."""
        self.waiting.close()
        for index in self._ahead:
            index.finish()
        self.transport.close()
        self.patient_transport.close()

    def run(self, command: str) -> Run:
        """Put the parts of *command* together. Raises ConfigurationError for wrong addresses and unwritable outputs."""
        if command in _IRREVERSIBLE:
            require_writable(self.settings)
        destinations = self.destinations(online=command not in {"check", "attest"})
        if command in _LOOKING:
            self._look_ahead()
        self.distributions.with_md5 = any("artifactory" in each.index.endpoints.upload for each in destinations)
        from ci_publish.attestations.files import require_unwritten, write_attestations  # noqa: PLC0415  (late: not needed for that look)
        from ci_publish.attestations.verification import ProvenanceJudge  # noqa: PLC0415

        trust = self._trust()
        expected = self._expected_publishers(command)
        return Run(
            distributions=self.distributions,
            destinations=destinations,
            signer=LateSigner(lambda: self._signer(trust)),
            verifier=ProvenanceJudge(trust, lambda: self.identity.claims, named=expected or self.settings.attested_by),
            write_attestations=write_attestations,
            require_unwritten=require_unwritten,
            emit=self.context.emit,
            waiting=self.interruption,
            clock=time.monotonic,
            options=replace(_options(self.settings, command), expected_publishers=expected),
        )

    def _expected_publishers(self, command: str) -> tuple[PublisherIdentity, ...]:
        """Return who must have signed what ``verify`` finds: whom the user names, else this job's own repository.

        For PROJECT==VERSION, which may be anybody's, nobody is expected unless the user names them.
        """
        if command != "verify" or self.settings.publisher:
            return self.settings.publisher
        job = None if any("==" in path for path in self.settings.paths) else job_identity(self.context.environ)
        return () if job is None else (PublisherIdentity(job.publisher.kind, job.publisher.name),)

    def _look_ahead(self) -> None:
        """Begin to ask each index what it has of the releases whose files lie there, going by their names."""
        from ci_publish.distributions.names import releases  # noqa: PLC0415  (late: not for every command)

        expected = releases(self.settings.paths, recursive=self.settings.recursive)
        if not expected:
            return
        if simple := self._ahead[0].endpoints.simple:
            self.transport.preconnect(simple)
        self.transport.warm()
        for index in self._ahead:
            index.begin(expected)

    def _trust(self) -> "TrustSource":
        from ci_publish.attestations.trust import REFRESH_SECONDS, TrustSource  # noqa: PLC0415  (late, see ``publishing.context``)

        return TrustSource(
            emit=self.context.emit,
            config=_text(self.settings.sigstore_trust_config),
            seconds=self.settings.timeout or REFRESH_SECONDS,
        )

    def _signer(self, trust: "TrustSource") -> "Signer":
        from ci_publish.attestations.sigstore_signer import Patience, SigstoreSigner  # noqa: PLC0415  (see LateSigner)

        patience = Patience(budget=self.settings.signing_timeout)
        timeout = self.settings.timeout
        return SigstoreSigner(
            identity=self.identity,
            trust=trust,
            emit=self.context.emit,
            waiting=self.interruption,
            patience=patience if timeout is None else replace(patience, request=timeout),
            claims=lambda: self.identity.claims,
            job=job_identity(self.context.environ),
            attested_by=self.settings.attested_by,
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
        if self.settings.keyring:
            return  # a keyring holds a secret for each index
        if error := shared(destinations, self._credential_options()):
            raise error

    def endpoints(self, repository_url: str) -> Endpoints:
        """Return the addresses of an index by its upload URL or name, with what the user allowed for it."""
        settings = self.settings
        indexes = {address: self._resolved(address) for address in (*settings.repository_url, repository_url)}
        endpoints = indexes[repository_url]
        return replace(
            endpoints,
            named_audience=named_audiences(settings.audience, indexes).get(repository_url),
            takes_any_token=host_of(endpoints.upload) in {host.casefold() for host in settings.token_for},
        )

    def _resolved(self, repository_url: str) -> Endpoints:
        settings = self.settings
        return index_endpoints.resolve(
            repository_url, settings.index_url, settings.index_profile, allow_http=frozenset(settings.allow_http)
        )

    def credential(self, endpoints: Endpoints) -> "Credential":
        """Choose the credential for one index."""
        credential = choose_credential(
            endpoints,
            self._credential_options(endpoints),
            self._tools(),
            projects=lambda: self.distributions.projects,
            attesting=lambda: self._attesting(endpoints) and self.distributions.unattested,
        )
        self.interruption.when_abandoned(credential.burn)
        return credential

    def doctor(self, repository_url: str) -> "Doctor":
        """Put together what looks at one index and this job."""
        from ci_publish.identity.doctor import Doctor, Wanted  # noqa: PLC0415  (late: for one command)

        index = self._index(repository_url, online=True)
        collection, checks = self._files_if_any(index.endpoints)
        wanted = Wanted(
            collection.distributions,
            attesting=lambda kind: self._attesting(index.endpoints, kind) and self.distributions.unattested,
            mint=self.settings.mint,
            spend_token=self.settings.spend_token,
            create_project=self.settings.create_project,
            provenance=index.provenance,
            plan=lambda files, state: self._planned(index, files, state),
            checks=checks,
            inspect=lambda kind, published: self._inspect(index.endpoints, kind, collection, published),
        )
        self.context.emit(IndexChosen(index.endpoints))
        return Doctor(
            index.endpoints, self._credential_options(index.endpoints), self._tools(), index.fetch_listing, wanted
        )

    def _inspect(
        self, endpoints: Endpoints, kind: CredentialKind, collection: Collection, published: AbstractSet[str]
    ) -> None:
        """Verify the attestation files beside those that publishing would upload. Raises what publishing would."""
        if self._policy(endpoints, kind) is AttestationPolicy.OFF:
            return
        files = {file.filename: file for file in collection.distributions if file.filename not in published}
        if found := [each for each in collection.attestations if each.distribution in files]:
            self._signer(self._trust()).inspect(found, list(files.values()))

    def _files_if_any(self, endpoints: Endpoints) -> tuple[Collection, Checks | None]:
        """What doctor compares with the index, and what the checks say of it: the files that lie there, if any do."""
        try:
            collection = self.distributions.collect(self.settings.paths)
            problems = self.distributions.check(collection, [endpoints.profile])
        except NothingToPublish:
            return Collection(()), None
        except CiPublishError as error:
            failure = error
            return Collection(()), lambda _: failure
        return collection, lambda published: _failed_checks(noted(problems, published))

    def _planned(self, index: "HttpIndex", files: Sequence[Distribution], state: IndexState) -> Plan:
        """What publishing would do with *files* of one project."""
        options, endpoints = _options(self.settings, "doctor"), index.endpoints
        state = digests.completed(index, files, state, limit=options.compare_downloads, emit=self.context.emit)
        rules = ConflictRules.of(endpoints, options.on_conflict, skip_existing=options.skip_existing)
        return make_plan(endpoints.name, files, {file.project: state for file in files}, rules, index.md5)

    def _attesting(self, endpoints: Endpoints, kind: CredentialKind = CredentialKind.TRUSTED_PUBLISHING) -> bool:
        """Return whether attestations must be made with a credential of *kind* at this index.

        Raises ConfigurationError where they are required and cannot be made with it.
        """
        return self._policy(endpoints, kind) is AttestationPolicy.REQUIRED

    def _policy(self, endpoints: Endpoints, kind: CredentialKind) -> AttestationPolicy:
        from ci_publish.publishing.attest import attestation_policy  # noqa: PLC0415  (late, see ``publishing.context``)

        return attestation_policy(self.settings.attestations, kind, endpoints)

    def _destination(self, repository_url: str, *, online: bool) -> Destination:
        index = self._index(repository_url, online=online)
        self._ahead.append(PrefetchedIndex(index, self.told))
        return Destination(self._ahead[-1], self.credential(index.endpoints))

    def _index(self, repository_url: str, *, online: bool) -> "HttpIndex":
        from ci_publish.index.client import HttpIndex, recognised  # noqa: PLC0415  (late, see ``publishing.context``)

        endpoints = self.endpoints(repository_url)
        if not online and endpoints.upload == self.context.environ.get(index_endpoints.REHEARSAL_VARIABLE):
            endpoints = index_endpoints.as_known_rehearsal(endpoints, self.settings.index_profile)
        if online:
            endpoints = recognised(endpoints, self.transport, self.settings.index_profile)
        return HttpIndex(
            endpoints,
            self.transport,
            emit=self.told,
            waiting=self.interruption,
            listing_authorization=self._listing_authorization(endpoints),
        )

    def _listing_authorization(self, endpoints: Endpoints) -> Authorization | None:
        """Listings are fetched with the upload's own password or API token; the client keeps it on the same origin."""
        given = meant_for(endpoints, self._credential_options(endpoints))
        user = given.user or TOKEN_USER
        if not given.secret or static_objection(endpoints, user, given.secret, given.name):
            return None
        if token_objection(endpoints, given.secret, given.name, time.time()):
            return None
        self.context.mask(given.secret)
        return BasicAuthorization(user, given.secret)

    def _ambient(self) -> "IdentitySource":
        from ci_publish.identity.ambient import BUDGET, AmbientIdentity  # noqa: PLC0415  (late: not for passwords)

        return AmbientIdentity(
            self.context.environ,
            self.context.mask,
            self.interruption.patient(),
            self.context.emit,
            random.random,
            transport=self.patient_transport,
            budget=self.settings.timeout or BUDGET,
        )

    def _credential_options(self, endpoints: Endpoints | None = None) -> CredentialOptions:
        """Return what the user gave; with ``keyring``, what the keyring holds for *endpoints*."""
        settings = self.settings
        given = CredentialOptions(
            settings.user,
            settings.password,
            self.context.password_name,
            anonymous=settings.anonymous,
            several=len(settings.repository_url) > 1,
            keyring=settings.keyring,
        )
        entry = self._entry(endpoints) if settings.keyring and endpoints and settings.password is None else None
        return given if entry is None else replace(given, user=entry.user, secret=entry.secret, name=KEYRING_NAME)

    def _entry(self, endpoints: Endpoints) -> KeyringEntry | None:
        if endpoints.upload not in self._entries:
            keyring = self.context.keyring or asked_keyring()
            self._entries[endpoints.upload] = keyring(endpoints.upload, self.settings.user)
        return self._entries[endpoints.upload]

    def _tools(self) -> IdentityContext:
        guard = self.interruption.guard
        return IdentityContext(
            self.identity,
            self.patient_transport,
            self.interruption.patient(),
            self.context.emit,
            self.context.mask,
            time.time,
            random.random,
            self.interruption.shielded,
            self.context.keyring,
            self.settings.timeout,
            _runner(self.context.environ),
            *(() if guard is None else (partial(guard.keep, allow_http=self.settings.allow_http),)),
        )

    def _transport(self, waiting: object) -> HttpTransport:
        return HttpTransport(
            waiting=waiting,  # type: ignore[arg-type]
            emit=self.told,
            timeout=self.settings.timeout,
            allow_http=frozenset(self.settings.allow_http),
            max_connections=self.settings.jobs + 1,
            environ=self.context.environ,
        )


class LocalSteps:
    """The steps that touch only the disk: a signal ends them at once. Remembers which projects were found."""

    def __init__(self, settings: Settings, interruption: Interruption) -> None:
        self._settings = settings
        self._interruption = interruption
        self._local: LocalDistributions | None = None
        self.with_md5 = False
        self.projects: tuple[str, ...] = ()
        self.unattested = True

    def collect(self, paths: Sequence[str]) -> Collection:
        """Find, hash and read the files; see ``publishing.ports.Distributions``."""
        with self._interruption.immediate():
            collection = self._distributions().collect(paths)
        self.projects = tuple(dict.fromkeys(file.project for file in collection.distributions))
        self.unattested = _unattested(collection)
        return collection

    def check(self, collection: Collection, profiles: Sequence[IndexProfile]) -> tuple[Problem, ...]:
        """Run every rule; see ``publishing.ports.Distributions``."""
        from ci_publish.distributions.checks.rendering import RunStopped  # noqa: PLC0415  (late, see ``Composition.run``)

        try:
            with self._interruption.immediate():
                return self._distributions().check(collection, profiles)
        except RunStopped as stopped:
            raise self._interruption.error() from stopped

    def _distributions(self) -> "LocalDistributions":
        from ci_publish.distributions.local import LocalDistributions  # noqa: PLC0415  (late, see ``Composition.run``)

        if self._local is None:
            self._local = LocalDistributions(
                strict=self._settings.strict,
                subfolders=_subfolders(self._settings),
                verify_metadata=self._settings.verify_metadata,
                with_md5=self.with_md5,
                waiting=self._interruption,
            )
        return self._local


class LateSigner:
    """A ``Signer`` that is made when it is first needed: most of what it takes to sign is imported only then."""

    def __init__(self, make: "Callable[[], Signer]") -> None:
        self._signer = cache(make)

    def prefetch(self) -> None:
        """Begin what signing needs; see ``publishing.ports.Signer``."""
        self._signer().prefetch()

    def inspect(self, found: Sequence[FoundAttestation], distributions: Sequence[Distribution]) -> None:
        """Verify attestation files before the identity is known; see ``publishing.ports.Signer``."""
        self._signer().inspect(found, distributions)

    def adopt(
        self, found: Sequence[FoundAttestation], distributions: Sequence[Distribution]
    ) -> dict[str, tuple[Attestation, ...]]:
        """Verify attestation files that lay beside the distributions; see ``publishing.ports.Signer``."""
        return self._signer().adopt(found, distributions)

    def sign(self, distributions: Sequence[Distribution]) -> SigningResult:
        """Attest each distribution; see ``publishing.ports.Signer``."""
        return self._signer().sign(distributions)


class RememberedIdentity:
    """An ``IdentitySource``, made when it is first asked, that remembers whose tokens it gave to judge attestations."""

    def __init__(self, make: "Callable[[], IdentitySource]") -> None:
        self._source = cache(make)
        self.claims: Claims | None = None

    @property
    def provider(self) -> Provider | None:
        """Which CI this is."""
        return self._source().provider

    @property
    def repeatable(self) -> bool:
        """Whether a second token for the same audience can be had."""
        return self._source().repeatable

    def missing(self, audience: str | None) -> CiPublishError | None:
        """Return what the environment lacks for a token."""
        return self._source().missing(audience)

    def token(self, audience: str) -> IdentityToken:
        """Fetch an identity token and remember its claims."""
        token = self._source().token(audience)
        self.claims = token.claims
        return token


def _runner(environ: Mapping[str, str]) -> str | None:
    from ci_publish.identity.ambient import runner  # noqa: PLC0415  (late: not for passwords)

    return runner(environ) if environ.get("GITHUB_ACTIONS") else None


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
        compare_downloads=settings.compare_downloads,
        strict=settings.strict,
        verify=settings.verify,
        verify_timeout=settings.verify_timeout,
        prove_credential=settings.prove_credential,
        create_project=settings.create_project,
        publisher_named=bool(settings.publisher),
    )


def _subfolders(settings: Settings) -> "Subfolders":
    from ci_publish.distributions.subfolders import Subfolders  # noqa: PLC0415  (late, see ``Composition.run``)

    if settings.recursive:
        return Subfolders.TAKE
    return Subfolders.IGNORE if settings.ignore_subfolders else Subfolders.REFUSE


def _failed_checks(problems: Sequence[Problem]) -> CiPublishError | None:
    from ci_publish.publishing import messages  # noqa: PLC0415  (late, see ``Composition.run``)

    failing = any(problem.severity is Severity.ERROR for problem in problems)
    return messages.failed_checks(problems) if failing else None


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
