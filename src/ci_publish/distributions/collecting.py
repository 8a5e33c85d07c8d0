"""From the entries that a search found to distributions and attestations; everything else is skipped with a fault."""

import fnmatch
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from io import BufferedReader
from pathlib import Path
from typing import Final, TypeVar

from packaging.utils import canonicalize_name

from ci_publish.distributions import file_access
from ci_publish.distributions.archive_reading import UnreadableArchive
from ci_publish.distributions.build_requirements import parse_build_requirements
from ci_publish.distributions.checks.rules import CheckedFile
from ci_publish.distributions.checks.table import file_faults
from ci_publish.distributions.core_metadata import normalized_version, parse_core_metadata
from ci_publish.distributions.faults import Fault
from ci_publish.distributions.limits import MAX_ATTESTATION, MAX_METADATA, WORTH_THREADS
from ci_publish.distributions.sdist_reading import SdistContents, inspect_sdist, is_pkg_info_of_zip_sdist
from ci_publish.distributions.wheel_reading import (
    ZipContents,
    inspect_zip_archive,
    read_small_zip_member,
    read_wheel_metadata,
)
from ci_publish.distributions.zip_directory import read_zip_directory
from ci_publish.errors import CiPublishError
from ci_publish.model.distribution import Digests, Distribution, FoundAttestation, Kind, Stamp
from ci_publish.model.filename import DistributionFilename
from ci_publish.model.frozen import frozen

T = TypeVar("T")
R = TypeVar("R")

_DISTRIBUTIONS: Final = (".whl", ".tar.gz")
_OBSOLETE: Final = (
    "*.egg", "*.exe", "*.msi", "*.rpm", "*.deb", "*.dmg", "*.tar", "*.tgz", "*.tbz", "*.tar.bz2", "*.tar.xz",
    "*.tar.z", "*.tar.zst", "*.bdist_*",
)  # fmt: skip
_COMPANIONS: Final = (
    ".*", "*.asc", "*.sig", "*.minisig", "*.sigstore", "*.sigstore.json", "*.intoto.jsonl", "*.provenance", "*.pem",
    "*.crt", "*.md5", "*.sha1", "*.sha256", "*.sha384", "*.sha512", "*.b2", "*.blake2b", "md5sum*", "sha*sum*",
    "checksums*", "thumbs.db", "desktop.ini", "*.whl.metadata", "*.spdx.json", "*.cdx.json",
)  # fmt: skip
# Rule, message and names of what is neither a distribution nor an attestation; the first that matches counts.
_SKIPPED: Final = (
    ("file-companion", "Belongs to another file or tool; skipped.", _COMPANIONS),
    ("file-extension-obsolete", "Indexes accept only wheels and .tar.gz sdists; skipped.", _OBSOLETE),
    ("file-stray", "Not a wheel or sdist; skipped.", ("*",)),
)


@frozen
class ReadFile:
    """A file that was read as a distribution, with what the checks need to know about its metadata and its sdist."""

    distribution: Distribution
    metadata_faults: tuple[Fault, ...]
    sdist: SdistContents | None = None


@frozen
class RefusedFile:
    """A file that looks like a distribution but cannot be read as one; ``faults`` has at least one reason."""

    path: Path
    filename: str
    faults: tuple[Fault, ...]


@dataclass(slots=True)
class SortedEntries:
    """What a search found; ``faults`` are about skipped entries and (without a filename) about PATH arguments."""

    candidates: list[Path] = field(default_factory=list)
    attestations: list[Path] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def sort_found_entries(search: file_access.PathSearch) -> SortedEntries:
    """Sort entries by name into distributions, attestations and skipped files."""
    result = SortedEntries()
    for found in search.files:
        name = found.path.name
        lower = name.lower()
        if lower.endswith(_DISTRIBUTIONS) or (
            lower.endswith(".zip") and any(map(is_pkg_info_of_zip_sdist, zip_member_names(found.path)))
        ):
            result.candidates.append(found.path)
        elif lower.endswith(file_access.ATTESTATION):
            result.attestations.append(found.path)
        else:
            skipped = (each for each in _SKIPPED if any(fnmatch.fnmatchcase(lower, pattern) for pattern in each[2]))
            rule, message, _ = next(skipped)
            result.faults.append(Fault(rule=rule, message=message, filename=name))
    for argument in search.missing:
        result.faults.append(Fault(rule="file-not-found", message=f"{quote_path(argument)} does not exist."))
    for argument in search.empty:
        result.faults.append(Fault(rule="path-without-files", message=f"Nothing matches {quote_path(argument)}."))
    for argument, reason in search.unreadable:
        message = f"{quote_path(argument)} cannot be listed: {reason}."
        result.faults.append(Fault(rule="file-unreadable", message=message))
    return result


def quote_path(text: str) -> str:
    """Return a path or pattern in quotes, as it was written: a backslash is shown once."""
    return f"'{text}'"


def zip_member_names(path: Path) -> list[str]:
    """Return the names of the members of a ZIP archive; none if it cannot be opened or read."""
    try:
        with file_access.open_regular_file(file_access.require_link_within_folder(path)) as file:
            return [info.filename for info in read_zip_directory(file)]
    except (file_access.FileRefused, UnreadableArchive):
        return []


def read_distribution_files(paths: Sequence[Path], *, with_md5: bool, max_workers: int) -> list[ReadFile | RefusedFile]:
    """Hash and read each file, a few at a time, in the given order."""
    size = sum(map(file_access.file_size_or_zero, paths))
    return map_in_threads(partial(_read_distribution_file, with_md5=with_md5), paths, size, max_workers)


def map_in_threads(work: Callable[[T], R], items: Sequence[T], size: int, max_workers: int) -> list[R]:
    """Do *work* for each item, in threads only if *size*, in bytes, is large: threads share the interpreter lock."""
    if len(items) <= 1 or size < WORTH_THREADS:
        return [work(item) for item in items]
    with ThreadPoolExecutor(max_workers, thread_name_prefix="distributions") as pool:
        return list(pool.map(work, items))


def _read_distribution_file(path: Path, *, with_md5: bool) -> ReadFile | RefusedFile:
    """Hash one file and read its core metadata."""
    try:
        target = file_access.require_link_within_folder(path)
        with file_access.open_regular_file(target) as file:
            stamp = file_access.read_file_stamp(file)
            digests = file_access.hash_open_file(file, with_md5=with_md5)
            content = _read_metadata_content(file, path.name)
            if file_access.read_file_stamp(file) != stamp:
                raise file_access.FileRefused("file-changed", "The file changed while it was being read.")  # noqa: TRY301 - one exit
    except file_access.FileRefused as error:
        return RefusedFile(path, path.name, (Fault(rule=error.rule, message=str(error)),))
    except CiPublishError:  # a signal or the deadline stopped the run
        raise
    except Exception as error:  # noqa: BLE001 - a bug that one file reveals does not hide the results of the others
        fault = Fault(rule="check-incomplete", message=f"Reading the file failed: {type(error).__name__}: {error}")
        return RefusedFile(path, path.name, (fault,))
    return _distribution_or_refused_file(target, path.name, (stamp, digests), content)


@frozen(kw_only=True)
class _MetadataContent:
    """The core metadata of a file, or why there is none."""

    metadata: bytes | None
    faults: tuple[Fault, ...] = ()
    sdist: SdistContents | None = None
    wheel: ZipContents | None = None


def _read_metadata_content(file: BufferedReader, filename: str) -> _MetadataContent:
    """Read METADATA or PKG-INFO; of an sdist, everything that the checks need is read at the same time."""
    lower = filename.lower()
    if lower.endswith(".tar.gz"):
        sdist = inspect_sdist(file)
        return _MetadataContent(metadata=sdist.metadata, faults=sdist.faults, sdist=sdist)
    try:
        if lower.endswith(".whl"):
            return _MetadataContent(metadata=read_wheel_metadata(file, filename))
        infos = (info for info in read_zip_directory(file) if is_pkg_info_of_zip_sdist(info.filename))
        found = next(infos, None)
        metadata = b"" if found is None else read_small_zip_member(file, found, MAX_METADATA, "metadata-too-large")
        return _MetadataContent(metadata=metadata)
    except UnreadableArchive as error:
        return _MetadataContent(metadata=None, faults=(error.fault,), wheel=inspect_zip_archive(file, filename))


def _distribution_or_refused_file(
    path: Path, filename: str, hashed: tuple[Stamp, Digests], content: _MetadataContent
) -> ReadFile | RefusedFile:
    """Return the distribution, or why the file is not one."""
    kind = Kind.WHEEL if filename.lower().endswith(".whl") else Kind.SDIST
    if content.metadata is None:
        return RefusedFile(path, filename, _unreadable_distribution_faults(filename, kind, hashed[0].size, content))
    parsed = parse_core_metadata(content.metadata)
    metadata = parsed.metadata
    if not metadata.name or not metadata.version:
        fields = (("metadata-name", "Name", metadata.name), ("metadata-invalid-version", "Version", metadata.version))
        missing = (
            Fault(rule=rule, message=f"The core metadata has no {field}.") for rule, field, value in fields if not value
        )
        return RefusedFile(path, filename, parsed.faults or tuple(missing))
    stamp, digests = hashed
    name = None if kind is Kind.SDIST else DistributionFilename.parse_or_none(filename)
    distribution = Distribution(
        path=path,
        filename=filename,
        kind=kind,
        project=canonicalize_name(metadata.name),
        version=normalized_version(metadata.version),
        python_tag="source" if kind is Kind.SDIST else "" if name is None else name.python_tag,
        size=stamp.size,
        digests=digests,
        metadata=metadata,
        stamp=stamp,
        build_requires=() if content.sdist is None else parse_build_requirements(content.sdist.pyproject),
    )
    return ReadFile(distribution, parsed.faults, content.sdist)


def _unreadable_distribution_faults(
    filename: str, kind: Kind, size: int, content: _MetadataContent
) -> tuple[Fault, ...]:
    """Return everything that is wrong with a file whose core metadata cannot be read, at least one fault."""
    checked = CheckedFile(filename=filename, kind=kind, size=size, form={}, wheel=content.wheel, sdist=content.sdist)
    faults = dict.fromkeys(file_faults(checked, metadata=False))
    known = {fault.rule for fault in faults}
    if "filename-wheel" in known:  # such a name does not say where METADATA should be
        known.add("wheel-metadata-missing")
    faults |= dict.fromkeys(fault for fault in content.faults if fault.rule not in known)
    return tuple(faults) or (Fault(rule="check-incomplete", message="The core metadata cannot be read."),)


def read_attestation_file(path: Path) -> FoundAttestation | Fault:
    """Read an attestation file: ``<distribution>.<type>.attestation``."""
    try:
        with file_access.open_regular_file(file_access.require_link_within_folder(path)) as file:
            content = file.read(MAX_ATTESTATION + 1)
    except file_access.FileRefused as error:
        return Fault(rule=error.rule, message=str(error), filename=path.name)
    if len(content) > MAX_ATTESTATION:
        message = "The file is too large for an attestation."
        return Fault(rule="attestation-too-large", message=message, filename=path.name)
    distribution, _, kind = path.name[: -len(file_access.ATTESTATION)].rpartition(".")
    return FoundAttestation(path=path, distribution=distribution, type=kind, content=content)
