"""What a credential works with, in memory: an index that exchanges tokens, and a CI that issues identities."""

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ci_publish.errors import CiPublishError
from ci_publish.http.messages import BasicAuthorization, HttpAnswer, HttpRequest, NoAnswer, SecretJson
from ci_publish.identity.context import IdentityContext
from ci_publish.identity.keyring import Keyring
from ci_publish.model.events import Event
from ci_publish.model.identity import IdentityToken, Provider, Secret
from ci_publish.model.index import Endpoints, IndexProfile

NOW = 1_800_000_000.0

PYPI = Endpoints(
    name="pypi",
    profile=IndexProfile.PYPI,
    upload="https://upload.pypi.org/legacy/",
    audience="https://pypi.org/_/oidc/audience",
    mint="https://pypi.org/_/oidc/mint-token",
    burn="https://pypi.org/_/oidc/burn-token",
    pinned_audience="pypi",
    web="https://pypi.org/project/",
)
OTHER = Endpoints(
    name="index.example/legacy",
    profile=IndexProfile.GENERIC,
    upload="https://index.example/legacy/",
    discovery="https://index.example/.well-known/pytp?discover=%2Flegacy%2F",
    audience="https://index.example/_/oidc/audience",
    mint="https://index.example/_/oidc/mint-token",
    burn="https://index.example/_/oidc/burn-token",
)

GITHUB = {
    "iss": "https://token.actions.githubusercontent.com",
    "sub": "repo:octo-org/demo:environment:release",
    "repository": "octo-org/demo",
    "repository_owner": "octo-org",
    "repository_owner_id": "42",
    "workflow_ref": "octo-org/demo/.github/workflows/release.yml@refs/tags/v1",
    "job_workflow_ref": "octo-org/demo/.github/workflows/release.yml@refs/tags/v1",
    "ref": "refs/tags/v1",
    "sha": "0" * 40,
    "event_name": "push",
    "environment": "release",
    "jti": "1",
}
GITLAB = {
    "iss": "https://gitlab.com",
    "sub": "project_path:group/sub/demo:ref_type:tag:ref:v1",
    "namespace_path": "group/sub",
    "project_path": "group/sub/demo",
    "ci_config_ref_uri": "gitlab.com/group/sub/demo//ci/publish.yml@refs/tags/v1",
    "ref_path": "refs/tags/v1",
    "sha": "0" * 40,
    "environment": "release",
    "jti": "1",
}


def macaroon(*caveats: object, location: str = "pypi.org") -> str:
    """Return a token as PyPI makes them, with a signature that no index would take."""

    def part(kind: int, content: bytes) -> bytes:
        assert len(content) < 128
        return bytes([kind, len(content)]) + content

    head = bytes([2]) + part(1, location.encode()) + part(2, b"id") + b"\0"
    texts = [each if isinstance(each, bytes) else json.dumps(each).encode() for each in caveats]
    body = b"".join(part(2, text) + b"\0" for text in texts) + b"\0"
    return "pypi-" + base64.urlsafe_b64encode(head + body + part(6, b"s" * 32)).rstrip(b"=").decode()


def jwt(claims: Mapping[str, Any]) -> str:
    parts = ({"alg": "RS256"}, claims)
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*encoded, "signature"])


def answer(status: int, document: object = None, *, body: bytes | None = None, **headers: str) -> HttpAnswer:
    content = json.dumps(document).encode() if body is None else body
    return HttpAnswer(
        status=status,
        reason="",
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        body=content,
    )


Answer = HttpAnswer | NoAnswer
Respond = Callable[["FakeIndex", HttpRequest], Answer]


@dataclass
class FakeIndex:
    """Implements ``Transport``: scripted answers for each kind of request, else those of a working index."""

    audience: object = "pypi"
    lifetime: float = 900.0
    clock: Callable[[], float] = lambda: NOW
    scripts: dict[str, list[Answer | Respond]] = field(default_factory=dict)
    requests: list[HttpRequest] = field(default_factory=list)
    identities: list[str] = field(default_factory=list)
    minted: list[str] = field(default_factory=list)
    burnt: list[str] = field(default_factory=list)
    deadlines: list[float | None] = field(default_factory=list)

    def send(self, request: HttpRequest, *, deadline: float | None = None, limit: int | None = None) -> Answer:
        self.requests.append(request)
        self.deadlines.append(deadline)
        kind = request.url.partition("?")[0].rpartition("/")[2]
        if kind == "mint-token":
            self.identities.append(sent_secret(request))
        if script := self.scripts.get(kind):
            scripted = script.pop(0)
            return scripted(self, request) if callable(scripted) else scripted
        return self._working(kind, request)

    def _working(self, kind: str, request: HttpRequest) -> Answer:
        match kind:
            case "audience":
                return answer(200, {"audience": self.audience})
            case "mint-token":
                return self.mint()
            case "burn-token":
                self.burnt.append(sent_secret(request))
                return answer(202, {"message": "Accepted"})
            case _:
                return answer(404, body=b"<h1>Not found</h1>")

    def mint(self) -> HttpAnswer:
        token = f"pypi-upload-{len(self.minted) + 1}"
        self.minted.append(token)
        return answer(200, {"success": True, "token": token, "expires": int(self.clock() + self.lifetime)})


def sent_secret(request: HttpRequest) -> str:
    assert isinstance(request.body, SecretJson)
    [(name, secret)] = request.body.fields
    assert name == "token"
    return secret.reveal()


@dataclass
class FakeCI:
    """Implements ``IdentitySource``: each token is another one where the CI can give several."""

    provider: Provider | None = Provider.GITHUB
    claims: Mapping[str, Any] = field(default_factory=lambda: GITHUB)
    asked: list[str] = field(default_factory=list)
    error: Exception | None = None
    lacks: Mapping[str | None, CiPublishError] = field(default_factory=dict)

    @property
    def repeatable(self) -> bool:
        return self.provider is not Provider.GITLAB

    def missing_identity_error(self, audience: str | None) -> CiPublishError | None:
        return self.lacks.get(audience)

    def token(self, audience: str) -> IdentityToken:
        self.asked.append(audience)
        if self.error:
            raise self.error
        number = len(self.asked) if self.repeatable else 1
        claims = {"aud": audience, **self.claims, "jti": f"{self.provider}-{number}"}
        return IdentityToken(
            secret=Secret(jwt(claims)), audience=audience, provider=self.provider or Provider.GITHUB, claims=claims
        )


@dataclass
class FakeWaiting:
    """Implements ``Waiting`` without waiting: time passes on the world's clock."""

    world: "Harness"
    stopped: bool = False
    cut: bool = False
    remaining: float = 3600.0

    def wait(self, seconds: float) -> bool:
        self.world.waits.append(seconds)
        self.world.now += seconds
        return self.stopped

    def left(self) -> float:
        return self.remaining


@dataclass
class Harness:
    """Everything a credential works with."""

    index: FakeIndex = field(default_factory=FakeIndex)
    ci: FakeCI = field(default_factory=FakeCI)
    now: float = NOW
    events: list[Event] = field(default_factory=list)
    masked: list[str] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    shields: list[str] = field(default_factory=list)
    waiting: FakeWaiting = field(init=False)

    def __post_init__(self) -> None:
        self.waiting = FakeWaiting(self)
        self.index.clock = lambda: self.now

    def tools(self, keyring: Keyring | None = None, timeout: float | None = None) -> IdentityContext:
        return IdentityContext(
            source=self.ci,
            transport=self.index,
            waiting=self.waiting,
            emit=self.events.append,
            mask=lambda secret: self.masked.append(secret.reveal()),
            clock=lambda: self.now,
            random=lambda: 0.5,
            shielded=self._shielded,
            keyring=keyring,
            timeout=timeout,
        )

    @contextmanager
    def _shielded(self) -> Iterator[None]:
        self.shields.append("open")
        yield
        self.shields.append("closed")

    def of(self, kind: type[Event]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


def password(authorization: object) -> str:
    assert isinstance(authorization, BasicAuthorization)
    assert authorization.user == "__token__"
    return authorization.secret.reveal()
