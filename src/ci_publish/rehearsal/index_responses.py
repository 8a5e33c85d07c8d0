"""Responses of the rehearsal's index: content negotiation, caching and errors as PyPI has them."""

import hashlib
import re
from typing import Final

from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.wrappers import Request, Response

from ci_publish.rehearsal.message_responses import message_response

SIMPLE_JSON: Final = "application/vnd.pypi.simple.v1+json"
SIMPLE_HTML: Final = "application/vnd.pypi.simple.v1+html"
_SIMPLE_SECONDS: Final = 10 * 60
# `warehouse/views.py`, JSON_REGEX
_JSON_PATH: Final = re.compile(r"/pypi/[^/]+/?[^/]*/json/?")


def http_error_response(request: Request, error: HTTPException) -> Response:
    """Return the response to an error that routing or a handler raised (`warehouse/views.py`, httpexception_view)."""
    headers = {"Allow": ", ".join(sorted(error.valid_methods or ()))} if hasattr(error, "valid_methods") else {}
    if isinstance(error, NotFound) and request.path.startswith("/simple/"):
        return Response("404 Not Found", 404, content_type="text/plain; charset=UTF-8")
    if isinstance(error, NotFound) and _JSON_PATH.fullmatch(request.path):
        return Response('{"message": "Not Found"}', 404, content_type="application/json; charset=utf-8")
    return message_response(request.accept_mimetypes, error.code or 500, "", headers)


def index_base_url(request: Request) -> str:
    """Return the index's own address, as the client named it, without a slash at the end."""
    return request.host_url.rstrip("/")


def simple_api_media_type(request: Request) -> str:
    """Return the media type that PyPI chooses: HTML by default, and also where it has nothing that is acceptable."""
    if not request.accept_mimetypes:
        return "text/html"
    return request.accept_mimetypes.best_match(["text/html", SIMPLE_HTML, SIMPLE_JSON], "text/html") or "text/html"


def cacheable_response(
    request: Request, content_type: str, body: str, *, seconds: int = _SIMPLE_SECONDS, serial: int | None = None
) -> Response:
    """Return a response with what caches need: an ETag, a serial, and 304 where the client has the page."""
    kind = f"{content_type}; charset=UTF-8" if content_type.startswith("text/") else content_type
    response = Response(body, content_type=kind)
    response.headers["Cache-Control"] = f"max-age={seconds}, public"
    response.headers["Vary"] = "Accept, Accept-Encoding"
    if serial is not None:
        response.headers["X-PyPI-Last-Serial"] = str(serial)
    response.set_etag(hashlib.blake2b(body.encode(), digest_size=16).hexdigest())
    return response.make_conditional(request)
