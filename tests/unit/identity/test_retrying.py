import pytest

from ci_publish.identity.retrying import pause


@pytest.mark.parametrize(
    ("attempt", "chance", "expected"), [(1, 0.0, 0.5), (1, 1.0, 1.0), (2, 1.0, 2.0), (3, 0.5, 3.0), (99, 1.0, 30.0)]
)
def test_pauses_double_with_jitter_up_to_a_bound(attempt: int, chance: float, expected: float) -> None:
    assert pause(attempt, chance) == expected


@pytest.mark.parametrize(("asked", "expected"), [(0.0, 1.0), (7.0, 7.0), (3600.0, 60.0)])
def test_what_a_server_asks_for_is_honoured_up_to_a_minute(asked: float, expected: float) -> None:
    assert pause(1, 1.0, asked) == expected
