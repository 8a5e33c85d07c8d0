"""Rules about archives as such: what reading them brought up (pure).

The work is done where archives are read (``wheels``, ``sdists``, ``zip_framing``); here stands what it means.
"""

from ci_publish.distributions.checks.rules import Family, Stage, found
from ci_publish.model.problem import Severity

found(
    "zip-and-tar",
    Family.ARCHIVE,
    Severity.ERROR,
    stage=Stage.ARCHIVE,
    cause="A file is a ZIP archive or a tar archive, not both at once: unpackers would disagree.",
    source="warehouse/forklift/legacy.py:318-319.",
    example="a wheel whose first member is a tar archive's header",
    cure="Build again; something put two archives into one file.",
)

found(
    "zip-unreadable",
    Family.ARCHIVE,
    Severity.ERROR,
    stage=Stage.ARCHIVE,
    cause="A wheel is a ZIP archive.",
    source="PEP 427; warehouse/forklift/legacy.py:321-323.",
    example="a wheel cut off while it was copied, or an HTML page saved as .whl",
    cure="Build or download it again.",
)

found(
    "zip-malformed",
    Family.ARCHIVE,
    Severity.ERROR,
    stage=Stage.ARCHIVE,
    cause="The directory of a ZIP archive can be read by zipfile, with which the server and pip read it.",
    source=(
        'APPNOTE.TXT; warehouse/forklift/legacy.py:1283-1303; a "version needed" above 6.3, multi-disk '
        "archives and names that cannot be decoded make the server fail."
    ),
    example="a directory entry that is cut off, a version needed of 9.9",
    cure="Build again; if it stays, write the wheel with Python's zipfile.",
)

found(
    "zip-bomb",
    Family.ARCHIVE,
    Severity.ERROR,
    stage=Stage.ARCHIVE,
    cause="A wheel that unpacks to more than 64 MiB and fifty times its size is taken for a bomb.",
    source="warehouse/forklift/legacy.py:88-95 and 334-350.",
    example="a wheel of 100 KB with 300 MB of zeros",
    cure="Leave out what compresses that well, or ship it compressed.",
)

found(
    "zip-compression",
    Family.ARCHIVE,
    Severity.ERROR,
    Severity.WARNING,
    stage=Stage.ARCHIVE,
    cause="Members are stored or deflated; bzip2, LZMA and zstd are not accepted.",
    source="warehouse/forklift/legacy.py:352-361.",
    example="a wheel written with `ZIP_LZMA`",
    cure="Write the wheel with `zipfile.ZIP_DEFLATED`.",
)

found(
    "zip-data-descriptor",
    Family.ARCHIVE,
    Severity.ERROR,
    Severity.WARNING,
    stage=Stage.FRAMING,
    cause="Local headers carry the sizes themselves: no data descriptors, as streaming writers make them.",
    source="warehouse/utils/zipfiles.py:141-145.",
    example="a wheel that was written to a pipe",
    cure="Write the wheel to a file that can be sought in, not to a stream.",
)

found(
    "zip-surrounding-data",
    Family.ARCHIVE,
    Severity.ERROR,
    Severity.WARNING,
    stage=Stage.FRAMING,
    cause="Nothing stands before, between or after the records of a ZIP archive.",
    source="warehouse/utils/zipfiles.py:376-392.",
    example="a wheel with a signature appended, or a self-extractor before it",
    cure="Build again; do not append or prepend anything to a wheel.",
)

found(
    "zip-duplicate-name",
    Family.ARCHIVE,
    Severity.ERROR,
    Severity.WARNING,
    stage=Stage.FRAMING,
    cause="Each member has a name of its own.",
    source="warehouse/utils/zipfiles.py:312-327.",
    example="a wheel with two `demo/__init__.py`",
    cure="Find out which build step adds the file twice.",
)

found(
    "zip-member-comment",
    Family.ARCHIVE,
    Severity.ERROR,
    Severity.WARNING,
    stage=Stage.FRAMING,
    cause="Directory entries have no comments (the archive itself may have one).",
    source="warehouse/utils/zipfiles.py:176-177.",
    example="a wheel written with `ZipInfo.comment`",
    cure="Write the wheel without member comments.",
)

found(
    "zip-mismatched-headers",
    Family.ARCHIVE,
    Severity.ERROR,
    stage=Stage.FRAMING,
    cause="Local headers and directory agree about names, sizes and places of all members.",
    source="warehouse/utils/zipfiles.py:146-158 and 318-320.",
    example="a member that stands in the directory but not in the archive",
    cure="Build again; the archive was edited or damaged.",
)

found(
    "zip-end-record",
    Family.ARCHIVE,
    Severity.ERROR,
    stage=Stage.FRAMING,
    cause="The end record agrees with the directory before it.",
    source="warehouse/utils/zipfiles.py:329-354.",
    example="an end record that counts one member too few",
    cure="Build again; the archive was edited or damaged.",
)

found(
    "zip-records",
    Family.ARCHIVE,
    Severity.ERROR,
    stage=Stage.FRAMING,
    cause="The records of a ZIP archive follow one another from its first byte to its last.",
    source="APPNOTE.TXT; warehouse/utils/zipfiles.py:29-46.",
    example="an archive with a record that is cut off",
    cure="Build again; the archive was edited or damaged.",
)

found(
    "zip64",
    Family.ARCHIVE,
    Severity.ERROR,
    stage=Stage.FRAMING,
    cause="ZIP64 records are used as APPNOTE says: once for each member, without extensible data.",
    source="warehouse/utils/zipfiles.py:77-130 and 207-221.",
    example="a member with two ZIP64 extra fields",
    cure="Build again with Python's zipfile.",
)

found(
    "zip-member-name",
    Family.ARCHIVE,
    Severity.ERROR,
    Severity.WARNING,
    stage=Stage.FRAMING,
    cause="Member names are printable UTF-8.",
    source="warehouse/utils/zipfiles.py:74-75, 120-137 and 146-156.",
    example="a member name with a newline, or in code page 437",
    cure="Rename the file.",
)

found(
    "encrypted-code",
    Family.ARCHIVE,
    Severity.ERROR,
    Severity.WARNING,
    stage=Stage.SCAN,
    cause="PyPI does not take code encrypted with PyArmor or SourceDefender.",
    source="warehouse/utils/scanner_rules/*.yar; https://pypi.org/policy/acceptable-use-policy/.",
    example="a wheel made after `pyarmor gen`",
    cure="Publish readable code, or publish to another index.",
)

found(
    "archive-damaged-member",
    Family.ARCHIVE,
    Severity.ERROR,
    stage=Stage.SCAN,
    cause="Every member can be read and matches its size and CRC: pip would fail on it.",
    source="APPNOTE.TXT 4.4.7; our own rule, PyPI stores damaged data members and fails on damaged code.",
    example="one flipped bit",
    cure="Build or download it again: it is damaged.",
)

found(
    "archive-unsafe-path",
    Family.ARCHIVE,
    Severity.ERROR,
    cause="No member lies outside of the folder that the archive is unpacked into.",
    source="PEP 721; our own rule, PyPI stores such files.",
    example="`../../etc/passwd`, `/etc/passwd`, `C:\\\\x`",
    cure="Find out which build step adds the path.",
)

found(
    "archive-text-too-large",
    Family.ARCHIVE,
    Severity.ERROR,
    cause=("The metadata files of an archive are small enough to be read: RECORD 10 MiB, the others 512 KiB."),
    source="our own limit.",
    example="an entry_points.txt of 1 MB",
    cure="Leave out what makes the file so large.",
)

found(
    "archive-too-many-members",
    Family.ARCHIVE,
    Severity.WARNING,
    cause=("Of wheels with more than 30,000 members, and sdists with more than 50,000, only the metadata is checked."),
    source="our own limit: looking into them takes too much memory.",
    example="a wheel with 100,000 icons",
    cure="Nothing has to be done, the index looks itself; data in one archive inside of the package installs faster.",
)
