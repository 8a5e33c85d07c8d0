import pytest

from ci_publish.http.proxies import proxy_for

PROXY = "http://proxy.example:3128"


@pytest.mark.parametrize(
    ("environ", "proxy"),
    [
        ({}, None),
        ({"HTTPS_PROXY": PROXY}, PROXY),
        ({"https_proxy": PROXY, "HTTPS_PROXY": "http://other"}, PROXY),
        ({"ALL_PROXY": PROXY}, PROXY),
        ({"HTTP_PROXY": PROXY}, None),
        ({"HTTPS_PROXY": "proxy.example:3128"}, PROXY),
        ({"HTTPS_PROXY": " "}, None),
    ],
)
def test_the_proxy_of_an_https_address(environ: dict[str, str], proxy: str | None) -> None:
    assert proxy_for("https://index.example/x", environ) == proxy


def test_the_proxy_of_an_http_address() -> None:
    assert proxy_for("http://index.example/", {"HTTP_PROXY": PROXY}) == PROXY
    assert proxy_for("http://index.example/", {"HTTP_PROXY": PROXY, "REQUEST_METHOD": "GET"}) is None
    assert proxy_for("http://index.example/", {"http_proxy": PROXY, "REQUEST_METHOD": "GET"}) == PROXY


@pytest.mark.parametrize("url", ["https://127.0.0.1:1/", "https://localhost/", "https://[::1]/"])
def test_loopback_is_never_given_to_a_proxy(url: str) -> None:
    assert proxy_for(url, {"ALL_PROXY": PROXY, "HTTPS_PROXY": PROXY}) is None


@pytest.mark.parametrize(
    ("no_proxy", "url", "direct"),
    [
        ("*", "https://index.example/", True),
        ("index.example", "https://index.example/", True),
        ("INDEX.example", "https://index.example/", True),
        ("example", "https://index.example/", True),
        (".example", "https://index.example/", True),
        ("*.example", "https://index.example/", True),
        ("dex.example", "https://index.example/", False),
        ("index.example:443", "https://index.example/", True),
        ("index.example:8443", "https://index.example/", False),
        ("a.example, , index.example", "https://index.example/", True),
        ("10.0.0.0/8", "https://10.1.2.3/", True),
        ("10.0.0.0/8", "https://11.1.2.3/", False),
        ("10.1.2.3", "https://10.1.2.3/", True),
        ("[fd00::1]:443", "https://[fd00::1]/", True),
        ("[fd00::1]", "https://[fd00::1]/", True),
        ("fd00::/8", "https://[fd00::1]/", True),
        ("fd00::2", "https://[fd00::1]/", False),
    ],
)
def test_no_proxy(no_proxy: str, url: str, *, direct: bool) -> None:
    assert (proxy_for(url, {"HTTPS_PROXY": PROXY, "NO_PROXY": no_proxy}) is None) is direct
