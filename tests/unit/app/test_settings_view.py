"""What  shows."""

from ci_publish.app.settings import Settings
from ci_publish.app.settings_view import option_value_for_people


def test_a_secret_is_only_said_to_be_there() -> None:
    assert option_value_for_people("password", Settings(password="canary")) == "***"  # type: ignore[arg-type]
    assert option_value_for_people("password", Settings(password="")) == "(empty)"  # type: ignore[arg-type]
    assert option_value_for_people("index_url", Settings()) == ""
    assert option_value_for_people("strict", Settings()) == "false"
    assert option_value_for_people("repository_url", Settings(repository_url=("a", "b"))) == "a, b"
    held = ("https://al:pa/ss@w@host/legacy/", "https://host/legacy/?token=canary", "https://host/")
    assert option_value_for_people("repository_url", Settings.model_construct(repository_url=held)) == (
        "https://***@host/legacy/, https://host/legacy/?***, https://host/"
    )
    simple = Settings.model_construct(index_url="https://al:pw@host/simple/#x")
    assert option_value_for_people("index_url", simple) == "https://***@host/simple/#***"
