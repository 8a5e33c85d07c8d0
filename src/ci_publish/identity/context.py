"""What this package works with: given by the composition root, replaced by tests."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from ci_publish.http.messages import HttpRequest, Transport
from ci_publish.identity.keyring import Keyring
from ci_publish.model.events import Emit
from ci_publish.model.frozen import frozen
from ci_publish.model.identity import IdentitySource, Secret
from ci_publish.model.waiting import Waiting


def keep_no_burn_request(_request: HttpRequest) -> Callable[[], None]:
    """Keep no request, for a process that is not watched."""
    return lambda: None


@frozen(kw_only=True)
class IdentityContext:
    """The collaborators of every credential.

    ``transport`` must still send while a run is being stopped, for burning. ``mask`` is called with each secret before
    anything else. ``clock`` gives seconds since the epoch, ``random`` a number in [0, 1). ``shielded`` makes a context
    in which signals wait: open from before a mint request until its token is remembered. ``keyring`` gives a secret for
    an address and a user; it is passed only for people at a terminal. ``timeout`` (seconds, None: the defaults)
    takes the place of the deadlines of questions and mints, shorter or longer, and may shorten a burn's; the transport
    ends a request after the smaller of its own timeouts and the deadline. ``runner`` names a runner that sets GitHub's
    variables without being GitHub's. ``guard`` keeps the request that burns an upload token, for a process that sends
    it where this one cannot, until what it returns is called.
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
