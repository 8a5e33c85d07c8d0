"""The fault grid of signing: whatever Fulcio and Rekor do, a run ends as its policy needs to know, and in time."""

from __future__ import annotations

import datetime as dt
import importlib.resources
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from sigstore.models import ClientTrustConfig
from werkzeug.wrappers import Response

from ci_publish.attestations.provenance_verification import ProvenanceJudge
from ci_publish.attestations.sigstore_trust import TrustSource
from ci_publish.errors import (
    SigningFailed,
    SigningIdentityExpired,
    SigstoreIdentityRejected,
    SigstoreRefused,
    SigstoreUnavailable,
    UntrustedCertificate,
)
from ci_publish.rehearsal.ci_claims import simulated_gitlab_claims
from ci_publish.rehearsal.hooks import Interpose, answer, drop, late, lose_answer, only, times
from ci_publish.rehearsal.loopback_server import RehearsalServer
from ci_publish.rehearsal.loopback_tls import make_loopback_tls
from ci_publish.rehearsal.sigstore import LOG_ENTRIES_PATH, SIGNING_CERTIFICATE_PATH
from tests.faults.server import FaultServer
from tests.unit.attestations.signing_harness import SigningHarness, quick, signing_harness, wheel, wheels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from wsgiref.types import WSGIEnvironment

    from ci_publish.model.attestation import SigningResult

pytestmark = pytest.mark.faults

FILES = 12
TUF_ROOT = (
    importlib.resources.files("sigstore") / "_store" / quote("https://tuf-repo-cdn.sigstore.dev", safe="") / "root.json"
)
HTML = "<html><head><title>502</title></head><body><h1>Bad Gateway</h1></body></html>"
FULCIO, REKOR = SIGNING_CERTIFICATE_PATH, LOG_ENTRIES_PATH
SERVICES = pytest.mark.parametrize("path", [FULCIO, REKOR], ids=["fulcio", "rekor"])


@pytest.fixture
def world() -> Iterator[SigningHarness]:
    with signing_harness() as world:
        yield world


@pytest.fixture
def release() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def hang(release: threading.Event) -> Interpose:
    """Hold a request until the test is over; then drop it."""

    def interpose(environ: WSGIEnvironment) -> Response | None:
        release.wait(30)
        return drop(environ)

    return interpose


def garbage(_environ: WSGIEnvironment) -> Response:
    return Response('{"unexpected": true}', status=201, content_type="application/json")


@dataclass(frozen=True)
class Fault:
    """A fault, and a word of the reason that people must read."""

    interpose: Callable[[threading.Event], Interpose]
    word: str
    hangs: bool = False

    @property
    def request(self) -> float:
        """The deadline of a request: short only where it is what ends the request, for busy machines' sake."""
        return 1.0 if self.hangs else LONG


PASSING = {
    "429": Fault(lambda _: answer(429, "slow down", retry_after="0"), "429: slow down"),
    "500": Fault(lambda _: answer(500, '{"code": 500, "message": "oops"}'), "500: oops"),
    "502-html": Fault(lambda _: answer(502, HTML, content_type="text/html"), "502: 502 Bad Gateway"),
    "503": Fault(lambda _: answer(503, ""), "HTTP 503"),
    "200-html": Fault(lambda _: answer(200, HTML, content_type="text/html"), "not JSON"),
    "200-other-json": Fault(lambda _: garbage, "cannot be understood"),
    "dropped": Fault(lambda _: drop, "connection"),
    "hanging": Fault(hang, "did not respond within", hangs=True),
}
PATIENCE = quick(request=1.0)
# Where nothing hangs: a busy machine is not a fault.
LONG = 10.0
# The seconds that all signing may take; more where a busy machine got no answer in time.
BUDGETS = (0.5, 5.0)


def sign(world: SigningHarness, **patience: float) -> SigningResult:
    return world.signer(patience=quick(**{"request": LONG, **patience})).sign(wheels(FILES))


def error_of(result: SigningResult) -> SigningFailed:
    assert len(result.attestations) + len(result.failures) == FILES
    (error,) = set(result.failures.values())
    assert error.summary
    assert error.exit_code == 7
    return error


@SERVICES
@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING.keys())
def test_what_passes_is_outlived(world: SigningHarness, release: threading.Event, path: str, fault: Fault) -> None:
    world.sigstore.hooks.interpose = only(path, times(2, fault.interpose(release), after=0 if path == FULCIO else 3))

    result = sign(world, request=fault.request)

    assert result.failures == {}
    assert len(result.attestations) == FILES
    assert len(world.events.reasons) == 2
    assert all(fault.word in reason for reason in world.events.reasons)


@SERVICES
@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING.keys())
def test_what_does_not_pass_ends_with_the_budget_and_its_reason(
    world: SigningHarness, release: threading.Event, path: str, fault: Fault
) -> None:
    world.sigstore.hooks.interpose = only(path, fault.interpose(release))
    seen = []
    for budget in BUDGETS:
        limit = budget + (fault.request if fault.hangs else 0.0)
        began = time.monotonic()
        error = error_of(sign(world, request=fault.request, budget=limit))
        in_time = time.monotonic() - began < limit + 2.5
        assert isinstance(error, SigstoreUnavailable)
        assert error.retryable
        if in_time and fault.word in error.summary:
            return
        seen.append((error.summary, in_time))
    pytest.fail(str(seen))


@pytest.mark.parametrize(
    ("path", "kind"), [(FULCIO, SigstoreIdentityRejected), (REKOR, SigstoreRefused)], ids=["fulcio", "rekor"]
)
@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_a_refusal_is_told_in_the_services_own_words(
    world: SigningHarness, path: str, kind: type[SigningFailed], status: int
) -> None:
    body = '{"code": 3, "message": "There was an error processing the identity token"}'
    world.sigstore.hooks.interpose = only(path, answer(status, body))

    error = error_of(sign(world))

    assert type(error) is kind
    assert not error.retryable
    assert f"HTTP {status}: There was an error processing the identity token" in error.summary
    assert len(world.sigstore.entries) == 0


@SERVICES
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(world: SigningHarness, path: str, status: int) -> None:
    def redirect(_environ: WSGIEnvironment) -> Response:
        return Response(status=status, headers={"Location": "http://127.0.0.1:9/elsewhere"})

    world.sigstore.hooks.interpose = only(path, redirect)

    error = error_of(sign(world))

    assert "redirect" in error.summary


def test_a_tls_certificate_that_is_not_trusted_is_final_and_names_the_cure(
    world: SigningHarness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls = make_loopback_tls(tmp_path, dt.datetime.now(dt.UTC))
    with RehearsalServer(app=world.sigstore.app, tls=tls.context) as server:
        trust = TrustSource(emit=world.events.append, config=world.sigstore.trust_config(server.base_url))

        with pytest.raises(UntrustedCertificate) as caught:
            world.signer(patience=PATIENCE, trust=trust).sign(wheels(FILES))
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tls.authority_file))
        result = world.signer(patience=quick(), trust=trust).sign(wheels(FILES))

    assert caught.value.exit_code == 2
    assert "certificate authority is not trusted" in caught.value.summary
    assert "SSL_CERT_FILE" in caught.value.hints[0]
    assert world.events.reasons == []
    assert len(result.attestations) == FILES


def test_a_trust_root_from_a_server_that_is_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No fallback to the root that sigstore brings along: what answers in Sigstore's name is not Sigstore."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with FaultServer(tls=make_loopback_tls(tmp_path, dt.datetime.now(dt.UTC)).context) as server:
        root = tmp_path / "root.json"
        root.write_bytes(TUF_ROOT.read_bytes())
        trust = TrustSource(emit=print, refreshed=lambda: ClientTrustConfig.from_tuf(server.url, bootstrap_root=root))
        with pytest.raises(UntrustedCertificate, match="trust root") as caught:
            trust.get()
        with pytest.raises(UntrustedCertificate):
            ProvenanceJudge(trust).verify(wheel(), b"{}", None)
    assert "SSL_CERT_FILE" in caught.value.hints[0]


@SERVICES
def test_nobody_there_ends_with_the_budget(path: str) -> None:
    with signing_harness() as world:
        nowhere = "http://127.0.0.1:9"
        config = world.sigstore.trust_config(world.url)
        key = '"caUrls"' if path == FULCIO else '"rekorTlogUrls"'
        head, _, tail = config.partition(key)
        trust = TrustSource(emit=world.events.append, config=head + key + tail.replace(world.url, nowhere, 1))
        signer = world.signer(patience=quick(request=1.0, budget=1.0), trust=trust)

        error = error_of(signer.sign(wheels(FILES)))

    assert isinstance(error, SigstoreUnavailable)
    assert "connection" in error.summary


@SERVICES
def test_an_answer_that_is_lost_after_the_deed_is_no_harm(world: SigningHarness, path: str) -> None:
    count = iter(range(2 if path == FULCIO else 4))

    def after(environ: WSGIEnvironment, response: Response) -> Response | None:
        if environ["PATH_INFO"] == path and next(count, None) is not None:
            return lose_answer(environ, response)
        return None

    world.sigstore.hooks.after = after

    result = sign(world)

    assert len(result.attestations) == FILES
    # A fresh signature is a fresh entry, never an "equivalent entry already exists" (409).
    assert len(world.sigstore.entries) == FILES + (0 if path == FULCIO else 4)
    assert not any("409" in reason for reason in world.events.reasons)


@SERVICES
def test_a_deed_that_is_answered_late_is_no_harm(world: SigningHarness, release: threading.Event, path: str) -> None:
    hold, count = late(release), iter(range(1))

    def after(environ: WSGIEnvironment, response: Response) -> Response | None:
        if environ["PATH_INFO"] == path and next(count, None) is not None:
            return hold(environ, response)
        return None

    world.sigstore.hooks.after = after

    result = sign(world, request=1.0)

    assert len(result.attestations) == FILES
    assert not any("409" in reason for reason in world.events.reasons)


def test_faults_of_every_kind_among_many_files(world: SigningHarness, release: threading.Event) -> None:
    faults = [fault.interpose(release) for fault in PASSING.values()]
    numbers, lock = iter(range(10_000)), threading.Lock()

    def interpose(environ: WSGIEnvironment) -> Response | None:
        with lock:
            number = next(numbers)
        return faults[number // 3 % len(faults)](environ) if number % 3 == 2 and number < 24 else None

    world.sigstore.hooks.interpose = only(REKOR, interpose)

    result = world.signer(patience=PATIENCE).sign(wheels(60))

    assert (len(result.attestations), result.failures) == (60, {})
    assert len(world.events.reasons) >= 8


def test_an_outage_mid_run_keeps_what_is_done(world: SigningHarness) -> None:
    world.sigstore.hooks.interpose = only(REKOR, times(10_000, answer(502, HTML), after=5))

    result = sign(world, budget=1.0)

    assert len(result.attestations) == 5
    assert isinstance(error_of(result), SigstoreUnavailable)


def test_certificates_and_tokens_that_end_mid_run_are_renewed() -> None:
    with signing_harness(certificate_lifetime=2.0) as world:
        world.sigstore.hooks.delay = 0.25
        identity = world.identity(lifetime=2.0)

        result = world.signer(identity, workers=1, patience=PATIENCE).sign(wheels(FILES))

    assert len(result.attestations) == FILES
    assert len(identity.asked) > 1


def test_the_only_token_of_a_job_ends_mid_run_in_words() -> None:
    with signing_harness(certificate_lifetime=1.0) as world:
        world.sigstore.hooks.delay = 0.25
        identity = world.identity(simulated_gitlab_claims(), repeatable=False, lifetime=2.0)

        error = error_of(world.signer(identity, workers=1, patience=PATIENCE).sign(wheels(FILES)))

    assert isinstance(error, SigningIdentityExpired)
    assert "only identity token" in error.summary


@pytest.mark.parametrize("lifetime", [-10.0, -3.0, 0.0])
def test_a_token_that_has_ended_when_signing_begins_is_named(world: SigningHarness, lifetime: float) -> None:
    identity = world.identity(simulated_gitlab_claims(), repeatable=False, lifetime=lifetime)

    error = error_of(world.signer(identity, patience=PATIENCE).sign(wheels(FILES)))

    assert isinstance(error, SigningIdentityExpired)
    assert "it has expired" in error.summary
    assert len(world.sigstore.entries) == 0


def test_a_token_that_is_not_valid_yet_is_tried_until_the_clock_is_to_blame(world: SigningHarness) -> None:
    identity = world.identity()
    identity.issue = lambda audience: world.provider.issue(audience, nbf=int(time.time()) + 100)

    error = error_of(world.signer(identity, patience=PATIENCE).sign(wheels(FILES)))

    assert isinstance(error, SigningIdentityExpired)
    assert "not valid for another" in error.summary
    assert "clock" in error.detail


def test_a_token_that_will_be_valid_in_a_moment_is_waited_for(world: SigningHarness) -> None:
    identity = world.identity()
    identity.issue = lambda audience: world.provider.issue(audience, nbf=int(time.time()) + 2)

    result = world.signer(identity, patience=PATIENCE).sign(wheels(1))

    assert len(result.attestations) == 1
    assert len(identity.asked) == 1


def test_a_token_for_somebody_else_is_refused_in_words(world: SigningHarness) -> None:
    identity = world.identity()
    identity.issue = lambda _audience: world.provider.issue("pypi")

    error = error_of(world.signer(identity, patience=PATIENCE).sign(wheels(FILES)))

    assert isinstance(error, SigstoreIdentityRejected)
    assert "udience" in error.summary


def test_a_process_with_a_hanging_log_ends_by_itself(world: SigningHarness, release: threading.Event) -> None:
    """No thread keeps the interpreter alive: what is stuck is left behind."""
    world.sigstore.hooks.interpose = only(REKOR, hang(release))
    script = f"""
import time
from ci_publish.attestations.signing_run import SigningPatience, SigningContext
from ci_publish.attestations.sigstore_signer import SigstoreSigner
from ci_publish.attestations.sigstore_trust import TrustSource
from tests.unit.attestations.signing_harness import CiIdentity, PatientWaiting, wheels
from ci_publish.model.identity import Provider
trust = TrustSource(emit=lambda _: None, config={world.sigstore.trust_config(world.url)!r})
identity = CiIdentity(Provider.GITHUB, lambda audience: {world.provider.issue("sigstore")!r})
patience = SigningPatience(request=30.0, budget=1.0)
waiting = PatientWaiting()
context = SigningContext(emit=lambda _: None, waiting=waiting, patience=patience)
signer = SigstoreSigner(identity=identity, trust=trust, context=context)
print(len(signer.sign(wheels(3)).failures), "failed")
"""
    began = time.monotonic()

    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=30)

    assert (result.stdout, result.stderr) == ("3 failed\n", "")
    assert time.monotonic() - began < 15.0


@pytest.mark.parametrize("home", ["home", "file/below"], ids=["a home", "no home"])
def test_the_trust_root_cannot_be_reached(tmp_path: Path, home: str) -> None:
    """The copy that sigstore brings along is used instead, with a warning, and nothing is written to stderr."""
    (tmp_path / "file").touch()
    script = """
from ci_publish.attestations.sigstore_trust import TrustSource
events = []
config = TrustSource(emit=events.append).get()
print(len(config.trusted_root.get_fulcio_certs()) > 0, config.signing_config.get_oidc_url())
print([event.slug for event in events])
"""
    environment = {"PYTHONPATH": "src", "HTTPS_PROXY": "http://127.0.0.1:9", "HOME": str(tmp_path / home)}

    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60, env=environment
    )

    assert result.stderr == ""
    assert result.stdout == "True https://oauth2.sigstore.dev/auth\n['trust-root-not-refreshed']\n"
