"""Every option is declared once."""

import pytest

from ci_publish.app.settings import Settings, declared_options
from ci_publish.app.settings_sources import option_variable


def test_settings_are_frozen_and_every_field_is_declared_once() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().jobs = 3  # type: ignore[misc]
    assert declared_options().keys() == Settings.model_fields.keys()
    assert option_variable("index_url") == "CI_PUBLISH_INDEX_URL"
    inputs = [option.input_name for option in declared_options().values() if option.input_name]
    assert len(inputs) == len(set(inputs))


def test_what_says_where_as_whom_and_whether_is_an_intent() -> None:
    assert {name for name, option in declared_options().items() if option.intent} >= INTENT


INTENT = {
    "repository_url", "index_profile", "user", "password", "password_stdin", "keyring", "config_file", "anonymous",
    "on_conflict", "skip_existing", "dry_run", "rehearse",
}  # fmt: skip
