"""Families of projects that require each other, and what must hold of them on an index at any moment."""

import random
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from email.parser import Parser
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename
from pip._vendor.resolvelib import AbstractProvider, BaseReporter, ResolutionImpossible, Resolver
from werkzeug.test import Client

from ci_publish.rehearsal.index_server import RehearsalIndex
from tests.distributions import make_wheel

SIMPLE = "application/vnd.pypi.simple.v1+json"
MARKERS = ("", "", "", ' ; python_version >= "3"', ' ; sys_platform == "win32"')
NEVER = ' ; python_version < "3"'


@dataclass(frozen=True)
class Family:
    """Some projects, each with its wheels in ``folder / dist``, and what they require (lines of ``Requires-Dist``)."""

    folder: Path
    requires: Mapping[str, Sequence[str]]
    tags: Mapping[str, Sequence[str]]

    @property
    def filenames(self) -> set[str]:
        """The names of all its wheels."""
        return {f"{project}-1.0-{tag}-none-any.whl" for project, tags in self.tags.items() for tag in tags}

    def make(self) -> "Family":
        """Write the wheels."""
        for project, lines in self.requires.items():
            extra = "".join(f"Requires-Dist: {line}\n" for line in lines)
            extras = "Provides-Extra: all\n" if "extra ==" in extra else ""
            for tag in self.tags[project]:
                make_wheel(self.folder / "dist", project, tag=f"{tag}-none-any", extra=extras + extra)
        return self

    def cycle_of(self, project: str) -> set[str]:
        """Return the projects that *project* is in a cycle with, by a search of its own."""
        return {name for name in self._reached(project) if project in self._reached(name)}

    def _reached(self, project: str) -> set[str]:
        found: set[str] = set()
        todo = [project]
        while todo:
            for name in siblings(self.requires[todo.pop()], self.requires):
                if name not in found:
                    found.add(name)
                    todo.append(name)
        return found


def siblings(lines: Iterable[str], projects: Collection[str]) -> list[str]:
    """Return the projects that *lines* require whatever the environment, without those of extras."""
    parsed = [Requirement(line) for line in lines if "extra ==" not in line]
    return [name for each in parsed if (name := str(canonicalize_name(each.name))) in projects]


def random_family(folder: Path, dice: random.Random, prefix: str, most: int = 12) -> Family:
    """Draw a family: requirements with markers, of extras, in cycles, of projects that this run does not have."""
    names = [f"{prefix}-{letter}".replace("-", "") for letter in "abcdefghjkmn"[: dice.randint(2, most)]]
    dice.shuffle(names)
    requires: dict[str, list[str]] = {}
    for place, name in enumerate(names):
        earlier = dice.sample(names[:place], min(place, dice.randint(0, 3)))
        lines = [f"{other}=={'1.0'}{dice.choice(MARKERS)}" for other in earlier]
        if dice.random() < 0.3:
            lines.append(f"{dice.choice(names)} ; extra == 'all'")
        if dice.random() < 0.2:
            lines.append(f"{prefix}missing{NEVER}")
        if place and dice.random() < 0.15:  # a cycle, perhaps
            requires[dice.choice(names[:place])].append(f"{name}>=1")
        requires[name] = lines
    tags = {name: [dice.choice(("py3", "py2.py3")), *dice.choice(((), ("py2",)))] for name in names}
    return Family(folder, {name: sorted(set(lines)) for name, lines in requires.items()}, tags)


class Published(NamedTuple):
    """A release on the index, with its requirements of siblings."""

    project: str
    version: str
    requires: tuple[Requirement, ...]


@dataclass
class Checker:
    """Asks an index by its Simple API whether every published file of a family can be installed now."""

    index: RehearsalIndex
    family: Family
    checks: int = 0
    broken: list[str] = field(default_factory=list)
    _metadata: dict[str, list[str]] = field(default_factory=dict)

    def check(self) -> None:
        """Note every published file whose requirements of siblings cannot be resolved."""
        self.checks += 1
        releases = {project: list(self._releases(project)) for project in self.family.requires}
        for published in (each for some in releases.values() for each in some):
            root = Requirement(f"{published.project}=={published.version}")
            try:
                Resolver(_Provider(releases), BaseReporter()).resolve([root])
            except ResolutionImpossible as error:
                missing = ", ".join(sorted({str(cause.requirement) for cause in error.causes}))
                self.broken.append(f"check {self.checks}: {published.project} cannot be installed: {missing}")

    def _releases(self, project: str) -> Iterator[Published]:
        client = Client(self.index.app)
        answer = client.get(f"/simple/{project}/", headers={"Accept": SIMPLE})
        for file in (answer.json or {}).get("files", []) if answer.status_code == 200 else []:
            path = urlsplit(file["url"]).path
            if path not in self._metadata:
                with client.get(f"{path}.metadata") as answered:
                    metadata = Parser().parsestr(answered.get_data(as_text=True))
                self._metadata[path] = metadata.get_all("Requires-Dist") or []
            _, version, _, _ = parse_wheel_filename(file["filename"])
            lines = [line for line in self._metadata[path] if self._counts(project, line)]
            yield Published(project, str(version), tuple(Requirement(line.partition(";")[0]) for line in lines))

    def _counts(self, project: str, line: str) -> bool:
        """Return whether a requirement is of a sibling; inside a cycle, only once all files of its wave are there."""
        names = siblings([line], self.family.requires)
        if not names:
            return False
        cycle = self.family.cycle_of(project)
        waiting = [name for name in self.family.filenames if name.partition("-")[0] in cycle]
        return names[0] not in cycle or all(name in self.index.files for name in waiting)


class _Provider(AbstractProvider[Any, Any, Any]):
    """The siblings on an index, for resolvelib; every marker counts."""

    def __init__(self, releases: Mapping[str, Sequence[Published]]) -> None:
        self._releases = releases

    def identify(self, requirement_or_candidate: Any) -> str:  # noqa: ANN401
        if isinstance(requirement_or_candidate, Published):
            return requirement_or_candidate.project
        return str(canonicalize_name(requirement_or_candidate.name))

    def get_preference(self, identifier: str, *_: Any, **__: Any) -> str:  # noqa: ANN401
        return identifier

    def find_matches(
        self,
        identifier: str,
        requirements: Mapping[str, Iterator[Requirement]],
        incompatibilities: Any,  # noqa: ANN401
    ) -> list[Published]:
        del incompatibilities
        wanted = list(requirements[identifier])
        return [
            each
            for each in self._releases.get(identifier, ())
            if all(requirement.specifier.contains(each.version) for requirement in wanted)
        ]

    def is_satisfied_by(self, requirement: Requirement, candidate: Published) -> bool:
        return requirement.specifier.contains(candidate.version)

    def get_dependencies(self, candidate: Published) -> tuple[Requirement, ...]:
        return candidate.requires
