"""Validates the core metadata of an upload form as PyPI's server does (pure).

A port of warehouse/forklift/forms.py (``UploadForm.name``), decorators.py (``sanitize``) and metadata.py (``parse``).
The server stops at its first refusal; this goes on, so that people see everything that is wrong at once. Each fault
has the server's message, and the first fault is the one that the server would answer with.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Final

from packaging.metadata import InvalidMetadata, Metadata, RawMetadata

from ci_publish.distributions.checks.pypi_metadata_rules import (
    InvalidField,
    fields_invalid_for_pypi,
    invalid_description_charset,
    invalid_metadata_version,
)
from ci_publish.distributions.faults import Fault, refused_upload_fault
from ci_publish.model.core_metadata_form import REPEATED_FIELDS, SINGLE_FIELDS

NEXT_VERSION: Final = "2.6"

_PROJECT_NAME: Final = re.compile(r"([A-Z0-9]|[A-Z0-9][A-Z0-9._-]*[A-Z0-9])\Z", re.IGNORECASE | re.ASCII)
_NAME_WORDS: Final = "Start and end with a letter or numeral containing only ASCII numeric and '.', '_' and '-'."
_SPECIFICATION: Final = "https://packaging.python.org/specifications/core-metadata"
_LOCAL_VERSIONS: Final = (
    "https://packaging.python.org/en/latest/specifications/version-specifiers/#local-version-identifiers"
)
_ERROR_ORDER: Final = ("metadata-version", "name", "version")
_QUOTED_LIST: Final = re.compile(r"\[('[^']*'(?:, '[^']*')+)\]")

# Advice about one cause, where that of the rule does not fit: (field, part of the message) → advice.
_ADVICE: Final = (
    ("license", "License is deprecated", 'Keep only `license = "…"` with an SPDX expression in pyproject.toml.'),
    (
        "license-expression",
        "is invalid for",
        "Write SPDX identifiers, as in `MIT OR Apache-2.0` (https://spdx.org/licenses/), or `LicenseRef-Something`.",
    ),
    (
        "license-file",
        "is invalid for",
        "Correct `license-files` in pyproject.toml: paths from the project's folder, with forward slashes.",
    ),
    ("classifier", "has been deprecated", "Replace it: https://pypi.org/classifiers/ lists the current ones."),
    (
        "metadata-version",
        "None is not a valid",
        "Build with a current backend: the file has no Metadata-Version.",
    ),
)

MAX_GROUPS: Final = 100
MAX_DIGITS: Final = 600
_DIGITS: Final = re.compile(r"\d++")
# How long a value of a field may be that a library parses.
_PARSED: Final = {
    "metadata_version": 600,
    "version": 600,
    "requires_python": 4_000,
    "requires_dist": 20_000,
    "provides_dist": 20_000,
    "obsoletes_dist": 20_000,
    "author_email": 20_000,
    "maintainer_email": 20_000,
    "license_expression": 4_000,
    "description_content_type": 1_000,
    "home_page": 20_000,
    "download_url": 20_000,
    "project_urls": 20_000,
    "dynamic": 600,
    "import_name": 4_000,
    "import_namespace": 4_000,
    "provides_extra": 4_000,
    "classifiers": 4_000,
}

# FormValues names → the names of packaging.metadata.RawMetadata and of the fields in the file.
_PLURALS: Final = {
    "platform": "platforms",
    "supported_platform": "supported_platforms",
    "license_file": "license_files",
    "import_name": "import_names",
    "import_namespace": "import_namespaces",
}
_STRINGS: Final = frozenset(
    {*SINGLE_FIELDS.values(), "metadata_version", "name", "version", "requires_python", "description"}
)
_LISTS: Final = frozenset(REPEATED_FIELDS.values()) - {"project_urls"}
_FIELD_NAMES: Final = {form: field for field, form in {**SINGLE_FIELDS, **REPEATED_FIELDS}.items()}

# Which rule explains what is wrong with a field; everything else is explained by "metadata-field".
_RULES: Final = {
    "metadata-version": "metadata-version",
    "name": "metadata-name",
    "version": "metadata-invalid-version",
    "summary": "metadata-summary",
    "author-email": "metadata-email",
    "maintainer-email": "metadata-email",
    "home-page": "metadata-url",
    "download-url": "metadata-url",
    "project-url": "metadata-project-url",
    "classifier": "metadata-classifier",
    "requires-dist": "metadata-dependency",
    "provides-dist": "metadata-dependency",
    "obsoletes-dist": "metadata-dependency",
    "requires-python": "metadata-requires-python",
    "dynamic": "metadata-dynamic",
    "license": "metadata-license",
    "license-expression": "metadata-license",
    "license-file": "metadata-license",
    "import-name": "metadata-import-name",
    "import-namespace": "metadata-import-name",
    "description-content-type": "metadata-content-type",
}


FormValues = Mapping[str, Sequence[str]]


def validate_upload_form(form: FormValues) -> tuple[Fault, ...]:
    """Return the faults of an upload form's core metadata, the one that the server would answer with first."""
    # The server reads neither UNKNOWN nor empty fields (decorators.py:12-50).
    texts = {name: [value.replace("\x00", "\\x00") for value in values] for name, values in form.items()}
    clean = {name: some for name, some in texts.items() if some and some[-1].strip() != "UNKNOWN" and some != [""]}
    raw, unreadable, unparsed = _raw_metadata_of_form(clean)
    # A field that is skipped here is not reported as missing, too.
    skip = {invalid.field for invalid in (*unreadable, *unparsed)}
    standard = [invalid for invalid in _fields_invalid_for_packaging(raw) if invalid.field not in skip]
    skip.update(invalid.field for invalid in standard)
    # What the server's ``packaging`` (26.2) refuses and newer versions accept.
    if "metadata-version" not in skip:
        standard += invalid_metadata_version(raw)
    if "description-content-type" not in skip:  # otherwise it may be impossible to parse
        standard += invalid_description_charset(raw)
    # The server applies its own rules only to what passes the standard ones.
    own = list(fields_invalid_for_pypi(raw, skip | {invalid.field for invalid in standard}))
    groups = map(_faults_of_invalid_fields, (unreadable, unparsed, standard, own))
    return (*_project_name_faults(clean), *chain.from_iterable(groups))


def _project_name_faults(form: Mapping[str, list[str]]) -> Iterator[Fault]:
    """Yield what is wrong with the fields that the form itself validates (forms.py:25-43, legacy.py:661-697)."""
    name = next(iter(form.get("name", ())), "")
    if name and _PROJECT_NAME.match(name):
        return
    error = _NAME_WORDS if name else "This field is required."
    shown = f"{name[:30]}...{name[-30:]}" if len(name) > 60 else name  # noqa: PLR2004 - legacy.py:675
    response = f"{shown!r} is an invalid value for Name. Error: {error} See {_SPECIFICATION} for more information."
    message = f"The project name {name!r} is invalid." if name else "It has no name."
    yield refused_upload_fault("metadata-name", message, response)


def _raw_metadata_of_form(
    form: Mapping[str, list[str]],
) -> tuple[RawMetadata, list[InvalidField], list[InvalidField]]:
    """Return the form as raw metadata, the fields that are not parsed, and those that cannot be.

    Source: warehouse/forklift/metadata.py:305-384.
    """
    unreadable = [
        InvalidField(field=_metadata_field_name(name), message=reason)
        for name, values in form.items()
        if (reason := _unparsable_field_reason(name, values))
    ]
    left_out = {invalid.field for invalid in unreadable}
    raw: dict[str, object] = {}
    unparsed: list[InvalidField] = []
    for name, values in form.items():
        if (field := _metadata_field_name(name)) in left_out:
            continue
        if name in _STRINGS and len(values) == 1:
            raw[name] = values[0]
        elif name in _LISTS:
            raw[_PLURALS.get(name, name)] = values
        elif name == "keywords" and len(values) == 1:
            raw[name] = [keyword.strip() for keyword in values[0].split(",")]
        elif name == "project_urls" and (urls := _parse_project_urls_field(values)) is not None:
            raw[name] = urls
        elif name in _STRINGS or name in {"keywords", "project_urls"}:
            unparsed.append(InvalidField(field=field, message=f"{name!r} has invalid data"))
    return raw, unreadable, unparsed  # type: ignore[return-value]


def _unparsable_field_reason(name: str, values: Sequence[str]) -> str:
    """Return why *values* of a field are not passed to the libraries that parse it: they would fail or take very long.

    They read nested groups by recursion, and convert numbers of at most 4,300 digits.
    """
    longest = _PARSED.get(name)
    if longest is None:
        return ""
    if any(len(value) > longest for value in values):
        return f"a value is longer than {longest:,} characters"
    if any(value.count("(") > MAX_GROUPS or value.count("[") > MAX_GROUPS for value in values):
        return f"a value has more than {MAX_GROUPS} groups in parentheses"
    digits = max((len(run.group()) for value in values for run in _DIGITS.finditer(value)), default=0)
    return f"a number has more than {MAX_DIGITS} digits" if digits > MAX_DIGITS else ""


def _parse_project_urls_field(values: Sequence[str]) -> dict[str, str] | None:
    """Return labels and URLs, None if a label appears twice (packaging.metadata)."""
    urls: dict[str, str] = {}
    for value in values:
        label, _, url = (part.strip() for part in value.partition(","))
        if label in urls:
            return None
        urls[label] = url
    return urls


def _metadata_field_name(form_name: str) -> str:
    """Return the name of a field in the file for its name in the form."""
    return _FIELD_NAMES.get(form_name, form_name.replace("_", "-"))


def _fields_invalid_for_packaging(raw: RawMetadata) -> Iterator[InvalidField]:
    """Yield everything that ``packaging`` refuses."""
    try:
        Metadata.from_raw(raw)
    except ExceptionGroup as group:
        yield from (
            # Sorted, because ``packaging`` prints the allowed values in the order of a set, which varies.
            InvalidField(
                field=error.field,
                message=_QUOTED_LIST.sub(lambda match: f"[{', '.join(sorted(match[1].split(', ')))}]", str(error)),
            )
            for error in group.exceptions
            if isinstance(error, InvalidMetadata)
        )


def _faults_of_invalid_fields(invalids: Sequence[InvalidField]) -> Iterator[Fault]:
    """Yield faults in the order in which the server would name them (legacy.py:703-722)."""
    ranks = {field: rank for rank, field in enumerate(_ERROR_ORDER)}
    for invalid in sorted(invalids, key=lambda each: (ranks.get(each.field, len(ranks)), each.field)):
        advice = (text for field, part, text in _ADVICE if field == invalid.field and part in invalid.message)
        rule = invalid.rule or _RULES.get(invalid.field, "metadata-field")
        if rule == "metadata-version" and invalid.message.startswith(f"{NEXT_VERSION!r} is not a valid"):
            rule = "metadata-version-unknown"
        # A line break in the reason phrase breaks the server's answer; here it becomes a blank.
        response = invalid.message.replace("\n", " ").removesuffix(".")
        see = _LOCAL_VERSIONS if rule == "filename-local-version" else _SPECIFICATION
        yield refused_upload_fault(
            rule,
            f"{invalid.field}: {invalid.message}",
            f"{response}. See {see} for more information.",
            advice=invalid.advice or next(advice, ""),
        )
