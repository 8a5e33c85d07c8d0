"""The error for a run that found no distributions: what was found instead, and what to do."""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from shlex import quote
from typing import Final

from ci_publish.distributions.collecting import quote_path, zip_member_names
from ci_publish.distributions.faults import list_first
from ci_publish.distributions.file_access import PathSearch
from ci_publish.distributions.subfolders import SubfolderFile, find_too_deep_distribution
from ci_publish.errors import NothingToPublish
from ci_publish.hints import Hint, option
from ci_publish.model.frozen import frozen

_SHOWN_ENTRIES: Final = 10
_OBSOLETE: Final = {".egg": "an egg", ".tar.bz2": "a .tar.bz2 archive"}
_BUILD: Final = Hint(
    "Build first, for example with `python -m build`, or specify the files or their folder: ", option("paths"), "."
)


@frozen
class _NothingFoundReason:
    """Why something that was found is not a distribution to publish, and what to do."""

    why: str
    hint: str


def nothing_to_publish_error(
    paths: Sequence[str], search: PathSearch, deeper: Sequence[SubfolderFile]
) -> NothingToPublish:
    """Return the error for a run without distributions: where it searched, what it found and why that is not used."""
    looked = ", ".join(map(quote_path, paths)) or "no path"
    reasons = list(_reasons_of_found_entries(search))
    if deeper:
        globs = ", ".join(f"`{glob}`" for glob in dict.fromkeys(each.glob for each in deeper))
        why = f"Distributions are in subfolders: {quote_first_paths(each.path for each in deeper)}."
        hint = Hint(
            f"To publish them, specify the pattern {globs} as ",
            option("paths"),
            ", or use ",
            option("recursive", "true"),
            ".",
        )
        reasons.insert(0, _NothingFoundReason(why, hint))
    if not reasons and (found := find_too_deep_distribution(paths)) is not None:
        why = f"A distribution is deeper than the two levels that are searched: {quote_path(str(found))}."
        reasons.append(_NothingFoundReason(why, Hint("Specify its folder: ", option("paths", str(found.parent)))))
    return NothingToPublish(
        f"No wheel or sdist was found in {looked}.",
        detail="\n".join([*(reason.why for reason in reasons), *([] if deeper else _describe_found_entries(search))]),
        hints=dict.fromkeys(reason.hint for reason in reasons) or (_BUILD,),
    )


def quote_first_paths(paths: Iterable[Path]) -> str:
    """Return the first of *paths*, quoted, and how many more there are."""
    return list_first((quote_path(str(path)) for path in paths), _SHOWN_ENTRIES)


def _describe_found_entries(search: PathSearch) -> Iterator[str]:
    """Yield the files that were found, and the paths that lead to nothing."""
    if search.files:
        yield f"Found: {quote_first_paths(Path(file.path.name) for file in search.files)}."
    yield from (f"{quote_path(argument)} does not exist." for argument in search.missing)
    for argument in search.empty:
        folder = os.path.isdir(argument)  # noqa: PTH112 - as in ``file_access.search_paths``
        yield f"The folder {quote_path(argument)} is empty." if folder else f"Nothing matches {quote_path(argument)}."


def _reasons_of_found_entries(search: PathSearch) -> Iterator[_NothingFoundReason]:
    for argument in (*search.missing, *search.empty):
        if "\\" in argument and os.sep != "\\":
            yield _NothingFoundReason(
                f"{quote_path(argument)} has backslashes, which do not separate folders on this system.",
                f"Write it with slashes: {quote_path(argument.replace(chr(92), '/'))}",
            )
    for path in _found_files_with_suffix(search, ".zip"):
        if any(name.lower().endswith((".whl", ".tar.gz")) for name in zip_member_names(path)):
            yield _NothingFoundReason(
                f"{path.name!r} is an archive of distributions, such as a workflow artifact, and not one itself.",
                f"Extract it first, for example: unzip {quote(str(path))} -d {quote(str(path.parent))}",
            )
    for suffix, kind in _OBSOLETE.items():
        if found := _found_files_with_suffix(search, suffix):
            names = quote_first_paths(Path(path.name) for path in found)
            yield _NothingFoundReason(
                f"Indexes no longer accept {kind}: {names}.", "Build a wheel and a .tar.gz sdist: `python -m build`"
            )


def _found_files_with_suffix(search: PathSearch, suffix: str) -> list[Path]:
    return [file.path for file in search.files if file.path.name.lower().endswith(suffix)]
