"""Rules about archives: faults that are found while reading them (pure).

Archives are read in ``wheel_reading``, ``sdist_reading`` and ``zip_framing``; these rows explain the faults.
"""

from typing import Final

from ci_publish.distributions.checks.rules import Ground, Rule, Stage
from ci_publish.model.problem import Severity

RULES: Final = (
    Rule(
        id="zip-and-tar",
        pypi=Severity.ERROR,
        stage=Stage.ARCHIVE,
        cause=(
            "A file must not be both a ZIP archive and a tar archive. Otherwise, different tools could extract "
            "different files."
        ),
        source="warehouse/forklift/legacy.py:318-319.",
        example="a wheel whose first member is a tar archive's header",
        fix="Build again. A build step combined two archives in one file.",
    ),
    Rule(
        id="zip-unreadable",
        pypi=Severity.ERROR,
        stage=Stage.ARCHIVE,
        cause="A wheel must be a ZIP archive.",
        source="PEP 427; warehouse/forklift/legacy.py:321-323.",
        example="a wheel that was truncated while being copied, or an HTML page saved as .whl",
        fix="Build or download the file again.",
    ),
    Rule(
        id="zip-malformed",
        pypi=Severity.ERROR,
        stage=Stage.ARCHIVE,
        cause="Python's `zipfile`, which the server and pip use, must be able to read the directory of a ZIP archive.",
        source=(
            'APPNOTE.TXT; warehouse/forklift/legacy.py:1283-1303. Multi-disk archives, a "version needed" above 6.3 '
            "and undecodable names cause a server error."
        ),
        example='a truncated directory entry, or a "version needed" of 9.9',
        fix="Build again. If that does not help, write the wheel with Python's zipfile.",
    ),
    Rule(
        id="zip-bomb",
        pypi=Severity.ERROR,
        ground=Ground.MACHINE,
        stage=Stage.ARCHIVE,
        cause=(
            "A wheel counts as a ZIP bomb if its extracted files are larger than both 64 MiB and fifty times the size "
            "of the wheel."
        ),
        source="warehouse/forklift/legacy.py:88-95 and 334-350.",
        example="a wheel of 100 kB with 300 MB of zeros",
        fix="Remove highly compressible files, or store them in compressed form.",
    ),
    Rule(
        id="zip-compression",
        pypi=Severity.ERROR,
        generic=Severity.WARNING,
        stage=Stage.ARCHIVE,
        cause="The members of a wheel must be stored or deflated. bzip2, LZMA and zstd are not allowed.",
        source="warehouse/forklift/legacy.py:352-361.",
        example="a wheel written with `ZIP_LZMA`",
        fix="Write the wheel with `zipfile.ZIP_DEFLATED`.",
    ),
    Rule(
        id="zip-data-descriptor",
        pypi=Severity.ERROR,
        generic=Severity.WARNING,
        stage=Stage.FRAMING,
        cause=(
            "The local headers of a ZIP archive must contain the sizes. Data descriptors, which are written by "
            "streaming tools, are not allowed."
        ),
        source="warehouse/utils/zipfiles.py:141-145.",
        example="a wheel that was written to a pipe",
        fix="Write the wheel to a seekable file, not to a stream.",
    ),
    Rule(
        id="zip-surrounding-data",
        pypi=Severity.ERROR,
        generic=Severity.WARNING,
        stage=Stage.FRAMING,
        cause="A ZIP archive must not contain data before, between or after its records.",
        source="warehouse/utils/zipfiles.py:376-392.",
        example="a wheel with an appended signature, or a self-extracting wheel",
        fix="Build again. Do not add data before or after the archive.",
    ),
    Rule(
        id="zip-duplicate-name",
        pypi=Severity.ERROR,
        generic=Severity.WARNING,
        stage=Stage.FRAMING,
        cause="Each member of a ZIP archive must have a different name.",
        source="warehouse/utils/zipfiles.py:312-327.",
        example="a wheel with two members named `demo/__init__.py`",
        fix="Find out which build step adds the file twice.",
    ),
    Rule(
        id="zip-member-comment",
        pypi=Severity.ERROR,
        generic=Severity.WARNING,
        stage=Stage.FRAMING,
        cause="Members of a ZIP archive must not have comments. The archive itself may have one.",
        source="warehouse/utils/zipfiles.py:176-177.",
        example="a wheel written with `ZipInfo.comment`",
        fix="Write the wheel without member comments.",
    ),
    Rule(
        id="zip-mismatched-headers",
        pypi=Severity.ERROR,
        stage=Stage.FRAMING,
        cause="The local headers and the directory of a ZIP archive must contain the same names, sizes and positions.",
        source="warehouse/utils/zipfiles.py:146-158 and 318-320.",
        example="a member that is in the directory but not in the archive",
        fix="Build again. The archive was modified or damaged.",
    ),
    Rule(
        id="zip-end-record",
        pypi=Severity.ERROR,
        stage=Stage.FRAMING,
        cause="The end record of a ZIP archive must match the directory.",
        source="warehouse/utils/zipfiles.py:329-354.",
        example="an end record with a wrong number of members",
        fix="Build again. The archive was modified or damaged.",
    ),
    Rule(
        id="zip-records",
        pypi=Severity.ERROR,
        stage=Stage.FRAMING,
        cause="The records of a ZIP archive must follow each other without gaps, from its first byte to its last.",
        source="APPNOTE.TXT; warehouse/utils/zipfiles.py:29-46.",
        example="an archive with a truncated record",
        fix="Build again. The archive was modified or damaged.",
    ),
    Rule(
        id="zip64",
        pypi=Severity.ERROR,
        stage=Stage.FRAMING,
        cause=(
            "ZIP64 records must follow APPNOTE, the ZIP specification: one record for each member, without extensible "
            "data."
        ),
        source="warehouse/utils/zipfiles.py:77-130 and 207-221.",
        example="a member with two ZIP64 extra fields",
        fix="Build again with Python's zipfile.",
    ),
    Rule(
        id="zip-member-name",
        pypi=Severity.ERROR,
        generic=Severity.WARNING,
        stage=Stage.FRAMING,
        cause="The names of members must be printable UTF-8.",
        source="warehouse/utils/zipfiles.py:74-75, 120-137 and 146-156.",
        example="a member name that contains a newline or is encoded in code page 437",
        fix="Rename the file.",
    ),
    Rule(
        id="encrypted-code",
        pypi=Severity.ERROR,
        generic=Severity.WARNING,
        stage=Stage.SCAN,
        cause="PyPI does not accept code that was encrypted with PyArmor or SourceDefender.",
        source="warehouse/utils/scanner_rules/*.yar; https://pypi.org/policy/acceptable-use-policy/.",
        example="a wheel that was built after `pyarmor gen`",
        fix="Publish readable code, or publish to a different index.",
    ),
    Rule(
        id="archive-damaged-member",
        pypi=Severity.ERROR,
        stage=Stage.SCAN,
        cause=(
            "Every member must be readable and match its size and checksum (CRC). Otherwise, pip cannot install the "
            "file."
        ),
        source=(
            "APPNOTE.TXT 4.4.7 and ci-publish's own rule. PyPI accepts damaged data files, but returns an error for "
            "damaged code."
        ),
        example="a wheel in which one bit has changed",
        fix="Build or download the file again, because it is damaged.",
    ),
    Rule(
        id="archive-unsafe-path",
        pypi=Severity.ERROR,
        ground=Ground.MACHINE,
        cause="No member may be extracted to a location outside the target folder.",
        source="PEP 721 and ci-publish's own rule. PyPI accepts such files.",
        example="`../../etc/passwd`, `/etc/passwd`, `C:\\x`",
        fix="Find out which build step adds the path.",
    ),
    Rule(
        id="archive-text-too-large",
        pypi=Severity.ERROR,
        ground=Ground.MACHINE,
        cause=(
            "Metadata files in an archive must not be too large: at most 10 MiB for RECORD, and 512 KiB for other "
            "files."
        ),
        source="ci-publish's own limit.",
        example="an entry_points.txt of 1 MB",
        fix="Find out why the file is so large.",
    ),
    Rule(
        id="archive-too-many-members",
        pypi=Severity.WARNING,
        ground=Ground.MACHINE,
        cause=(
            "Only the metadata is checked in wheels with more than 30,000 members and in sdists with more than 50,000."
        ),
        source="ci-publish's own limit. Reading more members would take too much memory.",
        example="a wheel with 100,000 icons",
        fix=(
            "No action needed. The index checks the rest. One archive in the package would install faster than many "
            "small files."
        ),
    ),
)
