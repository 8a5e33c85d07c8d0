"""PyPI's responses: the message in the status line, and again in the body, as HTML, JSON or text (pure).

This is what Pyramid does (`pyramid.httpexceptions`), and Warehouse puts its own message into the reason phrase
(`warehouse/forklift/utils.py`), where clients read it.
"""

import html
import json
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from werkzeug.datastructures import MIMEAccept
from werkzeug.wrappers import Response

HELP: Final = "https://pypi.org/help/"

_EXPLANATIONS: Final = {
    HTTPStatus.BAD_REQUEST: (
        "The server could not comply with the request since it is either malformed or otherwise incorrect."
    ),
    HTTPStatus.FORBIDDEN: "Access was denied to this resource.",
    HTTPStatus.NOT_FOUND: "The resource could not be found.",
    HTTPStatus.METHOD_NOT_ALLOWED: "The method is not allowed for this resource.",
    HTTPStatus.GONE: "This resource is no longer available.  No forwarding address is given.",
    HTTPStatus.TOO_MANY_REQUESTS: (
        "The action could not be performed because there were too many requests by the client."
    ),
}
_LINE_BREAKS: Final = re.compile(r"[\r\n]+\s*")


class RefusedError(Exception):
    """The index rejects a request: an HTTP status and PyPI's message."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = dict(headers or {})


def status_line(status: int, message: str = "") -> str:
    """Return `status message` as it can travel in a status line: ISO-8859-1, on one line.

    PyPI lets line breaks through, which no HTTP client can read (see docs/rehearsal.md); here they become spaces.
    """
    text = _LINE_BREAKS.sub(" ", message).strip() or HTTPStatus(status).phrase
    return f"{status} {text.encode('iso-8859-1', 'replace').decode('iso-8859-1')}"


def json_response(content: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a compact JSON response."""
    body = json.dumps(content, separators=(",", ":"))
    return Response(body, status=status, headers=dict(headers or {}), content_type="application/json")


def message_response(
    accept: MIMEAccept, status: int, message: str = "", headers: Mapping[str, str] | None = None
) -> Response:
    """Return a response in the form that `accept` asks for: HTML before JSON, plain text where it asks for neither."""
    best = accept.best_match(["text/html", "application/json", "text/plain"]) if accept else None
    kind = best or "text/plain"
    response = Response(
        _message_body(kind, status, message),
        content_type=f"{kind}; charset=UTF-8" if kind != "application/json" else kind,
    )
    response.status = status_line(status, message)
    response.headers.update(headers or {})
    return response


def _message_body(kind: str, status: int, message: str) -> str:
    line, explanation = status_line(status, message), _EXPLANATIONS.get(HTTPStatus(status), "")
    match kind:
        case "text/html":
            line = html.escape(line)
            body = f"{explanation}<br/><br/>\n{html.escape(message)}\n\n"
            return (
                f"<html>\n <head>\n  <title>{line}</title>\n </head>\n"
                f" <body>\n  <h1>{line}</h1>\n  {body}\n </body>\n</html>"
            )
        case "application/json":
            text = f"{explanation}\n\n\n{message}\n\n"
            return json.dumps({"message": text, "code": line, "title": HTTPStatus(status).phrase})
        case _:
            return f"{line}\n\n{explanation}\n\n\n{message}\n\n"
