"""Which proxy a request goes through, as the environment says (pure: the environment is passed in).

The conventions are curl's: lower-case names win, NO_PROXY is a list of hosts, domains, addresses and networks.
"""

from collections.abc import Mapping
from ipaddress import ip_address, ip_network

from ci_publish.http.urls import is_loopback_host, origin


def proxy_for(url: str, environ: Mapping[str, str]) -> str | None:
    """Return the address of the proxy for *url*, None to connect directly. Never a proxy for loopback."""
    scheme, host, port = origin(url)
    if is_loopback_host(host) or _is_excepted(host, port, _variable(environ, "no_proxy")):
        return None
    proxy = _variable(environ, f"{scheme}_proxy") or _variable(environ, "all_proxy")
    if not proxy:
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _variable(environ: Mapping[str, str], name: str) -> str:
    """Return a variable in lower or upper case; HTTP_PROXY counts for nothing in a CGI process (httpoxy)."""
    if name == "http_proxy" and "REQUEST_METHOD" in environ:
        return environ.get(name, "").strip()
    return (environ.get(name) or environ.get(name.upper()) or "").strip()


def _is_excepted(host: str, port: int | None, no_proxy: str) -> bool:
    return any(_covers(item.strip().lower(), host, port) for item in no_proxy.split(",") if item.strip())


def _covers(item: str, host: str, port: int | None) -> bool:
    if item == "*" or _in_network(item, host):
        return True
    name, separator, item_port = item.rpartition(":")
    if separator and item_port.isdigit() and (":" not in name or name.startswith("[")):
        if int(item_port) != port:
            return False
        item = name
    domain = item.strip("[]").removeprefix("*").removeprefix(".")
    return host == domain or host.endswith(f".{domain}")


def _in_network(item: str, host: str) -> bool:
    try:
        return ip_address(host) in ip_network(item, strict=False)
    except ValueError:
        return False
