"""Which proxy a request uses, according to the environment (pure: the environment is passed in).

The conventions are curl's: lower-case names win, NO_PROXY is a list of hosts, domains, addresses and networks. They are
the same for every library in the process: httpx's and requests' own reading of the environment is not used.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from urllib.parse import unquote

from ci_publish.errors import ConfigurationError, ProxyAuthenticationRequired
from ci_publish.http.urls import is_loopback_host, split_url, url_has_secrets, url_origin

_PROXY_VARIABLES = ("http_proxy", "https_proxy", "all_proxy")
_LOOPBACK = "localhost,127.0.0.1,::1"


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy, and the variable that names it. ``address`` may hold a password; only the name is ever shown."""

    address: str = field(repr=False)
    variable: str

    @property
    def name(self) -> str:
        """The proxy as messages name it: without user name and password."""
        parts = split_url(self.address)
        server = parts.netloc.rpartition("@")[2]
        return f"the proxy {parts.scheme}://{server} ({self.variable})" if server else f"the proxy in {self.variable}"


def proxy_for_url(url: str, environ: Mapping[str, str]) -> Proxy | None:
    """Return the proxy for *url*, None to connect directly. Never a proxy for loopback."""
    scheme, host, port = url_origin(url)
    excepted = filter(None, map(str.strip, _proxy_variable(environ, "no_proxy")[1].lower().split(",")))
    if is_loopback_host(host) or any(_no_proxy_item_covers(item, host, port) for item in excepted):
        return None
    for name in (f"{scheme}_proxy", "all_proxy"):
        variable, address = _proxy_variable(environ, name)
        if address:
            return Proxy(address if "://" in address else f"http://{address}", variable)
    return None


def proxy_authentication_error(proxy: Proxy, said: str) -> ProxyAuthenticationRequired:
    """Return the error for a 407 of *proxy*; *said* is its response."""
    parts = split_url(proxy.address)
    server = parts.netloc.rpartition("@")[2]
    example = f"{proxy.variable}={parts.scheme}://USER:PASSWORD@{server}"
    why = (
        f"It rejected the user name and password in {proxy.variable}."
        if url_has_secrets(proxy.address)
        else f"{proxy.variable} contains no user name and password for it."
    )
    return ProxyAuthenticationRequired(
        f"{proxy.name[:1].upper()}{proxy.name[1:]} requires authentication: {said}",
        detail=why,
        hints=(
            f"Set {example}, with special characters percent-encoded, from a CI secret.",
            "If the host can be reached directly, add it to NO_PROXY.",
        ),
    )


def unusable_proxy_error(proxy: Proxy) -> ConfigurationError:
    """Return the error for a proxy whose address cannot be used."""
    scheme = split_url(proxy.address).scheme
    why = f"its scheme is {scheme}" if scheme not in {"", "http", "https"} else "it names no host"
    return ConfigurationError(
        f"{proxy.variable} is not a valid http or https proxy URL: {why}.",
        detail="All connections would use it, so none was made.",
        hints=(
            f"Write it in full: {proxy.variable}=http://proxy.example:3128",
            f"If there is no proxy, unset {proxy.variable}; to bypass it for a host, set NO_PROXY.",
        ),
    )


def proxy_secrets(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return what must not be shown of the proxies in *environ*: passwords, or users alone, in every form they have."""
    found: dict[str, None] = {}
    for name in _PROXY_VARIABLES:
        for variable in (name, name.upper()):
            address = environ.get(variable, "").strip()
            credential = address.rpartition("@")[0].rpartition("://")[2]  # also of an address that cannot be parsed
            user, _, password = credential.partition(":")
            forms = (password or user, unquote(password or user))
            found.update(dict.fromkeys(filter(None, forms)))
            if password:  # as it is encoded for Proxy-Authorization
                found[f"{unquote(user)}:{unquote(password)}"] = None
    return tuple(found)


def loopback_proxy_exceptions(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that keep other programs' loopback requests away from the proxies in *environ*.

    Most libraries send even those through a proxy. Empty where no proxy is set, or NO_PROXY excepts every host.
    """
    name, excepted = _proxy_variable(environ, "no_proxy")
    if not any(_proxy_variable(environ, each)[1] for each in _PROXY_VARIABLES) or excepted == "*":
        return {}
    return {name: f"{excepted},{_LOOPBACK}" if excepted else _LOOPBACK}


def _proxy_variable(environ: Mapping[str, str], name: str) -> tuple[str, str]:
    """Return a variable's name and value, in lower or upper case.

    HTTP_PROXY is ignored in a CGI process (httpoxy).
    """
    if environ.get(name) or (name == "http_proxy" and "REQUEST_METHOD" in environ):
        return name, environ.get(name, "").strip()
    return name.upper(), environ.get(name.upper(), "").strip()


def _no_proxy_item_covers(item: str, host: str, port: int | None) -> bool:
    if item == "*":
        return True
    with suppress(ValueError):  # a host name or a domain
        if ip_address(host) in ip_network(item, strict=False):
            return True
    name, separator, item_port = item.rpartition(":")
    if separator and item_port.isdigit() and (":" not in name or name.startswith("[")):
        if int(item_port) != port:
            return False
        item = name
    domain = item.strip("[]").removeprefix("*").removeprefix(".")
    return host == domain or host.endswith(f".{domain}")
