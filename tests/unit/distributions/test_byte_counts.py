"""How numbers of bytes are written."""

import pytest

from ci_publish.distributions.byte_counts import format_byte_size, format_exact_bytes, format_size_and_limit

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        (0, "0 B"),
        (1023, "1,023 B"),
        (KIB, "1 KiB"),
        (MIB // 2, "512 KiB"),
        (100 * MIB, "100 MiB"),
        (MIB + MIB // 2, "1.5 MiB"),
        (10 * GIB, "10 GiB"),
        (100 * GIB, "100 GiB"),
    ],
)
def test_the_unit_is_chosen_by_size(size: int, shown: str) -> None:
    assert format_byte_size(size) == shown


def test_more_digits_can_be_asked_for() -> None:
    assert format_byte_size(10 * GIB - 50 * MIB, 2) == "9.95 GiB"
    assert format_exact_bytes(100 * MIB + 1) == "104,857,601 B"


@pytest.mark.parametrize(
    ("size", "limit", "shown"),
    [
        (1026, 100, ("1,026 B", "100 B")),
        (100 * MIB + 1, 100 * MIB, ("104,857,601 B", "104,857,600 B")),
        (201 * MIB, 200 * MIB, ("201 MiB", "200 MiB")),
        (2 * KIB, KIB, ("2 KiB", "1 KiB")),
        (GIB, 100 * MIB, ("1 GiB", "100 MiB")),
    ],
)
def test_a_size_and_its_limit_are_told_apart(size: int, limit: int, shown: tuple[str, str]) -> None:
    assert format_size_and_limit(size, limit) == shown
