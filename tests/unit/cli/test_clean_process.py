"""The process that starts other people's code shows none of the variables that it was told."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ci_publish.cli.clean_process import read_passed_variables

pytestmark = pytest.mark.skipif(os.name != "posix", reason="Windows replaces no process")

PROGRAM = """
import os, sys
from ci_publish.cli import clean_process
clean_process.restart_process(["one", "two"], dict(os.environ), program=sys.argv[1])
"""
AFTERWARDS = """
import os, sys
from ci_publish.cli.clean_process import read_passed_variables
told = read_passed_variables(int(sys.argv[1]))
print(sys.argv[2:], told["GITHUB_OUTPUT"], told["ODD"].encode("utf-8", "surrogateescape"), "PYPI_ID_TOKEN" in told)
print(sorted(os.environ), os.getpid())
"""


def test_the_same_process_goes_on_with_a_clean_environment(tmp_path: Path) -> None:
    environ = {
        "PATH": "/bin",
        "HOME": str(tmp_path),
        "LANG": "C.UTF-8",
        "GITHUB_OUTPUT": "/out",
        "PYPI_ID_TOKEN": "x",
        "ACTIONS_RUNTIME_TOKEN": "x",
        "MY_SECRET": "x",
    }
    command = [sys.executable, "-c", PROGRAM, AFTERWARDS]
    with subprocess.Popen(
        command, env={**{k.encode(): v.encode() for k, v in environ.items()}, b"ODD": b"\xff"}, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        first, second = process.stdout.read().decode().splitlines()

    assert first == "['one', 'two'] /out b'\\xff' False"
    shown = second.rpartition("]")[0]
    assert not [
        name
        for name in ("GITHUB_OUTPUT", "PYPI_ID_TOKEN", "ACTIONS_RUNTIME_TOKEN", "MY_SECRET", "ODD")
        if name in shown
    ]
    assert "'HOME'" in shown
    assert int(second.split()[-1]) == process.pid


def test_what_was_told_is_read_once(tmp_path: Path) -> None:
    file = tmp_path / "told"
    file.write_text('{"A": "b"}')
    descriptor = os.open(file, os.O_RDONLY)

    assert read_passed_variables(descriptor) == {"A": "b"}
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)
