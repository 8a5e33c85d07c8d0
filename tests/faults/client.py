"""The real index client against the fault server: short limits, and waits that are written down instead of waited."""

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from ci_publish.http.messages import BasicAuthorization
from ci_publish.http.sockets import Timeouts
from ci_publish.http.transport import ConnectionLimits, HttpTransport
from ci_publish.index.client import HttpIndex
from ci_publish.index.current_endpoints import Sources
from ci_publish.index.endpoints import resolve_endpoints
from ci_publish.model.distribution import CoreMetadata, Digests, Distribution, Kind, Stamp
from ci_publish.model.events import Event, RequestTraced, Retrying
from ci_publish.model.identity import Secret
from ci_publish.model.index import UploadOutcome

TIMEOUTS = Timeouts(connect=2.0, tls=0.5, read=0.6, answer=1.0)
PASSWORD = Secret("pypi-a-password-nobody-may-see")
AUTHORIZATION = BasicAuthorization("__token__", PASSWORD)
NOW = 1_800_000_000.0


@dataclass
class WrittenDown:
    """``Waiting`` that returns at once and remembers."""

    waits: list[float] = field(default_factory=list)
    cut: bool = False
    stopped: bool = False

    def wait(self, seconds: float) -> bool:
        self.waits.append(seconds)
        return self.stopped

    def left(self) -> float:
        return 3600.0


def make_file(folder: Path, size: int = 2_000, filename: str = "demo-1.0-py3-none-any.whl") -> Distribution:
    """Write *size* random bytes and describe them as a distribution."""
    path = folder / filename
    content = os.urandom(size)
    path.write_bytes(content)
    status = path.stat()
    return Distribution(
        path=path,
        filename=filename,
        kind=Kind.WHEEL,
        project="demo",
        version="1.0",
        python_tag="py3",
        size=size,
        digests=Digests(hashlib.sha256(content).hexdigest()),
        metadata=CoreMetadata(metadata_version="2.1", name="demo", version="1.0", fields=(("summary", "A demo"),)),
        stamp=Stamp(device=status.st_dev, inode=status.st_ino, size=status.st_size, mtime_ns=status.st_mtime_ns),
    )


@dataclass
class Client:
    """An ``HttpIndex`` and what can be seen of it from outside."""

    upload_url: str
    profile: str = "pypi"
    timeouts: Timeouts = TIMEOUTS
    environ: Mapping[str, str] = field(default_factory=dict)
    allow_http: frozenset[str] = frozenset()
    emit: Callable[[Event], None] | None = None
    events: list[Event] = field(default_factory=list)
    waiting: WrittenDown = field(default_factory=WrittenDown)
    throttled: int = 0

    def __post_init__(self) -> None:
        self.transport = HttpTransport(
            waiting=self.waiting,
            emit=self.events.append,
            limits=ConnectionLimits(timeouts=self.timeouts, allow_http=self.allow_http),
            environ=self.environ,
        )
        self.index = HttpIndex(
            endpoints=resolve_endpoints(self.upload_url, None, self.profile, allow_http=self.allow_http),  # type: ignore[arg-type]
            transport=self.transport,
            emit=self.events.append if self.emit is None else self.emit,
            waiting=self.waiting,
            listing_authorization=AUTHORIZATION,
            sources=Sources(random=lambda: 0.5, clock=lambda: NOW),
        )

    def upload(self, distribution: Distribution) -> UploadOutcome:
        return self.index.upload(distribution, (), AUTHORIZATION, self._throttle)

    def _throttle(self) -> None:
        self.throttled += 1

    @property
    def retries(self) -> list[Retrying]:
        return [event for event in self.events if isinstance(event, Retrying)]

    @property
    def traces(self) -> list[RequestTraced]:
        return [event for event in self.events if isinstance(event, RequestTraced)]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.transport.close()
