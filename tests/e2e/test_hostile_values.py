"""Hostile values through every command and every report: no command for a runner, no sequence for a terminal.

They come from everywhere at once: filenames, core metadata, attestations, options, settings, variables, and everything
that an index answers.
"""

import io
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ci_publish.app.commands import COMMANDS
from ci_publish.app.settings import Settings, declared_options
from ci_publish.cli.main import main
from ci_publish.cli.streams import Streams
from tests.corpus.build import Sdist, Wheel, metadata
from tests.e2e.conftest import clean_environment
from tests.e2e.harness_runs import STRESS
from tests.faults.server import Act, FaultServer, answering, honest
from tests.unit.reports.runner import commands

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(os.name == "nt", reason="such filenames are POSIX's")]

EVIL = "e\x1b[31m::stop-commands::x\n::stop-commands::y\r##[error]z\u202e::set-output name=a::b"
WORDS = EVIL.replace("\n", " ").replace("\r", " ")
LINE = WORDS.encode("utf-8").decode("latin-1")
OURS = {"group", "endgroup", "error", "warning", "notice", "add-mask"}
# GitLab's sections: a control sequence of its own, with a name and a time of ours.
SECTION = re.compile(r"\x1b\[0Ksection_(?:start|end):[0-9]+:[a-z0-9_.-]+(?:\[collapsed=true\])?\r\x1b\[0K")
NEVER = set("\x1b\r\x07\x08\u202e\u2066\u200f\x85\u2028")
ENVIRONMENTS = {
    "a terminal": {},
    "GitHub": {"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": WORDS, "GITHUB_REF": WORDS, "GITHUB_WORKFLOW_REF": WORDS},
    "GitLab": {"GITLAB_CI": "true", "CI_PROJECT_PATH": WORDS, "CI_COMMIT_REF_NAME": WORDS},
}
LISTING = {
    "meta": {"api-version": "1.0"},
    "name": EVIL,
    "project-status": {"status": EVIL, "reason": EVIL},
    "versions": [EVIL],
    "files": [
        {"filename": EVIL, "url": EVIL, "hashes": {"sha256": EVIL}, "yanked": EVIL, "requires-python": EVIL},
        {
            "filename": "demo_pkg-1.0-py3-none-any.whl",
            "url": f"/{EVIL}",
            "hashes": {"sha256": "0" * 64},
            "yanked": EVIL,
        },
    ],
}
SIMPLE = {"Content-Type": "application/vnd.pypi.simple.v1+json"}
SAID = json.dumps({"message": EVIL, "errors": [{"code": EVIL, "description": EVIL}]}).encode()
INDEXES: dict[str, list[Act]] = {
    "lists such names": [answering(200, json.dumps(LISTING).encode(), headers=SIMPLE)],
    "refuses with such words": [answering(403, SAID, reason=LINE, headers={"Content-Type": "application/json"})],
    "answers such a page": [answering(200, f"<html><p>{EVIL}</p>".encode(), headers={"Content-Type": "text/html"})],
    "lists nothing": [honest],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder whose ``dist`` has a good wheel, hostile metadata, hostile names, and what is no distribution."""
    folder = tmp_path_factory.mktemp("hostile")
    dist, bad = folder / "dist", folder / "bad"
    for each in (dist, bad):
        each.mkdir()
    (dist / "demo_pkg-1.0-py3-none-any.whl").write_bytes(Wheel().build())
    fields: tuple[tuple[str, str], ...] = (
        ("Summary", WORDS),
        ("Requires-Dist", WORDS),
        ("Classifier", WORDS),
        ("License-Expression", WORDS),
    )
    fields += (("Author-Email", WORDS), ("Project-URL", f"{WORDS}, {WORDS}"), ("Description-Content-Type", WORDS))
    hostile = metadata(version=WORDS, fields=(*fields, (WORDS.replace(":", ""), WORDS)), body=EVIL)
    (bad / "demo_pkg-1.0-py3-none-any.whl").write_bytes(
        Wheel(metadata=hostile, members=((EVIL, b""),), entry_points=b"[console_scripts]\n" + WORDS.encode()).build()
    )
    (bad / f"demo_pkg-1.0-{WORDS.replace('/', '')}.whl").write_bytes(Wheel().build())
    (bad / "demo_pkg-1.0.tar.gz").write_bytes(Sdist().build())
    (bad / f"{EVIL}.tar.gz").write_bytes(b"no archive")
    (bad / EVIL).write_bytes(b"")
    (bad / f"demo_pkg-1.0.tar.gz.{WORDS}.attestation").write_text(f'{{"{WORDS}": 1}}')
    (bad / "demo_pkg-1.0.tar.gz.publish.attestation").write_bytes(json.dumps({EVIL: EVIL}).encode())
    return folder


def run(folder: Path, environ: dict[str, str], *arguments: str) -> tuple[int, str, dict[str, str]]:
    """Run the command line; return its exit code, all that it printed, and the files that it wrote for a CI."""
    out, err = io.StringIO(), io.StringIO()
    files = {name: folder / name.lower() for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    reports = folder / "reports"
    for path in (*files.values(), *(reports.iterdir() if reports.exists() else ())):
        path.unlink(missing_ok=True)
    own = {**clean_environment(), "HOME": str(folder), **{name: str(path) for name, path in files.items()}}
    code = main(arguments, {**own, **environ}, Streams(io.StringIO(), out, err))
    written = [*files.values(), *(reports.iterdir() if reports.exists() else ())]
    return code, out.getvalue() + err.getvalue(), {path.name: path.read_text() for path in written if path.exists()}


def judge(code: int, text: str, files: dict[str, str], where: str) -> None:
    assert code != 1, f"{where}: {text}"
    assert "Traceback" not in text, f"{where}: {text}"
    printed = SECTION.sub("", text)
    assert {command.name for command in commands(printed)} <= OURS, f"{where}: {text!r}"
    assert not NEVER & set(printed), f"{where}: {sorted(NEVER & set(printed))} in {printed!r}"
    for name, content in files.items():
        assert not NEVER & set(content), f"{where}: {name}: {content!r}"
    outputs = files.get("github_output", "")
    assert not re.search(r"^(a|::|e)", re.sub(r"(?ms)^[a-z-]+<<(\S+)\n.*?^\1\n", "", outputs)), f"{where}: {outputs!r}"


def reporting(command: str) -> Iterator[tuple[str, ...]]:
    yield ("--verbose", "--print-hash")
    if command != "settings":
        yield ("--output", "json", "--reports-dir", "reports")


@pytest.mark.parametrize("command", sorted(COMMANDS))
@pytest.mark.parametrize("environment", sorted(ENVIRONMENTS))
def test_hostile_files(folder: Path, monkeypatch: pytest.MonkeyPatch, command: str, environment: str) -> None:
    monkeypatch.chdir(folder)
    for more in reporting(command):
        wanted = [option for option in more if command != "settings" or option == "--verbose"]
        paths = () if command == "settings" else ("bad", "bad/*", f"no such {EVIL}")
        limit = () if command == "settings" else ("--deadline", "2")
        offline = {"CI_PUBLISH_REPOSITORY_URL": "http://127.0.0.1:9/legacy/"}
        judge(
            *run(folder, {**ENVIRONMENTS[environment], **offline}, command, *paths, *wanted, *limit),
            f"{command} {more}",
        )


ASKING = ("doctor", "plan", "publish", "verify")
EVERYDAY = [
    (command, sorted(ENVIRONMENTS)[number % 3], index) for number, command in enumerate(ASKING) for index in INDEXES
]
ALL = [(command, environment, index) for command in ASKING for environment in ENVIRONMENTS for index in INDEXES]


@pytest.mark.parametrize(("command", "environment", "index"), ALL if STRESS else EVERYDAY)
def test_hostile_answers(
    folder: Path, monkeypatch: pytest.MonkeyPatch, command: str, environment: str, index: str
) -> None:
    monkeypatch.chdir(folder)
    refused = answering(400, SAID, reason=LINE, headers={"Content-Type": "application/json"})
    for more in reporting(command):
        with FaultServer([refused], looks=INDEXES[index] * 9) as server:
            given = {"CI_PUBLISH_REPOSITORY_URL": server.upload_url, "CI_PUBLISH_PASSWORD": "a-password-of-somebody"}
            limits = ("--deadline", "2", *(("--verify-timeout", "1") if command in {"publish", "verify"} else ()))
            arguments = (command, "dist", *limits, *more)
            judge(*run(folder, {**ENVIRONMENTS[environment], **given}, *arguments), f"{command} {index} {more}")


VALUES = [
    name
    for name in declared_options()
    if name in Settings.model_fields and Settings.model_fields[name].annotation is not bool and name != "password"
]


@pytest.mark.parametrize("option", VALUES)
@pytest.mark.parametrize("where", ["flag", "file", "variable"])
def test_hostile_options(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str, where: str
) -> None:
    """Every option with such a value, wherever it is given: each with one command, in the stress run with all."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dist").symlink_to(folder / "dist")
    spelled = option.replace("_", "-")
    environ = {"CI_PUBLISH_" + option.upper(): EVIL} if where == "variable" else {}
    if where == "file":
        (tmp_path / "pyproject.toml").write_text(
            f"[tool.ci-publish]\n{spelled} = {json.dumps(EVIL)}\n", encoding="utf-8"
        )
    flag = (f"--{spelled}={EVIL}",) if where == "flag" and option != "paths" else ()
    number = VALUES.index(option)
    everyday = [sorted(COMMANDS)[number % len(COMMANDS)]]
    for command in sorted(COMMANDS) if STRESS else everyday:
        ci = ENVIRONMENTS[sorted(ENVIRONMENTS)[number % len(ENVIRONMENTS)]]
        offline = {} if option == "repository_url" else {"CI_PUBLISH_REPOSITORY_URL": "http://127.0.0.1:9/legacy/"}
        paths = (EVIL,) if option == "paths" and where == "flag" else ()
        limit = () if command == "settings" or option == "deadline" else ("--deadline", "0.2")
        code, text, files = run(tmp_path, {**offline, **ci, **environ}, command, *paths, *flag, *limit)
        judge(code, text, files, f"{command} {option} from {where}")
