"""Restarts this process without secrets in its environment, before it runs other people's code.

``/proc/PID/environ`` is what a process was started with, whatever it removes later, and processes of one user can read
each other's. So the process is replaced by one whose environment has PATH, locale, proxies and certificates; what else
the run needs to know (which CI this is, where its outputs go) is read from memory that has no name.
"""

import io
import json
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from typing import Final, NoReturn

from ci_publish.app.install_credentials import variables_for_installing_process
from ci_publish.python_processes import passed_on_variables, python_command

# What this program itself, and no process that it starts, gets besides.
_OWN: Final = ("HOME", "TMPDIR", "TEMP", "TMP", "XDG_CACHE_HOME", "XDG_DATA_HOME", "TERM", "COLUMNS", "LINES")
_PROGRAM: Final = "from ci_publish.cli.main import entry_after_restart; entry_after_restart()"


def restart_process(argv: Sequence[str], environ: Mapping[str, str], program: str = _PROGRAM) -> NoReturn:
    """Replace this process by one that runs the same command with *environ*, which other processes cannot see."""
    variables = _memory_file_descriptor(
        json.dumps(variables_for_installing_process(environ)).encode("utf-8", "surrogateescape")
    )
    own = {name: environ[name] for name in _OWN if name in environ}
    command = python_command(program, str(variables), *argv)
    command[1:1] = ["-u", *(["-B"] if sys.dont_write_bytecode else [])]
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os.execve(command[0], command, {**passed_on_variables(environ), **own})  # noqa: S606  (this very program)


def _memory_file_descriptor(content: bytes) -> int:
    """Return a descriptor for the next program from which *content* can be read; it has no name in any folder."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("ci-publish", 0)
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    with io.FileIO(descriptor, "r+", closefd=False) as memory:
        memory.write(content)
    os.lseek(descriptor, 0, os.SEEK_SET)
    os.set_inheritable(descriptor, True)  # noqa: FBT003  (its only argument)
    return descriptor


def read_passed_variables(descriptor: int) -> dict[str, str]:
    """Return the variables that the previous process passed on, and close *descriptor*."""
    with io.FileIO(descriptor) as memory:
        found = json.loads(memory.readall().decode("utf-8", "surrogateescape"))
    return {str(name): str(value) for name, value in found.items()}
