"""New projects over several days: what an index allows today is published today, the rest when it allows more."""

import json
from base64 import b64decode
from pathlib import Path

import pytest

from ci_publish.rehearsal.world import RehearsalWorld
from tests.e2e.harness_runs import dice
from tests.e2e.in_process import Shell
from tests.e2e.train_harness import Checker, Family

pytestmark = pytest.mark.e2e

DAY = 24 * 60 * 60.0


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.chdir(tmp_path)
    return Shell(tmp_path)


def family_of(folder: Path, count: int) -> Family:
    """Make *count* projects, each of which requires up to two of those before it."""
    chance, names = dice("days", count), [f"day{number:02}" for number in range(count)]
    chance.shuffle(names)
    requires = {
        name: [f"{other}==1.0" for other in chance.sample(names[:place], min(place, chance.randint(0, 2)))]
        for place, name in enumerate(names)
    }
    return Family(folder, requires, dict.fromkeys(names, ("py3",))).make()


def test_forty_projects_take_ten_days_at_four_a_day(shell: Shell) -> None:
    family, now = family_of(shell.folder, 40), [1_795_000_000.0]
    with RehearsalWorld(clock=lambda: now[0]) as world:
        world.index.rules.new_projects_of_user = 4
        checker = Checker(world.index, family)
        token = {**world.shared_environment, "CI_PUBLISH_PASSWORD": world.issue_api_token()}
        codes = []
        for day in range(10):
            result = Shell(shell.folder, token)("publish")
            codes.append(result.code)
            checker.check()
            assert checker.broken == [], f"day {day}: {checker.broken}"
            assert len(world.index.files) == 4 * (day + 1)
            assert (result.receipt["resume_after"] is None) == (day == 9)
            now[0] += DAY + 1
        assert codes == [12] * 9 + [0]
        assert set(world.index.files) == family.filenames


def test_nothing_is_written_to_the_public_log_for_what_waits(shell: Shell) -> None:
    family = family_of(shell.folder, 6)
    with RehearsalWorld() as world:
        options = ("--attestations", "required", "--index-profile", "generic", "--new-projects", "4")
        for published, code in ((4, 12), (6, 0)):
            result = shell.in_job_of(world)("publish", *options)
            assert result.code == code, result.stdout
            envelopes = [json.loads(entry.envelope) for entry in world.sigstore.entries]
            statements = [json.loads(b64decode(envelope["payload"])) for envelope in envelopes]
            signed = {subject["name"] for statement in statements for subject in statement["subject"]}
            assert signed == {name for name in family.filenames if name in world.index.files}
            assert len(signed) == published
