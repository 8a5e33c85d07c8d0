"""What a served rehearsal says: a line that installs, and its variables in the syntax that was asked for."""

import io
import json
import os
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from ci_publish.app.runtime_context import RuntimeContext
from ci_publish.app.served_rehearsal import announce_served_rehearsal, shell_assignments
from ci_publish.app.settings import Settings
from ci_publish.errors import ConfigurationError
from ci_publish.rehearsal.world import RehearsalWorld
from tests.distributions import make_wheel
from tests.unit.rehearsal.published_files import upload

NASTY = 'it\'s "$HOME" `x` \\ end\nline'


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RehearsalWorld]:
    wheel = make_wheel(tmp_path_factory.mktemp("dist"), "demo", "1.0rc1")
    with RehearsalWorld() as world, httpx.Client() as client:
        assert upload(client, world, wheel, world.issue_api_token()) == (200, "OK")
        yield world


def said(world: RehearsalWorld, *, generic: bool = False, **options: object) -> str:
    stdout = io.StringIO()
    context = RuntimeContext(environ={}, stdout=stdout)
    announce_served_rehearsal(world, Settings(**options), context, generic=generic)  # type: ignore[arg-type]
    return stdout.getvalue()


def test_people_get_one_line_that_installs_and_no_variables(world: RehearsalWorld) -> None:
    text = said(world)

    assert f"pip install --index-url {world.index_url} demo==1.0rc1\n" in text
    assert "CI_PUBLISH_REPOSITORY_URL" not in text
    assert len(text.splitlines()) < 10


def test_programs_get_everything_and_a_ci_job_only_when_asked(world: RehearsalWorld) -> None:
    plain = json.loads(said(world, output="json"))
    as_ci = json.loads(said(world, output="json", as_ci=True, generic=True))

    assert plain["environment"]["CI_PUBLISH_PASSWORD"] == plain["api_token"]
    assert plain["environment"]["PIP_INDEX_URL"] == world.index_url
    assert not [name for name in plain["environment"] if name.startswith(("GITHUB_", "ACTIONS_"))]
    assert as_ci["environment"]["GITHUB_ACTIONS"] == "true"
    assert as_ci["environment"]["CI_PUBLISH_INDEX_PROFILE"] == "generic"
    assert "CI_PUBLISH_PASSWORD" not in as_ci["environment"]


def test_a_file_is_for_its_owner_alone(world: RehearsalWorld, tmp_path: Path) -> None:
    path = tmp_path / "made" / "rehearsal.env"
    text = said(world, env_file=path)

    assert str(path) in text
    assert f'UV_DEFAULT_INDEX="{world.index_url}"\n' in path.read_text()
    if os.name == "posix":
        assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_that_cannot_be_written_is_named(world: RehearsalWorld, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="env-file"):
        said(world, env_file=tmp_path)


def test_without_a_file_the_shell_s_lines_are_all_that_is_said(world: RehearsalWorld) -> None:
    lines = said(world, shell="sh").splitlines()  # noqa: S604  (the option of that name)

    assert all(line.startswith("export ") for line in lines)
    assert f"export PIP_INDEX_URL={world.index_url}" in lines


def test_every_syntax_quotes_what_it_must() -> None:
    assert shell_assignments("sh", {"A": NASTY}) == f"export A={shlex.quote(NASTY)}\n"
    assert shell_assignments("fish", {"A": "it's \\"}) == "set -gx A 'it\\'s \\\\'\n"
    assert shell_assignments("powershell", {"A": "it's"}) == "$env:A = 'it''s'\n"
    assert shell_assignments("dotenv", {"B": NASTY, "A": "plain_1-2"}) == (
        'A=plain_1-2\nB="it\'s \\"\\$HOME\\" \\`x\\` \\\\ end\\nline"\n'
    )


@pytest.mark.skipif(os.name != "posix", reason="needs a POSIX shell")
def test_a_shell_reads_back_what_was_written() -> None:
    script = shell_assignments("sh", {"A": NASTY}) + 'printf %s "$A"'
    result = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=True)

    assert result.stdout == NASTY
