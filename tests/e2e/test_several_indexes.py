"""Several indexes in one run: one check, one signing, then each in turn with its own credential, rules and listing."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from ci_publish.rehearsal.hooks import answer, only
from ci_publish.rehearsal.registered_publishers import GitHubPublisher
from ci_publish.rehearsal.trusted_publishing import registered
from ci_publish.rehearsal.world import RehearsalWorld
from tests.distributions import make_release
from tests.e2e.in_process import SecondIndex, Shell, hooked, second_index
from tests.servers.conftest import RealIndex, pypiserver

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.conftest import Result

__all__ = ["pypiserver"]

pytestmark = pytest.mark.e2e

UPLOAD = only("/legacy/", answer(403, "Not today"), method="POST")


@dataclass(frozen=True)
class Two:
    """A world, a second index beside its own, and a job that publishes to both."""

    world: RehearsalWorld
    second: SecondIndex
    job: Shell

    @property
    def first(self) -> str:
        return self.world.repository_url

    def __call__(self, *arguments: str, **environ: str) -> Result:
        urls = ("--repository-url", self.first, "--repository-url", self.second.repository_url)
        return self.job(*arguments, *urls, **environ)

    def files(self, result: Result, number: int) -> list[dict[str, object]]:
        """Return the receipt's files at the first (0) or the second (1) index."""
        name = result.receipt["indexes"][number]["name"]
        return [file for file in result.receipt["files"] if file["index"] == name]

    def statuses(self, result: Result, number: int) -> set[object]:
        return {file["status"] for file in self.files(result, number)}


@pytest.fixture(scope="module")
def world() -> Iterator[RehearsalWorld]:
    with RehearsalWorld() as opened:
        yield opened
        assert opened.failures == ()


@pytest.fixture
def two(world: RehearsalWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Two]:
    """Two indexes that take every identity of this world, and the test's own project in ``dist``."""
    monkeypatch.chdir(tmp_path)
    make_release(tmp_path / "dist", project(tmp_path))
    with second_index(world, tmp_path / "second") as second:
        yield Two(world, second, Shell(tmp_path).in_job_of(world))
        assert all(token.burnt for token in (*world.index.mint_log, *second.index.mint_log))


def project(folder: Path) -> str:
    return folder.name.removeprefix("test_").rstrip("0123456789_").replace("_", "-")


def test_one_signing_serves_both(two: Two) -> None:
    signed = len(two.world.sigstore.entries)
    minted = len(two.world.index.mint_log)
    result = two("publish")
    assert result.code == 0, result.stdout
    assert len(two.world.sigstore.entries) == signed + 2, "each file stands in the log once"
    assert (len(two.world.index.mint_log), len(two.second.index.mint_log)) == (minted + 1, 1)
    assert len({index["name"] for index in result.receipt["indexes"]}) == 2
    urls = [index["repository_url"] for index in result.receipt["indexes"]]
    assert urls == [two.first, two.second.repository_url]
    for number in (0, 1):
        assert result.receipt["indexes"][number]["credential"]["kind"] == "trusted-publishing"
        assert result.receipt["indexes"][number]["credential"]["burnt"] is True
        assert two.statuses(result, number) == {"uploaded"}
        assert all(file["listed"] and file["provenance_verified"] for file in two.files(result, number))
    for name, stored in two.second.index.files.items():
        assert stored.provenance == two.world.index.files[name].provenance
    assert two("verify").code == 0


def test_what_one_index_has_already_is_sent_to_the_other_only(two: Two) -> None:
    assert two.job("publish").code == 0
    minted = len(two.world.index.mint_log)
    result = two("publish")
    assert result.code == 0, result.stdout
    assert result.receipt["outcome"] == "published"
    assert two.statuses(result, 0) == {"already-published"}
    assert two.statuses(result, 1) == {"uploaded"}
    assert len(two.world.index.mint_log) == minted, "nothing to upload there: nothing to exchange"

    signed = len(two.world.sigstore.entries)
    again = two("publish")
    assert again.receipt["outcome"] == "already-published"
    assert len(two.world.sigstore.entries) == signed


def test_a_failure_at_the_first_stops_before_the_second_and_says_what_stands(two: Two) -> None:
    with hooked(two.world.index.hooks, interpose=UPLOAD):
        result = two("publish")
    assert result.code in {6, 9}, result.stdout
    assert two.statuses(result, 0) <= {"refused", "not-attempted"}
    assert "refused" in two.statuses(result, 0)
    assert two.statuses(result, 1) == {"not-attempted"}
    assert two.second.index.files == {}


def test_a_failure_at_the_second_leaves_the_first_and_a_rerun_finishes(two: Two) -> None:
    with hooked(two.second.index.hooks, interpose=UPLOAD):
        result = two("publish")
    assert result.code in {6, 9}, result.stdout
    assert two.statuses(result, 0) == {"uploaded"}
    assert all(file["listed"] and file["provenance_verified"] for file in two.files(result, 0))
    assert "refused" in two.statuses(result, 1)
    assert two.second.index.files == {}
    names = [index["name"] for index in result.receipt["indexes"]]
    assert f"Public on {names[0]} now: 2 of 2 files." in result.stdout
    assert f"Public on {names[1]} now: 0 of 2 files" in result.stdout

    rerun = two("publish")
    assert rerun.code == 0, rerun.stdout
    assert two.statuses(rerun, 0) == {"already-published"}
    assert two.statuses(rerun, 1) == {"uploaded"}


def test_an_identity_that_the_second_refuses_is_found_before_the_first_gets_anything(
    world: RehearsalWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    name = "second-refuses"
    made = make_release(tmp_path / "dist", name)
    of_another = [registered(GitHubPublisher(repository="octo-org/other", workflow="release.yml"), name)]
    signed = len(world.sigstore.entries)
    with second_index(world, tmp_path / "second", of_another) as second:
        two = Two(world, second, Shell(tmp_path).in_job_of(world))
        result = two("publish")
        assert result.code == 6, result.stdout
        assert second.repository_url.split("/")[2] in result.receipt["error"]["summary"]
    assert len(world.sigstore.entries) == signed
    assert not {path.name for path in made} & world.index.files.keys()
    assert all(token.burnt for token in world.index.mint_log)


def test_a_conflict_at_the_second_is_found_before_the_first_gets_anything(two: Two) -> None:
    only_second = ("--repository-url", two.second.repository_url)
    assert two.job("publish", *only_second).code == 0
    make_release(two.job.folder / "dist", project(two.job.folder), payload=b"x = 2\n")
    signed, there = len(two.world.sigstore.entries), dict(two.world.index.files)
    for command in ("plan", "publish"):
        result = two(command)
        assert result.code == 8, result.stdout
        assert two.statuses(result, 1) == {"conflict"}
        assert two.statuses(result, 0) <= {"planned", "not-attempted"}
    assert len(two.world.sigstore.entries) == signed
    assert dict(two.world.index.files) == there


def test_an_index_without_an_identity_gets_no_attestations(two: Two, pypiserver: RealIndex) -> None:
    """PyPI with Trusted Publishing and a private index with a password: each gets what is its own."""
    signed = len(two.world.sigstore.entries)
    urls = ("--repository-url", two.first, "--repository-url", pypiserver.repository_url)
    shown: list[str] = []

    def remember(environ: dict[str, object]) -> None:
        shown.append(str(environ.get("HTTP_AUTHORIZATION", "")))

    with hooked(two.world.index.hooks, interpose=remember):
        result = two.job("publish", *urls, CI_PUBLISH_USER=pypiserver.user, CI_PUBLISH_PASSWORD=pypiserver.password)
    assert result.code == 0, result.stdout
    first, second = result.receipt["indexes"]
    assert (first["profile"], first["credential"]["kind"]) == ("pypi", "trusted-publishing")
    assert (second["profile"], second["credential"]["kind"]) == ("generic", "password")
    assert len(two.world.sigstore.entries) == signed + 2
    assert all(file["provenance_verified"] for file in two.files(result, 0))
    assert two.statuses(result, 1) == {"uploaded"}
    assert {file["provenance_verified"] for file in two.files(result, 1)} == {None}
    assert set(pypiserver.digests(project(two.job.folder))) == {file["filename"] for file in two.files(result, 1)}
    sent = base64.b64encode(f"{pypiserver.user}:{pypiserver.password}".encode()).decode()
    assert shown
    assert f"Basic {sent}" not in shown, "the password of one index is never shown to another"
    assert f"::add-mask::{sent}\n" in result.stdout, "masked as it is sent, too"
    lines = [line for line in result.stdout.splitlines() if not line.startswith("::add-mask::")]
    assert not [line for line in lines if pypiserver.password in line or sent in line]


def test_an_api_token_of_the_one_is_not_shown_to_the_other(two: Two, pypiserver: RealIndex) -> None:
    urls = ("--repository-url", two.first, "--repository-url", pypiserver.repository_url)
    token = two.world.issue_api_token()
    outside = Shell(two.job.folder, {"CI_PUBLISH_PASSWORD": token})
    result = outside("publish", *urls)
    assert result.code == 5, result.stdout
    assert "not sent to other indexes" in result.receipt["error"]["detail"]
    assert two.statuses(result, 0) == two.statuses(result, 1) == {"not-attempted"}
    assert result.receipt["indexes"][0]["credential"]["kind"] == "api-token"
