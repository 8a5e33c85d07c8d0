"""RateLimit and RateLimit-Policy."""

import pytest

from ci_publish.http.rate_limits import RateLimit, exhausted_rate_limit_quota, parse_rate_limits, rate_limit_reset_wait


@pytest.mark.parametrize(
    ("state", "policy", "quota"),
    [
        ('"project.create.user";r=0;t=42', '"project.create.user";q=4;w=86400;pk=:user:', "4 in 24 hours"),
        ('"a";r=9;t=1, "b";r=0;t=3', '"a";q=40;w=60;pk=:ip:, "b";q=20;w=3600;pk=:user:', "20 in 1 hour"),
        ('"a";r=0;t=1', '"a";q=5;w=90', "5 in 90 s"),
        ('"a";r=0;t=1', '"b";q=5;w=90', None),
        ('"a";r=5;t=1', '"a";q=5;w=90', None),
        ("nonsense", "nonsense", None),
    ],
)
def test_the_quota_that_is_used_up_is_read_from_the_answer(state: str, policy: str, quota: str | None) -> None:
    assert exhausted_rate_limit_quota({"ratelimit": state, "ratelimit-policy": policy}) == quota
    assert exhausted_rate_limit_quota({}) is None


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ('"project.create.user";r=0;t=42', 42.0),
        ('"a";r=0;t=1, "b"; r=0; t=3', 3.0),
        ('"a";r=0;t=1, "b";r=2;t=3', 1.0),
        ('"a";r=1;t=42', None),
        ('"a";r=0', None),
        ('"a";r=0;t=soon', None),
        ('"a";r=0;t=1234567890', None),
        ("nonsense", None),
        ("", None),
    ],
)
def test_the_latest_reset_of_what_is_exhausted_counts(header: str, wait: float | None) -> None:
    assert rate_limit_reset_wait({"ratelimit": header}) == wait


def test_a_policy_without_a_state_is_known_by_its_name() -> None:
    headers = {"ratelimit": '"a";r=0;t=1', "ratelimit-policy": '"a";q=1;w=3600, "project.create.ip";q=4;w=60'}
    assert parse_rate_limits(headers) == (
        RateLimit(policy="a", remaining=0, reset=1, quota="1 in 1 hour"),
        RateLimit(policy="project.create.ip", quota="4 in 60 s"),
    )
