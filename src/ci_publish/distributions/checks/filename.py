"""Rules about filenames: characters, extension, and names as PEP 427, PEP 625 and the server require them (pure)."""

import re
from collections.abc import Iterable
from typing import Final

from packaging.utils import canonicalize_name
from packaging.version import Version

from ci_publish.distributions.checks.rules import CheckedFile, Rule, Stage
from ci_publish.distributions.faults import Fault, bad_request_refusal, refused_upload_fault, upload_crash_refusal
from ci_publish.model.distribution import Kind
from ci_publish.model.filename import DistributionFilename, FilenameFault, InvalidFilename
from ci_publish.model.problem import Severity

_EXTENSION: Final = re.compile(r".+?(?P<extension>\.(tar\.gz|zip|whl))$", re.IGNORECASE | re.DOTALL)
_EXTENSIONS: Final = {Kind.SDIST: (".zip", ".tar.gz"), Kind.WHEEL: (".whl",)}
_FORM_KIND: Final = {Kind.SDIST: "sdist", Kind.WHEEL: "bdist_wheel"}
_PEP_527: Final = "See https://www.python.org/dev/peps/pep-0527"
MAX_DASHES: Final = 5
MAX_NAME_BYTES: Final = 255
_COMPANION_BYTES: Final = len(".metadata")


def _filename_characters(file: CheckedFile) -> Iterable[Fault]:
    if any(ord(char) < 32 or ord(char) == 127 for char in file.filename):  # noqa: PLR2004 - ASCII control characters
        response = (
            "Cannot upload a file with non-printable characters (ordinals 0-31) "
            "or the DEL character (ordinal 127) in the name."
        )
        yield refused_upload_fault("filename-characters", "The filename contains control characters.", response)
    if "/" in file.filename or "\\" in file.filename:
        response = "Cannot upload a file with '/' or '\\' in the name."
        yield refused_upload_fault("filename-characters", "The filename contains a slash or a backslash.", response)


def _filename_not_ascii(file: CheckedFile) -> Iterable[Fault]:
    if not file.filename.isascii():
        others = ", ".join(f"U+{ord(char):04X}" for char in dict.fromkeys(file.filename) if not char.isascii())
        yield Fault(rule="filename-not-ascii", message=f"The filename contains non-ASCII characters: {others}.")


def _filename_extension(file: CheckedFile) -> Iterable[Fault]:
    match = _EXTENSION.match(file.filename)
    if match is None:
        response = (
            f"Invalid file extension: Use .tar.gz, .whl or .zip extension. {_PEP_527} "
            "and https://peps.python.org/pep-0715/ for more information"
        )
        yield refused_upload_fault("filename-extension", "The file extension is not .whl or .tar.gz.", response)
    elif match["extension"] not in _EXTENSIONS[file.kind]:
        response = (
            f"Invalid file extension: Extension {match['extension']} is invalid for filetype "
            f"{_FORM_KIND[file.kind]}. {_PEP_527} for more information."
        )
        yield refused_upload_fault(
            "filename-extension", f"The extension {match['extension']} does not belong to a {file.kind}.", response
        )


def _filename_wheel(file: CheckedFile) -> Iterable[Fault]:
    if not file.filename.endswith(".whl") or file.kind is not Kind.WHEEL:
        return
    try:
        DistributionFilename.parse(file.filename)
    except InvalidFilename as error:
        more = " The name has more than five dashes." if file.filename.count("-") > MAX_DASHES else ""
        refusal = None if error.fault is FilenameFault.TAGS else bad_request_refusal(str(error))
        yield Fault(rule="filename-wheel", message=f"{error}.{more}", refusal=refusal)


def _filename_sdist(file: CheckedFile) -> Iterable[Fault]:
    if file.kind is not Kind.SDIST or not file.filename.endswith(_EXTENSIONS[Kind.SDIST]):
        return
    try:
        DistributionFilename.parse(file.filename)
    except InvalidFilename as error:
        response = f"Invalid source distribution filename: {file.filename}"
        yield refused_upload_fault("filename-sdist", f"{error}.", response)


def _filename_project(file: CheckedFile) -> Iterable[Fault]:
    name = file.form_value("name")
    found = _project_and_version_in_filename(file)
    if not name or found is None or canonicalize_name(found[0]) == canonicalize_name(name):
        return
    response = f"Start filename for {name!r} with {_underscored_project_name(name)!r}."
    yield refused_upload_fault(
        "filename-project", f"The filename starts with {found[0]!r}, but the metadata says {name!r}.", response
    )


def _filename_normalized(file: CheckedFile) -> Iterable[Fault]:
    name, found = file.form_value("name"), _project_and_version_in_filename(file)
    if not name or found is None or canonicalize_name(found[0]) != canonicalize_name(name):
        return
    project, version = _underscored_project_name(name), _parse_filename_version_or_none(file.form_value("version"))
    expected = f"{project}-{version}.tar.gz"
    if file.kind is Kind.WHEEL and found[0] != project:
        response = (
            f"Filename {file.filename!r} should contain the normalized project name {project!r}, not {found[0]!r}."
        )
        message = f"The filename starts with {found[0]!r} instead of {project!r}."
        yield refused_upload_fault("filename-normalized", message, response)
    if (
        file.kind is Kind.SDIST
        and version is not None
        and file.filename not in {expected, expected.removesuffix(".tar.gz") + ".zip"}
    ):
        response = f"Filename {file.filename!r} is invalid, should be {expected!r}."
        yield refused_upload_fault("filename-normalized", f"The filename should be {expected!r}.", response)


def _filename_version(file: CheckedFile) -> Iterable[Fault]:
    version, found = _parse_filename_version_or_none(file.form_value("version")), _project_and_version_in_filename(file)
    if version is None or found is None or found[1] == version:
        return
    response = f"Version in filename should be {str(version)!r} not {str(found[1])!r}."
    if file.kind is Kind.SDIST:
        expected = f"{_underscored_project_name(file.form_value('name'))}-{version}.tar.gz"
        response = f"Filename {file.filename!r} is invalid, should be {expected!r}."
    yield refused_upload_fault(
        "filename-version", f"The filename has version {found[1]}, but the metadata says {version}.", response
    )


def _filename_zip_sdist(file: CheckedFile) -> Iterable[Fault]:
    if file.kind is Kind.SDIST and file.filename.endswith(".zip"):
        expected = f"{_underscored_project_name(file.form_value('name'))}-{file.form_value('version')}.tar.gz"
        response = f"Filename {file.filename!r} is invalid, should be {expected!r}."
        yield refused_upload_fault("filename-zip-sdist", "The file is an sdist in a .zip archive.", response)


def _filename_length(file: CheckedFile) -> Iterable[Fault]:
    length = len(file.filename.encode("utf-8", "surrogateescape"))
    if length + _COMPANION_BYTES > MAX_NAME_BYTES:
        refusal = bad_request_refusal(f"Filename is too long: '{file.filename}'")
        yield Fault(
            rule="filename-length",
            message=f"Its name is {length} bytes long; {MAX_NAME_BYTES - _COMPANION_BYTES} are the most.",
            refusal=refusal if length <= MAX_NAME_BYTES else upload_crash_refusal(),
        )


def parse_checked_filename(file: CheckedFile) -> DistributionFilename | None:
    """Return the parsed filename, for a wheel even if its tags are invalid; None for other names."""
    if file.filename.endswith(".whl") is not (file.kind is Kind.WHEEL):
        return None
    try:
        return DistributionFilename.parse(file.filename)
    except InvalidFilename as error:
        return error.except_tags


def _project_and_version_in_filename(file: CheckedFile) -> tuple[str, Version] | None:
    """Return the project as the filename spells it, and its version; None if the name cannot be parsed."""
    if (parsed := parse_checked_filename(file)) is None:
        return None
    parts = file.filename.removesuffix(".tar.gz").removesuffix(".zip").rsplit("-", 2)
    if file.kind is Kind.SDIST and len(parts) == 3:  # noqa: PLR2004
        # ``leo-6.7.8-9``, PEP 440's oldest spelling of a post release, if the metadata means one (legacy.py:1334-1358)
        name, version = parts[0], _parse_filename_version_or_none(f"{parts[1]}-{parts[2]}")
        meant = _parse_filename_version_or_none(file.form_value("version"))
        same = canonicalize_name(name) == canonicalize_name(file.form_value("name"))
        if same and version is not None and meant is not None and meant.is_postrelease:
            return name, version
    return parsed.spelled_project, parsed.version


def _parse_filename_version_or_none(text: str) -> Version | None:
    try:
        return Version(text)
    except ValueError:  # InvalidVersion is one, and so is a number of more than 4,300 digits
        return None


def _underscored_project_name(name: str) -> str:
    """Return the normalised project name as filenames write it."""
    return canonicalize_name(name).replace("-", "_")


RULES: Final = (
    Rule(
        id="filename-characters",
        pypi=Severity.ERROR,
        stage=Stage.FILENAME,
        cause="Filenames must not contain control characters, slashes or backslashes.",
        source="warehouse/forklift/legacy.py:243-265 (``_validate_filename``).",
        example="`demo-1.0\\n.tar.gz`, or an escape character in the filename",
        fix="Build again with a filename of printable characters.",
        check=_filename_characters,
    ),
    Rule(
        id="filename-not-ascii",
        pypi=Severity.ERROR,
        cause=(
            "Filenames must contain only ASCII characters. Other characters can change the direction of text or hide "
            "parts of the name in terminals and on web pages."
        ),
        source="PEP 427, PEP 625 and ci-publish's own rule. PyPI accepts such names.",
        example="a right-to-left override (U+202E) or a no-break space (U+00A0) in the name",
        fix="Build again with an ASCII name.",
        check=_filename_not_ascii,
    ),
    Rule(
        id="filename-extension",
        pypi=Severity.ERROR,
        stage=Stage.FILENAME,
        cause="The filenames of wheels must end in `.whl`, and those of sdists in `.tar.gz`, in lower case.",
        source="PEP 527; warehouse/forklift/legacy.py:267-283 (``_validate_filename``).",
        example="`demo-1.0-py3-none-any.WHL`",
        fix="Name wheels `….whl` and sdists `….tar.gz`, in lower case.",
        check=_filename_extension,
    ),
    Rule(
        id="filename-wheel",
        pypi=Severity.ERROR,
        stage=Stage.NAMES,
        cause=(
            "The filename of a wheel must have the five or six parts of PEP 427: name, version, an optional build "
            "number, and three tags. No index accepts an additional variant label (PEP 825, a draft) yet. Tags such as "
            "`2.7`, and empty tags, are not allowed either. PyPI accepted them with ``packaging`` 26.2, but installers "
            "that use ``packaging`` 26.3 or newer do not."
        ),
        source="PEP 427; warehouse/forklift/legacy.py:1425-1438 (``packaging.utils.parse_wheel_filename``).",
        example="`demo-1.0.whl`, `demo-1.0-py3-none-any-cu12-x86.whl`",
        fix="Build the wheel again with a current backend and do not rename it.",
        check=_filename_wheel,
    ),
    Rule(
        id="filename-sdist",
        pypi=Severity.ERROR,
        stage=Stage.NAMES,
        cause="The filename of an sdist must consist of the project name, a hyphen and the version.",
        source="PEP 625; warehouse/forklift/legacy.py:1318-1332 (``packaging.utils.parse_sdist_filename``).",
        example="`demo.tar.gz`, `demo-latest.tar.gz`",
        fix="Build the sdist again with a current backend and do not rename it.",
        check=_filename_sdist,
    ),
    Rule(
        id="filename-project",
        pypi=Severity.ERROR,
        stage=Stage.NAMES,
        cause="The filename and the metadata must contain the same project name.",
        source="warehouse/forklift/legacy.py:1359-1376 and 1453-1464.",
        example="`other-1.0.tar.gz` with `Name: demo` in its metadata",
        fix="Build again. Do not rename files or edit their metadata by hand.",
        check=_filename_project,
    ),
    Rule(
        id="filename-normalized",
        pypi=Severity.ERROR,
        generic=Severity.WARNING,
        stage=Stage.NAMES,
        cause=(
            "The project name in a filename must be normalised: in lower case, with `-`, `_`, `.` and sequences of "
            "them replaced by one underscore. In the filename of an sdist, the version must be normalised as well."
        ),
        source="PEP 503, PEP 625; warehouse/forklift/legacy.py:1378-1393 and 1470-1489.",
        example="`Demo_Pkg-1.0-py3-none-any.whl`, `demo-pkg-1.0.tar.gz`, `demo_pkg-1.0.0.tar.gz` for version 1.0",
        fix="Build with a current backend, which writes normalised names. Old versions of setuptools and flit do not.",
        check=_filename_normalized,
    ),
    Rule(
        id="filename-version",
        pypi=Severity.ERROR,
        stage=Stage.NAMES,
        cause="The filename and the metadata must contain the same version.",
        source="warehouse/forklift/legacy.py:1380-1393 and 1491-1503.",
        example="`demo-1.1-py3-none-any.whl` with `Version: 1.0` in its metadata",
        fix="Build again. Do not rename files or edit their metadata by hand.",
        check=_filename_version,
    ),
    Rule(
        id="filename-local-version",
        pypi=Severity.ERROR,
        pypi_only=True,
        stage=Stage.FORM,
        cause="PyPI does not accept versions with a local part. Other indexes do.",
        source="PEP 440, Local version identifiers; warehouse/forklift/metadata.py:115-121.",
        example="`demo-1.0+cu12-py3-none-any.whl`",
        fix="Publish local versions to your own index, or omit the plus sign and everything after it.",
    ),
    Rule(
        id="filename-zip-sdist",
        pypi=Severity.ERROR,
        generic=Severity.WARNING,
        stage=Stage.NAMES,
        cause="An sdist must be a `.tar.gz` archive. PyPI rejects the filename of a `.zip` sdist.",
        source="PEP 625; warehouse/forklift/legacy.py:1378-1393.",
        example="`demo-1.0.zip`",
        fix="Build the sdist as .tar.gz (PEP 625): `python -m build --sdist`.",
        check=_filename_zip_sdist,
    ),
    Rule(
        id="filename-length",
        pypi=Severity.ERROR,
        stage=Stage.METADATA_FILE,
        cause=(
            "A filename must have at most 246 bytes, so that the name of its metadata file also fits on a file system."
        ),
        source="warehouse/forklift/legacy.py:1603-1617.",
        example="a wheel with forty compressed tags in its name",
        fix="Shorten the name: fewer tags, or a shorter build number.",
        check=_filename_length,
    ),
)
