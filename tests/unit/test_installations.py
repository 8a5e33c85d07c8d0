"""Every installation from a lock installs exactly the lock: nothing is resolved, built, or taken without its digest."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXACTLY = ("--no-deps", "--require-hashes", "--only-binary :all:")
FROM_A_FILE = re.compile(r"(?:^|\s)(?:-r|--requirements?)(?:[\s=](?!pyproject\.toml\b)|$)|\bsync\b.*\.txt")


def shell_installations(text: str) -> Iterator[str]:
    """Yield the commands in *text*, a script or a file with scripts in it, that install what a file lists."""
    lines = (line for line in text.splitlines() if not line.lstrip().startswith("#"))
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    for command in re.split(r"\n|&&|\|\||;", joined):
        if re.search(r"\b(?:install|sync|download)\b", command) and FROM_A_FILE.search(command):
            yield " ".join(command.split())


def python_installations(text: str) -> Iterator[str]:
    """Yield the words of each list, tuple and call in *text* that names a file of requirements."""
    for node in ast.walk(ast.parse(text)):
        parts = {ast.List: "elts", ast.Tuple: "elts", ast.Call: "args"}.get(type(node))
        words = [
            part.value
            for part in (getattr(node, parts) if parts else ())
            if isinstance(part, ast.Constant) and isinstance(part.value, str)
        ]
        if any(FROM_A_FILE.fullmatch(word) for word in words):
            yield " ".join(words)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from shell_installations(node.value)


def tracked(*patterns: str) -> list[Path]:
    command = ("git", "ls-files", "-z", "--", *patterns)
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in listed.stdout.split("\0")[:-1]]


def installations() -> dict[str, list[str]]:
    found = {}
    places = (
        "Makefile",
        ".gitlab-ci.yml",
        "Dockerfile",
        ".ci",
        ".github",
        "action.yml",
        "native",
        "templates",
        "scripts",
        "benchmarks",
    )
    for path in tracked(*places):
        text = path.read_text(encoding="utf-8")
        read = python_installations if path.suffix == ".py" else shell_installations
        found[path.relative_to(ROOT).as_posix()] = list(read(text))
    return found


def loose(commands: list[str]) -> list[str]:
    return [command for command in commands if not all(option in command for option in EXACTLY)]


def test_every_installation_from_a_lock_installs_exactly_the_lock() -> None:
    found = installations()
    assert {name for name, commands in found.items() if commands} >= {
        *("Makefile", ".gitlab-ci.yml", "Dockerfile", ".github/workflows/ci.yml", "native/run.py"),
    }
    assert {name: loose(commands) for name, commands in found.items() if loose(commands)} == {}


@pytest.mark.parametrize(
    "script",
    [
        "pip install -r requirements/test.txt",
        "\t$(PIP) install --require-hashes --only-binary :all: -r $<",
        "      run: |\n        python -m pip install \\\n          --no-deps \\\n          -r requirements/dev.txt",
        "RUN true && uv pip install --no-deps --require-hashes --requirements /tmp/rehearsal.txt",
        "uv pip sync requirements/dev.txt",
        "pip install --no-deps --require-hashes --only-binary :all: x; pip install --requirement=x.txt",
    ],
)
def test_an_installation_that_is_not_exact_is_found_in_a_script(script: str) -> None:
    assert len(loose(list(shell_installations(script)))) == 1


@pytest.mark.parametrize(
    "program",
    [
        'subprocess.run(["pip", "install", "-r", str(lock)])',
        'COMMAND = ("install", "--no-deps", "--require-hashes", "--requirement", lock)',
        'run("uv", "pip", "install", "--requirements", lock)',
        'os.system("python -m pip install -r requirements/dev.txt")',
    ],
)
def test_an_installation_that_is_not_exact_is_found_in_a_program(program: str) -> None:
    assert len(loose(list(python_installations(program)))) == 1


def test_other_installations_are_none_from_a_lock() -> None:
    assert list(shell_installations("pip install --no-deps --editable .\npip install build")) == []
    assert list(shell_installations("# pip install -r x.txt")) == []
