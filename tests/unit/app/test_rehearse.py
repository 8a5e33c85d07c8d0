"""What a rehearsal plays of the real destination."""

import pytest

from ci_publish.app.rehearse import rehearsal_settings, rehearse, rehearsed_destination, settings_without_credential
from ci_publish.app.runtime_context import RuntimeContext
from ci_publish.app.settings import Settings
from ci_publish.errors import CiPublishError, ConfigurationError, PasswordRefused
from ci_publish.identity.static_credentials import TOKEN_USER
from ci_publish.model.events import Event
from ci_publish.model.identity import Secret
from ci_publish.model.index import IndexProfile
from ci_publish.rehearsal.world import RehearsalWorld

PYPI, CORP = "https://upload.pypi.org/legacy/", "https://corp.example/upload/"


def given(**options: object) -> Settings:
    return Settings.model_validate(options)


def test_an_identity_is_played_where_nothing_was_given() -> None:
    found = rehearsed_destination(given(), PYPI, "password")
    assert (found.address, found.name, found.profile) == (PYPI, "pypi", IndexProfile.PYPI)
    assert (found.user, found.token, found.anonymous) == (TOKEN_USER, False, False)


@pytest.mark.parametrize(
    ("options", "user", "token"),
    [
        ({"password": "pypi-x"}, TOKEN_USER, True),
        ({"user": "me", "password": "s3cret"}, "me", True),
        ({"keyring": True}, TOKEN_USER, True),
        ({"password": " "}, TOKEN_USER, False),
    ],
)
def test_a_secret_is_played_as_what_it_is_and_not_kept(options: dict[str, object], user: str, *, token: bool) -> None:
    found = rehearsed_destination(given(**options), CORP, "password")
    assert (found.user, found.token) == (user, token)
    assert "s3cret" not in repr(found)


def test_what_can_never_work_is_refused_as_the_real_run_would() -> None:
    with pytest.raises(PasswordRefused):
        rehearsed_destination(given(user="me", password="s3cret"), PYPI, "password")
    with pytest.raises(CiPublishError):
        rehearsed_destination(given(password="not-a-token"), PYPI, "password")


def test_nothing_of_the_real_world_is_used_in_a_rehearsal() -> None:
    real = given(user="me", password="s3cret", index_url="https://corp.example/simple/", allow_http=("corp.example",))
    with RehearsalWorld() as world:
        settings = rehearsal_settings(real, rehearsed_destination(real, CORP, "password"), world)
        assert settings.repository_url == (world.repository_url,)
        assert settings.password not in {None, Secret("s3cret")}
        assert (settings.index_url, settings.index_profile, settings.allow_http) == (None, "generic", ())
        assert rehearsal_settings(given(), rehearsed_destination(given(), PYPI, "password"), world).password is None


def test_an_index_is_read_without_any_credential() -> None:
    settings = settings_without_credential(given(user="me", password="s3cret", keyring=True, audience=("x",)), CORP)
    assert (settings.user, settings.password, settings.keyring, settings.audience) == (TOKEN_USER, None, False, ())
    assert settings.anonymous


def test_an_interpreter_that_is_not_there_stops_the_run_before_its_first_step() -> None:
    events = list[Event]()
    context = RuntimeContext(environ={"PATH": "/bin"}, emit=events.append)
    with pytest.raises(ConfigurationError, match=r"Python interpreter 9\.9 was not found"):
        rehearse(given(install=True, python=("9.9",)), context)
    assert events == []
