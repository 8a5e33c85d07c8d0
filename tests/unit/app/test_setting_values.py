from pathlib import Path

import pytest

from ci_publish.app.option_groups.conflicts import LARGEST_DOWNLOAD
from ci_publish.app.options import Source
from ci_publish.app.setting_values import ByteLimit, byte_limit_or_none, parse_size_setting
from ci_publish.app.settings import Settings
from ci_publish.app.settings_sources import load_settings
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
    assert parse_size_setting(value) == bytes_


@pytest.mark.parametrize("value", ["", "much", "-1", "1.5M", "1 MiB/s", "٣"])
def test_what_is_no_size(value: str) -> None:
    with pytest.raises(ValueError, match="such as 25MiB"):
        parse_size_setting(value)


def test_a_limit_of_nothing_is_no_limit() -> None:
    assert [byte_limit_or_none(stated) for stated in (None, 0, 1)] == [None, None, 1]


def test_limits_are_shown_as_people_write_them() -> None:
    settings = Settings(compare_downloads="10M", file_size_limit="200 MiB")  # type: ignore[arg-type]
    assert [str(each) for each in (settings.compare_downloads, settings.file_size_limit)] == ["10.0 MB", "200 MiB"]
    assert str(Settings(compare_downloads=0).compare_downloads) == "off"
    assert str(Settings().compare_downloads) == "25 MiB"
    assert [str(ByteLimit(number)) for number in (1, 999, 1_000, 1_024)] == ["1 B", "999 B", "1.0 kB", "1 KiB"]


def test_a_download_is_limited() -> None:
    assert Settings(compare_downloads=LARGEST_DOWNLOAD).compare_downloads == LARGEST_DOWNLOAD
    for value in ("257MiB", -1):
        with pytest.raises(ConfigurationError, match=r"must be at (most 268,435,456|least 0)"):
            Settings(compare_downloads=value)  # type: ignore[arg-type]


@pytest.mark.parametrize("against", ["foo", "1.0-x_y", "", "9" * 5000])
def test_what_is_no_version_is_found_when_options_are_read_and_spelled_as_it_was_given(against: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_settings({"against": against}, {}, Path("pyproject.toml"), source=Source.FLAG)
    assert caught.value.summary.startswith("Invalid setting: --against must be a version such as 1.4.2, not ")
    assert caught.value.hints[0].startswith("Correct --against; see https://")


def test_a_version_is_kept_as_it_is_written() -> None:
    assert Settings(against="v1.0-rc1").against == "v1.0-rc1"
    assert Settings(against=None).against is None
