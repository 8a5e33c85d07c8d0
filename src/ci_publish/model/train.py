"""The order in which the projects of one run are published, by their requirements of each other (pure).

Only ``Requires-Dist`` counts, with every environment marker assumed to be true: the run may end at any moment, and
what is public then must be installable everywhere. A requirement of an extra is not needed for that; it only affects
the order where it conflicts with nothing else.
"""

import ast
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from ci_publish.model.distribution import Distribution, Kind
from ci_publish.model.frozen import frozen

if TYPE_CHECKING:
    from packaging.requirements import Requirement

_Edges = Mapping[str, frozenset[str]]
"""A graph of the projects of a run: for each project, the others that it requires."""


@frozen(kw_only=True)
class Unsatisfied:
    """A project requires another one of this run, but not in the ``versions`` that the run has."""

    project: str
    requirement: str
    sibling: str
    versions: tuple[str, ...]


@frozen
class Unknown:
    """A requirement that the order cannot take into account: ``siblings`` to build an sdist, or (empty) any."""

    filename: str
    siblings: tuple[str, ...] = ()


@frozen(kw_only=True)
class Train:
    """The projects of one run.

    ``waves``: in upload order, by name within a wave (the projects of a cycle next to each other). A project is in a
    later wave than those that it requires, except inside one of the ``cycles``, which are in one wave each.
    ``requires``: what each project requires of the others, directly or through others of them.
    """

    waves: tuple[tuple[str, ...], ...] = ()
    requires: _Edges
    cycles: tuple[tuple[str, ...], ...] = ()
    unsatisfied: tuple[Unsatisfied, ...] = ()
    unknown: tuple[Unknown, ...] = ()

    @property
    def order(self) -> tuple[str, ...]:
        """Every project, in upload order."""
        return tuple(project for wave in self.waves for project in wave)

    def projects_requiring(self, projects: Collection[str]) -> frozenset[str]:
        """Return *projects* and every project that requires one of them, also through others."""
        wanted = frozenset(projects)
        return wanted.union(name for name, needed in self.requires.items() if needed & wanted)

    def waves_of(self, projects: Collection[str]) -> tuple[tuple[str, ...], ...]:
        """Return the waves of *projects* alone."""
        waves = (tuple(name for name in wave if name in projects) for wave in self.waves)
        return tuple(filter(None, waves))

    def wave_lines(self, projects: Collection[str], new: Collection[str]) -> tuple[str, ...]:
        """Return each wave of *projects* as a line that names the *new* ones; none if there are fewer than two."""
        if len(projects) < 2:  # noqa: PLR2004  (one project has no order)
            return ()
        named = {name: f"{name} (new project)" if name in new else name for name in projects}
        return tuple(", ".join(named[name] for name in wave) for wave in self.waves_of(projects))

    def cycle_of(self, project: str) -> tuple[str, ...]:
        """Return the projects of the cycle that *project* is in; only itself if it is in none."""
        return next((cycle for cycle in self.cycles if project in cycle), (project,))


NO_TRAIN = Train(requires={})


def train_of_distributions(distributions: Iterable[Distribution]) -> Train:
    """Return the train of the projects of *distributions*; one project alone is one wave, and nothing else."""
    files: dict[str, list[Distribution]] = {}
    for file in distributions:
        files.setdefault(file.project, []).append(file)
    required = {project: _required_siblings(project, files) for project in sorted(files)}
    edges = {project: frozenset(siblings) for project, siblings in required.items()}
    needs = {
        project: frozenset(name for name, some in siblings.items() if any(map(_may_hold_without_extra, some)))
        for project, siblings in required.items()
    }
    reached = _transitive_requirements(needs)
    # All projects of the cycle that a project is in; empty if it is in none.
    cycles = {project: frozenset(name for name in reached[project] if project in reached[name]) for project in reached}
    return Train(
        waves=tuple(_upload_waves(cycles, _drop_optional_edges_in_cycles(edges, needs))),
        requires={project: found - {project} for project, found in reached.items()},
        cycles=tuple(dict.fromkeys(tuple(sorted(some)) for some in cycles.values() if some)),
        unsatisfied=tuple(_unsatisfied_requirements(required, files)),
        unknown=tuple(_unknown_requirements(files)) if len(files) > 1 else (),
    )


# what is required ----------------------------------------------------------------------------------------------------


def _required_siblings(project: str, files: Mapping[str, list[Distribution]]) -> "dict[str, list[Requirement]]":
    """Return what *project* requires of the others, each line once; the checks report unreadable lines."""
    from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415  (late: see ``model.filename``)
    from packaging.utils import canonicalize_name  # noqa: PLC0415

    found: dict[str, list[Requirement]] = {}
    for text in dict.fromkeys(text for file in files[project] for text in file.metadata.all("requires-dist")):
        try:
            requirement = Requirement(text)
        except (InvalidRequirement, RecursionError):
            continue
        if (name := str(canonicalize_name(requirement.name))) in files and name != project:
            found.setdefault(name, []).append(requirement)
    return found


def _may_hold_without_extra(requirement: "Requirement") -> bool:
    """Return whether a requirement may apply without any extra; one that cannot be parsed may."""
    if requirement.marker is None:
        return True
    # The grammar of markers is that of Python except for two operators and the meaning of backslashes.
    text = str(requirement.marker).replace(" ~= ", " == ").replace(" === ", " == ").replace("\\", "/")
    try:
        return _marker_may_hold_without_extra(ast.parse(text, mode="eval").body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return True


def _marker_may_hold_without_extra(marker: ast.expr) -> bool:
    match marker:
        case ast.BoolOp(op=ast.And(), values=values):
            return all(map(_marker_may_hold_without_extra, values))
        case ast.BoolOp(values=values):
            return any(map(_marker_may_hold_without_extra, values))
        case ast.Compare(left=left, ops=[ast.Eq()], comparators=[right]):
            return not any(isinstance(side, ast.Name) and side.id == "extra" for side in (left, right))
        case _:
            return True


def _unsatisfied_requirements(
    required: "Mapping[str, Mapping[str, list[Requirement]]]", files: Mapping[str, list[Distribution]]
) -> Iterator[Unsatisfied]:
    """Yield the siblings that a project requires in other versions than the run has, whatever the environment."""
    for project, siblings in required.items():
        for sibling, some in siblings.items():
            versions = tuple(dict.fromkeys(file.version for file in files[sibling]))
            missed = [each for each in some if not any(each.specifier.filter(versions, prereleases=True))]
            if wrong := missed if len(missed) == len(some) else [each for each in missed if each.marker is None]:
                yield Unsatisfied(project=project, requirement=str(wrong[0]), sibling=sibling, versions=versions)


def _unknown_requirements(files: Mapping[str, list[Distribution]]) -> Iterator[Unknown]:
    """Yield the sdists whose requirements only a build would show."""
    for file in (each for some in files.values() for each in some if each.kind is Kind.SDIST):
        if any(value.strip().casefold() == "requires-dist" for value in file.metadata.all("dynamic")):
            yield Unknown(file.filename)
        if siblings := sorted(set(file.build_requires).intersection(files) - {file.project}):
            yield Unknown(file.filename, tuple(siblings))


# the order -----------------------------------------------------------------------------------------------------------


def _transitive_requirements(edges: _Edges) -> dict[str, frozenset[str]]:
    """Return what can be reached from each project; the project itself only if it is in a cycle."""
    reached: dict[str, frozenset[str]] = {}
    for project in edges:
        found: set[str] = set()
        todo = list(edges[project])
        while todo:
            if (name := todo.pop()) not in found:
                found.add(name)
                todo += edges[name]
        reached[project] = frozenset(found)
    return reached


def _drop_optional_edges_in_cycles(edges: _Edges, needs: _Edges) -> dict[str, frozenset[str]]:
    """Return *edges* without those that are in a cycle and not in *needs*."""
    reached = _transitive_requirements(edges)
    return {
        project: needs[project] | {name for name in names if project not in reached[name]}
        for project, names in edges.items()
    }


def _upload_waves(cycles: _Edges, required: _Edges) -> Iterator[tuple[str, ...]]:
    """Yield the waves: each project after those that it requires, the projects of a cycle together."""
    left, placed = set(required), set[str]()
    while left:
        ready = {name for name in left if required[name] - placed <= cycles[name]}
        wave = {name for name in ready if cycles[name] <= ready}
        # A cycle is sorted by its first project, and its projects stay together.
        yield tuple(sorted(wave, key=lambda name: (min(cycles[name], default=name), name)))
        placed |= wave
        left -= wave
