"""The rehearsal's certificate authority, and the certificate transparency log that countersigns what it issues.

Profile: Fulcio's `docs/certificate-specification.md`; the embedded timestamp: RFC 6962 §3.2 and §3.3.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import string
import struct
from typing import TYPE_CHECKING, Final, assert_never
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ci_publish.rehearsal.fulcio_profile import EmailName, FulcioProfile, UriName

if TYPE_CHECKING:
    from collections.abc import Callable

ORGANIZATION: Final = "ci-publish rehearsal"
COMMON_NAME: Final = "ci-publish rehearsal root"

_YEARS: Final = dt.timedelta(days=3650)
_HEAD_START: Final = dt.timedelta(
    days=1
)  # the authority is a day older than the world, so that small clock differences do no harm
_SCT_LIST: Final = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")


class RehearsalCertificateAuthority:
    """A fresh root, intermediate and CT log key; issues short-lived signing certificates. Safe across threads."""

    def __init__(self, *, clock: Callable[[], float], lifetime: float) -> None:
        """Make the keys. `clock` gives Unix time; `lifetime` of the certificates is in seconds."""
        self._clock = clock
        self._lifetime = dt.timedelta(seconds=lifetime)
        self.valid_from = self._current_time() - _HEAD_START
        root_key, self._key = (ec.generate_private_key(ec.SECP384R1()) for _ in range(2))
        self._ct_key = ec.generate_private_key(ec.SECP256R1())
        root_name = _signing_x509_name(COMMON_NAME)
        self._root = self._issue_authority_certificate(
            root_name, root_key.public_key(), root_name, root_key, path_length=1
        )
        self._intermediate = self._issue_authority_certificate(
            _signing_x509_name("ci-publish rehearsal intermediate"),
            self._key.public_key(),
            root_name,
            root_key,
            path_length=0,
        )

    @property
    def chain(self) -> tuple[x509.Certificate, x509.Certificate]:
        """The intermediate and the root, in this order."""
        return self._intermediate, self._root

    @property
    def ct_public_key(self) -> bytes:
        """The CT log's public key, a DER SubjectPublicKeyInfo."""
        return subject_public_key_info(self._ct_key.public_key())

    def issue_signing_certificate(
        self, public_key: ec.EllipticCurvePublicKey, profile: FulcioProfile
    ) -> x509.Certificate:
        """Return a certificate for `public_key` that says what `profile` says, with one signed certificate timestamp.

        Raises `ValueError` when the profile's name cannot be written into a certificate.
        """
        name: x509.GeneralName
        match profile.name:
            case UriName(value):
                # Fulcio's URL type escapes what no certificate can hold: a tag may well be called "é".
                name = x509.UniformResourceIdentifier(quote(value, safe=string.punctuation))
            case EmailName(value):
                name = x509.RFC822Name(value)
            case _ as never:
                assert_never(never)
        now = self._current_time()
        builder = (
            certificate_builder(x509.Name([]), self._intermediate.subject, public_key, now, now + self._lifetime)
            .add_extension(certificate_key_usage(digital_signature=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .add_extension(x509.SubjectAlternativeName([name]), critical=True)
        )
        for oid, content in profile.extensions:
            extension = x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), content)
            builder = builder.add_extension(extension, critical=False)
        precertificate = builder.sign(self._key, hashes.SHA256())
        timestamps = self._certificate_timestamp_list(precertificate.tbs_certificate_bytes)
        builder = builder.add_extension(x509.UnrecognizedExtension(_SCT_LIST, timestamps), critical=False)
        return builder.sign(self._key, hashes.SHA256())

    def _certificate_timestamp_list(self, tbs_certificate: bytes) -> bytes:
        """Return a DER OCTET STRING around a TLS list with one signed certificate timestamp (RFC 6962 §3.2, §3.3)."""
        milliseconds = int(self._clock() * 1000)
        issuer_key_hash = hashlib.sha256(subject_public_key_info(self._key.public_key())).digest()
        certificate = len(tbs_certificate).to_bytes(3, "big") + tbs_certificate
        signed = struct.pack("!BBQH", 0, 0, milliseconds, 1) + issuer_key_hash + certificate + b"\0\0"
        signature = self._ct_key.sign(signed, ec.ECDSA(hashes.SHA256()))
        log_id = hashlib.sha256(self.ct_public_key).digest()
        sha256_with_ecdsa = b"\x04\x03"
        timestamp = (
            b"\0" + log_id + struct.pack("!QH", milliseconds, 0) + sha256_with_ecdsa
            + struct.pack("!H", len(signature)) + signature
        )  # fmt: skip
        entries = struct.pack("!H", len(timestamp)) + timestamp
        content = struct.pack("!H", len(entries)) + entries
        # A timestamp with a P-256 signature makes 119 to 124 bytes: always below DER's long form of a length.
        return bytes((0x04, len(content))) + content

    def _issue_authority_certificate(
        self,
        subject: x509.Name,
        public_key: ec.EllipticCurvePublicKey,
        issuer: x509.Name,
        issuer_key: ec.EllipticCurvePrivateKey,
        *,
        path_length: int,
    ) -> x509.Certificate:
        return (
            certificate_builder(subject, issuer, public_key, self.valid_from, self.valid_from + _YEARS)
            .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
            .add_extension(certificate_key_usage(key_cert_sign=True, crl_sign=True), critical=True)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
            .sign(issuer_key, hashes.SHA256())
        )

    def _current_time(self) -> dt.datetime:
        return dt.datetime.fromtimestamp(int(self._clock()), tz=dt.UTC)


def subject_public_key_info(key: ec.EllipticCurvePublicKey) -> bytes:
    """Return a public key as a DER SubjectPublicKeyInfo."""
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def certificate_builder(
    subject: x509.Name, issuer: x509.Name, public_key: ec.EllipticCurvePublicKey, start: dt.datetime, end: dt.datetime
) -> x509.CertificateBuilder:
    """Return a builder of a certificate that is valid from *start* to *end*, with the identifier of its key."""
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )


def _signing_x509_name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANIZATION),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def certificate_key_usage(
    *, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False
) -> x509.KeyUsage:
    """Return a Key Usage extension that allows these uses only."""
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
