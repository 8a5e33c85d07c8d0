"""The composition root: settings → collaborators → pipeline.

What the first request to the index needs is imported first, and that request begins; the rest is imported while the
index answers. ``app.connections`` connected before this module was imported.
"""

import time
from dataclasses import replace
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ci_publish.app.configured_credentials import ConfiguredCredentials, accepts_any_api_token
from ci_publish.app.connections import LISTING_COMMANDS, RunConnections
from ci_publish.app.named_audiences import named_audiences
from ci_publish.app.output_files import require_writable_outputs
from ci_publish.app.runtime_context import RuntimeContext
from ci_publish.app.settings import Settings
from ci_publish.app.stated_release import stated_release
from ci_publish.errors import ConfigurationError
from ci_publish.hints import Hint, option
from ci_publish.identity.ambient_identity import BUDGET, AmbientIdentity, Fetching
from ci_publish.identity.ci_environment import CiEnvironment
from ci_publish.identity.ci_job_identity import identity_of_ci_job
from ci_publish.identity.credential_choice import choose_credential
from ci_publish.index import endpoints as index_endpoints
from ci_publish.model.attestation import AttestationPolicy, Subject
from ci_publish.model.identity import CredentialKind, IdentitySource
from ci_publish.model.index import Endpoints
from ci_publish.model.publisher_identity import PublisherIdentity
from ci_publish.publishing.context import Destination, Run
from ci_publish.regular_files import read_settings_file

if TYPE_CHECKING:
    from ci_publish.app.interruptible_distributions import InterruptibleDistributions
    from ci_publish.attestations.sigstore_trust import TrustSource
    from ci_publish.index.client import HttpIndex
    from ci_publish.publishing.ports import Signer

# The commands that upload, or write to a public log.
_IRREVERSIBLE = frozenset({"publish", "attest"})


class Composition:
    """The collaborators of a run for some settings, built when they are first needed, closed together."""

    def __init__(
        self,
        settings: Settings,
        context: RuntimeContext,
        *,
        connections: RunConnections | None = None,
        identity: IdentitySource | None = None,
    ) -> None:
        self.settings = settings
        self.context = context
        self._connections = connections or RunConnections(settings, context)
        self.interruption = self._connections.interruption
        self.transport = self._connections.transport
        self.patient_transport = self._connections.patient_transport
        self._indexes: list[HttpIndex] = []
        self.identity = identity or AmbientIdentity(
            job=CiEnvironment(context.environ),
            mask=context.mask,
            waiting=self.interruption.grace_period(),
            emit=context.emit,
            fetching=Fetching(transport=self.patient_transport, budget=settings.timeout or BUDGET),
        )
        self.credentials = ConfiguredCredentials(
            settings=settings,
            context=context,
            interruption=self.interruption,
            transport=self.patient_transport,
            identity=self.identity,
        )

    def close(self) -> None:
        """End all work in the background, and close every connection."""
        self._connections.waiting.close()
        for index in self._indexes:
            index.finish_prefetch()
        self._connections.close()

    def compose_run(self, command: str) -> Run:
        """Connect the parts of *command*. Raises ConfigurationError for wrong addresses and unwritable outputs."""
        if command in _IRREVERSIBLE:
            require_writable_outputs(self.settings)
        if self.settings.expect_wheels:
            _ = self.distributions  # raises for patterns that only the code of the checks can judge
        destinations = self.destinations(online=command not in {"check", "attest"})
        if command == "publish":
            for destination in destinations:
                self.credentials.require_usable_credential(destination.index.endpoints)
        if command in LISTING_COMMANDS:
            self._prefetch_listings()
        from ci_publish.attestations.attestation_files import require_no_attestation_files, write_attestations  # noqa: PLC0415  (late: not needed for that request)
        from ci_publish.attestations.provenance_verification import ProvenanceJudge  # noqa: PLC0415

        expected = self._expected_publishers(command)
        settings = self.settings
        if command == "attest":
            settings = settings.model_copy(update={"attestations_dir": settings.output_dir})
        return Run(
            distributions=self.distributions,
            destinations=destinations,
            signer=cache(self.compose_signer),
            verifier=ProvenanceJudge(self._sigstore_trust, named=expected or self.settings.attested_by),
            write_attestations=write_attestations,
            require_unwritten=require_no_attestation_files,
            emit=self.context.emit,
            waiting=self.interruption,
            clock=time.monotonic,
            options=settings,
            expected_publishers=expected,
            subjects=self._read_listed_subjects(command),
            last_question=self.interruption.last_question,
            registration=self.pending_publisher_form_link,
        )

    def pending_publisher_form_link(self, endpoints: Endpoints, project: str) -> str | None:
        """Return the link to the form for the pending publisher of a new project, with this job filled in."""
        from ci_publish.identity.pending_publishers import pending_publisher_link  # noqa: PLC0415  (for new projects)

        return pending_publisher_link(identity_of_ci_job(self.context.environ), endpoints, project)

    def _expected_publishers(self, command: str) -> tuple[PublisherIdentity, ...]:
        """Return who must have signed what ``verify`` finds: whom the user names, else this job's own repository.

        For PROJECT==VERSION, which may be anybody's, nobody is expected unless the user names them.
        """
        if command != "verify" or self.settings.publisher:
            return self.settings.publisher
        job = None if any("==" in path for path in self.settings.paths) else identity_of_ci_job(self.context.environ)
        return () if job is None else (PublisherIdentity(kind=job.publisher.kind, name=job.publisher.name),)

    def _read_listed_subjects(self, command: str) -> tuple[Subject, ...]:
        """Return the files that ``attest --subjects`` lists. Raises ConfigurationError."""
        if command != "attest" or self.settings.subjects is None:
            return ()
        from ci_publish.app.listed_subjects import read_listed_subjects  # noqa: PLC0415  (for one option)

        return read_listed_subjects(self.settings.subjects)

    def _prefetch_listings(self) -> None:
        """Start fetching the listings of the releases that the filenames indicate."""
        from ci_publish.distributions.release_guesses import guess_releases_of_paths  # noqa: PLC0415  (late: not for every command)

        expected = guess_releases_of_paths(self.settings.paths, recursive=self.settings.recursive)
        if not expected:
            return
        self._connections.preconnect()
        self.transport.import_network_modules()
        for index in self._indexes:
            index.begin_prefetch(expected, self._connections.told)

    @cached_property
    def distributions(self) -> "InterruptibleDistributions":
        """The local steps; MD5 is compared because Artifactory shows no SHA-256."""
        from ci_publish.app.interruptible_distributions import InterruptibleDistributions  # noqa: PLC0415  (late, see ``compose_run``)
        from ci_publish.distributions.local import LocalDistributions  # noqa: PLC0415
        from ci_publish.distributions.subfolders import Subfolders  # noqa: PLC0415

        settings = self.settings
        subfolders = Subfolders.IGNORE if settings.ignore_subfolders else Subfolders.REFUSE
        addresses = [self._connections.resolve_endpoints(url).upload for url in settings.repository_url]
        with_md5 = any("artifactory" in address for address in addresses)
        local = LocalDistributions(
            strict=settings.strict,
            rules=settings.rules,
            stated=stated_release(settings, self.context.environ),
            subfolders=Subfolders.TAKE if settings.recursive else subfolders,
            verify_metadata=settings.verify_metadata,
            with_md5=with_md5,
            attestations_dir=settings.attestations_dir,
            waiting=self.interruption,
        )
        return InterruptibleDistributions(local, self.interruption)

    @cached_property
    def _sigstore_trust(self) -> "TrustSource":
        from ci_publish.attestations.sigstore_trust import REFRESH_SECONDS, TrustSource  # noqa: PLC0415  (late, see ``publishing.context``)

        return TrustSource(
            emit=self.context.emit,
            config=_sigstore_trust_config_text(self.settings.sigstore_trust_config),
            seconds=self.settings.timeout or REFRESH_SECONDS,
        )

    def compose_signer(self) -> "Signer":
        """Create the signer; most of its imports are deferred until now."""
        from ci_publish.attestations.signers import AcceptedSigners  # noqa: PLC0415
        from ci_publish.attestations.signing_run import SigningContext, SigningPatience  # noqa: PLC0415
        from ci_publish.attestations.sigstore_signer import SigstoreSigner  # noqa: PLC0415

        patience = SigningPatience(budget=self.settings.signing_timeout)
        timeout = self.settings.timeout
        return SigstoreSigner(
            identity=self.identity,
            trust=self._sigstore_trust,
            context=SigningContext(
                emit=self.context.emit,
                waiting=self.interruption,
                patience=patience if timeout is None else replace(patience, request=timeout),
            ),
            signers=AcceptedSigners(
                job=identity_of_ci_job(self.context.environ),
                named=self.settings.attested_by,
                build_provenance=self.settings.build_provenance,
            ),
        )

    def destinations(self, *, online: bool = True) -> tuple[Destination, ...]:
        """Return each index with its credential; a rehearsal on loopback is recognised when *online*.

        Raises ConfigurationError for a secret that several servers would be shown, before any is.
        """
        indexes = [self.open_index(url, online=online) for url in self.settings.repository_url]
        self._indexes += indexes
        credentials = []
        for index in indexes:
            options = self.credentials.credential_options(index.endpoints)
            credential = choose_credential(index.endpoints, options, self.credentials.identity_context())
            self.interruption.when_abandoned(credential.burn)
            credentials.append(credential)
        if online:
            self.credentials.require_secret_not_shared([index.endpoints for index in indexes])
        return tuple(map(Destination, indexes, credentials))

    def endpoints(self, repository_url: str) -> Endpoints:
        """Return the addresses of an index by its upload URL or name, with what the user allows for it."""
        settings = self.settings
        indexes = {
            address: self._connections.resolve_endpoints(address)
            for address in (*settings.repository_url, repository_url)
        }
        endpoints = indexes[repository_url]
        return replace(
            endpoints,
            named_audience=named_audiences(settings.audience, indexes).get(repository_url),
            takes_any_token=accepts_any_api_token(settings, endpoints),
        )

    def attestation_policy_for(self, endpoints: Endpoints, kind: CredentialKind) -> AttestationPolicy:
        """Return whether attestations are created for an index with a credential of *kind*.

        Raises ConfigurationError if they are required and cannot be created with it.
        """
        from ci_publish.publishing.attest import resolve_attestation_policy  # noqa: PLC0415  (late, see ``publishing.context``)

        return resolve_attestation_policy(self.settings.attestations, kind, endpoints)

    def open_index(self, repository_url: str, *, online: bool) -> "HttpIndex":
        """Return the client of an index; a rehearsal on loopback is recognised when *online*."""
        from ci_publish.index.client import HttpIndex, recognise_rehearsal  # noqa: PLC0415  (late, see ``publishing.context``)

        endpoints = self.endpoints(repository_url)
        if not online and endpoints.upload == self.context.environ.get(index_endpoints.REHEARSAL_VARIABLE):
            endpoints = index_endpoints.known_rehearsal_endpoints(endpoints, self.settings.index_profile)
        if online:
            endpoints = recognise_rehearsal(endpoints, self.transport, self.settings.index_profile)
        return HttpIndex(
            endpoints=endpoints,
            transport=self.transport,
            emit=self._connections.told,
            waiting=self.interruption,
            listing_authorization=self.credentials.listing_authorization(endpoints),
        )


def _sigstore_trust_config_text(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        return read_settings_file(path)
    except (OSError, UnicodeDecodeError) as error:
        message = f"The Sigstore trust configuration {path} cannot be read: {error}"
        raise ConfigurationError(
            message, hints=(Hint("Specify a ClientTrustConfig file: ", option("sigstore_trust_config", "FILE")),)
        ) from error
