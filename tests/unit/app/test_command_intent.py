"""What a command does with options that say where, as whom and whether."""

from contextlib import nullcontext
from pathlib import Path

import pytest

from ci_publish.app.commands import execute
from ci_publish.app.options import Source, Use, option_use
from ci_publish.app.runtime_context import RuntimeContext
from ci_publish.app.settings import Settings, declared_options
from ci_publish.errors import ConfigurationError
from ci_publish.model.identity import Secret
from tests.unit.app.recorded_commands import Recorded

pytestmark = pytest.mark.usefixtures("folder")


@pytest.mark.parametrize("command", ["publish", "plan", "attest", "rehearse", "doctor"])
def test_no_intent_is_ever_skipped_by_a_command_that_acts(command: str) -> None:
    for name, option in declared_options().items():
        if option.intent:
            assert option_use(option, command, Source.VARIABLE) is not Use.SKIPPED, name


def test_a_plan_that_rehearses_only_plans() -> None:
    recorded = Recorded()
    execute("plan", Settings(rehearse=True), RuntimeContext(environ={}), commands=recorded.table())
    assert recorded.command == "rehearse"
    assert recorded.settings is not None
    assert recorded.settings.dry_run


def test_doctor_does_not_exchange_a_token_in_a_dry_run() -> None:
    with pytest.raises(ConfigurationError, match="dry run"):
        execute("doctor", Settings(mint=True, dry_run=True), RuntimeContext(environ={}), commands=Recorded().table())


def test_a_default_and_an_empty_secret_ask_for_nothing() -> None:
    recorded = Recorded()
    environ = {"CI_PUBLISH_DRY_RUN": "false", "CI_PUBLISH_USER": "__token__", "CI_PUBLISH_PASSWORD": ""}
    execute("attest", Settings(), RuntimeContext(environ=environ), commands=recorded.table())
    assert recorded.command == "attest"
    assert recorded.settings is not None
    assert recorded.settings.password in {None, Secret("")}


def test_other_tools_never_stop_commands_that_contact_no_index() -> None:
    environ = {"TWINE_PASSWORD": "hunter2", "TWINE_REPOSITORY": "testpypi", "UV_PUBLISH_URL": "https://u.example/"}
    for command in ("check", "attest"):
        execute(command, Settings(), RuntimeContext(environ=environ), commands=Recorded().table())
    for command in ("publish", "plan", "verify", "rehearse", "doctor"):
        with pytest.raises(ConfigurationError, match="TWINE_REPOSITORY"):
            execute(command, Settings(), RuntimeContext(environ=environ), commands=Recorded().table())


def test_diff_compares_although_the_project_turns_comparing_off() -> None:
    Path("pyproject.toml").write_text('[tool.ci-publish]\nrelease-diff = "off"\n', encoding="utf-8")
    compared = {}
    for command in ("diff", "publish"):
        recorded = Recorded()
        execute(command, Settings(), RuntimeContext(environ={}), commands=recorded.table())
        assert recorded.settings is not None
        compared[command] = recorded.settings.release_diff
    assert compared == {"diff": "auto", "publish": "off"}


@pytest.mark.parametrize(
    ("given", "environ", "told"),
    [
        ({"release_diff": "off"}, {}, "Settings(release_diff=…)"),
        ({}, {"CI_PUBLISH_RELEASE_DIFF": "off"}, "CI_PUBLISH_RELEASE_DIFF"),
    ],
)
def test_diff_that_this_call_turns_off_is_a_contradiction(
    given: dict[str, str], environ: dict[str, str], told: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        execute("diff", Settings.model_validate(given), RuntimeContext(environ=environ), commands=Recorded().table())
    assert f"but {told} turns that off" in caught.value.summary
    assert caught.value.hints[0].startswith(f"Remove {told}")


@pytest.mark.parametrize(
    ("given", "environ", "refused"),
    [
        ({"anonymous": True, "user": "joe"}, {}, True),
        ({}, {"CI_PUBLISH_ANONYMOUS": "true", "CI_PUBLISH_USER": "joe"}, True),
        ({"user": "joe"}, {"CI_PUBLISH_ANONYMOUS": "true"}, True),
        ({"anonymous": True}, {"CI_PUBLISH_USER": "joe"}, False),
        ({"anonymous": True}, {"TWINE_USERNAME": "joe"}, False),
        ({"anonymous": True}, {}, False),
    ],
)
def test_a_user_for_an_upload_without_credential_is_a_contradiction(
    given: dict[str, object], environ: dict[str, str], refused: bool
) -> None:
    recorded = Recorded()
    context = RuntimeContext(environ=environ)
    with pytest.raises(ConfigurationError, match="without a credential") if refused else nullcontext():
        execute("publish", Settings.model_validate(given), context, commands=recorded.table())
    assert (recorded.settings is None) is refused


@pytest.mark.parametrize(
    ("command", "given", "environ", "said"),
    [
        ("publish", {"install": True}, {}, "Settings(install=…) only applies to a rehearsal"),
        ("plan", {"run": ("demo",)}, {}, "Settings(run=…) only applies to a rehearsal"),
        ("publish", {}, {"CI_PUBLISH_INSTALL": "true"}, "CI_PUBLISH_INSTALL only applies to a rehearsal"),
        (
            "publish",
            {},
            {"CI_PUBLISH_ACTION": "native", "INPUT_INSTALL": "true"},
            "install only applies to a rehearsal",
        ),
        (
            "publish",
            {},
            {"CI_PUBLISH_ACTION": "native", "INPUT_INSTALL-PYTHON": "3.12"},
            "install-python only applies to a",
        ),
        ("publish", {}, {"CI_PUBLISH_INPUT_INSTALL_RUN": "demo"}, "install-run only applies to a rehearsal"),
        ("publish", {"rehearse": True, "run": ("demo",)}, {}, "only applies to an installation"),
        ("rehearse", {"upstream": "https://a.example/"}, {}, "only applies to an installation"),
        ("rehearse", {"as_ci": True}, {}, "only applies to servers that keep running"),
    ],
)
def test_what_has_no_effect_without_another_option_is_refused(
    command: str, given: dict[str, object], environ: dict[str, str], said: str
) -> None:
    with pytest.raises(ConfigurationError) as refused:
        execute(
            command,
            Settings(**given),  # type: ignore[arg-type]
            RuntimeContext(environ=environ),
            commands=Recorded().table(),
        )
    assert said in refused.value.summary
    assert refused.value.exit_code == 2


@pytest.mark.parametrize(
    ("command", "given", "environ"),
    [
        ("publish", {"rehearse": True, "install": True, "run": ("demo",)}, {}),
        ("publish", {}, {"CI_PUBLISH_INSTALL_TIMEOUT": "60"}),
        ("rehearse", {"serve": True, "upstream": "https://a.example/"}, {}),
    ],
)
def test_what_has_an_effect_or_is_shared_is_taken(
    command: str, given: dict[str, object], environ: dict[str, str]
) -> None:
    recorded = Recorded()
    execute(command, Settings(**given), RuntimeContext(environ=environ), commands=recorded.table())  # type: ignore[arg-type]
    assert recorded.command == ("rehearse" if given else "publish")


def test_a_table_for_installations_is_no_request_to_install_where_nothing_is_rehearsed() -> None:
    Path("pyproject.toml").write_text('[tool.ci-publish.install]\nrun = ["demo"]\n')
    recorded = Recorded()
    execute("publish", Settings(), RuntimeContext(environ={}), commands=recorded.table())
    assert recorded.command == "publish"
