"""The line that adds an extra fits the tool that made the environment: same version, same place."""

import json
from importlib.metadata import distribution
from pathlib import Path

import pytest

from ci_publish import installation
from ci_publish.about import __version__
from ci_publish.installation import Installation


def installed(prefix: Path, installer: str = "pip", source: str = "", executable: str = "/env/bin/python") -> str:
    place = Installation(prefix=prefix, executable=executable, version="1.2", installer=installer, source=source)
    return place.install("rehearsal")


@pytest.mark.parametrize(
    ("installer", "executable", "line"),
    [
        ("pip", "/env/bin/python", '/env/bin/python -m pip install "ci-publish[rehearsal]==1.2"'),
        ("poetry 2.2", "/env/bin/python", '/env/bin/python -m pip install "ci-publish[rehearsal]==1.2"'),
        ("", "", 'python3 -m pip install "ci-publish[rehearsal]==1.2"'),
        ("pip", "C:/My Files/python.exe", '"C:/My Files/python.exe" -m pip install "ci-publish[rehearsal]==1.2"'),
        ("uv", "/env/bin/python", 'uv pip install --python /env/bin/python "ci-publish[rehearsal]==1.2"'),
    ],
)
def test_an_environment_of_ones_own(tmp_path: Path, installer: str, executable: str, line: str) -> None:
    assert installed(tmp_path, installer, executable=executable) == line


@pytest.mark.parametrize("installer", ["pip", "uv"])
@pytest.mark.parametrize(
    ("folder", "mark", "start"),
    [
        ("venvs/ci-publish", "pipx_metadata.json", "pipx install --force "),
        ("tools/ci-publish", "uv-receipt.toml", "uv tool install --force "),
        ("pipx/c3006ce8dcafc75", "", "pipx run --spec "),
        ("archive-v0/HhXedKAPNZWJTFia", "", "uvx --from "),
    ],
)
def test_an_environment_that_a_tool_keeps(tmp_path: Path, folder: str, mark: str, start: str, installer: str) -> None:
    prefix = tmp_path / folder
    prefix.mkdir(parents=True)
    if mark:
        (prefix / mark).touch()
    end = "" if mark else " ci-publish …"
    assert installed(prefix, installer) == f'{start}"ci-publish[rehearsal]==1.2"{end}'


def test_what_came_from_an_address_comes_from_there_again(tmp_path: Path) -> None:
    source = "git+https://github.com/ci-publish/ci-publish@0f"
    assert f'"ci-publish[rehearsal] @ {source}"' in installed(tmp_path, source=source)


@pytest.mark.parametrize(
    ("recorded", "source"),
    [
        (None, ""),
        (
            {"url": "file:///x/ci_publish-1-py3-none-any.whl", "archive_info": {}},
            "file:///x/ci_publish-1-py3-none-any.whl",
        ),
        ({"url": "https://a.example/r", "vcs_info": {"vcs": "git", "commit_id": "0f"}}, "git+https://a.example/r@0f"),
    ],
)
def test_the_address_is_the_recorded_one(recorded: object, source: str) -> None:
    assert installation.requirement_source(recorded and json.dumps(recorded)) == source  # type: ignore[arg-type]


def test_this_process_runs_from_one() -> None:
    current = Installation.current()
    assert (current.version, current.installer) == (
        __version__,
        (distribution("ci-publish").read_text("INSTALLER") or "").strip(),
    )
    assert "ci-publish[keyring]" in current.install("keyring")
