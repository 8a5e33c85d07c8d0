"""Rules about sdists (pure)."""

from collections.abc import Iterable

from packaging.utils import canonicalize_name

from ci_publish.distributions.checks.rules import Family, Stage, Subject, faults_of, rule
from ci_publish.distributions.findings import Fault, refused
from ci_publish.model.problem import Severity


@rule(
    Family.SDIST,
    Severity.ERROR,
    stage=Stage.ARCHIVE,
    example="a .tar.xz renamed to .tar.gz",
    cure="Build the sdist again: `python -m build --sdist`.",
)
def sdist_unreadable(subject: Subject) -> Iterable[Fault]:
    """An sdist is a gzip-compressed tar archive.

    Source: PEP 625; warehouse/forklift/legacy.py:417-418.
    """
    return faults_of(subject, "sdist-unreadable")


@rule(
    Family.SDIST,
    Severity.ERROR,
    stage=Stage.ARCHIVE,
    example="an sdist cut off while it was copied",
    cure="Build or download it again.",
)
def sdist_cut_off(subject: Subject) -> Iterable[Fault]:
    """The compressed data of an sdist is complete.

    Source: RFC 1952; the server fails on such files.
    """
    return faults_of(subject, "sdist-cut-off")


@rule(
    Family.SDIST,
    Severity.ERROR,
    stage=Stage.ARCHIVE,
    example="one flipped bit",
    cure="Build or download it again: it is damaged.",
)
def sdist_damaged(subject: Subject) -> Iterable[Fault]:
    """The compressed data and the tar headers of an sdist can be read.

    Source: RFC 1952, POSIX.1-2001 (pax); warehouse/forklift/legacy.py:475-476.
    """
    return faults_of(subject, "sdist-damaged")


@rule(
    Family.SDIST,
    Severity.ERROR,
    Severity.WARNING,
    stage=Stage.ARCHIVE,
    example="an sdist written by `tar --sparse`",
    cure="Build the sdist with Python's tarfile, or without `--sparse`.",
)
def sdist_sparse_member(subject: Subject) -> Iterable[Fault]:
    """An sdist has no sparse members.

    Source: PEP 625; warehouse/forklift/legacy.py:438-449.
    """
    return faults_of(subject, "sdist-sparse-member")


@rule(
    Family.SDIST,
    Severity.ERROR,
    stage=Stage.ARCHIVE,
    example="an archive made inside of the project's folder",
    cure="Build the sdist with a build backend: `python -m build --sdist`.",
)
def sdist_top_level(subject: Subject) -> Iterable[Fault]:
    """All members of an sdist lie in one top folder.

    Source: PEP 625; warehouse/forklift/legacy.py:434 and 450-453.
    """
    return faults_of(subject, "sdist-top-level")


@rule(
    Family.SDIST,
    Severity.ERROR,
    stage=Stage.ARCHIVE,
    example="a source archive made by `git archive`",
    cure="Build the sdist with a build backend: `python -m build --sdist`.",
)
def sdist_pkg_info_missing(subject: Subject) -> Iterable[Fault]:
    """PKG-INFO lies in the top folder of an sdist.

    Source: PEP 625; warehouse/forklift/legacy.py:454-458.
    """
    return faults_of(subject, "sdist-pkg-info-missing")


@rule(
    Family.SDIST,
    Severity.WARNING,
    example="an sdist with a signature appended",
    cure="Build the sdist again and do not append anything to it.",
)
def sdist_gzip_trailer(subject: Subject) -> Iterable[Fault]:
    """Nothing follows the compressed data, and its checksum matches.

    Source: RFC 1952; PyPI stores such files.
    """
    return faults_of(subject, "sdist-gzip-trailer")


@rule(
    Family.SDIST,
    Severity.WARNING,
    example="a FIFO among the test data",
    cure="Create such files in the tests instead.",
)
def sdist_special_member(subject: Subject) -> Iterable[Fault]:
    """An sdist has no devices and no FIFOs: pip refuses to unpack them.

    Source: PEP 721; PyPI stores such files.
    """
    return faults_of(subject, "sdist-special-member")


@rule(
    Family.SDIST,
    Severity.WARNING,
    example="a link to `/usr/share/licenses/GPL-3`",
    cure="Put a copy of the file into the project.",
)
def sdist_escaping_link(subject: Subject) -> Iterable[Fault]:
    """Links in an sdist stay inside of it: pip refuses to unpack others.

    Source: PEP 721; PyPI stores such files.
    """
    return faults_of(subject, "sdist-escaping-link")


@rule(
    Family.SDIST,
    Severity.WARNING,
    example="100 MiB of zeros in the test data",
    cure="Create such data in the tests instead.",
)
def sdist_bomb(subject: Subject) -> Iterable[Fault]:
    """An sdist that unpacks to more than 64 MiB and fifty times its size is not read to its end.

    Source: our own limit, that of PyPI for wheels.
    """
    return faults_of(subject, "sdist-bomb")


@rule(
    Family.SDIST,
    Severity.WARNING,
    example="`demo-1.0.tar.gz` whose members lie in `other/`",
    cure="Build the sdist with a build backend; do not repack it.",
)
def sdist_folder_name(subject: Subject) -> Iterable[Fault]:
    """The top folder is called like the file: project, dash, version.

    Source: PEP 625; PyPI does not look.
    """
    if subject.sdist is None or not subject.sdist.top:
        return
    expected = subject.filename.removesuffix(".tar.gz")
    if canonicalize_name(subject.sdist.top) != canonicalize_name(expected):
        yield Fault("sdist-folder-name", f"Its top folder is {subject.sdist.top!r} instead of {expected!r}.")


@rule(
    Family.SDIST,
    Severity.ERROR,
    stage=Stage.LICENSES,
    example="`License-File: LICENSE` without that file in the sdist",
    cure="Add the file to the sdist, or correct `license-files` in pyproject.toml.",
)
def sdist_license_file(subject: Subject) -> Iterable[Fault]:
    """Every License-File of the metadata is in the sdist, under its top folder.

    Source: PEP 639; warehouse/forklift/legacy.py:1397-1423.
    """
    if subject.sdist is None or not subject.sdist.complete or not subject.sdist.names:
        return
    for license_file in subject.form.get("license_file", ()):
        target = f"{subject.sdist.top}/{license_file}"
        if target not in subject.sdist.names:
            words = f"License-File {license_file} does not exist in distribution file {subject.filename} at {target}"
            yield Fault("sdist-license-file", f"The licence file {license_file!r} is not in it.", refused(words))
