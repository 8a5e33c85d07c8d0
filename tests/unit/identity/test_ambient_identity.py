import threading
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any

import id as ambient_id
import pytest
import urllib3

from ci_publish import errors
from ci_publish.http.messages import BearerAuthorization, HttpAnswer, HttpRequest, NoAnswer, NoAnswerReason
from ci_publish.identity.ambient_identity import (
    AmbientIdentity,
    Fetching,
    fetch_token_with_id,
)
from ci_publish.identity.ci_environment import (
    CiEnvironment,
    read_machine_product,
)
from ci_publish.model.events import Retrying
from ci_publish.model.identity import Provider, Secret
from tests.unit.identity.ci_jobs import GITHUB_JOB, NO_PERMISSION
from tests.unit.identity.credential_harness import GITHUB, GITLAB, Harness, answer, jwt

TOKEN = jwt({**GITHUB, "aud": "pypi"})


def never(_audience: str) -> str | None:
    raise AssertionError("nothing may be asked")


class Job:
    """An identity source with its surroundings: what was masked and said."""

    def __init__(
        self,
        environ: Mapping[str, str],
        detect: Callable[[str], str | None] = never,
        read_event: Callable[[str], bytes] = lambda _: b"",
        **options: Any,  # noqa: ANN401
    ) -> None:
        self.world = Harness()
        settings = {"clock": lambda: self.world.now, **options}
        self.source = AmbientIdentity(
            job=CiEnvironment(environ, machine=lambda: "", read_event=read_event),
            mask=lambda secret: self.world.masked.append(secret.reveal()),
            waiting=self.world.waiting,
            emit=self.world.events.append,
            fetching=Fetching(random=lambda: 0.5, detect=detect, **settings),
        )


def in_turn(*outcomes: str | Exception | None) -> Callable[[str], str | None]:
    left = list(outcomes)

    def detect(_audience: str) -> str | None:
        outcome = left.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return detect


# which CI -------------------------------------------------------------------------------------------------------


# before any network ---------------------------------------------------------------------------------------------


# GitLab ---------------------------------------------------------------------------------------------------------


def test_gitlabs_token_is_read_masked_and_decoded() -> None:
    token = jwt({**GITLAB, "aud": "pypi", "exp": 5})
    job = Job({"GITLAB_CI": "true", "PYPI_ID_TOKEN": f"{token}\n"})
    identity = job.source.token("pypi")
    assert identity.secret == Secret(token)
    assert (identity.provider, identity.audience, identity.expires) == (Provider.GITLAB, "pypi", 5.0)
    assert job.world.masked == [token]


def test_an_audience_list_of_gitlab_is_tolerated() -> None:
    job = Job({"GITLAB_CI": "true", "SIGSTORE_ID_TOKEN": jwt({**GITLAB, "aud": ["sigstore"]})})
    assert job.source.token("sigstore").claims["aud"] == ["sigstore"]


@pytest.mark.parametrize(("aud", "said"), [("sigstore", "sigstore"), (["a", "b"], "a, b"), (None, "nobody")])
def test_another_audience_of_gitlab_is_named(aud: object, said: str) -> None:
    job = Job({"GITLAB_CI": "true", "PYPI_ID_TOKEN": jwt({**GITLAB, "aud": aud})})
    with pytest.raises(errors.GitLabIdTokenAudience, match=f"is for {said}, not for pypi") as caught:
        job.source.token("pypi")
    assert caught.value.hints[0].endswith("\n    aud: pypi")


def test_a_gitlab_variable_that_holds_no_token_is_named() -> None:
    with pytest.raises(errors.IdentityProviderFailed, match="GitLab did not issue"):
        Job({"GITLAB_CI": "true", "PYPI_ID_TOKEN": "garbage"}).source.token("pypi")


# through id -----------------------------------------------------------------------------------------------------


def test_nothing_is_asked_where_something_is_missing() -> None:
    for environ in ({}, NO_PERMISSION, {"GITLAB_CI": "true"}):
        with pytest.raises(errors.IdentityUnavailable):
            Job(environ).source.token("pypi")


@pytest.mark.parametrize(("variable", "repeatable"), [("GITHUB_ACTIONS", True), ("GITLAB_CI", False)])
def test_gitlab_alone_gives_a_token_once(variable: str, *, repeatable: bool) -> None:
    assert Job({variable: "true"}).source.repeatable is repeatable


def test_a_token_comes_masked_and_with_its_claims() -> None:
    job = Job(GITHUB_JOB, in_turn(TOKEN))
    identity = job.source.token("pypi")
    assert identity.secret == Secret(TOKEN)
    assert identity.claims["repository"] == "octo-org/demo"
    assert job.world.masked == ["request-token", TOKEN]
    assert "eyJ" not in repr(identity)


@pytest.mark.parametrize(
    "failure",
    [
        ambient_id.AmbientCredentialError("GitHub: OIDC token request failed (code=503, body='<html>')"),
        ambient_id.AmbientCredentialError("GitHub: OIDC token request failed (code=429, body='')"),
        ambient_id.AmbientCredentialError("GitHub: OIDC token request timed out"),
        urllib3.exceptions.ProtocolError("Connection aborted."),
    ],
)
def test_a_failure_that_may_pass_is_tried_again(failure: Exception) -> None:
    job = Job(GITHUB_JOB, in_turn(failure, failure, TOKEN))
    assert job.source.token("pypi").secret == Secret(TOKEN)
    assert [event.attempt for event in job.world.of(Retrying)] == [1, 2]
    assert job.world.waits == [0.75, 1.5]


@pytest.mark.parametrize(
    ("failure", "error", "words"),
    [
        (
            ambient_id.GitHubOidcPermissionCredentialError("GitHub: missing"),
            errors.NoIdTokenPermission,
            "id-token: write",
        ),
        (ambient_id.AmbientCredentialError("failed (code=400, body='bad')"), errors.IdentityProviderFailed, "code=400"),
        (ambient_id.AmbientCredentialError(""), errors.IdentityProviderFailed, "AmbientCredentialError"),
        (ambient_id.AmbientCredentialError("Malformed token"), errors.IdentityProviderFailed, "Malformed"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"), errors.IdentityProviderFailed, "utf-8"),
        (FileNotFoundError("buildkite-agent"), errors.IdentityProviderFailed, "buildkite-agent"),
    ],
)
def test_other_failures_are_mapped_once(failure: Exception, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words) as caught:
        Job(GITHUB_JOB, in_turn(failure)).source.token("pypi")
    assert caught.value.__cause__ is failure


def test_an_exceptions_text_is_cut_and_on_one_line() -> None:
    failure = ambient_id.AmbientCredentialError("code=400\n::error::x\r" + "y" * 5000)
    with pytest.raises(errors.IdentityProviderFailed) as caught:
        Job(GITHUB_JOB, in_turn(failure)).source.token("pypi")
    assert "\n" not in caught.value.summary
    assert len(caught.value.summary) < 400


def test_attempts_end_with_the_budget() -> None:
    failure = ambient_id.AmbientCredentialError("GitHub: OIDC token request failed (code=500, body='')")
    job = Job(GITHUB_JOB, in_turn(*[failure] * 50))
    with pytest.raises(errors.IdentityProviderFailed, match="code=500") as caught:
        job.source.token("pypi")
    assert caught.value.__cause__ is failure
    assert sum(job.world.waits) < 30.0
    assert caught.value.retryable


def test_a_stopped_run_is_not_waited_for() -> None:
    job = Job(GITHUB_JOB, in_turn(ambient_id.AmbientCredentialError("code=500")))
    job.world.waiting.stopped = True
    with pytest.raises(errors.IdentityProviderFailed):
        job.source.token("pypi")
    assert job.world.waits == []


def test_a_service_that_hangs_is_left_behind() -> None:
    go = threading.Event()

    def hang(_audience: str) -> str | None:
        go.wait(30)
        return TOKEN

    job = Job(GITHUB_JOB, hang, budget=0.2)
    with pytest.raises(errors.IdentityProviderFailed, match=r"no response within 0.2 s"):
        job.source.token("pypi")
    go.set()
    assert job.world.masked == ["request-token"]


def test_a_service_that_hangs_is_left_at_once_by_a_run_that_is_stopped() -> None:
    go = threading.Event()

    def hang(_audience: str) -> str | None:
        job.world.waiting.stopped = True
        go.wait(30)
        return TOKEN

    job = Job(GITHUB_JOB, hang, budget=25.0)
    began = monotonic()
    with pytest.raises(errors.IdentityProviderFailed):
        job.source.token("pypi")
    assert monotonic() - began < 20
    go.set()


@pytest.mark.parametrize("given", [None, ""])
def test_no_token_is_a_failure(given: str | None) -> None:
    with pytest.raises(errors.IdentityProviderFailed, match="issued no token"):
        Job({"BUILDKITE": "true"}, in_turn(given)).source.token("pypi")


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        ({"BUILDKITE": "true"}, "Buildkite"),
        ({"CIRCLECI": "true"}, "CircleCI"),
        ({"GOOGLE_SERVICE_ACCOUNT_NAME": "ci@p"}, "Google Cloud"),
    ],
)
def test_every_provider_is_asked_through_id(environ: dict[str, str], name: str) -> None:
    job = Job(environ, in_turn(jwt({"iss": "x", "aud": "pypi"})))
    assert job.source.token("pypi").claims["iss"] == "x"
    with pytest.raises(errors.IdentityProviderFailed, match=rf"{name} did not issue .* is for sigstore, not for pypi"):
        Job(environ, in_turn(jwt({"aud": "sigstore"}))).source.token("pypi")


def test_id_finds_nothing_here(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("GITHUB_ACTIONS", "BUILDKITE", "GITLAB_CI", "CIRCLECI", "GOOGLE_SERVICE_ACCOUNT_NAME"):
        monkeypatch.delenv(variable, raising=False)
    if "Google" not in read_machine_product():
        assert fetch_token_with_id("pypi") is None


# GitHub behind a proxy ------------------------------------------------------------------------------------------


class Wire:
    def __init__(self, *answers: HttpAnswer | NoAnswer) -> None:
        self.answers = list(answers)
        self.requests: list[HttpRequest] = []

    def send(
        self, request: HttpRequest, *, deadline: float | None = None, limit: int | None = None
    ) -> HttpAnswer | NoAnswer:
        self.requests.append(request)
        return self.answers.pop(0)


def proxied(*answers: HttpAnswer | NoAnswer) -> tuple[Job, Wire]:
    wire = Wire(*answers)
    return Job({**GITHUB_JOB, "HTTPS_PROXY": "http://proxy.corp.example:3128"}, transport=wire), wire


def test_behind_a_proxy_our_own_transport_asks_github() -> None:
    job, wire = proxied(answer(200, {"count": 1, "value": TOKEN}))
    assert job.source.token("pypi").secret == Secret(TOKEN)
    [request] = wire.requests
    assert request.url == "https://vstoken.example/idtoken?api-version=2.0&audience=pypi"
    assert request.authorization == BearerAuthorization(Secret("request-token"))


@pytest.mark.parametrize("failure", [answer(502), answer(429), NoAnswer(NoAnswerReason.CONNECT, "no proxy")])
def test_behind_a_proxy_failures_that_may_pass_are_tried_again(failure: HttpAnswer | NoAnswer) -> None:
    job, wire = proxied(failure, answer(200, {"value": TOKEN}))
    assert job.source.token("pypi").secret == Secret(TOKEN)
    assert len(wire.requests) == 2


@pytest.mark.parametrize(
    "given",
    [
        answer(401),
        answer(302),
        answer(200, {}),
        answer(200, []),
        answer(200, {"value": 5}),
        answer(200, body=b"<html>"),
    ],
)
def test_behind_a_proxy_other_answers_are_failures(given: HttpAnswer) -> None:
    job, _ = proxied(given)
    with pytest.raises(errors.IdentityProviderFailed):
        job.source.token("pypi")


def test_without_a_proxy_id_asks_github() -> None:
    wire = Wire()
    job = Job(GITHUB_JOB, in_turn(TOKEN), transport=wire)
    assert job.source.token("pypi").secret == Secret(TOKEN)
    assert wire.requests == []
