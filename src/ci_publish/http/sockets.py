"""Socket operations with a deadline: lookup, connection, TLS handshake; and the certificates that TLS trusts.

Every wait counts down the deadline of the attempt that it belongs to, and ends early when the run is cut off.
"""

import contextlib
import functools
import os
import queue
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, TypeVar

from ci_publish.http.certificates import certifi_bundle, followed_ca_variables, is_unknown_issuer_error
from ci_publish.http.messages import NoAnswerReason
from ci_publish.http.urls import is_loopback_host
from ci_publish.model.frozen import frozen
from ci_publish.model.waiting import Waiting

T = TypeVar("T")

SLICE = 0.1
MIN_CONNECT_SHARE = 3.0
# Everything in a response except its body: status line, headers, interim answers, chunk sizes, trailers.
MAX_OVERHEAD = 256 * 1024


@frozen(kw_only=True)
class Timeouts:
    """How long single steps may take, in seconds; ``answer`` is from the last byte sent to the last byte received."""

    connect: float = 10.0
    tls: float = 10.0
    read: float = 30.0
    answer: float = 300.0

    @classmethod
    def same_for_every_wait(cls, seconds: float) -> "Timeouts":
        """Return the same limit for every single wait."""
        return cls(connect=seconds, tls=seconds, read=seconds, answer=seconds)


class ConnectionFailed(Exception):
    """The attempt failed without a response."""

    def __init__(self, reason: NoAnswerReason, text: str) -> None:
        super().__init__(text)
        self.reason = reason
        self.text = text


@dataclass(slots=True, kw_only=True)
class RequestAttempt:
    """How much time one request has left, and how far it got. Used only by the thread that sends it."""

    timeouts: Timeouts
    end: float
    waiting: Waiting
    limit: int
    uploads: bool = False
    clock: Callable[[], float] = time.monotonic
    received: int = 0
    handed_over: bool = False
    sent_at: float | None = None

    def operation_deadline(self, seconds: float) -> float:
        """Return the time by which an operation of at most *seconds* that begins now must end."""
        return min(self.end, self.clock() + seconds)

    def read_deadline(self) -> float:
        """Return the time by which the next read must end; the first after an upload may take longer."""
        patient = self.uploads and self.received == 0
        end = self.operation_deadline(self.timeouts.answer if patient else self.timeouts.read)
        return end if self.sent_at is None else min(end, self.sent_at + self.timeouts.answer)

    def next_check_wait(self, until: float, what: str) -> float:
        """Return how long to wait before the next check. Raises ConnectionFailed when time is up or the run ends."""
        if self.waiting.cut:
            raise ConnectionFailed(NoAnswerReason.CANCELLED, "the run was stopped")
        left = until - self.clock()
        if left <= 0:
            raise ConnectionFailed(NoAnswerReason.TIMEOUT, f"timed out while {what}")
        return min(left, SLICE)

    def count_received_bytes(self, received: int) -> None:
        """Count bytes from the server. Raises ConnectionFailed if it sends more than any response needs."""
        self.received += received
        if self.received > self.limit + MAX_OVERHEAD:
            raise ConnectionFailed(NoAnswerReason.PROTOCOL, "the response does not end")


# --- waiting


def poll_socket(sock: socket.socket, *, read: bool, write: bool, seconds: float) -> tuple[bool, bool]:
    """Wait until *sock* is readable or writable, at most *seconds*; errors count as both."""
    if hasattr(select, "poll"):
        poller = select.poll()
        poller.register(sock, (select.POLLIN if read else 0) | (select.POLLOUT if write else 0))
        events = dict(poller.poll(seconds * 1000)).get(sock.fileno(), 0)
        failed = bool(events & (select.POLLERR | select.POLLHUP | select.POLLNVAL))
        return read and (bool(events & select.POLLIN) or failed), write and (bool(events & select.POLLOUT) or failed)
    readable, writable, errors = map(bool, select.select([sock] * read, [sock] * write, [sock], seconds))
    return read and (readable or errors), write and (writable or errors)


def retry_socket_operation(
    sock: socket.socket, attempt: RequestAttempt, operation: Callable[[], T], until: float, what: str
) -> T:
    """Repeat a non-blocking *operation* of *sock* until it succeeds, or raise ConnectionFailed."""
    while True:
        try:
            return operation()
        except (BlockingIOError, ssl.SSLWantReadError):
            poll_socket(sock, read=True, write=False, seconds=attempt.next_check_wait(until, what))
        except ssl.SSLWantWriteError:
            poll_socket(sock, read=False, write=True, seconds=attempt.next_check_wait(until, what))
        except OSError as error:
            raise connection_failure_of_error(error, what) from error


def connection_failure_of_error(error: OSError, what: str) -> ConnectionFailed:
    """Map an error of a socket or of TLS."""
    if isinstance(error, ssl.SSLCertVerificationError) and is_unknown_issuer_error(error):
        return ConnectionFailed(
            NoAnswerReason.UNTRUSTED_CERTIFICATE,
            f"the server's certificate is not trusted ({error.verify_message}); if your own authority issued it, set "
            "the environment variable SSL_CERT_FILE to the authority's certificate",
        )
    if isinstance(error, ssl.SSLCertVerificationError):
        return ConnectionFailed(
            NoAnswerReason.INVALID_CERTIFICATE, f"the server's certificate is not valid ({error.verify_message})"
        )
    if isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError):
        return ConnectionFailed(
            NoAnswerReason.TLS, f"TLS failed while {what}: {getattr(error, 'reason', None) or 'unknown reason'}"
        )
    text = "the connection was closed" if isinstance(error, ssl.SSLEOFError) else _os_error_text(error)
    return ConnectionFailed(NoAnswerReason.RESET, f"{text} while {what}")


def _os_error_text(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()


# --- connecting


def connect_socket(host: str, port: int, attempt: RequestAttempt) -> socket.socket:
    """Connect to the first address of *host* that accepts the connection. Raises ConnectionFailed."""
    until = attempt.operation_deadline(attempt.timeouts.connect)
    addresses = _look_up_addresses(host, port, attempt, until)
    problem = ConnectionFailed(NoAnswerReason.CONNECT, f"{host} has no address")
    for number, (family, address) in enumerate(addresses):
        share = max(MIN_CONNECT_SHARE, (until - attempt.clock()) / (len(addresses) - number))
        try:
            return _connect_to_address(family, address, attempt, min(until, attempt.operation_deadline(share)))
        except ConnectionFailed as error:
            if error.reason is NoAnswerReason.CANCELLED:
                raise
            problem = error
    raise problem


def start_tls_on_socket(
    sock: socket.socket, context: ssl.SSLContext, hostname: str | None, attempt: RequestAttempt
) -> ssl.SSLSocket:
    """Set up TLS over *sock*, which the result replaces; close it on failure. Raises ConnectionFailed."""
    try:
        secure = context.wrap_socket(sock, server_hostname=hostname, do_handshake_on_connect=False)
    except BaseException:
        close_socket(sock)
        raise
    try:
        retry_socket_operation(
            secure, attempt, secure.do_handshake, attempt.operation_deadline(attempt.timeouts.tls), "setting up TLS"
        )
    except BaseException:
        close_socket(secure)
        raise
    return secure


def close_socket(sock: socket.socket) -> None:
    """Close *sock*. Idempotent."""
    with contextlib.suppress(OSError):
        sock.close()


Address = tuple[socket.AddressFamily, Any]


def _look_up_addresses(host: str, port: int, attempt: RequestAttempt, until: float) -> list[Address]:
    """Look *host* up; the system's resolver has no timeout, so it runs in a thread that may be abandoned."""
    with contextlib.suppress(ValueError):
        family = socket.AF_INET if ip_address(host).version == 4 else socket.AF_INET6  # noqa: PLR2004
        return [(family, (host, port))]
    result: queue.SimpleQueue[list[Address] | OSError] = queue.SimpleQueue()
    threading.Thread(target=lambda: result.put(resolve_host(host, port)), name="ci-publish-lookup", daemon=True).start()
    found: list[Address] | OSError | None = None
    while found is None:
        pause = attempt.next_check_wait(until, f"looking up {host}")
        with contextlib.suppress(queue.Empty):
            found = result.get(timeout=pause)
    if isinstance(found, OSError):
        raise ConnectionFailed(
            NoAnswerReason.CONNECT, f"{host} cannot be looked up: {_os_error_text(found)}"
        ) from found
    return found


def resolve_host(
    host: str, port: int, getaddrinfo: Callable[..., Sequence[Any]] = socket.getaddrinfo
) -> list[Address] | OSError:
    """Return the addresses of *host*, or why there are none. Names below localhost have loopback addresses only."""
    try:
        found = getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        return error
    except UnicodeError as error:
        return OSError(0, f"not a host name ({type(error).__name__})")
    addresses: list[Address] = [(family, address) for family, _, _, _, address in found]
    if not is_loopback_host(host):
        return addresses
    # RFC 6761 §6.3: a name below localhost means this machine, whatever a name server says.
    local = [each for each in addresses if is_loopback_host(str(each[1][0]))]
    return local or OSError(0, "a name below localhost does not resolve to a loopback address")


def _connect_to_address(
    family: socket.AddressFamily,
    address: Any,  # noqa: ANN401
    attempt: RequestAttempt,
    until: float,
) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)  # noqa: FBT003  (the standard library's signature)
        with contextlib.suppress(BlockingIOError):
            sock.connect(address)
        while not poll_socket(sock, read=False, write=True, seconds=attempt.next_check_wait(until, "connecting"))[1]:
            pass
        code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise OSError(code, os.strerror(code))  # noqa: TRY301  (one place maps the errors of connecting)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError as error:
        sock.close()
        raise ConnectionFailed(
            NoAnswerReason.CONNECT, f"cannot connect to {address[0]} port {address[1]}: {_os_error_text(error)}"
        ) from error
    except BaseException:
        sock.close()
        raise
    return sock


# --- trust


def trusted_ssl_context(environ: Mapping[str, str]) -> ssl.SSLContext:
    """Return the context that certificates are checked with; checks cannot be switched off.

    A bundle that the environment names (SSL_CERT_FILE and SSL_CERT_DIR; else the first of TWINE_CERT,
    REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE) replaces the public authorities; otherwise those of certifi and of the
    system are used. Raises ConnectionFailed if the bundle cannot be read. The same environment gets the same
    context: reading the bundle costs 35 ms.
    """
    return _ssl_context_for_bundles(tuple((name, environ[name]) for name in followed_ca_variables(environ)))


@functools.lru_cache(maxsize=4)
def _ssl_context_for_bundles(bundles: tuple[tuple[str, str], ...]) -> ssl.SSLContext:
    """Return the context that trusts *bundles*: the variables that name them, and their paths."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # A bundle may contain only a company's intermediate authority (also the default of Python 3.13).
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    for variable, path in bundles:
        try:
            if os.path.isdir(path):  # noqa: PTH112  (a name from the environment, passed on unchanged)
                context.load_verify_locations(capath=path)
            else:
                context.load_verify_locations(cafile=path)
        except OSError as error:  # also ssl.SSLError, for a file that holds no certificates
            raise ConnectionFailed(
                NoAnswerReason.REFUSED_LOCALLY,
                f"{variable} names certificates that cannot be read: {_os_error_text(error)}",
            ) from error
    if not bundles:
        context.load_default_certs()
        context.load_verify_locations(certifi_bundle())
    return context
