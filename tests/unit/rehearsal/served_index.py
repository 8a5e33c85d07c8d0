"""A rehearsal index without a socket, for the tests that talk to it as a client would."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from werkzeug.datastructures import MultiDict
from werkzeug.test import Client, TestResponse

from ci_publish.rehearsal.identity_provider import RehearsalIdentityProvider
from ci_publish.rehearsal.index_server import IndexBehaviour, RehearsalIndex
from ci_publish.rehearsal.overlay import UpstreamOverlay
from ci_publish.rehearsal.registered_publishers import GitHubPublisher
from ci_publish.rehearsal.storage import RehearsalStorage
from ci_publish.rehearsal.trusted_publishing import AUDIENCE, Registration
from ci_publish.rehearsal.upload_validation import FileValidator
from tests.distributions import make_sdist, make_wheel

if TYPE_CHECKING:
    from sigstore.models import TrustedRoot

NOW = 1_795_000_000.0
JSON = {"Accept": "application/json"}
SIMPLE_JSON = {"Accept": "application/vnd.pypi.simple.v1+json"}


class Clock:
    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


# A key takes long to make, so all indexes of a process believe the same provider; its clock starts again with each.
CLOCK = Clock()
PROVIDER = RehearsalIdentityProvider(clock=CLOCK)


@dataclass
class ServedIndex:
    """An index, the identity provider that it believes, and a client."""

    index: RehearsalIndex
    provider: RehearsalIdentityProvider
    folder: Path
    clock: Clock
    client: Client

    def mint(self, identity_token: str | None = None) -> TestResponse:
        token = self.provider.issue(AUDIENCE) if identity_token is None else identity_token
        return self.client.post("/_/oidc/mint-token", json={"token": token})

    def minted(self) -> str:
        return str(self.mint().json["token"])  # type: ignore[index]

    def refusal(self, identity_token: str | None = None) -> tuple[str, str]:
        """Mint, which must fail, and return code and description."""
        answer = self.mint(identity_token)
        assert (answer.status_code, answer.json["message"]) == (422, "Token request failed")  # type: ignore[index]
        (error,) = answer.json["errors"]  # type: ignore[index]
        return error["code"], error["description"]

    def wheel(self, name: str = "demo", version: str = "1.0", payload: bytes = b"x = 1\n", **options: str) -> Path:
        return make_wheel(self.folder / "dist", name, version, payload=payload, **options)  # type: ignore[arg-type]

    def sdist(self, name: str = "demo", version: str = "1.0", payload: bytes = b"x = 1\n") -> Path:
        return make_sdist(self.folder / "dist", name, version, payload=payload)

    def upload(
        self,
        path: Path | None = None,
        *,
        token: str | None = None,
        filename: str | None = None,
        headers: Mapping[str, str] | None = None,
        content: object = ...,
        **fields: Any,  # noqa: ANN401 - texts, lists of texts, or None
    ) -> TestResponse:
        """Upload a file as a careful client would; *fields* change the form (None leaves a field away)."""
        file = path or self.wheel()
        called = filename or file.name
        form = MultiDict[str, Any](form_of(called, file.read_bytes()))
        for name, value in fields.items():
            form.setlist(":action" if name == "action" else name, [] if value is None else _list(value))
        if content is ...:
            form["content"] = (file.open("rb"), called, "application/octet-stream")
        elif content is not None:
            form.setlist("content", content if isinstance(content, list) else [content])
        sent = {"Authorization": f"Bearer {token or self.index.issue_api_token()}", **JSON, **(headers or {})}
        return self.client.post("/legacy/", data=form, headers=sent)

    def get(self, path: str, **headers: str) -> TestResponse:
        return self.client.get(path, headers=headers)

    def detail(self, project: str = "demo") -> dict[str, Any]:
        content: dict[str, Any] = self.client.get(f"/simple/{project}/", headers=SIMPLE_JSON).json  # type: ignore[assignment]
        return content


def _list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def form_of(filename: str, content: bytes) -> dict[str, str]:
    """Return a valid form for a file that is named well enough to say what it is."""
    name, version = filename.removesuffix(".tar.gz").split("-")[:2]
    wheel = filename.endswith(".whl")
    return {
        ":action": "file_upload",
        "protocol_version": "1",
        "metadata_version": "2.4",
        "name": name.replace("_", "-"),
        "version": version,
        "filetype": "bdist_wheel" if wheel else "sdist",
        "pyversion": "py3" if wheel else "source",
        "sha256_digest": hashlib.sha256(content).hexdigest(),
        "summary": "Made by a test",
        "requires_python": ">=3.9",
    }


@contextmanager
def served_index(  # noqa: PLR0913  (an index's own choices, all by name)
    folder: Path,
    *,
    validate_file: FileValidator = lambda *_: None,
    registrations: list[Registration] | None = None,
    token_lifetime: float = 900,
    discovery: bool = False,
    overlay: UpstreamOverlay | None = None,
) -> Iterator[ServedIndex]:
    CLOCK.now = NOW
    storage = RehearsalStorage(folder / "index")
    index = RehearsalIndex(
        storage=storage,
        identity_provider=PROVIDER,
        trusted_root=cast("TrustedRoot", None),  # attestations are tested in a whole world
        behaviour=IndexBehaviour(
            validate_file=validate_file,
            registrations=registrations,
            token_lifetime=token_lifetime,
            discovery=discovery,
            overlay=overlay,
        ),
        clock=CLOCK,
    )
    try:
        yield ServedIndex(index, PROVIDER, folder, CLOCK, Client(index.app))
    finally:
        storage.close()


def words(response: TestResponse) -> tuple[int, str]:
    """Return an answer's status and words, which stand in the status line and in the body alike."""
    reason = response.status.partition(" ")[2]
    assert json.loads(response.get_data())["code"] == response.status
    return response.status_code, reason


GITHUB = GitHubPublisher(repository="octo-org/demo", workflow="release.yml")


SEE = "See https://pypi.org/help/"
