"""The command lines of uv and pip, which install into a virtual environment of an interpreter (pure)."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

from ci_publish.model.frozen import frozen

_QUIET_UV: Final = ("--no-config", "--no-progress", "--color", "never")
_QUIET_PIP: Final = ("--disable-pip-version-check", "--no-input", "--no-color")


class Installer(Protocol):
    """What makes environments and installs into them. Each method returns a command."""

    @property
    def name(self) -> str:
        """The program and its version, as reports show it."""

    def create_environment_command(self, interpreter: str, folder: Path) -> list[str]:
        """Make a virtual environment of *interpreter* in *folder*."""

    def install_command(self, python: str, requirements: Sequence[str], index: str, *options: str) -> list[str]:
        """Install *requirements* from *index* into the environment of *python*.

        *options* may be ``--no-deps`` and ``--dry-run``, which both installers have.
        """

    def check_consistency_command(self, python: str) -> list[str]:
        """Check that everything in the environment has what it requires."""


@frozen
class Uv:
    """uv, at a path."""

    path: str
    version: str

    @property
    def name(self) -> str:
        """The program and its version."""
        return f"uv {self.version}"

    def create_environment_command(self, interpreter: str, folder: Path) -> list[str]:
        """See ``Installer``."""
        return [self.path, "venv", *_QUIET_UV, "--no-project", "--python", interpreter, str(folder)]

    def install_command(self, python: str, requirements: Sequence[str], index: str, *options: str) -> list[str]:
        """See ``Installer``."""
        return [
            *(self.path, "pip", "install", *_QUIET_UV, "--python", python),
            *("--default-index", index, *options, *requirements),
        ]

    def check_consistency_command(self, python: str) -> list[str]:
        """See ``Installer``."""
        return [self.path, "pip", "check", *_QUIET_UV, "--python", python]


@frozen
class Pip:
    """The pip of an interpreter, which installs into the environments of others (pip 22.3)."""

    interpreter: str
    version: str

    @property
    def name(self) -> str:
        """The program and its version."""
        return f"pip {self.version}"

    def create_environment_command(self, interpreter: str, folder: Path) -> list[str]:
        """See ``Installer``."""
        return [interpreter, "-I", "-m", "venv", "--without-pip", str(folder)]

    def install_command(self, python: str, requirements: Sequence[str], index: str, *options: str) -> list[str]:
        """See ``Installer``."""
        return [
            *(*self._pip_command(python), "install", "--index-url", index, "--progress-bar", "off"),
            *("--no-warn-script-location", "--root-user-action", "ignore", *options, *requirements),
        ]

    def check_consistency_command(self, python: str) -> list[str]:
        """See ``Installer``."""
        return [*self._pip_command(python), "check"]

    def _pip_command(self, python: str) -> Sequence[str]:
        return (self.interpreter, "-I", "-X", "utf8", "-m", "pip", *_QUIET_PIP, "--python", python)


def scripts_folder(environment: Path) -> Path:
    """Return the folder of the programs of a virtual environment."""
    return environment / ("Scripts" if os.name == "nt" else "bin")


def python_of_environment(environment: Path) -> str:
    """Return the interpreter of a virtual environment."""
    return str(scripts_folder(environment) / ("python.exe" if os.name == "nt" else "python"))
