import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from ci_publish.errors import FileChangedDuringRun, IndexUnavailable
from ci_publish.http.messages import HttpAnswer
from ci_publish.index import client
from ci_publish.index.client import HttpIndex
from ci_publish.index.endpoints import REHEARSAL_HEADER, Profile, resolve_endpoints
from ci_publish.index.listing_prefetch import PrefetchEmitter
from ci_publish.model.distribution import Distribution
from ci_publish.model.index import (
    Accepted,
    IndexProfile,
    ProjectListing,
    PublishedFile,
)
from tests.unit.index.scripted_index import (
    FILENAME,
    UNREACHABLE,
    Played,
    Scripted,
    ScriptedTransport,
    Waits,
    answer,
    listed,
    listing,
    make_file,
)


@pytest.fixture
def file(tmp_path: Path) -> Distribution:
    return make_file(tmp_path)


def test_provenance() -> None:
    played = Played(looks=[answer(200, "{}")])
    assert played.index.provenance("demo", "1.0", FILENAME) == b"{}"
    assert played.transport.urls == [f"https://index.example/integrity/demo/1.0/{FILENAME}/provenance"]
    assert played.transport.requests[0].headers["Accept"] == "application/vnd.pypi.integrity.v1+json"


@pytest.mark.parametrize("given", [answer(404), answer(403), answer(406)])
def test_no_provenance(given: HttpAnswer) -> None:
    assert Played(looks=[given]).index.provenance("demo", "1.0", FILENAME) is None


@pytest.mark.parametrize("given", [answer(500, reason="Oops"), answer(200, "{", truncated=True), UNREACHABLE])
def test_provenance_that_cannot_be_fetched(given: Scripted) -> None:
    with pytest.raises(IndexUnavailable) as caught:
        Played(looks=[given]).index.provenance("demo", "1.0", FILENAME)
    assert caught.value.detail


def test_provenance_where_only_the_listing_knows_it() -> None:
    played = Played(looks=[listing(listed(provenance="/p/x")), answer(200, "{}")], profile="generic")
    assert played.index.provenance("demo", "1.0", FILENAME) is None
    played.index.fetch_listing("demo")
    assert played.index.provenance("demo", "1.0", "other.whl") is None
    assert played.index.provenance("demo", "1.0", FILENAME) == b"{}"
    assert played.transport.urls[-1] == "https://index.example/p/x"


def test_a_listing_that_was_begun_is_not_fetched_again_unless_it_must_be_fresh() -> None:
    played = Played(looks=[listing(listed()), listing(listed()), listing(listed())])
    played.index.begin_prefetch([("demo", "1.0")], PrefetchEmitter(played.events.append))
    begun = played.index.fetch_listing("demo", "1.0")
    assert isinstance(begun, ProjectListing)
    assert played.index.fetch_listing("demo", "1.0") == begun
    assert len(played.transport.urls) == 2
    played = Played(looks=[listing(listed()), listing(listed())])
    played.index.begin_prefetch([("demo", "1.0")], PrefetchEmitter(played.events.append))
    played.index.finish_prefetch()
    played.index.fetch_listing("demo", "1.0", fresh=True)
    assert len(played.transport.urls) == 2


def announcing(value: str) -> HttpAnswer:
    return HttpAnswer(status=200, reason="OK", headers={REHEARSAL_HEADER.lower(): value}, body=b"")


@pytest.mark.parametrize(
    ("url", "profile", "given", "recognised"),
    [
        ("http://127.0.0.1:9/legacy/", "auto", announcing("1"), True),
        ("http://127.0.0.1:9/legacy/", "auto", announcing("2"), False),
        ("http://127.0.0.1:9/legacy/", "auto", answer(200), False),
        ("http://127.0.0.1:9/legacy/", "auto", UNREACHABLE, False),
        ("http://127.0.0.1:9/legacy/", "generic", announcing("1"), False),
        ("https://index.example/legacy/", "auto", announcing("1"), False),
    ],
)
def test_a_rehearsal_is_recognised(url: str, profile: Profile, given: Scripted, *, recognised: bool) -> None:
    transport = ScriptedTransport([], [given])
    endpoints = client.recognise_rehearsal(resolve_endpoints(url, profile=profile), transport, profile)
    assert endpoints.profile is (IndexProfile.PYPI if recognised else IndexProfile.GENERIC)
    assert all(request.authorization is None for request in transport.requests)


def test_the_defaults_are_real(file: Distribution) -> None:
    transport = ScriptedTransport([answer(500), answer(200)])
    waiting = Waits()
    events: list[object] = []
    index = HttpIndex(
        endpoints=resolve_endpoints("https://h.example/legacy/"),
        transport=transport,
        emit=events.append,
        waiting=waiting,
    )
    assert isinstance(index.upload(file, (), None, lambda: None), Accepted)
    assert 0.5 <= waiting.waits[0] <= 1.0
    boundaries = {body.split(b"\r\n")[0] for body in transport.bodies if body}
    assert len(boundaries) == 2


def test_the_md5_of_a_file(file: Distribution) -> None:
    content = file.path.read_bytes()
    assert Played().index.md5(file) == hashlib.md5(content, usedforsecurity=False).hexdigest()
    file.path.write_bytes(b"other bytes, which nobody signed")
    with pytest.raises(FileChangedDuringRun):
        Played().index.md5(file)


def test_the_content_of_a_listed_file(file: Distribution) -> None:
    shown = PublishedFile(filename=file.filename, url=f"https://index.example/files/{file.filename}", sha256=None)
    whole = Played(looks=[answer(200, file.path.read_bytes())])
    assert whole.index.download_sha256(shown, file.size) == file.sha256
    assert whole.transport.requests[0].url == shown.url
    for given in (answer(404), replace(answer(200, "x"), truncated=True), UNREACHABLE):
        assert Played(looks=[given]).index.download_sha256(shown, 10) is None


def test_the_core_metadata_beside_a_listed_file() -> None:
    content = b"Metadata-Version: 2.1\nName: demo\n"
    digest = hashlib.sha256(content).hexdigest()
    url = "https://index.example/files/demo-1.0.tar.gz"
    shown = PublishedFile(filename="demo-1.0.tar.gz", url=f"{url}#sha256=x", sha256=None, core_metadata=digest)
    whole = Played(looks=[answer(200, content)])
    assert whole.index.core_metadata(shown) == content
    assert whole.transport.requests[0].url == f"{url}.metadata"
    undigested = replace(shown, core_metadata=True)
    assert Played(looks=[answer(200, content)]).index.core_metadata(undigested) == content
    for given in (answer(404), answer(200, "other"), replace(answer(200, content), truncated=True), UNREACHABLE):
        assert Played(looks=[given]).index.core_metadata(shown) is None


def test_core_metadata_takes_at_most_two_requests_and_none_where_there_is_none() -> None:
    shown = PublishedFile(
        filename="d-1.tar.gz", url="https://index.example/d-1.tar.gz", sha256=None, core_metadata=True
    )
    failing = Played(looks=[answer(503)] * 5)
    assert failing.index.core_metadata(shown) is None
    assert len(failing.transport.requests) == 2
    silent = Played()
    assert silent.index.core_metadata(replace(shown, core_metadata=False)) is None
    assert silent.transport.requests == []
