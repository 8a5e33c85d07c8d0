"""An index whose audience is no host: refused with the line to write, and given where the user names it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ci_publish.rehearsal.world import RehearsalWorld
from tests.distributions import make_release
from tests.e2e.in_process import Shell

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.e2e

AUDIENCE = "acme-packages"


@pytest.fixture(params=[False, True], ids=["usual-addresses", "pep-807"])
def world(request: pytest.FixtureRequest) -> Iterator[RehearsalWorld]:
    with RehearsalWorld(discovery=request.param) as opened:
        opened.index.trusted_publishing.audience = AUDIENCE
        yield opened


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, world: RehearsalWorld) -> Shell:
    """Return a shell in a job of *world*, which takes the index for a private one."""
    monkeypatch.chdir(tmp_path)
    make_release(tmp_path / "dist")
    return Shell(tmp_path, {**world.environment(), "CI_PUBLISH_INDEX_PROFILE": "generic"})


def test_an_audience_that_nobody_named_is_refused_with_the_line_to_write(shell: Shell, world: RehearsalWorld) -> None:
    for command in (("publish",), ("doctor",), ("doctor", "--mint"), ("plan", "--prove-credential")):
        result = shell(*command)
        assert result.code == 6
        assert result.receipt["error"]["slug"] == "audience-refused"
        told = result.stdout + result.stderr
        assert f"'{AUDIENCE}'" in told
        assert f"--audience {AUDIENCE}" in told
    assert not world.identity_provider.issued


@pytest.mark.parametrize("where", ["flag", "bound flag", "variable", "input", "file"])
def test_an_audience_that_is_named_is_given(shell: Shell, world: RehearsalWorld, where: str) -> None:
    flags: tuple[str, ...] = ()
    environ: dict[str, str] = {}
    match where:
        case "flag":
            flags = ("--audience", AUDIENCE)
        case "bound flag":
            flags = ("--audience", f"127.0.0.1={AUDIENCE}")
        case "variable":
            environ = {"CI_PUBLISH_AUDIENCE": AUDIENCE}
        case "input":
            environ = {"CI_PUBLISH_ACTION": "docker", "INPUT_AUDIENCE": AUDIENCE}
        case _:
            (shell.folder / "pyproject.toml").write_text(f'[tool.ci-publish]\naudience = "{AUDIENCE}"\n')
    result = shell("publish", *flags, **environ)
    assert result.code == 0, result.stdout + result.stderr
    assert {token.audience for token in world.identity_provider.issued} == {AUDIENCE}
    assert world.index.files


@pytest.mark.parametrize("audience", ["pypi", "testpypi", "sigstore"])
def test_what_belongs_to_others_cannot_be_named(shell: Shell, world: RehearsalWorld, audience: str) -> None:
    world.index.trusted_publishing.audience = audience
    assert shell("publish", "--audience", audience).code == 2
    assert shell("rehearse", "--audience", audience).code == 2
    assert shell("publish").code == 6
    assert not world.identity_provider.issued
