"""Rules about the content of a wheel: its metadata files and its RECORD (pure)."""

import re
from collections.abc import Iterable
from typing import Final

from ci_publish.distributions.archive_reading import quote_first_member_names
from ci_publish.distributions.checks.filename import parse_checked_filename
from ci_publish.distributions.checks.rules import CheckedFile, Rule, Stage
from ci_publish.distributions.faults import Fault, invalid_file_fault, refused_upload_fault, upload_crash_refusal
from ci_publish.distributions.limits import MAX_RECORD_LINES
from ci_publish.distributions.wheel_reading import ZipContents
from ci_publish.model.distribution import Kind
from ci_publish.model.problem import Severity

_OBJECT_REFERENCE: Final = re.compile(r"[\w.]+\s*(:\s*[\w.]+)?\s*(\[[^\]]*\])?")
_SIGNATURES: Final = ("RECORD.jws", "RECORD.p7s")
_NOT_IN_RECORD: Final = ("RECORD", *_SIGNATURES)


def _wheel_file_missing(file: CheckedFile) -> Iterable[Fault]:
    contents = _wheel_contents_with_known_folder(file)
    if contents is not None and (target := f"{contents.info_folder}/WHEEL") not in contents.names:
        reason = f"WHEEL not found at {target}"
        yield invalid_file_fault("wheel-file-missing", f"{target} is missing from the archive.", reason)


def _wheel_file_invalid(file: CheckedFile) -> Iterable[Fault]:
    text = None if file.wheel is None else file.wheel.metadata_file("WHEEL")
    if text is not None and re.search(rb"(?im)^wheel-version:\s*\d+\.\d+\s*$", text) is None:
        yield Fault(rule="wheel-file-invalid", message="WHEEL has no valid Wheel-Version.")


def _wheel_metadata_missing(file: CheckedFile) -> Iterable[Fault]:
    contents = _wheel_contents_with_known_folder(file)
    if contents is not None and (target := f"{contents.info_folder}/METADATA") not in contents.names:
        response = f"Wheel '{file.filename}' does not contain the required METADATA file: {target}"
        yield refused_upload_fault("wheel-metadata-missing", f"{target} is missing from the archive.", response)


def _wheel_license_file(file: CheckedFile) -> Iterable[Fault]:
    if (contents := _readable_wheel_contents(file)) is None:
        return
    for license_file in file.form.get("license_file", ()):
        target = f"{contents.info_folder}/licenses/{license_file}"
        if target not in contents.names:
            response = f"License-File {license_file} does not exist in distribution file {file.filename} at {target}"
            message = f"The license file {license_file!r} is missing: it is not at {target}."
            yield refused_upload_fault("wheel-license-file", message, response)


def _record_missing(file: CheckedFile) -> Iterable[Fault]:
    if (contents := _wheel_contents_with_known_folder(file)) is None:
        return
    target = f"{contents.info_folder}/RECORD"
    response = f"Wheel '{file.filename}' does not contain the required RECORD file: {target}"
    if target not in contents.names:
        yield refused_upload_fault("record-missing", f"{target} is missing from the archive.", response)
    elif contents.record is not None and not contents.record.readable:
        yield refused_upload_fault("record-missing", f"{target} is not a valid CSV file in UTF-8.", response)


def _record_blank_line(file: CheckedFile) -> Iterable[Fault]:
    contents = _readable_wheel_contents(file)
    if contents is not None and contents.record is not None and contents.record.blank_line:
        yield Fault(rule="record-blank-line", message="RECORD has an empty line.", refusal=upload_crash_refusal())


def _record_mismatch(file: CheckedFile) -> Iterable[Fault]:
    contents = _readable_wheel_contents(file)
    if contents is None or (record := contents.record) is None or not record.readable:
        return
    if not record.complete:
        message = f"RECORD has more than {MAX_RECORD_LINES:,} lines, the archive {len(contents.names):,} members."
        yield Fault(rule="record-mismatch", message=message)
        return
    listed = {name.replace("\\", "/") for name in record.digests}
    exempt = {f"{contents.info_folder}/{name}" for name in _SIGNATURES}
    members = {name for name in contents.names if not name.endswith(("/", "\\")) and name not in exempt}
    if unlisted := sorted(members - listed):
        message = f"RECORD does not list {quote_first_member_names(unlisted)}."
        yield Fault(rule="record-mismatch", message=message)
    if missing := sorted(listed - members):
        message = f"RECORD lists files that are missing: {quote_first_member_names(missing)}."
        yield Fault(rule="record-mismatch", message=message)


def _record_digest(file: CheckedFile) -> Iterable[Fault]:
    contents = _readable_wheel_contents(file)
    if contents is None or (record := contents.record) is None:
        return
    if contents.changed:
        message = f"RECORD has a different digest for {quote_first_member_names(contents.changed)}."
        yield Fault(rule="record-digest", message=message)
    exempt = {f"{contents.info_folder}/{name}" for name in _NOT_IN_RECORD}
    bare = [name for name, digest in record.digests.items() if not digest and name not in exempt]
    if bare:
        yield Fault(rule="record-digest", message=f"RECORD has no digest for {quote_first_member_names(bare)}.")


def _record_signature(file: CheckedFile) -> Iterable[Fault]:
    if (contents := _readable_wheel_contents(file)) is not None:
        found = [name for name in _SIGNATURES if f"{contents.info_folder}/{name}" in contents.names]
        yield from (Fault(rule="record-signature", message=f"The wheel contains {name}.") for name in found)


def _entry_points_unreadable(file: CheckedFile) -> Iterable[Fault]:
    text = None if file.wheel is None else file.wheel.metadata_file("entry_points.txt")
    if text is None:
        return
    from ci_publish.distributions.entry_points import entry_points_refusal_reason  # noqa: PLC0415  (late: not every wheel has them)

    if (reason := entry_points_refusal_reason(text)) is not None:
        response = f"Wheel '{file.filename}' has invalid entry points defined in the entry_points.txt file"
        yield refused_upload_fault("entry-points-unreadable", f"entry_points.txt is invalid: {reason}.", response)


def _entry_points_value(file: CheckedFile) -> Iterable[Fault]:
    text = None if file.wheel is None else file.wheel.metadata_file("entry_points.txt")
    if text is None:
        return
    from ci_publish.distributions.entry_points import parse_entry_points  # noqa: PLC0415  (late: not every wheel has them)

    for section, name, value in parse_entry_points(text):
        if _OBJECT_REFERENCE.fullmatch(value.strip()) is None:
            yield Fault(
                rule="entry-points-value",
                message=f"The entry point {name!r} in [{section}] has the value {value!r}, which is not an"
                " object reference.",
            )


def _readable_wheel_contents(file: CheckedFile) -> ZipContents | None:
    """Return the contents of a wheel whose directory could be read."""
    return file.wheel if file.kind is Kind.WHEEL and file.wheel is not None and file.wheel.names else None


def _wheel_contents_with_known_folder(file: CheckedFile) -> ZipContents | None:
    """Return the contents of a wheel with a valid filename, which determines the metadata folder."""
    return None if parse_checked_filename(file) is None else _readable_wheel_contents(file)


RULES: Final = (
    Rule(
        id="wheel-info-folder",
        pypi=Severity.ERROR,
        generic=Severity.WARNING,
        stage=Stage.WHEEL_FILE,
        cause=(
            "The name of the metadata folder, `{name}-{version}.dist-info`, must be spelled as in the filename. "
            "Otherwise, PyPI does not find it."
        ),
        source="PEP 427; warehouse/forklift/legacy.py:377-387.",
        example="`demo_pkg-1.0-py3-none-any.whl` that contains `Demo.Pkg-1.0.dist-info`",
        fix="Build the wheel again with a current backend. Do not rename it.",
    ),
    Rule(
        id="wheel-file-missing",
        pypi=Severity.ERROR,
        stage=Stage.WHEEL_FILE,
        cause="A wheel must contain the file WHEEL in `{name}-{version}.dist-info`, spelled as in the filename.",
        source="PEP 427; warehouse/forklift/legacy.py:377-387.",
        example="a wheel without WHEEL, or a wheel that was renamed to another project",
        fix="Build the wheel again. Do not rename it.",
        check=_wheel_file_missing,
    ),
    Rule(
        id="wheel-file-invalid",
        pypi=Severity.WARNING,
        adjustable=True,
        cause="WHEEL must state the version of the wheel format. Otherwise, pip does not install the wheel.",
        source="PEP 427. PyPI does not check this.",
        example="an empty WHEEL file",
        fix="Build the wheel again with a current backend.",
        check=_wheel_file_invalid,
    ),
    Rule(
        id="wheel-metadata-missing",
        pypi=Severity.ERROR,
        stage=Stage.METADATA_FILE,
        cause="A wheel must contain the file METADATA in `{name}-{version}.dist-info`, spelled as in the filename.",
        source="PEP 427; warehouse/forklift/legacy.py:1582-1602.",
        example="a wheel without METADATA",
        fix="Build the wheel again. Do not rename it.",
        check=_wheel_metadata_missing,
    ),
    Rule(
        id="wheel-metadata-damaged",
        pypi=Severity.ERROR,
        stage=Stage.RECORD,
        cause=(
            "METADATA, RECORD and entry_points.txt must be readable. If one of them is damaged, PyPI returns a 500 "
            "response."
        ),
        source="APPNOTE.TXT 4.4.7; warehouse/forklift/legacy.py:1541-1602 (seen on a running server).",
        example="a METADATA file with a wrong CRC",
        fix="Build or download the file again, because it is damaged.",
    ),
    Rule(
        id="wheel-license-file",
        pypi=Severity.ERROR,
        stage=Stage.LICENSES,
        cause="A wheel must contain every License-File in its metadata, in the folder `.dist-info/licenses`.",
        source="PEP 639; warehouse/forklift/legacy.py:1515-1539.",
        example="`License-File: LICENSE` without `demo-1.0.dist-info/licenses/LICENSE`",
        fix="Build with a backend that supports PEP 639, or correct `license-files` in pyproject.toml.",
        check=_wheel_license_file,
    ),
    Rule(
        id="record-missing",
        pypi=Severity.ERROR,
        stage=Stage.RECORD,
        cause="A wheel must contain the file RECORD, in CSV format and UTF-8.",
        source="PEP 427; warehouse/forklift/legacy.py:1541-1555; warehouse/utils/wheel.py:192-220.",
        example="a wheel without RECORD, or one whose RECORD is not UTF-8",
        fix="Build the wheel again, or run `python -m wheel pack`, which rewrites RECORD.",
        check=_record_missing,
    ),
    Rule(
        id="record-blank-line",
        pypi=Severity.ERROR,
        stage=Stage.RECORD,
        cause="RECORD must not contain empty lines. Otherwise, PyPI returns a 500 response, and a retry does not help.",
        source="warehouse/utils/wheel.py:209-213 (seen on a running server).",
        example="an empty line in the middle of RECORD",
        fix="Build the wheel again, or run `python -m wheel pack`, which rewrites RECORD.",
        check=_record_blank_line,
    ),
    Rule(
        id="record-mismatch",
        pypi=Severity.WARNING,
        adjustable=True,
        cause="RECORD must list exactly the members of the wheel.",
        source="PEP 427; warehouse/utils/wheel.py:209-228; PyPI warns by e-mail.",
        example="a file added to a wheel after it was built",
        fix=(
            "Build the wheel again, or run `python -m wheel pack`, which rewrites RECORD. PyPI currently sends an "
            "e-mail about such a wheel, and may reject it in the future."
        ),
        check=_record_mismatch,
    ),
    Rule(
        id="record-digest",
        pypi=Severity.WARNING,
        adjustable=True,
        cause="RECORD must contain the correct digest of every member except RECORD.",
        source="PEP 427, PEP 376. PyPI does not check this, but installers do.",
        example="a file changed in a wheel after it was built",
        fix=(
            "Build the wheel again, or run `python -m wheel pack`, which rewrites RECORD. Installers may refuse the "
            "wheel."
        ),
        check=_record_digest,
    ),
    Rule(
        id="record-signature",
        pypi=Severity.WARNING,
        adjustable=True,
        cause="Signatures in wheels are deprecated.",
        source="PEP 815.",
        example="`demo-1.0.dist-info/RECORD.jws`",
        fix="Remove the signature. PEP 740 attestations replace it.",
        check=_record_signature,
    ),
    Rule(
        id="entry-points-unreadable",
        pypi=Severity.ERROR,
        generic=Severity.WARNING,
        stage=Stage.ENTRY_POINTS,
        cause=(
            "entry_points.txt must be UTF-8 in INI format with `=`. The names of scripts may contain only letters, "
            "digits and `._-`."
        ),
        source="Entry points specification; warehouse/utils/wheel.py:243-300.",
        example="a name with a slash in `[console_scripts]`",
        fix="Correct `[project.scripts]`, `[project.gui-scripts]` or `[project.entry-points]` in pyproject.toml.",
        check=_entry_points_unreadable,
    ),
    Rule(
        id="entry-points-value",
        pypi=Severity.WARNING,
        adjustable=True,
        cause="The values of entry points must be object references.",
        source="Entry points specification. PyPI does not check this.",
        example="`demo = demo/cli.py`",
        fix="Write entry points as `module.path:object`.",
        check=_entry_points_value,
    ),
)
