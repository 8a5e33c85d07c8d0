"""Run by the interpreter of a virtual environment: reports what was installed there, and tries to use it.

Arguments: the project, the file for the facts, and what not to try (``imports``). The facts are lines of JSON, each
written before the next step begins, so that a missing line shows a crash. Only the standard library, and no syntax
newer than Python 3.8.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.metadata
import importlib.util
import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_DEEPEST = 4
_SUFFIXES = (*importlib.machinery.EXTENSION_SUFFIXES, *importlib.machinery.SOURCE_SUFFIXES)
# Often in a wheel by mistake, and never what people import.
_IGNORED = {"tests", "test", "testing", "docs", "doc", "examples", "example", "benchmarks", "scripts", "tools", "setup"}
_GROUPS = ("console_scripts", "gui_scripts")


def top_modules_of_files(files: Iterable[str]) -> list[str]:
    """Return the modules at the top of what a distribution installs: below a namespace package, those in it."""
    folders: dict[tuple[str, ...], set[str]] = {}
    for file in files:
        *parents, name = file.split("/")
        stem = next((name[: -len(suffix)] for suffix in _SUFFIXES if name.endswith(suffix)), "")
        if all(map(str.isidentifier, (*parents, stem))):
            folders.setdefault(tuple(parents), set()).add(stem)
    packages = {folder for folder, stems in folders.items() if "__init__" in stems}
    found: set[str] = set()
    for folder, stems in folders.items():
        above = {folder[:depth] for depth in range(1, len(folder))}
        if above & packages or len(folder) > _DEEPEST:
            continue
        names = [folder] if folder in packages else [(*folder, stem) for stem in stems - {"__main__"}]
        found.update(".".join(name) for name in names if name and name[0] not in _IGNORED)
    return sorted(found)


def describe_exception(error: BaseException) -> dict[str, Any]:
    """Return what is known about an exception; its traceback goes to the output."""
    import traceback  # noqa: PLC0415  (late: most files do not fail)

    traceback.print_exception(type(error), error, error.__traceback__)
    return {
        "error": type(error).__name__,
        "message": str(error),
        "missing": getattr(error, "name", None) if isinstance(error, ModuleNotFoundError) else None,
        "file": getattr(error, "filename", None) if isinstance(error, SyntaxError) else None,
    }


def load_entry_point(value: str) -> None:
    """Import what an entry point names. Raises what that raises."""
    module, _, attributes = value.partition("[")[0].strip().partition(":")
    found: object = importlib.import_module(module.strip())
    for name in filter(None, attributes.strip().split(".")):
        found = getattr(found, name)


def locate_entry_point_module(value: str) -> None:
    """Find the top module of what an entry point names, without importing anything. Raises ModuleNotFoundError."""
    name = value.partition("[")[0].partition(":")[0].strip().split(".")[0]
    if importlib.util.find_spec(name) is None:
        raise ModuleNotFoundError("No module named " + repr(name), name=name)


def write_facts_about_project(project: str, report: Callable[[dict[str, Any]], None], *, imports: bool) -> None:
    """Report what is installed of *project*, and how importing it and resolving its scripts ends."""

    def attempt(facts: dict[str, Any], work: Callable[[str], object], value: str) -> None:
        report({**facts, "begun": True})
        try:
            work(value)
        except BaseException as error:  # noqa: BLE001  (whatever it is, it is reported)
            report({**facts, **describe_exception(error)})
        else:
            report({**facts, "passed": True})

    found = importlib.metadata.distribution(project)
    files = [str(each).replace("\\", "/") for each in found.files or ()]
    modules = top_modules_of_files(files)
    suffixes = importlib.machinery.EXTENSION_SUFFIXES
    report({"version": found.version, "modules": modules, "files": files, "suffixes": suffixes})
    for name in modules if imports else ():
        attempt({"import": name}, importlib.import_module, name)
    for entry in found.entry_points:
        if entry.group in _GROUPS:
            attempt(
                {"script": entry.name, "value": entry.value},
                load_entry_point if imports else locate_entry_point_module,
                entry.value,
            )
    report({"ended": True})


def main(project: str, path: str, skipped: str) -> None:
    """Write the facts about *project* to the file *path*."""
    with open(path, "a", encoding="utf-8") as file:  # noqa: PTH123  (as little as possible is imported)

        def report(facts: dict[str, Any]) -> None:
            file.write(json.dumps(facts) + "\n")
            file.flush()

        write_facts_about_project(project, report, imports=skipped != "imports")


if __name__ == "__main__":
    main(*sys.argv[1:4])
