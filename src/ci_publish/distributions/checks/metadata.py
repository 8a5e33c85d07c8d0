"""Rules about core metadata: what the server says about the form (``judgement``), and about the file itself (pure)."""

from collections.abc import Iterable

from ci_publish.distributions.checks.rendering import TooLargeToRender, rendering_fault
from ci_publish.distributions.checks.rules import Family, Stage, Subject, faults_of, rule
from ci_publish.distributions.findings import Fault, refused
from ci_publish.model.problem import Severity

_HELP = "https://pypi.org/help/#description-content-type"


@rule(
    Family.METADATA,
    Severity.ERROR,
    Severity.WARNING,
    stage=Stage.FORM,
    example="`Metadata-Version: 2.0`",
    cure="Build with a current backend.",
)
def metadata_version(subject: Subject) -> Iterable[Fault]:
    """Metadata-Version is one that PyPI knows: 1.0 to 1.2 or 2.1 to 2.5.

    Source: the core metadata specification; warehouse/forklift/metadata.py:26 and 107-113.
    """
    return faults_of(subject, "metadata-version")


@rule(
    Family.METADATA,
    Severity.WARNING,
    stage=Stage.FORM,
    example="`Metadata-Version: 2.6`",
    cure="The index decides; an older backend writes an older version.",
)
def metadata_version_unknown(subject: Subject) -> Iterable[Fault]:
    """Metadata-Version is newer than what PyPI was known to take when this version of ci-publish was made (2.5).

    Source: the core metadata specification; warehouse/forklift/metadata.py:26 and 107-113.
    """
    return faults_of(subject, "metadata-version-unknown")


@rule(
    Family.METADATA,
    Severity.ERROR,
    stage=Stage.FORM,
    example="`Name: -demo`",
    cure="Correct `name` in pyproject.toml.",
)
def metadata_name(subject: Subject) -> Iterable[Fault]:
    """Name is there, of ASCII letters, digits and ``._-``, with a letter or digit at both ends.

    Source: PEP 508; warehouse/forklift/forms.py:25-43.
    """
    return faults_of(subject, "metadata-name")


@rule(
    Family.METADATA,
    Severity.ERROR,
    stage=Stage.FORM,
    example="`Version: latest`",
    cure="Correct `version` in pyproject.toml, or what computes it.",
)
def metadata_invalid_version(subject: Subject) -> Iterable[Fault]:
    """Version is there, and is a version of PEP 440.

    Source: PEP 440; packaging.metadata.
    """
    return faults_of(subject, "metadata-invalid-version")


@rule(
    Family.METADATA,
    Severity.ERROR,
    Severity.WARNING,
    stage=Stage.FORM,
    example="a README in `description`",
    cure="Shorten `description` in pyproject.toml.",
)
def metadata_summary(subject: Subject) -> Iterable[Fault]:
    """The summary is one line of at most 512 characters.

    Source: warehouse/forklift/metadata.py:62-66 and 123-137.
    """
    return faults_of(subject, "metadata-summary")


@rule(
    Family.METADATA,
    Severity.ERROR,
    Severity.WARNING,
    stage=Stage.FORM,
    example="`Author-Email: nobody`",
    cure="Correct `authors` or `maintainers` in pyproject.toml.",
)
def metadata_email(subject: Subject) -> Iterable[Fault]:
    """The first address of Author-Email and of Maintainer-Email is an e-mail address.

    Source: RFC 5322; warehouse/forklift/metadata.py:139-159.
    """
    return faults_of(subject, "metadata-email")


@rule(
    Family.METADATA,
    Severity.ERROR,
    Severity.WARNING,
    stage=Stage.FORM,
    example="`Home-Page: example.com`",
    cure="Write the URL with https://.",
)
def metadata_url(subject: Subject) -> Iterable[Fault]:
    """Home-Page and Download-URL are http or https URLs.

    Source: warehouse/forklift/metadata.py:192-204; warehouse/utils/http.py:49-68.
    """
    return faults_of(subject, "metadata-url")


@rule(
    Family.METADATA,
    Severity.ERROR,
    Severity.WARNING,
    stage=Stage.FORM,
    example="`Project-URL: A label that is much longer than PyPI likes, https://example.com`",
    cure="Correct `[project.urls]` in pyproject.toml.",
)
def metadata_project_url(subject: Subject) -> Iterable[Fault]:
    """Project URLs have a label of 1 to 32 characters, once each, and an http or https URL.

    Source: warehouse/forklift/metadata.py:206-221.
    """
    return faults_of(subject, "metadata-project-url")


@rule(
    Family.METADATA,
    Severity.ERROR,
    Severity.WARNING,
    stage=Stage.FORM,
    example="`Classifier: Private :: Do Not Upload`",
    cure="Correct `classifiers` in pyproject.toml: https://pypi.org/classifiers/ lists them. `Private ::` keeps "
    "a project off PyPI on purpose.",
)
def metadata_classifier(subject: Subject) -> Iterable[Fault]:
    """Classifiers are not deprecated, and none begins with ``Private ::``, which PyPI refuses on purpose.

    Source: trove-classifiers; warehouse/forklift/metadata.py:161-190.
    """
    return faults_of(subject, "metadata-classifier")


@rule(
    Family.METADATA,
    Severity.WARNING,
    stage=Stage.FORM,
    example="`Classifier: Framework :: Brand New`",
    cure="Correct it, or leave it if it is new: the index decides. https://pypi.org/classifiers/ lists them.",
)
def metadata_classifier_unknown(subject: Subject) -> Iterable[Fault]:
    """Classifiers are in the list that was current when this version of ci-publish was made.

    Source: trove-classifiers; warehouse/forklift/metadata.py:161-166.
    """
    return faults_of(subject, "metadata-classifier-unknown")


@rule(
    Family.METADATA,
    Severity.ERROR,
    Severity.WARNING,
    stage=Stage.FORM,
    example="`Requires-Dist: other @ git+https://example.com/other`",
    cure="Depend on a release, or leave the dependency to an index other than PyPI.",
)
def metadata_direct_dependency(subject: Subject) -> Iterable[Fault]:
    """Dependencies do not name URLs.

    Source: PEP 440, Direct references; warehouse/forklift/metadata.py:223-262.
    """
    return faults_of(subject, "metadata-direct-dependency")


@rule(
    Family.METADATA,
    Severity.ERROR,
    stage=Stage.FORM,
    example="`Requires-Dist: other (1.0`",
    cure="Correct `dependencies` in pyproject.toml.",
)
def metadata_dependency(subject: Subject) -> Iterable[Fault]:
    """Requires-Dist, Provides-Dist and Obsoletes-Dist are requirements of PEP 508.

    Source: PEP 508; packaging.metadata; warehouse/forklift/metadata.py:223-246.
    """
    return faults_of(subject, "metadata-dependency")


@rule(
    Family.METADATA,
    Severity.ERROR,
    stage=Stage.FORM,
    example="`Requires-Python: 3.9`",
    cure="Write `requires-python` as in `>=3.11`.",
)
def metadata_requires_python(subject: Subject) -> Iterable[Fault]:
    """Requires-Python is a version specifier.

    Source: PEP 440; packaging.metadata.
    """
    return faults_of(subject, "metadata-requires-python")


@rule(
    Family.METADATA,
    Severity.ERROR,
    Severity.WARNING,
    stage=Stage.FORM,
    example="`Dynamic: Name`",
    cure="Build with a current backend.",
)
def metadata_dynamic(subject: Subject) -> Iterable[Fault]:
    """Dynamic names fields that may be dynamic.

    Source: PEP 643; warehouse/forklift/metadata.py:264-274.
    """
    return faults_of(subject, "metadata-dynamic")


@rule(
    Family.METADATA,
    Severity.ERROR,
    Severity.WARNING,
    stage=Stage.FORM,
    example="`License: MIT` beside `License-Expression: MIT`",
    cure='Keep only `license = "…"` with an SPDX expression in pyproject.toml.',
)
def metadata_license(subject: Subject) -> Iterable[Fault]:
    """License-Expression is an SPDX expression and stands alone, without License; License-File is a relative path.

    Source: PEP 639; packaging.metadata; warehouse/forklift/metadata.py:276-287.
    """
    return faults_of(subject, "metadata-license")


@rule(
    Family.METADATA,
    Severity.ERROR,
    Severity.WARNING,
    stage=Stage.FORM,
    example="`Import-Name: my-demo`",
    cure="Correct `import-names` in pyproject.toml.",
)
def metadata_import_name(subject: Subject) -> Iterable[Fault]:
    """Import-Name and Import-Namespace are dotted Python names, perhaps with ``; private``.

    Source: PEP 794; packaging.metadata.
    """
    return faults_of(subject, "metadata-import-name")


@rule(
    Family.METADATA,
    Severity.ERROR,
    Severity.WARNING,
    stage=Stage.FORM,
    example="`Description-Content-Type: text/html`",
    cure="Correct `readme` in pyproject.toml.",
)
def metadata_content_type(subject: Subject) -> Iterable[Fault]:
    """Description-Content-Type is text/plain, text/x-rst or text/markdown, charset UTF-8, variant GFM or CommonMark.

    Source: the core metadata specification; packaging.metadata.
    """
    return faults_of(subject, "metadata-content-type")


@rule(
    Family.METADATA,
    Severity.ERROR,
    Severity.WARNING,
    stage=Stage.FORM,
    example="`License-Expression` with `Metadata-Version: 2.1`, a field that stands twice",
    cure="Build with a current backend.",
)
def metadata_field(subject: Subject) -> Iterable[Fault]:
    """Every other field is valid, stands as often as it may, and is known to the metadata version.

    Source: the core metadata specification; packaging.metadata.
    """
    return faults_of(subject, "metadata-field")


@rule(
    Family.METADATA,
    Severity.ERROR,
    Severity.WARNING,
    stage=Stage.DESCRIPTION,
    example="a broken link or directive in a README.rst, or a README with nothing but a title",
    cure="Correct the README; the line is that of the description. Content type and markup must agree.",
)
def description_renders(subject: Subject) -> Iterable[Fault]:
    """PyPI can render the description.

    Source: warehouse/forklift/legacy.py:901-932; warehouse/utils/readme.py:21-50.
    """
    content_type = subject.value("description_content_type")
    try:
        reason = _rendering_fault(subject, content_type)
    except TooLargeToRender:
        return
    if reason is not None:
        kind = f"for '{content_type}'" if content_type else "in the default format of reStructuredText"
        words = f"The description failed to render {kind}. See {_HELP} for more information."
        yield Fault("description-renders", f"The description fails to render {kind}: {reason}.", refused(words))


@rule(
    Family.METADATA,
    Severity.WARNING,
    example="a README.rst of 1 MB",
    cure="Shorten the README; a link to the documentation serves readers better.",
)
def description_too_large(subject: Subject) -> Iterable[Fault]:
    """Descriptions of more than 256 KiB of reStructuredText, 1 MiB of Markdown or 2,000 headings are not rendered here.

    Source: our own limit: docutils and readme-renderer take minutes for them.
    """
    try:
        _rendering_fault(subject, subject.value("description_content_type"))
    except TooLargeToRender:
        yield Fault("description-too-large", "The description is too large to be rendered here.")


def _rendering_fault(subject: Subject, content_type: str) -> str | None:
    description = subject.value("description")
    return rendering_fault(description, content_type) if description else None


@rule(
    Family.METADATA,
    Severity.ERROR,
    example="a METADATA of 300 MB in a wheel of 306 KB",
    cure="Find out which build step makes the metadata so large.",
)
def metadata_too_large(subject: Subject) -> Iterable[Fault]:
    """Core metadata is at most 10 MiB, its headers at most 2 MiB.

    Source: our own limit: reading such a file costs other tools gigabytes.
    """
    return faults_of(subject, "metadata-too-large")


@rule(
    Family.METADATA,
    Severity.ERROR,
    example="a README in Latin-1",
    cure="Save the README and pyproject.toml as UTF-8.",
)
def metadata_not_utf8(subject: Subject) -> Iterable[Fault]:
    """Core metadata is UTF-8: the form could not say the same as the file.

    Source: the core metadata specification; our own rule, PyPI serves the file as it is.
    """
    return faults_of(subject, "metadata-not-utf8")


@rule(
    Family.METADATA,
    Severity.WARNING,
    example="`Licence: MIT`",
    cure="Correct the field's name; the index ignores it as it is.",
)
def metadata_unknown_field(subject: Subject) -> Iterable[Fault]:
    """Every field of the file is one of the specification.

    Source: the core metadata specification; the server never sees others.
    """
    yield from (Fault("metadata-unknown-field", f"{name!r} is no field.") for name in subject.unknown_fields)


@rule(
    Family.METADATA,
    Severity.WARNING,
    example="two `Summary:` headers",
    cure="Build with a current backend; the first one is sent.",
)
def metadata_repeated_field(subject: Subject) -> Iterable[Fault]:
    """Fields that have one value stand once.

    Source: the core metadata specification; our own rule, the server never sees the others.
    """
    yield from (
        Fault("metadata-repeated-field", f"{name!r} stands more than once.") for name in subject.repeated_fields
    )
