"""Interpreters by name, and what they say of themselves."""

import os
import sys
from pathlib import Path

import pytest
from packaging.tags import sys_tags

from ci_publish.errors import ConfigurationError
from ci_publish.publishing.interruption import Interruption
from ci_publish.rehearsal.installation.command_processes import CommandProcesses
from ci_publish.rehearsal.installation.interpreters import find_interpreters


def processes(path: str = os.environ["PATH"]) -> CommandProcesses:
    return CommandProcesses({"PATH": path}, Interruption(60.0))


def test_without_a_name_it_is_the_one_that_runs(tmp_path: Path) -> None:
    (found,) = find_interpreters((), sys.executable, processes(), tmp_path)

    assert found.executable == sys.executable
    assert found.version == ".".join(map(str, sys.version_info[:3]))
    assert found.tags == tuple(str(tag) for tag in sys_tags())
    assert found.markers["python_version"] == f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert found.name in {f"Python {sys.version_info[0]}.{sys.version_info[1]}", f"PyPy 3.{sys.version_info[1]}"}


@pytest.mark.skipif(os.name != "posix", reason="links on PATH")
def test_a_version_a_command_and_a_path_may_be_the_same_one(tmp_path: Path) -> None:
    link = tmp_path / f"python{sys.version_info[0]}.{sys.version_info[1]}"
    link.symlink_to(sys.executable)
    names = (f"{sys.version_info[0]}.{sys.version_info[1]}", link.name, str(link))

    assert [each.executable for each in find_interpreters(names, "", processes(str(tmp_path)), tmp_path)] == [str(link)]


def test_one_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"3\.99") as error:
        find_interpreters(("3.99",), "", processes(), tmp_path)
    assert "on PATH" in error.value.detail
    with pytest.raises(ConfigurationError, match="no/such"):
        find_interpreters(("no/such/python",), "", processes(), tmp_path)


@pytest.mark.skipif(os.name != "posix", reason="scripts are POSIX's")
@pytest.mark.parametrize("script", ["echo hello", "exit 3", "echo '{}'; exit 1"])
def test_what_is_no_python_is_an_error_with_what_it_said(tmp_path: Path, script: str) -> None:
    program = tmp_path / "python9"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)

    with pytest.raises(ConfigurationError, match="cannot be used"):
        find_interpreters((str(program),), "", processes(), tmp_path)
