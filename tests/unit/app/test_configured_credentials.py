"""What credentials are made of: settings, the clock, the random source."""

import time
from pathlib import Path

import pytest

from ci_publish import RuntimeContext, Settings
from ci_publish.app import commands, composition
from ci_publish.errors import ConfigurationError
from tests.distributions import make_release


def context() -> RuntimeContext:
    return RuntimeContext(environ={})


@pytest.mark.parametrize("command", ["publish", "plan", "verify", "doctor"])
def test_one_api_token_is_not_shown_to_two_indexes(command: str, tmp_path: Path) -> None:
    make_release(tmp_path)
    settings = Settings(
        paths=(str(tmp_path),),
        repository_url=("pypi", "testpypi"),
        password="pypi-x",  # type: ignore[arg-type]
    )
    with pytest.raises(ConfigurationError, match="several indexes: pypi, testpypi"):
        commands.execute(command, settings, context())


def test_the_timeout_reaches_the_identity() -> None:
    composed = composition.Composition(Settings(timeout=7.0), context())
    try:
        assert composed.credentials.identity_context().timeout == 7.0
    finally:
        composed.close()


def test_credentials_get_the_clock_and_the_random_source_each_in_its_place() -> None:
    composed = composition.Composition(Settings(), context())
    try:
        tools = composed.credentials.identity_context()
        assert abs(tools.clock() - time.time()) < 60
        assert all(0 <= tools.random() < 1 for _ in range(10))
    finally:
        composed.close()
