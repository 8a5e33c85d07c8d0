import pytest

from ci_publish.identity.audiences import Audience, AudienceForeign, is_reserved, judge_audience

INDEX = "index.example"


@pytest.mark.parametrize(
    ("host", "audience"),
    [
        ("upload.pypi.org", "pypi"),
        ("UPLOAD.PyPI.org.", "pypi"),
        ("test.pypi.org", "testpypi"),
        (INDEX, "index.example"),
        (INDEX, "https://index.example"),
        (INDEX, "https://index.example:8443/pypi"),
        (INDEX, "index.example/team"),
        (INDEX, "index.example:8443"),
        ("upload.index.example", "index.example"),
        (INDEX, "upload.index.example"),
        (INDEX, "my-company-index"),
        (INDEX, "Packages"),
        ("127.0.0.1", "ci-publish-rehearsal"),
        ("::1", "ci-publish-rehearsal"),
        ("127.0.0.1", "127.0.0.1"),
    ],
)
def test_an_index_gets_its_own_audience(host: str, audience: str) -> None:
    assert judge_audience(audience, host) == Audience(audience)


@pytest.mark.parametrize("host", [INDEX, "127.0.0.1", "pypi.org.index.example", "evil-pypi.org"])
@pytest.mark.parametrize(
    "audience",
    [
        "pypi",
        "PyPI",
        "PYPI",
        "testpypi",
        "test-pypi",
        "TestPyPI",
        "sigstore",
        "Sigstore",
        "SIGSTORE",
        "sig-store",
        "npm",
        "npm:registry.npmjs.org",
        "crates.io",
        "https://crates.io",
        "rubygems.org",
        "RubyGems",
        "sts.amazonaws.com",
        "https://sts.amazonaws.com/",
        "STS.amazonaws.com",
        "sts.amazonaws.com.cn",
        "api://AzureADTokenExchange",
        "api://azureadtokenexchangeusgov",
        "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/g",
        "https://iam.googleapis.com/projects/1",
        "vault",
        "https://vault.corp.example",
        "https://github.com/octo-org",
        "https://gitlab.com",
        "https://www.nuget.org",
        "https://pypi.org",
        "pypi.org",
        "upload.pypi.org",
        "https://pub.dev",
        "octo-sts.dev",
        "urn:pulumi:org:octo",
        "spiffe://corp",
        "https://pypi.org@index.example",
        "https://index.example@pypi.org",
        "https://index.example.pypi.org",
        "https://[::1",
        "https://:443",
        "mailto:x",
        "",
        " pypi",
        "pypi ",
        "pypi\n",
        "py\u200bpi",
        "\uff50\uff59\uff50\uff49",
        "\u0440\u0443\u0440i",
        "\uff53igstore",
        "pypi\x00",
        "a" * 256,
        None,
        5,
        True,
        ["pypi"],
        {"audience": "pypi"},
    ],
)
def test_no_index_gets_an_audience_of_others(host: str, audience: object) -> None:
    judged = judge_audience(audience, host)
    assert isinstance(judged, AudienceForeign)
    assert judged.reason


@pytest.mark.parametrize(
    ("host", "pinned", "audience"),
    [
        ("upload.pypi.org", None, "testpypi"),
        ("pypi.org", None, "sigstore"),
        ("test.pypi.org", None, "pypi"),
        ("127.0.0.1", "ci-publish-rehearsal", "pypi"),
        (INDEX, "own", "own2"),
        (INDEX, None, "ci-publish-rehearsal"),
        ("com", None, "example.com"),
        ("127.0.0.1", None, "1"),
    ],
)
def test_a_pinned_audience_is_the_only_one(host: str, pinned: str | None, audience: str) -> None:
    if audience == "1":
        assert judge_audience(audience, host, pinned) == Audience("1")
    else:
        assert isinstance(judge_audience(audience, host, pinned), AudienceForeign)


def test_a_parent_of_a_loopback_address_is_foreign() -> None:
    assert isinstance(judge_audience("0.0.1", "127.0.0.1"), AudienceForeign)


def test_a_reserved_audience_is_no_business_of_another_index() -> None:
    assert is_reserved("sigstore", INDEX)
    assert not is_reserved("index.example", INDEX)
