"""The releases of a run, for rules that need no previous release (pure)."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from ci_publish.model.distribution import Collection
from ci_publish.model.release import Comparison, Release, local_release_files


def versions_by_project(collection: Collection) -> Mapping[str, AbstractSet[str]]:
    """Return the versions of each project of a run."""
    found: dict[str, set[str]] = {}
    for file in collection.distributions:
        found.setdefault(file.project, set()).add(file.version)
    return found


def local_comparisons(collection: Collection) -> tuple[Comparison, ...]:
    """Return each release of a run, compared with nothing, for the rules that need no index."""
    found: list[Comparison] = []
    for project, version in dict.fromkeys(file.release for file in collection.distributions):
        files = local_release_files(file for file in collection.distributions if file.release == (project, version))
        ours = Release(project=project, version=version, files=files)
        found.append(Comparison(ours=ours, new_files=files))
    return tuple(found)
