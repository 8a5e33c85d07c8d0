"""The rehearsal's Sigstore: Fulcio v2 and Rekor v1 behind one WSGI application, and the trust configuration for them.

Unmodified sigstore and pypi-attestations sign with it and verify against it. There is no timestamp authority: PEP 740
has no place for timestamps. Sources: Fulcio's `fulcio.proto` and `pkg/server/grpc_server.go`, Rekor's `openapi.yaml`,
protobuf-specs' `sigstore_trustroot`.
"""

from __future__ import annotations

import base64
import hashlib
import json
import time
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlsplit

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ci_publish.rehearsal.fulcio_profile import ProfileError, fulcio_profile_of_claims
from ci_publish.rehearsal.hooks import Hooks, wsgi_app_with_hooks
from ci_publish.rehearsal.identity_provider import IdentityTokenError, RehearsalIdentityProvider
from ci_publish.rehearsal.message_responses import json_response
from ci_publish.rehearsal.sigstore_authority import COMMON_NAME, ORGANIZATION, RehearsalCertificateAuthority
from ci_publish.rehearsal.sigstore_log import (
    EntryError,
    EquivalentEntryError,
    LogEntry,
    RehearsalTransparencyLog,
    base64_text,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from wsgiref.types import WSGIApplication

    from werkzeug.wrappers import Request, Response

AUDIENCE: Final = "sigstore"
SIGNING_CERTIFICATE_PATH: Final = "/api/v2/signingCert"
TRUST_BUNDLE_PATH: Final = "/api/v2/trustBundle"
LOG_PATH: Final = "/api/v1/log"
LOG_ENTRIES_PATH: Final = "/api/v1/log/entries"

_PRODUCTION_TUF: Final = "https://tuf-repo-cdn.sigstore.dev"
_INVALID_ARGUMENT: Final = 3  # gRPC's code; Fulcio answers it as HTTP 400


def prepare_sigstore_home(folder: Path, trust_config: str) -> dict[str, str]:
    """Make `folder` a home where sigstore's *production* instance, used offline, is that of a ClientTrustConfig JSON.

    Returns the variables to add to the environment of a child process (absolute, since platformdirs ignores relative
    paths; Linux only). `pypi_attestations.Attestation.verify(…, offline=True)` in that process then accepts what was
    signed with that instance, and nothing else.
    """
    config = json.loads(trust_config)
    data, cache = (folder.resolve() / name for name in ("data", "cache"))
    targets = cache / "sigstore-python" / "tuf" / quote(_PRODUCTION_TUF, safe="")
    for needed in (data, targets):
        needed.mkdir(parents=True, exist_ok=True)
    (targets / "trusted_root.json").write_text(json.dumps(config["trustedRoot"]), encoding="utf-8")
    (targets / "signing_config.v0.2.json").write_text(json.dumps(config["signingConfig"]), encoding="utf-8")
    return {"XDG_DATA_HOME": str(data), "XDG_CACHE_HOME": str(cache)}


class _RequestRefusedError(Exception):
    """Fulcio refuses a request, with one of its own messages."""


class RehearsalSigstore:
    """A Sigstore instance with keys and a log of its own, which live as long as the object. Safe across threads.

    Mount `app` at the root of a server: sigstore's clients drop a path prefix.
    """

    def __init__(
        self,
        *,
        identity_provider: RehearsalIdentityProvider,
        clock: Callable[[], float] = time.time,
        certificate_lifetime: float = 600.0,
    ) -> None:
        """Make an instance that trusts `identity_provider`; `clock` gives Unix time, the lifetime is in seconds."""
        self.hooks = Hooks()
        self.app: WSGIApplication = wsgi_app_with_hooks(self._handle_sigstore_request, self.hooks)
        self._identity_provider = identity_provider
        self._authority = RehearsalCertificateAuthority(clock=clock, lifetime=certificate_lifetime)
        self._log = RehearsalTransparencyLog(clock=clock)

    @property
    def entries(self) -> tuple[LogEntry, ...]:
        """All entries of the transparency log, oldest first."""
        return self._log.entries

    def trusted_root(self, base_url: str) -> str:
        """Return the TrustedRoot JSON to verify with what was signed here; `base_url` is where `app` is served."""
        return json.dumps(self._trusted_root_content(base_url.rstrip("/")), indent=2)

    def trust_config(self, base_url: str) -> str:
        """Return the ClientTrustConfig JSON (trusted root and signing configuration) for clients that sign here."""
        url = base_url.rstrip("/")
        valid_for = {"start": self._authority.valid_from.strftime("%Y-%m-%dT%H:%M:%SZ")}
        service = {"url": url, "majorApiVersion": 1, "validFor": valid_for, "operator": ORGANIZATION}
        return json.dumps(
            {
                "mediaType": "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
                "trustedRoot": self._trusted_root_content(url),
                "signingConfig": {
                    "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
                    "caUrls": [service],
                    "oidcUrls": [service],
                    "rekorTlogUrls": [service],
                    "tsaUrls": [],
                    "rekorTlogConfig": {"selector": "ANY"},
                    "tsaConfig": {"selector": "ANY"},
                },
            },
            indent=2,
        )

    def _handle_sigstore_request(self, request: Request) -> Response:
        match request.method, request.path:
            case "POST", path if path == SIGNING_CERTIFICATE_PATH:
                response = self._answer_certificate_request(request)
            case "GET", path if path == TRUST_BUNDLE_PATH:
                certificates = [_certificate_pem_text(link) for link in self._authority.chain]
                response = json_response({"chains": [{"certificates": certificates}]})
            case "GET", path if path == LOG_PATH:
                response = json_response(self._log.log_state(_log_name_for_request(request)))
            case "POST", path if path == LOG_ENTRIES_PATH:
                response = self._create_log_entry(request)
            case "GET", path if path == LOG_ENTRIES_PATH:
                entry = self._log.entry_by_index(request.args.get("logIndex", -1, type=int))
                response = self._log_entry_response(request, entry)
            case "GET", path if path.startswith(f"{LOG_ENTRIES_PATH}/"):
                entry = self._log.entry_by_uuid(path.removeprefix(f"{LOG_ENTRIES_PATH}/"))
                response = self._log_entry_response(request, entry)
            case _:
                response = json_response({"code": 404, "message": f"path {request.path} was not found"}, 404)
        return response

    def _answer_certificate_request(self, request: Request) -> Response:
        try:
            certificate = self._issue_signing_certificate(request)
        except _RequestRefusedError as refusal:
            return json_response({"code": _INVALID_ARGUMENT, "message": str(refusal), "details": []}, 400)
        chain = [_certificate_pem_text(link) for link in (certificate, *self._authority.chain)]
        return json_response({"signedCertificateEmbeddedSct": {"chain": {"certificates": chain}}}, 200)

    def _issue_signing_certificate(self, request: Request) -> x509.Certificate:
        content = request.get_json(silent=True)
        if not isinstance(content, dict):
            raise _RequestRefusedError("The certificate signing request could not be parsed")
        match content.get("credentials"):
            case {"oidcIdentityToken": str(token)} if token:
                pass
            case _:  # as sigstore-python sends it
                token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        try:
            # Fulcio's OIDC library grants no leeway for the end, and takes a list of audiences.
            claims = self._identity_provider.verify(token, AUDIENCE, leeway=0, single_audience=False)
            profile = fulcio_profile_of_claims(claims)
        except (IdentityTokenError, ProfileError) as error:
            raise _RequestRefusedError("There was an error processing the identity token") from error
        public_key = _require_proven_public_key(content)
        try:
            return self._authority.issue_signing_certificate(public_key, profile)
        except ValueError as error:
            raise _RequestRefusedError(str(error)) from error

    def _create_log_entry(self, request: Request) -> Response:
        try:
            entry = self._log.append_log_entry(request.get_json(silent=True))
        except EntryError as error:
            return json_response({"code": 400, "message": f"error processing entry: {error}"}, 400)
        except EquivalentEntryError as error:
            location = {"Location": f"{LOG_ENTRIES_PATH}/{error.entry.uuid}"}
            return json_response({"code": 409, "message": str(error)}, 409, location)
        headers = {"Location": f"{LOG_ENTRIES_PATH}/{entry.uuid}", "ETag": entry.uuid}
        return json_response(self._log.describe_entry(entry, _log_name_for_request(request)), 201, headers)

    def _log_entry_response(self, request: Request, entry: LogEntry | None) -> Response:
        if entry is None:
            return json_response({"code": 404, "message": "entry not found"}, 404)
        return json_response(self._log.describe_entry(entry, _log_name_for_request(request)))

    def _trusted_root_content(self, url: str) -> dict[str, object]:
        valid_for = {"start": self._authority.valid_from.strftime("%Y-%m-%dT%H:%M:%SZ")}
        chain = [
            {"rawBytes": base64_text(link.public_bytes(serialization.Encoding.DER))} for link in self._authority.chain
        ]
        return {
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [_transparency_log_instance(url, self._log.public_key, valid_for)],
            "certificateAuthorities": [
                {
                    "subject": {"organization": ORGANIZATION, "commonName": COMMON_NAME},
                    "uri": url,
                    "certChain": {"certificates": chain},
                    "validFor": valid_for,
                }
            ],
            "ctlogs": [_transparency_log_instance(f"{url}/ct", self._authority.ct_public_key, valid_for)],
            "timestampAuthorities": [],
        }


def _require_proven_public_key(content: dict[str, object]) -> ec.EllipticCurvePublicKey:
    """Return the public key of a request that its private key signed; only P-256, P-384 and P-521 keys are taken."""
    try:
        csr = x509.load_pem_x509_csr(base64.b64decode(str(content["certificateSigningRequest"]), validate=True))
        key, proven = csr.public_key(), csr.is_signature_valid
    except (KeyError, ValueError, UnsupportedAlgorithm) as error:
        raise _RequestRefusedError("The certificate signing request could not be parsed") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(
        key.curve, ec.SECP256R1 | ec.SECP384R1 | ec.SECP521R1
    ):
        raise _RequestRefusedError("The public key supplied in the request is insecure")
    if not proven:
        raise _RequestRefusedError("The signature supplied in the request could not be verified")
    return key


def _transparency_log_instance(url: str, public_key: bytes, valid_for: dict[str, str]) -> dict[str, object]:
    return {
        "baseUrl": url,
        "hashAlgorithm": "SHA2_256",
        "publicKey": {
            "rawBytes": base64_text(public_key),
            "keyDetails": "PKIX_ECDSA_P256_SHA_256",
            "validFor": valid_for,
        },
        "logId": {"keyId": base64_text(hashlib.sha256(public_key).digest())},
    }


def _log_name_for_request(request: Request) -> str:
    """Return the log's name in checkpoints: the host in the request, since verifiers compare it with the log's URL."""
    return urlsplit(request.host_url).hostname or "localhost"


def _certificate_pem_text(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
