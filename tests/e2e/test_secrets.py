"""Runs that fail in many ways, against servers that say every secret back: none is left anywhere.

Thirty runs fail, two in each way, in ``make test``, five hundred with CI_PUBLISH_STRESS=1.
"""

import os
import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from ci_publish.rehearsal.hooks import Hooks, Interpose, only
from ci_publish.rehearsal.world import RehearsalWorld
from tests.e2e.harness_canaries import Canaries, command_lines, with_path, without_masks, wrap, written
from tests.e2e.harness_runs import STRESS, Ended, Release, clear, dice, finish, in_worlds, start

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(os.name == "nt", reason="reads /proc, and puts scripts on PATH")]

FAILING = 500 if STRESS else 30
STYLES = ("text", "json", "html", "problem")
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
PROVIDERS = ("github", "gitlab", "buildkite", "circleci")
# The rehearsal's index exchanges identities as PyPI does; the others' are asked for, and refused there.
EXCHANGING = PROVIDERS[:2]
MINT, UPLOAD, SIGN, BURN = "/_/oidc/mint-token", "/legacy/", "/api/v2/signingCert", "/_/oidc/burn-token"


@dataclass(frozen=True)
class Way:
    """A way to fail. ``path`` and ``statuses``: what is answered with an echo of all that is secret."""

    name: str
    path: str
    statuses: tuple[int, ...]
    credential: str = "trusted"
    options: tuple[str, ...] = ("--attestations", "off")
    method: str | None = None
    codes: frozenset[int] = frozenset({5, 6, 7, 9, 10, 11})
    providers: tuple[str, ...] = PROVIDERS


ATTESTED = ("--attestations", "required")
WAYS = (
    Way("mint", MINT, (400, 401, 403, 404, 409, 422, 422, 422, 429, 500, 503)),
    Way("upload", UPLOAD, (400, 401, 403, 403, 404, 409, 413, 429, 500, 503), providers=EXCHANGING),
    Way("upload with an API token", UPLOAD, (400, 401, 403, 404, 409, 500), "token", ()),
    Way("upload with a password", UPLOAD, (400, 401, 403, 404, 409, 500), "password", ()),
    Way("look", "/simple/", (400, 401, 403, 500, 503), "password", ("--index-profile", "pypi")),
    Way("certificate", SIGN, (400, 401, 403, 500, 503), options=ATTESTED, providers=EXCHANGING),
    Way("log", "/api/v1/log", (400, 403, 500), options=ATTESTED, providers=EXCHANGING),
    Way("burn", BURN, (400, 401, 500), codes=frozenset({0}), providers=EXCHANGING),
    Way("audience", "/_/oidc/audience", (400, 403, 404, 500)),
    # on a busy machine, the deadline of these runs ends some of them earlier
    Way("provenance", "/integrity/", (200, 500), "trusted", ATTESTED, None, frozenset({0, 7, 10, 11}), EXCHANGING),
    Way("unstored", UPLOAD, (200,), "password", ("--index-profile", "pypi")),
    Way("configuration", "/", (500,), "password", ("--jobs", "none"), codes=frozenset({2})),
    Way("lines", "/", (500,), "lines", (), codes=frozenset({2})),
    Way("address", "/", (500,), "address", (), codes=frozenset({2})),
    Way("attested with a password", UPLOAD, (400, 403), "password", ("--index-profile", "generic", *ATTESTED)),
)  # fmt: skip


def test_no_secret_is_left_by_runs_that_fail(tmp_path: Path) -> None:
    ways = in_worlds(range(FAILING), partial(fail, tmp_path))
    assert len(ways) == FAILING
    assert set(Counter(ways)) == {way.name for way in WAYS}


def fail(folder: Path, world: RehearsalWorld, number: int) -> str:
    """Let one run fail; check that none of its secrets is left."""
    chance = dice("secrets", number)
    way = WAYS[number % len(WAYS)]
    release = Release.make(folder / f"secrets-{number}", f"secrets-{number}")
    status, style = chance.choice(way.statuses), chance.choice(STYLES)
    canaries = Canaries()
    environ = context(world, release.folder, chance, way, canaries)
    deadline = "60" if way.codes == {0} else "5"  # runs that fail by being refused for ever need no longer
    options = [*way.options, "--deadline", deadline, "--timeout", "4", "--verify-timeout", "1", *extra(chance)]
    seed = f"secrets-{number}: {way.name}, {status} as {style}, {options}"
    with canaries.of(world), faulty(world, only(way.path, canaries.echo(status, style), method=way.method)):
        process = start(release.folder, environ, "publish", *options)
        with command_lines(process) as arguments:
            ended = finish(release.folder, process, debugging="CI_PUBLISH_DEBUG" in environ)
    found = canaries.found_in(places(ended, release.folder, arguments, json="json" in options))
    assert found == set(), f"{seed}\n{sorted((place, part[:60]) for place, part in found)}\n{ended.said}"
    assert canaries.known, seed
    assert ended.code in way.codes, f"{seed}\n{ended.said}"
    clear(release.folder)
    return way.name


def places(ended: Ended, folder: Path, arguments: set[str], *, json: bool) -> dict[str, str]:
    """Return everything that a run printed, wrote, and told its children; masks stand where the runner reads them."""
    stderr = without_masks(ended.stderr) if json else ended.stderr
    here = {"stdout": without_masks(ended.stdout), "stderr": stderr, "argv": "\n".join(arguments)}
    return here | written(folder, without=("dist", "agents"))


def faulty(world: RehearsalWorld, fault: Interpose) -> "Faulty":
    return Faulty((world.index.hooks, world.sigstore.hooks), fault)


@dataclass(frozen=True)
class Faulty:
    parts: tuple[Hooks, ...]
    fault: Interpose

    def __enter__(self) -> None:
        for hooks in self.parts:
            hooks.interpose = self.fault

    def __exit__(self, *_: object) -> None:
        for hooks in self.parts:
            hooks.interpose = None


# what is around a run ---------------------------------------------------------------------------------------------


def context(world: RehearsalWorld, folder: Path, chance: random.Random, way: Way, canaries: Canaries) -> dict[str, str]:
    """Return the environment of a CI job, with the files that CI gives it and the credential of *way*."""
    provider = chance.choice(way.providers)
    environ = job(world, folder, provider)
    for name in ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "REHEARSAL_ID_TOKEN_REQUEST_TOKEN"):
        canaries.add(environ.get(name, ""))
    canaries.add(*(value for name, value in environ.items() if name.endswith("_ID_TOKEN")))
    if provider == "github":
        for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_ENV", "GITHUB_STATE"):
            (folder / name.lower()).touch()
            environ[name] = str(folder / name.lower())
    debugging = chance.choice(({}, {"CI_PUBLISH_DEBUG": "1"}))
    return environ | debugging | CREDENTIALS[way.credential](world, chance, canaries)


def job(world: RehearsalWorld, folder: Path, provider: str) -> dict[str, str]:
    target = {
        "CI_PUBLISH_REPOSITORY_URL": world.repository_url,
        "CI_PUBLISH_SIGSTORE_TRUST_CONFIG": str(world.trust_config_path),
    }
    if provider in {"github", "gitlab"}:
        return world.environment("github" if provider == "github" else "gitlab")
    agents, ci = folder / "agents", f"{world.base_url}/ci"
    make = world.identity_provider.buildkite_environment
    if provider == "circleci":
        make = world.identity_provider.circleci_environment
    environ = make(ci, agents)
    wrap(next(agents.iterdir()), folder / "wrapped")
    return with_path(environ, folder / "wrapped") | target


def _trusted(_world: RehearsalWorld, _chance: random.Random, _canaries: Canaries) -> dict[str, str]:
    return {}


def _token(_world: RehearsalWorld, chance: random.Random, canaries: Canaries) -> dict[str, str]:
    secret = "pypi-" + "".join(chance.choices(ALPHABET, k=120))
    canaries.add(secret)
    return {"CI_PUBLISH_PASSWORD": secret}


def _password(_world: RehearsalWorld, chance: random.Random, canaries: Canaries) -> dict[str, str]:
    secret = "hunter2 CANARY+/&%=\u00e9" + "".join(chance.choices(ALPHABET, k=chance.choice((4, 40))))
    canaries.add(secret)
    return {"CI_PUBLISH_USER": "alice", "CI_PUBLISH_PASSWORD": secret}


def _lines(_world: RehearsalWorld, chance: random.Random, canaries: Canaries) -> dict[str, str]:
    """Return a password of two lines, as a secret is that was pasted with what stood below it."""
    lines = ["".join(chance.choices(ALPHABET, k=30)) for _ in range(2)]
    canaries.add(*lines)
    return {"CI_PUBLISH_PASSWORD": "\n".join(lines)}


def _address(world: RehearsalWorld, chance: random.Random, canaries: Canaries) -> dict[str, str]:
    """Return a secret where it does not belong: in the index's address."""
    secret = "".join(chance.choices(ALPHABET, k=30))
    canaries.add(secret)
    return {"CI_PUBLISH_REPOSITORY_URL": world.repository_url.replace("//", f"//alice:{secret}@")}


CREDENTIALS: Mapping[str, Callable[[RehearsalWorld, random.Random, Canaries], dict[str, str]]] = {
    "trusted": _trusted,
    "token": _token,
    "password": _password,
    "lines": _lines,
    "address": _address,
}


def extra(chance: random.Random) -> list[str]:
    choices = (["--verbose"], ["--output", "json"], ["--print-hash"], ["--reports-dir", "reports"])
    return [word for choice in choices if chance.random() < 0.5 for word in choice]


def test_a_password_on_standard_input_is_nowhere_either(tmp_path: Path) -> None:
    release = Release.make(tmp_path, "stdin")
    canaries = Canaries()
    secret = _password(None, dice("stdin", 0), canaries)["CI_PUBLISH_PASSWORD"]  # type: ignore[arg-type]
    with RehearsalWorld() as world, faulty(world, only(UPLOAD, canaries.echo(403, "json"))):
        options = ("--repository-url", world.repository_url, "--user", "alice", "--password-stdin", "--verbose")
        process = start(tmp_path, {}, "publish", *options, stdin=f"{secret}\n")
        with command_lines(process) as arguments:
            ended = finish(tmp_path, process)
    assert ended.code == 6, ended.said
    assert canaries.found_in(places(ended, release.folder, arguments, json=False)) == set(), ended.said
    assert "publish" in arguments


def test_the_canaries_would_be_heard(tmp_path: Path) -> None:
    """The search finds what it looks for: a form, and a fragment, of each kind of secret."""
    canaries = Canaries()
    token = _token(None, dice("heard", 0), canaries)["CI_PUBLISH_PASSWORD"]  # type: ignore[arg-type]
    (tmp_path / "receipt.json").write_text(f"…{token[50:90]}…", encoding="utf-8")
    assert canaries.found_in(written(tmp_path))
    assert canaries.found_in({"stdout": without_masks(f"::add-mask::{token}\n")}) == set()
    assert canaries.found_in({"stdout": f"say {token}"})
