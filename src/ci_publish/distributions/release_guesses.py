"""The releases that filenames indicate, before any file is opened: enough to request their listings early."""

from collections.abc import Sequence

from ci_publish.distributions import file_access
from ci_publish.distributions.subfolders import find_subfolder_files, with_subfolder_files
from ci_publish.model.filename import DistributionFilename


def guess_releases_of_paths(paths: Sequence[str], *, recursive: bool = False) -> tuple[tuple[str, str], ...]:
    """Return normalised project and version of the distributions that *paths* lead to, each release once.

    *recursive*: including those in subfolders. Other files, and folders that cannot be listed, are ignored: collecting
    reports them. A release is only a guess until the file is read.
    """
    search = file_access.search_paths(paths)
    if recursive:
        search = with_subfolder_files(search, find_subfolder_files(paths, search))
    names = (DistributionFilename.parse_or_none(file.path.name) for file in search.files)
    return tuple(dict.fromkeys((name.project, str(name.version)) for name in names if name is not None))
