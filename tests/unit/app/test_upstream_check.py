"""Whether the upstream answers: what counts as an answer, and what people are told where there is none."""

import contextlib
import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from ci_publish.app.front_end_wording import FrontEnd, FrontEndWording
from ci_publish.app.upstream_check import UpstreamCheck
from ci_publish.app.upstreams import UpstreamAddress, open_named_upstream
from ci_publish.errors import CredentialRejected, IndexUnavailable, UntrustedCertificate
from ci_publish.http.transport import HttpTransport
from ci_publish.rehearsal.loopback_server import RehearsalServer
from ci_publish.rehearsal.loopback_tls import make_loopback_tls
from tests.faults.server import closed_port
from tests.unit.index.scripted_index import Waits

PASSWORD = "canary-of-the-check"


@contextmanager
def check(text: str, named_by: str = "") -> Iterator[UpstreamCheck]:
    address = UpstreamAddress(text, named_by)
    with contextlib.ExitStack() as stack:

        def transport() -> HttpTransport:
            made = HttpTransport(waiting=Waits(), emit=lambda _: None, environ={})
            stack.callback(made.close)
            return made

        yield UpstreamCheck(address, open_named_upstream(address, transport, lambda _: None), transport)


@contextmanager
def upstream(pages: Mapping[str, int], user: str = "") -> Iterator[tuple[UpstreamCheck, list[str]]]:
    """An index that answers with these statuses, 404 for all other pages; what it was asked for."""
    asked: list[str] = []

    def app(environ: Any, start_response: Any) -> Any:  # noqa: ANN401  (WSGI)
        asked.append(Request(environ).path)
        return Response("", pages.get(asked[-1], 404))(environ, start_response)

    with RehearsalServer(app=app) as server, check(f"{server.base_url.replace('://', f'://{user}')}/simple") as found:
        yield found, asked


@pytest.mark.parametrize(
    "pages",
    [{}, {"/simple/pip/": 200}, {"/simple/pip/": 410}, {"/simple/pip/": 403}, {"/simple/pip/": 403, "/simple/": 200}],
)
def test_every_answer_but_a_failure_will_do(pages: Mapping[str, int]) -> None:
    with upstream(pages) as (found, asked):
        found.require_answering_upstream()
        assert found.unavailable_upstream_warning() is None

    assert set(asked) <= {"/simple/pip/", "/simple/"}


@pytest.mark.parametrize(("status", "said"), [(503, "503 SERVICE UNAVAILABLE"), (500, "500 "), (429, "429 ")])
@pytest.mark.parametrize("user", ["", f"user:{PASSWORD}@"])
def test_a_server_that_fails_is_unavailable(status: int, said: str, user: str) -> None:
    with upstream({"/simple/pip/": status}, user) as (found, _), pytest.raises(IndexUnavailable) as failed:
        found.require_answering_upstream()

    assert said in failed.value.summary
    assert "/simple responds with" in failed.value.summary
    assert PASSWORD not in repr(failed.value) + str(failed.value.detail) + str(failed.value.hints)
    assert failed.value.exit_code == 10


@pytest.mark.parametrize(
    ("pages", "user", "said"),
    [
        ({"/simple/pip/": 401}, "", "rejects requests without a credential: 401"),
        ({"/simple/pip/": 401}, "user:wrong-one@", "rejects its credential: 401"),
        ({"/simple/pip/": 403, "/simple/": 403}, "", "rejects requests without a credential: 403"),
    ],
)
def test_a_credential_is_asked_for(pages: Mapping[str, int], user: str, said: str) -> None:
    with upstream(pages, user) as (found, _), pytest.raises(CredentialRejected, match=said):
        found.require_answering_upstream()


def test_nobody_there_is_unavailable_and_a_warning_says_so_too() -> None:
    with closed_port() as port, check(f"http://127.0.0.1:{port}/simple/", "pip's index-url") as found:
        with pytest.raises(IndexUnavailable, match="Cannot reach the upstream index http://") as failed:
            found.require_answering_upstream()
        warning = found.unavailable_upstream_warning()

    assert "It comes from pip's index-url." in failed.value.detail
    assert "--upstream FOLDER" in FrontEndWording(FrontEnd.COMMAND_LINE, "rehearse").reword_hints(failed.value.hints)[1]
    assert warning is not None
    assert (warning.slug, warning.warning) == ("upstream-unavailable", True)
    assert warning.message.endswith("only the rehearsed projects can be installed.")


def test_a_certificate_that_is_not_trusted_is_no_outage(tmp_path: Path) -> None:
    tls = make_loopback_tls(tmp_path, dt.datetime.now(tz=dt.UTC))

    def app(environ: Any, start_response: Any) -> Any:  # noqa: ANN401  (WSGI)
        return Response("")(environ, start_response)

    with (
        RehearsalServer(app=app, tls=tls.context) as server,
        check(f"{server.base_url}/simple/") as found,
        pytest.raises(UntrustedCertificate),
    ):
        found.require_answering_upstream()


def test_a_folder_must_still_be_there(tmp_path: Path) -> None:
    (tmp_path / "wheels").mkdir()
    with check(str(tmp_path / "wheels")) as found:
        found.require_answering_upstream()
        (tmp_path / "wheels").rmdir()
        with pytest.raises(IndexUnavailable, match="no longer exists"):
            found.require_answering_upstream()


@pytest.mark.parametrize(
    ("status", "said"), [(200, ""), (404, ""), (503, "responds with 503"), (None, "Cannot reach 127")]
)
def test_the_host_of_the_files_must_answer_too(status: int | None, said: str) -> None:
    with contextlib.ExitStack() as stack:
        if status is None:
            port = stack.enter_context(closed_port())
            files = f"http://127.0.0.1:{port}"
        else:
            files = stack.enter_context(RehearsalServer(app=Response("", status))).base_url
        page = f'<a href="{files}/pip-1.0.tar.gz#sha256=0">x</a><a href="/pip-0.1.tar.gz">y</a>'
        index = stack.enter_context(RehearsalServer(app=Response(page, content_type="text/html")))
        found = stack.enter_context(check(f"{index.base_url}/simple/"))
        if not said:
            found.require_answering_upstream()
            return
        with pytest.raises(IndexUnavailable, match=said) as failed:
            found.require_answering_upstream()
        assert "which has the files of the upstream index" in failed.value.summary
