"""Seeded hostile servers against the whole program: an exit code in time, never a lie, never a traceback.

150 seeds in ``make test``, 2,000 with CI_PUBLISH_STRESS=1; ten of them as a process of its own.
"""

import contextlib
import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from ci_publish.app.commands import publish
from ci_publish.app.runtime_context import RuntimeContext
from ci_publish.app.settings import Settings
from ci_publish.errors import CiPublishError
from ci_publish.model.attestation import AttestationPolicy
from ci_publish.model.events import Event, IndexChosen, Noted
from ci_publish.model.identity import Secret
from ci_publish.model.receipt import Receipt
from ci_publish.model.receipt_json import to_json
from ci_publish.publishing.interruption import Interruption
from ci_publish.rehearsal.ci_claims import simulated_gitlab_claims, simulated_gitlab_variables
from ci_publish.rehearsal.identity_provider import RehearsalIdentityProvider
from ci_publish.rehearsal.trusted_publishing import AUDIENCE
from tests.e2e.harness_runs import STRESS, Release, dice, run, schema
from tests.faults.server import Act, FaultServer, Request, answering, honest, reply
from tests.faults.test_hostile import hostile

pytestmark = [pytest.mark.e2e, pytest.mark.faults]

SEEDS = 2_000 if STRESS else 150
PROCESSES = 10
DEADLINE = 10.0
# A busy machine may need a while to notice that time is over.
LATE = 10.0
PASSWORD = "pypi-canary-that-no-hostile-server-gets-printed"
KINDS = ("looks", "uploads", "verify", "exchange")


class Hurried(Interruption):
    """Waits between attempts are a fiftieth as long; deadlines are real."""

    def wait(self, seconds: float) -> bool:
        return super().wait(seconds / 50)


def test_hostile_answers_end_in_time_and_without_a_lie(tmp_path: Path) -> None:
    provider = RehearsalIdentityProvider()
    release = Release.make(tmp_path, "demo")
    with ThreadPoolExecutor(6) as pool:
        codes = Counter(pool.map(partial(meet, release, provider), range(SEEDS)))
    assert codes.total() == SEEDS
    assert {0, 9, 10} <= codes.keys(), codes


def server_of(seed: int) -> FaultServer:
    """Return a server that is hostile in one respect: when looked at, uploaded to, looked at again, or minting."""
    kind, mean = KINDS[seed % len(KINDS)], [hostile(seed * 10 + number) for number in range(4)]
    match kind:
        case "looks":
            return FaultServer([honest], looks=mean)
        case "uploads":
            return FaultServer(mean)
        case "verify":
            return FaultServer([honest], looks=[honest, honest, *mean, honest])
        case _:
            chance = dice("exchange", seed)
            mint = [chance.choice((minting, formless(hostile(seed * 10 + 5)))), *map(formless, mean)]
            return FaultServer(mint, looks=[chance.choice((audience, hostile(seed * 10 + 6))), audience])


def formless(act: Act) -> Act:
    """Let a hostile act play an exchange, where there is no file to store."""

    def play(server: FaultServer, request: Request) -> None:
        if request.target.startswith("/legacy/"):
            act(server, request)
            return
        with contextlib.suppress(KeyError):
            act(server, request)
            return
        request.connection.reset()

    return play


def audience(server: FaultServer, request: Request) -> None:
    if request.target.startswith("/_/oidc/audience"):
        reply(request, 200, json.dumps({"audience": AUDIENCE}).encode(), headers={"X-Ci-Publish-Rehearsal": "1"})
    else:
        honest(server, request)


minting: Act = answering(200, json.dumps({"success": True, "token": PASSWORD}).encode())


def meet(release: Release, provider: RehearsalIdentityProvider, seed: int) -> int:
    """Publish to a hostile server; check how that ended, and return the exit code."""
    profile = "generic" if seed // len(KINDS) % 3 == 0 else "pypi"
    exchanging = KINDS[seed % len(KINDS)] == "exchange"
    environ = job(provider) if exchanging else {}
    events: list[Event] = []
    with server_of(seed) as server:
        settings = Settings(
            paths=(str(release.folder / "dist"),),
            repository_url=(server.upload_url,),
            index_profile="auto" if exchanging else profile,  # type: ignore[arg-type]
            password=None if exchanging else Secret(PASSWORD),
            attestations=AttestationPolicy.OFF,
            timeout=0.4,
            verify_timeout=0.5,
        )
        context = RuntimeContext(environ=environ, emit=events.append, interruption=Hurried(DEADLINE))
        began = time.monotonic()
        code, receipt = ending(settings, context)
        seconds = time.monotonic() - began
        stored = dict(server.stored)
    where = f"seed {seed}: exit code {code} after {seconds:.1f} s; {receipt.error}; {events[-4:]}"
    assert seconds < DEADLINE + LATE, where
    judge(json.loads(to_json(receipt)), code, stored, release, where)
    if code == 0 and stored != release.content:
        indexes = [event for event in events if isinstance(event, IndexChosen)]
        warned = {event.slug for event in events if isinstance(event, Noted) and event.warning}
        assert [index.endpoints.profile for index in indexes] == ["generic"], f"exit 0 for nothing; {where}"
        assert warned & {"index-not-visible", "not-confirmed"}, f"exit 0 without a warning; {where}"
    assert PASSWORD not in repr(events) + to_json(receipt), f"seed {seed}: the secret is printed"
    return code


def ending(settings: Settings, context: RuntimeContext) -> tuple[int, Receipt]:
    try:
        return 0, publish(settings, context=context)
    except CiPublishError as caught:
        error = caught
    assert error.receipt is not None
    return error.exit_code, error.receipt


def judge(receipt: dict[str, Any], code: int, stored: dict[str, bytes], release: Release, where: str) -> None:
    """Check that a receipt is one, that it is no bug that it reports, and that what it calls listed is there."""
    jsonschema.validate(receipt, schema())
    assert receipt["exit_code"] == code, where
    assert code in {0, 5, 6, 8, 9, 10, 11}, where
    for file in receipt["files"]:
        there = stored.get(file["filename"]) == release.content[file["filename"]]
        assert there or file["listed"] is not True, f"listed, but not there; {where}"


def job(provider: RehearsalIdentityProvider) -> dict[str, str]:
    """Return the environment of a GitLab job, whose identity token is all in there."""
    claims = simulated_gitlab_claims()
    return {**simulated_gitlab_variables(claims), "CI_PUBLISH_REHEARSAL_ID_TOKEN": provider.issue(AUDIENCE, claims)}


def test_hostile_answers_to_a_process(tmp_path: Path) -> None:
    with ThreadPoolExecutor(3) as pool:
        codes = list(pool.map(partial(meet_as_a_process, tmp_path), range(PROCESSES)))
    assert len(codes) == PROCESSES


def meet_as_a_process(folder: Path, seed: int) -> int:
    release = Release.make(folder / f"process-{seed}", "demo")
    limits = ("--timeout", "0.4", "--deadline", "4", "--verify-timeout", "1", "--verbose", "--index-profile", "pypi")
    with server_of(seed * len(KINDS) + seed % 3) as server:
        environ = {"CI_PUBLISH_REPOSITORY_URL": server.upload_url, "CI_PUBLISH_PASSWORD": PASSWORD}
        ended = run(release.folder, {**environ, "GITHUB_ACTIONS": "true"}, "publish", *limits)
        stored = dict(server.stored)
    where = f"process-{seed}: {ended.said}"
    assert ended.receipt is not None, where
    judge(ended.receipt, ended.code, stored, release, where)
    assert ended.code or stored == release.content, where
    unmasked = [line for line in ended.said.splitlines() if not line.startswith("::add-mask::")]
    assert PASSWORD not in "\n".join(unmasked), where
    assert ended.seconds < 4 + LATE, where
    return ended.code
