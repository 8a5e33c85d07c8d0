"""Seeded hostile servers: whatever they answer, there is an outcome in time, and a listing only of what is stored.

150 seeds in `make test`, 2,000 with CI_PUBLISH_STRESS=1.
"""

import gzip
import json
import os
import random
import time
from pathlib import Path
from typing import get_args

import pytest

from ci_publish.http.sockets import Timeouts
from ci_publish.model.index import Accepted, IndexState, ProjectListing, UploadOutcome
from tests.faults.client import PASSWORD, Client, make_file
from tests.faults.server import Act, FaultServer, Request, honest, store

pytestmark = pytest.mark.faults

SEEDS = 2_000 if os.environ.get("CI_PUBLISH_STRESS") == "1" else 150
GROUPS = 10
IMPATIENT = Timeouts(connect=1.0, tls=1.0, read=0.3, answer=0.4)
# Five attempts, and two questions for each of them, with every wait used up.
LONGEST = 5 * (0.3 + 0.4 + 2 * (1.0 + 0.4)) + 5

STATUSES = (
    101,
    199,
    200,
    200,
    200,
    201,
    202,
    204,
    206,
    300,
    302,
    304,
    308,
    400,
    400,
    400,
    403,
    404,
    409,
    422,
    429,
    500,
)
WORDS = (
    "OK",
    "",
    "File already exists ('demo-1.0-py3-none-any.whl', with blake2_256 hash '0')",
    "::add-mask::x",
    "\x1b[31mred",
    "caf\xe9 \xff",
    "Invalid distribution file. None",
    "x" * 70_000,
)
HEADERS = (
    "Content-Type: application/json",
    "Content-Type: text/html; charset=utf-7",
    "Content-Type: \x00",
    "Content-Encoding: gzip",
    "Content-Encoding: br",
    "Location: http://[::1",
    "Location: //elsewhere.example/",
    "Retry-After: -1",
    "Retry-After: Fri, 99 Foo 2026",
    "Retry-After: 99999999999999999999",
    'RateLimit: "a";r=0;t=99999999999999',
    "Set-Cookie: a=b; Domain=127.0.0.1",
    "Connection: close",
    'ETag: "x"',
    "No colon",
    "X: y\r\n folded",
)
SHAPES: tuple[object, ...] = (
    {},
    [],
    None,
    0,
    "text",
    {"message": None, "code": 400},
    {"message": ["x"], "errors": "x"},
    {"errors": [None, 1, {"message": {}}, "words"]},
    {"files": None},
    {"files": [None, 1, [], {}, {"filename": None}, {"filename": "demo-1.0-py3-none-any.whl"}]},
    {
        "files": [
            {"filename": "demo-1.0-py3-none-any.whl", "hashes": {"sha256": "0" * 64}, "url": "http://[", "size": -1}
        ]
    },
    {"meta": {"api-version": 9}, "files": [], "versions": {}, "project-status": []},
    {"files": [], "meta": {"_last-serial": 10**30, "api-version": "1.0"}},
)


def hostile(seed: int) -> Act:
    """Return an act that answers as *seed* says."""
    chance = random.Random(seed)  # noqa: S311  (a test's dice)

    def act(server: FaultServer, request: Request) -> None:
        if chance.random() < 0.2:
            request.connection.read(chance.randrange(0, 1 + request.length // 2))
        elif request.length:
            request.read_body()
            if chance.random() < 0.3:
                store(server, request)
        answer = _answer(chance)
        if chance.random() < 0.4:
            answer = answer[: chance.randrange(0, len(answer) + 1)]
        if chance.random() < 0.1:
            place = chance.randrange(0, len(answer) + 1)
            answer = answer[:place] + chance.randbytes(20) + answer[place:]
        request.connection.send(answer)
        ending = chance.random()
        if ending < 0.05:
            request.connection.wait_for_the_end()
        elif ending < 0.5:
            request.connection.reset()
        else:
            request.connection.close()

    return act


def _answer(chance: random.Random) -> bytes:
    body = _body(chance)
    headers = chance.sample(HEADERS, chance.randrange(0, 5))
    framing = chance.random()
    if framing < 0.5:
        headers.append(f"Content-Length: {len(body) + chance.choice((0, 0, 0, -1, 1, 10**12))}")
    elif framing < 0.8:
        headers.append("Transfer-Encoding: chunked")
        size = chance.choice((f"{len(body):x}", "0", "-1", "fffffffffffffffffffff", "zz"))
        body = size.encode() + b"\r\n" + body + b"\r\n0\r\n\r\n"
    version = chance.choice(("HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/2", "ICY"))
    line = f"{version} {chance.choice(STATUSES)} {chance.choice(WORDS)}"
    return "\r\n".join((line, *headers, "", "")).encode("latin-1") + body


def _body(chance: random.Random) -> bytes:
    kind = chance.random()
    if kind < 0.5:
        body = json.dumps(chance.choice(SHAPES)).encode()
    elif kind < 0.7:
        body = b"<html><body><a href='demo-1.0-py3-none-any.whl#sha256=" + b"0" * 64 + b"'>x</a><p>" + b"&amp;" * 50
    else:
        body = chance.randbytes(chance.randrange(0, 3000))
    return gzip.compress(body) if chance.random() < 0.2 else body


@pytest.mark.parametrize("group", range(GROUPS))
def test_hostile_answers(tmp_path: Path, group: int) -> None:
    file = make_file(tmp_path, 3_000)
    content = file.path.read_bytes()
    for seed in range(group, SEEDS, GROUPS):
        looks: list[Act] = [hostile(-seed)] if seed % 3 == 0 else [honest]
        acts = [hostile(seed * 10 + number) for number in range(3)]
        profile = "pypi" if seed % 2 else "generic"
        with (
            FaultServer(acts, looks=looks) as server,
            Client(server.upload_url, profile, timeouts=IMPATIENT) as client,
        ):
            began = time.monotonic()
            outcome = client.upload(file)
            assert time.monotonic() - began < LONGEST, seed
            state = client.index.fetch_listing("demo", "1.0", fresh=True)
            assert isinstance(outcome, get_args(UploadOutcome)), seed
            assert isinstance(state, get_args(IndexState)), seed
            listed = isinstance(state, ProjectListing) and any(
                published.sha256 == file.sha256 for published in state.files.values()
            )
            stored = server.stored.get(file.filename) == content
            assert not listed or stored, seed
            if isinstance(outcome, Accepted) and outcome.message.startswith("the response was lost"):
                assert stored, seed
            assert PASSWORD.reveal() not in repr((outcome, client.events)), seed
