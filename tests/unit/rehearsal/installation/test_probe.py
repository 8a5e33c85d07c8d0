"""The program that looks into an environment: which modules it finds, and what it says of their failures."""

import importlib
import json
import sys
from pathlib import Path

import pytest

from ci_publish.rehearsal.installation import probe


@pytest.mark.parametrize(
    ("files", "modules"),
    [
        (["demo/__init__.py", "demo/part.py", "demo/sub/__init__.py"], ["demo"]),
        (["single.py", "demo-1.0.dist-info/METADATA"], ["single"]),
        ([f"fast{sys_suffix}" for sys_suffix in probe._SUFFIXES[:1]], ["fast"]),  # noqa: SLF001
        (
            ["space/one/__init__.py", "space/two.py", "space/deep/er/__init__.py"],
            ["space.deep.er", "space.one", "space.two"],
        ),
        (["demo/__main__.py", "__main__.py"], []),
        (["tests/__init__.py", "docs/conf.py", "setup.py", "demo.py"], ["demo"]),
        (["../../bin/demo", "demo-stubs/__init__.pyi", "not-a-name/x.py", "data.txt"], []),
        (["a/b/c/d/e/f.py"], []),
    ],
)
def test_modules_at_the_top(files: list[str], modules: list[str]) -> None:
    assert probe.top_modules_of_files(files) == modules


def make(folder: Path, *, text: str, scripts: str) -> None:
    info = folder / "probed-1.5.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: probed\nVersion: 1.5\n")
    (info / "entry_points.txt").write_text(f"[console_scripts]\n{scripts}[other]\nx = y\n")
    (info / "RECORD").write_text("probed_module.py,,\nprobed-1.5.dist-info/RECORD,,\n")
    (folder / "probed_module.py").write_text(text)


def facts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, *, scripts: str = "", skipped: str = ""
) -> list[dict[str, object]]:
    make(tmp_path, text=text, scripts=scripts)
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    sys.modules.pop("probed_module", None)
    probe.main("probed", str(tmp_path / "facts"), skipped)
    return [json.loads(line) for line in (tmp_path / "facts").read_text().splitlines()]


def test_what_works_is_told_step_by_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = facts(tmp_path, monkeypatch, "def main(): pass\n", scripts="run = probed_module:main [extra]\n")

    assert (told[0]["version"], told[0]["modules"]) == ("1.5", ["probed_module"])
    assert told[1:] == [
        {"import": "probed_module", "begun": True},
        {"import": "probed_module", "passed": True},
        {"script": "run", "value": "probed_module:main [extra]", "begun": True},
        {"script": "run", "value": "probed_module:main [extra]", "passed": True},
        {"ended": True},
    ]


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("import never_there\n", ("ModuleNotFoundError", "missing", "never_there")),
        ("nonsense here\n", ("SyntaxError", "file", "probed_module.py")),
        ("raise SystemExit('enough')\n", ("SystemExit", "message", "enough")),
    ],
)
def test_what_fails_is_told_with_its_cause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, cause: tuple[str, str, str]
) -> None:
    told = facts(tmp_path, monkeypatch, text)[2]

    error, key, value = cause
    assert told["error"] == error
    assert str(told[key]).endswith(value)


def test_without_imports_scripts_are_only_located(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scripts = "run = probed_module:main\nlost = never_there:main\n"
    told = facts(tmp_path, monkeypatch, "raise ValueError\n", scripts=scripts, skipped="imports")

    assert [each.get("error") for each in told if "script" in each and "begun" not in each] == [
        None,
        "ModuleNotFoundError",
    ]
    assert not [each for each in told if "import" in each]
