"""The commands as Python calls them."""

from pathlib import Path

import pytest

import ci_publish
from ci_publish import Settings
from ci_publish.app.commands import execute
from ci_publish.app.runtime_context import RuntimeContext
from ci_publish.app.settings import declared_options
from ci_publish.errors import (
    ConfigurationError,
    IdentityUnavailable,
    InvalidDistribution,
    NothingToPublish,
)
from ci_publish.model.events import Event, RunFinished, RunStarted
from tests.distributions import make_release, make_wheel
from tests.unit.app.contexts import context
from tests.unit.app.recorded_commands import Recorded
from tests.unit.fakes import fake_run, sdist, wheel


def test_what_is_public_is_what_is_exported() -> None:
    for name in ci_publish.__all__:
        assert getattr(ci_publish, name) is not None
    assert sorted(dir(ci_publish)) == sorted(ci_publish.__all__)
    with pytest.raises(AttributeError, match="no attribute 'frobnicate'"):
        _ = ci_publish.frobnicate


def test_a_run_of_ones_own_rooms_returns_the_receipt() -> None:
    played = fake_run(wheel(), sdist())
    events: list[Event] = []
    receipt = ci_publish.publish(played.run(), context=context(events))
    assert receipt.outcome == "published"
    assert isinstance(events[0], RunStarted)
    assert isinstance(events[-1], RunFinished)
    assert [file.status for file in receipt.files] == ["uploaded", "uploaded"]


def test_check_needs_no_network_and_no_credential(tmp_path: Path) -> None:
    make_release(tmp_path)
    receipt = ci_publish.check(Settings(paths=(str(tmp_path),)), context=context())
    assert receipt.outcome == "checked"
    assert len(receipt.files) == 2
    make_wheel(tmp_path / "bad", tag="py3-none-linux_x86_64")
    with pytest.raises(InvalidDistribution):
        ci_publish.check(Settings(paths=(str(tmp_path / "bad"),)), context=context())


def test_attest_without_a_ci_has_no_identity(tmp_path: Path) -> None:
    make_release(tmp_path)
    settings = Settings(paths=(str(tmp_path),), output_dir=tmp_path / "out")
    with pytest.raises(IdentityUnavailable):
        ci_publish.attest(settings, context=context())


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("level", ["loud", "", "3", "true"])
@pytest.mark.parametrize("command", sorted(declared_options()["rules"].commands))
def test_every_command_that_reads_severities_refuses_wrong_ones(command: str, level: str) -> None:
    Path("pyproject.toml").write_text(f"[tool.ci-publish.rules]\nwheel-lost = '{level}'\n", encoding="utf-8")
    recorded = Recorded()

    with pytest.raises(ConfigurationError, match=f"'{level}' is not a severity of wheel-lost") as it:
        execute(command, Settings(), RuntimeContext(environ={}), commands=recorded.table())
    assert it.value.exit_code == 2
    assert recorded.settings is None


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("source", ["Settings(rules=…)", "CI_PUBLISH_RULES", "[tool.ci-publish.rules]"])
def test_a_rule_that_does_not_exist_is_looked_for_where_it_was_named(source: str) -> None:
    if source.startswith("["):
        Path("pyproject.toml").write_text("[tool.ci-publish.rules]\nnot-a-rule = 'note'\n", encoding="utf-8")
    settings = Settings(rules=("not-a-rule=note",)) if source.startswith("Settings") else Settings()
    environ = {source: "not-a-rule=note"} if source.startswith("CI_") else {}
    with pytest.raises(ConfigurationError) as caught:
        execute("check", settings, RuntimeContext(environ=environ), commands=Recorded().table())
    assert caught.value.summary == f"Invalid setting in {source}: unknown rule 'not-a-rule'."
    assert caught.value.hints[-1] == f"Correct {source}."


@pytest.mark.usefixtures("folder")
def test_a_command_that_has_no_rules_skips_them() -> None:
    recorded = Recorded()
    execute("verify", Settings(), RuntimeContext(environ={"CI_PUBLISH_RULES": "x=y"}), commands=recorded.table())
    assert recorded.settings is not None
    assert recorded.settings.rules == ()


def test_a_release_with_a_single_equals_sign_is_not_taken_for_a_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as refused:
        execute("verify", Settings(paths=("demo=1.0",)), RuntimeContext(environ={}))
    assert refused.value.hints[0] == "Did you mean the release demo==1.0?"


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("path", ["python=3/*.whl", "python=3", "demo=*", "demo=1.0/"])
def test_a_path_with_an_equals_sign_is_no_release(path: str) -> None:
    Path("python=3").mkdir()
    with pytest.raises(NothingToPublish):
        execute(
            "verify",
            Settings(paths=(path,), repository_url=("http://127.0.0.1:9/legacy/",)),
            RuntimeContext(environ={}),
        )
