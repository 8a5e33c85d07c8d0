"""How numbers of bytes are written."""

import pytest

from ci_publish.model.byte_counts import format_limit, format_size, format_size_and_limit

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1.0 kB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (100 * MIB, "104.9 MB"),
        (GIB, "1.1 GB"),
        (5 * 10**12, "5.0 TB"),
        (10**16, "10000.0 TB"),
    ],
)
def test_a_size_is_in_the_units_of_pypis_pages(size: int, shown: str) -> None:
    assert format_size(size) == shown


def test_more_digits_can_be_asked_for() -> None:
    assert format_size(9_950_000_000, 2) == "9.95 GB"
    assert format_size(999_994_999, 2) == "999.99 MB"
    assert format_size(999_995_000, 2) == "1.00 GB"


@pytest.mark.parametrize(
    ("limit", "shown"),
    [
        (100 * MIB, "100 MiB"),
        (10 * GIB, "10 GiB"),
        (2000 * GIB, "2,000 GiB"),
        (512 * KIB, "512 KiB"),
        (200_000_000, "200.0 MB"),
        (512_000, "512.0 kB"),
        (2048 * GIB, "2 TiB"),
        (100, "100 B"),
        (0, "0 B"),
        (1_234_567, "1.2 MB"),
    ],
)
def test_a_limit_is_in_the_units_in_which_it_is_set(limit: int, shown: str) -> None:
    assert format_limit(limit) == shown


@pytest.mark.parametrize(
    ("size", "limit", "shown"),
    [
        (1026, 100, ("1.0 kB", "100 B")),
        (100 * MIB + 1, 100 * MIB, ("104,857,601 B", "100 MiB (104,857,600 B)")),
        (200_000_001, 200_000_000, ("200,000,001 B", "200,000,000 B")),
        (201 * MIB, 200 * MIB, ("210.8 MB", "200 MiB (209.7 MB)")),
        (201_000_000, 200_000_000, ("201.0 MB", "200.0 MB")),
        (GIB, 100 * MIB, ("1.1 GB", "100 MiB (104.9 MB)")),
    ],
)
def test_a_size_and_its_limit_are_told_apart(size: int, limit: int, shown: tuple[str, str]) -> None:
    assert format_size_and_limit(size, limit) == shown


def test_digits_count_for_both() -> None:
    assert format_size_and_limit(10_720_000_000, 10 * GIB, 2) == ("10.72 GB", "10 GiB (10.74 GB)")
