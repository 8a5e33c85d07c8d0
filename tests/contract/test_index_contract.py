"""One suite for the Index port: the fake that the pipeline is tested with, and the real client over two servers."""

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ci_publish.index.client import HttpIndex
from ci_publish.index.endpoints import resolve
from ci_publish.index.transport import HttpTransport
from ci_publish.model.distribution import Distribution
from ci_publish.model.http import BasicAuthorization
from ci_publish.model.identity import Secret
from ci_publish.model.index import Accepted, AlreadyThere, CredentialRefused, NoSuchProject, ProjectListing
from ci_publish.ports import Index
from ci_publish.rehearsal.world import RehearsalWorld
from tests.faults.server import FaultServer
from tests.unit.fakes import FakeIndex
from tests.unit.index.things import Waits, make_file


@dataclass
class Kind:
    """An index, and a credential that it takes."""

    index: Index
    authorization: BasicAuthorization


@pytest.fixture(params=["fake", "raw sockets", "rehearsal"])
def kind(request: pytest.FixtureRequest) -> Iterator[Kind]:
    credential = BasicAuthorization("__token__", Secret("a token"))
    if request.param == "fake":
        yield Kind(FakeIndex(), credential)
        return
    if request.param == "raw sockets":
        with FaultServer() as server:
            yield from _real(server.upload_url, credential)
        return
    with RehearsalWorld() as world:
        token = Secret(world.issue_api_token())
        yield from _real(world.repository_url, BasicAuthorization("__token__", token))


def _real(url: str, authorization: BasicAuthorization) -> Iterator[Kind]:
    waiting = Waits()
    transport = HttpTransport(waiting=waiting, emit=lambda _: None, environ={})
    index = HttpIndex(resolve(url, profile="pypi"), transport, emit=lambda _: None, waiting=waiting)
    yield Kind(index, authorization)
    transport.close()


def wheel(folder: Path, content: str = "") -> Distribution:
    """Make a wheel that any index takes."""
    folder.mkdir(exist_ok=True)
    info = "demo-1.0.dist-info"
    members = {
        "demo.py": content,
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: Demo\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{name},,\n" for name in (*members, f"{info}/RECORD"))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in (*members.items(), (f"{info}/RECORD", record)):
            archive.writestr(name, text)
    return make_file(folder, buffer.getvalue())


def listed(index: Index, file: Distribution) -> str | None:
    state = index.look(file.project, file.version, fresh=True)
    assert isinstance(state, ProjectListing)
    return state.files[file.filename].sha256


def send(kind: Kind, file: Distribution) -> object:
    return kind.index.upload(file, (), kind.authorization, lambda: None)


def test_what_is_not_there_is_not_listed(kind: Kind) -> None:
    assert isinstance(kind.index.look("demo", "1.0"), NoSuchProject)


def test_what_was_taken_is_listed_with_its_digest(kind: Kind, tmp_path: Path) -> None:
    file = wheel(tmp_path)
    outcome = send(kind, file)
    assert isinstance(outcome, Accepted)
    assert outcome.attempts == 1
    assert listed(kind.index, file) == file.sha256


def test_the_same_again_changes_nothing(kind: Kind, tmp_path: Path) -> None:
    file = wheel(tmp_path)
    send(kind, file)
    assert isinstance(send(kind, file), Accepted | AlreadyThere)
    assert listed(kind.index, file) == file.sha256


def test_other_content_under_the_name_is_not_taken(kind: Kind, tmp_path: Path) -> None:
    first, second = wheel(tmp_path / "a"), wheel(tmp_path / "b", "other")
    send(kind, first)
    assert isinstance(send(kind, second), AlreadyThere)
    assert listed(kind.index, first) == first.sha256 != second.sha256


def test_provenance_is_bytes_or_nothing(kind: Kind, tmp_path: Path) -> None:
    file = wheel(tmp_path)
    send(kind, file)
    provenance = kind.index.provenance(file.project, file.version, file.filename)
    assert provenance is None or isinstance(provenance, bytes)


def test_a_refused_credential_is_an_outcome(tmp_path: Path) -> None:
    with RehearsalWorld() as world:
        for kind in _real(world.repository_url, BasicAuthorization("__token__", Secret("pypi-wrong"))):
            assert isinstance(send(kind, wheel(tmp_path)), CredentialRefused)
