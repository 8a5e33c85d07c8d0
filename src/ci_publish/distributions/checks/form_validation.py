"""What PyPI's server says about an upload form's core metadata (pure).

A port of warehouse/forklift/forms.py (``UploadForm.name``), decorators.py (``sanitize``) and metadata.py (``parse``).
The server stops at its first refusal; this goes on, so that people see all that is wrong at once: each fault carries
the server's words, and the first one in order is the one that it would answer with.
"""

import email.utils
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from email.message import EmailMessage
from typing import Final

from packaging.metadata import InvalidMetadata, Metadata, RawMetadata
from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import Version

from ci_publish.distributions.faults import Fault, ServerRefusal, refused
from ci_publish.model.core_metadata_form import REPEATED_FIELDS, SINGLE_FIELDS
from ci_publish.model.frozen import frozen

SUPPORTED_VERSIONS: Final = frozenset({"1.0", "1.1", "1.2", "2.1", "2.2", "2.3", "2.4", "2.5"})
NEXT_VERSION: Final = "2.6"
MAX_SUMMARY: Final = 512
MAX_LABEL: Final = 32

_PROJECT_NAME: Final = re.compile(r"([A-Z0-9]|[A-Z0-9][A-Z0-9._-]*[A-Z0-9])\Z", re.IGNORECASE | re.ASCII)
_NAME_WORDS: Final = "Start and end with a letter or numeral containing only ASCII numeric and '.', '_' and '-'."
_SPECIFICATION: Final = "https://packaging.python.org/specifications/core-metadata"
_LOCAL_VERSIONS: Final = (
    "https://packaging.python.org/en/latest/specifications/version-specifiers/#local-version-identifiers"
)
_ERROR_ORDER: Final = ("metadata-version", "name", "version")
_QUOTED_LIST: Final = re.compile(r"\[('[^']*'(?:, '[^']*')+)\]")
_BLANKS: Final = re.compile(r"\s+")

# What to do about one cause, where the rule's own advice does not fit: (field, words of the message) → advice.
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


@frozen
class Invalid:
    """One thing that the server dislikes about a field (named as in the file), with its words."""

    field: str
    message: str
    rule: str | None = None
    advice: str = ""


FormValues = Mapping[str, Sequence[str]]


def validate_form(form: FormValues) -> tuple[Fault, ...]:
    """Return the faults of an upload form's core metadata, the one that the server would answer with first."""
    clean = _sanitized(form)
    faults = list(_form_faults(clean))
    unreadable = [
        Invalid(_field(name), reason) for name, values in clean.items() if (reason := _unreadable(name, values))
    ]
    faults += _faults(unreadable)
    named = {invalid.field for invalid in unreadable}
    raw, unparsed = _raw({name: values for name, values in clean.items() if _field(name) not in named})
    if unparsed:
        faults += _faults(unparsed)
    standard = list(_standard(raw))
    # What the server's ``packaging`` (26.2) refuses, and newer ones accept, belongs there as well.
    known = {invalid.field for invalid in standard}
    if "metadata-version" not in known:
        standard += _check_metadata_version(raw)
    if "description-content-type" not in known:  # otherwise it may be impossible to parse
        standard += _check_charset(raw)
    faults += _faults(standard)
    # The server comes to its own rules only when the standard ones are content.
    faults += _faults(list(_own_rules(raw, named | {invalid.field for invalid in standard})))
    return tuple(faults)


def _sanitized(form: FormValues) -> dict[str, list[str]]:
    """Return the form as the server looks at it: without UNKNOWN and without empty fields (decorators.py:12-50)."""
    clean: dict[str, list[str]] = {}
    for name, values in form.items():
        texts = [value.replace("\x00", "\\x00") for value in values]
        if texts and texts[-1].strip() != "UNKNOWN" and texts != [""]:
            clean[name] = texts
    return clean


def _form_faults(form: Mapping[str, list[str]]) -> Iterator[Fault]:
    """Yield what is wrong with the fields that the form itself validates (forms.py:25-43, legacy.py:661-697)."""
    name = next(iter(form.get("name", ())), "")
    if name and _PROJECT_NAME.match(name):
        return
    error = _NAME_WORDS if name else "This field is required."
    shown = f"{name[:30]}...{name[-30:]}" if len(name) > 60 else name  # noqa: PLR2004 - legacy.py:675
    words = f"{shown!r} is an invalid value for Name. Error: {error} See {_SPECIFICATION} for more information."
    yield Fault(
        "metadata-name", f"The project name {name!r} is invalid." if name else "It has no name.", refused(words)
    )


def _raw(form: Mapping[str, list[str]]) -> tuple[RawMetadata, list[Invalid]]:
    """Return the form as raw metadata, and the fields that cannot be read (metadata.py:305-384)."""
    raw: dict[str, object] = {}
    unparsed: list[Invalid] = []
    for name, values in form.items():
        if name in _STRINGS and len(values) == 1:
            raw[name] = values[0]
        elif name in _LISTS:
            raw[_PLURALS.get(name, name)] = values
        elif name == "keywords" and len(values) == 1:
            raw[name] = [keyword.strip() for keyword in values[0].split(",")]
        elif name == "project_urls" and (urls := _project_urls(values)) is not None:
            raw[name] = urls
        elif name in _STRINGS or name in {"keywords", "project_urls"}:
            unparsed.append(Invalid(_field(name), f"{name!r} has invalid data"))
    return raw, unparsed  # type: ignore[return-value]


def _unreadable(name: str, values: Sequence[str]) -> str:
    """Return why *values* of a field that libraries parse are not given to them: they would fail or take very long.

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


def _project_urls(values: Sequence[str]) -> dict[str, str] | None:
    """Return labels and URLs, None if a label stands twice (packaging.metadata)."""
    urls: dict[str, str] = {}
    for value in values:
        label, _, url = (part.strip() for part in value.partition(","))
        if label in urls:
            return None
        urls[label] = url
    return urls


def _field(form_name: str) -> str:
    """Return the name of a field in the file for its name in the form."""
    return _FIELD_NAMES.get(form_name, form_name.replace("_", "-"))


def _standard(raw: RawMetadata) -> Iterator[Invalid]:
    """Yield what ``packaging`` dislikes, all of it."""
    try:
        Metadata.from_raw(raw)
    except ExceptionGroup as group:
        yield from (
            Invalid(error.field, _QUOTED_LIST.sub(_sorted_list, str(error)))
            for error in group.exceptions
            if isinstance(error, InvalidMetadata)
        )


def _sorted_list(match: re.Match[str]) -> str:
    """Return a list of allowed values sorted: ``packaging`` writes them in the order of a set, another each time."""
    return f"[{', '.join(sorted(match[1].split(', ')))}]"


def _own_rules(raw: RawMetadata, skip: set[str]) -> Iterator[Invalid]:
    """Yield what PyPI dislikes beyond the standard (metadata.py:97-287); fields in *skip* are invalid already."""
    checks: dict[str, Callable[[RawMetadata], Iterator[Invalid]]] = {
        "version": _check_local_version,
        "summary": _check_summary,
        "emails": _check_emails,
        "classifier": _check_classifiers,
        "urls": _check_urls,
        "project-url": _check_project_urls,
        "other": _check_other_dependencies,
        "requires-dist": _check_dependencies,
        "dynamic": _check_dynamic,
        "license": _check_license,
    }
    for field, check in checks.items():
        if field not in skip:
            yield from check(raw)


def _check_metadata_version(raw: RawMetadata) -> Iterator[Invalid]:
    version = raw.get("metadata_version", "")
    if version not in SUPPORTED_VERSIONS:
        yield Invalid("metadata-version", f"{version!r} is not a valid metadata version")


def _check_local_version(raw: RawMetadata) -> Iterator[Invalid]:
    version = Version(raw["version"])  # a missing or invalid one is said already
    if version.local:
        yield Invalid("version", f"The use of local versions in '{version}' is not allowed.", "filename-local-version")


def _check_summary(raw: RawMetadata) -> Iterator[Invalid]:
    if len(raw.get("summary", "")) > MAX_SUMMARY:
        yield Invalid("summary", f"'summary' field must be {MAX_SUMMARY} characters or less.")


def _check_emails(raw: RawMetadata) -> Iterator[Invalid]:
    """Check the address of each field that holds a single one, as the server does."""
    for field, value in (("author-email", raw.get("author_email")), ("maintainer-email", raw.get("maintainer_email"))):
        # Python 3.14, which the server runs on, finds no single address in a list of several: such a field passes.
        try:
            addresses = email.utils.getaddresses([value]) if value else []
        except RecursionError:  # it reads some texts that hold no address by calling itself
            yield Invalid(field, "it cannot be read as an email address")
            continue
        address = addresses[0][1] if len(addresses) == 1 else ""
        if address and (reason := _email_fault(address)) is not None:
            yield Invalid(field, f"{address!r} is not a valid email address: {reason}")


def _email_fault(address: str) -> str | None:
    """Return why *address* is no e-mail address, None where it is one."""
    import email_validator  # noqa: PLC0415 - takes 50 ms, and many distributions have no e-mail address

    try:
        email_validator.validate_email(address, check_deliverability=False)
    except email_validator.EmailNotValidError as error:
        return str(error)
    return None


def _check_classifiers(raw: RawMetadata) -> Iterator[Invalid]:
    given = set(raw.get("classifiers", ()))
    if not given:
        return
    from trove_classifiers import classifiers, deprecated_classifiers  # noqa: PLC0415 - only when there are some

    near = {_folded(classifier): classifier for classifier in (*deprecated_classifiers, *classifiers)}
    for classifier in sorted(given - classifiers - deprecated_classifiers.keys()):
        message = f"{classifier!r} is not a valid classifier."
        if (meant := near.get(_folded(classifier))) is not None:
            yield Invalid("classifier", message, advice=f"Write it as `{meant}`.")
        else:
            rule = "metadata-classifier" if classifier.startswith("Private ::") else "metadata-classifier-unknown"
            yield Invalid("classifier", message, rule)
    for classifier in sorted(given & deprecated_classifiers.keys()):
        instead = deprecated_classifiers[classifier]
        use = f", use one of {instead} instead." if instead else "."
        yield Invalid("classifier", f"The classifier {classifier!r} has been deprecated{use}")


def _folded(classifier: str) -> str:
    """Return a classifier without the letter case and the blanks that make a known one invalid."""
    return _BLANKS.sub("", classifier).casefold()


def _check_urls(raw: RawMetadata) -> Iterator[Invalid]:
    for field, url in (("home-page", raw.get("home_page")), ("download-url", raw.get("download_url"))):
        if url is not None and not valid_url(url):
            yield Invalid(field, f"{url!r} is not a valid url.")


def _check_project_urls(raw: RawMetadata) -> Iterator[Invalid]:
    for label, url in raw.get("project_urls", {}).items():
        if not label:
            yield Invalid("project-url", "Must have a label")
        elif len(label) > MAX_LABEL:
            yield Invalid("project-url", f"{label!r} must be {MAX_LABEL} characters or less.")
        elif not url:
            yield Invalid("project-url", "Must have a URL")
        elif not valid_url(url):
            yield Invalid("project-url", f"{url!r} is not a valid url")


def valid_url(url: str) -> bool:
    """Say whether the server takes *url* for one (warehouse/utils/http.py:49-68): lax, but http or https."""
    from rfc3986 import exceptions, uri_reference, validators  # type: ignore[import-untyped]  # noqa: PLC0415 - 50 ms

    validator = validators.Validator().allow_schemes("http", "https").require_presence_of("scheme")
    validator.check_validity_of("scheme", "host", "port", "path", "query")
    try:
        validator.validate(uri_reference(url).normalize())
    except (exceptions.RFC3986Exception, ValueError):
        return False
    return True


def _check_other_dependencies(raw: RawMetadata) -> Iterator[Invalid]:
    """Check Provides-Dist and Obsoletes-Dist, which packaging does not."""
    for field, values in (
        ("provides-dist", raw.get("provides_dist", ())),
        ("obsoletes-dist", raw.get("obsoletes_dist", ())),
    ):
        for value in values:
            try:
                requirement = Requirement(value)
            except InvalidRequirement as error:
                yield Invalid(field, f"{value!r} is invalid: {error}")
                continue
            if requirement.url is not None:
                yield Invalid(field, f"Can't have direct dependency: {value!r}", "metadata-direct-dependency")


def _check_dependencies(raw: RawMetadata) -> Iterator[Invalid]:
    for value in raw.get("requires_dist", ()):
        requirement = Requirement(value)
        if requirement.url is not None:
            yield Invalid("requires-dist", f"Can't have direct dependency: {requirement}", "metadata-direct-dependency")


def _check_dynamic(raw: RawMetadata) -> Iterator[Invalid]:
    """Check that dynamic fields are fields; packaging has refused Name, Version and Metadata-Version already."""
    for key in (value.lower() for value in raw.get("dynamic", ())):
        if key not in {*SINGLE_FIELDS, *REPEATED_FIELDS, "keywords", "description", "requires-python"} - {"dynamic"}:
            yield Invalid("dynamic", f"Dynamic field {key!r} is not a valid dynamic field.")


def _check_license(raw: RawMetadata) -> Iterator[Invalid]:
    if raw.get("license") and raw.get("license_expression"):
        words = "License is deprecated when License-Expression is present. Only License-Expression should be present."
        yield Invalid("license", words)


def _check_charset(raw: RawMetadata) -> Iterator[Invalid]:
    """Check the charset's letter case: ``packaging`` takes any since 26.3; PyPI used 26.2 in August 2026."""
    value = raw.get("description_content_type")
    if value is None:
        return
    message = EmailMessage()
    message["content-type"] = value
    charset = message["content-type"].params.get("charset", "UTF-8")
    if charset != "UTF-8":
        words = f"'description-content-type' can only specify the UTF-8 charset, not {charset!r}"
        yield Invalid("description-content-type", words, "metadata-charset-spelling")


def _faults(invalids: Sequence[Invalid]) -> Iterator[Fault]:
    """Yield faults in the order in which the server would name them (legacy.py:703-722)."""
    ranks = {field: rank for rank, field in enumerate(_ERROR_ORDER)}
    for invalid in sorted(invalids, key=lambda each: (ranks.get(each.field, len(ranks)), each.field)):
        yield Fault(_rule(invalid), f"{invalid.field}: {invalid.message}", _refusal(invalid), advice=_advice(invalid))


def _rule(invalid: Invalid) -> str:
    if invalid.field == "metadata-version" and invalid.message.startswith(f"{NEXT_VERSION!r} is not a valid"):
        return "metadata-version-unknown"
    return invalid.rule or _RULES.get(invalid.field, "metadata-field")


def _advice(invalid: Invalid) -> str:
    """Return what to do about this very cause, "" where the rule's advice fits."""
    fitting = (advice for field, words, advice in _ADVICE if field == invalid.field and words in invalid.message)
    return invalid.advice or next(fitting, "")


def _refusal(invalid: Invalid) -> ServerRefusal:
    """Return the server's answer (legacy.py:718-742)."""
    # A line break in the reason phrase breaks the server's answer; here it becomes a blank.
    message = " ".join(invalid.message.split("\n"))
    dot = "" if message.endswith(".") else "."
    see = _LOCAL_VERSIONS if invalid.rule == "filename-local-version" else _SPECIFICATION
    return refused(f"{message}{dot} See {see} for more information.")
