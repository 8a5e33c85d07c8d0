"""Whom we believe: the trust root of a Sigstore instance, fetched while other things happen."""

import importlib.resources
import json
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from ci_publish.errors import ConfigurationError, UntrustedCertificate
from ci_publish.hints import Hint, option
from ci_publish.http.certificates import untrusted_certificate_reason
from ci_publish.model.events import Emit, Noted
from ci_publish.regular_files import read_settings_file

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
        return ClientTrustConfig.from_json(_packaged_trust_config())


def _packaged_trust_config() -> str:
    """Return the public instance's configuration as sigstore's own package holds it."""
    folder = importlib.resources.files("sigstore") / "_store" / quote(_PUBLIC_INSTANCE, safe="")
    root, signing = (json.loads((folder / name).read_bytes()) for name in ("trusted_root.json", _SIGNING_CONFIG))
    return json.dumps({"mediaType": _MEDIA_TYPE, "trustedRoot": root, "signingConfig": signing})


class TrustSource:
    """The trust configuration of one Sigstore instance: the public one, or that of a file. Thread-safe.

    The public instance's is refreshed over the network once, in a daemon thread that `prefetch` starts. When that fails
    (for another reason than a certificate of an unknown issuer) or takes longer than *seconds*, the copy that sigstore
    brings along (or refreshed earlier) is used, and a warning noted. A private instance's file is taken as it
    is.
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

    @classmethod
    def from_file(cls, path: Path, *, emit: Emit) -> "TrustSource":
        """Return the trust of the instance that a ClientTrustConfig file describes. Raises ConfigurationError."""
        try:
            config = read_settings_file(path)
            json.loads(config)
        except (OSError, ValueError, RecursionError) as error:
            raise _bad_trust_config_error(f"{path} is not valid JSON: {error}") from error
        return cls(emit=emit, config=config)

    def prefetch(self) -> None:
        """Begin to import sigstore and to fetch the trust root. Idempotent; never raises."""
        self._started_refresh()

    def _started_refresh(self) -> "_TrustRefresh":
        with self._lock:
            if self._refresh is None:
                if self._config is not None:
                    message = f"Sigstore: not the public instance, but {sigstore_instance_hosts(self._config)}."
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
                self._result = self._wait_for_refresh(refresh)
            return self._result

    def _load_trust_config(self) -> "ClientTrustConfig":
        _silence_library_logging()
        return self._refreshed() if self._config is None else _parse_trust_config(self._config)

    def _wait_for_refresh(self, refresh: "_TrustRefresh") -> "ClientTrustConfig":
        refresh.join(max(0.0, refresh.ends - self._clock()))
        if refresh.result is not None:
            return refresh.result
        if self._config is not None:
            raise refresh.error or _bad_trust_config_error(f"it could not be read within {self._seconds:g} s")
        return self._fall_back_to_embedded(refresh.error)

    def _fall_back_to_embedded(self, error: BaseException | None) -> "ClientTrustConfig":
        if (said := untrusted_certificate_reason(error)) is not None:
            message = f"Sigstore's trust root could not be refreshed: the server's certificate is not trusted ({said})."
            raise UntrustedCertificate(message) from error
        reason = f"no answer within {self._seconds:g} s" if error is None else _trust_error_reasons(error)
        hints = ["Signatures are checked against keys that may have been replaced; running again may help."]
        if (refused := _trust_proxy_refusal(error)) is not None:
            reason = f"the proxy refuses the connection: {refused}"
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
    """Return the hosts that a trust configuration sends identities and signatures to, for people."""
    try:
        signing = json.loads(config)["signingConfig"]
        services = (service for kind in _SERVICES for service in signing.get(kind, ()))
        found = dict.fromkeys(urlsplit(str(service["url"])).netloc for service in services)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return "one that cannot be read"
    return ", ".join(host for host in found if host) or "one without services"


def _parse_trust_config(config: str) -> "ClientTrustConfig":
    from sigstore.models import ClientTrustConfig  # noqa: PLC0415  (importing sigstore takes 0.3 s)
    from sigstore.verify import Verifier  # noqa: PLC0415  (see above)

    try:
        trust = ClientTrustConfig.from_json(config)
        _ = Verifier(trusted_root=trust.trusted_root), trust.signing_config
    except Exception as error:
        raise _bad_trust_config_error(
            f"it does not describe a Sigstore instance: {_trust_error_reasons(error)}"
        ) from error
    return trust


def _bad_trust_config_error(why: str) -> ConfigurationError:
    return ConfigurationError(
        "The Sigstore trust configuration cannot be used.",
        detail=why,
        hints=(
            Hint(
                "Give a ClientTrustConfig JSON file (trusted root and signing configuration): ",
                option("sigstore_trust_config", "FILE"),
            ),
        ),
    )


def _trust_proxy_refusal(error: BaseException | None) -> str | None:
    """Return what a proxy answered instead of connecting, such as 407, where that is the first cause of *error*."""
    while error is not None and (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    found = _TUNNEL_REFUSED.search(str(error))
    return None if found is None else found[1]


def _trust_error_reasons(error: BaseException) -> str:
    """Return an exception's words and those of its causes, never empty."""
    words: list[str] = []
    step: BaseException | None = error
    while step is not None and len(words) < 4:  # noqa: PLR2004  (more would not help anybody)
        text = " ".join(str(step).split())[:200] or type(step).__name__
        if not any(text in word for word in words):
            words.append(text)
        step = step.__cause__ or step.__context__
    return "; ".join(words)


def _silence_library_logging() -> None:
    """Keep the libraries' log lines out of stderr, where nobody configured logging: what matters is emitted."""
    import logging  # noqa: PLC0415  (only here)

    for name in ("sigstore", "tuf", "securesystemslib"):
        logger = logging.getLogger(name)
        if not any(isinstance(handler, logging.NullHandler) for handler in logger.handlers):
            logger.addHandler(logging.NullHandler())
