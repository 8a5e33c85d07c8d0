import pytest

from ci_publish.app.option_groups.conflicts import LARGEST_DOWNLOAD
from ci_publish.app.setting_values import size
from ci_publish.app.settings import Settings
from ci_publish.errors import ConfigurationError


@pytest.mark.parametrize(
    ("value", "bytes_"),
    [
        ("off", 0),
        (" OFF ", 0),
        ("0", 0),
        ("1000000", 1_000_000),
        ("1 kB", 1_000),
        ("10M", 10_000_000),
        ("25 MiB", 26_214_400),
        ("1gib", 1_073_741_824),
        (7, 7),
    ],
)
def test_sizes(value: object, bytes_: int) -> None:
    assert size(value) == bytes_


@pytest.mark.parametrize("value", ["", "much", "-1", "1.5M", "1 MiB/s", "٣"])
def test_what_is_no_size(value: str) -> None:
    with pytest.raises(ValueError, match="like 25MiB"):
        size(value)


def test_a_download_is_limited() -> None:
    assert Settings(compare_downloads=LARGEST_DOWNLOAD).compare_downloads == LARGEST_DOWNLOAD
    for value in ("257MiB", -1):
        with pytest.raises(ConfigurationError):
            Settings(compare_downloads=value)  # type: ignore[arg-type]
