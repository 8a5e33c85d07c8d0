import pytest

from ci_publish.identity.audiences import (
    Audience,
    AudienceForeign,
    is_foreign_audience,
    named_audience_objection,
    validate_audience,
)

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
        (INDEX, "//index.example/team"),
        ("nexus", "nexus"),
        ("127.0.0.1", "ci-publish-rehearsal"),
        ("::1", "ci-publish-rehearsal"),
        ("127.0.0.1", "127.0.0.1"),
    ],
)
def test_an_index_gets_its_own_audience(host: str, audience: str) -> None:
    assert validate_audience(audience, host) == Audience(audience)


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
    judged = validate_audience(audience, host)
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
        ("index.example.pypi.org", None, "pypi"),
        (INDEX, None, "ci-publish-rehearsal"),
        ("com", None, "example.com"),
        ("127.0.0.1", None, "1"),
    ],
)
def test_a_pinned_audience_is_the_only_one(host: str, pinned: str | None, audience: str) -> None:
    assert isinstance(validate_audience(audience, host, pinned), AudienceForeign)


def test_a_pinned_audience_is_given() -> None:
    assert validate_audience("own", INDEX, "own") == Audience("own")


def test_a_parent_of_a_loopback_address_is_foreign() -> None:
    assert isinstance(validate_audience("0.0.1", "127.0.0.1"), AudienceForeign)


# Names that an index might invent, and that nobody has heard of: none of them is the index's own.
INVENTED = [
    f"{first}{dash}{second}"
    for first in ("my", "acme", "Corp", "internal", "pypi", "sigstore", "aws", "cloud")
    for second in ("index", "packages", "oidc", "prod", "token")
    for dash in ("", "-")
]


@pytest.mark.parametrize("host", [INDEX, "127.0.0.1", "nexus"])
@pytest.mark.parametrize("audience", [*INVENTED, "http://index.example", "http://nexus"])
def test_an_audience_that_is_not_the_index_s_own_must_be_named(host: str, audience: str) -> None:
    judged = validate_audience(audience, host)
    assert isinstance(judged, AudienceForeign)
    assert judged.nameable
    assert validate_audience(audience, host, named=audience) == Audience(audience)
    assert validate_audience(audience, host, named=f"{audience}x") == judged


@pytest.mark.parametrize("host", [INDEX, "127.0.0.1", "upload.pypi.org.example", "upload.pypi.org", "test.pypi.org"])
@pytest.mark.parametrize(
    "audience", ["pypi", "PyPI", "testpypi", "test-pypi", "sigstore", "Sig.store", "https://pypi.org"]
)
def test_no_user_can_name_what_belongs_to_others(host: str, audience: str) -> None:
    own = {"upload.pypi.org": "pypi", "test.pypi.org": "testpypi"}.get(host)
    if audience != own:
        judged = validate_audience(audience, host, named=audience)
        assert isinstance(judged, AudienceForeign)
        assert not judged.nameable
        assert named_audience_objection(audience, host)


def test_a_user_may_name_what_an_index_has_anyway() -> None:
    assert not named_audience_objection("pypi", "upload.pypi.org")
    assert not named_audience_objection("index.example", INDEX)
    assert validate_audience("index.example", INDEX, named="other") == Audience("index.example")


def test_a_token_for_somebody_else_too_is_no_business_of_an_index() -> None:
    assert is_foreign_audience("sigstore", INDEX)
    assert is_foreign_audience("acme", INDEX)
    assert not is_foreign_audience("acme", INDEX, "acme")
    assert not is_foreign_audience("index.example", INDEX)
