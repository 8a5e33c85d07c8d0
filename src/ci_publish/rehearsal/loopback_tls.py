"""A certificate authority for one rehearsal, and a server certificate of it for loopback."""

import datetime as dt
import ipaddress
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ci_publish.model.frozen import frozen

_LIFETIME: Final = dt.timedelta(days=7)
# Clocks of containers on one machine may differ a little.
_EARLIER: Final = dt.timedelta(minutes=5)
_ADDRESSES: Final = ("127.0.0.1", "::1")


@frozen
class LoopbackTls:
    """What a server on loopback needs, and what its clients: a context, and the authority's certificate as a file."""

    context: ssl.SSLContext
    authority_file: Path

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which OpenSSL (Python, uv, curl), requests (twine, sigstore) and pip find the authority."""
        path = str(self.authority_file)
        names = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT", "NODE_EXTRA_CA_CERTS")
        return dict.fromkeys(names, path)


def make_loopback_tls(folder: Path, now: dt.datetime, names: Sequence[str] = ()) -> LoopbackTls:
    """Make an authority and a server certificate, both valid for a week from *now*, for loopback and *names*.

    The server's key is kept in *folder*, for its owner only; the authority's is forgotten.
    """
    authority_key, server_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority = _tls_authority_certificate(authority_key, now)
    server = _tls_server_certificate(server_key, authority, authority_key, now, names)
    authority_file, chain_file = folder / "rehearsal-ca.pem", folder / "rehearsal-server.pem"
    authority_file.write_bytes(_tls_certificate_pem(authority))
    chain_file.touch(mode=0o600)
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    private = server_key.private_bytes(pem, pkcs8, serialization.NoEncryption())
    chain_file.write_bytes(private + _tls_certificate_pem(server))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(chain_file)
    return LoopbackTls(context, authority_file)


def _tls_authority_certificate(key: ec.EllipticCurvePrivateKey, now: dt.datetime) -> x509.Certificate:
    name = _tls_x509_name("ci-publish rehearsal authority")
    builder = _tls_certificate_builder(name, name, key, now)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_tls_key_usage(signs_certificates=True), critical=True)
    return builder.sign(key, hashes.SHA256())


def _tls_server_certificate(
    key: ec.EllipticCurvePrivateKey,
    authority: x509.Certificate,
    signer: ec.EllipticCurvePrivateKey,
    now: dt.datetime,
    names: Sequence[str],
) -> x509.Certificate:
    hosts = [x509.DNSName(name) for name in ("localhost", *names)]
    addresses = [x509.IPAddress(ipaddress.ip_address(address)) for address in _ADDRESSES]
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    builder = _tls_certificate_builder(_tls_x509_name("localhost"), authority.subject, key, now)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(x509.SubjectAlternativeName([*hosts, *addresses]), critical=False)
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    builder = builder.add_extension(_tls_key_usage(signs_certificates=False), critical=True)
    return builder.add_extension(identifier, critical=False).sign(signer, hashes.SHA256())


def _tls_certificate_builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: dt.datetime
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - _EARLIER).not_valid_after(now + _LIFETIME)
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)


def _tls_key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _tls_x509_name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _tls_certificate_pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
