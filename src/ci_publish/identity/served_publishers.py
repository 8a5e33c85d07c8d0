"""Whether the provenance that an index serves names the publisher of this job (pure).

That does not prove that the publisher is still registered, but it is the best evidence that there is: the index
accepted an upload of this publisher for this project. Source: PEP 740, "publisher" objects, as pypi_attestations writes
them.
"""

from collections.abc import Callable, Mapping

from ci_publish.errors import CiPublishError
from ci_publish.http.response_texts import json_object_fields
from ci_publish.identity.publisher_forms import publisher_form_for
from ci_publish.model.filename import version_in_filename
from ci_publish.model.identity import Claims
from ci_publish.model.index import IndexState, ProjectListing

# The names of the form's fields in a publisher object of each kind.
_FIELDS = {
    "GitHub": {"workflow": "workflow_filename"},
    "GitLab": {"workflow_filepath": "workflow_filepath"},
    "Google": {"email": "email"},
}


def projects_with_job_publisher(
    states: Mapping[str, IndexState], provenance: Callable[[str, str, str], bytes | None], claims: Claims
) -> set[str]:
    """Return the projects whose newest provenance names the publisher that matches *claims*.

    *provenance* fetches what the index serves for a project's release and file; if it fails, nothing is known.
    """
    found = set()
    for project, state in states.items():
        files = state.files.values() if isinstance(state, ProjectListing) else ()
        attested = [file for file in files if file.provenance and not file.inherited]
        newest = max(attested, key=lambda file: file.upload_time or "", default=None)
        version = None if newest is None else version_in_filename(newest.filename)
        if newest is None or version is None:
            continue
        try:
            served = provenance(project, version, newest.filename)
        except CiPublishError:
            continue
        if served is not None and provenance_names_job_publisher(served, claims):
            found.add(project)
    return found


def provenance_names_job_publisher(provenance: bytes, claims: Claims) -> bool:
    """Return whether a publisher in *provenance* is the one that matches *claims*."""
    form = publisher_form_for(claims)
    if form is None or form.kind not in _FIELDS:
        return False
    repository = str(claims.get("repository") or claims.get("project_path")).casefold()
    environment = form.values.get("environment", "").casefold()
    bundles = json_object_fields(provenance).get("attestation_bundles")
    for bundle in bundles if isinstance(bundles, list) else ():
        publisher = bundle.get("publisher") if isinstance(bundle, dict) else None
        if (
            isinstance(publisher, dict)
            and publisher.get("kind") == form.kind
            and (form.kind == "Google" or str(publisher.get("repository")).casefold() == repository)
            and str(publisher.get("environment") or "").casefold() in {"", environment}
            and all(publisher.get(theirs) == form.values[ours] for theirs, ours in _FIELDS[form.kind].items())
        ):
            return True
    return False
