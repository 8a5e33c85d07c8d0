"""What reading wheels and reading sdists have in common: unsafe paths, encrypted code and budgets.

Rules of these modules: an archive is never extracted, every read is capped (``limits``), and a damaged archive is a
list of faults, never an exception.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from ci_publish.distributions.faults import Fault, invalid_file_fault, list_first
from ci_publish.distributions.limits import SCAN_SIZE
from ci_publish.model.byte_counts import format_limit

# Absolute, with a drive (Windows), or with `..`. A regular expression for speed: archives have many members.
_UNSAFE: Final = re.compile(r"[/\\]|[A-Za-z]:|(?:.*[/\\])?\.\.(?:[/\\]|\Z)", re.DOTALL)

DAMAGED: Final = "archive-damaged-member"

SCANNED_SUFFIXES: Final = (".py", ".pye")

# Written in halves so that the scanner does not find them in this file.
_PYARMOR: Final = tuple(
    f"__pyarmor_{rest}".encode() for rest in ("_(__name__, __file__,", "enter__", "exit__", "assert__", "bcc__")
)
_PYARMOR_PREFIX: Final = b"__pyarmor" + b"_"
_PYE: Final = tuple(f"---{word} PYE {rest}".encode() for word in ("BEGIN", "END") for rest in ("FILE---",))
_POLICY: Final = "See https://pypi.org/policy/acceptable-use-policy/ for more information."


class UnreadableArchive(Exception):
    """A member or an archive cannot be read; ``fault`` says why."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


class TooManyMembers(UnreadableArchive):
    """An archive has too many members, or too long names, to be read member by member."""

    def __init__(self, most: int, mib: int) -> None:
        message = (
            f"The archive has more than {most:,} members, or over {mib} MiB of names: only the metadata is checked."
        )
        super().__init__(Fault(rule="archive-too-many-members", message=message))


@dataclass(slots=True)
class InflateBudget:
    """How many more bytes may be extracted from an archive."""

    left: int
    digests: int = 0

    def consume_bytes(self, count: int) -> None:
        """Account for *count* inflated bytes."""
        self.left -= count
        self.digests -= count


def is_unsafe_member_path(name: str) -> bool:
    """Return whether a member's path could leave the folder that it is unpacked into, on any platform."""
    return _UNSAFE.match(name) is not None


def unsafe_member_path_faults(names: Iterable[str], rule: str) -> Iterator[Fault]:
    """Yield one fault that names the first few unsafe paths of an archive, if there are any."""
    if unsafe := [name for name in names if is_unsafe_member_path(name)]:
        message = f"Members would be unpacked outside the target folder: {quote_first_member_names(unsafe)}."
        yield Fault(rule=rule, message=message)


def quote_first_member_names(names: Iterable[str]) -> str:
    """Return the first few names of a list, quoted, and how many more there are."""
    return list_first(map(repr, names), 3)


def is_scanned_for_encrypted_code(name: str, size: int) -> bool:
    """Return whether the server scans this member for encrypted code (warehouse/utils/scanner.py:19-24)."""
    return name.lower().endswith(SCANNED_SUFFIXES) and size <= SCAN_SIZE


def encrypted_code_faults(name: str, content: bytes) -> Iterator[Fault]:
    """Yield a fault if *content* is code that PyPI's policy refuses.

    Source: warehouse/utils/scanner_rules/pyarmor.yar and sourcedefender.yar.
    """
    if _PYARMOR_PREFIX in content and any(word in content for word in _PYARMOR):
        tool = "PyArmor"
    elif all(word in content for word in _PYE):
        tool = "SourceDefender"
    else:
        return
    reason = f"{tool}-encrypted content is not allowed. {_POLICY}"
    yield invalid_file_fault("encrypted-code", f"{name!r} contains code encrypted with {tool}.", reason)


def member_too_large_fault(rule: str, name: str, limit: int) -> Fault:
    """Return the fault for a member that is too large to be read."""
    return Fault(rule=rule, message=f"{name!r} is larger than {format_limit(limit)}.")
