"""Limits for the HTTP sessions of sigstore's clients, which have none. Imported only when something is signed.

Only requests' public interface is used: an adapter mounted on the session that a client exposes.
"""

import contextlib
import io
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping

import requests
import urllib3
from requests.adapters import HTTPAdapter

from ci_publish.attestations.sigstore_trouble import sigstore_exception_chain
from ci_publish.http import urls
from ci_publish.http.proxies import Proxy, proxy_authentication_error, proxy_for_url
from ci_publish.model.frozen import frozen

_CONNECT_SECONDS = 10.0
_CHUNK = 16 * 1024
_TUNNEL_REFUSED = re.compile(r"Tunnel connection failed: (.*)")


@frozen
class Limits:
    """How long one request may take, in seconds, and how large an answer may be, in bytes."""

    seconds: float
    size: int = 256 * 1024


Trace = Callable[[str, str, str, float], None]
"""Takes a request's method and URL, its result, and the seconds that it took; called from any thread."""


class _LimitedSigstoreAdapter(HTTPAdapter):
    """Sends with a timeout and reads the answer's body within a total deadline and size. Never retries."""

    def __init__(
        self,
        *,
        limits: Limits,
        trace: Trace,
        clock: Callable[[], float] = time.monotonic,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        super().__init__(max_retries=0)
        self._environ = environ
        self._limits = limits
        self._trace = trace
        self._clock = clock

    def send(  # noqa: PLR0913, PLR0917  (requests' signature)
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: ARG002, FBT001, FBT002  (requests' signature)
        timeout: float | tuple[float, float] | tuple[float, None] | None = None,  # noqa: ARG002  (see above)
        verify: bool | str = True,  # noqa: FBT001, FBT002  (requests' signature)
        cert: bytes | str | tuple[bytes | str, bytes | str] | None = None,
        proxies: Mapping[str, str] | None = None,  # noqa: ARG002  (the transport's rules hold here, too)
    ) -> requests.Response:
        """Send one request; raises requests.Timeout or requests.ConnectionError, as requests does.

        Raises ProxyAuthenticationRequired for a proxy's 407.
        """
        began = self._clock()
        limit = (min(_CONNECT_SECONDS, self._limits.seconds), self._limits.seconds)
        result = "no answer"
        try:
            proxy = proxy_for_url(request.url or "", self._environ)
            addresses = {} if proxy is None else {urls.split_url(request.url or "").scheme: proxy.address}
            with _name_proxy_in_sigstore_errors(proxy):
                response = super().send(
                    request, stream=True, timeout=limit, verify=verify, cert=cert, proxies=addresses
                )
            response.raw = io.BytesIO(self._read_limited_body(response, began + self._limits.seconds))
            result = str(response.status_code)
        finally:
            self._trace(request.method or "", request.url or "", result, self._clock() - began)
        return response

    def _read_limited_body(self, response: requests.Response, ends: float) -> bytes:
        content = bytearray()
        problem: requests.RequestException | None = None
        try:
            # `read1` returns what has come; `read` waits for the whole chunk, however slowly it trickles in.
            while problem is None and (piece := response.raw.read1(_CHUNK, decode_content=True)):
                content += piece
                if len(content) > self._limits.size:
                    problem = requests.ConnectionError(f"the response is longer than {self._limits.size} bytes")
                elif self._clock() > ends:
                    problem = requests.ReadTimeout(f"no complete response within {self._limits.seconds:g} s")
        except urllib3.exceptions.HTTPError as error:
            response.raw.close()
            raise requests.ConnectionError(f"the response was cut off ({error})", request=response.request) from error
        if problem is not None:
            response.raw.close()
            raise problem
        return bytes(content)


@contextlib.contextmanager
def _name_proxy_in_sigstore_errors(proxy: Proxy | None) -> Iterator[None]:
    """Name *proxy* in the exceptions that it causes in requests."""
    try:
        yield
    except requests.exceptions.ProxyError as error:
        if proxy is None:
            raise
        *_, cause = sigstore_exception_chain(error)  # its words do not name the libraries' objects
        reason = " ".join(str(cause).split()) or type(cause).__name__
        if (refusal := _TUNNEL_REFUSED.search(reason)) is None:
            raise requests.exceptions.ProxyError(f"{proxy.name} cannot be reached: {reason}") from error
        if refusal[1].startswith("407"):
            raise proxy_authentication_error(proxy, refusal[1]) from error
        raise requests.exceptions.ProxyError(f"{proxy.name} refuses the connection: {refusal[1]}") from error


def limit_sigstore_session(
    session: requests.Session,
    limits: Limits,
    trace: Trace = lambda *_: None,
    environ: Mapping[str, str] = os.environ,
) -> None:
    """Give *session* these limits, once: no redirects (the body would be sent on) and no ``.netrc`` either.

    Proxies are those of *environ* by the rules of ``http.proxies``: never one for loopback.
    """
    if isinstance(session.get_adapter("https://"), _LimitedSigstoreAdapter):
        return
    adapter = _LimitedSigstoreAdapter(limits=limits, trace=trace, environ=environ)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    session.max_redirects = 0
    # requests replaces an Authorization header by what .netrc has for the host, unless there is an `auth`.
    session.auth = lambda request: request
