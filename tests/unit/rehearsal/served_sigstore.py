"""An identity provider and a Sigstore on loopback, for the tests that talk to them as any client would."""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pypi_attestations import Attestation, Distribution
from sigstore.models import ClientTrustConfig
from sigstore.oidc import IdentityToken
from sigstore.sign import Signer, SigningContext
from sigstore.verify import Verifier
from werkzeug.serving import WSGIRequestHandler, make_server

from ci_publish.rehearsal.identity_provider import RehearsalIdentityProvider
from ci_publish.rehearsal.sigstore import RehearsalSigstore

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from wsgiref.types import WSGIApplication

    from pypi_attestations import Publisher


class QuietHandler(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


@contextlib.contextmanager
def served(app: WSGIApplication) -> Iterator[str]:
    """Serve an application on loopback and give its URL."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=QuietHandler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass(frozen=True)
class ServedSigstore:
    identity_provider: RehearsalIdentityProvider
    sigstore: RehearsalSigstore
    url: str

    def trust_config(self) -> ClientTrustConfig:
        return ClientTrustConfig.from_json(self.sigstore.trust_config(self.url))

    @contextlib.contextmanager
    def signer(self, claims: Mapping[str, object] | None = None) -> Iterator[Signer]:
        token = IdentityToken(self.identity_provider.issue("sigstore", claims))
        with SigningContext.from_trust_config(self.trust_config()).signer(token) as signer:
            yield signer

    def attest(self, file: Path | Distribution, claims: Mapping[str, object] | None = None) -> Attestation:
        distribution = file if isinstance(file, Distribution) else Distribution.from_file(file)
        with self.signer(claims) as signer:
            return Attestation.sign(signer, distribution)

    def verify(self, attestation: Attestation, publisher: Publisher) -> bytes:
        """Verify against this world's trust root; returns the statement."""
        verifier = Verifier(trusted_root=self.trust_config().trusted_root)
        return verifier.verify_dsse(attestation.to_bundle(), publisher._as_policy())[1]  # noqa: SLF001


@contextlib.contextmanager
def served_sigstore(*, behind: float = 0.0, certificate_lifetime: float = 600.0) -> Iterator[ServedSigstore]:
    """Serve a Sigstore whose clock is so many seconds behind, with a provider whose clock is right."""
    provider = RehearsalIdentityProvider()
    sigstore = RehearsalSigstore(
        identity_provider=provider, clock=lambda: time.time() - behind, certificate_lifetime=certificate_lifetime
    )
    with served(sigstore.app) as url:
        yield ServedSigstore(provider, sigstore, url)
