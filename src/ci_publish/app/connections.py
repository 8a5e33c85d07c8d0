"""The connections of a run. Little else is imported for them, so that the first is opened early."""

import os

from ci_publish.app.runtime_context import RuntimeContext
from ci_publish.app.settings import Settings
from ci_publish.http.transport import ConnectionLimits, HttpTransport
from ci_publish.identity.static_credentials import static_credential_objection
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
        self._begun = False

    def preconnect_if_accepted(self) -> None:
        """Begin to connect, unless the run may still be refused or find no files; then ``preconnect`` follows later.

        Raises ConfigurationError for a wrong address.
        """
        settings = self._settings
        endpoints, *others = [self.resolve_endpoints(address) for address in settings.repository_url]
        if others or settings.keyring or settings.anonymous or settings.attestations_dir is not None:
            return
        secret = settings.password
        refused = secret is not None and static_credential_objection(endpoints, settings.user, secret, "") is not None
        if not refused and any(map(os.path.lexists, settings.paths)):
            self.preconnect()

    def preconnect(self) -> None:
        """Begin to connect to the first index, if that was not begun before; nothing is sent yet.

        Raises ConfigurationError for a wrong address.
        """
        simple = self.resolve_endpoints(self._settings.repository_url[0]).simple
        if simple and not self._begun:
            self._begun = True
            self.transport.preconnect(simple)

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
