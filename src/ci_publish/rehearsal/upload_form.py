"""The form of an upload: received in a stream, the file to disk, and checked field by field as PyPI does.

Source: `warehouse/forklift/forms.py`, `decorators.py` and `legacy.py` at 6b62157124ab.
"""

import re
from collections.abc import Iterator, Mapping
from typing import IO, Final, cast

from packaging.utils import canonicalize_name
from packaging.version import Version
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.formparser import FormDataParser
from werkzeug.wrappers import Request

from ci_publish.model.frozen import frozen
from ci_publish.rehearsal.index_records import Fields
from ci_publish.rehearsal.message_responses import RefusedError
from ci_publish.rehearsal.storage import IncomingFile, ReceivedFile, RehearsalStorage

# Everything but the file is held in memory: a description, some attestations, a few thousand classifiers at most.
_LARGEST_FIELDS: Final = 64 * 1024 * 1024
_MOST_PARTS: Final = 20_000
_NAME: Final = re.compile(r"([A-Z0-9]|[A-Z0-9][A-Z0-9._-]*[A-Z0-9])", re.IGNORECASE | re.ASCII)
_DIGEST: Final = re.compile(r"[A-F0-9]{64}$", re.IGNORECASE)
_SPECIFICATION: Final = "https://packaging.python.org/specifications/core-metadata"
_EXTENSIONS: Final[Mapping[str, frozenset[str]]] = {
    "sdist": frozenset({".zip", ".tar.gz"}),
    "bdist_wheel": frozenset({".whl"}),
}
_FILE: Final = re.compile(r".+?(?P<extension>\.(tar\.gz|zip|whl))$", re.IGNORECASE)
_LONGEST_QUOTED_VALUE: Final = 60
# PyPI accepts these as files; signatures have long been ignored.
_FILE_FIELDS: Final = frozenset({"content", "gpg_signature"})


@frozen
class UploadForm:
    """The form of one upload. `fields` keep their order; `files` are the parts that came as files, by field name."""

    fields: Fields
    files: Mapping[str, tuple[str, str, IncomingFile]]

    def all_field_values(self, name: str) -> tuple[str, ...]:
        """Return every value of a field."""
        return tuple(value for key, value in self.fields if key == name)

    def first_field_value(self, name: str) -> str:
        """Return the first value of a field, or an empty text."""
        return next(iter(self.all_field_values(name)), "")

    def has_field(self, name: str) -> bool:
        """Whether the field was sent."""
        return any(key == name for key, _ in self.fields)

    @property
    def project(self) -> str:
        """The project's normalised name."""
        return canonicalize_name(self.first_field_value("name"))

    @property
    def version(self) -> Version:
        """The version; the form was checked before this is asked."""
        return Version(self.first_field_value("version"))

    def received_upload_file(self) -> tuple[str, str, ReceivedFile]:
        """Return filename, content type and what arrived of the file. Raises RefusedError if there is none."""
        if "content" not in self.files:
            raise RefusedError(400, "Upload payload does not have a file.")
        filename, content_type, incoming = self.files["content"]
        return filename, content_type, incoming.finish_and_describe()

    def discard_received_files(self) -> None:
        """Delete the received files that were not moved elsewhere."""
        for _, _, incoming in self.files.values():
            incoming.discard_incoming()


def receive_upload_form(request: Request, storage: RehearsalStorage) -> UploadForm:
    """Read the form of a request, its files straight to disk; raises RefusedError for anything else."""
    opened: list[IncomingFile] = []

    def to_disk(*_: object, **__: object) -> IO[bytes]:
        opened.append(storage.open_incoming_file())
        return cast("IO[bytes]", opened[-1])

    parser = FormDataParser(
        stream_factory=to_disk, max_form_memory_size=_LARGEST_FIELDS, max_form_parts=_MOST_PARTS, silent=False
    )
    length, kind, options = request.content_length, request.mimetype, request.mimetype_params
    try:
        _, fields, files = parser.parse(request.stream, kind, length, options)
    except BaseException as error:
        for incoming in opened:
            incoming.discard_incoming()
        if isinstance(error, RequestEntityTooLarge):
            raise RefusedError(413, "The fields of the form are too large.") from error
        if isinstance(error, ValueError | HTTPException):
            raise RefusedError(400, f"Malformed form: {error}") from error
        raise
    # As PyPI does: "UNKNOWN", which distutils sent for fields without a value, is dropped, and NULs are escaped.
    unknown = {name for name in fields if fields.getlist(name)[-1].strip() == "UNKNOWN"}
    known = ((name, value) for name, value in fields.items(multi=True) if name not in unknown)
    received: dict[str, tuple[str, str, IncomingFile]] = {}
    for name, part in files.items(multi=True):
        # A part without a type of its own is text/plain (RFC 7578, section 4.4): uv sends such parts.
        content_type = part.headers.get("Content-Type", "text/plain")
        if name in received:
            received[name][2].discard_incoming()  # of several files in one field, the last one counts
        received[name] = (part.filename or "", content_type, cast("IncomingFile", part.stream))
    return UploadForm(tuple((name, value.replace("\x00", "\\x00")) for name, value in known), received)


def require_upload_action(form: UploadForm) -> None:
    """Refuse all actions but the upload of a file, then fields that were sent as a file (`decorators.py`, sanitize)."""
    match form.first_field_value(":action"):
        case "file_upload":
            pass
        case "submit" | "submit_pkg_info":
            raise RefusedError(
                410, "Project pre-registration is no longer required or supported, upload your files instead."
            )
        case "doc_upload":
            raise RefusedError(
                410, "Uploading documentation is no longer supported, we recommend using https://readthedocs.org/."
            )
        case _:
            raise RefusedError(404, "")
    for name in sorted(form.files.keys() - _FILE_FIELDS):
        raise RefusedError(400, f"{name}: Should not be a tuple.")


def require_valid_form_fields(form: UploadForm) -> None:
    """Refuse what PyPI's upload form refuses, in its order and with its messages (`forms.py`, UploadForm)."""
    if form.first_field_value("protocol_version") not in {"", "1"}:
        raise RefusedError(400, "Unknown protocol version.")
    if problem := next(_form_problems(form), None):
        raise RefusedError(400, problem)


def _form_problems(form: UploadForm) -> Iterator[str]:
    name, filetype = form.first_field_value("name"), form.first_field_value("filetype")
    if not _NAME.fullmatch(name):
        shown = name if len(name) <= _LONGEST_QUOTED_VALUE else f"{name[:30]}...{name[-30:]}"
        rule = "Start and end with a letter or numeral containing only ASCII numeric and '.', '_' and '-'."
        error = rule if name else "This field is required."
        yield f"{shown!r} is an invalid value for Name. Error: {error} See {_SPECIFICATION} for more information."
    yield from _digest_problems(form, "blake2_256_digest", "BLAKE2")
    if filetype not in _EXTENSIONS:
        error = "Use a known file type." if filetype else "This field is required."
        yield f"Invalid value for filetype. Error: {error}"
    yield from _digest_problems(form, "sha256_digest", "SHA256")
    python = form.first_field_value("pyversion")
    if filetype != "sdist" and not python:
        yield "Invalid value for pyversion. Error: Python version is required for binary distribution uploads."
    if filetype == "sdist" and python not in {"", "source"}:
        yield "Invalid value for pyversion. Error: Use 'source' as Python version for an sdist."
    if not any(form.first_field_value(f"{name}_digest") for name in ("md5", "sha256", "blake2_256")):
        yield "Error: Include at least one message digest."


def _digest_problems(form: UploadForm, field: str, called: str) -> Iterator[str]:
    value = form.first_field_value(field)
    if value and not _DIGEST.match(value):
        yield f"Invalid value for {field}. Error: Use a valid, hex-encoded, {called} message digest."


def require_valid_upload_filename(filename: str, filetype: str, content_type: str) -> None:
    """Refuse a filename that PyPI cannot store, then an unusable type of the part (`legacy.py`, _validate_filename)."""
    if any(ord(char) < 32 or ord(char) == 127 for char in filename):  # noqa: PLR2004 - the control characters of ASCII
        raise RefusedError(
            400,
            "Cannot upload a file with non-printable characters (ordinals 0-31) or the DEL character (ordinal 127) "
            "in the name.",
        )
    if "/" in filename or "\\" in filename:
        raise RefusedError(400, "Cannot upload a file with '/' or '\\' in the name.")
    match = _FILE.fullmatch(filename)
    if match is None:
        raise RefusedError(
            400,
            "Invalid file extension: Use .tar.gz, .whl or .zip extension. See https://www.python.org/dev/peps/pep-0527 "
            "and https://peps.python.org/pep-0715/ for more information",
        )
    extension = match["extension"]
    if extension not in _EXTENSIONS[filetype]:
        raise RefusedError(
            400,
            f"Invalid file extension: Extension {extension} is invalid for filetype {filetype}. "
            "See https://www.python.org/dev/peps/pep-0527 for more information.",
        )
    if not content_type or content_type.startswith("image/"):
        raise RefusedError(400, "Invalid distribution file.")
