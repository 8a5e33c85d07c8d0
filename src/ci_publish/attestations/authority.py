"""Sigstore's services, through sigstore and pypi-attestations: certificates, and attestations made with them.

Imported only when something is signed, which takes 0.3 s; only public names of the two libraries are used, and every
foreign exception becomes a ``Trouble`` here.
"""

import time
from collections.abc import Callable
from functools import cached_property
from urllib.parse import urlsplit

import requests
from pydantic import ValidationError
from pypi_attestations import Attestation as Pep740Attestation
from pypi_attestations import Distribution as Pep740Distribution
from pypi_attestations import VerificationMaterial
from sigstore.dsse import Statement
from sigstore.errors import VerificationError
from sigstore.models import ClientTrustConfig
from sigstore.oidc import ExpiredIdentity, IdentityError
from sigstore.oidc import IdentityToken as SigstoreToken
from sigstore.sign import ExpiredCertificate, Signer, SigningContext  # type: ignore[attr-defined]  # not in an __all__

from ci_publish.attestations.attestation_publishers import attestation_publisher_of_claims, token_validity_start
from ci_publish.attestations.examiner import Examiner, attestation_from_pep740, first_attestation_validation_problem
from ci_publish.attestations.in_toto_statements import in_toto_statement
from ci_publish.attestations.provenance_predicates import build_provenance_predicate
from ci_publish.attestations.signing_run import VerifiedAttestation
from ci_publish.attestations.sigstore_sessions import Limits, limit_sigstore_session
from ci_publish.attestations.sigstore_trouble import (
    MAX_BODY,
    Ended,
    IdentityRefusal,
    Refusal,
    Rejection,
    Transient,
    Trouble,
    Unsound,
    Untrusted,
    sigstore_exception_chain,
    trouble_of_sigstore_response,
    trouble_text,
)
from ci_publish.attestations.sigstore_trust import TrustSource
from ci_publish.errors import CiPublishError, ConfigurationError, SigstoreRefused
from ci_publish.hints import WITHOUT_ATTESTATIONS, Hint, option
from ci_publish.http.certificates import untrusted_certificate_reason
from ci_publish.http.urls import is_loopback_host
from ci_publish.model.attestation import SLSA_PROVENANCE_V1, Subject
from ci_publish.model.events import Emit, RequestTraced
from ci_publish.model.identity import Claims, IdentityToken

# PEP 740 has no place for signed timestamps, and an entry of Rekor v2 has no time of its own: as long as that is so,
# only v1 entries can ever be verified (pypi-attestations #143).
_NO_TIMESTAMPS = "timestamps" not in VerificationMaterial.model_fields

# PyPI's leeway for clocks that differ, in seconds.
_MAX_CLOCK_SKEW = 30.0
_EXPIRED_AT_SIGNING = "expired at time of signing"


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

    def certify(self, token: IdentityToken) -> "SigstoreCertificate":
        """Obtain a certificate. Raises Trouble, or ConfigurationError for a bad trust configuration."""
        try:
            identity = SigstoreToken(token.secret.reveal(), client_id=token.audience)
        except IdentityError as error:  # the token is too old or too young by this machine's clock, or wrong
            now = self._wall()
            early = token_validity_start(token) - now
            if token.expires is not None and token.expires <= now:
                raise Ended("the identity token has expired") from error
            if early > 0:
                reason = f"the identity token is not valid for another {early:.1f} s"
                raise (Transient(reason, early) if early <= _MAX_CLOCK_SKEW else Ended(reason)) from error
            words = dict.fromkeys(str(step) for step in sigstore_exception_chain(error) if str(step))
            raise IdentityRefusal("; ".join(words)) from error
        config, context = self._trust_config, self._signing_context
        try:
            with context.signer(identity, cache=True) as signer:
                return SigstoreCertificate(
                    authority=self, signer=signer, examiner=Examiner(config), claims=token.claims
                )
        except CiPublishError:
            raise
        except Exception as error:
            trouble = self.interpret_sigstore_error("Sigstore's certificate authority", error)
            raise (IdentityRefusal(trouble.reason) if isinstance(trouble, Rejection) else trouble) from error

    @cached_property
    def _trust_config(self) -> ClientTrustConfig:
        config = self._trust.get()
        if _NO_TIMESTAMPS:
            config.force_tlog_version = 1
        return config

    @cached_property
    def _signing_context(self) -> SigningContext:
        try:
            signing = self._trust_config.signing_config
        except Exception as error:
            raise SigstoreRefused(
                "The Sigstore instance offers no service that can create attestations.",
                detail=f"Its configuration says: {trouble_text(error)}.",
                hints=(
                    Hint("Specify the configuration of another instance: ", option("sigstore_trust_config", "FILE")),
                    WITHOUT_ATTESTATIONS,
                ),
            ) from error
        fulcio = signing.get_fulcio()
        address = urlsplit(fulcio.url)
        if address.scheme != "https" and not is_loopback_host(address.hostname or ""):
            raise ConfigurationError(
                f"The Sigstore trust configuration names a certificate authority without HTTPS: {fulcio.url}",
                detail="The job's identity token would be sent to it in clear text.",
                hints=(Hint("Specify it with https in the file that ", option("sigstore_trust_config"), " names."),),
            )
        limit_sigstore_session(fulcio.session, self._limits, self._emit_request_trace)
        self.rekor = signing.get_tlogs()[0]
        tsas = [] if _NO_TIMESTAMPS else signing.get_tsas()
        return SigningContext(
            fulcio=fulcio, rekor=self.rekor, trusted_root=self._trust_config.trusted_root, tsa_clients=tsas
        )

    def limit_log_session(self) -> None:
        """Give the log client's session of this thread its limits, if the client exposes it (Rekor v1 does)."""
        log = getattr(self.rekor, "log", None)
        if log is not None:
            limit_sigstore_session(log.session, self._limits, self._emit_request_trace)

    def _emit_request_trace(self, method: str, url: str, result: str, seconds: float) -> None:
        self._emit(RequestTraced(method=method, url=url, result=result, seconds=seconds))

    def interpret_sigstore_error(self, service: str, error: BaseException) -> Trouble:
        """Return the failure that an exception of the libraries means."""
        for step in sigstore_exception_chain(error):
            match step:
                case ExpiredCertificate():
                    return Ended("the signing certificate has expired")
                case ExpiredIdentity():
                    return Ended("the identity token has expired")
                case VerificationError():
                    return Refusal(f"Sigstore's response does not verify against the trust root ({trouble_text(step)})")
                case requests.RequestException():
                    return self._trouble_of_request_error(service, step)
                case _:
                    pass
        return Transient(f"{service} sent a response that cannot be understood ({trouble_text(error)})")

    def _trouble_of_request_error(self, service: str, error: requests.RequestException) -> Trouble:
        match error:
            case requests.exceptions.TooManyRedirects():
                return Refusal(f"{service} responded with a redirect, which is not followed")
            case requests.RequestException(response=requests.Response() as answer) if not answer.ok:
                text = answer.content[:MAX_BODY].decode(errors="replace")  # guessing its encoding would take long
                return trouble_of_sigstore_response(service, answer.status_code, text, answer.headers, self._wall())
            case requests.exceptions.JSONDecodeError():
                return Transient(f"{service} sent a response that is not JSON")
            case requests.exceptions.Timeout():
                return Transient(f"{service} did not respond within {self._limits.seconds:g} s")
            case _:
                return _sigstore_connection_trouble(service, error)


def _sigstore_connection_trouble(service: str, error: BaseException) -> Trouble:
    if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.InvalidSchema):
        return Refusal(f"the address of {service} is not an HTTP address ({trouble_text(error)})")
    if (said := untrusted_certificate_reason(error)) is not None:
        return Untrusted(f"the certificate of {service} is not trusted ({said})")
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return Refusal(f"the certificate of {service} is not valid ({trouble_text(error)})")
    if isinstance(error, requests.exceptions.ProxyError):
        return Transient(f"{service} cannot be reached: {trouble_text(error)}")
    return Transient(f"the connection to {service} failed ({trouble_text(error)})")


class SigstoreCertificate:
    """A signing certificate for one identity, good for any number of files while it lasts. Thread-safe."""

    def __init__(self, *, authority: SigstoreAuthority, signer: Signer, examiner: Examiner, claims: Claims) -> None:
        self._authority = authority
        self._signer = signer
        self._examiner = examiner
        self._claims = claims
        self._publisher = attestation_publisher_of_claims(claims)

    def attest(self, subject: Subject, predicate_type: str) -> VerifiedAttestation:
        """Sign, log and verify an attestation. Raises Trouble (Unsound when it does not verify)."""
        try:
            distribution = Pep740Distribution(name=subject.filename, digest=subject.sha256)
        except ValidationError as error:
            raise Refusal(
                f"its name is not that of a distribution ({first_attestation_validation_problem(error)})"
            ) from error
        try:
            self._authority.limit_log_session()
            if predicate_type == SLSA_PROVENANCE_V1:
                statement = in_toto_statement(subject, predicate_type, build_provenance_predicate(self._claims))
                attestation = Pep740Attestation.from_bundle(self._signer.sign_dsse(Statement(statement)))
            else:
                attestation = Pep740Attestation.sign(self._signer, distribution)
        except CiPublishError:
            raise
        except Exception as error:
            raise self._authority.interpret_sigstore_error("Sigstore's transparency log", error) from error
        try:
            examined = self._examiner.examine_attestation(attestation, subject, self._publisher)
        except Unsound as error:
            if _EXPIRED_AT_SIGNING in error.reason:
                raise Ended(error.reason) from error
            raise
        return VerifiedAttestation(attestation_from_pep740(attestation, subject.filename, examined), examined.lifetime)
