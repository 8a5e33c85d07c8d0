import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ci_publish import errors
from ci_publish.http.messages import HttpAnswer, HttpRequest, NoAnswer, NoAnswerReason
from ci_publish.identity.credential_choice import CredentialOptions, choose_credential
from ci_publish.identity.upload_tokens import TrustedPublishingCredential
from ci_publish.model.events import CredentialChanged, Noted, Retrying
from ci_publish.model.identity import CredentialKind, Provider, Purpose
from ci_publish.model.token_scope import TokenScope
from tests.unit.identity.credential_harness import (
    GITHUB,
    GITLAB,
    OTHER,
    PYPI,
    FakeCI,
    FakeIndex,
    Harness,
    answer,
    macaroon,
    password,
)
from tests.unit.identity.exchange import LOST, REFUSED, credential, gitlab, refusal

# one token, proved, held, burnt ---------------------------------------------------------------------------------


def test_an_identity_is_proved_held_and_its_token_burnt() -> None:
    world = Harness()
    trusted = credential(world)
    claims = trusted.authenticate()
    assert claims is not None
    assert claims["repository"] == GITHUB["repository"]
    assert trusted.authenticate() == claims
    assert password(trusted.authorization()) == "pypi-upload-1"
    trusted.burn()
    assert world.ci.asked == ["pypi"]
    assert world.index.minted == world.index.burnt == world.masked == ["pypi-upload-1"]
    assert trusted.state.burnt is True
    assert [event.state.burnt for event in world.of(CredentialChanged)] == [False, True]


def test_a_run_shorter_than_the_lifetime_mints_once() -> None:
    world = Harness()
    trusted = credential(world)
    trusted.authenticate()
    trusted.authenticate()
    for _ in range(50):
        world.now += 15.0
        if world.now - 1_800_000_000.0 < 780.0:
            assert password(trusted.authorization()) == "pypi-upload-1"
    assert len(world.index.minted) == 1


def test_nothing_is_asked_or_minted_before_it_is_needed() -> None:
    world = Harness()
    trusted = credential(world)
    trusted.burn()
    assert world.index.requests == []
    assert trusted.state.kind is CredentialKind.TRUSTED_PUBLISHING
    assert (trusted.state.provider, trusted.state.expires, trusted.state.burnt) == ("github", None, None)
    assert world.events == []


def test_holding_without_proof_mints_as_well() -> None:
    world = Harness()
    assert password(credential(world).authorization()) == "pypi-upload-1"


def test_the_mint_has_thirty_seconds_and_is_shielded() -> None:
    world = Harness()
    credential(world).authenticate()
    kinds = dict(zip([request.url for request in world.index.requests], world.index.deadlines, strict=True))
    assert kinds[str(PYPI.mint)] == 30.0
    assert world.shields == ["open", "closed"]


def test_no_secret_is_in_any_event_or_state() -> None:
    world = Harness()
    trusted = credential(world)
    trusted.authenticate()
    trusted.burn()
    assert "pypi-upload" not in repr((world.events, trusted.state))
    assert "eyJ" not in repr((world.events, world.index.requests))


def test_a_token_is_masked_before_any_event_of_it() -> None:
    world = Harness()
    order: list[str] = []
    tools = replace(
        world.tools(), mask=lambda _: order.append("mask"), emit=lambda event: order.append(type(event).__name__)
    )
    chosen = choose_credential(PYPI, CredentialOptions(), tools)
    chosen.authenticate()
    assert order == ["WaitStarted", "mask", "CredentialChanged"]


# fresh identities and retries -----------------------------------------------------------------------------------


@pytest.mark.parametrize("failure", [answer(500), answer(503), answer(429, retry_after="2"), LOST, answer(200, {})])
def test_each_attempt_takes_a_fresh_identity(failure: HttpAnswer | NoAnswer) -> None:
    world = Harness()
    world.index.scripts["mint-token"] = [failure] * 4
    trusted = credential(world)
    trusted.authenticate()
    assert len(set(world.index.identities)) == len(world.index.identities) == 5
    assert len(world.of(Retrying)) == len(world.waits) == 4
    assert world.waits == sorted(world.waits)
    assert password(trusted.authorization()) == "pypi-upload-1"


def test_attempts_are_bounded() -> None:
    world = Harness()
    world.index.scripts["mint-token"] = [answer(503)] * 9
    with pytest.raises(errors.IndexUnavailable, match="HTTP 503"):
        credential(world).authenticate()
    assert len(world.index.identities) == 5


def test_a_stopped_run_tries_no_more() -> None:
    world = Harness()
    world.waiting.stopped = True
    world.index.scripts["mint-token"] = [answer(503)]
    with pytest.raises(errors.IndexUnavailable):
        credential(world).authenticate()
    assert len(world.index.identities) == 1


def test_no_wait_goes_past_the_runs_deadline() -> None:
    world = Harness()
    world.waiting.remaining = 0.4
    world.index.scripts["mint-token"] = [answer(503)]
    with pytest.raises(errors.IndexUnavailable):
        credential(world).authenticate()
    assert world.waits == []


def test_an_untrusted_certificate_is_said_at_once() -> None:
    world = Harness()
    world.index.scripts["audience"] = [NoAnswer(NoAnswerReason.UNTRUSTED_CERTIFICATE, "self-signed certificate")]
    with pytest.raises(errors.UntrustedCertificate, match="self-signed") as caught:
        credential(world).authenticate()
    assert "SSL_CERT_FILE" in caught.value.hints[0]
    assert len(world.index.requests) == 1


@pytest.mark.parametrize("code", ["invalid-token", "invalid-reuse-token", "invalid-pending-publisher"])
def test_some_refusals_are_cured_by_a_fresh_identity_once(code: str) -> None:
    world = Harness()
    world.index.scripts["mint-token"] = [refusal(code)]
    credential(world).authenticate()
    assert len(set(world.index.identities)) == 2
    world = Harness()
    world.index.scripts["mint-token"] = [refusal(code)] * 2
    with pytest.raises(errors.CredentialRejected) as caught:
        credential(world).authenticate()
    assert caught.value.slug == code
    assert len(world.index.identities) == 2


@pytest.mark.parametrize("code", ["invalid-publisher", "not-enabled", "invalid-payload", "other"])
def test_other_refusals_are_final(code: str) -> None:
    world = Harness()
    world.index.scripts["mint-token"] = [refusal(code)]
    with pytest.raises(errors.CredentialRejected):
        credential(world).authenticate()
    assert len(world.index.identities) == 1


def test_the_projects_of_a_refusal_are_those_of_the_purpose() -> None:
    world = Harness()
    world.index.scripts["mint-token"] = [answer(422, REFUSED)]
    trusted = credential(world)
    with pytest.raises(errors.InvalidPublisher) as caught:
        trusted.authenticate(Purpose(("late-project",)))
    assert any("/manage/project/late-project/" in hint for hint in caught.value.hints)


def test_a_missing_identity_is_the_sources_to_explain() -> None:
    world = Harness(ci=FakeCI(error=errors.NoIdTokenPermission("no permission")))
    with pytest.raises(errors.NoIdTokenPermission):
        credential(world).authenticate()
    assert world.index.identities == []


# the identity never leaves --------------------------------------------------------------------------------------


def test_an_identity_that_is_also_for_others_is_not_shown() -> None:
    world = Harness(
        index=FakeIndex(audience="index.example"),
        ci=FakeCI(Provider.GITLAB, {**GITLAB, "aud": ["index.example", "sigstore"]}),
    )
    with pytest.raises(errors.AudienceRefused, match="also for sigstore"):
        credential(world, OTHER).authenticate()
    assert world.index.identities == []


# reusable workflows and pull_request_target ---------------------------------------------------------------------


def test_what_will_be_refused_is_not_exchanged() -> None:
    called = {**GITHUB, "job_workflow_ref": "octo-org/demo/.github/workflows/_publish.yml@refs/tags/v1"}
    world = Harness(ci=FakeCI(claims=called))
    with pytest.raises(errors.ReusableWorkflow):
        credential(world, attesting=True).authenticate()
    assert world.index.identities == []
    credential(world, attesting=False).authenticate()
    assert len(world.index.identities) == 1


# what the environment lacks ------------------------------------------------------------------------------------


NO_TOKEN = errors.NoIdTokenPermission("the job may not ask")
NO_SIGSTORE = errors.GitLabIdTokenMissing("no token for sigstore")


def test_what_the_environment_lacks_is_said_before_the_index_is_asked() -> None:
    world = Harness(ci=FakeCI(lacks={"pypi": NO_TOKEN}))
    trusted = credential(world)
    assert trusted.missing_credential_error() is NO_TOKEN
    for ask in (trusted.authenticate, trusted.authorization):
        with pytest.raises(errors.NoIdTokenPermission):
            ask()
    assert (world.index.requests, world.ci.asked) == ([], [])


def test_sigstores_identity_is_missing_only_where_something_must_be_signed() -> None:
    world = Harness(ci=FakeCI(Provider.GITLAB, GITLAB, lacks={"sigstore": NO_SIGSTORE}))
    signing = Purpose(("demo",), attesting=True)
    assert credential(world, attesting=True).missing_credential_error() is NO_SIGSTORE
    assert credential(world).missing_credential_error(signing) is NO_SIGSTORE
    with pytest.raises(errors.GitLabIdTokenMissing):
        credential(world).authenticate(signing)
    assert world.index.requests == []
    unsigned = credential(world)
    assert unsigned.missing_credential_error() is None
    unsigned.authenticate()


def test_what_is_proved_already_is_not_missing() -> None:
    ci = FakeCI()
    world = Harness(ci=ci)
    trusted = credential(world)
    trusted.authenticate()
    ci.lacks = {"pypi": NO_TOKEN}
    trusted.authenticate()
    assert password(trusted.authorization()) == "pypi-upload-1"


# --timeout -------------------------------------------------------------------------------------------------------


# GitLab: one token ----------------------------------------------------------------------------------------------


def test_gitlabs_only_token_is_judged_first_and_exchanged_last() -> None:
    world = gitlab()
    trusted = credential(world)
    trusted.authenticate()
    trusted.authenticate()
    assert world.index.identities == []
    assert [note.slug for note in world.of(Noted)] == ["one-identity-token"]
    assert password(trusted.authorization()) == password(trusted.authorization()) == "pypi-upload-1"
    assert len(world.ci.asked) == 1
    trusted.burn()
    assert world.index.burnt == ["pypi-upload-1"]


@pytest.mark.parametrize("failure", [answer(500), LOST, answer(200, {}), NoAnswer(NoAnswerReason.CONNECT, "refused")])
def test_a_lost_answer_on_gitlab_is_called_that(failure: HttpAnswer | NoAnswer) -> None:
    world = gitlab()
    world.index.scripts["mint-token"] = [failure]
    trusted = credential(world)
    trusted.authenticate()
    with pytest.raises(errors.MintAnswerLost) as caught:
        trusted.authorization()
    assert (caught.value.exit_code, caught.value.retryable) == (10, True)
    assert "new job has a new token" in caught.value.hints[0]
    assert len(world.index.identities) == 1


def test_an_untrusted_certificate_on_gitlab_loses_nothing() -> None:
    world = gitlab()
    world.index.scripts["mint-token"] = [NoAnswer(NoAnswerReason.UNTRUSTED_CERTIFICATE, "self-signed")]
    with pytest.raises(errors.UntrustedCertificate):
        credential(world).authorization()


@pytest.mark.parametrize("world", [Harness(), gitlab()])
def test_an_expired_certificate_is_an_outage_and_not_tried_again(world: Harness) -> None:
    world.index.scripts["mint-token"] = [NoAnswer(NoAnswerReason.INVALID_CERTIFICATE, "certificate has expired")]
    with pytest.raises(errors.IndexUnavailable, match="has expired"):
        credential(world).authorization()


def test_a_used_up_gitlab_token_is_not_sent_again() -> None:
    world = gitlab()
    world.index.scripts["mint-token"] = [refusal("invalid-reuse-token")]
    trusted = credential(world)
    with pytest.raises(errors.ReusedIdentityToken):
        trusted.authorization()
    with pytest.raises(errors.ReusedIdentityToken):
        trusted.authorization()
    assert len(world.index.identities) == 1


def test_a_final_refusal_is_not_asked_for_again() -> None:
    world = Harness()
    world.index.scripts["mint-token"] = [answer(422, REFUSED)]
    trusted = credential(world)
    for _ in range(3):
        with pytest.raises(errors.InvalidPublisher):
            trusted.authorization()
    assert len(world.index.identities) == 1


def test_an_index_that_was_away_may_be_asked_again() -> None:
    world = Harness()
    world.index.scripts["mint-token"] = [answer(503)] * 5
    trusted = credential(world)
    with pytest.raises(errors.IndexUnavailable):
        trusted.authenticate()
    assert password(trusted.authorization()) == "pypi-upload-1"


def test_a_gitlab_job_that_takes_too_long_is_told_so() -> None:
    world = gitlab()
    trusted = credential(world)
    held = trusted.authorization()
    world.now += 890.0
    assert trusted.authorization() == held
    assert trusted.renew(held) is None
    world.now += 20.0
    with pytest.raises(errors.UploadTokenExpired):
        trusted.authorization()


# renewal --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lifetime", [900.0, 10.0, 21_600.0])
def test_tokens_are_renewed_across_four_lifetimes(lifetime: float) -> None:
    world = Harness(index=FakeIndex(lifetime=lifetime))
    trusted = credential(world)
    trusted.authenticate()
    seen = set()
    for _ in range(400):
        world.now += lifetime / 100.0
        token = password(trusted.authorization())
        seen.add(token)
        assert trusted.state.expires is not None
        assert world.now < trusted.state.expires
    assert 4 <= len(world.index.minted) <= 6
    assert len(set(world.index.identities)) == len(world.index.minted)
    trusted.burn()
    assert set(world.index.burnt) <= seen
    assert world.index.minted[-1] in world.index.burnt


def test_an_outage_while_renewing_is_bridged_by_the_old_token() -> None:
    world = Harness()
    trusted = credential(world)
    held = trusted.authorization()
    world.now += 790.0
    world.index.scripts["mint-token"] = [answer(503)] * 10
    assert trusted.authorization() == held
    world.now += 110.0
    with pytest.raises(errors.IndexUnavailable):
        trusted.authorization()
    assert password(trusted.authorization()) == "pypi-upload-2"


def test_a_token_that_the_index_calls_expired_is_replaced_once() -> None:
    world = Harness()
    trusted = credential(world)
    first = trusted.authorization()
    second = trusted.renew(first)
    assert password(second) == "pypi-upload-2"
    assert trusted.renew(first) == second
    assert trusted.renew(second) is None
    world.now += 800.0
    assert password(trusted.renew(second)) == "pypi-upload-3"
    trusted.burn()
    assert world.index.burnt == world.index.minted


def test_renewing_without_a_token_mints_one() -> None:
    world = Harness()
    assert password(credential(world).renew(None)) == "pypi-upload-1"


def test_the_index_may_live_in_another_time() -> None:
    world = Harness()
    date = "Fri, 15 Jan 2027 08:00:00 GMT"
    world.index.scripts["mint-token"] = [answer(200, {"token": "pypi-a", "expires": 1_800_000_900}, date=date)]
    world.now += 5000.0
    trusted = credential(world)
    trusted.authenticate()
    assert trusted.state.expires == world.now + 900.0
    assert password(trusted.authorization()) == "pypi-a"


def test_many_threads_make_one_mint() -> None:
    world = Harness()
    trusted = credential(world)
    tokens: list[str] = []
    barrier = threading.Barrier(12)

    def work() -> None:
        barrier.wait()
        tokens.append(password(trusted.authorization()))

    threads = [threading.Thread(target=work) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert tokens == ["pypi-upload-1"] * 12
    assert len(world.index.identities) == 1


def test_many_threads_renew_once() -> None:
    world = Harness()
    trusted = credential(world)
    old = trusted.authorization()
    renewed: list[str] = []
    threads = [threading.Thread(target=lambda: renewed.append(password(trusted.renew(old)))) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(renewed) == {"pypi-upload-2"}
    assert len(world.index.minted) == 2


# burning --------------------------------------------------------------------------------------------------------


def test_burning_is_idempotent_and_covers_every_token() -> None:
    world = Harness()
    trusted = credential(world)
    trusted.renew(trusted.authorization())
    trusted.burn()
    trusted.burn()
    assert world.index.burnt == ["pypi-upload-1", "pypi-upload-2"]


def test_a_token_that_has_long_expired_is_not_burnt() -> None:
    world = Harness()
    trusted = credential(world)
    trusted.authenticate()
    world.now += 2000.0
    trusted.burn()
    assert world.index.burnt == []
    assert trusted.state.burnt is True


def broken(_index: FakeIndex, _request: HttpRequest) -> HttpAnswer:
    raise OSError("the pipe broke")


@pytest.mark.parametrize(
    ("script", "requests"),
    [([answer(503)] * 3, 3), ([LOST, LOST, answer(500)], 3), ([answer(400)], 1), ([broken], 1)],
)
def test_a_failed_burn_is_a_warning(script: list[HttpAnswer | NoAnswer | Callable[..., Any]], requests: int) -> None:
    world = Harness()
    world.index.scripts["burn-token"] = list(script)
    trusted = credential(world)
    trusted.authenticate()
    trusted.burn()
    [note] = world.of(Noted)
    assert (note.slug, note.warning) == ("upload-token-not-burnt", True)
    assert len([request for request in world.index.requests if request.url == PYPI.burn]) == requests
    assert trusted.state.burnt is False


def test_a_stopped_run_burns_without_waiting() -> None:
    world = Harness()
    trusted = credential(world)
    trusted.authenticate()
    world.waiting.stopped = True
    world.waiting.remaining = 2.5
    world.index.scripts["burn-token"] = [answer(503)]
    trusted.burn()
    assert world.waits == []
    assert world.index.deadlines[-1] == 2.5
    assert [note.slug for note in world.of(Noted)] == ["upload-token-not-burnt"]


def test_a_token_that_comes_in_while_the_run_ends_is_burnt() -> None:
    world = Harness()
    trusted = credential(world)
    asked, go = threading.Event(), threading.Event()

    def slow(index: FakeIndex, _request: HttpRequest) -> HttpAnswer:
        asked.set()
        assert go.wait(10)
        return index.mint()

    world.index.scripts["mint-token"] = [slow]
    minting = threading.Thread(target=trusted.authorization)
    minting.start()
    assert asked.wait(10)
    burning = threading.Thread(target=trusted.burn)
    burning.start()
    go.set()
    burning.join()
    minting.join()
    assert world.index.burnt == world.index.minted == ["pypi-upload-1"]


def test_a_token_that_comes_in_after_the_end_is_burnt_as_it_comes() -> None:
    world = Harness()
    world.waiting.remaining = 0.05
    trusted = credential(world)
    asked, go = threading.Event(), threading.Event()

    def slow(index: FakeIndex, _request: HttpRequest) -> HttpAnswer:
        asked.set()
        assert go.wait(10)
        return index.mint()

    world.index.scripts["mint-token"] = [slow]
    minting = threading.Thread(target=trusted.authorization)
    minting.start()
    assert asked.wait(10)
    trusted.burn()
    assert world.index.burnt == []
    go.set()
    minting.join()
    assert world.index.burnt == world.index.minted == ["pypi-upload-1"]


def test_an_identity_can_be_judged_without_an_exchange() -> None:
    world = Harness()
    credential = TrustedPublishingCredential(PYPI, world.tools())
    credential.authenticate(mint=False)
    assert world.ci.asked == ["pypi"]
    assert world.index.identities == []
    assert credential.state.scope is None
    refused = Harness(ci=FakeCI(claims={**GITHUB, "event_name": "pull_request_target"}))
    with pytest.raises(errors.InvalidPublisher):
        TrustedPublishingCredential(PYPI, refused.tools()).authenticate(mint=False)


def test_what_an_upload_token_is_for_is_known_after_the_exchange() -> None:
    world = Harness()
    world.index.scripts["mint-token"] = [answer(200, {"token": macaroon([2, ["id"]])})]
    credential = TrustedPublishingCredential(PYPI, world.tools())
    credential.authenticate()
    assert credential.state.scope == TokenScope(count=1)
