"""``LocalDistributions``: the distributions on this machine (the port ``publishing.ports.Distributions``)."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from ci_publish.distributions import collecting, file_access
from ci_publish.distributions.checks import form_validation
from ci_publish.distributions.checks.comparison.local_releases import local_comparisons, versions_by_project
from ci_publish.distributions.checks.comparison.stated import NOTHING_STATED, Stated
from ci_publish.distributions.checks.comparison.stated_rules import stated_faults
from ci_publish.distributions.checks.rendering import RunStopped, render_form_description
from ci_publish.distributions.checks.rules import CheckedFile
from ci_publish.distributions.checks.severities import RuleSeverities, parse_rule_severities
from ci_publish.distributions.checks.table import RULES, file_faults, problem_of_rule_fault, release_faults, set_faults
from ci_publish.distributions.collecting import ReadFile, RefusedFile
from ci_publish.distributions.core_metadata import parse_core_metadata
from ci_publish.distributions.faults import Fault, Rendering
from ci_publish.distributions.found_nothing import nothing_to_publish_error, quote_first_paths
from ci_publish.distributions.sdist_reading import SdistContents, inspect_sdist
from ci_publish.distributions.subfolders import (
    SubfolderFile,
    Subfolders,
    find_subfolder_files,
    with_subfolder_files,
    without_parent_folders,
)
from ci_publish.distributions.wheel_reading import ZipContents, inspect_zip_archive
from ci_publish.errors import CiPublishError
from ci_publish.hints import Hint, option
from ci_publish.model.core_metadata_form import REPEATED_FIELDS, SINGLE_FIELDS, core_metadata_form_fields
from ci_publish.model.distribution import Collection, Distribution, FoundAttestation, UnreadableFile
from ci_publish.model.index import IndexProfile
from ci_publish.model.problem import Problem, Severity
from ci_publish.model.release import Comparison
from ci_publish.model.waiting import Waiting

_SINGLE_FIELDS: Final = frozenset(
    {*SINGLE_FIELDS, "metadata-version", "name", "version", "requires-python", "keywords", "description"}
)
_KNOWN_FIELDS: Final = _SINGLE_FIELDS | REPEATED_FIELDS.keys()


@dataclass(kw_only=True, eq=False, repr=False)
class LocalDistributions:
    """Finds, hashes, reads and checks distributions on the disk (``publishing.ports.Distributions``).

    ``strict`` makes warnings errors, ``rules`` (``RULE=SEVERITY``) changes single rules, and ``stated`` is what the
    release must be like. Without ``verify_metadata`` the metadata family of rules is off, and a note says so;
    ``with_md5`` computes MD5 as well, for indexes that want it. At most ``max_workers`` files are open at once.
    ``subfolders`` says what happens to distributions below the folders that were named. Build provenance is found
    next to the files and in ``attestations_dir``. ``check`` raises RunStopped when ``waiting`` ends the run. The
    contents of an sdist are kept from ``collect`` for ``check``, so that it is inflated only once.
    """

    strict: bool = False
    rules: Sequence[str] = ()
    stated: Stated = NOTHING_STATED
    verify_metadata: bool = True
    with_md5: bool = False
    max_workers: int = 2
    subfolders: Subfolders = Subfolders.REFUSE
    attestations_dir: Path | None = None
    waiting: Waiting | None = None
    _severities: RuleSeverities = field(init=False)
    _known: dict[Distribution, ReadFile] = field(init=False, default_factory=dict)
    _form_faults: dict[tuple[tuple[str, str], ...], tuple[Fault, ...]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._severities = parse_rule_severities(self.rules, strict=self.strict)

    def collect(self, paths: Sequence[str]) -> Collection:
        """Find, hash and read the files; see ``publishing.ports.Distributions.collect``."""
        search = file_access.search_paths(paths)
        left_out = find_subfolder_files(paths, search)
        if self.subfolders is Subfolders.TAKE:
            search, left_out = with_subfolder_files(search, left_out), ()
        search = without_parent_folders(search, left_out)
        entries = collecting.sort_found_entries(search)
        results = collecting.read_distribution_files(
            entries.candidates, with_md5=self.with_md5, max_workers=self.max_workers
        )
        refusals = [result for result in results if isinstance(result, RefusedFile)]
        self._known, twice = _one_file_per_filename(result for result in results if isinstance(result, ReadFile))
        attestations, orphans = self._read_attestation_files(entries)
        # A file that cannot be read as a distribution is an error, whatever the profile.
        problems = [
            problem_of_rule_fault(fault, file.filename, Severity.ERROR) for file in refusals for fault in file.faults
        ]
        problems += [
            problem_of_rule_fault(fault, fault.filename, RULES[fault.rule].pypi)
            for fault in (*entries.faults, *twice, *orphans)
        ]
        explained = any(each.severity is Severity.ERROR and each.rule != "file-not-found" for each in problems)
        if not self._known and not explained:
            raise nothing_to_publish_error(paths, search, left_out)
        if self.subfolders is not Subfolders.IGNORE:
            problems += _subfolder_problems(left_out)
        unreadable = tuple(UnreadableFile(each.path, each.filename) for each in refusals)
        return Collection(
            distributions=tuple(self._known), attestations=attestations, problems=tuple(problems), unreadable=unreadable
        )

    def _read_attestation_files(
        self, entries: collecting.SortedEntries
    ) -> tuple[tuple[FoundAttestation, ...], list[Fault]]:
        """Read the attestations next to the distributions, and their build provenance in the folder for attestations.

        Returns a fault for each that belongs to no distribution.
        """
        names = {path.name for path in entries.candidates}
        paths = {path.absolute(): path for path in entries.attestations}
        if self.attestations_dir is not None:
            for name in sorted(names):
                path = self.attestations_dir / f"{name}.slsa{file_access.ATTESTATION}"
                if os.path.lexists(path):
                    paths.setdefault(path.absolute(), path)
        found: list[FoundAttestation] = []
        faults: list[Fault] = []
        for each in map(collecting.read_attestation_file, paths.values()):
            if isinstance(each, Fault):
                faults.append(each)
            elif each.distribution in names:
                found.append(each)
            else:
                missing = f"There is no {each.distribution!r} next to it."
                message = missing if each.distribution else "Its name names no file."
                faults.append(Fault(rule="attestation-orphan", message=message, filename=each.path.name))
        return tuple(found), faults

    def check(
        self, collection: Collection, profiles: Sequence[IndexProfile], *, compared: bool = False
    ) -> tuple[Problem, ...]:
        """Run every rule over every file; see ``publishing.ports.Distributions.check``."""
        size = sum(file.size for file in collection.distributions)
        found = collecting.map_in_threads(self._distribution_faults, collection.distributions, size, self.max_workers)
        faults = [fault for some in found for fault in some]
        faults += set_faults(collection)
        faults += stated_faults(versions_by_project(collection), self.stated)
        for comparison in () if compared else local_comparisons(collection):
            faults += release_faults(comparison, self.stated, differences=False)
        if not self.verify_metadata:
            message = "The rules about core metadata are disabled (verify-metadata is false)."
            faults.append(Fault(rule="metadata-unverified", message=message))
        problems = self._severities.apply_to_problems((*collection.problems, *_problems_for_profiles(faults, profiles)))
        # by file, the worst first; those about all files last
        return tuple(sorted(problems, key=lambda each: (each.filename is None, each.filename or "")))

    def check_stated(self, collection: Collection) -> tuple[Problem, ...]:
        """Compare the run with what the user states; see ``publishing.ports.Distributions.check_stated``."""
        faults = stated_faults(versions_by_project(collection), self.stated)
        return self._severities.apply_to_problems(_problems_for_profiles(faults, ()))

    def compare(
        self, comparison: Comparison, profiles: Sequence[IndexProfile], *, differences: bool
    ) -> tuple[Problem, ...]:
        """Compare a release with the previous one; see ``publishing.ports.Distributions.compare``."""
        if comparison.before is not None and comparison.before_metadata is not None:
            metadata = parse_core_metadata(comparison.before_metadata).metadata
            comparison = replace(comparison, before=replace(comparison.before, metadata=metadata))
        faults = release_faults(comparison, self.stated, differences=differences)
        return self._severities.apply_to_problems(_problems_for_profiles(faults, profiles))

    def _distribution_faults(self, distribution: Distribution) -> list[Fault]:
        """Return everything that is wrong with one file; a bug that it reveals does not hide those of other files."""
        try:
            faults = self._rule_faults(distribution)
        except file_access.FileRefused as error:
            faults = [Fault(rule=error.rule, message=str(error))]
        except (CiPublishError, RunStopped):  # by a signal or the deadline
            raise
        except Exception as error:  # noqa: BLE001 - whatever fails, the other files are checked
            message = f"Checking the file failed: {type(error).__name__}: {error}"
            faults = [Fault(rule="check-incomplete", message=message)]
        return [replace(fault, filename=distribution.filename) for fault in faults]

    def _rule_faults(self, distribution: Distribution) -> list[Fault]:
        """Return what the rules say about one file. Raises FileRefused."""
        known = self._known.get(distribution, ReadFile(distribution, ()))
        wheel, sdist = None, known.sdist
        with file_access.open_regular_file(distribution.path) as file:
            if file_access.read_file_stamp(file) != distribution.stamp:
                raise file_access.FileRefused("file-changed", "The file changed after it was collected.")
            if not distribution.filename.lower().endswith(".tar.gz"):
                wheel = inspect_zip_archive(file, distribution.filename)
            elif sdist is None:
                sdist = inspect_sdist(file)
        checked = self._checked_file(known, wheel, sdist)
        # PyPI's size limit is compared for the release: the published files may show that it was raised.
        faults = [each for each in file_faults(checked, metadata=self.verify_metadata) if each.rule != "size-limit"]
        contents = wheel or sdist
        known_rules = {fault.rule for fault in faults}
        if contents is not None and not contents.complete and "archive-too-many-members" not in known_rules:
            message = "The archive unpacks to so much that only its first part was checked."
            faults.append(Fault(rule="archive-partly-read", message=message))
        elif wheel is not None and wheel.undigested:
            count = wheel.undigested
            message = f"The archive unpacks to so much that RECORD's digests of {count} members were not compared."
            faults.append(Fault(rule="archive-digests-unchecked", message=message))
        return faults

    def _checked_file(self, read: ReadFile, wheel: ZipContents | None, sdist: SdistContents | None) -> CheckedFile:
        """Return a file with everything that the rules check."""
        distribution = read.distribution
        fields = core_metadata_form_fields(distribution.metadata)
        values: dict[str, list[str]] = {}
        for name, value in fields:
            values.setdefault(name, []).append(value)
        form = {name: tuple(some) for name, some in values.items()}
        counts = Counter(name for name, _ in distribution.metadata.fields)
        if (form_faults := self._form_faults.get(fields)) is None:  # files of a release have the same form
            form_faults = self._form_faults[fields] = form_validation.validate_upload_form(form)
        return CheckedFile(
            filename=distribution.filename,
            kind=distribution.kind,
            size=distribution.size,
            form=form,
            wheel=wheel,
            sdist=sdist,
            metadata_faults=read.metadata_faults,
            form_faults=form_faults,
            rendering=render_form_description(form, self.waiting) if self.verify_metadata else Rendering(),
            unknown_fields=tuple(sorted(counts.keys() - _KNOWN_FIELDS)),
            repeated_fields=tuple(sorted(name for name in counts.keys() & _SINGLE_FIELDS if counts[name] > 1)),
        )


def _one_file_per_filename(reads: Iterable[ReadFile]) -> tuple[dict[Distribution, ReadFile], list[Fault]]:
    """Keep one file for each filename, with a fault for every other one."""
    kept: dict[str, ReadFile] = {}
    faults: list[Fault] = []
    for read in reads:
        first = kept.setdefault(read.distribution.filename, read).distribution
        if first is read.distribution:
            continue
        where = f"{str(first.path.parent)!r} and {str(read.distribution.path.parent)!r}"
        rule, message = "same-name-twice", f"The file is in {where} with different content."
        if first.sha256 == read.distribution.sha256:
            rule, message = "same-name-again", f"The file is in {where} with the same content; one of them is used."
        faults.append(Fault(rule=rule, message=message, filename=first.filename))
    return {read.distribution: read for read in kept.values()}, faults


def _subfolder_problems(left_out: Iterable[SubfolderFile]) -> Iterator[Problem]:
    """Yield a problem for each folder below which distributions would be left out."""
    roots: dict[tuple[str, bool], list[SubfolderFile]] = {}
    for each in left_out:
        roots.setdefault((each.root, each.required), []).append(each)
    for (root, required), deeper in roots.items():
        globs = ", ".join(f"`{glob}`" for glob in dict.fromkeys(each.glob for each in deeper))
        fault = Fault(
            rule="distributions-in-subfolders",
            message=f"Subfolders of {root!r} contain distributions: {quote_first_paths(each.path for each in deeper)}.",
            advice=Hint(
                f"To publish them, specify the pattern {globs} or use ",
                option("recursive", "true"),
                ". To ignore them: ",
                option("ignore_subfolders", "true"),
            ),
        )
        yield problem_of_rule_fault(fault, None, Severity.ERROR if required else Severity.WARNING)


def _problems_for_profiles(faults: Iterable[Fault], profiles: Sequence[IndexProfile]) -> Iterator[Problem]:
    """Yield the faults that count for *profiles* as problems."""
    for fault in faults:
        severity = RULES[fault.rule].severity_for_profiles(profiles)
        if severity is not None:
            yield problem_of_rule_fault(fault, fault.filename, severity)
