"""Core metadata: from the bytes of METADATA or PKG-INFO to a value (pure).

Nothing is validated here: ``checks.form_validation`` validates the form fields as the server does.
"""

import email.parser
import email.policy
import re
from codecs import BOM_UTF8
from typing import Final

from packaging.version import Version

from ci_publish.distributions.faults import Fault
from ci_publish.distributions.limits import MAX_METADATA_FIELDS, MAX_METADATA_HEADERS, MAX_METADATA_LINES
from ci_publish.model.byte_counts import format_limit
from ci_publish.model.distribution import CoreMetadata
from ci_publish.model.frozen import frozen

_BLANK_LINE: Final = re.compile(rb"\r?\n\r?\n|\r\r")
_FIELD: Final = re.compile(rb"(?:\A|[\r\n])[^ \t\r\n]")
# A description that begins on the line after the name: Python 3.14 and later drop the end of the line and the blanks.
_FIRST_LINE: Final = re.compile(r"(?im)^(description:)[ \t]*\r?\n(?: {7}\||[ \t]+)")
_CONTINUATION: Final = re.compile(r"(\r\n|\r|\n)(?: {7}\||\t| {8})")


_BYTE_ORDER_MARK: Final = Fault(
    rule="metadata-byte-order-mark",
    message="The core metadata begins with a byte order mark (U+FEFF), before Metadata-Version.",
)


@frozen
class ParsedMetadata:
    """Core metadata as the file has it, and the faults that were found while reading it."""

    metadata: CoreMetadata
    faults: tuple[Fault, ...] = ()


def parse_core_metadata(data: bytes) -> ParsedMetadata:
    """Read core metadata (RFC 822 headers and a body, UTF-8). Never raises.

    Bytes that are not UTF-8 become replacement characters, with a fault (core metadata specification: "UTF-8"). The
    ``Description`` header, which older tools fold with eight blanks or with seven and a bar, is unfolded, even if
    its text begins on the line after the name. A byte order mark is dropped, with a fault.
    """
    marked = data.startswith(BOM_UTF8)
    data = data.removeprefix(BOM_UTF8)
    blank = _BLANK_LINE.search(data)  # it belongs to the headers
    end = len(data) if blank is None else blank.end()
    head, body = data[:end], data[end:]
    if (excess := _exceeded_header_limit(head)) is not None:
        message = f"The headers of the core metadata have more than {excess}."
        nothing = CoreMetadata(metadata_version="", name="", version="")
        return ParsedMetadata(nothing, (Fault(rule="metadata-too-large", message=message),))
    head_text, head_faults = _decode_with_fault(head, "headers")
    body_text, body_faults = _decode_with_fault(body, "description")
    headers = _FIRST_LINE.sub(r"\1 ", head_text)
    parsed = email.parser.Parser(policy=email.policy.compat32).parsestr(headers)
    raw = [(name.lower(), str(value)) for name, value in parsed.items()]
    fields = tuple((name, value.lstrip().rstrip("\r\n")) for name, value in raw)
    header = next((_CONTINUATION.sub(r"\1", value).strip("\r\n") for name, value in raw if name == "description"), None)
    stray = parsed.get_payload()
    text = (stray if isinstance(stray, str) else "") + body_text
    faults = (*((_BYTE_ORDER_MARK,) if marked else ()), *(head_faults or body_faults))
    first = {name: value.strip() for name, value in reversed(fields)}
    metadata = CoreMetadata(
        metadata_version=first.get("metadata-version", ""),
        name=first.get("name", ""),
        version=first.get("version", ""),
        fields=fields,
        description=text or header,
    )
    return ParsedMetadata(metadata, faults)


def _exceeded_header_limit(head: bytes) -> str | None:
    """Return the limit on memory and time that the headers exceed, None if there is none."""
    if len(head) > MAX_METADATA_HEADERS:
        return format_limit(MAX_METADATA_HEADERS)
    if head.count(b"\n") + head.count(b"\r") > MAX_METADATA_LINES:
        return f"{MAX_METADATA_LINES:,} lines"
    if sum(1 for _ in _FIELD.finditer(head)) > MAX_METADATA_FIELDS:
        return f"{MAX_METADATA_FIELDS:,} fields"
    return None


def _decode_with_fault(part: bytes, what: str) -> tuple[str, tuple[Fault, ...]]:
    """Return the text of a part of the file, with a fault if it is not UTF-8."""
    try:
        return part.decode("utf-8"), ()
    except UnicodeDecodeError as error:
        message = f"The {what} of the core metadata is not UTF-8: {error}."
        return part.decode("utf-8", "replace"), (Fault(rule="metadata-not-utf8", message=message),)


def normalized_version(version: str) -> str:
    """Return *version* normalised (PEP 440), or unchanged if it is invalid."""
    try:
        return str(Version(version))
    except ValueError:  # also for a number of more than 4,300 digits
        return version
