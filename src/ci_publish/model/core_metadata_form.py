"""Core metadata → the fields of the upload form, under the names that the server reads (pure).

Source: warehouse/forklift/metadata.py (``_FORM_TO_RAW_MAPPING``, ``parse_form_metadata``) and decorators.py
(``sanitize``). The server ignores unknown names, so a wrong name silently loses the value.
"""

from typing import Final

from packaging.version import Version

from ci_publish.model.distribution import CoreMetadata

_LICENSE_FILES_SINCE: Final = Version("2.4")

# Fields that appear once in a form. The checks refuse a file that has one of them twice; the first is sent.
SINGLE_FIELDS: Final = {
    "summary": "summary",
    "description-content-type": "description_content_type",
    "home-page": "home_page",
    "download-url": "download_url",
    "author": "author",
    "author-email": "author_email",
    "maintainer": "maintainer",
    "maintainer-email": "maintainer_email",
    "license": "license",
    "license-expression": "license_expression",
}

# Fields that appear in a form as often as in the file.
REPEATED_FIELDS: Final = {
    "platform": "platform",
    "supported-platform": "supported_platform",
    "classifier": "classifiers",
    "dynamic": "dynamic",
    "license-file": "license_file",
    "import-name": "import_name",
    "import-namespace": "import_namespace",
    "requires-dist": "requires_dist",
    "provides-dist": "provides_dist",
    "obsoletes-dist": "obsoletes_dist",
    "requires-external": "requires_external",
    "provides-extra": "provides_extra",
    "project-url": "project_urls",
    "requires": "requires",
    "provides": "provides",
    "obsoletes": "obsoletes",
}


def core_metadata_form_fields(metadata: CoreMetadata) -> tuple[tuple[str, str], ...]:
    """Return everything of an upload form that comes from the core metadata, as (name, value) in a stable order.

    ``metadata_version``, ``name`` and ``version`` come first, repeated fields keep the file's order, and
    ``requires_python`` is included even if it is empty (GitLab requires it). Other empty values, and distutils'
    ``UNKNOWN``, are omitted: the server deletes them first (decorators.py, ``sanitize``), along with the field's other
    values. ``License-File`` is sent from metadata 2.4 on only: setuptools wrote it into older metadata, too, where the
    server rejects it (and twine omits it). Line ends stay as they are in the file.
    """
    version = metadata.format_version
    has_license_files = version is None or version >= _LICENSE_FILES_SINCE
    repeated = {key: name for key, name in REPEATED_FIELDS.items() if key != "license-file" or has_license_files}
    optional = (
        *((name, metadata.first(key) or "") for key, name in SINGLE_FIELDS.items()),
        ("keywords", ", ".join(keyword.strip() for keyword in (metadata.first("keywords") or "").split(","))),
        *((name, value) for key, name in repeated.items() for value in metadata.all(key)),
        ("description", metadata.description or ""),
    )
    return (
        ("metadata_version", metadata.metadata_version),
        ("name", metadata.name),
        ("version", metadata.version),
        ("requires_python", _value_the_server_keeps(metadata.first("requires-python"))),
        *((name, value) for name, value in optional if _value_the_server_keeps(value)),
    )


def _value_the_server_keeps(value: str | None) -> str:
    """Return *value*, or nothing for what the server would delete."""
    return "" if value is None or value.strip() in {"", "UNKNOWN"} else value
