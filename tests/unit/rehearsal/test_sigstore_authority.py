"""The certificate authority: Fulcio's profile and refusals."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from werkzeug.test import Client, TestResponse

from ci_publish.rehearsal.ci_claims import (
    simulated_buildkite_claims,
    simulated_github_claims,
    simulated_gitlab_claims,
    simulated_google_claims,
)
from ci_publish.rehearsal.identity_provider import RehearsalIdentityProvider
from ci_publish.rehearsal.sigstore import SIGNING_CERTIFICATE_PATH, RehearsalSigstore

if TYPE_CHECKING:
    from collections.abc import Mapping


def request_for(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def forged_request() -> bytes:
    """Return a request whose signature another key made: no proof of possession."""
    mine, theirs = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    der = x509.load_pem_x509_csr(request_for(mine)).public_bytes(serialization.Encoding.DER)
    point, other_point = (
        key.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
        for key in (mine, theirs)
    )
    forged = x509.load_der_x509_csr(der.replace(point, other_point))
    return forged.public_bytes(serialization.Encoding.PEM)


P256_REQUEST = request_for(ec.generate_private_key(ec.SECP256R1()))


class TestFulcio:
    """Who gets a certificate, and what it is like."""

    @pytest.fixture
    def provider(self) -> RehearsalIdentityProvider:
        return RehearsalIdentityProvider()

    @staticmethod
    def ask(
        sigstore: RehearsalSigstore, token: str, request: bytes | str = P256_REQUEST, *, in_body: bool = False
    ) -> TestResponse:
        encoded = request if isinstance(request, str) else base64.b64encode(request).decode()
        content: dict[str, object] = {"certificateSigningRequest": encoded}
        headers = {} if in_body else {"Authorization": f"Bearer {token}"}
        if in_body:
            content["credentials"] = {"oidcIdentityToken": token}
        return Client(sigstore.app).post(SIGNING_CERTIFICATE_PATH, json=content, headers=headers)

    @staticmethod
    def refusal(answer: TestResponse) -> str:
        assert answer.status_code == 400
        assert answer.json is not None
        assert answer.json["code"] == 3
        return str(answer.json["message"])

    @pytest.mark.parametrize("in_body", [False, True])
    def test_a_certificate_follows_fulcios_profile(self, provider: RehearsalIdentityProvider, *, in_body: bool) -> None:
        now = 1_800_000_000.9
        provider = RehearsalIdentityProvider(clock=lambda: now)
        sigstore = RehearsalSigstore(identity_provider=provider, clock=lambda: now, certificate_lifetime=120)

        answer = self.ask(sigstore, provider.issue("sigstore"), in_body=in_body)

        assert answer.status_code == 200
        assert answer.json is not None
        chain = answer.json["signedCertificateEmbeddedSct"]["chain"]["certificates"]
        leaf, intermediate, root = (x509.load_pem_x509_certificate(link.encode()) for link in chain)
        leaf.verify_directly_issued_by(intermediate)
        intermediate.verify_directly_issued_by(root)
        assert leaf.not_valid_before_utc.timestamp() == 1_800_000_000
        assert leaf.not_valid_after_utc.timestamp() == 1_800_000_120
        assert leaf.subject == x509.Name([])
        timestamps = leaf.extensions.get_extension_for_class(x509.PrecertificateSignedCertificateTimestamps).value
        assert len(timestamps) == 1
        assert leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).critical

    def test_the_chain_is_the_trust_bundle(self, provider: RehearsalIdentityProvider) -> None:
        sigstore = RehearsalSigstore(identity_provider=provider)
        answer = self.ask(sigstore, provider.issue("sigstore"))
        bundle = Client(sigstore.app).get("/api/v2/trustBundle").json
        assert answer.json is not None
        assert bundle is not None
        chain = answer.json["signedCertificateEmbeddedSct"]["chain"]["certificates"]
        assert bundle["chains"] == [{"certificates": chain[1:]}]

    @pytest.mark.parametrize(
        "claims",
        [simulated_github_claims(), simulated_gitlab_claims(), simulated_google_claims(), simulated_buildkite_claims()],
    )
    def test_a_list_of_audiences_is_enough(
        self, provider: RehearsalIdentityProvider, claims: Mapping[str, object]
    ) -> None:
        assert (
            self.ask(
                RehearsalSigstore(identity_provider=provider), provider.issue(["x", "sigstore"], claims)
            ).status_code
            == 200
        )

    def test_refused_tokens(self, provider: RehearsalIdentityProvider) -> None:
        sigstore = RehearsalSigstore(identity_provider=provider)
        tokens = {
            "none": "",
            "garbage": "a.b.c",
            "wrong audience": provider.issue("pypi"),
            "is not yours": RehearsalIdentityProvider().issue("sigstore"),
            "expired": provider.issue("sigstore", lifetime=-1),
            "unknown issuer": provider.issue("sigstore", iss="https://evil.example"),
            "claim missing": provider.issue("sigstore", {"iss": "https://gitlab.com", "sub": "x"}),
            "unverified e-mail": provider.issue("sigstore", simulated_google_claims(), email_verified=False),
        }
        for what, token in tokens.items():
            assert self.refusal(self.ask(sigstore, token)) == ("There was an error processing the identity token"), what

    @pytest.mark.parametrize(
        ("request_", "reason"),
        [
            ("%", "The certificate signing request could not be parsed"),
            (b"no request", "The certificate signing request could not be parsed"),
            (
                request_for(rsa.generate_private_key(public_exponent=65537, key_size=2048)),
                "The public key supplied in the request is insecure",
            ),
            (
                request_for(ec.generate_private_key(ec.SECP256K1())),
                "The public key supplied in the request is insecure",
            ),
            (forged_request(), "The signature supplied in the request could not be verified"),
        ],
    )
    def test_refused_requests(self, provider: RehearsalIdentityProvider, request_: bytes | str, reason: str) -> None:
        assert (
            self.refusal(self.ask(RehearsalSigstore(identity_provider=provider), provider.issue("sigstore"), request_))
            == reason
        )

    def test_a_name_that_no_certificate_can_hold(self, provider: RehearsalIdentityProvider) -> None:
        token = provider.issue("sigstore", simulated_google_claims(email="mé@example.org"))
        assert "A-label" in self.refusal(self.ask(RehearsalSigstore(identity_provider=provider), token))

    @pytest.mark.parametrize("body", [b"", b"[]", b"{", b"{}"])
    def test_no_request_at_all(self, provider: RehearsalIdentityProvider, body: bytes) -> None:
        token = provider.issue("sigstore")
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        answer = Client(RehearsalSigstore(identity_provider=provider).app).post(
            SIGNING_CERTIFICATE_PATH, data=body, headers=headers
        )
        assert self.refusal(answer) == "The certificate signing request could not be parsed"
