"""Connections whose every operation counts down the deadline of the attempt that it belongs to.

httpx's own timeouts are for single reads; a server that sends one byte now and then never exceeds them. So the streams
here are ours (httpcore's public ``NetworkBackend``): each operation ends at the attempt's deadline, and earlier when
the run is cut off. Imported late: this module imports httpcore.
"""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import httpcore

from ci_publish.http.messages import NoAnswerReason
from ci_publish.http.preconnect import Preconnection
from ci_publish.http.sockets import (
    ConnectionFailed,
    RequestAttempt,
    close_socket,
    connect_socket,
    connection_failure_of_error,
    poll_socket,
    retry_socket_operation,
    start_tls_on_socket,
)

T = TypeVar("T")

PLAIN_CHUNK = 1024 * 1024
TLS_CHUNK = 64 * 1024
_INTERIM = (b"HTTP/1.1 1", b"HTTP/1.0 1")


class ThreadAttempts(threading.local):
    """The attempt of the current thread: httpcore passes no context to its streams."""

    current: RequestAttempt | None = None

    def current_attempt(self) -> RequestAttempt:
        """Return the attempt of this thread."""
        if self.current is None:
            raise ConnectionFailed(NoAnswerReason.REFUSED_LOCALLY, "no request is in progress in this thread")
        return self.current

    @contextlib.contextmanager
    def use_attempt(self, attempt: RequestAttempt) -> Iterator[None]:
        """Make *attempt* the one of this thread."""
        self.current = attempt
        try:
            yield
        finally:
            self.current = None


class SocketStream(httpcore.NetworkStream):
    """One connection, plain or TLS: non-blocking underneath, so that every wait can end early."""

    def __init__(self, sock: socket.socket, attempts: ThreadAttempts, secured_for: str | None = None) -> None:
        self._sock = sock
        self._attempts = attempts
        self._secured_for = secured_for  # the host that TLS was set up with already, until httpcore asks for it
        self._received = b""  # read while sending
        self._ended = False
        self._carries_tls = False  # then bytes that arrive while sending are TLS records, not a response

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002  (the attempt knows better)
        """Return the next bytes, empty at the end. Raises ConnectionFailed."""
        attempt = self._attempts.current_attempt()
        if self._received:
            data, self._received = self._received[:max_bytes], self._received[max_bytes:]
            return data
        until = attempt.read_deadline()
        data = retry_socket_operation(
            self._sock, attempt, lambda: self._sock.recv(max_bytes), until, "waiting for the response"
        )
        attempt.count_received_bytes(len(data))
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002  (see read)
        """Send all of *buffer*, unless the server responds first. Raises WriteError or ConnectionFailed."""
        attempt = self._attempts.current_attempt()
        view = memoryview(buffer)
        size = TLS_CHUNK if isinstance(self._sock, ssl.SSLSocket) else PLAIN_CHUNK
        until = attempt.operation_deadline(attempt.timeouts.read)
        while view:
            sent = self._send_chunk(view[:size], attempt, until)
            if sent:
                view = view[sent:]
                until = attempt.operation_deadline(attempt.timeouts.read)

    def _send_chunk(self, chunk: memoryview, attempt: RequestAttempt, until: float) -> int:
        """Send what the system accepts of *chunk* now; return 0 after waiting for it to accept more."""
        if self._has_final_response_begun(attempt):
            raise httpcore.WriteError("the server responded before it had the whole request")
        try:
            return self._sock.send(chunk)
        except (BlockingIOError, ssl.SSLWantWriteError):
            pause = attempt.next_check_wait(until, "sending")
            listening = not (self._ended or self._carries_tls)
            poll_socket(self._sock, read=listening, write=True, seconds=pause)
        except ssl.SSLWantReadError:
            poll_socket(self._sock, read=True, write=False, seconds=attempt.next_check_wait(until, "sending"))
        except OSError as error:
            raise httpcore.WriteError("the connection was closed while sending") from error
        return 0

    def _has_final_response_begun(self, attempt: RequestAttempt) -> bool:
        """Whether the server has begun its final response; interim ones (100, 103) are kept for later."""
        if self._carries_tls:
            return False
        if not self._ended and poll_socket(self._sock, read=True, write=False, seconds=0)[0]:
            try:
                data = self._sock.recv(TLS_CHUNK)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return False
            except OSError:
                self._ended = True
                return False
            self._received += data
            self._ended = not data
            attempt.count_received_bytes(len(data))
        response = self._received
        while response.startswith(_INTERIM) and b"\r\n\r\n" in response:
            response = response.partition(b"\r\n\r\n")[2]
        return bool(response) and not response.startswith(_INTERIM)

    def close(self) -> None:
        """Close the connection. Idempotent."""
        close_socket(self._sock)

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002  (see read)
    ) -> httpcore.NetworkStream:
        """Return this connection with TLS on top of it. Raises ConnectionFailed."""
        if self._secured_for is not None and self._secured_for == server_hostname:
            self._secured_for = None
            return self
        if isinstance(self._sock, ssl.SSLSocket):
            self._carries_tls = True
            return TunnelledTls(self, ssl_context, server_hostname)
        return SocketStream(
            start_tls_on_socket(self._sock, ssl_context, server_hostname, self._attempts.current_attempt()),
            self._attempts,
        )

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401  (httpcore's signature)
        """Return what httpcore asks about the connection."""
        if info == "ssl_object":
            return self._sock if isinstance(self._sock, ssl.SSLSocket) else None
        if info == "is_readable":
            return bool(self._received) or poll_socket(self._sock, read=True, write=False, seconds=0)[0]
        return None


class TunnelledTls(httpcore.NetworkStream):
    """TLS within TLS, for proxies that are themselves reached over https: Python's sockets cannot be wrapped twice.

    httpcore 1.0.9 has such a stream in a private module, with one timeout for each operation instead of the attempt's
    deadline. Run over an adapter of ``SocketStream``, it carried the uploads of the tests, but it maps no error of the
    handshake: an invalid certificate behind the proxy was reported as a response that cannot be understood.
    """

    def __init__(self, outer: SocketStream, context: ssl.SSLContext, hostname: str | None) -> None:
        self._outer = outer
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=hostname)
        try:
            self._run_tls_operation(self._tls.do_handshake, "setting up TLS")
        except BaseException:
            self.close()
            raise

    def _run_tls_operation(self, operation: Callable[[], T], what: str) -> T:
        while True:
            try:
                result = operation()
            except ssl.SSLWantReadError:
                self._send_encrypted_bytes()
                if data := self._outer.read(TLS_CHUNK):
                    self._incoming.write(data)
                else:
                    self._incoming.write_eof()
            except OSError as error:
                raise connection_failure_of_error(error, what) from error
            else:
                self._send_encrypted_bytes()
                return result

    def _send_encrypted_bytes(self) -> None:
        if self._outgoing.pending:
            self._outer.write(self._outgoing.read())

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002  (the attempt knows better)
        """Return the next bytes, empty at the end. Raises ConnectionFailed."""
        try:
            return self._run_tls_operation(lambda: self._tls.read(max_bytes), "waiting for the response")
        except ConnectionFailed as error:
            if isinstance(error.__cause__, ssl.SSLEOFError | ssl.SSLZeroReturnError):
                return b""
            raise

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002  (see read)
        """Send all of *buffer*. Raises WriteError or ConnectionFailed."""
        view = memoryview(buffer)
        while view:
            chunk = view[:TLS_CHUNK]
            view = view[self._run_tls_operation(lambda: self._tls.write(chunk), "sending") :]  # noqa: B023  (run at once)

    def close(self) -> None:
        """Close the connection."""
        self._outer.close()

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401  (httpcore's signature)
        """Return what httpcore asks about the connection."""
        return self._tls if info == "ssl_object" else self._outer.get_extra_info(info)


class SocketBackend(httpcore.NetworkBackend):
    """Opens connections within the limits of the current attempt."""

    def __init__(self, attempts: ThreadAttempts, preconnection: Preconnection | None = None) -> None:
        self._attempts = attempts
        self._preconnection = preconnection

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002  (the attempt knows better)
        local_address: str | None = None,  # noqa: ARG002  (never set by this client)
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,  # noqa: ARG002  (never set by this client)
    ) -> httpcore.NetworkStream:
        """Connect to the first address of *host* that accepts the connection. Raises ConnectionFailed."""
        attempt = self._attempts.current_attempt()
        opened = None if self._preconnection is None else self._preconnection.take_connection(host, port, attempt)
        if opened is not None:
            return SocketStream(opened, self._attempts, secured_for=host)
        return SocketStream(connect_socket(host, port, attempt), self._attempts)
