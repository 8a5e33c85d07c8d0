"""An upstream answers for the projects that the index does not have, except for those that are rehearsed."""

import json
from collections.abc import Iterable
from typing import Final

from packaging.utils import InvalidName, canonicalize_name
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Request, Response

from ci_publish.rehearsal import simple_pages
from ci_publish.rehearsal.index_responses import (
    SIMPLE_JSON,
    cacheable_response,
    index_base_url,
    simple_api_media_type,
)
from ci_publish.rehearsal.upstream import RedirectedIndex, ServedUpstream

_SECONDS: Final = 60


class UpstreamOverlay:
    """Answers for the projects that an index does not have. *rehearsed* are names that never reach the upstream.

    The index answers for the projects that it has. Names are compared as installers compare them, in any spelling; the
    upstream is only asked for normalised names.
    """

    def __init__(self, upstream: RedirectedIndex | ServedUpstream, rehearsed: Iterable[str] = ()) -> None:
        self._upstream = upstream
        self._rehearsed = frozenset(map(canonicalize_name, rehearsed))

    def serve_project_listing(self, request: Request, name: str) -> Response:
        """Return the page of a project. Raises NotFound or RefusedError."""
        project = self._require_upstream_project(name)
        if name != project or not request.path.endswith("/"):
            return Response(status=301, headers={"Location": f"/simple/{project}/"})
        if isinstance(self._upstream, RedirectedIndex):
            headers = {"Location": self._upstream.project_page_location(project), "Cache-Control": "no-store"}
            return Response(status=302, headers=headers)
        files = self._upstream.listing_entries(project, index_base_url(request))
        kind = simple_api_media_type(request)
        if kind == SIMPLE_JSON:
            page = {"meta": {"api-version": "1.1"}, "name": project, "files": files}
            return cacheable_response(request, kind, json.dumps(page), seconds=_SECONDS)
        page_html = simple_pages.listing_html_of_files(project, files)
        return cacheable_response(request, kind, page_html, seconds=_SECONDS)

    def serve_upstream_file(self, request: Request, name: str, filename: str) -> Response:
        """Return a file of the upstream. Raises NotFound or RefusedError."""
        if isinstance(self._upstream, RedirectedIndex):
            raise NotFound
        return self._upstream.serve_file(request, self._require_upstream_project(name), filename)

    def _require_upstream_project(self, name: str) -> str:
        try:
            project = canonicalize_name(name, validate=True)
        except InvalidName:
            raise NotFound from None
        if project in self._rehearsed:
            raise NotFound
        return project
