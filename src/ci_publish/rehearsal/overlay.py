"""The rehearsed projects over an upstream: theirs are answered here and nowhere else, all others by the upstream."""

import json
from collections.abc import Iterable
from typing import Final

from packaging.utils import InvalidName, canonicalize_name
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Request, Response

from ci_publish.rehearsal import simple_pages
from ci_publish.rehearsal.index_responses import SIMPLE_JSON, base_url, cached, simple_type
from ci_publish.rehearsal.upstream import RedirectedIndex, ServedUpstream

_SECONDS: Final = 60


class Overlay:
    """Answers for the projects that an index does not have. *rehearsed* are names that never reach the upstream.

    A project that the index has never gets here. A name is compared as installers compare it, whatever its spelling;
    the upstream is only asked for normalised names.
    """

    def __init__(self, upstream: RedirectedIndex | ServedUpstream, rehearsed: Iterable[str] = ()) -> None:
        self._upstream = upstream
        self._rehearsed = frozenset(map(canonicalize_name, rehearsed))

    def detail(self, request: Request, name: str) -> Response:
        """Return the page of a project. Raises NotFound or RefusedError."""
        project = self._project(name)
        if name != project or not request.path.endswith("/"):
            return Response(status=301, headers={"Location": f"/simple/{project}/"})
        if isinstance(self._upstream, RedirectedIndex):
            headers = {"Location": self._upstream.location(project), "Cache-Control": "no-store"}
            return Response(status=302, headers=headers)
        files = self._upstream.entries(project, base_url(request))
        kind = simple_type(request)
        if kind == SIMPLE_JSON:
            page = {"meta": {"api-version": "1.1"}, "name": project, "files": files}
            return cached(request, kind, json.dumps(page), _SECONDS)
        return cached(request, kind, simple_pages.files_html(project, files), _SECONDS)

    def file(self, request: Request, name: str, filename: str) -> Response:
        """Return a file of the upstream. Raises NotFound or RefusedError."""
        if isinstance(self._upstream, RedirectedIndex):
            raise NotFound
        return self._upstream.file(request, self._project(name), filename)

    def _project(self, name: str) -> str:
        try:
            project = canonicalize_name(name, validate=True)
        except InvalidName:
            raise NotFound from None
        if project in self._rehearsed:
            raise NotFound
        return project
