"""The connections of a run. Little else is imported for them, so that the first is opened early."""

from ci_publish.app.runtime_context import RuntimeContext
from ci_publish.app.settings import Settings
from ci_publish.http.transport import ConnectionLimits, HttpTransport
from ci_publish.index.endpoints import resolve_endpoints
from ci_publish.index.listing_prefetch import PrefetchEmitter, PrefetchWaiting
from ci_publish.model.index import Endpoints
from ci_publish.model.waiting import Waiting
from ci_publish.publishing.interruption import Interruption

LISTING_COMMANDS = frozenset({"publish", "plan", "diff", "verify"})
"""The commands that begin by fetching the listings of the files' projects."""


class RunConnections:
    """The transports of a run, and what stops their requests.

    ``patient_transport`` is for requests that a stopped run still makes: burning tokens, and minting to the end.
    """

    def __init__(self, settings: Settings, context: RuntimeContext) -> None:
        self._settings = settings
        self._environ = context.environ
        self.interruption = context.interruption or Interruption(settings.deadline)
        self.told = PrefetchEmitter(context.emit)
        self.waiting = PrefetchWaiting(self.interruption)
        self.transport = self._new_transport(self.waiting)
        self.patient_transport = self._new_transport(self.interruption.grace_period())

    def preconnect(self) -> None:
        """Begin to connect to the first index, while everything else is imported; nothing is sent yet.

        Raises ConfigurationError if one of the addresses is wrong: then there is no connection to any of them.
        """
        first, *_ = [self.resolve_endpoints(address) for address in self._settings.repository_url]
        if first.simple:
            self.transport.preconnect(first.simple)

    def resolve_endpoints(self, repository_url: str) -> Endpoints:
        """Return the addresses of an index by its upload URL or name. Raises ConfigurationError."""
        settings = self._settings
        return resolve_endpoints(
            repository_url, settings.index_url, settings.index_profile, allow_http=frozenset(settings.allow_http)
        )

    def close(self) -> None:
        """Close every connection. Idempotent."""
        self.transport.close()
        self.patient_transport.close()

    def _new_transport(self, waiting: Waiting) -> HttpTransport:
        settings = self._settings
        return HttpTransport(
            waiting=waiting,
            emit=self.told,
            limits=ConnectionLimits(
                timeout=settings.timeout, allow_http=frozenset(settings.allow_http), connections=settings.jobs + 1
            ),
            environ=self._environ,
        )
