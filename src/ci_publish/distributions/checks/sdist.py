"""Rules about sdists (pure)."""

from collections.abc import Iterable
from typing import Final

from packaging.utils import canonicalize_name

from ci_publish.distributions.checks.rules import CheckedFile, Ground, Rule, Stage
from ci_publish.distributions.faults import Fault, refused_upload_fault
from ci_publish.model.problem import Severity


def _sdist_folder_name(file: CheckedFile) -> Iterable[Fault]:
    if file.sdist is None or not file.sdist.top:
        return
    expected = file.filename.removesuffix(".tar.gz")
    if canonicalize_name(file.sdist.top) != canonicalize_name(expected):
        message = f"The top-level folder is {file.sdist.top!r} instead of {expected!r}."
        yield Fault(rule="sdist-folder-name", message=message)


def _sdist_license_file(file: CheckedFile) -> Iterable[Fault]:
    if file.sdist is None or not file.sdist.complete or not file.sdist.names:
        return
    for license_file in file.form.get("license_file", ()):
        target = f"{file.sdist.top}/{license_file}"
        if target not in file.sdist.names:
            response = f"License-File {license_file} does not exist in distribution file {file.filename} at {target}"
            message = f"The license file {license_file!r} is missing from the sdist."
            yield refused_upload_fault("sdist-license-file", message, response)


RULES: Final = (
    Rule(
        id="sdist-unreadable",
        pypi=Severity.ERROR,
        stage=Stage.ARCHIVE,
        cause="An sdist must be a gzip-compressed tar archive.",
        source="PEP 625; warehouse/forklift/legacy.py:417-418.",
        example="a .tar.xz renamed to .tar.gz",
        fix="Build the sdist again: `python -m build --sdist`.",
    ),
    Rule(
        id="sdist-cut-off",
        pypi=Severity.ERROR,
        stage=Stage.ARCHIVE,
        cause="The compressed data of an sdist must be complete.",
        source="RFC 1952. PyPI returns a server error for such files.",
        example="an sdist that was truncated while being copied",
        fix="Build or download the file again.",
    ),
    Rule(
        id="sdist-damaged",
        pypi=Severity.ERROR,
        stage=Stage.ARCHIVE,
        cause="The compressed data and the tar headers of an sdist must be readable.",
        source="RFC 1952, POSIX.1-2001 (pax); warehouse/forklift/legacy.py:475-476.",
        example="an sdist in which one bit has changed",
        fix="Build or download the file again, because it is damaged.",
    ),
    Rule(
        id="sdist-sparse-member",
        pypi=Severity.ERROR,
        generic=Severity.WARNING,
        stage=Stage.ARCHIVE,
        cause="An sdist must not contain sparse members.",
        source="PEP 625; warehouse/forklift/legacy.py:438-449.",
        example="an sdist written by `tar --sparse`",
        fix="Build the sdist with Python's tarfile, or without `--sparse`.",
    ),
    Rule(
        id="sdist-top-level",
        pypi=Severity.ERROR,
        stage=Stage.ARCHIVE,
        cause="All members of an sdist must be in one top-level folder.",
        source="PEP 625; warehouse/forklift/legacy.py:434 and 450-453.",
        example="an archive that was created inside the project folder",
        fix="Build the sdist with a build backend: `python -m build --sdist`.",
    ),
    Rule(
        id="sdist-pkg-info-missing",
        pypi=Severity.ERROR,
        stage=Stage.ARCHIVE,
        cause="The top-level folder of an sdist must contain the file PKG-INFO.",
        source="PEP 625; warehouse/forklift/legacy.py:454-458.",
        example="a source archive created by `git archive`",
        fix="Build the sdist with a build backend: `python -m build --sdist`.",
    ),
    Rule(
        id="sdist-gzip-trailer",
        pypi=Severity.WARNING,
        adjustable=True,
        cause="The compressed data of an sdist must match its checksum and must not be followed by other data.",
        source="RFC 1952. PyPI accepts such files.",
        example="an sdist with an appended signature",
        fix="Build the sdist again. Do not append anything to it.",
    ),
    Rule(
        id="sdist-special-member",
        pypi=Severity.WARNING,
        ground=Ground.MACHINE,
        cause="An sdist must not contain devices or FIFOs. pip refuses to extract them.",
        source="PEP 721. PyPI accepts such files.",
        example="a FIFO in the test data",
        fix="Create such files in the tests instead.",
    ),
    Rule(
        id="sdist-escaping-link",
        pypi=Severity.WARNING,
        ground=Ground.MACHINE,
        cause="Links in an sdist must point to files in the sdist. pip refuses to extract other links.",
        source="PEP 721. PyPI accepts such files.",
        example="a link to `/usr/share/licenses/GPL-3`",
        fix="Put a copy of the file in the project.",
    ),
    Rule(
        id="sdist-bomb",
        pypi=Severity.WARNING,
        ground=Ground.MACHINE,
        cause=(
            "An sdist is read only in part if its extracted files are larger than both 64 MiB and fifty times the size "
            "of the sdist."
        ),
        source="ci-publish's own limit, which is the same as PyPI's limit for wheels.",
        example="100 MiB of zeros in the test data",
        fix="Create such data in the tests instead.",
    ),
    Rule(
        id="sdist-folder-name",
        pypi=Severity.WARNING,
        adjustable=True,
        cause="The name of the top-level folder must match the filename: the project, a hyphen and the version.",
        source="PEP 625. PyPI does not check this.",
        example="`demo-1.0.tar.gz` whose members are in `other/`",
        fix="Build the sdist with a build backend. Do not repack it.",
        check=_sdist_folder_name,
    ),
    Rule(
        id="sdist-license-file",
        pypi=Severity.ERROR,
        stage=Stage.LICENSES,
        cause="An sdist must contain every License-File in its metadata, in its top-level folder.",
        source="PEP 639; warehouse/forklift/legacy.py:1397-1423.",
        example="`License-File: LICENSE` without that file in the sdist",
        fix="Add the file to the sdist, or correct `license-files` in pyproject.toml.",
        check=_sdist_license_file,
    ),
)
