"""Every row of the fault matrix, for the index client: what it says, what the index holds, how often it asked.

The numbers are those of the matrix. Rows 22 (text made harmless) and 24 (secrets in addresses) are also held where the
text is printed and where the address is read.
"""

import datetime as dt
import gzip
import time
from email.utils import formatdate
from pathlib import Path

import pytest

from ci_publish.errors import ConfigurationError
from ci_publish.http.sockets import Timeouts
from ci_publish.index.endpoints import resolve_endpoints
from ci_publish.model.events import Event, UploadProgressed
from ci_publish.model.index import (
    Accepted,
    AlreadyThere,
    Cancelled,
    CredentialRefused,
    FileChanged,
    ListingUnavailable,
    NoSuchProject,
    ProjectListing,
    Refused,
    Unavailable,
)
from ci_publish.rehearsal.loopback_tls import make_loopback_tls
from tests.faults.client import NOW, PASSWORD, Client, make_file
from tests.faults.server import (
    Act,
    FaultServer,
    Request,
    answering,
    closed_port,
    counting,
    deaf,
    echoing,
    endless,
    honest,
    lost,
    raw,
    reset_in_the_body,
    reset_on_accept,
    silent,
    silent_but_storing,
    slowly,
    stall,
)
from tests.unit.index.test_duplicates import MESSAGES

pytestmark = pytest.mark.faults

MEGABYTE = 1024 * 1024
PATIENT = Timeouts(connect=5.0, tls=5.0, read=2.0, answer=20.0)


def play(tmp_path: Path, *acts: Act, size: int = 2_000, profile: str = "pypi", **more: object) -> "Played":
    return Played(tmp_path, list(acts), size, profile, more)


class Played:
    """One upload against a server that plays *acts*."""

    def __init__(self, folder: Path, acts: list[Act], size: int, profile: str, more: dict[str, object]) -> None:
        self.file = make_file(folder, size)
        looks = more.pop("looks", [])
        if size >= MEGABYTE:  # an honest server, too, needs a while to take it in
            more.setdefault("timeouts", PATIENT)
        with (
            FaultServer(acts, looks=looks) as self.server,  # type: ignore[arg-type]
            Client(self.server.upload_url, profile, **more) as self.client,  # type: ignore[arg-type]
        ):
            began = time.monotonic()
            self.outcome = self.client.upload(self.file)
            self.seconds = time.monotonic() - began
            self.state = self.client.index.fetch_listing("demo", "1.0", fresh=True)

    @property
    def stored(self) -> bool:
        return self.server.stored == {self.file.filename: self.file.path.read_bytes()}

    @property
    def listed(self) -> bool:
        return isinstance(self.state, ProjectListing) and any(
            file.sha256 == self.file.sha256 for file in self.state.files.values()
        )


def test_no_fault(tmp_path: Path) -> None:
    played = play(tmp_path, honest)
    assert played.outcome == Accepted(1, "OK")
    assert played.stored
    assert played.listed
    form = played.server.uploads[0].form()
    assert list(form)[:5] == [":action", "protocol_version", "metadata_version", "name", "version"]
    assert form["summary"] == [b"A demo"]
    assert form["requires_python"] == [b""]
    assert played.server.uploads[0].headers["accept"] == "application/json"
    assert played.server.uploads[0].headers["accept-encoding"] == "identity"
    assert played.server.uploads[0].headers["user-agent"].startswith("ci-publish/")


# 1


def test_1_refused_connections_are_retried_within_the_budget(tmp_path: Path) -> None:
    with closed_port() as port, Client(f"http://127.0.0.1:{port}/legacy/") as client:
        outcome = client.upload(make_file(tmp_path))
    assert outcome == Unavailable(
        attempts=5,
        message=f"cannot connect to 127.0.0.1 port {port}: connection refused (after 5 attempts)",
        unclear=False,
    )
    assert client.waiting.waits == [0.75, 1.5, 3.0, 6.0]
    assert [retry.attempt for retry in client.retries] == [1, 2, 3, 4]


def test_1_a_name_that_is_none_is_retried_and_told(tmp_path: Path) -> None:
    host = f"{'a' * 64}.localhost"
    with Client(f"http://{host}/legacy/") as client:
        outcome = client.upload(make_file(tmp_path))
    assert isinstance(outcome, Unavailable)
    assert "cannot be looked up" in outcome.message


def test_1b_a_handshake_that_never_ends_has_a_deadline(tmp_path: Path) -> None:
    tls = make_loopback_tls(tmp_path, _now())
    with (
        FaultServer(tls=tls.context, greetings=[stall]) as server,
        Client(server.upload_url, environ={"SSL_CERT_FILE": str(tls.authority_file)}) as client,
    ):
        began = time.monotonic()
        outcome = client.upload(make_file(tmp_path))
        assert time.monotonic() - began < 20
    assert isinstance(outcome, Accepted)
    assert outcome.attempts == 2
    assert "timed out while setting up tls" in client.retries[0].reason.lower()


def test_1c_an_untrusted_certificate_is_never_retried(tmp_path: Path) -> None:
    tls = make_loopback_tls(tmp_path, _now())
    with FaultServer(tls=tls.context) as server, Client(server.upload_url) as client:
        outcome = client.upload(make_file(tmp_path))
        assert server.connections == 1
    assert isinstance(outcome, Unavailable)
    assert outcome.attempts == 1
    assert "not trusted" in outcome.message
    assert "SSL_CERT_FILE" in outcome.message
    assert client.waiting.waits == []


# 2, 3


def test_2_a_reset_on_accept_is_retried_on_a_new_connection(tmp_path: Path) -> None:
    file = make_file(tmp_path)
    with FaultServer(greetings=[reset_on_accept, reset_on_accept]) as server, Client(server.upload_url) as client:
        outcome = client.upload(file)
        assert isinstance(outcome, Accepted)
        # Where the small request left as a whole before the reset was seen, the index is asked, too.
        assert outcome.attempts in {2, 3}
        assert server.stored == {file.filename: file.path.read_bytes()}


def test_3_a_reset_in_the_body_is_sent_again_from_the_beginning(tmp_path: Path) -> None:
    played = play(tmp_path, reset_in_the_body, honest, size=8 * MEGABYTE)
    assert played.outcome == Accepted(2, "OK")
    assert played.stored


# 4, 5


def test_4_a_lost_answer_is_found_on_the_index(tmp_path: Path) -> None:
    played = play(tmp_path, lost)
    assert isinstance(played.outcome, Accepted)
    assert played.outcome.attempts == 1
    assert "lists the file" in played.outcome.message
    assert len(played.server.uploads) == 1


def test_4_a_lost_answer_to_nothing_is_sent_again(tmp_path: Path) -> None:
    played = play(tmp_path, raw(b""), honest)
    assert played.outcome == Accepted(2, "OK")
    assert played.stored


def test_5_where_the_index_cannot_be_asked_the_repeat_says_that_the_name_is_taken(tmp_path: Path) -> None:
    exists = answering(409, b"File already exists")
    played = play(tmp_path, lost, exists, profile="generic", looks=[answering(403)])
    assert played.outcome == AlreadyThere(2, "File already exists")


# 6 - 9


def test_6_a_500_is_retried_after_a_wait(tmp_path: Path) -> None:
    played = play(tmp_path, answering(500), honest)
    assert played.outcome == Accepted(2, "OK")
    assert played.client.waiting.waits == [0.75]
    assert played.client.throttled == 0


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("form", ["seconds", "date"])
def test_7_and_9_retry_after_is_honoured_in_both_forms(tmp_path: Path, status: int, form: str) -> None:
    value = "6" if form == "seconds" else formatdate(NOW + 6, usegmt=True)
    played = play(tmp_path, answering(status, headers={"Retry-After": value}), honest)
    assert played.outcome == Accepted(2, "OK")
    assert played.client.waiting.waits == [6.0]
    assert played.client.throttled == 1


def test_9_the_rate_limit_header_is_honoured(tmp_path: Path) -> None:
    limited = answering(429, b"Too many requests", headers={"RateLimit": '"upload.user";r=0;t=42'})
    played = play(tmp_path, limited, honest)
    assert played.client.waiting.waits == [42.0]


def test_9_a_wait_beyond_the_budget_ends_at_once(tmp_path: Path) -> None:
    played = play(tmp_path, answering(429, headers={"Retry-After": "4000"}))
    assert isinstance(played.outcome, Unavailable)
    assert played.outcome.attempts == 1
    assert played.client.waiting.waits == []
    assert "4000 s" in played.outcome.message


def test_8_503_for_ever_ends_with_the_budget(tmp_path: Path) -> None:
    played = play(tmp_path, answering(503))
    assert isinstance(played.outcome, Unavailable)
    assert played.outcome.attempts == 5
    assert len(played.server.uploads) == 5
    assert played.client.throttled == 5
    assert sum(played.client.waiting.waits) <= 300


def test_8_waits_of_one_file_are_bounded_together(tmp_path: Path) -> None:
    played = play(tmp_path, answering(503, headers={"Retry-After": "120"}))
    assert isinstance(played.outcome, Unavailable)
    assert played.client.waiting.waits == [120.0, 120.0]


def test_a_502_behind_which_the_file_was_stored_is_success(tmp_path: Path) -> None:
    played = play(tmp_path, answering(502, storing=True), answering(502))
    assert isinstance(played.outcome, Accepted)
    assert played.stored


# 10 - 12


def test_10_html_is_read_without_its_markup(tmp_path: Path) -> None:
    page = b"<html><head><title>400</title><style>p{}</style></head><body><h1>No</h1><p>Bad &amp; wrong" + b"!" * 9_000
    played = play(tmp_path, answering(400, page, headers={"Content-Type": "text/html"}))
    assert isinstance(played.outcome, Refused)
    assert played.outcome.message.startswith("No Bad & wrong!!!")
    assert len(played.outcome.message) <= 2048


@pytest.mark.parametrize("status", [404, 405, 406, 411, 413, 415, 422, 451])
def test_11_a_no_is_not_retried(tmp_path: Path, status: int) -> None:
    played = play(tmp_path, answering(status))
    assert isinstance(played.outcome, Refused)
    assert (played.outcome.status, played.outcome.attempts) == (status, 1)
    assert len(played.server.uploads) == 1


@pytest.mark.parametrize("status", [401, 403])
def test_11_a_refused_credential_is_not_retried(tmp_path: Path, status: int) -> None:
    played = play(tmp_path, answering(status))
    assert isinstance(played.outcome, CredentialRefused)
    assert (played.outcome.status, played.outcome.attempts) == (status, 1)


def test_11_a_409_has_the_index_asked(tmp_path: Path) -> None:
    assert play(tmp_path, answering(409)).outcome == AlreadyThere(1, "409 Conflict")


@pytest.mark.parametrize(("status", "words"), MESSAGES)
@pytest.mark.parametrize("place", ["reason", "body"])
def test_11_what_already_there_looks_like(tmp_path: Path, status: int, words: str, place: str) -> None:
    """Every way of the duplicate table: the answer never decides, the index is asked (by the pipeline)."""
    said = answering(status, reason=" ".join(words.split())) if place == "reason" else answering(status, words.encode())
    played = play(tmp_path, said, profile="generic")
    assert isinstance(played.outcome, AlreadyThere)
    assert played.outcome.attempts == 1
    assert len(played.server.uploads) == 1


@pytest.mark.parametrize("status", [403, 413])
@pytest.mark.parametrize("leaving", ["open", "closed", "reset"])
def test_12_an_early_answer_is_an_answer(tmp_path: Path, status: int, leaving: str) -> None:
    def early(server: FaultServer, request: Request) -> None:
        request.connection.send(b"HTTP/1.1 %d No\r\nContent-Length: 7\r\n\r\ntoo big" % status)
        match leaving:
            case "open":
                request.connection.wait_for_the_end()
            case "closed":
                request.connection.close()
            case _:
                time.sleep(0.3)
                request.connection.reset()

    played = play(tmp_path, early, size=8 * MEGABYTE)
    assert isinstance(played.outcome, Refused | CredentialRefused)
    assert (played.outcome.status, played.outcome.attempts) == (status, 1)


def test_12_interim_answers_are_no_answers(tmp_path: Path) -> None:
    def chatty(server: FaultServer, request: Request) -> None:
        request.connection.send(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n")
        time.sleep(0.2)
        honest(server, request)

    played = play(tmp_path, chatty, size=8 * MEGABYTE)
    assert played.outcome == Accepted(1, "OK")
    assert played.stored


def test_12_an_early_answer_after_an_interim_one(tmp_path: Path) -> None:
    def chatty(server: FaultServer, request: Request) -> None:
        request.connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        time.sleep(0.3)
        request.connection.send(b"HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n")
        request.connection.wait_for_the_end()

    played = play(tmp_path, chatty, size=32 * MEGABYTE)
    assert isinstance(played.outcome, Refused)
    assert (played.outcome.status, played.outcome.attempts) == (413, 1)


# 13 - 15


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("location", ["/other/", "other", "/legacy/", "//127.0.0.1/legacy/", "http://[", ""])
def test_13_and_14_redirects_are_refused(tmp_path: Path, status: int, location: str) -> None:
    played = play(tmp_path, answering(status, headers={"Location": location}))
    assert isinstance(played.outcome, Refused)
    assert (played.outcome.status, played.outcome.attempts) == (status, 1)
    assert len(played.server.uploads) == 1
    assert "repository-url" in played.outcome.advice[0]


@pytest.mark.parametrize("status", [307, 308])
@pytest.mark.parametrize("absolute", [True, False])
def test_13_the_missing_slash_is_added(tmp_path: Path, status: int, absolute: bool) -> None:
    file = make_file(tmp_path)
    with FaultServer() as server, Client(f"{server.url}/upload") as client:
        server.acts = [answering(status, headers={"Location": f"{server.url if absolute else ''}/upload/"}), honest]
        assert client.upload(file) == Accepted(1, "OK")
        assert [upload.target for upload in server.uploads] == ["/upload", "/upload/"]
        assert server.stored


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_15_nothing_is_sent_to_another_origin(tmp_path: Path, status: int) -> None:
    with FaultServer() as elsewhere:
        played = play(tmp_path, answering(status, headers={"Location": f"{elsewhere.url}/legacy/"}))
        assert isinstance(played.outcome, Refused)
        assert elsewhere.connections == 0


# 16 - 19


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_16_a_success_that_stored_nothing_is_not_listed(tmp_path: Path, status: int) -> None:
    body = b"" if status == 204 else b"Welcome to our WiFi"
    played = play(tmp_path, answering(status, body))
    assert isinstance(played.outcome, Accepted)
    assert not played.listed


PORTAL = answering(200, b"<html>Welcome to our WiFi</html>", headers={"Content-Type": "text/html"})
LINKED = answering(200, b"<!DOCTYPE html><a href='/login'>Log in</a>", headers={"Content-Type": "text/html"})


@pytest.mark.parametrize("looks", [[PORTAL], [LINKED], []])
@pytest.mark.parametrize("profile", ["generic", "pypi"])
def test_16_a_portal_that_answers_everything_is_no_success(tmp_path: Path, profile: str, looks: list[Act]) -> None:
    """The listing decides (``publishing`` waits for it): the answer is in doubt, and nobody may call it a success."""
    played = play(tmp_path, PORTAL, profile=profile, looks=looks)
    assert isinstance(played.outcome, Accepted)
    assert played.outcome.attempts == 2
    assert "web page" in played.outcome.doubt
    assert len(played.server.uploads) == 2
    assert not played.stored
    assert not played.listed


def test_16_a_portal_that_leaves_after_its_page(tmp_path: Path) -> None:
    played = play(tmp_path, PORTAL, honest, profile="generic")
    assert played.outcome == Accepted(2, "OK")
    assert played.stored


@pytest.mark.parametrize("status", [199, 203, 206, 299, 600, 999])
def test_16_other_statuses_are_no_success(tmp_path: Path, status: int) -> None:
    played = play(tmp_path, answering(status), profile="generic")
    assert isinstance(played.outcome, Unavailable)
    assert played.outcome.unclear
    assert played.outcome.attempts <= 5


def test_17_a_truncated_success_is_a_success(tmp_path: Path) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nOK"
    played = play(tmp_path, raw(answer, storing=True))
    assert isinstance(played.outcome, Accepted)
    assert played.stored


def test_18_a_truncated_refusal_is_a_refusal(tmp_path: Path) -> None:
    played = play(tmp_path, raw(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 1000\r\n\r\nThe name 'x' isn't allowed"))
    assert isinstance(played.outcome, Refused)
    assert "isn't allowed" in played.outcome.message


@pytest.mark.parametrize(
    "garbage",
    [
        b"SSH-2.0-OpenSSH_9.9\r\n\r\n",
        b"\x00" * 300,
        b"HTTP/1.1\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 400 first line\nno header\n third\r\n\r\n",
        b"HTTP/1.1 400 No\r\n" + b"X-H: 1\r\n" * 50_000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: minus\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: magic\r\n\r\nx",
    ],
)
def test_18_garbage_is_an_error_and_no_crash(tmp_path: Path, garbage: bytes) -> None:
    played = play(tmp_path, raw(garbage))
    assert isinstance(played.outcome, Unavailable)
    assert played.outcome.attempts <= 2
    assert "HTTP" in played.outcome.message


def test_18_five_thousand_headers_are_an_answer(tmp_path: Path) -> None:
    played = play(tmp_path, raw(b"HTTP/1.1 400 No\r\n" + b"X-H: 1\r\n" * 5_000 + b"\r\n"))
    assert isinstance(played.outcome, Refused | Unavailable)


def test_19_a_huge_error_is_read_up_to_its_cap(tmp_path: Path) -> None:
    first = b"HTTP/1.1 400 No\r\nContent-Length: 400000000\r\n\r\n"
    played = play(tmp_path, endless(first, b"a" * 65_536))
    assert isinstance(played.outcome, Refused)
    assert played.seconds < 20


def test_19_a_bomb_is_inflated_up_to_its_cap(tmp_path: Path) -> None:
    bomb = gzip.compress(b"a" * 20_000_000)
    played = play(tmp_path, answering(400, bomb, headers={"Content-Encoding": "gzip"}))
    assert isinstance(played.outcome, Refused)
    assert len(played.outcome.message) <= 2048


@pytest.mark.parametrize(
    ("first", "more"),
    [
        (b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
        (b"HTTP/1.1 200 OK\r\n", b"X-More: and more\r\n" * 100),
        (b"HTTP/1.1 400 No\r\nTransfer-Encoding: chunked\r\n\r\n", b"1;" + b"x" * 1000 + b"\r\na\r\n"),
    ],
)
def test_19_endless_heads_end(tmp_path: Path, first: bytes, more: bytes) -> None:
    played = play(tmp_path, endless(first, more))
    assert isinstance(played.outcome, Refused | Unavailable)
    assert played.seconds < 30


# 20, 21


def test_20_a_server_that_never_answers_is_left_and_the_index_asked(tmp_path: Path) -> None:
    played = play(tmp_path, silent_but_storing)
    assert isinstance(played.outcome, Accepted)
    assert played.stored
    assert len(played.server.uploads) == 1
    assert 0.9 < played.seconds < 20


def test_20_a_server_that_never_answers_is_tried_again(tmp_path: Path) -> None:
    played = play(tmp_path, silent, honest)
    assert played.outcome == Accepted(2, "OK")


def test_20_a_server_that_never_reads_is_left(tmp_path: Path) -> None:
    played = play(tmp_path, deaf, honest, size=16 * MEGABYTE)
    assert played.outcome == Accepted(2, "OK")
    assert "timed out while sending" in played.client.retries[0].reason


def test_21_slow_headers_end_with_the_answer_budget(tmp_path: Path) -> None:
    slow = slowly(b"HTTP/1.1 200 OK\r\n" + b"X-Slow: 1\r\n" * 100, 0.05)
    played = play(tmp_path, slow, honest)
    assert played.outcome == Accepted(2, "OK")
    assert played.seconds < 20


def test_21_a_slow_body_ends_with_the_answer_budget(tmp_path: Path) -> None:
    slow = slowly(b"x" * 500, 0.1, at_once=b"HTTP/1.1 400 No\r\nContent-Length: 500\r\n\r\n")
    played = play(tmp_path, slow)
    assert isinstance(played.outcome, Refused)
    assert played.seconds < 20


# 22, 23, 25, 26


def test_22_words_stay_on_one_line(tmp_path: Path) -> None:
    body = b'{"message": "no\\r\\n::stop-commands::x\\n\\n##[error]y"}'
    played = play(tmp_path, answering(400, body))
    assert isinstance(played.outcome, Refused)
    assert played.outcome.message == "no ::stop-commands::x ##[error]y"


def test_23_an_echoed_credential_is_blotted_out(tmp_path: Path) -> None:
    played = play(tmp_path, echoing)
    everything = repr((played.outcome, played.client.events))
    assert "***" in everything
    assert PASSWORD.reveal() not in everything
    assert played.server.uploads[0].headers["authorization"].partition(" ")[2] not in everything


def test_24_secrets_in_the_address_are_refused_and_not_repeated() -> None:
    with pytest.raises(ConfigurationError) as caught:
        resolve_endpoints("https://bob:hunter2@index.example/legacy/")
    assert "hunter2" not in repr((caught.value.summary, caught.value.detail, caught.value.hints))


def test_25_netrc_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login bob password hunter2\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    file = make_file(tmp_path)
    with FaultServer() as server, Client(server.upload_url) as client:
        client.index.upload(file, (), None, lambda: None)
        assert "authorization" not in server.uploads[0].headers


def test_26_plain_http_to_elsewhere_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="plain http"):
        resolve_endpoints("http://index.example/legacy/")


# the file itself


def test_a_file_that_changed_before_is_not_sent(tmp_path: Path) -> None:
    file = make_file(tmp_path)
    file.path.write_bytes(b"something else")
    with FaultServer() as server, Client(server.upload_url) as client:
        outcome = client.upload(file)
        assert isinstance(outcome, FileChanged)
        assert server.stored == {}


def test_a_file_that_changes_while_it_is_sent_never_arrives_whole(tmp_path: Path) -> None:
    file = make_file(tmp_path, 4 * MEGABYTE)

    def rewrite(event: Event) -> None:
        if isinstance(event, UploadProgressed):
            with file.path.open("r+b") as stream:  # the same inode, another end
                stream.seek(-10, 2)
                stream.write(b"x" * 10)

    arrived: list[tuple[int, int]] = []
    with FaultServer([counting(arrived)]) as server, Client(server.upload_url, emit=rewrite) as client:
        outcome = client.upload(file)
    assert isinstance(outcome, FileChanged)
    assert "changed after it was hashed" in outcome.message
    assert arrived
    assert arrived[0][0] < arrived[0][1]


# the run is being stopped


def test_a_cut_ends_an_upload_at_once(tmp_path: Path) -> None:
    file = make_file(tmp_path)

    def cutting(server: FaultServer, request: Request) -> None:
        client.waiting.stopped = client.waiting.cut = True
        silent(server, request)

    with FaultServer([cutting]) as server, Client(server.upload_url, timeouts=Timeouts()) as client:
        began = time.monotonic()
        outcome = client.upload(file)
        assert time.monotonic() - began < 20
    assert isinstance(outcome, Cancelled)


def test_a_stopped_run_begins_no_upload(tmp_path: Path) -> None:
    with FaultServer() as server, Client(server.upload_url) as client:
        client.waiting.stopped = True
        assert isinstance(client.upload(make_file(tmp_path)), Cancelled)
        assert server.uploads == []


# the look


def test_the_look_retries_and_fails_under_pypi(tmp_path: Path) -> None:
    with FaultServer(looks=[answering(500)]) as server, Client(server.upload_url) as client:
        assert isinstance(client.index.fetch_listing("demo"), ListingUnavailable)
        assert len(server.looks_seen) == 5


def test_the_look_survives_trouble(tmp_path: Path) -> None:
    looks = [answering(503, headers={"Retry-After": "2"}), raw(b"nonsense"), honest]
    with FaultServer(looks=looks) as server, Client(server.upload_url) as client:
        assert client.index.fetch_listing("demo") == NoSuchProject("demo")
        assert client.waiting.waits[0] == 2.0


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + b"[" * 100_000,
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html><a href='/login'>Log in</a></html>",
        b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{"files": {}}',
    ],
)
def test_a_look_that_brings_no_listing_is_not_absence(tmp_path: Path, answer: bytes) -> None:
    with FaultServer(looks=[raw(answer)]) as server, Client(server.upload_url) as client:
        assert isinstance(client.index.fetch_listing("demo"), ListingUnavailable)


@pytest.mark.parametrize("inflated", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize(("beyond", "kind"), [(0, ProjectListing), (1, ListingUnavailable)])
def test_19_a_listing_is_read_up_to_its_cap(beyond: int, kind: type, *, inflated: bool) -> None:
    body = b'{"meta": {"api-version": "1.1"}, "name": "demo", "files": []}'.ljust(32 * MEGABYTE + beyond)
    headers = {
        "Content-Type": "application/vnd.pypi.simple.v1+json",
        **({"Content-Encoding": "gzip"} if inflated else {}),
    }
    looks = [answering(200, gzip.compress(body, 1) if inflated else body, headers=headers)]
    with FaultServer(looks=looks) as server, Client(server.upload_url, timeouts=PATIENT) as client:
        assert isinstance(client.index.fetch_listing("demo"), kind)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
