"""The whole rehearsal world behind one port on loopback: an index, a CI identity provider and a Sigstore."""

import contextlib
import datetime as dt
import hashlib
import json
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from sigstore.models import ClientTrustConfig

from ci_publish.http.proxies import loopback_proxy_exceptions
from ci_publish.index.endpoints import REHEARSAL_VARIABLE
from ci_publish.rehearsal.identity_provider import RehearsalIdentityProvider
from ci_publish.rehearsal.index_server import IndexBehaviour, RehearsalIndex
from ci_publish.rehearsal.loopback_server import RehearsalServer
from ci_publish.rehearsal.loopback_tls import LoopbackTls, make_loopback_tls
from ci_publish.rehearsal.overlay import UpstreamOverlay
from ci_publish.rehearsal.sigstore import AUDIENCE as SIGSTORE_AUDIENCE
from ci_publish.rehearsal.sigstore import RehearsalSigstore
from ci_publish.rehearsal.simulated_job import Provider
from ci_publish.rehearsal.storage import RehearsalStorage
from ci_publish.rehearsal.trusted_publishing import AUDIENCE, TOKEN_LIFETIME_SECONDS, Registration
from ci_publish.rehearsal.upload_validation import FileValidator, server_refusal_of_file

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

    from _typeshed import OptExcInfo

ANNOUNCEMENT: Final = ("X-Ci-Publish-Rehearsal", "1")
CI_PREFIX: Final = "/ci"
_SIGSTORE_PREFIXES: Final = ("/api/v1/", "/api/v2/")

# In these variables, a real CI identifies itself and offers its identity tokens: a rehearsal must not use them.
_CI_VARIABLES: Final = frozenset(
    {
        "GITHUB_ACTIONS",
        "ACTIONS_ID_TOKEN_REQUEST_URL",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
        "GITLAB_CI",
        "CIRCLECI",
        "BUILDKITE",
        "GOOGLE_SERVICE_ACCOUNT_NAME",
    }
)


@dataclass(kw_only=True, repr=False, eq=False)
class RehearsalWorld:
    """All services that a publisher uses, on loopback while the context is entered; nothing is left afterwards.

    >>> with RehearsalWorld() as world, world.ambient("github"):
    ...     ...  # publish to world.repository_url

    *storage* is the index's folder, made if it does not exist; what earlier worlds published there is found again
    and still verifies. Without it a temporary folder is used. *port* 0 takes a free one. *claims* are those of the
    rehearsed CI job. *registrations* and *overlay*: see `IndexBehaviour`. Lifetimes are in seconds, *clock* gives
    Unix time.
    """

    storage: Path | None = None
    port: int = 0
    tls: bool = False
    registrations: Iterable[Registration] | None = None
    claims: dict[str, object] | None = None
    validate_file: FileValidator = server_refusal_of_file
    discovery: bool = False
    token_lifetime: float = TOKEN_LIFETIME_SECONDS
    certificate_lifetime: float = 600.0
    overlay: UpstreamOverlay | None = None
    clock: Callable[[], float] = time.time

    def __post_init__(self) -> None:
        """Prepare a world; nothing listens before the context is entered."""
        self._resources = contextlib.ExitStack()
        self._stopped = threading.Event()
        self._tls: LoopbackTls | None = None
        self.identity_provider = RehearsalIdentityProvider(claims=self.claims, clock=self.clock)
        self.sigstore = RehearsalSigstore(
            identity_provider=self.identity_provider, clock=self.clock, certificate_lifetime=self.certificate_lifetime
        )

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            self._private = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ci-publish-rehearsal-")))
            storage = stack.enter_context(contextlib.closing(RehearsalStorage(self.storage or self._private / "index")))
            if self.tls:
                self._tls = make_loopback_tls(self._private, dt.datetime.fromtimestamp(self.clock(), tz=dt.UTC))
            context = self._tls.context if self._tls else None
            self._server = RehearsalServer(app=self._run_world_app, port=self.port, tls=context)
            self._trust = TrustHistory(storage.folder / "trust")
            self._trust.remember_trusted_root(json.loads(self.sigstore.trusted_root(self.base_url)))
            own = json.loads(self.sigstore.trust_config(self.base_url))
            config = json.dumps({**own, "trustedRoot": self._trust.merged_trusted_root()}, indent=2)
            self.trust_config_path.write_text(config, encoding="utf-8")
            self.index = RehearsalIndex(
                storage=storage,
                identity_provider=self.identity_provider,
                trusted_root=ClientTrustConfig.from_json(config).trusted_root,
                behaviour=IndexBehaviour(
                    validate_file=self.validate_file,
                    registrations=None if self.registrations is None else tuple(self.registrations),
                    discovery=self.discovery,
                    token_lifetime=self.token_lifetime,
                    overlay=self.overlay,
                ),
                clock=self.clock,
            )
            stack.enter_context(self._server)
            self._resources = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._resources.close()

    @property
    def base_url(self) -> str:
        """Where the world is, without a slash at the end; its Simple API is at `/simple/`."""
        return self._server.base_url

    @property
    def repository_url(self) -> str:
        """The upload URL of its index."""
        return f"{self.base_url}/legacy/"

    @property
    def index_url(self) -> str:
        """The Simple API's root of its index, for pip's --index-url."""
        return f"{self.base_url}/simple/"

    @property
    def trust_config_path(self) -> Path:
        """The file with the ClientTrustConfig of its Sigstore: what clients sign and verify with."""
        return self._private / "trust-config.json"

    @property
    def certificate_authority_path(self) -> Path | None:
        """The file with the certificate of its own authority; None without TLS."""
        return self._tls.authority_file if self._tls else None

    @property
    def failures(self) -> tuple[Exception, ...]:
        """Errors inside the world itself: bugs, never caused by a client."""
        return self._server.failures

    def issue_api_token(self, project: str | None = None) -> str:
        """Return an API token for all projects of the index, or for one."""
        return self.index.issue_api_token(project)

    def environment(self, provider: Provider = "github", **claims: object) -> dict[str, str]:
        """Return the variables that make a child process act as a CI job of this world.

        *claims* replace single claims of the job. GitLab's identity tokens are issued now, each valid for one exchange.
        If this process uses a proxy, loopback is exempt from it.
        """
        return {**self._job_environment(provider, claims), **self.shared_environment}

    @property
    def shared_environment(self) -> dict[str, str]:
        """The variables that point ci-publish to this world, inside or outside a CI job."""
        return {
            "CI_PUBLISH_REPOSITORY_URL": self.repository_url,
            # Commands that do not connect to it, such as `check`, apply the same rules.
            REHEARSAL_VARIABLE: self.repository_url,
            "CI_PUBLISH_SIGSTORE_TRUST_CONFIG": str(self.trust_config_path),
            **self.tls_environment,
            **loopback_proxy_exceptions(os.environ),
        }

    @property
    def tls_environment(self) -> dict[str, str]:
        """The variables that make clients trust this world's certificate; none without TLS."""
        return self._tls.environment if self._tls else {}

    def _job_environment(self, provider: Provider, claims: dict[str, Any]) -> dict[str, str]:
        if provider == "gitlab":
            return self.identity_provider.gitlab_environment([AUDIENCE, SIGSTORE_AUDIENCE], **claims)
        return self.identity_provider.github_environment(f"{self.base_url}{CI_PREFIX}", **claims)

    @contextlib.contextmanager
    def ambient(
        self, provider: Provider = "github", environ: MutableMapping[str, str] = os.environ, **claims: object
    ) -> Iterator[None]:
        """Make this process a CI job of this world; inside the block, no real CI's identity can be requested.

        Not safe while other threads read the environment. Each variable is restored afterwards.
        """
        wanted = {
            **self._job_environment(provider, claims),
            **self.tls_environment,
            **loopback_proxy_exceptions(environ),
        }
        removed = {name for name in environ if name in _CI_VARIABLES or name.endswith("_ID_TOKEN")}
        before = {name: environ.get(name) for name in removed | wanted.keys()}
        for name in removed:
            del environ[name]
        environ.update(wanted)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    environ.pop(name, None)
                else:
                    environ[name] = value

    def wait(self, seconds: float | None = None) -> None:
        """Keep serving until Ctrl-C, until `stop` is called, or for *seconds*."""
        self._stopped.wait(seconds)

    def stop(self) -> None:
        """End `wait`; safe from any thread and from a signal handler."""
        self._stopped.set()

    def trusted_root(self) -> str:
        """Return the TrustedRoot JSON with which everything that this index has ever served verifies."""
        return json.dumps(self._trust.merged_trusted_root(), indent=2)

    def _run_world_app(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        def announced(
            status: str, headers: list[tuple[str, str]], exc_info: "OptExcInfo | None" = None, /
        ) -> Callable[[bytes], object]:
            return start_response(status, [*headers, ANNOUNCEMENT], exc_info)

        path = str(environ["PATH_INFO"])
        if path == CI_PREFIX or path.startswith(f"{CI_PREFIX}/"):
            environ["SCRIPT_NAME"], environ["PATH_INFO"] = CI_PREFIX, path.removeprefix(CI_PREFIX)
            return self.identity_provider.app(environ, announced)
        app = self.sigstore.app if path.startswith(_SIGSTORE_PREFIXES) else self.index.app
        return app(environ, announced)


class TrustHistory:
    """The trusted roots of all worlds that used one folder: what a Sigstore signed outlives its world."""

    _INSTANCES: Final = ("tlogs", "certificateAuthorities", "ctlogs")

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def remember_trusted_root(self, root: dict[str, Any]) -> None:
        """Keep a world's trusted root."""
        text = json.dumps(root)
        name = f"{len(list(self._folder.iterdir())):06}-{hashlib.sha256(text.encode()).hexdigest()[:16]}.json"
        (self._folder / name).write_text(text, encoding="utf-8")

    def merged_trusted_root(self) -> dict[str, Any]:
        """Return one trusted root that holds all of them, the newest first."""
        files = sorted(self._folder.glob("*.json"), reverse=True)
        roots = [json.loads(file.read_text(encoding="utf-8")) for file in files]
        together = {name: [instance for root in roots for instance in root[name]] for name in self._INSTANCES}
        return {**roots[0], **together}
