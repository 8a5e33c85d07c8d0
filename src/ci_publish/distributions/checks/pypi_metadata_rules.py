"""PyPI's own rules about core metadata, beyond those of ``packaging`` (pure).

A port of warehouse/forklift/metadata.py:97-287; the messages are the server's.
"""

import email.utils
import re
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from typing import Final

from packaging.metadata import RawMetadata
from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import Version

from ci_publish.model.core_metadata_form import REPEATED_FIELDS, SINGLE_FIELDS
from ci_publish.model.frozen import frozen

SUPPORTED_VERSIONS: Final = frozenset({"1.0", "1.1", "1.2", "2.1", "2.2", "2.3", "2.4", "2.5"})
MAX_SUMMARY: Final = 512
MAX_LABEL: Final = 32
_BLANKS: Final = re.compile(r"\s+")


@frozen(kw_only=True)
class InvalidField:
    """Why the server rejects a field (named as in the file), in its own words."""

    field: str
    message: str
    rule: str | None = None
    advice: str = ""


def fields_invalid_for_pypi(raw: RawMetadata, skip: set[str]) -> Iterator[InvalidField]:
    """Yield what PyPI rejects beyond the standard; fields in *skip* are known to be invalid already."""
    checks: dict[str, Callable[[RawMetadata], Iterator[InvalidField]]] = {
        "version": _invalid_local_version,
        "summary": _too_long_summary,
        "emails": _invalid_email_fields,
        "classifier": _invalid_classifiers,
        "urls": _invalid_home_and_download_urls,
        "project-url": _invalid_project_urls,
        "other": _invalid_provides_and_obsoletes,
        "requires-dist": _refused_direct_dependencies,
        "dynamic": _invalid_dynamic_fields,
        "license": _invalid_license_fields,
    }
    for field, check in checks.items():
        if field not in skip:
            yield from check(raw)


def invalid_metadata_version(raw: RawMetadata) -> Iterator[InvalidField]:
    """Check for the versions that PyPI accepted in August 2026 (metadata.py:107-113)."""
    version = raw.get("metadata_version", "")
    if version not in SUPPORTED_VERSIONS:
        yield InvalidField(field="metadata-version", message=f"{version!r} is not a valid metadata version")


def _invalid_local_version(raw: RawMetadata) -> Iterator[InvalidField]:
    version = Version(raw["version"])  # a missing or invalid one is reported already
    if version.local:
        yield InvalidField(
            field="version",
            message=f"The use of local versions in '{version}' is not allowed.",
            rule="filename-local-version",
        )


def _too_long_summary(raw: RawMetadata) -> Iterator[InvalidField]:
    if len(raw.get("summary", "")) > MAX_SUMMARY:
        yield InvalidField(field="summary", message=f"'summary' field must be {MAX_SUMMARY} characters or less.")


def _invalid_email_fields(raw: RawMetadata) -> Iterator[InvalidField]:
    """Check the address of each field that holds a single one, as the server does."""
    for field, value in (("author-email", raw.get("author_email")), ("maintainer-email", raw.get("maintainer_email"))):
        # Python 3.14, which the server runs on, finds no single address in a list of several: such a field passes.
        try:
            addresses = email.utils.getaddresses([value]) if value else []
        except RecursionError:  # it parses some texts without an address by recursion
            yield InvalidField(field=field, message="it cannot be read as an email address")
            continue
        if len(addresses) != 1 or not (address := addresses[0][1]):
            continue
        import email_validator  # noqa: PLC0415 - takes 50 ms, and many distributions have no e-mail address

        try:
            email_validator.validate_email(address, check_deliverability=False)
        except email_validator.EmailNotValidError as error:
            yield InvalidField(field=field, message=f"{address!r} is not a valid email address: {error}")


def _invalid_classifiers(raw: RawMetadata) -> Iterator[InvalidField]:
    given = set(raw.get("classifiers", ()))
    if not given:
        return
    from trove_classifiers import classifiers, deprecated_classifiers  # noqa: PLC0415 - only when there are some

    near = {_fold_classifier(classifier): classifier for classifier in (*deprecated_classifiers, *classifiers)}
    for classifier in sorted(given - classifiers - deprecated_classifiers.keys()):
        message = f"{classifier!r} is not a valid classifier."
        if (meant := near.get(_fold_classifier(classifier))) is not None:
            yield InvalidField(field="classifier", message=message, advice=f"Write it as `{meant}`.")
        else:
            rule = "metadata-classifier" if classifier.startswith("Private ::") else "metadata-classifier-unknown"
            yield InvalidField(field="classifier", message=message, rule=rule)
    for classifier in sorted(given & deprecated_classifiers.keys()):
        instead = deprecated_classifiers[classifier]
        use = f", use one of {instead} instead." if instead else "."
        yield InvalidField(field="classifier", message=f"The classifier {classifier!r} has been deprecated{use}")


def _fold_classifier(classifier: str) -> str:
    """Return a classifier without the letter case and the blanks that make a known one invalid."""
    return _BLANKS.sub("", classifier).casefold()


def _invalid_home_and_download_urls(raw: RawMetadata) -> Iterator[InvalidField]:
    for field, url in (("home-page", raw.get("home_page")), ("download-url", raw.get("download_url"))):
        if url is not None and not is_valid_url(url):
            yield InvalidField(field=field, message=f"{url!r} is not a valid url.")


def _invalid_project_urls(raw: RawMetadata) -> Iterator[InvalidField]:
    for label, url in raw.get("project_urls", {}).items():
        if not label:
            yield InvalidField(field="project-url", message="Must have a label")
        elif len(label) > MAX_LABEL:
            yield InvalidField(field="project-url", message=f"{label!r} must be {MAX_LABEL} characters or less.")
        elif not url:
            yield InvalidField(field="project-url", message="Must have a URL")
        elif not is_valid_url(url):
            yield InvalidField(field="project-url", message=f"{url!r} is not a valid url")


def is_valid_url(url: str) -> bool:
    """Return whether the server accepts *url* (warehouse/utils/http.py:49-68): lax, but http or https."""
    from rfc3986 import exceptions, uri_reference, validators  # type: ignore[import-untyped]  # noqa: PLC0415 - 50 ms

    validator = validators.Validator().allow_schemes("http", "https").require_presence_of("scheme")
    validator.check_validity_of("scheme", "host", "port", "path", "query")
    try:
        validator.validate(uri_reference(url).normalize())
    except (exceptions.RFC3986Exception, ValueError):
        return False
    return True


def _invalid_provides_and_obsoletes(raw: RawMetadata) -> Iterator[InvalidField]:
    """Check Provides-Dist and Obsoletes-Dist, which packaging does not."""
    for field, values in (
        ("provides-dist", raw.get("provides_dist", ())),
        ("obsoletes-dist", raw.get("obsoletes_dist", ())),
    ):
        for value in values:
            try:
                requirement = Requirement(value)
            except InvalidRequirement as error:
                yield InvalidField(field=field, message=f"{value!r} is invalid: {error}")
                continue
            if requirement.url is not None:
                yield InvalidField(
                    field=field, message=f"Can't have direct dependency: {value!r}", rule="metadata-direct-dependency"
                )


def _refused_direct_dependencies(raw: RawMetadata) -> Iterator[InvalidField]:
    for value in raw.get("requires_dist", ()):
        requirement = Requirement(value)
        if requirement.url is not None:
            yield InvalidField(
                field="requires-dist",
                message=f"Can't have direct dependency: {requirement}",
                rule="metadata-direct-dependency",
            )


def _invalid_dynamic_fields(raw: RawMetadata) -> Iterator[InvalidField]:
    """Check that dynamic fields are fields; packaging refuses Name, Version and Metadata-Version."""
    for key in (value.lower() for value in raw.get("dynamic", ())):
        if key not in {*SINGLE_FIELDS, *REPEATED_FIELDS, "keywords", "description", "requires-python"} - {"dynamic"}:
            yield InvalidField(field="dynamic", message=f"Dynamic field {key!r} is not a valid dynamic field.")


def _invalid_license_fields(raw: RawMetadata) -> Iterator[InvalidField]:
    if raw.get("license") and raw.get("license_expression"):
        message = "License is deprecated when License-Expression is present. Only License-Expression should be present."
        yield InvalidField(field="license", message=message)


def invalid_description_charset(raw: RawMetadata) -> Iterator[InvalidField]:
    """Check the charset's letter case: ``packaging`` accepts any since 26.3; PyPI used 26.2 in August 2026."""
    value = raw.get("description_content_type")
    if value is None:
        return
    message = EmailMessage()
    message["content-type"] = value
    charset = message["content-type"].params.get("charset", "UTF-8")
    if charset != "UTF-8":
        response = f"'description-content-type' can only specify the UTF-8 charset, not {charset!r}"
        yield InvalidField(field="description-content-type", message=response, rule="metadata-charset-spelling")
