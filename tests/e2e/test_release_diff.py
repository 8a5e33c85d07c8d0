"""Releases beside the one before in a rehearsal's index: one planted difference for each rule, and twins without."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

import ci_publish
from ci_publish import Event, Receipt, RehearsalWorld, RuntimeContext, Secret, Settings
from ci_publish.distributions.checks.table import RULES
from ci_publish.model.events import RequestTraced
from ci_publish.rehearsal.index_records import FileAdded, ProjectCreated, ReleaseCreated, StoredFile
from ci_publish.rehearsal.storage import RehearsalStorage
from tests.distributions import make_sdist, make_wheel, metadata
from tests.e2e.in_process import Shell

pytestmark = pytest.mark.e2e

GIB = 1024**3
LARGE = b"\0" * (101 * 1024**2)
LINUX, MAC = "cp312-cp312-manylinux_2_17_x86_64", "cp312-cp312-macosx_11_0_arm64"
LINUX_11 = LINUX.replace("312", "311")


@dataclass(frozen=True, kw_only=True)
class Files:
    """One release: its wheels by their tags, an sdist, and what else is known of it.

    ``size`` is what the index says that each file has; ``served``: it serves the core metadata.
    """

    version: str = "1.0"
    tags: Sequence[str] = ("py3-none-any",)
    sdist: bool = True
    extra: str = ""
    requires_python: str = ">=3.9"
    size: int = 1000
    served: bool = True
    payload: bytes = b"x = 1\n"


@dataclass(frozen=True, kw_only=True)
class Run:
    """What is on the index, what is compared with it, and how."""

    before: Sequence[Files] = (Files(),)
    settings: Mapping[str, object] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=dict)
    ours: Files = field(default_factory=lambda: Files(version="1.1"))


def changed(before: Files, **changes: object) -> tuple[Run, Run]:
    """Return a run that is different from *before* in *changes*, and its twin that is different in nothing."""
    same = replace(before, version="1.1")
    return Run(before=[before], ours=replace(same, **changes)), Run(before=[before], ours=same)  # type: ignore[arg-type]


def stating(wrong: Mapping[str, object], right: Mapping[str, object]) -> tuple[Run, Run]:
    return Run(settings=wrong), Run(settings=right)


def running_for(wrong: Mapping[str, str], right: Mapping[str, str]) -> tuple[Run, Run]:
    return Run(environ=wrong), Run(environ=right)


def using(size: int, twin: int) -> tuple[Run, Run]:
    """Return runs for a project of which older files of so many bytes are on the index."""
    older = Files(version="0.5", tags=["py2-none-any"], sdist=False)
    return Run(before=[Files(), replace(older, size=size)]), Run(before=[Files(), replace(older, size=twin)])


def extra(*lines: str) -> str:
    return "".join(f"{line}\n" for line in lines)


# One planted difference for each rule, and a twin without it; what else the same difference brings about.
PLANTED: Mapping[str, tuple[Run, Run]] = {
    "wheel-lost": changed(Files(tags=[LINUX, MAC]), tags=[LINUX]),
    "wheel-gained": changed(Files(tags=[LINUX]), tags=[LINUX, MAC]),
    "wheel-lost-as-required": changed(
        Files(tags=[LINUX, LINUX_11], requires_python=">=3.11"), tags=[LINUX], requires_python=">=3.12"
    ),
    "sdist-lost": changed(Files(), sdist=False),
    "sdist-gained": changed(Files(sdist=False), sdist=True),
    "platform-floor-raised": changed(Files(tags=[LINUX]), tags=[LINUX.replace("2_17", "2_28")]),
    "platform-floor-lowered": changed(Files(tags=[LINUX]), tags=[LINUX.replace("2_17", "2_5")]),
    "stable-abi-moved": changed(Files(tags=["cp311-abi3-win_amd64"]), tags=["cp310-abi3-win_amd64"]),
    "size-changed": (Run(before=[Files(size=3_000_000)]), Run()),
    "not-compared": (Run(before=[Files(served=False)]), Run()),
    "version-below-newest": (Run(before=[Files(version="2.0")]), Run(before=[Files(version="1.0.5")])),
    "version-back-port": (Run(before=[Files(version="1.1a1"), Files(version="2.0")]), Run()),
    "version-skipped": (Run(ours=Files(version="31.0")), Run(ours=Files(version="2.0"))),
    "requires-python-narrowed": changed(Files(), requires_python=">=3.10"),
    "requires-python-widened": changed(Files(), requires_python=">=3.8"),
    "dependency-removed": changed(Files(extra=extra("Requires-Dist: idna>=3")), extra=""),
    "dependency-added": changed(Files(), extra=extra("Requires-Dist: idna>=3")),
    "dependency-tightened": changed(
        Files(extra=extra("Requires-Dist: idna>=2")), extra=extra("Requires-Dist: idna>=3")
    ),
    "dependency-loosened": changed(Files(extra=extra("Requires-Dist: idna<3")), extra=extra("Requires-Dist: idna")),
    "dependency-changed": changed(
        Files(extra=extra("Requires-Dist: httpx")), extra=extra("Requires-Dist: httpx[http2]")
    ),
    "extra-removed": changed(Files(extra=extra("Provides-Extra: all")), extra=""),
    "extra-added": changed(Files(), extra=extra("Provides-Extra: all")),
    "license-changed": changed(
        Files(extra=extra("License-Expression: MIT")), extra=extra("License-Expression: GPL-3.0-only")
    ),
    "project-urls-changed": changed(Files(), extra=extra("Project-URL: Docs, https://docs.example/")),
    "version-tag": running_for({"CI_COMMIT_TAG": "version-tag-1.2"}, {"CI_COMMIT_TAG": "version-tag-twin-1.1"}),
    "version-tag-warning": running_for(
        {"GITHUB_REF_TYPE": "tag", "GITHUB_REF_NAME": "v1.2"}, {"GITHUB_REF_TYPE": "tag", "GITHUB_REF_NAME": "v1.1"}
    ),
    "expected-wheel-missing": stating(
        {"expect_wheels": ("py{2,3}-none-any",)}, {"expect_wheels": ("py{3,?}-none-any",)}
    ),
    "file-size-limit": stating({"file_size_limit": 100}, {"file_size_limit": 10_000}),
    "project-size-limit": stating({"project_size_limit": 2_100}, {"project_size_limit": 100_000}),
    "project-size": using(10 * GIB - 2_100, 7 * GIB),
    "project-size-near": using(9 * GIB, 7 * GIB),
    "size-limit-raised": using(11 * GIB, 7 * GIB),
    "size-limit": (Run(ours=Files(version="1.1", payload=LARGE)), Run()),
}
ALSO = {
    "wheel-lost-as-required": {"requires-python-narrowed"},
    "stable-abi-moved": {"wheel-gained"},
    "size-limit": {"size-changed"},
}


def make(folder: Path, project: str, files: Files) -> None:
    """Write the files of a release."""
    for tag in files.tags:
        make_wheel(
            folder,
            project,
            files.version,
            tag,
            payload=files.payload,
            extra=files.extra,
            requires_python=files.requires_python,
            stored=len(files.payload) > len(Files().payload),
        )
    if files.sdist:
        make_sdist(folder, project, files.version)


def plant(storage: RehearsalStorage, project: str, files: Files) -> None:
    """Put a release on the index, as far as its pages show it."""
    served = metadata(project, files.version, files.extra, files.requires_python).encode()
    fields = (("requires_python", files.requires_python),)
    storage.record_events(ReleaseCreated(project=project, version=files.version, time=1.0, fields=fields))
    spelled = project.replace("-", "_")
    names = [f"{spelled}-{files.version}-{tag}.whl" for tag in files.tags]
    for name in names + ([f"{spelled}-{files.version}.tar.gz"] if files.sdist else []):
        stored = StoredFile(
            filename=name,
            project=project,
            version=files.version,
            packagetype="bdist_wheel" if name.endswith(".whl") else "sdist",
            python_version="py3",
            size=files.size,
            md5="0" * 32,
            sha256=hashlib.sha256(name.encode()).hexdigest(),
            blake2_256=hashlib.blake2b(name.encode(), digest_size=32).hexdigest(),
            uploaded=1.0,
            core_metadata_sha256=hashlib.sha256(served).hexdigest() if files.served else None,
        )
        storage.record_events(FileAdded(project, stored))
        place = storage.path_of_stored_file(stored)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.with_name(f"{name}.metadata").write_bytes(served)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RehearsalWorld]:
    """Return a world whose index has what is there before: two projects for each rule, the second one its twin's."""
    folder = tmp_path_factory.mktemp("index") / "world"
    storage = RehearsalStorage(folder)
    for rule, runs in PLANTED.items():
        for project, run in zip((rule, f"{rule}-twin"), runs, strict=True):
            storage.record_events(ProjectCreated(project, 1.0))
            for files in run.before:
                plant(storage, project, files)
    storage.close()
    with RehearsalWorld(storage=folder) as served:
        yield served


def settings(world: RehearsalWorld, folder: Path, **more: object) -> Settings:
    given = {"paths": (str(folder),), "repository_url": (world.repository_url,), **more}
    return Settings(**given)  # type: ignore[arg-type]


def found(world: RehearsalWorld, folder: Path, project: str, run: Run) -> set[str]:
    """Return the rules that diff finds."""
    make(folder, project, run.ours)
    receipt = ci_publish.diff(settings(world, folder, **run.settings), context=RuntimeContext(environ=run.environ))
    assert (receipt.exit_code, receipt.outcome) == (0, "compared")
    return {change.rule for change in receipt.changes} | {problem.rule for problem in receipt.problems}


def test_there_is_a_planted_difference_for_every_rule() -> None:
    assert set(PLANTED) == {rule.id for rule in RULES.values() if rule.compare} | {"version-tag", "version-tag-warning"}


@pytest.mark.parametrize("rule", PLANTED)
def test_one_planted_difference_is_found_and_nothing_else(world: RehearsalWorld, tmp_path: Path, rule: str) -> None:
    assert found(world, tmp_path, rule, PLANTED[rule][0]) == {rule} | ALSO.get(rule, set())


@pytest.mark.parametrize("rule", PLANTED)
def test_a_twin_without_it_has_no_finding(world: RehearsalWorld, tmp_path: Path, rule: str) -> None:
    assert found(world, tmp_path, f"{rule}-twin", PLANTED[rule][1]) == set()


# --- what it costs, and what it sends


@dataclass
class Traced:
    """Runs a command, and keeps the requests that it made."""

    world: RehearsalWorld
    folder: Path
    requests: list[str] = field(default_factory=list)

    def run(self, command: Callable[..., Receipt], **more: object) -> list[str]:
        """Return the requests of *command*, in a fixed order."""
        seen: list[str] = []

        def listen(event: Event) -> None:
            if isinstance(event, RequestTraced):
                seen.append(f"{event.method} {event.url}")

        token = Secret(self.world.issue_api_token())
        given = settings(self.world, self.folder, password=token, attestations="off", **more)
        command(given, context=RuntimeContext(environ={}, emit=listen))
        return sorted(seen)


def test_plan_makes_at_most_two_requests_more_for_each_project(world: RehearsalWorld, tmp_path: Path) -> None:
    make(tmp_path, "wheel-lost-twin", Files(version="1.2"))
    make(tmp_path, "wheel-gained-twin", Files(version="1.2"))
    traced = Traced(world, tmp_path)
    without, listing, full = (traced.run(ci_publish.plan, release_diff=mode) for mode in ("off", "listing", "full"))
    assert listing == without
    assert [request for request in full if request not in without] == [
        request for request in full if request.endswith(".metadata")
    ]
    assert 2 <= len(full) - len(without) <= 4
    assert traced.run(ci_publish.plan) == full


def test_publish_makes_no_request_more(world: RehearsalWorld, tmp_path: Path) -> None:
    counts = []
    for version, mode in (("1.2", "off"), ("1.3", "listing")):
        make(tmp_path / mode, "sdist-gained-twin", Files(version=version))
        requests = Traced(world, tmp_path / mode).run(ci_publish.publish, release_diff=mode)
        counts.append([request.replace(version, "VERSION") for request in requests])
    assert counts[0] == counts[1]


def test_diff_shows_no_credential(world: RehearsalWorld, tmp_path: Path) -> None:
    make(tmp_path, "wheel-lost", Files(version="1.1"))
    with pytest.raises(ci_publish.CiPublishError, match="diff does not support"):
        ci_publish.diff(settings(world, tmp_path, password=Secret("x")), context=RuntimeContext(environ={}))
    environ = {"CI_PUBLISH_PASSWORD": "hunter2", "TWINE_PASSWORD": "hunter2"}
    receipt = ci_publish.diff(settings(world, tmp_path), context=RuntimeContext(environ=environ))
    assert receipt.indexes[0].credential.kind == "none"


# --- through the command line


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.chdir(tmp_path)
    return Shell(tmp_path)


def test_exit_code_fails_for_more_than_a_note(world: RehearsalWorld, shell: Shell) -> None:
    make(shell.folder / "dist", "sdist-lost", PLANTED["sdist-lost"][0].ours)
    make(shell.folder / "noted", "sdist-gained", PLANTED["sdist-gained"][0].ours)
    at = ("--repository-url", world.repository_url)
    assert shell("diff", *at).code == 0
    failed = shell("diff", *at, "--exit-code")
    assert failed.code == 4
    assert failed.receipt["error"]["slug"] == "invalid-distribution"
    assert [change["rule"] for change in failed.receipt["changes"]] == ["sdist-lost"]
    assert shell("diff", "noted", *at, "--exit-code").code == 0


def test_what_a_person_sees_fits_on_one_screen(world: RehearsalWorld, shell: Shell) -> None:
    make(shell.folder / "dist", "sdist-lost", PLANTED["sdist-lost"][0].ours)
    result = shell("diff", "--repository-url", world.repository_url)
    assert "sdist-lost 1.1 against 1.0 on 127.0.0.1" in result.stdout
    assert "warning: 1.0 has an sdist, but this release has none. [sdist-lost]" in result.stdout
    assert len(result.stdout.splitlines()) < 24


def test_markdown_for_a_pull_request(world: RehearsalWorld, shell: Shell) -> None:
    make(shell.folder / "dist", "sdist-lost", PLANTED["sdist-lost"][0].ours)
    result = shell("diff", "--repository-url", world.repository_url, "--output", "markdown")
    assert result.stdout.startswith("## ✅ Compared")
    assert "**sdist-lost 1.1 against 1.0 on 127.0.0.1" in result.stdout
    assert "| warning | [sdist-lost](" in result.stdout
    assert "sdist-lost 1.1 against 1.0" in result.stderr


def test_a_release_beside_itself_is_one_line(world: RehearsalWorld, shell: Shell) -> None:
    make(shell.folder / "dist", "wheel-lost-twin", PLANTED["wheel-lost"][1].ours)
    result = shell("diff", "--repository-url", world.repository_url)
    assert "wheel-lost-twin 1.1 against 1.0 on" in result.stdout
    assert ": nothing changed (3 files" in result.stdout


def test_rules_of_the_project_stop_a_run_before_anything_is_sent(world: RehearsalWorld, shell: Shell) -> None:
    make(shell.folder / "dist", "sdist-lost", PLANTED["sdist-lost"][0].ours)
    pyproject = shell.folder / "pyproject.toml"
    at = ("--repository-url", world.repository_url, "--attestations", "off")
    token = world.issue_api_token()
    pyproject.write_text('[tool.ci-publish.rules]\nsdist-lost = "error"\n')
    stopped = shell("publish", *at, CI_PUBLISH_PASSWORD=token)
    assert stopped.code == 4
    assert [file["status"] for file in stopped.receipt["files"]] == ["not-attempted"]
    pyproject.write_text('[tool.ci-publish.rules]\nversion-tag = "off"\n')
    refused = shell("publish", *at, CI_PUBLISH_PASSWORD=token)
    assert refused.code == 2
    assert "ensures that the run does what was requested" in refused.stdout
    pyproject.write_text('[tool.ci-publish.rules]\nsdist-lost = "note"\n')
    passed = shell("plan", *at, "--strict", CI_PUBLISH_PASSWORD=token)
    assert passed.code == 0
    assert [change["severity"] for change in passed.receipt["changes"]] == ["note"]


def test_a_tag_of_another_version_stops_before_any_request(world: RehearsalWorld, shell: Shell) -> None:
    make(shell.folder / "dist", "sdist-lost-twin", Files(version="1.2"))
    at = ("--repository-url", world.repository_url, "--attestations", "off")
    tagged = {"GITHUB_REF_TYPE": "tag", "GITHUB_REF_NAME": "sdist-lost-twin/v1.3"}
    stopped = shell("publish", *at, CI_PUBLISH_PASSWORD=world.issue_api_token(), **tagged)
    assert stopped.code == 4
    assert "This job runs for the tag sdist-lost-twin/v1.3, but the files are sdist-lost-twin 1.2." in stopped.stdout
    warned = shell("plan", *at, "--version-tag", "warn", CI_PUBLISH_PASSWORD=world.issue_api_token(), **tagged)
    assert warned.code == 0
    assert "--version-tag error" in warned.stdout
    assert warned.stdout.index("--version-tag error") < warned.stdout.index("\nindex "), "among the first lines"


def test_an_expected_wheel_that_is_published_already_is_there(world: RehearsalWorld, shell: Shell) -> None:
    make(shell.folder / "dist", "wheel-gained-twin", Files(version="1.0", tags=[], sdist=True))
    expected = ("--expect-wheels", "cp312-*-manylinux*")
    assert shell("check", *expected).code == 4
    result = shell("diff", "--repository-url", world.repository_url, *expected)
    assert "expected-wheel-missing" not in result.stdout


def test_a_rehearsal_reads_the_real_listing_only_when_asked(world: RehearsalWorld, shell: Shell) -> None:
    make(shell.folder / "dist", "sdist-lost", PLANTED["sdist-lost"][0].ours)
    real = ("--repository-url", world.repository_url, "--attestations", "off")
    quiet = shell("rehearse", *real)
    assert quiet.code == 0
    assert quiet.receipt["changes"] == []
    asked = shell("rehearse", *real, "--release-diff", "listing")
    assert asked.code == 0
    assert [change["against"] for change in asked.receipt["changes"]] == ["1.0"]
    assert "sdist_lost-1.1-py3-none-any.whl" not in world.index.files
