"""The collaborators of this package: passed in by the composition root, replaced in tests."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from ci_publish.http.messages import HttpRequest, Transport
from ci_publish.identity.keyring import Keyring
from ci_publish.model.events import Emit
from ci_publish.model.frozen import frozen
from ci_publish.model.identity import IdentitySource, Secret
from ci_publish.model.waiting import Waiting


def keep_no_burn_request(_request: HttpRequest) -> Callable[[], None]:
    """Store no request: there is no watcher process."""
    return lambda: None


@frozen(kw_only=True)
class IdentityContext:
    """The collaborators of every credential.

    ``transport`` must still send requests while a run is being stopped, to burn tokens. ``mask`` is called with each
    secret before anything else is done with it. ``clock`` returns seconds since the epoch, ``random`` a number in
    [0, 1). ``shielded`` returns a context in which signals are deferred: from before a mint request until its token is
    stored. ``keyring`` returns a secret for an address and a user; it is passed only at a terminal. ``timeout``
    (seconds; None: the defaults) replaces the deadlines of requests for addresses, audiences and tokens, and can
    shorten that of burning; the transport ends a request after its own timeouts or the deadline, whichever is less.
    ``runner`` names a runner that sets GitHub's variables without being GitHub's. ``guard`` stores the request that
    burns an upload token, so that another process can send it if this one cannot, until the returned function is
    called.
    """

    source: IdentitySource
    transport: Transport
    waiting: Waiting
    emit: Emit
    mask: Callable[[Secret], None]
    clock: Callable[[], float]
    random: Callable[[], float]
    shielded: Callable[[], AbstractContextManager[None]] = nullcontext
    keyring: Keyring | None = None
    timeout: float | None = None
    runner: str | None = None
    guard: Callable[[HttpRequest], Callable[[], None]] = keep_no_burn_request
