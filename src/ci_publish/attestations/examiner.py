"""Verifies attestations with sigstore and pypi-attestations, and reads the objects that PEP 740 defines.

Imported only when something is signed or verified, which takes 0.3 s. Only public names of the two libraries are used,
and every foreign exception becomes ``Unsound`` here.
"""

from collections.abc import Callable, Iterator, Mapping

from cryptography import x509
from pydantic import ValidationError
from pypi_attestations import Attestation as Pep740Attestation
from pypi_attestations import (
    CircleCIPublisher,
    GitHubPublisher,
    GitLabPublisher,
    GooglePublisher,
    Provenance,
)
from sigstore.models import ClientTrustConfig
from sigstore.verify import Verifier, policy

from ci_publish.attestations.attestation_publishers import (
    Extension,
    Publisher,
    allowed_build_config_uris,
    certificate_mismatch,
    circleci_attestation_publisher,
    github_attestation_publisher,
    gitlab_attestation_publisher,
    google_attestation_publisher,
)
from ci_publish.attestations.in_toto_statements import PAYLOAD_TYPE, WrongStatement, parse_in_toto_statement
from ci_publish.attestations.provenance_predicates import provenance_contradiction
from ci_publish.attestations.signers import CertificateFacts, certificate_utf8_string
from ci_publish.attestations.sigstore_trouble import Unsound, trouble_text
from ci_publish.model.attestation import SLSA_PROVENANCE_V1, Attestation, Subject
from ci_publish.model.frozen import frozen

_REMEMBERED_CERTIFICATES = 16


@frozen(kw_only=True)
class Examined:
    """An attestation that verified: its content, its signer, and its time. Times in seconds since the epoch."""

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

    def examine_attestation(
        self, attestation: Pep740Attestation, subject: Subject, publisher: Publisher | None
    ) -> Examined:
        """Verify signature, certificate, log entry, statement and (unless None) publisher. Raises Unsound."""
        try:
            return self._verify_attestation(attestation, subject, publisher)
        except (Unsound, WrongStatement) as error:
            raise Unsound(str(error)) from error
        except Exception as error:
            raise Unsound(trouble_text(error).removeprefix("Verification failed: ")) from error

    def _verify_attestation(
        self, attestation: Pep740Attestation, subject: Subject, publisher: Publisher | None
    ) -> Examined:
        certificate = self._certificate_facts(attestation)
        extensions = certificate.extensions
        if publisher is not None and (mismatch := certificate_mismatch(publisher, extensions)) is not None:
            raise Unsound(mismatch)
        bundle = attestation.to_bundle()
        kind, payload = self._verifier.verify_dsse(bundle, _sigstore_policy(publisher, extensions))
        if kind != PAYLOAD_TYPE:
            raise Unsound(f"its payload is of type {kind}")
        statement = parse_in_toto_statement(payload, subject)
        is_provenance = statement.predicate_type == SLSA_PROVENANCE_V1
        if is_provenance and (difference := provenance_contradiction(statement.predicate, extensions)) is not None:
            raise Unsound(difference)
        entry = attestation.verification_material.transparency_entries[0]
        signing = bundle.signing_certificate
        return Examined(
            predicate_type=statement.predicate_type,
            log_index=_rekor_log_index_or_none(entry.get("logIndex")),
            integrated_time=_rekor_log_index_or_none(entry.get("integratedTime")),
            lifetime=(signing.not_valid_after_utc - signing.not_valid_before_utc).total_seconds(),
            certificate=certificate,
        )

    def _certificate_facts(self, attestation: Pep740Attestation) -> CertificateFacts:
        """Return what the certificate says; all files of a run share one, so the last few are remembered.

        That is what pypi-attestations reads (extensions 8 to 22), the environment and the email address.
        """
        raw = attestation.verification_material.certificate
        if (known := self._certificates.get(raw)) is None:
            if len(self._certificates) >= _REMEMBERED_CERTIFICATES:
                self._certificates.clear()
            extensions, email = dict(attestation.certificate_claims), None
            for extension in x509.load_der_x509_certificate(raw).extensions:
                match extension.value:
                    case x509.UnrecognizedExtension(oid=oid, value=value) if oid.dotted_string == Extension.ENVIRONMENT:
                        if (text := certificate_utf8_string(value)) is not None:
                            extensions[Extension.ENVIRONMENT] = text
                    case x509.SubjectAlternativeName() as names:
                        email = next(iter(names.get_values_for_type(x509.RFC822Name)), None)
                    case _:
                        pass
            known = self._certificates[raw] = CertificateFacts(extensions, email)
        return known


class _AnyIdentity:
    """Accepts every identity: for attestations by others, of which only bytes and signature can be verified."""

    def verify(self, cert: object) -> None:
        """Accept *cert*."""


def _sigstore_policy(publisher: Publisher | None, certificate: Mapping[str, str]) -> policy.VerificationPolicy:
    """Return PyPI's policy for *publisher*, in sigstore's own terms."""
    if publisher is None:
        return _AnyIdentity()
    rules: list[policy.VerificationPolicy] = [policy.OIDCIssuerV2(publisher.issuer)]
    rules += [_EXTENSION_POLICIES[extension](value) for extension, value in publisher.extensions]
    if publisher.build_config is not None:
        uris = allowed_build_config_uris(publisher.build_config, certificate)
        rules.append(policy.AnyOf([policy.OIDCBuildConfigURI(uri) for uri in uris]))
    if publisher.email is not None:
        rules.append(policy.Identity(identity=publisher.email, issuer=publisher.issuer))
    return policy.AllOf(rules)


_EXTENSION_POLICIES: dict[Extension, Callable[[str], policy.VerificationPolicy]] = {
    Extension.BUILD_SIGNER_URI: policy.OIDCBuildSignerURI,
    Extension.SOURCE_REPOSITORY_URI: policy.OIDCSourceRepositoryURI,
    Extension.SOURCE_REPOSITORY_REF: policy.OIDCSourceRepositoryRef,
}


def parse_attestation(content: bytes) -> Pep740Attestation:
    """Parse a PEP 740 attestation object. Raises Unsound."""
    try:
        return Pep740Attestation.model_validate_json(content)
    except ValidationError as error:
        raise Unsound(f"it is not a PEP 740 attestation ({first_attestation_validation_problem(error)})") from error


@frozen
class ServedAttestation:
    """An attestation that an index serves, with the publisher and the environment that the index names for it."""

    publisher: Publisher
    environment: str | None
    attestation: Pep740Attestation


def parse_provenance(content: bytes) -> Iterator[ServedAttestation]:
    """Parse what the Integrity API serves. Raises Unsound."""
    try:
        provenance = Provenance.model_validate_json(content)
    except ValidationError as error:
        raise Unsound(
            f"it is not a PEP 740 provenance object ({first_attestation_validation_problem(error)})"
        ) from error
    for bundle in provenance.attestation_bundles:
        match bundle.publisher:
            case GitHubPublisher() as named:
                publisher = github_attestation_publisher(named.repository, named.workflow)
            case GitLabPublisher() as named:
                publisher = gitlab_attestation_publisher(named.repository, named.workflow_filepath)
            case GooglePublisher() as named:
                publisher = google_attestation_publisher(named.email)
            case CircleCIPublisher() as named:
                publisher = circleci_attestation_publisher(
                    named.project_id, named.pipeline_definition_id, named.vcs_origin, named.vcs_ref
                )
            case unknown:
                raise Unsound(f"it names an unknown kind of publisher ({unknown.kind})")
        environment = getattr(bundle.publisher, "environment", None) or None
        yield from (ServedAttestation(publisher, environment, attestation) for attestation in bundle.attestations)


def attestation_from_pep740(attestation: Pep740Attestation, filename: str, examined: Examined) -> Attestation:
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
        builder=examined.certificate.signing_workflow,
    )


def sigstore_bundle_json(attestation: Attestation) -> str:
    """Return an attestation that verified as a Sigstore bundle (JSON), for other verifiers."""
    return parse_attestation(attestation.json.encode()).to_bundle().to_json()


def first_attestation_validation_problem(error: ValidationError) -> str:
    """Return the location and reason of the first problem in a document."""
    problem = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(str(part) for part in problem["loc"])
    return f"{place}: {problem['msg']}" if place else problem["msg"]


def _rekor_log_index_or_none(value: object) -> int | None:
    return int(value) if isinstance(value, int | str) and str(value).isdecimal() else None
