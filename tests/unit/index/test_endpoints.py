import pytest

from ci_publish.errors import ConfigurationError
from ci_publish.index.endpoints import (
    PYPI,
    REHEARSAL_AUDIENCE,
    TESTPYPI,
    Profile,
    index_kind_of_upload_url,
    known_rehearsal_endpoints,
    may_be_rehearsal,
    rehearsal_endpoints,
    resolve_endpoints,
)
from ci_publish.model.index import Endpoints, IndexProfile


@pytest.mark.parametrize(
    ("given", "endpoints"),
    [
        ("pypi", PYPI),
        (" PyPI ", PYPI),
        ("testpypi", TESTPYPI),
        ("https://upload.pypi.org/legacy/", PYPI),
        ("https://UPLOAD.pypi.org:443/legacy/", PYPI),
        ("https://test.pypi.org/legacy/", TESTPYPI),
    ],
)
def test_pypi_and_testpypi(given: str, endpoints: Endpoints) -> None:
    assert resolve_endpoints(given) == endpoints
    assert endpoints.profile is IndexProfile.PYPI


def test_tokens_of_pypi_come_from_its_main_host_and_audiences_are_pinned() -> None:
    assert PYPI.mint == "https://pypi.org/_/oidc/mint-token"
    assert (PYPI.pinned_audience, TESTPYPI.pinned_audience) == ("pypi", "testpypi")


WHY = {
    "retired": "This host was retired and accepts no uploads.",
    "different address": "Uploads use a different URL.",
    "installers": "Installers read from this URL; uploads use a different one.",
    "slash": "The trailing slash is missing: the server would redirect instead of accepting the file.",
    "https only": "It accepts uploads over https only.",
    "dot at the end": "Its host has a dot at the end.",
}


@pytest.mark.parametrize(
    ("wrong", "meant", "why"),
    [
        ("https://pypi.python.org/pypi", PYPI, "retired"),
        ("http://pypi.python.org/pypi", PYPI, "retired"),
        ("https://testpypi.python.org/pypi", TESTPYPI, "retired"),
        ("https://upload.pypi.io/legacy/", PYPI, "retired"),
        ("https://pypi.io/legacy/", PYPI, "retired"),
        ("https://pypi.org/legacy/", PYPI, "different address"),
        ("https://www.pypi.org/", PYPI, "different address"),
        ("https://pypi.org/simple", PYPI, "installers"),
        ("https://pypi.org/simple/", PYPI, "installers"),
        ("https://test.pypi.org/simple", TESTPYPI, "installers"),
        ("https://upload.pypi.org/legacy", PYPI, "slash"),
        ("https://test.pypi.org/legacy", TESTPYPI, "slash"),
        ("https://upload.pypi.org/", PYPI, "different address"),
        ("http://upload.pypi.org/legacy/", PYPI, "https only"),
        ("http://test.pypi.org/legacy/", TESTPYPI, "https only"),
        ("https://upload.pypi.org:8443/legacy/", PYPI, "different address"),
        ("https://upload.pypi.org./legacy/", PYPI, "dot at the end"),
        ("http://upload.pypi.org./legacy/", PYPI, "dot at the end"),
        ("https://pypi.org./simple/", PYPI, "dot at the end"),
        ("https://files.pythonhosted.org/", PYPI, "different address"),
    ],
)
def test_wrong_addresses_are_cured_with_words(wrong: str, meant: Endpoints, why: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        resolve_endpoints(wrong)
    own = "PyPI" if meant is PYPI else "TestPyPI"
    assert caught.value.summary == f"{wrong} is not the upload URL of {own}."
    assert caught.value.detail == WHY[why]
    name = f"Use the name {meant.name}: repository-url: {meant.name} (short for {meant.upload})"
    omit = ["To upload to PyPI itself, omit repository-url."] if meant is PYPI else []
    assert list(map(str, caught.value.hints)) == [name, *omit]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("", "not an http or https address"),
        ("pipy", "not an http or https address"),
        ("ftp://index.example/", "not an http or https address"),
        ("index.example/legacy/", "not an http or https address"),
        ("https://", "not an http or https address"),
        ("http://[::1/", "not an http or https address"),
        ("https://index.example/?x=1", "query or a fragment"),
        ("https://index.example/#x", "query or a fragment"),
        ("http://index.example/", "plain http"),
        ("https://user@index.example/", "user name or a password"),
        ("https://user:hunter2@pypi.org/", "user name or a password"),
    ],
)
def test_addresses_that_cannot_work_are_refused(wrong: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words) as caught:
        resolve_endpoints(wrong)
    assert caught.value.hints
    assert "hunter2" not in repr((caught.value.summary, caught.value.hints))


USER = "https://index.example/ contains a user name or a password."
SECRETS = [
    "Remove them from the address, and treat the password as exposed if it was ever committed or logged.",
    "Set user, and password from a secret.",
]
PATH = "Anyone on the network path could read the credential and modify the files."
ALLOW = (
    "If this network is trusted, allow it: allow-http: index.example"
    " (for passwords and API tokens only, never for Trusted Publishing)"
)


@pytest.mark.parametrize("name", ["repository-url", "index-url"])
@pytest.mark.parametrize(
    ("wrong", "words", "detail", "hints"),
    [
        (
            "https://user:hunter2@index.example/",
            USER,
            "URLs end up in logs, where everyone can read them, so this one is not used.",
            SECRETS,
        ),
        (
            "pipy",
            "'pipy' is not an http or https address.",
            "",
            ["Write an address like https://upload.pypi.org/legacy/, or one of the names pypi and testpypi."],
        ),
        (
            "https://index.example/?x=1",
            "https://index.example/?x=… has a query or a fragment, which upload addresses do not have.",
            "",
            ["Remove everything from the first ? or # onwards."],
        ),
        (
            "http://index.example/http:/",
            "http://index.example/http:/ is plain http.",
            PATH,
            ["Use https: https://index.example/http:/", ALLOW],
        ),
    ],
)
def test_what_to_do_about_addresses_that_cannot_work(
    *, name: str, wrong: str, words: str, detail: str, hints: list[str]
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        resolve_endpoints(wrong if name == "repository-url" else "https://h/", wrong)
    assert caught.value.summary == f"The {name} {words}"
    assert caught.value.detail == detail
    assert list(map(str, caught.value.hints)) == hints


def test_plain_http_to_loopback_or_where_it_was_allowed() -> None:
    assert resolve_endpoints("http://127.0.0.1:8080/").upload == "http://127.0.0.1:8080/"
    for allowed in ("index.EXAMPLE", "index.example."):
        assert (
            resolve_endpoints("http://Index.example/", allow_http=frozenset({allowed})).upload
            == "http://Index.example/"
        )
    assert resolve_endpoints("https://h/", "http://i/", allow_http=frozenset({"i"})).simple == "http://i/"


@pytest.mark.parametrize(
    ("upload", "kind", "simple"),
    [
        ("https://h/", "pypiserver", "https://h/simple/"),
        ("https://h", "pypiserver", "https://h/simple/"),
        ("https://h/legacy/", "warehouse", "https://h/simple/"),
        ("https://h/a/b/legacy/", "warehouse", "https://h/a/b/simple/"),
        ("https://h/simple/", "simple", "https://h/simple/"),
        ("https://h/root/dev/", "devpi", "https://h/root/dev/+simple/"),
        ("https://h/root/dev", "devpi", "https://h/root/dev/+simple/"),
        ("https://h/api/packages/me/pypi", "gitea", "https://h/api/packages/me/pypi/simple/"),
        (
            "https://gitlab.com/api/v4/projects/12/packages/pypi",
            "gitlab",
            "https://gitlab.com/api/v4/projects/12/packages/pypi/simple/",
        ),
        (
            "https://h/gitlab/api/v4/projects/a%2Fb/packages/pypi/",
            "gitlab",
            "https://h/gitlab/api/v4/projects/a%2Fb/packages/pypi/simple/",
        ),
        (
            "https://pkgs.dev.azure.com/o/p/_packaging/f/pypi/upload/",
            "azure",
            "https://pkgs.dev.azure.com/o/p/_packaging/f/pypi/simple/",
        ),
        ("https://tfs/x/_packaging/f/pypi/upload", "azure", "https://tfs/x/_packaging/f/pypi/simple/"),
        (
            "https://d-1.d.codeartifact.eu-west-1.amazonaws.com/pypi/r/",
            "codeartifact",
            "https://d-1.d.codeartifact.eu-west-1.amazonaws.com/pypi/r/simple/",
        ),
        ("https://europe-python.pkg.dev/p/r/", "google", "https://europe-python.pkg.dev/p/r/simple/"),
        ("https://python.cloudsmith.io/o/r/", "cloudsmith", "https://dl.cloudsmith.io/basic/o/r/python/simple/"),
        ("https://j/artifactory/api/pypi/local", "artifactory", "https://j/artifactory/api/pypi/local/simple/"),
        ("https://n/repository/pypi-hosted/", "nexus", "https://n/repository/pypi-hosted/simple/"),
        ("https://n/repository/X/", "nexus", "https://n/repository/X/simple/"),
        ("https://h/root/X/", "devpi", "https://h/root/X/+simple/"),
        ("https://h/one", None, None),
        ("https://h/some/other/deep/path", None, None),
    ],
)
def test_the_simple_api_is_derived_where_it_can_be_known(upload: str, kind: str | None, simple: str | None) -> None:
    endpoints = resolve_endpoints(upload)
    assert (index_kind_of_upload_url(upload), endpoints.simple) == (kind, simple)
    assert endpoints.profile is IndexProfile.GENERIC
    assert endpoints.json_api is None
    assert endpoints.integrity is None


def test_the_guesses_of_pep_807() -> None:
    endpoints = resolve_endpoints("https://h:8443/a/legacy/")
    assert endpoints.discovery == "https://h:8443/.well-known/pytp?discover=%2Fa%2Flegacy%2F"
    assert endpoints.audience == "https://h:8443/_/oidc/audience"
    assert endpoints.mint == "https://h:8443/_/oidc/mint-token"
    assert endpoints.burn == "https://h:8443/_/oidc/burn-token"
    assert endpoints.pinned_audience is None
    assert resolve_endpoints("https://h").discovery == "https://h/.well-known/pytp?discover=%2F"


def test_a_simple_api_that_other_indexes_could_have_is_a_guess() -> None:
    assert resolve_endpoints("https://h/root/dev/").simple_guesses == (
        "https://h/root/dev/+simple/",
        "https://h/root/dev/simple/",
    )
    assert resolve_endpoints("https://h/api/packages/me/pypi").simple_guesses == ()
    assert resolve_endpoints("https://python.cloudsmith.io/o/r/").simple_guesses == ()
    assert resolve_endpoints("https://h/root/dev/", "https://h/elsewhere").simple_guesses == ()


def test_an_index_url_is_taken_as_it_is() -> None:
    assert resolve_endpoints("https://h/one", "https://h/elsewhere").simple == "https://h/elsewhere/"
    assert resolve_endpoints("pypi", "https://mirror.example/simple/").simple == "https://mirror.example/simple/"
    with pytest.raises(ConfigurationError, match="index-url"):
        resolve_endpoints("pypi", "http://mirror.example/simple/")


@pytest.mark.parametrize("profile", ["pypi", "generic"])
def test_the_profile_can_be_set(profile: Profile) -> None:
    assert resolve_endpoints("https://h/legacy/", profile=profile).profile == profile
    assert resolve_endpoints("pypi", profile=profile).profile == profile


def test_an_index_said_to_be_like_pypi_has_its_layout() -> None:
    endpoints = resolve_endpoints("https://h/sub/legacy/", profile="pypi")
    assert endpoints.simple == "https://h/sub/simple/"
    assert endpoints.json_api == "https://h/sub/pypi/"
    assert endpoints.integrity == "https://h/sub/integrity/"
    assert endpoints.web == "https://h/sub/project/"
    assert endpoints.mint == "https://h/_/oidc/mint-token"
    assert endpoints.discovery is not None
    assert resolve_endpoints("https://h/X//legacy/", profile="pypi").simple == "https://h/X/simple/"
    guessed = resolve_endpoints("https://h/root/X/", profile="pypi")
    assert (guessed.simple, guessed.simple_guesses) == ("https://h/root/X/simple/", ())


def test_a_rehearsal_is_asked_for_on_loopback_only() -> None:
    assert may_be_rehearsal(resolve_endpoints("http://127.0.0.1:1/legacy/"), "auto")
    assert not may_be_rehearsal(resolve_endpoints("http://127.0.0.1:1/legacy/"), "generic")
    assert not may_be_rehearsal(resolve_endpoints("https://h/legacy/"), "auto")


def test_an_index_that_the_environment_calls_a_rehearsal_is_one_if_it_may_be() -> None:
    local, remote = resolve_endpoints("http://127.0.0.1:1/legacy/"), resolve_endpoints("https://h/legacy/")
    assert known_rehearsal_endpoints(local, "auto") == rehearsal_endpoints(local)
    assert known_rehearsal_endpoints(local, "generic") == local
    assert known_rehearsal_endpoints(remote, "auto") == remote


def test_a_rehearsal_is_like_pypi_on_its_own_origin() -> None:
    endpoints = rehearsal_endpoints(resolve_endpoints("http://127.0.0.1:1/legacy/"))
    assert endpoints.profile is IndexProfile.PYPI
    assert endpoints.pinned_audience == REHEARSAL_AUDIENCE
    assert endpoints.discovery is None
    assert endpoints.simple == "http://127.0.0.1:1/simple/"
    assert rehearsal_endpoints(resolve_endpoints("http://127.0.0.1:1/x")).simple == "http://127.0.0.1:1/x/simple/"
    kept = rehearsal_endpoints(resolve_endpoints("http://127.0.0.1:1/legacy/", "http://127.0.0.1:2/simple/"))
    assert kept.simple == "http://127.0.0.1:2/simple/"


def test_indexes_on_one_host_have_different_names() -> None:
    names = [
        resolve_endpoints(f"https://h/{path}").name for path in ("", "legacy/", "a/legacy/", "root/dev/", "root/X/")
    ]
    assert names == ["h", "h", "h/a", "h/root/dev", "h/root/x"]


def test_the_kind_of_pypi_is_known() -> None:
    assert index_kind_of_upload_url(PYPI.upload) == index_kind_of_upload_url(TESTPYPI.upload) == "warehouse"
