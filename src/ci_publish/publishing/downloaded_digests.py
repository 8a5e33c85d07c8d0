"""Computes digests that an index does not show, by downloading the files."""

from collections.abc import Iterable
from dataclasses import replace

from ci_publish.model.distribution import Distribution
from ci_publish.model.events import Emit, Noted
from ci_publish.model.index import IndexProfile, IndexState, ProjectListing, PublishedFile
from ci_publish.publishing.planning import find_published_file
from ci_publish.publishing.ports import Index


def with_downloaded_digests(
    index: Index, files: Iterable[Distribution], state: IndexState, *, limit: int, emit: Emit
) -> IndexState:
    """Return *state* with the SHA-256 of those of *files* whose listing shows no digest.

    They are downloaded, up to *limit* bytes each, only from indexes without PyPI's rules. If a download fails, the
    digest remains unknown.
    """
    if not isinstance(state, ProjectListing) or index.endpoints.profile is IndexProfile.PYPI:
        return state
    found: dict[str, PublishedFile] = {}
    for file in files:
        published = find_published_file(file.filename, state)
        if published is None or published.sha256 or published.md5 or max(file.size, published.size or 0) > limit:
            continue
        message = (
            f"{index.endpoints.name} shows no digest of {published.filename}: downloading it to compare the content."
        )
        emit(Noted(slug="compared-by-download", message=message, warning=False, filename=published.filename))
        if (sha256 := index.download_sha256(published, limit)) is not None:
            found[published.filename] = replace(published, sha256=sha256)
    return replace(state, files={**state.files, **found}) if found else state
