"""The only place that speaks with sigstore and pypi-attestations. Imported only when something is signed or verified.

Importing it takes 0.3 s; every other module of this room imports it inside functions. Only public names are used, and
every foreign exception becomes a ``Trouble`` here.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from urllib.parse import urlsplit

import requests
from cryptography import x509
from pydantic import ValidationError
from pypi_attestations import Attestation as Pep740Attestation
from pypi_attestations import (
    CircleCIPublisher,
    GitHubPublisher,
    GitLabPublisher,
    GooglePublisher,
    Provenance,
    VerificationMaterial,
)
from pypi_attestations import Distribution as Pep740Distribution
from pypi_attestations import Publisher as Pep740Publisher
from sigstore.errors import VerificationError
from sigstore.models import ClientTrustConfig
from sigstore.oidc import ExpiredIdentity, IdentityError
from sigstore.oidc import IdentityToken as SigstoreToken
from sigstore.sign import ExpiredCertificate, Signer, SigningContext  # type: ignore[attr-defined]  # not in an __all__
from sigstore.verify import Verifier, policy

from ci_publish.attestations.build_provenance import contradiction
from ci_publish.attestations.publishers import (
    Extension,
    Publisher,
    begins,
    build_configs,
    certificate_mismatch,
    circleci_publisher,
    github_publisher,
    gitlab_publisher,
    google_publisher,
    publisher_of,
)
from ci_publish.attestations.sessions import Limits, limit
from ci_publish.attestations.signers import CertificateFacts, utf8_string
from ci_publish.attestations.statements import PAYLOAD_TYPE, Subject, WrongStatement, read_statement
from ci_publish.attestations.trouble import (
    CertificateEnded,
    IdentityEnded,
    IdentityRefusal,
    Refusal,
    Rejection,
    Transient,
    Trouble,
    Unsound,
    Untrusted,
    answer_trouble,
)
from ci_publish.attestations.trust import TrustSource
from ci_publish.errors import CiPublishError, ConfigurationError, SigstoreRefused
from ci_publish.http.certificates import untrusted_cause
from ci_publish.http.urls import is_loopback_host
from ci_publish.model.attestation import SLSA_PROVENANCE_V1, Attestation
from ci_publish.model.events import Emit, RequestTraced
from ci_publish.model.frozen import frozen
from ci_publish.model.identity import IdentityToken

# PEP 740 has no place for signed timestamps, and an entry of Rekor v2 has no time of its own: as long as that is so,
# only v1 entries can ever be verified (pypi-attestations #143).
_NO_TIMESTAMPS = "timestamps" not in VerificationMaterial.model_fields

_REMEMBERED_CERTIFICATES = 16
# PyPI's leeway for clocks that differ, in seconds.
_BEARABLE_SKEW = 30.0
_EXPIRED_AT_SIGNING = "expired at time of signing"


@frozen(kw_only=True)
class Examined:
    """An attestation that verified: what it says, who made it, and when. Times in seconds since the epoch."""

    predicate_type: str
    log_index: int | None
    integrated_time: int | None
    lifetime: float
    certificate: CertificateFacts


class Examiner:
    """Verifies attestations against one trust configuration. Thread-safe."""

    def __init__(self, trust: ClientTrustConfig) -> None:
        self._verifier = Verifier(trusted_root=trust.trusted_root)
        self._certificates: dict[bytes, CertificateFacts] = {}

    def examine(self, attestation: Pep740Attestation, subject: Subject, publisher: Publisher | None) -> Examined:
        """Verify signature, certificate, log entry, statement and (unless None) publisher. Raises Unsound."""
        try:
            return self._examine(attestation, subject, publisher)
        except (Unsound, WrongStatement) as error:
            raise Unsound(str(error)) from error
        except Exception as error:
            raise Unsound(_words(error).removeprefix("Verification failed: ")) from error

    def _examine(self, attestation: Pep740Attestation, subject: Subject, publisher: Publisher | None) -> Examined:
        certificate = self._read(attestation)
        extensions = certificate.extensions
        if publisher is not None and (mismatch := certificate_mismatch(publisher, extensions)) is not None:
            raise Unsound(mismatch)
        bundle = attestation.to_bundle()
        kind, payload = self._verifier.verify_dsse(bundle, _policy(publisher, extensions))
        if kind != PAYLOAD_TYPE:
            raise Unsound(f"its payload is of type {kind}")
        statement = read_statement(payload, subject)
        if statement.predicate_type == SLSA_PROVENANCE_V1:
            difference = contradiction(statement.predicate, extensions)
            if difference is not None:
                raise Unsound(difference)
        entry = attestation.verification_material.transparency_entries[0]
        signing = bundle.signing_certificate
        return Examined(
            predicate_type=statement.predicate_type,
            log_index=_number(entry.get("logIndex")),
            integrated_time=_number(entry.get("integratedTime")),
            lifetime=(signing.not_valid_after_utc - signing.not_valid_before_utc).total_seconds(),
            certificate=certificate,
        )

    def _read(self, attestation: Pep740Attestation) -> CertificateFacts:
        """Return what the certificate says; all files of a run share one, so the last few are remembered."""
        raw = attestation.verification_material.certificate
        if (known := self._certificates.get(raw)) is None:
            if len(self._certificates) >= _REMEMBERED_CERTIFICATES:
                self._certificates.clear()
            known = self._certificates[raw] = _facts(attestation)
        return known


def _facts(attestation: Pep740Attestation) -> CertificateFacts:
    """Read a certificate: what pypi-attestations reads (extensions 8 to 22), the environment, the email address."""
    extensions = dict(attestation.certificate_claims)
    certificate = x509.load_der_x509_certificate(attestation.verification_material.certificate)
    email = None
    for extension in certificate.extensions:
        match extension.value:
            case x509.UnrecognizedExtension(oid=oid, value=value) if oid.dotted_string == Extension.ENVIRONMENT:
                extensions |= {} if (text := utf8_string(value)) is None else {Extension.ENVIRONMENT: text}
            case x509.SubjectAlternativeName() as names:
                email = next(iter(names.get_values_for_type(x509.RFC822Name)), None)
            case _:
                pass
    return CertificateFacts(extensions, email)


class _AnyIdentity:
    """Accepts every identity: for attestations by others, of whom only bytes and signature can be judged."""

    def verify(self, cert: object) -> None:
        """Accept *cert*."""


def _policy(publisher: Publisher | None, certificate: Mapping[str, str]) -> policy.VerificationPolicy:
    """Return PyPI's policy for *publisher*, in sigstore's own terms."""
    if publisher is None:
        return _AnyIdentity()
    rules: list[policy.VerificationPolicy] = [policy.OIDCIssuerV2(publisher.issuer)]
    rules += [_EXTENSION_POLICIES[extension](value) for extension, value in publisher.extensions]
    if publisher.build_config is not None:
        uris = build_configs(publisher.build_config, certificate)
        rules.append(policy.AnyOf([policy.OIDCBuildConfigURI(uri) for uri in uris]))
    if publisher.email is not None:
        rules.append(policy.Identity(identity=publisher.email, issuer=publisher.issuer))
    return policy.AllOf(rules)


_EXTENSION_POLICIES: dict[Extension, Callable[[str], policy.VerificationPolicy]] = {
    Extension.BUILD_SIGNER_URI: policy.OIDCBuildSignerURI,
    Extension.SOURCE_REPOSITORY_URI: policy.OIDCSourceRepositoryURI,
    Extension.SOURCE_REPOSITORY_REF: policy.OIDCSourceRepositoryRef,
}


def read_attestation(content: bytes) -> Pep740Attestation:
    """Parse a PEP 740 attestation object. Raises Unsound."""
    try:
        return Pep740Attestation.model_validate_json(content)
    except ValidationError as error:
        raise Unsound(f"it is not a PEP 740 attestation ({_first_problem(error)})") from error


@frozen
class ServedAttestation:
    """An attestation that an index serves, with the publisher and the environment that the index names for it."""

    publisher: Publisher
    environment: str | None
    attestation: Pep740Attestation


def read_provenance(content: bytes) -> Iterator[ServedAttestation]:
    """Parse what the Integrity API serves. Raises Unsound."""
    try:
        provenance = Provenance.model_validate_json(content)
    except ValidationError as error:
        raise Unsound(f"it is not a PEP 740 provenance object ({_first_problem(error)})") from error
    for bundle in provenance.attestation_bundles:
        publisher = _publisher(bundle.publisher)
        environment = getattr(bundle.publisher, "environment", None) or None
        yield from (ServedAttestation(publisher, environment, attestation) for attestation in bundle.attestations)


def _publisher(publisher: Pep740Publisher) -> Publisher:
    match publisher:
        case GitHubPublisher():
            return github_publisher(publisher.repository, publisher.workflow)
        case GitLabPublisher():
            return gitlab_publisher(publisher.repository, publisher.workflow_filepath)
        case GooglePublisher():
            return google_publisher(publisher.email)
        case CircleCIPublisher():
            return circleci_publisher(
                publisher.project_id, publisher.pipeline_definition_id, publisher.vcs_origin, publisher.vcs_ref
            )
        case _:
            raise Unsound(f"it names a publisher of an unknown kind ({publisher.kind})")


@frozen
class Made:
    """A fresh attestation that verified, and how long its certificate lives, in seconds."""

    attestation: Attestation
    lifetime: float


class SigstoreAuthority:
    """Certifies identities and attests files, at the Sigstore instance that *trust* describes.

    *seconds* bounds each request. `certify` is for one thread at a time.
    """

    def __init__(
        self, *, trust: TrustSource, seconds: float, emit: Emit, wall: Callable[[], float] = time.time
    ) -> None:
        self._trust = trust
        self._emit = emit
        self._limits = Limits(seconds)
        self._wall = wall

    def certify(self, token: IdentityToken) -> "Certified":
        """Obtain a certificate. Raises Trouble, or ConfigurationError for a bad trust configuration."""
        try:
            identity = SigstoreToken(token.secret.reveal(), client_id=token.audience)
        except IdentityError as error:
            raise self._unusable(token, error) from error
        config, context = self._config, self._context
        try:
            with context.signer(identity, cache=True) as signer:
                return Certified(
                    authority=self, signer=signer, examiner=Examiner(config), publisher=publisher_of(token.claims)
                )
        except ExpiredIdentity as error:
            raise IdentityEnded("the identity token has expired") from error
        except CiPublishError:
            raise
        except Exception as error:
            trouble = self.trouble("Sigstore's certificate authority", error)
            raise (IdentityRefusal(trouble.reason) if isinstance(trouble, Rejection) else trouble) from error

    def _unusable(self, token: IdentityToken, error: IdentityError) -> Trouble:
        """Return why sigstore does not take a token: too old or too young by this machine's clock, or a wrong one."""
        now = self._wall()
        early = begins(token) - now
        if token.expires is not None and token.expires <= now:
            return IdentityEnded("the identity token has expired")
        if early > 0:
            reason = f"the identity token is not valid for another {early:.1f} s"
            return Transient(reason, early) if early <= _BEARABLE_SKEW else IdentityEnded(reason)
        return IdentityRefusal("; ".join(dict.fromkeys(str(step) for step in _chain(error) if str(step))))

    @cached_property
    def _config(self) -> ClientTrustConfig:
        config = self._trust.get()
        if _NO_TIMESTAMPS:
            config.force_tlog_version = 1
        return config

    @cached_property
    def _context(self) -> SigningContext:
        try:
            signing = self._config.signing_config
        except Exception as error:
            raise SigstoreRefused(
                f"The Sigstore instance offers no service that attestations can be made with: {_words(error)}."
            ) from error
        fulcio = signing.get_fulcio()
        _require_privacy(fulcio.url)
        limit(fulcio.session, self._limits, self._trace)
        self.rekor = signing.get_tlogs()[0]
        tsas = [] if _NO_TIMESTAMPS else signing.get_tsas()
        return SigningContext(fulcio=fulcio, rekor=self.rekor, trusted_root=self._config.trusted_root, tsa_clients=tsas)

    def limit_this_thread(self) -> None:
        """Give the log client's session of this thread its limits, where the client shows it (Rekor v1 does)."""
        log = getattr(self.rekor, "log", None)
        if log is not None:
            limit(log.session, self._limits, self._trace)

    def _trace(self, method: str, url: str, result: str, seconds: float) -> None:
        self._emit(RequestTraced(method=method, url=url, result=result, seconds=seconds))

    def trouble(self, service: str, error: BaseException) -> Trouble:
        """Return what an exception of the libraries means."""
        for step in _chain(error):
            if (found := _ended(step) or self._unanswered(service, step)) is not None:
                return found
        return Transient(f"{service} gave an answer that is not understood ({_words(error)})")

    def _unanswered(self, service: str, error: BaseException) -> Trouble | None:
        match error:
            case requests.exceptions.TooManyRedirects():
                return Refusal(f"{service} answered with a redirect, which is not followed")
            case requests.RequestException(response=requests.Response() as answer) if not answer.ok:
                return answer_trouble(service, answer.status_code, _text(answer), answer.headers, self._wall())
            case requests.exceptions.JSONDecodeError():
                return Transient(f"{service} gave an answer that is not JSON")
            case requests.exceptions.Timeout():
                return Transient(f"{service} did not answer within {self._limits.seconds:g} s")
            case requests.RequestException():
                return _unconnected(service, error)
            case _:
                return None


def _ended(error: BaseException) -> Trouble | None:
    match error:
        case ExpiredCertificate():
            return CertificateEnded("the signing certificate has expired")
        case ExpiredIdentity():
            return IdentityEnded("the identity token has expired")
        case VerificationError():
            return Refusal(f"Sigstore's answer does not verify against the trust root ({_words(error)})")
        case _:
            return None


def _text(answer: requests.Response) -> str:
    """Return the beginning of an answer's body; guessing its encoding would take longer than it is worth."""
    return answer.content[:20_000].decode(errors="replace")


def _unconnected(service: str, error: BaseException) -> Trouble:
    if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.InvalidSchema):
        return Refusal(f"the address of {service} is no HTTP address ({_words(error)})")
    if (said := untrusted_cause(error)) is not None:
        return Untrusted(f"the certificate of {service} is not trusted ({said})")
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return Refusal(f"the certificate of {service} is not valid ({_words(error)})")
    if isinstance(error, requests.exceptions.ProxyError):
        return Transient(f"{service} cannot be reached: {_words(error)}")
    return Transient(f"the connection to {service} failed ({_words(error)})")


class Certified:
    """A signing certificate for one identity, good for any number of files while it lasts. Thread-safe."""

    def __init__(
        self, *, authority: SigstoreAuthority, signer: Signer, examiner: Examiner, publisher: Publisher
    ) -> None:
        self._authority = authority
        self._signer = signer
        self._examiner = examiner
        self._publisher = publisher

    def attest(self, subject: Subject) -> Made:
        """Sign, log and verify an attestation. Raises Trouble (Unsound when it does not verify)."""
        attestation = self._sign(subject)
        try:
            examined = self._examiner.examine(attestation, subject, self._publisher)
        except Unsound as error:
            if _EXPIRED_AT_SIGNING in error.reason:
                raise CertificateEnded(error.reason) from error
            raise
        return Made(value_of(attestation, subject.filename, examined), examined.lifetime)

    def _sign(self, subject: Subject) -> Pep740Attestation:
        try:
            distribution = Pep740Distribution(name=subject.filename, digest=subject.sha256)
        except ValidationError as error:
            raise Refusal(f"its name is not a distribution's ({_first_problem(error)})") from error
        try:
            self._authority.limit_this_thread()
            return Pep740Attestation.sign(self._signer, distribution)
        except CiPublishError:
            raise
        except Exception as error:
            raise self._authority.trouble("Sigstore's transparency log", error) from error


def value_of(attestation: Pep740Attestation, filename: str, examined: Examined) -> Attestation:
    """Return a verified attestation as our value."""
    extensions = examined.certificate.extensions
    return Attestation(
        filename=filename,
        predicate_type=examined.predicate_type,
        json=attestation.model_dump_json(),
        log_index=examined.log_index,
        integrated_time=examined.integrated_time,
        verified=True,
        signer=extensions.get(Extension.BUILD_SIGNER_URI) or examined.certificate.email,
        source=extensions.get(Extension.SOURCE_REPOSITORY_URI),
        commit=examined.certificate.commit,
        identity=examined.certificate.identity,
    )


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _words(error: BaseException) -> str:
    """Return the first words in a chain of exceptions, or the type's name: never nothing."""
    texts = (" ".join(str(step).split()) for step in _chain(error))
    return next((text[:300] for text in texts if text), type(error).__name__)


def _first_problem(error: ValidationError) -> str:
    problem = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(str(part) for part in problem["loc"])
    return f"{place}: {problem['msg']}" if place else problem["msg"]


def _require_privacy(url: str) -> None:
    """Refuse to send the identity token in clear text to another machine. Raises ConfigurationError."""
    parts = urlsplit(url)
    if parts.scheme != "https" and not is_loopback_host(parts.hostname or ""):
        raise ConfigurationError(
            f"The Sigstore trust configuration names a certificate authority without HTTPS: {url}",
            detail="The job's identity token would be sent to it in clear text.",
            hints=("Name it with https in the file that sigstore-trust-config names.",),
        )


def _number(value: object) -> int | None:
    return int(value) if isinstance(value, int | str) and str(value).isdecimal() else None
