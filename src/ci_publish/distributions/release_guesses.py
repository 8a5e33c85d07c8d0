"""Releases by the names of files, before any is opened: enough to request the index early."""

from collections.abc import Sequence

from ci_publish.distributions import file_access
from ci_publish.distributions.subfolders import find_subfolder_files, with_subfolder_files
from ci_publish.model.filename import DistributionFilename


def guess_releases_of_paths(paths: Sequence[str], *, recursive: bool = False) -> tuple[tuple[str, str], ...]:
    """Return project and version of the distributions that *paths* lead to, normalised, each release once.

    *recursive*: with those in subfolders. Files without a distribution's name are passed over, and so is what cannot
    be listed: collecting reports that. A name is only a guess until the file is read.
    """
    search = file_access.search_paths(paths)
    if recursive:
        search = with_subfolder_files(search, find_subfolder_files(paths, search))
    names = (DistributionFilename.parse_or_none(file.path.name) for file in search.files)
    return tuple(dict.fromkeys((name.project, str(name.version)) for name in names if name is not None))
