"""GitHub's runner, as far as one docker action sees it.

actions/runner 258d6c85, ``ContainerActionHandler.cs``, ``DockerCommandManager.cs``, ``Handler.cs``: the mounts, the
working directory, the variables (hyphens stay in ``INPUT_`` names, inputs without a value are empty), no ``--user``.
The files belong to the runner's user, who is not the one in the container.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests.containers.engine import Container
from tests.unit.reports.runner import Command, commands, file_commands

RUNNER_USER = 1001
_FOLDERS = {
    "runner_temp": "/github/runner_temp",
    "home": "/github/home",
    "workflow": "/github/workflow",
    "file_commands": "/github/file_commands",
    "workspace": "/github/workspace",
}
_COMMAND_FILES = ("GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_STATE", "GITHUB_PATH", "GITHUB_STEP_SUMMARY")


@dataclass(frozen=True)
class Step:
    """What the runner knows when a step is over."""

    code: int
    log: str
    outputs: dict[str, str]
    summary: str

    @property
    def files(self) -> dict[str, str]:
        """The statuses in the output `files`, by filename."""
        return {file["filename"]: file["status"] for file in json.loads(self.outputs["files"])}

    @property
    def commands(self) -> list[Command]:
        """The workflow commands that the runner would obey."""
        return commands(self.log)


def read_yaml(path: Path) -> Any:  # noqa: ANN401  (whatever the file holds)
    return YAML(typ="safe", pure=True).load(path)


@dataclass(frozen=True)
class Job:
    """A job's folders and variables, in which steps run one after the other."""

    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in _FOLDERS:
            (self.folder / name).mkdir(parents=True)
        (self.folder / "workflow" / "event.json").write_text("{}")

    @property
    def workspace(self) -> Path:
        return self.folder / "workspace"

    def step(self, action: Path, image: str, inputs: Mapping[str, str], flags: Sequence[str] = ()) -> Step:
        """Run the docker action that *action* (an action.yml) describes, whose image is *image* already."""
        description = read_yaml(action)
        unknown = inputs.keys() - description["inputs"].keys()
        assert not unknown, f"Unexpected input(s) {unknown}"
        for name in _COMMAND_FILES:
            (self.folder / "file_commands" / name.lower()).write_text("")
        self._give_to(RUNNER_USER)
        run = description["runs"]
        environment = {**self._variables(), **run.get("env", {}), **_input_variables(description, inputs)}
        ran = Container(image, run.get("args", []), [*self._mounts(), *flags], environment).run()
        return Step(ran.code, ran.log, file_commands(self._file("GITHUB_OUTPUT")), self._file("GITHUB_STEP_SUMMARY"))

    def _mounts(self) -> Iterator[str]:
        for name, inside in _FOLDERS.items():
            yield from ("-v", f"{self.folder / name}:{inside}")
        yield from ("--workdir", "/github/workspace")

    def _variables(self) -> dict[str, str]:
        return {
            **self.environment,
            **{name: f"/github/file_commands/{name.lower()}" for name in _COMMAND_FILES},
            "GITHUB_ACTIONS": "true",
            "CI": "true",
            "HOME": "/github/home",
            "GITHUB_WORKSPACE": "/github/workspace",
            "GITHUB_EVENT_PATH": "/github/workflow/event.json",
            "RUNNER_TEMP": "/github/runner_temp",
            "RUNNER_OS": "Linux",
        }

    def _file(self, name: str) -> str:
        return (self.folder / "file_commands" / name.lower()).read_text()

    def _give_to(self, user: int) -> None:
        """Only root can give files away; a runner's user that is not root is another one anyway."""
        if os.geteuid() == 0:
            for path in (self.folder, *self.folder.rglob("*")):
                os.chown(path, user, user)


def _input_variables(description: Mapping[str, Any], inputs: Mapping[str, str]) -> dict[str, str]:
    values = {name: str(declared.get("default", "")) for name, declared in description["inputs"].items()}
    return {f"INPUT_{name.replace(' ', '_').upper()}": value for name, value in {**values, **inputs}.items()}
