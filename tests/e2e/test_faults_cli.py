"""Rows of the fault matrix for the whole program: its exit code, what the index holds, how often it was asked.

The numbers are the matrix's; tests/faults plays the details of every row for the index client alone. All rows are
played at once, since most of their time is waiting; each test then judges one.
"""

import datetime as dt
import gzip
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ci_publish.rehearsal.loopback_tls import LoopbackTls, make_loopback_tls
from ci_publish.rehearsal.world import RehearsalWorld
from tests.e2e.harness_runs import Ended, Release, run
from tests.faults.server import (
    Act,
    FaultServer,
    Request,
    answering,
    closed_port,
    endless,
    honest,
    lost,
    raw,
    reset_in_the_body,
    reset_on_accept,
    silent,
    slowly,
    stall,
    store,
)
from tests.unit.index.test_duplicates import MESSAGES

pytestmark = [pytest.mark.e2e, pytest.mark.faults]

PASSWORD = "pypi-canary-that-nobody-may-see"
NETRC = "machine 127.0.0.1 login bob password netrc-canary\nmachine localhost login bob password netrc-canary\n"


@dataclass
class Row:
    """What is played against one whole run, and what is expected of it.

    ``code`` and ``uploads``: the exit code, and how many uploads the server sees. ``stored``: whether the index holds
    the file at the end. ``says``: what people read.
    """

    code: int
    acts: list[Act] = field(default_factory=list)
    uploads: int | None = 1
    stored: bool = True
    says: str = ""
    looks: list[Act] = field(default_factory=list)
    profile: str = "pypi"
    options: tuple[str, ...] = ()
    size: int = 1
    greetings: int = 0
    stalls: int = 0
    tls: bool = False
    trusted: bool = True
    within: float = 60.0
    before: Mapping[str, bytes] = field(default_factory=dict)
    listening: bool = True
    credential: bool = True


def stored_but(act: Act) -> Act:
    """Store the file, then do *act*."""

    def both(server: FaultServer, request: Request) -> None:
        store(server, request)
        act(server, request)

    return both


WIFI = answering(200, b"<html>Welcome to our WiFi</html>", headers={"Content-Type": "text/html"})
EVIL = "no ::stop-commands::x \x1b[31m ##[error]y"
EVIL_JSON = b'{"message": "no\\r\\n::stop-commands::x\\n##[error]y\\u001b[31m"}'
QUICK = ("--timeout", "2")
BOMB = gzip.compress(b"a" * 20_000_000)
HUGE = endless(b"HTTP/1.1 400 No\r\nContent-Length: 400000000\r\n\r\n", b"a" * 65_536)

ROWS: dict[str, Row] = {
    "0 no fault": Row(0, [honest]),
    "1 refused connection": Row(10, listening=False, uploads=0, stored=False, options=("--deadline", "8")),
    "1b handshake that never ends": Row(0, tls=True, stalls=1, options=QUICK),
    "1c untrusted certificate": Row(2, tls=True, trusted=False, uploads=0, stored=False, says="SSL_CERT_FILE",
                                    within=20),
    "2 reset on accept": Row(0, greetings=2),
    "3 reset in the body": Row(0, [reset_in_the_body, honest], uploads=2, size=8_000_000),
    "4 lost answer": Row(0, [lost]),
    "4 lost answer of a lost file": Row(0, [raw(b""), honest], uploads=2),
    "5 lost answer, then taken": Row(8, [lost, answering(409, b"File already exists")], uploads=2, profile="generic",
                                     looks=[answering(403)], says="cannot be compared"),
    "6 500 once": Row(0, [answering(500), honest], uploads=2),
    "7 503 with Retry-After": Row(0, [answering(503, headers={"Retry-After": "2"}), honest], uploads=2),
    "8 503 for ever": Row(10, [answering(503)], uploads=None, stored=False, options=("--deadline", "8"), says="503"),
    "9 429 with Retry-After": Row(0, [answering(429, headers={"Retry-After": "1"}), honest], uploads=2),
    "9 429 with too long a Retry-After": Row(10, [answering(429, headers={"Retry-After": "4000"})], stored=False,
                                             says="4000 s", within=20),
    "13 redirect to itself": Row(9, [answering(302, headers={"Location": "/legacy/"})], stored=False),
    "15 redirect elsewhere": Row(9, [answering(307, headers={"Location": "http://localhost:9/legacy/"})], stored=False),
    "16 a captive portal": Row(10, [WIFI], uploads=2, stored=False, options=("--verify-timeout", "1")),
    "16 a portal everywhere": Row(
        10, [WIFI], looks=[WIFI], uploads=2, stored=False, profile="generic", says="web page"
    ),
    "16 204 and nothing stored": Row(11, [answering(204)], stored=False, options=("--verify-timeout", "1")),
    "17 truncated success": Row(0, [raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nOK", storing=True)]),
    "18 truncated refusal": Row(9, [raw(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 999\r\n\r\nit isn't allowed")],
                                stored=False, says="isn't allowed"),
    "18 garbage": Row(10, [raw(b"SSH-2.0-OpenSSH_9.9\r\n\r\n")], uploads=2, stored=False),
    "18 five thousand headers": Row(10, [raw(b"HTTP/1.1 400 No\r\n" + b"X-H: 1\r\n" * 50_000 + b"\r\n")], uploads=None,
                                    stored=False),
    "19 huge": Row(9, [HUGE], stored=False, within=30),
    "19 bomb": Row(9, [answering(400, BOMB, headers={"Content-Encoding": "gzip"})], stored=False, within=30),
    "20 never answers": Row(0, [silent, honest], uploads=2, options=QUICK),
    "20 stores and never answers": Row(0, [stored_but(silent)], options=QUICK),
    "21 slow headers": Row(0, [slowly(b"HTTP/1.1 200 OK\r\n" + b"X-Slow: 1\r\n" * 100, 0.05), honest], uploads=2,
                           options=QUICK),
    "22 commands in the reason": Row(9, [answering(400, reason=EVIL)], stored=False, says="no"),
    "22 commands in the body": Row(9, [answering(400, EVIL.encode())], stored=False, says="no"),
    "22 commands in JSON": Row(9, [answering(400, EVIL_JSON)], stored=False, says="no"),
    "25 .netrc": Row(5, uploads=0, stored=False, credential=False),
    "look fails": Row(10, looks=[answering(400)], uploads=0, stored=False),
    "look is garbage": Row(10, looks=[raw(b"\x00" * 300)], uploads=0, stored=False, options=("--deadline", "8")),
}  # fmt: skip

for _number, (_status, _words) in enumerate(MESSAGES):
    # "Already there" says nothing by itself: the same bytes are there, or other bytes are, and the listing tells.
    _said = answering(_status, _words.encode())
    ROWS[f"duplicate {_number}, the same"] = Row(0, [stored_but(_said)], profile="generic")
    ROWS[f"duplicate {_number}, another"] = Row(8, [_said], looks=[answering(404), honest], profile="generic", before={
        "rows-1.0.tar.gz": b"other bytes"}, stored=False)  # fmt: skip

LEFT_OUT = [name for name in ROWS if name.startswith("duplicate") and int(name.split(",")[0].split()[1]) % 6]
for _name in LEFT_OUT:  # the index client plays them all; a sixth of them is enough for the whole program
    del ROWS[_name]


@dataclass(frozen=True)
class Played:
    ended: Ended
    server: FaultServer
    content: Mapping[str, bytes]
    seconds: float


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Played]]:
    """Play all rows, a few at a time; give what became of one."""
    tls = make_loopback_tls(tmp_path_factory.mktemp("tls"), dt.datetime.now(dt.UTC))
    with ThreadPoolExecutor(4) as pool:
        rows: dict[str, Future[Played]] = {
            name: pool.submit(play, row, tmp_path_factory.mktemp("row"), tls) for name, row in ROWS.items()
        }
        yield lambda name: rows[name].result()


def play(row: Row, folder: Path, tls: LoopbackTls) -> Played:
    release = Release.make(folder, "rows", ())
    if row.size > 1:
        release = Release.of_bytes(folder, "rows", row.size)
    (folder / ".netrc").write_text(NETRC)
    (folder / ".netrc").chmod(0o600)
    with ExitStack() as stack:
        server = FaultServer(list(row.acts), looks=list(row.looks), tls=tls.context if row.tls else None)
        server.greetings = [*[reset_on_accept] * row.greetings, *[stall] * row.stalls]
        server.stored.update(row.before)
        stack.enter_context(server)
        url = server.upload_url if row.listening else f"http://127.0.0.1:{stack.enter_context(closed_port())}/legacy/"
        environ = {"CI_PUBLISH_REPOSITORY_URL": url, "NETRC": str(folder / ".netrc")}
        environ |= {"CI_PUBLISH_PASSWORD": PASSWORD} if row.credential else {}
        environ |= {"SSL_CERT_FILE": str(tls.authority_file)} if row.tls and row.trusted else {}
        began = time.monotonic()
        ended = run(folder, environ, "publish", "--index-profile", row.profile, *row.options)
        return Played(ended, server, release.content, time.monotonic() - began)


@pytest.mark.parametrize("name", ROWS)
def test_a_row_of_the_matrix(played: Callable[[str], Played], name: str) -> None:
    row, it = ROWS[name], played(name)
    where = f"{name}: {it.ended.said}"
    assert it.ended.code == row.code, where
    assert row.uploads is None or len(it.server.uploads) == row.uploads, where
    assert (it.server.stored == dict(it.content)) == row.stored, where
    assert row.says in it.ended.stdout + it.ended.stderr, where
    assert it.seconds < row.within, where
    judge_receipt(row, it, where)
    judge_words(it, where)


def judge_receipt(row: Row, it: Played, where: str) -> None:
    receipt = it.ended.receipt
    assert receipt is not None, where
    assert receipt["exit_code"] == row.code, where
    (file,) = receipt["files"]
    assert (file["status"] in {"uploaded", "already-published"}) == (row.code == 0), where
    assert (file["status"] == "uploaded-not-confirmed") == (row.code == 11), where
    assert (file["error"] is None) == (row.code == 0), where
    assert file["listed"] is True or row.code != 0, where
    uploads = len(it.server.uploads)
    assert file["attempts"] in {uploads, uploads + 1, uploads + it.server.connections} or uploads == 0, where


def judge_words(it: Played, where: str) -> None:
    """Check that nobody's words became commands, and that no secret and no .netrc went anywhere."""
    text = it.ended.stdout + it.ended.stderr
    # a runner takes `::x::` at the beginning of a line for a command, and `##[x]` anywhere
    assert not [line for line in text.splitlines() if line.strip().startswith("::stop-commands")], where
    assert "##[" not in text, where
    assert "\x1b" not in text, where
    assert PASSWORD not in text, where
    for request in [*it.server.uploads, *it.server.looks_seen]:
        assert "bmV0cmM" not in request.headers.get("authorization", ""), where
        assert "netrc-canary" not in str(request.headers), where


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_15_nothing_is_sent_to_another_origin(tmp_path: Path, status: int) -> None:
    """A listing may be read elsewhere; no file goes there, and no credential."""
    Release.make(tmp_path, "rows", ())
    with FaultServer() as elsewhere:
        away = answering(status, headers={"Location": f"{elsewhere.url}/legacy/"})
        with FaultServer([away], looks=[away]) as server:
            environ = {"CI_PUBLISH_REPOSITORY_URL": server.upload_url, "CI_PUBLISH_PASSWORD": PASSWORD}
            ended = run(tmp_path, environ, "publish", "--index-profile", "generic")
        assert ended.code == 9, ended.said
        assert elsewhere.uploads == []
        assert not any("authorization" in request.headers for request in elsewhere.looks_seen)


def test_26_plain_http_elsewhere_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    Release.make(tmp_path, "rows", ())
    environ = {"CI_PUBLISH_REPOSITORY_URL": "http://index.example/legacy/", "CI_PUBLISH_PASSWORD": PASSWORD}
    ended = run(tmp_path, environ, "publish")
    assert ended.code == 2, ended.said
    assert "plain http" in ended.said
    assert "--allow-http" in ended.said


# what ends a run before any network ------------------------------------------------------------------------------


def github(**variables: str) -> dict[str, str]:
    return {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "push", **variables}


FORK = '{"pull_request": {"head": {"repo": {"full_name": "a/b"}}, "base": {"repo": {"full_name": "c/b"}}}}'


@pytest.mark.parametrize(
    ("environ", "slug"),
    [
        (github(GITHUB_EVENT_NAME="pull_request_target"), "pull-request-target"),
        (github(), "no-id-token-permission"),
        (github(GITHUB_EVENT_NAME="pull_request", GITHUB_EVENT_PATH="event.json"), "fork-pull-request"),
        ({"GITLAB_CI": "true"}, "gitlab-id-token-missing"),
        ({}, "identity-unavailable"),
        ({"CI_PUBLISH_PASSWORD": ""}, "empty-secret"),
        (github(GITHUB_EVENT_NAME="pull_request_target", CI_PUBLISH_PASSWORD=""), "pull-request-target"),
    ],
)
def test_where_there_is_no_identity_nothing_is_asked_for_one(
    tmp_path: Path, environ: dict[str, str], slug: str
) -> None:
    """The index is looked at (the same files may be there already); the exchange and the CI are not asked."""
    Release.make(tmp_path, "nobody", ())
    (tmp_path / "event.json").write_text(FORK)
    with RehearsalWorld() as world:
        paths: list[str] = []
        world.index.hooks.interpose = lambda seen: paths.append(seen["PATH_INFO"])
        asked = {"ACTIONS_ID_TOKEN_REQUEST_URL": f"{world.base_url}/ci/idtoken", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "x"}
        given = {**environ, **(asked if slug == "pull-request-target" else {})}
        ended = run(tmp_path, {**given, "CI_PUBLISH_REPOSITORY_URL": world.repository_url}, "publish")
        assert ended.code == 5, ended.said
        assert ended.receipt is not None
        assert ended.receipt["error"]["slug"] == slug, ended.said
        assert world.identity_provider.issued == ()
        assert world.index.mint_log == ()
        assert "/_/oidc/mint-token" not in paths
        assert "/legacy/" not in paths
