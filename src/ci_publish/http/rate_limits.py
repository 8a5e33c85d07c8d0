"""The rate limits that a server states: RateLimit and RateLimit-Policy (pure).

Sources: draft-ietf-httpapi-ratelimit-headers (r: what remains, t: seconds to the reset, q: quota, w: window in
seconds); warehouse/rate_limiting/headers.py, which sends both without Retry-After.
"""

import re
from collections.abc import Iterator, Mapping

from ci_publish.model.frozen import frozen

_ITEM = re.compile(r'(?:^|,)\s*"([^"]{0,100})"((?:\s*;[^,"]{0,100}){1,8})')
_PARAMETER = re.compile(r";\s*([a-z]{1,8})=(\d{1,9})(?!\d)")
_LONGEST_HEADER = 2000


@frozen(kw_only=True)
class RateLimit:
    """One limit. ``remaining`` requests are left, ``reset`` is in seconds, ``quota`` as in "4 in 24 hours".

    None if the server does not say.
    """

    policy: str
    remaining: int | None = None
    reset: int | None = None
    quota: str | None = None

    @property
    def exhausted(self) -> bool:
        """Whether nothing remains."""
        return self.remaining == 0


def parse_rate_limits(headers: Mapping[str, str]) -> tuple[RateLimit, ...]:
    """Return the limits in *headers* (lower-case names); those whose state is known come first."""
    policies = dict(_parse_rate_limit_items(headers.get("ratelimit-policy", "")))
    states = list(_parse_rate_limit_items(headers.get("ratelimit", "")))
    named = {name for name, _ in states}
    states += [(name, {}) for name in policies if name not in named]
    return tuple(
        RateLimit(
            policy=name, remaining=state.get("r"), reset=state.get("t"), quota=_quota_text(policies.get(name, {}))
        )
        for name, state in states
    )


def rate_limit_reset_wait(headers: Mapping[str, str]) -> float | None:
    """Return the seconds until the last of the exhausted limits is reset; None if none is, or it does not say."""
    resets = [float(each.reset) for each in parse_rate_limits(headers) if each.exhausted and each.reset is not None]
    return max(resets, default=None)


def exhausted_rate_limit_quota(headers: Mapping[str, str]) -> str | None:
    """Return the quota that is used up, as in "4 in 24 hours"; None without one."""
    return next((each.quota for each in parse_rate_limits(headers) if each.exhausted and each.quota), None)


def _parse_rate_limit_items(header: str) -> Iterator[tuple[str, dict[str, int]]]:
    for name, parameters in _ITEM.findall(header[:_LONGEST_HEADER]):
        yield name, {key: int(number) for key, number in _PARAMETER.findall(parameters)}


def _quota_text(policy: Mapping[str, int]) -> str | None:
    if not policy.keys() >= {"q", "w"}:
        return None
    hours, seconds = divmod(policy["w"], 3600)
    period = f"{policy['w']} s" if seconds else "1 hour" if hours == 1 else f"{hours} hours"
    return f"{policy['q']} in {period}"
