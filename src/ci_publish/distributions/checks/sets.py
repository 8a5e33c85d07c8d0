"""Rules about the files of a run together: stray files, duplicates, contradictions (pure).

Faults of single directory entries are found in ``collecting``; these rows explain them.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Final

from ci_publish.distributions.archive_reading import quote_first_member_names
from ci_publish.distributions.checks.release_metadata import distributions_by_release, release_metadata_differs
from ci_publish.distributions.checks.rules import Ground, Rule
from ci_publish.distributions.faults import Fault, refused_upload_fault
from ci_publish.hints import Hint, option
from ci_publish.model.distribution import Collection, Distribution, Kind
from ci_publish.model.problem import Severity


def _several_sdists(collection: Collection) -> Iterable[Fault]:
    for (project, version), files in distributions_by_release(collection).items():
        names = [file.filename for file in files if file.kind is Kind.SDIST]
        if len(names) > 1:
            message = f"{project} {version} has {len(names)} sdists: {quote_first_member_names(names)}."
            yield refused_upload_fault("several-sdists", message, "Only one sdist may be uploaded per release.")


def _same_file_twice(collection: Collection) -> Iterable[Fault]:
    # installers see no other difference
    for names in _filenames_that_share(
        collection, lambda file: file.filename.lower().replace("-", "_").replace(".", "_")
    ):
        message = f"These names are {len(names)} spellings of one filename: {quote_first_member_names(names)}."
        yield Fault(rule="same-file-twice", message=message)


def _same_content_twice(collection: Collection) -> Iterable[Fault]:
    for names in _filenames_that_share(collection, lambda file: file.sha256):
        message = f"These have the same content: {quote_first_member_names(names)}."
        yield Fault(rule="same-content-twice", message=message)


def _filenames_that_share(collection: Collection, key: Callable[[Distribution], str]) -> list[list[str]]:
    """Return the names of files with the same *key*, if there are several."""
    groups: dict[str, list[str]] = defaultdict(list)
    for file in collection.distributions:
        groups[key(file)].append(file.filename)
    return [names for names in groups.values() if len(names) > 1]


def _several_projects(collection: Collection) -> Iterable[Fault]:
    projects = sorted(collection.projects)
    if len(projects) > 1:
        message = f"The files belong to {len(projects)} projects: {', '.join(projects)}."
        yield Fault(rule="several-projects", message=message)


def _several_versions(collection: Collection) -> Iterable[Fault]:
    versions: dict[str, set[str]] = defaultdict(set)
    for file in collection.distributions:
        versions[file.project].add(file.version)
    for project, found in versions.items():
        if len(found) > 1:
            message = f"There are {len(found)} versions of {project}: {', '.join(sorted(found))}."
            yield Fault(rule="several-versions", message=message)


RULES: Final = (
    Rule(
        id="several-sdists",
        pypi=Severity.ERROR,
        cause="A release must not contain more than one sdist.",
        source="PEP 527; warehouse/forklift/legacy.py:1258-1275.",
        example="`demo-1.0.tar.gz` and `demo-1.0.zip`",
        fix="Remove all sdists except one. The index accepts only one sdist for a release.",
        check_set=_several_sdists,
    ),
    Rule(
        id="same-file-twice",
        pypi=Severity.ERROR,
        ground=Ground.INTENT,
        cause="Two files must not have the same filename in different spellings.",
        source="PEP 503, PEP 625. Installers treat the files as one.",
        example="`Demo_Pkg-1.0-py3-none-any.whl` and `demo_pkg-1.0-py3-none-any.whl`",
        fix="Empty the folder before building, and keep the file with the normalised name.",
        check_set=_same_file_twice,
    ),
    Rule(
        id="same-content-twice",
        pypi=Severity.ERROR,
        cause='Two files must not have the same content. PyPI rejects the second one with "File already exists".',
        source="warehouse/forklift/legacy.py:483-530 and 1203-1228 (seen on a running server).",
        example="two wheels with different build numbers but identical content",
        fix="Remove all files except one. The index accepts the same content only once.",
        check_set=_same_content_twice,
    ),
    Rule(
        id="several-projects",
        pypi=Severity.WARNING,
        adjustable=True,
        cause="The run contains files of several projects. Usually, all files belong to one project.",
        source="ci-publish's own rule. Files from an earlier build are a common cause.",
        example="`dist` contains wheels of `demo` and of `demo-cli`",
        fix="If this is not intended, empty the folder before building.",
        check_set=_several_projects,
    ),
    Rule(
        id="several-versions",
        pypi=Severity.WARNING,
        adjustable=True,
        cause="The run contains several versions of a project. Usually, all files of a project have the same version.",
        source="ci-publish's own rule. Files from an earlier build are a common cause.",
        example="`dist` contains versions 1.0 and 1.1",
        fix="If this is not intended, empty the folder before building.",
        check_set=_several_versions,
    ),
    Rule(
        id="release-metadata-differs",
        pypi=Severity.WARNING,
        adjustable=True,
        cause="All files of a release must have the same metadata, except for fields that the sdist declares dynamic.",
        source="PEP 643; warehouse/forklift/legacy.py:1000-1090. The first file of a release determines its metadata.",
        example="an sdist with `Requires-Python: >=3.11` and a wheel with `>=3.10`",
        fix="Build all files of a release from the same sources. PyPI shows the metadata of the first uploaded file.",
        check_set=release_metadata_differs,
    ),
    Rule(
        id="file-companion",
        pypi=Severity.NOTE,
        adjustable=True,
        cause="Signatures, checksums and files of the operating system are skipped.",
        source="ci-publish's own rule.",
        example="`demo-1.0.tar.gz.asc`, `SHA256SUMS`, `.DS_Store`",
        fix="No action needed.",
    ),
    Rule(
        id="file-stray",
        pypi=Severity.WARNING,
        adjustable=True,
        cause="Files that are not wheels or sdists are skipped.",
        source="ci-publish's own rule.",
        example="`README.md` in `dist`",
        fix="Remove the file, or list the files to publish.",
    ),
    Rule(
        id="distributions-in-subfolders",
        pypi=Severity.ERROR,
        ground=Ground.INTENT,
        cause=(
            "There are distributions up to two levels below `dist`, or below any other specified folder. Without these "
            "files, the release would be incomplete."
        ),
        source="ci-publish's own rule. actions/download-artifact creates a folder for each artifact.",
        example="`dist/demo-1.0.tar.gz` and `dist/wheels-linux/demo-1.0-py3-none-any.whl`",
        fix=Hint(
            "To publish them, specify `dist/**`",
            Hint(", or: ", option("recursive", "true")),
            ".",
            Hint(" To ignore them: ", option("ignore_subfolders", "true"), "."),
        ),
    ),
    Rule(
        id="file-extension-obsolete",
        pypi=Severity.WARNING,
        adjustable=True,
        cause="Indexes no longer accept eggs, installers and other archives.",
        source="PEP 527, PEP 715; warehouse/forklift/forms.py:9-12.",
        example="`demo-1.0-py3.12.egg`, `demo-1.0.tar.bz2`",
        fix="Build a wheel and a .tar.gz sdist: `python -m build`.",
    ),
    Rule(
        id="file-outside-link",
        pypi=Severity.ERROR,
        ground=Ground.MACHINE,
        cause="Symbolic links must not point outside their folder.",
        source="ci-publish's own rule.",
        example="`dist/demo.whl` → `/tmp/other.whl`",
        fix="Copy the file into the folder.",
    ),
    Rule(
        id="file-not-regular",
        pypi=Severity.ERROR,
        ground=Ground.MACHINE,
        cause="Only regular files are read. Folders, FIFOs, devices and sockets are not.",
        source="ci-publish's own rule.",
        example="a FIFO called `demo-1.0.tar.gz`",
        fix="Replace it with a regular file.",
    ),
    Rule(
        id="file-unreadable",
        pypi=Severity.ERROR,
        ground=Ground.INTENT,
        cause="All files must be readable.",
        source="ci-publish's own rule.",
        example="another user's file with mode 600",
        fix="Correct its permissions, or replace a broken link with the file itself.",
    ),
    Rule(
        id="file-empty",
        pypi=Severity.ERROR,
        ground=Ground.INTENT,
        cause="Files must not be empty.",
        source='ci-publish\'s own rule. PyPI responds with "File is not a zipfile".',
        example="a build that ran out of disk space",
        fix="Build again.",
    ),
    Rule(
        id="file-changed",
        pypi=Severity.ERROR,
        ground=Ground.INTENT,
        cause="Files must not change while they are read, checked and published.",
        source="ci-publish's own rule.",
        example="a build that is still running",
        fix="Wait for the build to finish, then publish.",
    ),
    Rule(
        id="file-not-found",
        pypi=Severity.ERROR,
        ground=Ground.INTENT,
        cause="All specified files must exist.",
        source="ci-publish's own rule.",
        example="`ci-publish publish dist/demo-1.0.tar.gz` before the build",
        fix="Build first, or correct the path.",
    ),
    Rule(
        id="path-without-files",
        pypi=Severity.WARNING,
        adjustable=True,
        cause="All specified patterns and folders must match files.",
        source="ci-publish's own rule.",
        example="`dist/*.whl`, but only an sdist was built",
        fix="Correct the path, or omit it.",
    ),
    Rule(
        id="same-name-twice",
        pypi=Severity.ERROR,
        ground=Ground.INTENT,
        cause="Files with the same name in several folders must have the same content.",
        source="ci-publish's own rule. The index accepts only one of the files.",
        example="`a/demo-1.0.tar.gz` and `b/demo-1.0.tar.gz`",
        fix="Keep only the file that you want to publish.",
    ),
    Rule(
        id="same-name-again",
        pypi=Severity.WARNING,
        adjustable=True,
        cause="Several folders contain identical copies of a file. All copies except one are skipped.",
        source="ci-publish's own rule.",
        example="`a/demo-1.0.tar.gz` and an identical copy in `b`",
        fix="Specify only one of the folders.",
    ),
    Rule(
        id="attestation-orphan",
        pypi=Severity.ERROR,
        ground=Ground.INTENT,
        cause="An attestation must be next to its distribution.",
        source="PEP 740 and ci-publish's own rule.",
        example="`demo-1.0.tar.gz.publish.attestation` without `demo-1.0.tar.gz`",
        fix="Publish the attestation with its file, or remove it.",
    ),
    Rule(
        id="attestation-too-large",
        pypi=Severity.ERROR,
        ground=Ground.MACHINE,
        cause="An attestation must not be larger than 1 MiB.",
        source="ci-publish's own limit.",
        example="a file of another kind named `….attestation`",
        fix="Remove the file.",
    ),
    Rule(
        id="metadata-unverified",
        pypi=Severity.NOTE,
        ground=Ground.INTENT,
        cause="The core metadata rules are disabled, because `--no-verify-metadata` is set.",
        source="The input `verify-metadata` of gh-action-pypi-publish.",
        example="`verify-metadata: false`",
        fix="To check the metadata before the upload, omit the setting.",
    ),
    Rule(
        id="archive-partly-read",
        pypi=Severity.NOTE,
        adjustable=True,
        cause=(
            "An archive is read only in part if its extracted files are larger than 64 MiB and more than twice the "
            "size of the archive."
        ),
        source="ci-publish's own limit.",
        example="a 300 MB wheel with libraries that compress well",
        fix="No action needed.",
    ),
    Rule(
        id="archive-digests-unchecked",
        pypi=Severity.NOTE,
        adjustable=True,
        cause=(
            "Not all digests in a wheel are compared with RECORD if its extracted files are larger than 64 MiB and "
            "more than half the size of the wheel."
        ),
        source="ci-publish's own limit.",
        example="a 300 MB wheel with libraries that compress well",
        fix="No action needed.",
    ),
    Rule(
        id="check-incomplete",
        pypi=Severity.ERROR,
        ground=Ground.MACHINE,
        cause="A bug in ci-publish prevented a complete check of the file.",
        source="ci-publish's own rule.",
        example="a file that triggers a bug in ci-publish",
        fix="Report the bug, if possible with the file.",
    ),
)
