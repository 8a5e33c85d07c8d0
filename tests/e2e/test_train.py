"""A run over several projects, at any moment of which what is public can be installed.

Random families with limits, refusals and kills: 3 in ``make test``, 100 with CI_PUBLISH_STRESS=1, and there pip and uv
say at the end of 20 of them, and at 20 random moments, whether they can install what is published.
"""

import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import uv
from werkzeug.wrappers import Response

from ci_publish.rehearsal.hooks import After
from ci_publish.rehearsal.world import RehearsalWorld
from tests.distributions import make_wheel
from tests.e2e.harness_runs import STRESS, Ended, clear, dice, finish, in_worlds, killer, start
from tests.e2e.in_process import Shell, hooked
from tests.e2e.train_harness import Checker, Family, random_family

pytestmark = pytest.mark.e2e

FAMILIES = 100 if STRESS else 3
ORACLES = 20 if STRESS else 0
# A run of a large family that defers, is refused and killed needs so many runs at most until all is published.
MOST_RUNS = 30
DISTURBED = 4 if STRESS else 2
REFUSALS = (
    (400, "Project size too large. Limit for project 'x' total size is 10 GB."),
    (403, "The user 'x' isn't allowed to upload to project 'x'."),
    (400, "Invalid distribution file. Broken"),
    (503, "busy"),
)


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.chdir(tmp_path)
    return Shell(tmp_path)


def three_wheels(folder: Path) -> None:
    """Make the family whose smallest wheel requires the others."""
    requires = {"meta": "core==1.0 plugin==1.0", "plugin": "core==1.0", "core": ""}
    for number, (name, names) in enumerate(requires.items()):
        extra = "".join(f"Requires-Dist: {each}\n" for each in names.split())
        make_wheel(folder / "dist", name, extra=extra, payload=random.Random(name).randbytes(1000 * number))  # noqa: S311


def recording(uploads: list[str]) -> After:
    def after(environ: dict[str, Any], response: Response) -> Response | None:
        if environ["PATH_INFO"] == "/legacy/":
            uploads.append(str(response.status_code))
        return None

    return after


def test_three_wheels_go_out_in_the_order_of_their_requirements(shell: Shell) -> None:
    three_wheels(shell.folder)
    with RehearsalWorld() as world:
        result = shell.in_job_of(world)("publish")
        assert result.code == 0, result.stdout
        order = sorted(world.index.files.values(), key=lambda file: file.uploaded)
        assert [file.project for file in order] == ["core", "plugin", "meta"]
        assert [wave["projects"] for wave in result.receipt["waves"]] == [["core"], ["plugin"], ["meta"]]
        assert len(world.index.mint_log) == 1, "one exchange serves all projects"
        assert len({entry.integrated_time for entry in world.sigstore.entries}) <= 2, "one signing phase"
        assert len(world.sigstore.entries) == 3


def test_the_upload_token_is_renewed_while_a_train_is_under_way(shell: Shell) -> None:
    three_wheels(shell.folder)
    with RehearsalWorld(token_lifetime=2.0) as world, hooked(world.index.hooks, after=slow_uploads):
        result = shell.in_job_of(world)("publish", "--attestations", "off")
        assert result.code == 0, result.stdout
        assert len(world.index.mint_log) >= 2
        assert all(token.burnt for token in world.index.mint_log)


def slow_uploads(environ: dict[str, Any], _: Response) -> Response | None:
    if environ["PATH_INFO"] == "/legacy/":
        time.sleep(1.0)
    return None


def test_with_a_limit_of_two_new_projects_meta_is_deferred(shell: Shell) -> None:
    three_wheels(shell.folder)
    with RehearsalWorld() as world:
        world.index.rules.new_projects_of_user = 2
        uploads: list[str] = []
        world.index.hooks.after = recording(uploads)
        environment = {**world.shared_environment, "CI_PUBLISH_PASSWORD": world.issue_api_token()}
        result = Shell(shell.folder, environment)("publish")
        assert (result.code, result.receipt["outcome"]) == (12, "deferred"), result.stdout
        assert sorted(file.project for file in world.index.files.values()) == ["core", "plugin"]
        assert uploads == ["200", "200", "429"], "the limit is met once"
        assert result.receipt["resume_after"] is not None
        statuses = {file["project"]: file["status"] for file in result.receipt["files"]}
        assert statuses == {"core": "uploaded", "plugin": "uploaded", "meta": "deferred"}
        assert "deferred  meta: " in result.stdout
        assert "Public on 127.0.0.1" in result.stdout.replace(world.base_url.removeprefix("http://"), "127.0.0.1")
        world.index.rules.new_projects_of_user = None
        assert Shell(shell.folder, environment)("publish").code == 0


def test_the_checker_notices_what_cannot_be_installed(tmp_path: Path) -> None:
    family = Family(tmp_path, {"core": [], "app": ["core==1.0"]}, {"core": ["py3"], "app": ["py3", "py2"]}).make()
    for path in (tmp_path / "dist").glob("core*"):
        path.unlink()
    with RehearsalWorld() as world:
        checker = Checker(world.index, family)
        ended = run_with(world, tmp_path, Disturbance(None, 0, REFUSALS[0], (checker.check,)), "--attestations", "off")
        assert ended.code == 0
        assert checker.broken == [
            "check 1: app cannot be installed: core==1.0",
            "check 2: app cannot be installed: core==1.0",
            "check 2: app cannot be installed: core==1.0",
        ]


def test_at_any_moment_everything_published_can_be_installed(tmp_path: Path) -> None:
    outcomes = in_worlds(range(1, FAMILIES + 1), partial(play, tmp_path), workers=3)
    seen = {code for codes in outcomes for code in codes}
    assert {0, 12, -9} <= seen, seen
    assert len(outcomes) == FAMILIES


def play(folder: Path, world: RehearsalWorld, number: int) -> list[int]:
    """Publish a random family in as many runs as it takes; return the exit codes. Every upload is checked."""
    seed, chance = f"train{number}", dice("train", number)
    family = random_family(folder / seed, chance, f"f{number}x").make()
    checker = Checker(world.index, family)
    oracle = Oracle(world, family, chance, number)
    # The limits count the projects that earlier families created in this world.
    created = sum(project.files != {} for project in world.index.state.projects.values())
    world.index.rules.new_projects_of_user = created + chance.randint(1, 4) if number % 2 else None
    codes: list[int] = []
    for attempt in range(MOST_RUNS):
        options = ["--attestations", "off", *(["--keep-going"] if chance.random() < 0.5 else [])]
        if number % 4 == 2:
            options += ["--new-projects", str(chance.randint(4, 8))]
        fault = chance.choice((None, "refuse", "kill", "kill")) if attempt < DISTURBED else None
        at = chance.randint(0, 3 * len(family.filenames))
        disturbance = Disturbance(fault, at, chance.choice(REFUSALS), (checker.check, oracle.ask))
        ended = run_with(world, family.folder, disturbance, *options)
        codes.append(ended.code)
        assert checker.broken == [], f"{seed}, run {attempt}: {checker.broken}\n{ended.said}"
        if ended.code == 0 and not fault:
            break
        if ended.code == 12 and world.index.rules.new_projects_of_user is not None:
            world.index.rules.new_projects_of_user += 3  # a new day
    world.index.rules.new_projects_of_user = None
    assert codes[-1] == 0, f"{seed}: {codes}"
    assert family.filenames <= world.index.files.keys(), seed
    checker.check()
    assert checker.broken == [], seed
    if number <= ORACLES:
        oracle.require_installable(family.requires)
    clear(family.folder)
    return codes


@dataclass
class Disturbance:
    """What happens to a run at request number ``at``, and what is asked at every stored upload."""

    kind: str | None
    at: int
    refusal: tuple[int, str]
    checks: Sequence[Callable[[], None]]
    kill: Callable[[], None] = field(default=lambda: None)
    seen: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    checking: bool = False

    def interpose(self, environ: dict[str, Any]) -> Response | None:
        if self.checking:  # requests of the checks themselves, which hold the lock
            return None
        with self.lock:
            self.seen += 1
            hit = self.seen == self.at + 1
        if self.kind == "kill" and hit:
            self.kill()
        if self.kind == "refuse" and hit and environ["PATH_INFO"] == "/legacy/":
            status, text = self.refusal
            return Response(text, status=f"{status} {text}", content_type="text/plain")
        return None

    def after(self, environ: dict[str, Any], response: Response) -> Response | None:
        if environ["PATH_INFO"] == "/legacy/" and response.status_code == 200:
            with self.lock:
                self.checking = True
                try:
                    for check in self.checks:
                        check()
                finally:
                    self.checking = False
        return None


def run_with(world: RehearsalWorld, folder: Path, disturbance: Disturbance, *options: str) -> Ended:
    """Run once, as a user with an API token."""
    environment = {**world.shared_environment, "CI_PUBLISH_PASSWORD": world.issue_api_token()}
    processes, disturbance.kill = killer()
    processes.append(start(folder, environment, "publish", *options))
    with hooked(world.index.hooks, interpose=disturbance.interpose, after=disturbance.after):
        return finish(folder, processes[0])


class Oracle:
    """pip and uv, which say whether projects can be installed from a world's index."""

    def __init__(self, world: RehearsalWorld, family: Family, chance: random.Random, number: int) -> None:
        self._world = world
        self._family = family
        self._left = 1 if STRESS and number <= ORACLES else 0
        self._at = chance.randint(1, len(family.filenames))

    def ask(self) -> None:
        """Ask at one random upload, about every project that is published outside of an unfinished cycle."""
        self._at -= 1
        if self._left and self._at <= 0:
            self._left -= 1
            self.require_installable([name for name in self._family.requires if self._is_there(name)])

    def _is_there(self, project: str) -> bool:
        needed = {project, *self._family.cycle_of(project)}
        files = {name for name in self._family.filenames if name.partition("-")[0] in needed}
        return files <= self._world.index.files.keys()

    def require_installable(self, projects: Any) -> None:  # noqa: ANN401  (names)
        for project in projects:
            index, wanted = ("--index-url", self._world.index_url), f"{project}==1.0"
            pip = (
                sys.executable,
                "-m",
                "pip",
                "--isolated",
                "install",
                "--dry-run",
                "--ignore-installed",
                "--no-cache-dir",
                *index,
            )
            uvs = (
                uv.find_uv_bin(),
                "pip",
                "install",
                "--no-config",
                "--dry-run",
                "--no-cache",
                "--python",
                sys.executable,
                *index,
            )
            for tool in (pip, uvs):
                done = subprocess.run([*tool, wanted], capture_output=True, text=True, check=False, timeout=120)
                assert done.returncode == 0, f"{tool[0]} {wanted}: {done.stdout}\n{done.stderr}"
