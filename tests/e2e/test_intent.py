"""What settings ask for happens through every front end: plans, rehearsals, reports, and the same rules everywhere."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

import ci_publish
from ci_publish.cli.main import main
from ci_publish.cli.streams import Streams
from ci_publish.model.identity import CredentialKind
from ci_publish.rehearsal.world import RehearsalWorld
from tests.distributions import make_release, make_wheel
from tests.e2e.in_process import Shell

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.e2e

CANARY = "canary-of-the-real-index"
PRIVATE = "https://private.example/upload/"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    make_release(tmp_path / "dist")
    return tmp_path


@pytest.fixture
def shell(folder: Path) -> Shell:
    return Shell(folder)


def context(**environ: str) -> ci_publish.RuntimeContext:
    return ci_publish.RuntimeContext(environ=environ)


# --- Python means what the command line means ----------------------------------------------------------------------


def test_a_dry_run_in_python_sends_nothing(folder: Path) -> None:
    with RehearsalWorld() as world:
        settings = ci_publish.Settings(repository_url=(world.repository_url,), dry_run=True)
        receipt = ci_publish.publish(settings, context=context())
        assert receipt.outcome == "planned"
        assert not world.index.files


@pytest.mark.parametrize("command", [ci_publish.publish, ci_publish.rehearse])
def test_a_rehearsal_in_python_needs_no_index(folder: Path, command: object) -> None:
    settings = ci_publish.Settings(rehearse=command is ci_publish.publish, repository_url=("pypi",))
    receipt = command(settings, context=context())  # type: ignore[operator]
    assert receipt.outcome == "rehearsed"
    assert all(file.provenance_verified for file in receipt.files)


def test_python_writes_the_receipt_and_the_reports(folder: Path) -> None:
    settings = ci_publish.Settings(receipt=folder / "r.json", reports_dir=folder / "reports")
    receipt = ci_publish.check(settings, context=context())
    document = json.loads((folder / "r.json").read_text())
    assert document["outcome"] == receipt.outcome == "checked"
    assert {path.name for path in (folder / "reports").iterdir()} == {"publish.env", "junit.xml", "summary.md"}
    with pytest.raises(ci_publish.CiPublishError):
        ci_publish.check(settings.model_copy(update={"mint": True}), context=context())
    assert json.loads((folder / "r.json").read_text())["error"]["slug"] == "configuration"


def test_python_reads_what_the_command_line_reads(folder: Path) -> None:
    (folder / "pyproject.toml").write_text("[tool.ci-publish]\ndry-run = true\n")
    with RehearsalWorld() as world:
        environ = {"CI_PUBLISH_REPOSITORY_URL": world.repository_url}
        assert ci_publish.publish(context=context(**environ)).outcome == "planned"
    with pytest.raises(ci_publish.CiPublishError, match="UV_PUBLISH_URL"):
        ci_publish.publish(
            ci_publish.Settings(repository_url=("pypi",)), context=context(UV_PUBLISH_URL="https://u.example/")
        )


def test_python_says_what_it_expects(folder: Path) -> None:
    with pytest.raises(ci_publish.CiPublishError, match="takes Settings or a Run") as caught:
        ci_publish.publish("dist")  # type: ignore[arg-type]
    assert 'Settings(paths=("dist",))' in caught.value.hints[0]
    assert caught.value.receipt.exit_code == 2
    for wrong in ({"jobs": 0}, {"unheard_of": 1}, {"repository_url": "https://pypi.org/simple/"}, {"index_url": "x"}):
        with pytest.raises(ci_publish.CiPublishError) as caught:
            ci_publish.Settings(**wrong)
        assert caught.value.exit_code == 2
    with pytest.raises(ci_publish.CiPublishError, match=r"rehearse\(\) takes Settings, but was given Run"):
        ci_publish.rehearse(object.__new__(ci_publish.Run))  # type: ignore[arg-type]
    with pytest.raises(ci_publish.CiPublishError, match=r"Settings\(output=…\)"):
        ci_publish.check(ci_publish.Settings(output="json"), context=context())


# --- a rehearsal plays the real run --------------------------------------------------------------------------------


def test_an_api_token_is_played_with_one(shell: Shell) -> None:
    result = shell("rehearse", CI_PUBLISH_PASSWORD=f"pypi-{CANARY}")
    assert result.code == 0, result.stdout
    (index,) = result.receipt["indexes"]
    assert index["credential"]["kind"] == CredentialKind.API_TOKEN
    assert CANARY not in result.stdout + json.dumps(result.receipt)


@pytest.mark.parametrize(
    "given", [{"CI_PUBLISH_USER": "me", "CI_PUBLISH_PASSWORD": CANARY}, {"CI_PUBLISH_ANONYMOUS": "true"}, {}]
)
def test_a_private_index_is_played_with_its_rules(shell: Shell, given: dict[str, str]) -> None:
    make_wheel(shell.folder / "dist", tag="py3-none-linux_x86_64")
    result = shell("rehearse", "--repository-url", PRIVATE, **given)
    assert result.code in {0, 9}, result.stdout
    (index,) = result.receipt["indexes"]
    assert index["profile"] == "generic"
    kinds = {"me": CredentialKind.PASSWORD, "true": CredentialKind.NONE}
    assert index["credential"]["kind"] == kinds.get(next(iter(given.values()), ""), CredentialKind.TRUSTED_PUBLISHING)
    assert CANARY not in result.stdout + json.dumps(result.receipt)


def test_the_action_keeps_its_inputs_beside_rehearse(shell: Shell) -> None:
    inputs = {"INPUT_REPOSITORY-URL": PRIVATE, "INPUT_PASSWORD": CANARY, "INPUT_REHEARSE": "true"}
    result = shell("publish", CI_PUBLISH_ACTION="docker", **inputs)
    assert result.code == 0, result.stdout
    assert result.receipt["outcome"] == "rehearsed"
    assert result.receipt["indexes"][0]["repository_url"].startswith("http://127.0.0.1:")


def test_what_the_real_run_would_refuse_the_rehearsal_refuses(shell: Shell) -> None:
    for given in ({"CI_PUBLISH_USER": "alice"}, {"CI_PUBLISH_REPOSITORY_URL": "testpypi"}, {}):
        refused = shell("rehearse", CI_PUBLISH_PASSWORD=CANARY, **given)
        assert refused.code == 6, refused.stdout
        slug = "password-refused" if "CI_PUBLISH_USER" in given else "not-an-api-token"
        assert refused.receipt["error"]["slug"] == slug
        assert CANARY not in refused.stdout + json.dumps(refused.receipt)
    with RehearsalWorld() as world:  # a token of another index, which only an upload proxy may see
        other = {"CI_PUBLISH_PASSWORD": world.issue_api_token()}
        assert shell("rehearse", "--repository-url", PRIVATE, **other).receipt["error"]["slug"] == "api-token-unusable"
        proxy = PRIVATE.removeprefix("https://").partition("/")[0]
        assert shell("rehearse", "--repository-url", PRIVATE, "--token-for", proxy, **other).code == 0
    assert shell("rehearse", TWINE_REPOSITORY="testpypi", UV_PUBLISH_URL=PRIVATE).code == 2


def test_several_destinations_are_played_one_after_the_other(shell: Shell) -> None:
    (shell.folder / "world").mkdir()
    result = shell("rehearse", "--repository-url", "testpypi", "--repository-url", PRIVATE, "--world", "world")
    assert result.code == 0, result.stdout
    assert len(result.receipt["indexes"]) == 2
    assert {index["profile"] for index in result.receipt["indexes"]} == {"pypi", "generic"}
    assert {file["status"] for file in result.receipt["files"]} == {"uploaded"}


def test_a_rehearsed_plan_uploads_nothing(shell: Shell) -> None:
    result = shell("rehearse", "--dry-run", "--world", "world")
    assert result.code == 0, result.stdout
    assert {file["status"] for file in result.receipt["files"]} == {"planned"}


def test_check_applies_the_rules_of_the_rehearsal_that_it_is_pointed_to(shell: Shell) -> None:
    """PyPI takes no wheel for `linux_x86_64`, other indexes do: `check` must follow the same rules as `publish`."""
    make_wheel(shell.folder / "linux", tag="py3-none-linux_x86_64")
    with RehearsalWorld() as world:
        job = replace(shell, environment=world.environment())
        assert job("check", "linux").code == job("publish", "linux").code == 4
    assert shell("check", "linux", CI_PUBLISH_REPOSITORY_URL=PRIVATE).code == 0


# --- settings ------------------------------------------------------------------------------------------------------


def test_settings_shows_what_is_not_used_and_what_stops(folder: Path) -> None:
    out = io.StringIO()
    environ = {"CI_PUBLISH_MINT": "true", "TWINE_REPOSITORY": "testpypi", "UV_PUBLISH_URL": PRIVATE, "CI_PUBLISH_X": ""}
    assert main(["settings"], environ, Streams(io.StringIO(), out, out)) == 0
    text = out.getvalue()
    assert "(not used by publish, plan, check, diff, attest, verify, rehearse)" in text
    assert "TWINE_REPOSITORY and UV_PUBLISH_URL name different indexes" in text
    assert "Unknown environment variable, ignored: CI_PUBLISH_X" in text


def test_the_secrets_of_other_tools_are_named_where_there_is_no_credential(shell: Shell) -> None:
    with RehearsalWorld() as world:
        result = shell("publish", "--repository-url", world.repository_url, PYPI_TOKEN=CANARY, FLIT_PASSWORD=CANARY)
    assert result.code == 5
    assert "FLIT_PASSWORD, PYPI_TOKEN: not used" in result.stdout
    assert CANARY not in result.stdout + json.dumps(result.receipt)
