"""Rules about core metadata: of the upload form (``form_validation`` finds them), and of the file itself (pure)."""

from collections.abc import Iterable
from typing import Final

from ci_publish.distributions.checks.rules import CheckedFile, Ground, Rule, Stage
from ci_publish.distributions.faults import Fault, refused_upload_fault
from ci_publish.model.problem import Severity

_HELP = "https://pypi.org/help/#description-content-type"


def _description_renders(file: CheckedFile) -> Iterable[Fault]:
    content_type = file.form_value("description_content_type")
    if file.rendering.fault is not None:
        kind = f"for '{content_type}'" if content_type else "in the default format of reStructuredText"
        response = f"The description failed to render {kind}. See {_HELP} for more information."
        message = f"The description fails to render {kind}: {file.rendering.fault}."
        yield refused_upload_fault("description-renders", message, response)


def _description_too_large(file: CheckedFile) -> Iterable[Fault]:
    if file.rendering.too_large:
        yield Fault(rule="description-too-large", message="The description is too large to render here.")


def _metadata_unknown_field(file: CheckedFile) -> Iterable[Fault]:
    for name in file.unknown_fields:
        yield Fault(rule="metadata-unknown-field", message=f"Unknown metadata field: {name}.")


def _metadata_repeated_field(file: CheckedFile) -> Iterable[Fault]:
    for name in file.repeated_fields:
        yield Fault(rule="metadata-repeated-field", message=f"The metadata field {name!r} appears more than once.")


RULES: Final = (
    Rule(
        id="metadata-version",
        pypi=Severity.ERROR,
        generic=Severity.WARNING,
        stage=Stage.FORM,
        cause="Metadata-Version must be a version that PyPI supports: 1.0 to 1.2, or 2.1 to 2.5.",
        source="Core metadata specification; warehouse/forklift/metadata.py:26 and 107-113.",
        example="`Metadata-Version: 2.0`, `Metadata-Version: 3.0`",
        fix="Build with a current backend.",
    ),
    Rule(
        id="metadata-version-unknown",
        pypi=Severity.WARNING,
        stage=Stage.FORM,
        cause="Metadata-Version is 2.6, which PyPI did not accept when this version of ci-publish was released.",
        source="Core metadata specification; warehouse/forklift/metadata.py:26 and 107-113.",
        example="`Metadata-Version: 2.6`",
        fix="PyPI may accept this version by now. To write an older version, build with an older backend.",
    ),
    Rule(
        id="metadata-name",
        pypi=Severity.ERROR,
        stage=Stage.FORM,
        cause=(
            "The metadata must contain a Name. It may contain ASCII letters, digits and `._-`, and must begin and end "
            "with a letter or digit."
        ),
        source="PEP 508; warehouse/forklift/forms.py:25-43.",
        example="`Name: -demo`",
        fix="Correct `name` in pyproject.toml.",
    ),
    Rule(
        id="metadata-invalid-version",
        pypi=Severity.ERROR,
        stage=Stage.FORM,
        cause="The metadata must contain a valid Version (PEP 440).",
        source="PEP 440; packaging.metadata.",
        example="`Version: latest`",
        fix="Correct `version` in pyproject.toml, or the tool that computes it.",
    ),
    Rule(
        id="metadata-summary",
        pypi=Severity.ERROR,
        generic=Severity.WARNING,
        stage=Stage.FORM,
        cause="The summary must be a single line of at most 512 characters.",
        source="warehouse/forklift/metadata.py:62-66 and 123-137.",
        example="the complete README in `description`",
        fix="Shorten `description` in pyproject.toml.",
    ),
    Rule(
        id="metadata-email",
        pypi=Severity.ERROR,
        generic=Severity.WARNING,
        stage=Stage.FORM,
        cause="The first address in Author-Email and in Maintainer-Email must be an e-mail address.",
        source="RFC 5322; warehouse/forklift/metadata.py:139-159.",
        example="`Author-Email: nobody`",
        fix="Correct `authors` or `maintainers` in pyproject.toml.",
    ),
    Rule(
        id="metadata-url",
        pypi=Severity.ERROR,
        generic=Severity.WARNING,
        stage=Stage.FORM,
        cause="Home-Page and Download-URL must be http or https URLs.",
        source="warehouse/forklift/metadata.py:192-204; warehouse/utils/http.py:49-68.",
        example="`Home-Page: example.com`",
        fix="Write the URL with https://.",
    ),
    Rule(
        id="metadata-project-url",
        pypi=Severity.ERROR,
        generic=Severity.WARNING,
        stage=Stage.FORM,
        cause="A project URL must have a unique label of 1 to 32 characters, and an http or https URL.",
        source="warehouse/forklift/metadata.py:206-221.",
        example="`Project-URL: A label that is much longer than PyPI allows, https://example.com`",
        fix="Correct `[project.urls]` in pyproject.toml.",
    ),
    Rule(
        id="metadata-classifier",
        pypi=Severity.ERROR,
        generic=Severity.WARNING,
        stage=Stage.FORM,
        cause=(
            "Classifiers must be spelled as in PyPI's list, including capitalization and spaces, and must not be "
            "deprecated. PyPI rejects classifiers that begin with `Private ::`."
        ),
        source="trove-classifiers; warehouse/forklift/metadata.py:161-190.",
        example="`Classifier: Private :: Do Not Upload`, `Classifier: programming language :: Python`",
        fix=(
            "Correct `classifiers` in pyproject.toml (see https://pypi.org/classifiers/). Projects with `Private ::` "
            "cannot be published to PyPI."
        ),
    ),
    Rule(
        id="metadata-classifier-unknown",
        pypi=Severity.WARNING,
        stage=Stage.FORM,
        cause="A classifier is not in the list that was current when this version of ci-publish was released.",
        source="trove-classifiers; warehouse/forklift/metadata.py:161-166.",
        example="`Classifier: Framework :: Brand New`",
        fix="Correct the classifier (see https://pypi.org/classifiers/), or keep it if it is new.",
    ),
    Rule(
        id="metadata-direct-dependency",
        pypi=Severity.ERROR,
        generic=Severity.WARNING,
        stage=Stage.FORM,
        cause="Dependencies must not be URLs.",
        source="PEP 440, Direct references; warehouse/forklift/metadata.py:223-262.",
        example="`Requires-Dist: other @ git+https://example.com/other`",
        fix="Depend on a release, or publish to an index other than PyPI.",
    ),
    Rule(
        id="metadata-dependency",
        pypi=Severity.ERROR,
        stage=Stage.FORM,
        cause="Requires-Dist, Provides-Dist and Obsoletes-Dist must be valid requirements (PEP 508).",
        source="PEP 508; packaging.metadata; warehouse/forklift/metadata.py:223-246.",
        example="`Requires-Dist: other (1.0`",
        fix="Correct `dependencies` in pyproject.toml.",
    ),
    Rule(
        id="metadata-requires-python",
        pypi=Severity.ERROR,
        stage=Stage.FORM,
        cause="Requires-Python must be a valid version specifier.",
        source="PEP 440; packaging.metadata.",
        example="`Requires-Python: 3.9`",
        fix="Write `requires-python` as a specifier, such as `>=3.11`.",
    ),
    Rule(
        id="metadata-dynamic",
        pypi=Severity.ERROR,
        generic=Severity.WARNING,
        stage=Stage.FORM,
        cause="Dynamic must list only fields that may be dynamic.",
        source="PEP 643; warehouse/forklift/metadata.py:264-274.",
        example="`Dynamic: Name`",
        fix="Build with a current backend.",
    ),
    Rule(
        id="metadata-license",
        pypi=Severity.ERROR,
        generic=Severity.WARNING,
        stage=Stage.FORM,
        cause=(
            "License-Expression must be an SPDX expression and cannot be combined with License. License-File must be a "
            "relative path."
        ),
        source="PEP 639; packaging.metadata; warehouse/forklift/metadata.py:276-287.",
        example="`License: MIT` together with `License-Expression: MIT`",
        fix='Keep only `license = "…"` with an SPDX expression in pyproject.toml.',
    ),
    Rule(
        id="metadata-import-name",
        pypi=Severity.ERROR,
        generic=Severity.WARNING,
        stage=Stage.FORM,
        cause="Import-Name and Import-Namespace must be dotted Python names, optionally followed by `; private`.",
        source="PEP 794; packaging.metadata.",
        example="`Import-Name: my-demo`",
        fix="Correct `import-names` in pyproject.toml.",
    ),
    Rule(
        id="metadata-content-type",
        pypi=Severity.ERROR,
        generic=Severity.WARNING,
        stage=Stage.FORM,
        cause=(
            "Description-Content-Type must be text/plain, text/x-rst or text/markdown, with the charset UTF-8 and the "
            "variant GFM or CommonMark."
        ),
        source="Core metadata specification; packaging.metadata.",
        example="`Description-Content-Type: text/html`",
        fix="Correct `readme` in pyproject.toml.",
    ),
    Rule(
        id="metadata-charset-spelling",
        pypi=Severity.WARNING,
        adjustable=True,
        pypi_only=True,
        stage=Stage.FORM,
        cause="The charset in Description-Content-Type must be UTF-8 in upper case, as PyPI required in August 2026.",
        source="packaging.metadata up to version 26.2, which warehouse used at that commit.",
        example="`Description-Content-Type: text/markdown; charset=utf-8`",
        fix="Write `charset=UTF-8`, or omit the charset.",
    ),
    Rule(
        id="metadata-field",
        pypi=Severity.ERROR,
        generic=Severity.WARNING,
        stage=Stage.FORM,
        cause="All other fields must be valid, must not appear too often, and must exist in the metadata version.",
        source="Core metadata specification; packaging.metadata.",
        example="`License-Expression` with `Metadata-Version: 2.1`, a field that appears twice",
        fix="Build with a current backend.",
    ),
    Rule(
        id="description-renders",
        pypi=Severity.ERROR,
        generic=Severity.WARNING,
        stage=Stage.DESCRIPTION,
        cause="PyPI must be able to render the description.",
        source="warehouse/forklift/legacy.py:901-932; warehouse/utils/readme.py:21-50.",
        example="a broken link or directive in a README.rst, or a README with nothing but a title",
        fix="Correct the README (line numbers refer to the description). Content type and markup must match.",
        check=_description_renders,
    ),
    Rule(
        id="description-too-large",
        pypi=Severity.WARNING,
        adjustable=True,
        cause=(
            "ci-publish does not render descriptions with more than 256 KiB of reStructuredText, 1 MiB of Markdown or "
            "2,000 headings."
        ),
        source="ci-publish's own limit. docutils and readme-renderer would take minutes.",
        example="a README.rst of 1 MB",
        fix="Shorten the README, for example with a link to the documentation.",
        check=_description_too_large,
    ),
    Rule(
        id="metadata-too-large",
        pypi=Severity.ERROR,
        ground=Ground.MACHINE,
        cause="Core metadata may have at most 10 MiB, including at most 2 MiB of headers.",
        source="ci-publish's own limit. Other tools need gigabytes of memory for such a file.",
        example="a METADATA file of 300 MB in a wheel of 306 kB",
        fix="Find out which build step makes the metadata so large.",
    ),
    Rule(
        id="metadata-byte-order-mark",
        pypi=Severity.ERROR,
        cause=(
            "Core metadata must not begin with a byte order mark. Parsers treat the mark as part of the first field's "
            "name."
        ),
        source="Core metadata specification and ci-publish's own rule. PyPI serves the file unchanged.",
        example='a METADATA file saved as "UTF-8 with BOM"',
        fix='Find out which build step writes the mark, and write UTF-8 without it (`encoding="utf-8"`).',
    ),
    Rule(
        id="metadata-not-utf8",
        pypi=Severity.ERROR,
        cause="Core metadata must be UTF-8. Otherwise, the upload form would differ from the file.",
        source="Core metadata specification and ci-publish's own rule. PyPI serves the file unchanged.",
        example="a README in Latin-1",
        fix="Save the README and pyproject.toml as UTF-8.",
    ),
    Rule(
        id="metadata-unknown-field",
        pypi=Severity.WARNING,
        adjustable=True,
        cause="All fields must be in the core metadata specification.",
        source="Core metadata specification. Unknown fields are not sent to the index.",
        example="`Licence: MIT`",
        fix="Correct the field's name. The index ignores unknown fields.",
        check=_metadata_unknown_field,
    ),
    Rule(
        id="metadata-repeated-field",
        pypi=Severity.WARNING,
        adjustable=True,
        cause="Fields with a single value must appear only once.",
        source="Core metadata specification and ci-publish's own rule. Repeated values are not sent to the index.",
        example="two `Summary:` headers",
        fix="Build with a current backend. Only the first value is uploaded.",
        check=_metadata_repeated_field,
    ),
)
