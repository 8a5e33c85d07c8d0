"""One setting for certificate authorities, for every client in this process.

Three HTTP libraries are in use, and each reads other variables: httpx (ours; SSL_CERT_FILE and the rest, see
``http.sockets``), requests (sigstore's; REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE only) and urllib3 on its own (id's and
tuf's; OpenSSL's defaults, which are SSL_CERT_FILE and SSL_CERT_DIR). So the value of one variable is set in all of
them.
"""

import os
from collections.abc import Callable, Mapping, MutableMapping

from ci_publish.errors import ConfigurationError

FILES = "SSL_CERT_FILE"
FOLDER = "SSL_CERT_DIR"
REQUESTS = "REQUESTS_CA_BUNDLE"
CURL = "CURL_CA_BUNDLE"
TWINE = "TWINE_CERT"
PIP = "PIP_CERT"

# X509_V_ERR_…: no issuer found, self-signed, self-signed in the chain, issuer not found locally, first not verified.
_UNKNOWN_ISSUER = frozenset({2, 18, 19, 20, 21})


def is_unknown_issuer_error(error: object) -> bool:
    """Return whether an ``SSLCertVerificationError`` is about an issuer that this machine does not trust."""
    return getattr(error, "verify_code", None) in _UNKNOWN_ISSUER


def untrusted_certificate_reason(error: BaseException | None) -> str | None:
    """Return OpenSSL's reason if *error* is about a certificate of an unknown issuer, else None."""
    while error is not None:
        if is_unknown_issuer_error(error):
            return str(getattr(error, "verify_message", ""))
        error = error.__cause__ or error.__context__
    return None


def openssl_has_authorities() -> bool:
    """Return whether OpenSSL finds authorities by itself; some builds of Python bring a path that does not exist."""
    import ssl  # noqa: PLC0415  (slow to import, and needed only where no variable names authorities)

    paths = ssl.get_default_verify_paths()
    return paths.cafile is not None or paths.capath is not None


def certifi_bundle() -> str:
    """Return the file of public authorities that requests and httpx use by default."""
    import certifi  # noqa: PLC0415  (only where it is needed)

    return certifi.where()


def followed_ca_variables(environ: Mapping[str, str]) -> list[str]:
    """Return the variables whose authorities count: SSL_CERT_FILE and SSL_CERT_DIR, else the first of the others."""
    openssl = [name for name in (FILES, FOLDER) if environ.get(name)]
    return openssl or [name for name in (TWINE, REQUESTS, CURL) if environ.get(name)][:1]


def ca_variables(
    environ: Mapping[str, str], *, has_authorities: Callable[[], bool] = openssl_has_authorities
) -> dict[str, str]:
    """Return the variables to set, besides those in *environ*, so that all clients trust the same authorities.

    The first of SSL_CERT_FILE, SSL_CERT_DIR, TWINE_CERT, REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE that is set counts; no
    variable that is set already is changed. Where none is set and OpenSSL has no authorities of its own, the public
    ones of certifi are named. Raises ConfigurationError for a path that does not exist.
    """
    if not (followed := followed_ca_variables(environ)):
        return {} if has_authorities() else {FILES: certifi_bundle()}
    name, path = followed[0], environ[followed[0]]
    is_folder = os.path.isdir(path)  # noqa: PTH112  (False, not an error, for what no path can be: a certificate's text)
    if not (is_folder or os.path.isfile(path)):  # noqa: PTH113
        raise ConfigurationError(
            f"{name} points to a certificate authority file that does not exist.",
            detail="Every connection is verified against it, so none can be made.",
            hints=(f"Correct {name}, or unset it to use the public certificate authorities.",),
        )
    openssl = FOLDER if is_folder else FILES
    wanted = {REQUESTS: path} if name in {FILES, FOLDER} else {openssl: path, REQUESTS: path}
    return {key: value for key, value in wanted.items() if not environ.get(key)}


def ignored_ca_variables(environ: Mapping[str, str]) -> list[str]:
    """Return the variables of other tools that name other authorities than the ones that count here; for hints."""
    followed = [environ[name] for name in followed_ca_variables(environ)]
    return [name for name in (PIP, REQUESTS, CURL) if environ.get(name) and environ[name] not in followed]


def apply_ca_variables(environ: MutableMapping[str, str]) -> None:
    """Set the variables of ``ca_variables``; to be called with ``os.environ`` before any client is made."""
    environ.update(ca_variables(environ))
