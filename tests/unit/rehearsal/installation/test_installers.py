"""The command lines of uv and pip: what each is told, whoever else configured it."""

from pathlib import Path

import pytest

from ci_publish.rehearsal.installation.installers import Installer, Pip, Uv, python_of_environment, scripts_folder

UV, PIP = Uv("/bin/uv", "0.13.8"), Pip("/bin/python3", "26.0")


@pytest.mark.parametrize("installer", [UV, PIP])
def test_an_installation_names_environment_index_and_requirement(installer: Installer) -> None:
    command = installer.install_command(
        "/env/bin/python", ("demo @ http://x/",), "http://127.0.0.1:1/simple/", "--no-deps"
    )

    assert command[-2:] == ["--no-deps", "demo @ http://x/"]
    assert command[command.index("--python") + 1] == "/env/bin/python"
    assert "http://127.0.0.1:1/simple/" in command
    assert "install" in command


@pytest.mark.parametrize("installer", [UV, PIP])
def test_consistency_is_checked_in_the_environment(installer: Installer) -> None:
    command = installer.check_consistency_command("/env/bin/python")

    assert "check" in command
    assert command[command.index("--python") + 1] == "/env/bin/python"


def test_environments_are_made_of_an_interpreter() -> None:
    assert UV.create_environment_command("/usr/bin/python3.12", Path("/env"))[-3:] == [
        "--python",
        "/usr/bin/python3.12",
        "/env",
    ]
    assert PIP.create_environment_command("/usr/bin/python3.12", Path("/env"))[0] == "/usr/bin/python3.12"


def test_they_are_called_by_name_and_version() -> None:
    assert (UV.name, PIP.name) == ("uv 0.13.8", "pip 26.0")


def test_the_interpreter_is_among_the_programs() -> None:
    assert Path(python_of_environment(Path("/env"))).parent == scripts_folder(Path("/env"))
