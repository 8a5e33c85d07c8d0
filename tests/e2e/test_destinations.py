"""No request and no secret reaches a host that the table does not name, whatever names destination and credential.

90 of the combinations in ``make test``, 300 with CI_PUBLISH_STRESS=1; each through a proxy, and in a network namespace.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.destinations_table import (
    CREDENTIALS,
    FOREIGN,
    HOSTS,
    IDENTITY,
    ISSUERS,
    MAY_REACH,
    OURS,
    PYPI,
    STRESS,
    TESTPYPI,
    Case,
    cases,
    every_case,
    expected,
)

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = [sys.executable, "-m", "tests.e2e.destinations_recorder"]
NAMESPACE = ["unshare", "--user", "--map-root-user", "--net", "--mount"]
# $1 is the hosts file; what follows is the program.
SCRIPT = 'mount --bind "$1" /etc/hosts && ip link set lo up && shift && exec "$@"'


def test_the_selection_holds_every_part_often() -> None:
    assert len(cases(200, 100)) == 300
    chosen = cases()
    for parts, attribute in ((OURS, "ours"), (FOREIGN, "foreign"), (CREDENTIALS, "credential")):
        assert {getattr(case, attribute).name for case in chosen} == {part.name for part in parts}
    assert {expected(case).destination for case in chosen} == {None, *MAY_REACH}
    assert len({case.name for case in every_case()}) == len(every_case())


def test_through_a_recording_proxy() -> None:
    check(recorded([*PROGRAM, "proxy"]))


def test_in_a_network_namespace_whose_names_lead_to_a_recorder(tmp_path: Path) -> None:
    hosts = tmp_path / "hosts"
    hosts.write_text("127.0.0.1 localhost " + " ".join(HOSTS) + "\n")
    inside = [*NAMESPACE, "sh", "-c", SCRIPT, "sh", str(hosts)]
    if not namespaces_work(inside):
        pytest.skip("THE NETWORK NAMESPACE TEST DID NOT RUN: this machine does not let us make one.")
    check(recorded([*inside, *PROGRAM, "direct"]))


def namespaces_work(inside: list[str]) -> bool:
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        return False
    return subprocess.run([*inside, "true"], capture_output=True, check=False).returncode == 0


def recorded(command: list[str]) -> list[dict[str, Any]]:
    seconds = 560 if STRESS else 280
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=seconds)
    assert result.returncode == 0, result.stderr[-4000:]
    runs: list[dict[str, Any]] = json.loads(result.stdout)
    return runs


def check(runs: list[dict[str, Any]]) -> None:
    chosen = {case.name: case for case in cases()}
    assert [run["case"] for run in runs] == list(chosen)
    wrong = [problem for run in runs for problem in problems(chosen[run["case"]], run)]
    assert wrong == [], "\n\n".join(wrong[:5])
    sending = sum(bool(run["requests"]) for run in runs)
    assert sending > len(runs) * 0.4, "something was sent, or nothing would be shown"


def problems(case: Case, run: dict[str, Any]) -> list[str]:
    """Return what differs from the table."""
    wanted, requests = expected(case), run["requests"]
    hosts = {request["host"] for request in requests}
    shown = {request["secret"] for request in requests} - {""}
    told = f"{case.name}: {wanted} but exit {run['code']}, {requests}\n{run['text'][-1500:]}"
    if wanted.destination is None:
        return [] if run["code"] == 2 and not requests else [told]
    minted = {f"pypi-minted-{host}" for host in MAY_REACH[wanted.destination]}
    may_show = {None: set(), IDENTITY: {IDENTITY, *minted}}.get(wanted.secret, {wanted.secret})
    if code(case) == 6:
        may_show = set()  # it was not sent
    fits = hosts <= MAY_REACH[wanted.destination] and shown <= may_show and run["code"] == code(case)
    uploaded = any(request["method"] == "POST" and "oidc" not in request["path"] for request in requests)
    return [] if fits and uploaded == (code(case) == 0) else [told]


def code(case: Case) -> int:
    """Return the exit code where the destination is clear: 5 without a credential, 6 for a secret of another index."""
    wanted = expected(case)
    if wanted.secret is None:
        return 5
    if wanted.secret == IDENTITY:
        return 0
    issuer = ISSUERS.get(wanted.secret)  # an API token is shown to its own index only
    fits = wanted.destination not in {PYPI, TESTPYPI} if issuer is None else issuer == wanted.destination
    return 0 if fits else 6
