"""Every way to install and start it that the documentation prints, pasted into a clean shell; and what checkers say."""

import os
import re
import select
import signal
import subprocess
import tarfile
import time
import zipfile
from pathlib import Path

import pytest

from ci_publish.about import __version__
from scripts.own_version import Release, restated
from tests.channels.conftest import ROOT, TOOLS, User

pytestmark = pytest.mark.channels

AFTERWARDS = Release(f"v{__version__}", "0" * 40)
README = (ROOT / "README.md").read_text(encoding="utf-8")
INSTALL = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")


def readme_lines(release: Release | None) -> list[str]:
    """Return what installs, rehearses and checks under "Try it first", in one of the two states of our version."""
    block = README.partition("## Try it first")[2].partition("```console\n")[2].partition("```")[0]
    lines = [line.removeprefix("$ ").partition("  #")[0].rstrip() for line in restated(block, release).splitlines()]
    return [line for line in lines if line.startswith("pip ") or line.endswith((" rehearse dist", " check dist"))]


@pytest.mark.parametrize("release", [None, AFTERWARDS], ids=["before-a-release", "afterwards"])
def test_the_lines_of_the_readme_can_be_pasted(user: User, release: Release | None) -> None:
    lines = readme_lines(release)
    said = {line: user.shell(line) for line in lines}
    assert [line.split()[1] for line in lines] == ["install", "rehearse", "check"]
    assert "Rehearsed" in said[lines[1]]
    assert "no problems" in said[lines[2]]
    assert user.shell("ci-publish --version").split()[-1] == __version__


@pytest.mark.parametrize("line", re.findall(r"^\| .* \| `((?:pip|pipx|uv|uvx) [^`]+)` \|$", INSTALL, re.MULTILINE))
def test_the_lines_of_the_page_about_installing_can_be_pasted(user: User, line: str) -> None:
    user.shell(restated(line, AFTERWARDS))


MISSING = {
    "pip": ("pip install ci-publish", "ci-publish"),
    "uv pip": ("uv pip install --python $(which python) ci-publish", "ci-publish"),
    "pipx": ("pipx install ci-publish", "$HOME/.local/bin/ci-publish"),
    "uv tool": ("uv tool install ci-publish", "$HOME/.local/bin/ci-publish"),
    "pipx run": ("true", "pipx run --spec ci-publish ci-publish"),
    "uvx": ("true", "uvx ci-publish"),
}


@pytest.mark.parametrize("installer", MISSING)
def test_the_line_for_a_missing_extra_works_with_the_installer_in_use(user: User, installer: str) -> None:
    install, program = MISSING[installer]
    user.shell(install)
    said = user.shell(f"{program} rehearse dist", code=2)
    line = said.partition("Install it: ")[2].splitlines()[0]
    assert f'"ci-publish[rehearsal]=={__version__}"' in line
    if line.endswith(" …"):
        assert "Rehearsed" in user.shell(line.replace("…", "rehearse dist"))
    else:
        user.shell(line)
        assert "Rehearsed" in user.shell(f"{program} rehearse dist")


def test_pre_commit_runs_both_hooks(user: User) -> None:
    """From a clone: the hooks of the working tree would be those of the last commit, too."""
    user.shell("git init -q . && git -c user.name=a -c user.email=a@example.org commit -q --allow-empty -m x")
    by_hand = f"pre-commit try-repo {ROOT} ci-publish-check --verbose --all-files --hook-stage manual"
    on_push = f"pre-commit try-repo {ROOT} ci-publish-check-if-built --verbose --all-files --hook-stage pre-push"
    assert "no problems" in user.shell(by_hand)
    assert "no problems" in user.shell(on_push)
    user.shell("rm -r dist")
    assert "nothing-to-publish" in user.shell(by_hand, code=1)
    said = user.shell(on_push)
    assert "Nothing to check: no wheel or sdist was found." in said


def test_shells_find_completions_and_man_the_page(user: User) -> None:
    user.shell("pip install ci-publish")
    prefix = Path(user.environ["PATH"].split(":")[0]).parent
    page = (prefix / "share" / "man" / "man1" / "ci-publish.1").read_text(encoding="utf-8")
    assert ".TH CI\\-PUBLISH 1" in page
    assert "complete -c ci-publish" in user.shell("ci-publish --print-completion fish")
    if Path("/usr/bin/man").exists():
        assert "--on-conflict" in user.shell("MANPAGER=cat man ci-publish")
    if Path("/usr/bin/fish").exists():
        complete = user.shell(f"XDG_DATA_DIRS={prefix}/share fish -c 'complete -C \"ci-publish publish --on-c\"'")
        assert "--on-conflict" in complete
    if Path("/usr/bin/zsh").exists():
        assert "keep-published" in typed_in_zsh(user, prefix, "ci-publish publish --on-conflict k\t")


def typed_in_zsh(user: User, prefix: Path, keys: str) -> str:
    """Return what an interactive zsh shows after *keys*: it completes on a terminal only."""
    import pty  # noqa: PLC0415  (POSIX)

    start = (
        f"PS1=; fpath=({prefix}/share/zsh/site-functions $fpath); autoload -Uz compinit; compinit -u -D; print READY\n"
    )
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(user.folder)
        os.execve("/usr/bin/zsh", ["zsh", "-f", "-i"], {**user.environ, "TERM": "dumb"})  # noqa: S606
    shown = ""
    for text, awaited in ((start, "READY\r\n"), (keys, "keep-published")):
        os.write(terminal, text.encode())
        deadline = time.monotonic() + 60
        while awaited not in shown and time.monotonic() < deadline:
            if select.select([terminal], [], [], 1.0)[0]:
                shown += os.read(terminal, 65_536).decode(errors="replace")
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    os.close(terminal)
    return shown


# what others check -----------------------------------------------------------------------------------------------


def tool(*command: str) -> str:
    done = subprocess.run([str(TOOLS / command[0]), *command[1:]], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_other_checkers_find_nothing(built: Path) -> None:
    sdist, wheel = str(next(built.glob("*.tar.gz"))), str(next(built.glob("*.whl")))
    assert f"{wheel}: OK" in tool("check-wheel-contents", wheel)
    assert tool("twine", "check", "--strict", sdist, wheel).count("PASSED") == 2
    assert "Valid" in tool("validate-pyproject", str(ROOT / "pyproject.toml"))
    rated = tool("pyroma", "--min", "8", sdist)  # pyroma's own limit: no e-mail address is made up for it
    assert re.findall(r"^Your package .*$", rated, re.MULTILINE) == ["Your package does not have author-email data."]


def test_neither_distribution_has_tests_and_the_wheel_has_what_it_needs(built: Path) -> None:
    with tarfile.open(next(built.glob("*.tar.gz"))) as sdist, zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        names = [*sdist.getnames(), *wheel.namelist()]
    assert [name for name in names if re.search(r"(^|/)(tests?|conftest)[/.]", name)] == []
    data = f"ci_publish-{__version__}.data/data/share"
    assert {"ci_publish/py.typed", f"{data}/man/man1/ci-publish.1", f"{data}/zsh/site-functions/_ci-publish"} <= set(
        names
    )


def test_validate_pyproject_knows_the_table(user: User) -> None:
    user.shell("pip install ci-publish validate-pyproject")
    pyproject = user.folder / "pyproject.toml"
    pyproject.write_text('[tool.ci-publish]\non-conflict = "fail"\n[tool.ci-publish.rules]\nsize-limit = "error"\n')
    assert "Valid" in user.shell("validate-pyproject pyproject.toml")
    pyproject.write_text('[tool.ci-publish]\non-conflict = "ignore"\n')
    assert "tool.ci-publish.on-conflict" in user.shell("validate-pyproject pyproject.toml", code=1)


def test_the_metadata_names_the_project_and_nobody_else(built: Path) -> None:
    """Contact is the issues and the private advisories; no person, team or e-mail address is made up."""
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        (name,) = (each for each in wheel.namelist() if each.endswith(".dist-info/METADATA"))
        head = wheel.read(name).decode().partition("\n\n")[0]
    assert "Author: ci-publish" in head.splitlines()
    assert "@" not in head
    assert "https://github.com/ci-publish/ci-publish/security/advisories/new" in head
