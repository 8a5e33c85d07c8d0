"""Distributions below the folders that were searched.

``actions/download-artifact`` makes a folder for each artifact: a release must not be published without the wheels that
are there. Up to two levels below a folder are searched, except hidden folders, installed packages, links and other
projects.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Final

from ci_publish.distributions import file_access
from ci_publish.distributions.file_access import FoundFile, PathSearch
from ci_publish.model.filename import DistributionFilename
from ci_publish.model.frozen import frozen

_SKIPPED: Final = frozenset({"node_modules", "site-packages"})
_FARTHEST: Final = 8
_MOST_FOLDERS: Final = 1_000
_PROJECT_MARKS: Final = ("pyproject.toml", ".git")


class Subfolders(StrEnum):
    """What to do with distributions in subfolders."""

    REFUSE = "refuse"
    TAKE = "take"
    IGNORE = "ignore"


@frozen(kw_only=True)
class SubfolderFile:
    """A file with a distribution's name in a subfolder of ``root``; the pattern ``glob`` leads to it.

    ``required``: a release without this file would be incomplete, because its root was named. If the root was matched
    by a pattern, or is the root of a project, that is not certain.
    """

    path: Path
    root: str
    glob: str
    required: bool


def find_subfolder_files(paths: Sequence[str], search: PathSearch) -> tuple[SubfolderFile, ...]:
    """Return the distributions up to two levels below the folders that *paths* lead to, without those in *search*.

    Below a folder that a pattern matched, one level is enough: the folder itself is the first.
    """
    known = {file_access.canonical_entry_path(file.path) for file in search.files}
    found: dict[Path, SubfolderFile] = {}
    for each in sorted(_files_below_folders(paths, search), key=lambda each: not each.required):
        found.setdefault(file_access.canonical_entry_path(each.path), each)
    return tuple(each for identity, each in found.items() if identity not in known)


def find_too_deep_distribution(paths: Sequence[str]) -> Path | None:
    """Return a distribution more than two levels below the folders *paths*; None if a bounded search finds none."""
    folders = [folder for folder in map(Path, paths) if folder.is_dir()]
    for _ in range(_FARTHEST):
        folders = [inner for folder in folders for inner in _list_searched_subfolders(folder)][:_MOST_FOLDERS]
        found = next((path for folder in folders for path in _list_distributions_in_folder(folder)), None)
        if found is not None:
            return found
    return None


def with_subfolder_files(search: PathSearch, deeper: Iterable[SubfolderFile]) -> PathSearch:
    """Return *search* with the files in subfolders and the attestations next to them."""
    added = [FoundFile(each.path, named=True) for each in deeper]
    together = {
        file_access.canonical_entry_path(file.path): file
        for file in (*file_access.entries_beside_files(added, file_access.ATTESTATION), *added)
    }
    together |= {file_access.canonical_entry_path(file.path): file for file in search.files}
    return replace(search, files=tuple(together.values()))


def without_parent_folders(search: PathSearch, deeper: Iterable[SubfolderFile]) -> PathSearch:
    """Return *search* without the folders that contain a file of *search* or *deeper*: these need no mention."""
    folders = {file_access.canonical_entry_path(file.path).parent for file in search.files}
    folders |= {file_access.canonical_entry_path(each.path).parent for each in deeper}
    holding = {parent for folder in folders for parent in (folder, *folder.parents)}
    kept = tuple(file for file in search.files if file_access.canonical_entry_path(file.path) not in holding)
    return replace(search, files=kept)


def _files_below_folders(paths: Sequence[str], search: PathSearch) -> Iterator[SubfolderFile]:
    """Yield the distributions below the folders that were named or matched by patterns."""
    for root in map(Path, paths):
        if root.is_dir():
            # such a folder contains more than distributions
            project = os.path.realpath(root) == os.path.realpath(os.curdir) or _is_project_root_folder(root)
            for folder in _list_searched_subfolders(root):
                glob = str((folder if project else root) / "**")
                yield from (
                    SubfolderFile(path=path, root=str(root), glob=glob, required=not project)
                    for path in _distributions_within_folder(folder)
                )
    for folder in (file.path for file in search.files if file.named):
        if folder.is_dir() and not folder.is_symlink() and _is_searched_subfolder(folder):
            glob = str(folder / "**")
            yield from (
                SubfolderFile(path=path, root=str(folder), glob=glob, required=False)
                for path in _distributions_within_folder(folder)
            )


def _distributions_within_folder(folder: Path) -> Iterator[Path]:
    """Yield the distributions in *folder* and in its subfolders."""
    yield from _list_distributions_in_folder(folder)
    for inner in _list_searched_subfolders(folder):
        yield from _list_distributions_in_folder(inner)


def _is_project_root_folder(folder: Path) -> bool:
    return any(os.path.lexists(folder / mark) for mark in _PROJECT_MARKS)


def _is_searched_subfolder(folder: Path) -> bool:
    return not (folder.name.startswith(".") or folder.name in _SKIPPED or _is_project_root_folder(folder))


def _list_searched_subfolders(folder: Path) -> list[Path]:
    """Return the subfolders that may contain distributions of this release; none if *folder* cannot be listed."""
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
    except OSError:
        return []
    return [subfolder for name in names if _is_searched_subfolder(subfolder := folder / name)]


def _list_distributions_in_folder(folder: Path) -> list[Path]:
    """Return the wheels and sdists in *folder*, but no other ``.tar.gz`` archives."""
    names = file_access.list_entry_names(folder)
    return [
        folder / name
        for name in names
        if name.lower().endswith(".whl")
        or (name.lower().endswith(".tar.gz") and DistributionFilename.parse_or_none(name) is not None)
        if (folder / name).is_file()
    ]
