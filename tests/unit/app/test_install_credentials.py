"""Where other people's code is installed, and what the processes that start it show."""

import sys
from pathlib import Path

import pytest

from ci_publish.app.install_credentials import (
    reachable_credentials,
    refuse_install_with_credentials,
    refuse_secrets_in_process_environment,
    restarts_without_secrets,
    secrets_to_mask,
    variables_for_installing_process,
)
from ci_publish.app.settings import Settings
from ci_publish.errors import ConfigurationError, InstallWithCredentials
from ci_publish.model.identity import Secret

GITHUB = {"GITHUB_ACTIONS": "true"}
IDENTITY = {"ACTIONS_ID_TOKEN_REQUEST_URL": "https://x", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "x"}


@pytest.mark.parametrize(
    ("settings", "environ", "found"),
    [
        ({}, {}, []),
        ({}, GITHUB, []),
        ({}, {**GITHUB, **IDENTITY}, ["the identity token of this CI job"]),
        ({}, {"ACTIONS_ID_TOKEN_REQUEST_TOKEN": "x"}, ["the identity token of this CI job"]),
        ({}, {"GITLAB_CI": "true"}, []),
        ({}, {"GITLAB_CI": "true", "PYPI_ID_TOKEN": "x"}, ["the identity token of this CI job"]),
        ({}, {"BUILDKITE": "true"}, ["the identity token of this CI job"]),
        ({}, {"CIRCLECI": "true"}, ["the identity token of this CI job"]),
        ({"password": Secret("pypi-x")}, {}, ["the password or API token of this run"]),
        ({"password": Secret(" ")}, {}, []),
        ({"keyring": True}, {}, ["the keyring"]),
        ({}, {"TWINE_PASSWORD": "x", "UV_PUBLISH_TOKEN": " "}, ["TWINE_PASSWORD"]),
        ({}, {"POETRY_PYPI_TOKEN_PYPI": "x"}, ["POETRY_PYPI_TOKEN_PYPI"]),
    ],
)
def test_what_is_within_reach(settings: dict[str, object], environ: dict[str, str], found: list[str]) -> None:
    given = Settings(install=True, **settings)  # type: ignore[arg-type]

    assert reachable_credentials(given, environ) == found
    if found:
        with pytest.raises(InstallWithCredentials, match=found[0]):
            refuse_install_with_credentials(given, environ)
    else:
        refuse_install_with_credentials(given, environ)


def test_it_can_be_allowed_for_this_call() -> None:
    refuse_install_with_credentials(Settings(install=True, install_with_credentials=True), {**GITHUB, **IDENTITY})


def test_a_password_on_standard_input_is_refused_in_any_case() -> None:
    given = Settings(install=True).model_copy(update={"password_stdin": True, "install_with_credentials": True})
    with pytest.raises(InstallWithCredentials, match="standard input"):
        refuse_install_with_credentials(given, {})


@pytest.mark.parametrize(
    ("environ", "move"),
    [
        (GITHUB, "`id-token: write`"),
        ({"CI_PUBLISH_ACTION": "docker"}, "`id-token: write`"),
        ({"GITLAB_CI": "true"}, "`id_tokens:`"),
        ({}, "no identity token can be requested"),
    ],
)
def test_what_to_do_is_said_in_the_words_of_the_ci(environ: dict[str, str], move: str) -> None:
    with pytest.raises(InstallWithCredentials) as error:
        refuse_install_with_credentials(Settings(install=True, keyring=True), environ)

    assert move in error.value.hints[0]
    assert "install: false" in error.value.hints[1]
    assert "install-with-credentials: true" in error.value.hints[2]


def test_a_process_that_starts_other_people_s_code_is_told_no_identity_and_no_foreign_secret() -> None:
    kept = {
        "PATH": "/bin",
        "GITHUB_OUTPUT": "/o",
        "INPUT_PASSWORD": "p",
        "CI_PUBLISH_PASSWORD": "p",
        "TWINE_PASSWORD": "p",
    }
    left_out = {**IDENTITY, "ACTIONS_RUNTIME_URL": "x", "A_ID_TOKEN": "x", "GITHUB_TOKEN": "x", "AWS_API_KEY": "x"}

    assert variables_for_installing_process({**kept, **left_out}) == kept


@pytest.mark.parametrize(
    "name", ["ACTIONS_RUNTIME_TOKEN", "PYPI_ID_TOKEN", "CI_PUBLISH_TOKEN", "INPUT_PASSWORD", "UV_PUBLISH_TOKEN"]
)
def test_a_program_that_was_started_with_secrets_cannot_install(tmp_path: Path, name: str) -> None:
    environ = tmp_path / "environ"
    environ.write_bytes(f"PATH=/bin\0{name}=x\0".encode())

    with pytest.raises(ConfigurationError, match=name):
        refuse_secrets_in_process_environment(environ)


def test_other_variables_and_empty_ones_do_no_harm(tmp_path: Path) -> None:
    environ = tmp_path / "environ"
    environ.write_bytes(b"PATH=/bin\0GITHUB_OUTPUT=/o\0CI_PUBLISH_PASSWORD=\0")

    refuse_secrets_in_process_environment(environ)
    refuse_secrets_in_process_environment(tmp_path / "absent")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows replaces no process")
@pytest.mark.parametrize(
    ("command", "settings", "again"),
    [
        ("rehearse", {"install": True}, True),
        ("publish", {"install": True, "rehearse": True}, True),
        ("plan", {"install": True, "rehearse": True}, True),
        ("publish", {"install": True}, False),
        ("rehearse", {}, False),
        ("check", {"install": True, "rehearse": True}, False),
    ],
)
def test_the_process_starts_again_where_it_will_install(
    command: str, settings: dict[str, bool], *, again: bool
) -> None:
    assert restarts_without_secrets(command, Settings(**settings)) is again  # type: ignore[arg-type]


def test_what_installed_code_may_print_is_masked() -> None:
    settings = Settings(install=True).model_copy(update={"password": Secret("of-the-run")})
    environ = {
        "TWINE_PASSWORD": "of-twine",
        "UV_PUBLISH_TOKEN": " ",
        "INPUT_PASSWORD": "of-the-run",
        "HTTPS_PROXY": "http://u:of-the-proxy@p.example",
        "PATH": "/bin",
    }

    assert {secret.reveal() for secret in secrets_to_mask(settings, environ)} == {
        *("of-the-run", "of-twine", "of-the-proxy", "u:of-the-proxy")
    }
    blank = settings.model_copy(update={"password": Secret("")})
    assert list(secrets_to_mask(blank, {})) == list(secrets_to_mask(Settings(), {})) == []
