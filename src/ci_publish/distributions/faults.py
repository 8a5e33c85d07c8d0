"""Faults: what is wrong with distributions, and how PyPI's server answers (pure values)."""

from collections.abc import Iterable
from typing import Final

from ci_publish.model.frozen import frozen

SERVER_ERROR: Final = "Internal Server Error"


@frozen
class ServerRefusal:
    """The answer of PyPI's upload API to a file: the HTTP status and the reason phrase."""

    status: int
    message: str


@frozen(kw_only=True)
class Fault:
    """One thing that is wrong with a file, by the id of the rule that it breaks.

    ``message`` is for people and may contain any characters from the file. ``refusal`` is PyPI's answer to such a file,
    None if the server accepts it. ``filename`` names the file; rules that check a single file leave it out.
    ``advice`` says what to do in this case, if that differs from the advice of the rule.
    """

    rule: str
    message: str
    refusal: ServerRefusal | None = None
    filename: str | None = None
    advice: str = ""


@frozen
class Rendering:
    """The result of rendering a description: ``fault`` says why PyPI cannot; ``too_large``: it was not attempted."""

    fault: str | None = None
    too_large: bool = False


def bad_request_refusal(message: str) -> ServerRefusal:
    """Return the usual refusal: 400 with the server's message."""
    return ServerRefusal(400, message)


def refused_upload_fault(rule: str, message: str, response: str, *, advice: str = "") -> Fault:
    """Return a fault that PyPI's server rejects with a 400 and *response*."""
    return Fault(rule=rule, message=message, refusal=bad_request_refusal(response), advice=advice)


def invalid_file_refusal(reason: str | None) -> ServerRefusal:
    """Return the server's refusal of a broken archive (warehouse/forklift/legacy.py:1314)."""
    return bad_request_refusal(f"Invalid distribution file. {reason}")


def invalid_file_fault(rule: str, message: str, reason: str) -> Fault:
    """Return a fault that PyPI's server rejects as a broken archive, for *reason*."""
    return Fault(rule=rule, message=message, refusal=invalid_file_refusal(reason))


def upload_crash_refusal() -> ServerRefusal:
    """Return the server's answer if the file makes it crash: a bare 500, however often the upload is retried."""
    return ServerRefusal(500, SERVER_ERROR)


def list_first(texts: Iterable[str], most: int, conjunction: str = " and") -> str:
    """Return the first of *texts*, at most *most*, and how many more there are: ``a, b and 3 more``."""
    everything = list(texts)
    more = f"{conjunction} {len(everything) - most} more" if len(everything) > most else ""
    return ", ".join(everything[:most]) + more
