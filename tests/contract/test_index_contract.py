"""One suite for the Index port: the fake that the pipeline is tested with, and the real client over two servers.

Real indexes keep it as well: tests/servers/test_index_contract.py.
"""

import io
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from ci_publish.http.messages import BasicAuthorization
from ci_publish.http.transport import HttpTransport
from ci_publish.index.client import HttpIndex
from ci_publish.index.endpoints import Profile, resolve_endpoints
from ci_publish.model.distribution import Distribution
from ci_publish.model.events import Event, UploadStarted
from ci_publish.model.identity import Secret
from ci_publish.model.index import Accepted, AlreadyThere, CredentialRefused, NoSuchProject, ProjectListing
from ci_publish.publishing.ports import Index
from ci_publish.rehearsal.world import RehearsalWorld
from tests.faults.server import FaultServer
from tests.unit.fakes import FakeIndex
from tests.unit.index.scripted_index import Waits, make_file


@dataclass
class Kind:
    """An index, and a credential that it takes."""

    index: Index
    authorization: BasicAuthorization
    events: list[Event] = field(default_factory=list)
    project: str = "demo"


@pytest.fixture(params=["fake", "raw sockets", "rehearsal"])
def kind(request: pytest.FixtureRequest) -> Iterator[Kind]:
    credential = BasicAuthorization("__token__", Secret("a token"))
    if request.param == "fake":
        events: list[Event] = []
        yield Kind(FakeIndex(emit=events.append), credential, events)
        return
    if request.param == "raw sockets":
        with FaultServer() as server:
            yield from of_real_index(server.upload_url, credential)
        return
    with RehearsalWorld() as world:
        token = Secret(world.issue_api_token())
        yield from of_real_index(world.repository_url, BasicAuthorization("__token__", token))


def of_real_index(
    url: str, authorization: BasicAuthorization, profile: Profile = "pypi", project: str = "demo"
) -> Iterator[Kind]:
    """Give the real client to the index at *url*."""
    waiting = Waits()
    events: list[Event] = []
    transport = HttpTransport(waiting=waiting, emit=lambda _: None, environ={})
    index = HttpIndex(
        endpoints=resolve_endpoints(url, profile=profile),
        transport=transport,
        emit=events.append,
        waiting=waiting,
        listing_authorization=authorization if profile == "generic" else None,
    )
    yield Kind(index, authorization, events, project)
    transport.close()


def wheel(folder: Path, content: str = "", project: str = "demo") -> Distribution:
    """Make a wheel that any index takes."""
    folder.mkdir(exist_ok=True)
    info = f"{project}-1.0.dist-info"
    members = {
        f"{project}.py": content,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {project}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{name},,\n" for name in (*members, f"{info}/RECORD"))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in (*members.items(), (f"{info}/RECORD", record)):
            archive.writestr(name, text)
    file = make_file(folder, buffer.getvalue(), f"{project}-1.0-py3-none-any.whl")
    return replace(file, project=project, metadata=replace(file.metadata, name=project))


def listed(index: Index, file: Distribution) -> str | None:
    state = index.fetch_listing(file.project, file.version, fresh=True)
    assert isinstance(state, ProjectListing)
    return state.files[file.filename].sha256


def send(kind: Kind, file: Distribution) -> object:
    return kind.index.upload(file, (), kind.authorization, lambda: None)


def test_what_is_not_there_is_not_listed(kind: Kind) -> None:
    assert isinstance(kind.index.fetch_listing(kind.project, "1.0"), NoSuchProject)


def test_what_was_taken_is_listed_with_its_digest(kind: Kind, tmp_path: Path) -> None:
    file = wheel(tmp_path, project=kind.project)
    outcome = send(kind, file)
    assert isinstance(outcome, Accepted)
    assert outcome.attempts == 1
    assert listed(kind.index, file) == file.sha256


def test_the_same_again_changes_nothing(kind: Kind, tmp_path: Path) -> None:
    file = wheel(tmp_path, project=kind.project)
    send(kind, file)
    assert isinstance(send(kind, file), Accepted | AlreadyThere)
    assert listed(kind.index, file) == file.sha256


def test_other_content_under_the_name_is_not_taken(kind: Kind, tmp_path: Path) -> None:
    first, second = wheel(tmp_path / "a", "", kind.project), wheel(tmp_path / "b", "other", kind.project)
    send(kind, first)
    assert isinstance(send(kind, second), AlreadyThere)
    assert listed(kind.index, first) == first.sha256 != second.sha256


def test_what_was_sent_without_attestations_has_no_provenance(kind: Kind, tmp_path: Path) -> None:
    file = wheel(tmp_path, project=kind.project)
    assert kind.index.provenance(file.project, file.version, file.filename) is None
    send(kind, file)
    assert kind.index.provenance(file.project, file.version, file.filename) is None


def test_each_attempt_is_told_of(kind: Kind, tmp_path: Path) -> None:
    file = wheel(tmp_path, project=kind.project)
    send(kind, file)
    told = [event for event in kind.events if isinstance(event, UploadStarted)]
    name = kind.index.endpoints.name
    assert [(each.index, each.filename, each.size, each.attempt) for each in told] == [
        (name, file.filename, file.size, 1)
    ]


def test_a_fresh_look_is_as_good_as_any(kind: Kind, tmp_path: Path) -> None:
    file = wheel(tmp_path, project=kind.project)
    send(kind, file)
    first, second = (kind.index.fetch_listing(file.project, file.version, fresh=fresh) for fresh in (True, False))
    assert isinstance(first, ProjectListing)
    assert isinstance(second, ProjectListing)
    assert first.files.keys() == second.files.keys() == {file.filename}
    assert first.project == second.project == file.project


def test_threads_may_upload_at_once(kind: Kind, tmp_path: Path) -> None:
    made = [wheel(tmp_path / str(number), str(number), kind.project) for number in range(4)]
    tagged = [
        replace(file, filename=file.filename.replace("py3-", f"py3{number}-")) for number, file in enumerate(made)
    ]
    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(lambda file: send(kind, file), tagged))
    assert all(isinstance(outcome, Accepted) for outcome in outcomes), outcomes
    assert {file.filename: listed(kind.index, file) for file in tagged} == {
        file.filename: file.sha256 for file in tagged
    }


def test_a_refused_credential_is_an_outcome(tmp_path: Path) -> None:
    with RehearsalWorld() as world:
        for kind in of_real_index(world.repository_url, BasicAuthorization("__token__", Secret("pypi-wrong"))):
            assert isinstance(send(kind, wheel(tmp_path)), CredentialRefused)
