"""Settings as Python makes them."""

from pathlib import Path
from typing import Any

import pytest

from ci_publish.app.settings import Settings
from ci_publish.errors import ConfigurationError
from ci_publish.model.attestation import AttestationPolicy
from tests.unit.app.sourced_settings import loaded


def test_defaults_are_those_of_the_contract(pyproject: Path) -> None:
    settings = loaded(pyproject).settings
    assert settings.paths == ("dist",)
    assert settings.repository_url == ("pypi",)
    assert settings.user == "__token__"
    assert settings.attestations is AttestationPolicy.AUTO
    assert settings.jobs == 8
    assert settings.verify_timeout == 300
    assert settings.deadline == 3600
    assert settings.verify
    assert settings.verify_metadata


def test_an_option_without_a_name_is_refused_not_dropped() -> None:
    unnamed: Any = Settings
    with pytest.raises(ConfigurationError, match="accepts options only by name") as caught:
        unnamed("wheelhouse")
    assert 'Settings(paths=("dist",))' in caught.value.hints[0]


@pytest.mark.parametrize("name", ["_env_file", "_env_prefix", "_cli_parse_args"])
def test_what_pydantic_settings_would_take_is_refused(name: str) -> None:
    given: dict[str, Any] = {name: "x"}
    with pytest.raises(ConfigurationError, match=f"{name} is not an option"):
        Settings(**given)


def test_a_value_that_is_no_path_is_named_in_plain_words() -> None:
    with pytest.raises(ConfigurationError, match="receipt must be a path"):
        Settings(receipt=5)  # type: ignore[arg-type]
