"""Rules about archives as such: what reading them brought up (pure).

The work is done where archives are read (``wheels``, ``sdists``, ``zip_framing``); here stands what it means.
"""

from collections.abc import Iterable

from ci_publish.distributions.checks.rules import Family, Stage, Subject, faults_of, rule
from ci_publish.distributions.findings import Fault
from ci_publish.model.problem import Severity


@rule(
    Family.ARCHIVE,
    Severity.ERROR,
    stage=Stage.ARCHIVE,
    example="a wheel whose first member is a tar archive's header",
    cure="Build again; something put two archives into one file.",
)
def zip_and_tar(subject: Subject) -> Iterable[Fault]:
    """A file is a ZIP archive or a tar archive, not both at once: unpackers would disagree.

    Source: warehouse/forklift/legacy.py:318-319.
    """
    return faults_of(subject, "zip-and-tar")


@rule(
    Family.ARCHIVE,
    Severity.ERROR,
    stage=Stage.ARCHIVE,
    example="a wheel cut off while it was copied, or an HTML page saved as .whl",
    cure="Build or download it again.",
)
def zip_unreadable(subject: Subject) -> Iterable[Fault]:
    """A wheel is a ZIP archive.

    Source: PEP 427; warehouse/forklift/legacy.py:321-323.
    """
    return faults_of(subject, "zip-unreadable")


@rule(
    Family.ARCHIVE,
    Severity.ERROR,
    stage=Stage.ARCHIVE,
    example="a directory entry that is cut off, a version needed of 9.9",
    cure="Build again; if it stays, write the wheel with Python's zipfile.",
)
def zip_malformed(subject: Subject) -> Iterable[Fault]:
    """The directory of a ZIP archive can be read by zipfile, with which the server and pip read it.

    Source: APPNOTE.TXT; warehouse/forklift/legacy.py:1283-1303; a "version needed" above 6.3, multi-disk archives and
    names that cannot be decoded make the server fail.
    """
    return faults_of(subject, "zip-malformed")


@rule(
    Family.ARCHIVE,
    Severity.ERROR,
    stage=Stage.ARCHIVE,
    example="a wheel of 100 KB with 300 MB of zeros",
    cure="Leave out what compresses that well, or ship it compressed.",
)
def zip_bomb(subject: Subject) -> Iterable[Fault]:
    """A wheel that unpacks to more than 64 MiB and fifty times its size is taken for a bomb.

    Source: warehouse/forklift/legacy.py:88-95 and 334-350.
    """
    return faults_of(subject, "zip-bomb")


@rule(
    Family.ARCHIVE,
    Severity.ERROR,
    Severity.WARNING,
    stage=Stage.ARCHIVE,
    example="a wheel written with `ZIP_LZMA`",
    cure="Write the wheel with `zipfile.ZIP_DEFLATED`.",
)
def zip_compression(subject: Subject) -> Iterable[Fault]:
    """Members are stored or deflated; bzip2, LZMA and zstd are not accepted.

    Source: warehouse/forklift/legacy.py:352-361.
    """
    return faults_of(subject, "zip-compression")


@rule(
    Family.ARCHIVE,
    Severity.ERROR,
    Severity.WARNING,
    stage=Stage.FRAMING,
    example="a wheel that was written to a pipe",
    cure="Write the wheel to a file that can be sought in, not to a stream.",
)
def zip_data_descriptor(subject: Subject) -> Iterable[Fault]:
    """Local headers carry the sizes themselves: no data descriptors, as streaming writers make them.

    Source: warehouse/utils/zipfiles.py:141-145.
    """
    return faults_of(subject, "zip-data-descriptor")


@rule(
    Family.ARCHIVE,
    Severity.ERROR,
    Severity.WARNING,
    stage=Stage.FRAMING,
    example="a wheel with a signature appended, or a self-extractor before it",
    cure="Build again; do not append or prepend anything to a wheel.",
)
def zip_surrounding_data(subject: Subject) -> Iterable[Fault]:
    """Nothing stands before, between or after the records of a ZIP archive.

    Source: warehouse/utils/zipfiles.py:376-392.
    """
    return faults_of(subject, "zip-surrounding-data")


@rule(
    Family.ARCHIVE,
    Severity.ERROR,
    Severity.WARNING,
    stage=Stage.FRAMING,
    example="a wheel with two `demo/__init__.py`",
    cure="Find out which build step adds the file twice.",
)
def zip_duplicate_name(subject: Subject) -> Iterable[Fault]:
    """Each member has a name of its own.

    Source: warehouse/utils/zipfiles.py:312-327.
    """
    return faults_of(subject, "zip-duplicate-name")


@rule(
    Family.ARCHIVE,
    Severity.ERROR,
    Severity.WARNING,
    stage=Stage.FRAMING,
    example="a wheel written with `ZipInfo.comment`",
    cure="Write the wheel without member comments.",
)
def zip_member_comment(subject: Subject) -> Iterable[Fault]:
    """Directory entries have no comments (the archive itself may have one).

    Source: warehouse/utils/zipfiles.py:176-177.
    """
    return faults_of(subject, "zip-member-comment")


@rule(
    Family.ARCHIVE,
    Severity.ERROR,
    stage=Stage.FRAMING,
    example="a member that stands in the directory but not in the archive",
    cure="Build again; the archive was edited or damaged.",
)
def zip_mismatched_headers(subject: Subject) -> Iterable[Fault]:
    """Local headers and directory agree about names, sizes and places of all members.

    Source: warehouse/utils/zipfiles.py:146-158 and 318-320.
    """
    return faults_of(subject, "zip-mismatched-headers")


@rule(
    Family.ARCHIVE,
    Severity.ERROR,
    stage=Stage.FRAMING,
    example="an end record that counts one member too few",
    cure="Build again; the archive was edited or damaged.",
)
def zip_end_record(subject: Subject) -> Iterable[Fault]:
    """The end record agrees with the directory before it.

    Source: warehouse/utils/zipfiles.py:329-354.
    """
    return faults_of(subject, "zip-end-record")


@rule(
    Family.ARCHIVE,
    Severity.ERROR,
    stage=Stage.FRAMING,
    example="an archive with a record that is cut off",
    cure="Build again; the archive was edited or damaged.",
)
def zip_records(subject: Subject) -> Iterable[Fault]:
    """The records of a ZIP archive follow one another from its first byte to its last.

    Source: APPNOTE.TXT; warehouse/utils/zipfiles.py:29-46.
    """
    return faults_of(subject, "zip-records")


@rule(
    Family.ARCHIVE,
    Severity.ERROR,
    stage=Stage.FRAMING,
    example="a member with two ZIP64 extra fields",
    cure="Build again with Python's zipfile.",
)
def zip64(subject: Subject) -> Iterable[Fault]:
    """ZIP64 records are used as APPNOTE says: once for each member, without extensible data.

    Source: warehouse/utils/zipfiles.py:77-130 and 207-221.
    """
    return faults_of(subject, "zip64")


@rule(
    Family.ARCHIVE,
    Severity.ERROR,
    Severity.WARNING,
    stage=Stage.FRAMING,
    example="a member name with a newline, or in code page 437",
    cure="Rename the file.",
)
def zip_member_name(subject: Subject) -> Iterable[Fault]:
    """Member names are printable UTF-8.

    Source: warehouse/utils/zipfiles.py:74-75, 120-137 and 146-156.
    """
    return faults_of(subject, "zip-member-name")


@rule(
    Family.ARCHIVE,
    Severity.ERROR,
    Severity.WARNING,
    stage=Stage.SCAN,
    example="a wheel made after `pyarmor gen`",
    cure="Publish readable code, or publish to another index.",
)
def encrypted_code(subject: Subject) -> Iterable[Fault]:
    """PyPI does not take code encrypted with PyArmor or SourceDefender.

    Source: warehouse/utils/scanner_rules/*.yar; https://pypi.org/policy/acceptable-use-policy/.
    """
    return faults_of(subject, "encrypted-code")


@rule(
    Family.ARCHIVE,
    Severity.ERROR,
    stage=Stage.SCAN,
    example="one flipped bit",
    cure="Build or download it again: it is damaged.",
)
def archive_damaged_member(subject: Subject) -> Iterable[Fault]:
    """Every member can be read and matches its size and CRC: pip would fail on it.

    Source: APPNOTE.TXT 4.4.7; our own rule, PyPI stores damaged data members and fails on damaged code.
    """
    return faults_of(subject, "archive-damaged-member")


@rule(
    Family.ARCHIVE,
    Severity.ERROR,
    example="`../../etc/passwd`, `/etc/passwd`, `C:\\\\x`",
    cure="Find out which build step adds the path.",
)
def archive_unsafe_path(subject: Subject) -> Iterable[Fault]:
    """No member lies outside of the folder that the archive is unpacked into.

    Source: PEP 721; our own rule, PyPI stores such files.
    """
    return faults_of(subject, "archive-unsafe-path")


@rule(
    Family.ARCHIVE,
    Severity.ERROR,
    example="an entry_points.txt of 1 MB",
    cure="Leave out what makes the file so large.",
)
def archive_text_too_large(subject: Subject) -> Iterable[Fault]:
    """The metadata files of an archive are small enough to be read: RECORD 10 MiB, the others 512 KiB.

    Source: our own limit.
    """
    return faults_of(subject, "archive-text-too-large")


@rule(
    Family.ARCHIVE,
    Severity.WARNING,
    example="a wheel with 100,000 icons",
    cure="Nothing has to be done, the index looks itself; data in one archive inside of the package installs faster.",
)
def archive_too_many_members(subject: Subject) -> Iterable[Fault]:
    """Of wheels with more than 30,000 members, and sdists with more than 50,000, only the metadata is checked.

    Source: our own limit: looking into them takes too much memory.
    """
    return faults_of(subject, "archive-too-many-members")
