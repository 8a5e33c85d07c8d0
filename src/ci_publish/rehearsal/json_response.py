"""One way to answer with JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from werkzeug.wrappers import Response

if TYPE_CHECKING:
    from collections.abc import Mapping


def json_response(content: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a compact JSON response."""
    body = json.dumps(content, separators=(",", ":"))
    return Response(body, status=status, headers=dict(headers or {}), content_type="application/json")
