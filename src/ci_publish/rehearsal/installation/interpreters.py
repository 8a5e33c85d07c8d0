"""The Python interpreters for trial installations: found by name, and asked what they are and which wheels fit."""

import json
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import packaging

from ci_publish.errors import ConfigurationError
from ci_publish.hints import Hint, option
from ci_publish.model.frozen import frozen
from ci_publish.rehearsal.installation.command_processes import CommandProcesses

_VERSION: Final = re.compile(r"[23](\.[0-9]+){0,2}t?")
_SECONDS: Final = 30.0
_SHOWN_LINES: Final = 3
# In the interpreter itself: `packaging` knows the tags and the markers of the one that imports it.
_QUESTION: Final = """
import importlib.util, json, platform, sys
sys.path.append(sys.argv[1])
from packaging.markers import default_environment
from packaging.tags import sys_tags
print(json.dumps({
    "version": platform.python_version(),
    "implementation": platform.python_implementation(),
    "tags": [str(tag) for tag in sys_tags()],
    "markers": default_environment(),
    "pip": importlib.util.find_spec("pip") is not None,
    "base": getattr(sys, "_base_executable", "") or sys.executable,
}))
"""


@frozen(kw_only=True)
class FoundInterpreter:
    """A Python: its executable and version (``3.12.1``), the tags that it accepts, the best first, and its markers.

    ``has_pip``: it can run ``-m pip``. ``base`` is the executable that its environment was made from.
    """

    executable: str
    version: str
    implementation: str
    tags: tuple[str, ...]
    markers: Mapping[str, str]
    has_pip: bool
    base: str

    @property
    def name(self) -> str:
        """Its usual name: ``Python 3.12``, or ``PyPy 3.11``."""
        called = "Python" if self.implementation == "CPython" else self.implementation
        return f"{called} {'.'.join(self.version.split('.')[:2])}"


def find_interpreters(
    names: Sequence[str], default: str, processes: CommandProcesses, folder: Path
) -> tuple[FoundInterpreter, ...]:
    """Return the interpreters that *names* stand for, each once; without names, *default* alone.

    A name is a version (``3.12``), a command on PATH or a path. Raises ConfigurationError for one that is not there.
    """
    found = find_python_executables(names, processes.environ.get("PATH")) or (default,)
    return tuple(query_interpreter(executable, processes, folder) for executable in found)


def find_python_executables(names: Sequence[str], path: str | None) -> tuple[str, ...]:
    """Return the executables that *names* stand for, each once. Raises ConfigurationError for one that is not there."""
    found: list[str] = []
    for name in names:
        command = f"python{name}" if _VERSION.fullmatch(name) else name
        if (executable := shutil.which(command, path=path)) is None:
            raise ConfigurationError(
                f"Python interpreter {name} was not found.",
                detail=f"{command} was not found on PATH." if command == Path(command).name else "",
                hints=(
                    Hint("Specify one that is installed: ", option("python", "3.12")),
                    "Or install it before this step.",
                ),
            )
        found.append(executable)
    return tuple(dict.fromkeys(found))


def query_interpreter(executable: str, processes: CommandProcesses, folder: Path) -> FoundInterpreter:
    """Ask the interpreter at *executable* what it is. Raises ConfigurationError if it does not respond."""
    library = str(Path(str(packaging.__file__)).parents[1])
    command = (executable, "-I", "-X", "utf8", "-c", _QUESTION, library)
    answer = processes.run(command, folder=folder, seconds=_SECONDS)
    try:
        facts = json.loads(answer.output.splitlines()[-1] if answer.output and not answer.failed else "")
    except ValueError as error:
        raise ConfigurationError(
            f"{executable} cannot be used for test installations.",
            detail="\n".join(answer.output.splitlines()[-_SHOWN_LINES:])
            or f"It did not respond within {_SECONDS:g} s.",
            hints=(Hint("Specify a Python interpreter, 3.8 or newer: ", option("python", "3.12")),),
        ) from error
    return FoundInterpreter(
        executable=executable,
        version=facts["version"],
        implementation=facts["implementation"],
        tags=tuple(facts["tags"]),
        markers=facts["markers"],
        has_pip=facts["pip"],
        base=facts["base"],
    )
