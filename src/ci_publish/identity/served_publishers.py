"""Whether the provenance that an index serves names the publisher of this job (pure).

It does not prove that the publisher is still registered, and it is what comes nearest: the index accepted an upload of
this very publisher for this very project. Source: PEP 740, "publisher" objects, as pypi_attestations writes them.
"""

import json
from collections.abc import Iterator
from typing import Any

from ci_publish.identity.publisher_forms import publisher_form_for
from ci_publish.model.identity import Claims
from ci_publish.model.index import ProjectListing, PublishedFile

# What a publisher object calls the fields of each kind's form.
_FIELDS = {
    "GitHub": {"workflow": "workflow_filename"},
    "GitLab": {"workflow_filepath": "workflow_filepath"},
    "Google": {"email": "email"},
}


def newest_file_with_provenance(listing: ProjectListing) -> PublishedFile | None:
    """Return the file that was uploaded last of those with provenance; None where there is none."""
    files = [file for file in listing.files.values() if file.provenance and not file.inherited]
    return max(files, key=lambda file: file.upload_time or "", default=None)


def provenance_names_job_publisher(provenance: bytes, claims: Claims) -> bool:
    """Return whether a publisher in *provenance* is the one that matches *claims*."""
    return any(
        _publisher_matches_claims(publisher, claims) for publisher in _publishers_served_in_provenance(provenance)
    )


def _publishers_served_in_provenance(provenance: bytes) -> Iterator[dict[str, Any]]:
    try:
        document = json.loads(provenance)
    except (ValueError, RecursionError):
        return
    bundles = document.get("attestation_bundles") if isinstance(document, dict) else None
    for bundle in bundles if isinstance(bundles, list) else ():
        if isinstance(bundle, dict) and isinstance(publisher := bundle.get("publisher"), dict):
            yield publisher


def _publisher_matches_claims(publisher: dict[str, Any], claims: Claims) -> bool:
    form = publisher_form_for(claims)
    if form is None or publisher.get("kind") != form.kind or form.kind not in _FIELDS:
        return False
    repository = claims.get("repository") or claims.get("project_path")
    if form.kind != "Google" and str(publisher.get("repository")).casefold() != str(repository).casefold():
        return False
    environment = str(publisher.get("environment") or "").casefold()
    if environment not in {"", form.field_value("environment").casefold()}:
        return False
    return all(publisher.get(theirs) == form.field_value(ours) for theirs, ours in _FIELDS[form.kind].items())
