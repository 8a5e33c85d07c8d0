"""What the tests of the index share: a distribution on disk, and a transport that answers from a script."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from ci_publish.http.messages import (
    BasicAuthorization,
    BodyChanged,
    BodyWithdrawn,
    HttpAnswer,
    HttpRequest,
    NoAnswer,
    NoAnswerReason,
    SecretJson,
)
from ci_publish.index.client import HttpIndex
from ci_publish.index.current_endpoints import Sources
from ci_publish.index.endpoints import Profile, resolve_endpoints
from ci_publish.model.distribution import CoreMetadata, Digests, Distribution, Kind, Stamp
from ci_publish.model.identity import Secret

T = TypeVar("T")
AUTHORIZATION = BasicAuthorization("u", Secret("password"))
NOW = 1_800_000_000.0
FILENAME = "demo-1.0-py3-none-any.whl"
JSON = "application/vnd.pypi.simple.v1+json"


def make_file(
    folder: Path, content: bytes = b"the bytes of a wheel", filename: str = FILENAME, kind: Kind = Kind.WHEEL
) -> Distribution:
    path = folder / filename
    path.write_bytes(content)
    status = path.stat()
    return Distribution(
        path=path,
        filename=filename,
        kind=kind,
        project="demo",
        version="1.0",
        python_tag="py3" if kind is Kind.WHEEL else "source",
        size=len(content),
        digests=Digests(hashlib.sha256(content).hexdigest()),
        metadata=CoreMetadata(
            metadata_version="2.1",
            name="Demo",
            version="1.0",
            fields=(("summary", "Caf\u00e9"), ("classifier", "Typing :: Typed"), ("classifier", "Topic :: Utilities")),
        ),
        stamp=Stamp(device=status.st_dev, inode=status.st_ino, size=status.st_size, mtime_ns=status.st_mtime_ns),
    )


def answer(
    status: int = 200,
    body: bytes | str = b"",
    reason: str = "",
    *,
    truncated: bool = False,
    **headers: str,
) -> HttpAnswer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpAnswer(
        status=status,
        reason=reason,
        headers=named,
        body=body.encode() if isinstance(body, str) else body,
        truncated=truncated,
    )


def listing(*files: Mapping[str, object], serial: int | None = None, etag: str = "", **more: object) -> HttpAnswer:
    meta = {"api-version": "1.1", **({} if serial is None else {"_last-serial": serial})}
    body = json.dumps({"meta": meta, "name": "demo", "files": files, **more})
    made = answer(200, body, content_type=JSON)
    return replace(made, headers={**made.headers, "etag": etag}) if etag else made


def listed(filename: str = FILENAME, sha256: str = "0" * 64, **more: object) -> dict[str, object]:
    return {"filename": filename, "url": f"/files/{filename}", "hashes": {"sha256": sha256}, **more}


LOST = NoAnswer(NoAnswerReason.RESET, "the connection was closed", sent=True)
UNREACHABLE = NoAnswer(NoAnswerReason.CONNECT, "cannot connect")

Scripted = HttpAnswer | NoAnswer | Callable[[HttpRequest], HttpAnswer | NoAnswer]


@dataclass
class ScriptedTransport:
    """A ``Transport`` that reads every body to its end and answers from two scripts; the last answer is repeated."""

    uploads: list[Scripted] = field(default_factory=list)
    looks: list[Scripted] = field(default_factory=lambda: [answer(404)])
    requests: list[HttpRequest] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    limits: list[int | None] = field(default_factory=list)

    def send(
        self, request: HttpRequest, *, deadline: float | None = None, limit: int | None = None
    ) -> HttpAnswer | NoAnswer:
        self.requests.append(request)
        self.limits.append(limit)
        try:
            self.bodies.append(_read(request))
        except BodyChanged as error:
            return NoAnswer(NoAnswerReason.FILE_CHANGED, str(error))
        except BodyWithdrawn as error:
            return NoAnswer(NoAnswerReason.CANCELLED, str(error))
        script = self.uploads if request.method == "POST" else self.looks
        act = script.pop(0) if len(script) > 1 else script[0]
        return act if isinstance(act, HttpAnswer | NoAnswer) else act(request)

    @property
    def urls(self) -> list[str]:
        return [request.url for request in self.requests]


def _read(request: HttpRequest) -> bytes:
    body = request.body
    if body is None or isinstance(body, bytes):
        return body or b""
    assert not isinstance(body, SecretJson)
    whole = b"".join(_blocks(iter(body)))
    assert len(whole) == body.length
    return whole


def _blocks(blocks: Iterator[bytes]) -> Iterator[bytes]:
    yield from blocks


@dataclass
class Waits:
    """``Waiting`` that returns at once and remembers; after *stop_after* waits the run is stopped."""

    waits: list[float] = field(default_factory=list)
    stop_after: int | None = None
    cut: bool = False
    stopped: bool = False

    def wait(self, seconds: float) -> bool:
        self.waits.append(seconds)
        if self.stop_after is not None and len(self.waits) >= self.stop_after:
            self.stopped = True
        return self.stopped

    def left(self) -> float:
        return 3600.0


class Played:
    """An index client over a scripted transport, and what it did."""

    def __init__(
        self,
        *uploads: Scripted,
        looks: list[Scripted] | None = None,
        url: str = "https://index.example/legacy/",
        profile: Profile = "pypi",
        stop_after: int | None = None,
        clock: Callable[[], float] = lambda: NOW,
    ) -> None:
        self.transport = ScriptedTransport(list(uploads), [answer(404)] if looks is None else looks)
        self.events: list[object] = []
        self.waiting = Waits(stop_after=stop_after)
        self.throttled = 0
        self.index = HttpIndex(
            endpoints=resolve_endpoints(url, profile=profile),
            transport=self.transport,
            emit=self.events.append,
            waiting=self.waiting,
            listing_authorization=AUTHORIZATION,
            sources=Sources(random=lambda: 0.5, clock=clock, boundary=lambda: "BOUNDARY"),
        )

    def upload(self, file: Distribution) -> object:
        return self.index.upload(file, (), AUTHORIZATION, self.throttle)

    def throttle(self) -> None:
        self.throttled += 1

    def of(self, kind: type[T]) -> list[T]:
        return [event for event in self.events if isinstance(event, kind)]
