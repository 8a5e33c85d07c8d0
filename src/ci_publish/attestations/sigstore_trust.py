"""The trust root of a Sigstore instance, fetched in the background."""

import importlib.resources
import json
import re
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from ci_publish.attestations.sigstore_trouble import sigstore_exception_chain
from ci_publish.errors import ConfigurationError, UntrustedCertificate
from ci_publish.hints import Hint, option
from ci_publish.http.certificates import untrusted_certificate_reason
from ci_publish.model.events import Emit, Noted

if TYPE_CHECKING:
    from sigstore.models import ClientTrustConfig

# Four requests in series when nothing is cached; a hanging mirror would cost minutes.
REFRESH_SECONDS = 45.0

_TUNNEL_REFUSED = re.compile(r"Tunnel connection failed: (\d{3}.{0,100})")
_PUBLIC_INSTANCE = "https://tuf-repo-cdn.sigstore.dev"
_SIGNING_CONFIG = "signing_config.v0.2.json"
_SERVICES = ("caUrls", "rekorTlogUrls", "tsaUrls")
_MEDIA_TYPE = "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json"

Load = Callable[[], "ClientTrustConfig"]


def _load_public_trust() -> "ClientTrustConfig":
    from sigstore.models import ClientTrustConfig  # noqa: PLC0415  (importing sigstore takes 0.3 s)

    return ClientTrustConfig.production()


def _load_embedded_trust() -> "ClientTrustConfig":
    from sigstore.models import ClientTrustConfig  # noqa: PLC0415  (see above)

    try:
        return ClientTrustConfig.production(offline=True)
    except OSError:  # it copies the files into the user's cache first, which may not be writable
        folder = importlib.resources.files("sigstore") / "_store" / quote(_PUBLIC_INSTANCE, safe="")
        root, signing = (json.loads((folder / name).read_bytes()) for name in ("trusted_root.json", _SIGNING_CONFIG))
        packaged = {"mediaType": _MEDIA_TYPE, "trustedRoot": root, "signingConfig": signing}
        return ClientTrustConfig.from_json(json.dumps(packaged))


class TrustSource:
    """The trust configuration of one Sigstore instance: the public one, or that of a file. Thread-safe.

    The public instance's is refreshed over the network once, in a daemon thread that `prefetch` starts. When that fails
    (for another reason than a certificate of an unknown issuer) or takes longer than *seconds*, the copy that sigstore
    contains (or refreshed earlier) is used, with a warning. *config* is the content of a private instance's file, which
    is used as it is.
    """

    def __init__(  # noqa: PLR0913  (collaborators, by name)
        self,
        *,
        emit: Emit,
        config: str | None = None,
        seconds: float = REFRESH_SECONDS,
        clock: Callable[[], float] = time.monotonic,
        refreshed: Load = _load_public_trust,
        embedded: Load = _load_embedded_trust,
    ) -> None:
        self._emit = emit
        self._config = config
        self._seconds = seconds
        self._clock = clock
        self._refreshed = refreshed
        self._embedded = embedded
        self._lock = threading.Lock()
        self._refresh: _TrustRefresh | None = None
        self._result: ClientTrustConfig | None = None

    def prefetch(self) -> None:
        """Start importing sigstore and fetching the trust root. Idempotent; never raises."""
        self._started_refresh()

    def _started_refresh(self) -> "_TrustRefresh":
        with self._lock:
            if self._refresh is None:
                if self._config is not None:
                    message = f"This run uses a private Sigstore instance: {sigstore_instance_hosts(self._config)}."
                    self._emit(Noted(slug="sigstore-instance", message=message, warning=False))
                self._refresh = _TrustRefresh(self._load_trust_config, self._clock() + self._seconds)
                self._refresh.start()
            return self._refresh

    def wait_until_ready(self, seconds: float) -> bool:
        """Wait for at most *seconds*; return whether `get` would answer at once now."""
        refresh = self._started_refresh()
        if self._result is not None:
            return True
        refresh.join(seconds)
        return not refresh.is_alive() or self._clock() >= refresh.ends

    def get(self) -> "ClientTrustConfig":
        """Return the trust configuration; waits for what `prefetch` began.

        Raises ConfigurationError for a bad file, UntrustedCertificate where the server's issuer is not trusted.
        """
        refresh = self._started_refresh()
        with self._lock:
            if self._result is None:
                refresh.join(max(0.0, refresh.ends - self._clock()))
                if refresh.result is None and self._config is not None:
                    raise refresh.error or _bad_trust_config_error(f"it could not be read within {self._seconds:g} s")
                self._result = refresh.result or self._fall_back_to_embedded(refresh.error)
            return self._result

    def _load_trust_config(self) -> "ClientTrustConfig":
        import logging  # noqa: PLC0415  (only here)

        # Where nobody configured logging, the libraries' lines stay out of stderr: what matters is emitted.
        for name in ("sigstore", "tuf", "securesystemslib"):
            logger = logging.getLogger(name)
            if not any(isinstance(handler, logging.NullHandler) for handler in logger.handlers):
                logger.addHandler(logging.NullHandler())
        if self._config is None:
            return self._refreshed()
        from sigstore.models import ClientTrustConfig  # noqa: PLC0415  (importing sigstore takes 0.3 s)
        from sigstore.verify import Verifier  # noqa: PLC0415  (see above)

        try:
            json.loads(self._config)
        except (ValueError, RecursionError) as error:
            raise _bad_trust_config_error(f"it is not valid JSON: {error}") from error
        try:
            trust = ClientTrustConfig.from_json(self._config)
            _ = Verifier(trusted_root=trust.trusted_root), trust.signing_config
        except Exception as error:
            raise _bad_trust_config_error(
                f"it does not describe a Sigstore instance: {_trust_error_reasons(error)}"
            ) from error
        return trust

    def _fall_back_to_embedded(self, error: BaseException | None) -> "ClientTrustConfig":
        if (said := untrusted_certificate_reason(error)) is not None:
            message = f"Sigstore's trust root could not be refreshed: the server's certificate is not trusted ({said})."
            raise UntrustedCertificate(message) from error
        reason = f"no response within {self._seconds:g} s" if error is None else _trust_error_reasons(error)
        hints = ["Signatures are checked against keys that may have been replaced; a new run may help."]
        causes = [*sigstore_exception_chain(error)]
        if causes and (refused := _TUNNEL_REFUSED.search(str(causes[-1]))):  # a proxy answered, for example 407
            reason = f"the proxy refuses the connection: {refused[1]}"
            hints.append("Correct the proxy's address in HTTPS_PROXY, or add the host to NO_PROXY.")
        self._emit(
            Noted(
                slug="trust-root-not-refreshed",
                message=f"Sigstore's trust root could not be refreshed ({reason}); the copy that comes with "
                "sigstore is used.",
                hints=tuple(hints),
            )
        )
        return self._embedded()


class _TrustRefresh(threading.Thread):
    def __init__(self, load: Load, ends: float) -> None:
        super().__init__(daemon=True, name="sigstore-trust")
        self.ends = ends
        self.result: ClientTrustConfig | None = None
        self.error: BaseException | None = None
        self._load = load

    def run(self) -> None:
        try:
            self.result = self._load()
        except BaseException as error:  # noqa: BLE001  (handled by whoever waits)
            self.error = error


def sigstore_instance_hosts(config: str) -> str:
    """Return the hosts to which identities and signatures are sent with this configuration, for messages."""
    try:
        signing = json.loads(config)["signingConfig"]
        services = (service for kind in _SERVICES for service in signing.get(kind, ()))
        found = dict.fromkeys(urlsplit(str(service["url"])).netloc for service in services)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return "one that cannot be read"
    return ", ".join(host for host in found if host) or "one without services"


def _bad_trust_config_error(why: str) -> ConfigurationError:
    return ConfigurationError(
        "The Sigstore trust configuration cannot be used.",
        detail=f"{why[:1].upper()}{why[1:]}",
        hints=(
            Hint(
                "Provide a ClientTrustConfig JSON file (trusted root and signing configuration): ",
                option("sigstore_trust_config", "FILE"),
            ),
        ),
    )


def _trust_error_reasons(error: BaseException) -> str:
    """Return the texts of an exception and its causes, never empty."""
    words: list[str] = []
    for step in sigstore_exception_chain(error):
        text = " ".join(str(step).split())[:200] or type(step).__name__
        if not any(text in word for word in words):
            words.append(text)
    return "; ".join(words[:4])  # more would not help anybody
