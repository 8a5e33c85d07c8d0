"""A certificate authority for one rehearsal, and its server certificate for loopback."""

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
from ci_publish.rehearsal.sigstore_authority import certificate_builder, certificate_key_usage

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

    The server's key is kept in *folder*, for its owner only; the authority's is not kept.
    """
    authority_key, server_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority_name, server_name = (
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        for name in ("ci-publish rehearsal authority", "localhost")
    )
    start, end = now - _EARLIER, now + _LIFETIME
    authority = (
        certificate_builder(authority_name, authority_name, authority_key.public_key(), start, end)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(certificate_key_usage(key_cert_sign=True, crl_sign=True), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    hosts = [x509.DNSName(name) for name in ("localhost", *names)]
    addresses = [x509.IPAddress(ipaddress.ip_address(address)) for address in _ADDRESSES]
    server = (
        certificate_builder(server_name, authority_name, server_key.public_key(), start, end)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([*hosts, *addresses]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(certificate_key_usage(digital_signature=True), critical=True)
        .add_extension(identifier, critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    authority_file, chain_file = folder / "rehearsal-ca.pem", folder / "rehearsal-server.pem"
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    authority_file.write_bytes(authority.public_bytes(pem))
    chain_file.touch(mode=0o600)
    private = server_key.private_bytes(pem, pkcs8, serialization.NoEncryption())
    chain_file.write_bytes(private + server.public_bytes(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(chain_file)
    return LoopbackTls(context, authority_file)
