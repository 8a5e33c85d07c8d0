import json
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from time import monotonic
from typing import Any

import id as ambient_id
import pytest
import urllib3

from ci_publish import errors
from ci_publish.http.messages import BearerAuthorization, HttpAnswer, HttpRequest, NoAnswer, NoAnswerReason
from ci_publish.identity.ambient import (
    AmbientIdentity,
    detect_with_id,
    gitlab_variable,
    is_fork_event,
    read_event,
    read_google_product,
    runner,
)
from ci_publish.model.events import Retrying
from ci_publish.model.identity import Provider, Secret
from tests.unit.identity.credential_harness import GITHUB, GITLAB, Harness, answer, jwt

GITHUB_JOB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_EVENT_NAME": "push",
    "GITHUB_EVENT_PATH": "/event.json",
    "ACTIONS_ID_TOKEN_REQUEST_URL": "https://vstoken.example/idtoken?api-version=2.0",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "request-token",
}
NO_PERMISSION = {name: value for name, value in GITHUB_JOB.items() if not name.startswith("ACTIONS")}
FORK = {
    "pull_request": {"head": {"repo": {"full_name": "fork/demo"}}, "base": {"repo": {"full_name": "octo-org/demo"}}}
}
OWN = {
    "pull_request": {"head": {"repo": {"full_name": "octo-org/demo"}}, "base": {"repo": {"full_name": "octo-org/demo"}}}
}
TOKEN = jwt({**GITHUB, "aud": "pypi"})


def never(_audience: str) -> str | None:
    raise AssertionError("nothing may be asked")


class Job:
    """An identity source with its surroundings: what was masked and said."""

    def __init__(
        self,
        environ: Mapping[str, str],
        detect: Callable[[str], str | None] = never,
        **options: Any,  # noqa: ANN401
    ) -> None:
        self.world = Harness()
        settings = {"machine": lambda: "", "read_event": lambda _: b"", "clock": lambda: self.world.now, **options}
        self.source = AmbientIdentity(
            environ=environ,
            mask=lambda secret: self.world.masked.append(secret.reveal()),
            waiting=self.world.waiting,
            emit=self.world.events.append,
            random=lambda: 0.5,
            detect=detect,
            **settings,
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


@pytest.mark.parametrize(
    ("environ", "machine", "provider"),
    [
        ({}, "", None),
        ({"GITHUB_ACTIONS": "true"}, "", Provider.GITHUB),
        ({"GITHUB_ACTIONS": ""}, "", None),
        ({"GITLAB_CI": "true"}, "", Provider.GITLAB),
        ({"GITLAB_CI": "false"}, "", Provider.GITLAB),
        ({"GITLAB_CI": "true"}, "Google Compute Engine", Provider.GITLAB),
        ({"BUILDKITE": "true"}, "Google Compute Engine", Provider.BUILDKITE),
        ({"CIRCLECI": "true"}, "", Provider.CIRCLECI),
        ({"GOOGLE_SERVICE_ACCOUNT_NAME": "ci@p"}, "", Provider.GOOGLE),
        ({}, "Google", Provider.GOOGLE),
        ({}, "KVM", None),
    ],
)
def test_the_ci_is_told_by_its_variables(environ: dict[str, str], machine: str, provider: Provider | None) -> None:
    source = Job(environ, machine=lambda: machine).source
    assert source.provider is provider
    assert source.repeatable is (provider is not Provider.GITLAB)


# before any network ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environ", "event", "error", "words"),
    [
        ({}, {}, errors.IdentityUnavailable, "Not running in a CI"),
        (NO_PERMISSION, {}, errors.NoIdTokenPermission, "`id-token: write` is missing"),
        ({**GITHUB_JOB, "ACTIONS_ID_TOKEN_REQUEST_URL": ""}, {}, errors.NoIdTokenPermission, "id-token"),
        (
            {**NO_PERMISSION, "GITHUB_EVENT_NAME": "pull_request"},
            FORK,
            errors.ForkPullRequest,
            "from a fork (pull_request)",
        ),
        ({**NO_PERMISSION, "GITHUB_EVENT_NAME": "pull_request"}, OWN, errors.NoIdTokenPermission, "id-token"),
        (
            {**GITHUB_JOB, "GITHUB_EVENT_NAME": "pull_request_target"},
            FORK,
            errors.PullRequestTarget,
            "pull_request_target",
        ),
        ({"GITLAB_CI": "true"}, {}, errors.GitLabIdTokenMissing, "PYPI_ID_TOKEN is not set"),
        ({"GITLAB_CI": "true", "PYPI_ID_TOKEN": ""}, {}, errors.GitLabIdTokenMissing, "PYPI_ID_TOKEN"),
    ],
)
def test_what_is_missing_is_said_before_any_network(
    environ: dict[str, str], event: object, error: type[errors.IdentityUnavailable], words: str
) -> None:
    job = Job(environ, read_event=lambda path: json.dumps(event).encode() if path == "/event.json" else b"")
    with pytest.raises(error) as caught:
        job.source.token("pypi")
    assert type(caught.value) is error
    assert words in caught.value.summary
    assert caught.value.exit_code == 5
    assert caught.value.hints


def test_without_an_audience_only_what_it_decides_is_left_open() -> None:
    assert Job({"GITLAB_CI": "true"}).source.missing(None) is None
    assert isinstance(Job(NO_PERMISSION).source.missing(None), errors.NoIdTokenPermission)


def test_the_missing_lines_of_configuration_are_written_out() -> None:
    missing = Job(NO_PERMISSION).source.missing("pypi")
    assert missing is not None
    assert missing.hints[0].splitlines()[1:] == ["permissions:", "  id-token: write  # for the publishing job"]
    missing = Job({"GITLAB_CI": "true"}).source.missing("sigstore")
    assert missing is not None
    (hint,) = missing.hints
    assert hint.splitlines() == [
        "Add to the job that publishes:",
        "id_tokens:",
        "  SIGSTORE_ID_TOKEN:",
        "    aud: sigstore",
    ]
    assert Job({"BUILDKITE": "true"}).source.missing("pypi") is None
    assert type(Job({}).source.missing("pypi")) is errors.IdentityUnavailable


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (FORK, True),
        (OWN, False),
        ({"pull_request": {"head": {"repo": None}, "base": {"repo": {}}}}, True),
        ({"pull_request": {"head": {}, "base": {}}}, False),
        ({"pull_request": None}, False),
        ({"ref": "refs/tags/v1"}, False),
        ([], False),
    ],
)
def test_forks_are_seen_from_the_event(payload: object, expected: bool) -> None:
    assert is_fork_event(json.dumps(payload).encode()) is expected


@pytest.mark.parametrize("payload", [b"", b"{", b"[" * 100_000, b"\xff"])
def test_an_event_that_cannot_be_read_is_no_fork(payload: bytes) -> None:
    assert is_fork_event(payload) is False


def test_the_event_is_read_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "event.json"
    path.write_bytes(b"{}")
    assert read_event(str(path)) == b"{}"
    assert read_event(str(tmp_path / "none.json")) == read_event("") == read_event("\0") == b""


def test_the_machine_is_asked_without_failing() -> None:
    assert isinstance(read_google_product(), str)


# GitLab ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("audience", "name"),
    [
        ("pypi", "PYPI_ID_TOKEN"),
        ("testpypi", "TESTPYPI_ID_TOKEN"),
        ("sigstore", "SIGSTORE_ID_TOKEN"),
        ("http://test.audience", "HTTP___TEST_AUDIENCE_ID_TOKEN"),
        ("1st", "_ST_ID_TOKEN"),
        ("ci-publish-rehearsal", "CI_PUBLISH_REHEARSAL_ID_TOKEN"),
    ],
)
def test_gitlabs_variable_has_the_name_that_id_gives_it(
    audience: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert gitlab_variable(audience) == name
    for variable in ("GITHUB_ACTIONS", "BUILDKITE", "GOOGLE_SERVICE_ACCOUNT_NAME"):
        monkeypatch.delenv(variable, raising=False)
    token = jwt({**GITLAB, "aud": audience})
    monkeypatch.setenv("GITLAB_CI", "true")
    monkeypatch.setenv(name, token)
    assert detect_with_id(audience) == token


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
    with pytest.raises(errors.IdentityProviderFailed, match="GitLab did not give"):
        Job({"GITLAB_CI": "true", "PYPI_ID_TOKEN": "garbage"}).source.token("pypi")


# through id -----------------------------------------------------------------------------------------------------


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
    with pytest.raises(errors.IdentityProviderFailed, match=r"no answer within 0.2 s"):
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
    with pytest.raises(errors.IdentityProviderFailed, match="gave no token"):
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
    with pytest.raises(errors.IdentityProviderFailed, match=rf"{name} did not give .* is for sigstore, not for pypi"):
        Job(environ, in_turn(jwt({"aud": "sigstore"}))).source.token("pypi")


def test_id_finds_nothing_here(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("GITHUB_ACTIONS", "BUILDKITE", "GITLAB_CI", "CIRCLECI", "GOOGLE_SERVICE_ACCOUNT_NAME"):
        monkeypatch.delenv(variable, raising=False)
    if "Google" not in read_google_product():
        assert detect_with_id("pypi") is None


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


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        ({"FORGEJO_ACTIONS": "true", "GITEA_ACTIONS": "true"}, "Forgejo Actions"),
        ({"GITEA_ACTIONS": "true"}, "Gitea Actions"),
        ({"ACT": "true"}, "act"),
        ({"ACT": "false", "GITEA_ACTIONS": ""}, None),
        ({}, None),
    ],
)
def test_a_runner_that_passes_for_githubs_is_known(environ: dict[str, str], name: str | None) -> None:
    assert runner(environ) == name
    missing = Job({"GITHUB_ACTIONS": "true", **environ}).source.missing("pypi")
    assert missing is not None
    assert (name or "GitHub") in missing.summary
    assert isinstance(missing, errors.NoIdTokenPermission) is (name is None)
