"""What the probe found out in an environment, and what that says about the file (pure)."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from ci_publish.distributions.faults import Fault
from ci_publish.model.distribution import Distribution
from ci_publish.model.frozen import frozen
from ci_publish.rehearsal.installation.interpreter_matching import requirement_texts_by_project

# What loaders and linkers say of a library that is for another machine, or for a newer one.
_OTHER_MACHINE: Final = (
    *("invalid ELF header", "wrong ELF class", "cannot open shared object file: No such file", "GLIBC_", "GLIBCXX_"),
    *("undefined symbol", "Symbol not found", "mach-o", "incompatible architecture", "not a valid Win32 application"),
    *("DLL load failed", "Exec format error", "symbol not found"),
)
_NOT_IN_PACKAGE: Final = re.compile(r"cannot import name '([\w]+)' from (?:partially initialized module )?'([\w.]+)'")
_LIBRARIES: Final = (".so", ".pyd", ".dylib")


@frozen(kw_only=True)
class ProbeAttempt:
    """An import, or the resolution of a console script (``script`` is its name), and how it ended.

    ``error`` is "" where it passed. ``missing`` is the module that was not found, ``file`` where a syntax error is.
    """

    name: str
    script: str = ""
    error: str = ""
    message: str = ""
    missing: str = ""
    file: str = ""


@frozen(kw_only=True)
class ProbeFacts:
    """What is in an environment. ``version`` is "" where the project is not there; ``ended``: nothing crashed.

    ``suffixes`` are those of the extension modules that its interpreter loads.
    """

    version: str = ""
    modules: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    suffixes: tuple[str, ...] = ()
    attempts: tuple[ProbeAttempt, ...] = ()
    ended: bool = False


def parse_probe_facts(text: str, unfinished: str) -> ProbeFacts:
    """Read what the probe wrote, without lines that are not its own (what it imports could write there, too).

    *unfinished* is why the last attempt has no result.
    """
    lines = [line for line in map(_parse_fact_line, text.splitlines()) if line]
    first = next((line for line in lines if "version" in line), {})
    attempts: dict[tuple[str, str], ProbeAttempt] = {}
    for line in lines:
        if "import" in line or "script" in line:
            begun = line.get("begun") is True
            attempt = ProbeAttempt(
                name=str(line.get("import") or line.get("value")),
                script=str(line.get("script") or ""),
                error="crash" if begun else str(line.get("error") or ""),
                message=unfinished if begun else str(line.get("message") or ""),
                missing=str(line.get("missing") or ""),
                file=str(line.get("file") or ""),
            )
            attempts[attempt.name, attempt.script] = attempt
    return ProbeFacts(
        version=str(first.get("version", "")),
        modules=_string_tuple(first.get("modules")),
        files=_string_tuple(first.get("files")),
        suffixes=_string_tuple(first.get("suffixes")),
        attempts=tuple(attempts.values()),
        ended=any(line.get("ended") is True for line in lines),
    )


def _parse_fact_line(line: str) -> Mapping[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _string_tuple(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else ()


def installed_file_faults(file: Distribution, facts: ProbeFacts, python: str) -> Iterator[Fault]:
    """Yield what is wrong with an installed file on *python*: its version, its imports and its console scripts."""
    try:
        same = Version(facts.version) == Version(file.version)
    except InvalidVersion:
        same = False
    if not same:
        message = (
            f"Installed on {python}, the version of {file.project} is {facts.version or 'not known'},"
            f" not {file.version}."
        )
        yield Fault(rule="install-wrong-version", message=message)
    reported = set[str]()
    for attempt in facts.attempts:
        if attempt.error and attempt.message not in reported:
            reported.add(attempt.message)
            yield _failed_attempt_fault(file, facts, attempt, python)


def _failed_attempt_fault(file: Distribution, facts: ProbeFacts, attempt: ProbeAttempt, python: str) -> Fault:
    text = next(iter(attempt.message.splitlines()), "")
    why = text if attempt.error in {"ModuleNotFoundError", "crash"} else f"{attempt.error}: {text}".rstrip(": ")
    if over := _tag_mismatch_reason(facts, attempt):
        return Fault(
            rule="install-tag", message=f"`import {_module_of_attempt(attempt)}` fails on {python}: {why} ({over})"
        )
    if attempt.script and not (attempt.missing and not _is_module_of_file(facts, attempt.missing)):
        message = f"The console script {attempt.script} ({attempt.name}) fails on {python}: {why}"
        return Fault(rule="install-script", message=message)
    source = _missing_module_origin(file, facts, attempt.missing)
    message = f"`import {_module_of_attempt(attempt)}` fails on {python}: {why}{f' ({source})' if source else ''}"
    return Fault(rule="install-import", message=message)


def _module_of_attempt(attempt: ProbeAttempt) -> str:
    return attempt.name.partition(":")[0].strip()


def _tag_mismatch_reason(facts: ProbeFacts, attempt: ProbeAttempt) -> str:
    """Return why the file does not fit an interpreter that its tags claim; nothing if that is not the cause."""
    if attempt.error == "SyntaxError" and any(attempt.file.replace("\\", "/").endswith(name) for name in facts.files):
        return "its tags and Requires-Python claim this Python"
    if attempt.error in {"ImportError", "OSError"} and any(said in attempt.message for said in _OTHER_MACHINE):
        return "its tags claim this platform"
    # The module that was not found may have been imported as a name of its package.
    found = _NOT_IN_PACKAGE.search(attempt.message) if attempt.error == "ImportError" else None
    stem = (attempt.missing if found is None else f"{found[2]}.{found[1]}").replace(".", "/")
    foreign = [name for name in facts.files if stem and name.startswith(f"{stem}.") and name.endswith(_LIBRARIES)]
    if foreign and not any(name[len(stem) :] in facts.suffixes for name in foreign):
        return f"it contains {foreign[0]}, which is for another platform"
    return ""


def _is_module_of_file(facts: ProbeFacts, module: str) -> bool:
    tops = {name.partition(".")[0] for name in facts.modules}
    return module.partition(".")[0] in tops


def _missing_module_origin(file: Distribution, facts: ProbeFacts, missing: str) -> str:
    """Return where a module that was not found should have come from."""
    if not missing:
        return ""
    if _is_module_of_file(facts, missing):
        return "it is not in the file"
    required = requirement_texts_by_project(file)
    name = canonicalize_name(missing.partition(".")[0])
    return f"Requires-Dist: {required[name]}" if name in required else "not in Requires-Dist"


def missing_outside_modules(facts: ProbeFacts) -> frozenset[str]:
    """Return the modules of others that were not found: an extra may bring them."""
    return frozenset(
        attempt.missing
        for attempt in facts.attempts
        if attempt.missing and not _is_module_of_file(facts, attempt.missing)
    )


def split_off_failures_cured_by_extras(
    before: ProbeFacts, after: ProbeFacts
) -> tuple[ProbeFacts, Sequence[ProbeAttempt]]:
    """Return *before* without the failures that are gone in *after*, with all extras installed; and those failures.

    Only a missing module of others can be cured: all else stays a failure.
    """
    outside = missing_outside_modules(before)
    passed = {(each.name, each.script) for each in after.attempts if not each.error}
    cured = [each for each in before.attempts if each.missing in outside and (each.name, each.script) in passed]
    left = tuple(each for each in before.attempts if each not in cured)
    return replace(before, attempts=left), cured
