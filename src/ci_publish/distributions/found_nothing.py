"""The error for a run that found no distributions: what is there instead, and what to do about that."""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from shlex import quote
from typing import Final

from ci_publish.distributions import file_access
from ci_publish.distributions.archives import Unreadable
from ci_publish.distributions.file_access import FileRefused, Search
from ci_publish.distributions.subfolders import DeeperFile, far_below
from ci_publish.distributions.zip_directory import read_directory
from ci_publish.errors import NothingToPublish
from ci_publish.hints import Hint, option
from ci_publish.model.frozen import frozen

_SHOWN_ENTRIES: Final = 10
_OBSOLETE: Final = {".egg": "an egg", ".tar.bz2": "a .tar.bz2 archive"}
_BUILD: Final = Hint(
    "Build first, for example with `python -m build`, or name the files or their folder: ", option("paths"), "."
)


@frozen
class _Reason:
    """Why nothing was found although something is there, and what to do."""

    why: str
    hint: str


def nothing_to_publish(paths: Sequence[str], search: Search, deeper: Sequence[DeeperFile]) -> NothingToPublish:
    """Return the error for a run without distributions: where it searched, what it found, and why that is not used."""
    looked = ", ".join(map(quoted, paths)) or "no path"
    reasons = [*_subfolders(deeper), *_backslashes(search), *_artifacts(search), *_obsolete(search)]
    reasons += [] if reasons else list(_far_below(paths))
    return NothingToPublish(
        f"No wheel or sdist was found in {looked}.",
        detail="\n".join([*(reason.why for reason in reasons), *([] if deeper else _found(search))]),
        hints=dict.fromkeys(reason.hint for reason in reasons) or (_BUILD,),
    )


def quoted(text: str) -> str:
    """Return a path or pattern in quotes, as it was written: a backslash is shown once."""
    return f"'{text}'"


def listed(paths: Iterable[Path]) -> str:
    """Return the first of *paths*, quoted, and how many more there are."""
    names = [quoted(str(path)) for path in paths]
    more = len(names) - _SHOWN_ENTRIES
    return f"{', '.join(names[:_SHOWN_ENTRIES])}{f' and {more} more' if more > 0 else ''}"


def _found(search: Search) -> Iterator[str]:
    """Yield what is there, or what each path leads to."""
    if search.files:
        yield f"Found: {listed(Path(file.path.name) for file in search.files)}."
    yield from (f"{quoted(argument)} does not exist." for argument in search.missing)
    for argument in search.empty:
        folder = os.path.isdir(argument)  # noqa: PTH112 - as in ``file_access.search``
        yield f"The folder {quoted(argument)} is empty." if folder else f"Nothing matches {quoted(argument)}."


def _subfolders(deeper: Sequence[DeeperFile]) -> Iterator[_Reason]:
    if deeper:
        globs = ", ".join(f"`{glob}`" for glob in dict.fromkeys(each.glob for each in deeper))
        yield _Reason(
            f"Distributions are in subfolders: {listed(each.path for each in deeper)}.",
            Hint(
                f"To publish them, name the pattern {globs} as ",
                option("paths"),
                ", or use ",
                option("recursive", "true"),
                ".",
            ),
        )


def _far_below(paths: Sequence[str]) -> Iterator[_Reason]:
    if (found := far_below(paths)) is not None:
        yield _Reason(
            f"A distribution is deeper than the two levels that are searched: {quoted(str(found))}.",
            Hint("Name its folder: ", option("paths", str(found.parent))),
        )


def _backslashes(search: Search) -> Iterator[_Reason]:
    if os.sep == "\\":
        return
    for argument in (*search.missing, *search.empty):
        if "\\" in argument:
            yield _Reason(
                f"{quoted(argument)} has backslashes, which do not separate folders on this system.",
                f"Write it with slashes: {quoted(argument.replace(chr(92), '/'))}",
            )


def _artifacts(search: Search) -> Iterator[_Reason]:
    for path in _named(search, ".zip"):
        if _holds_distributions(path):
            yield _Reason(
                f"{path.name!r} is an archive of distributions, such as a workflow artifact, and not one itself.",
                f"Extract it first, for example: unzip {quote(str(path))} -d {quote(str(path.parent))}",
            )


def _holds_distributions(path: Path) -> bool:
    try:
        with file_access.open_regular(file_access.resolve(path)) as file:
            return any(info.filename.lower().endswith((".whl", ".tar.gz")) for info in read_directory(file))
    except (FileRefused, Unreadable):
        return False


def _obsolete(search: Search) -> Iterator[_Reason]:
    for suffix, kind in _OBSOLETE.items():
        if found := _named(search, suffix):
            names = listed(Path(path.name) for path in found)
            yield _Reason(
                f"Indexes no longer accept {kind}: {names}.", "Build a wheel and a .tar.gz sdist: `python -m build`"
            )


def _named(search: Search, suffix: str) -> list[Path]:
    return [file.path for file in search.files if file.path.name.lower().endswith(suffix)]
