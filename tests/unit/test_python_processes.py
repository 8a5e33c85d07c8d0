"""Every Python process that we start is isolated (``-I``) and reads and writes UTF-8 (``-X utf8``)."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# An interpreter and what follows it: its options. In Python, in a list (or as a script's first line); else in a line.
IN_PYTHON = re.compile(r"""(?:(?:sys\.executable|str\(python\)),\s*|#!\{python\} )("?-[^\n]*)""")
IN_OTHERS = re.compile(r"""(?:\bpython3?|\$python|\$NATIVE_PYTHON)"?[",\s]+("?-[^\n]*)""")
ISOLATED = re.compile(r"-[A-Za-z]*I")
UTF8 = re.compile(r"""-X utf8|"-X", "utf8"|-[A-Za-z]*Xutf8""")
SOURCES = [
    *sorted((ROOT / "src").rglob("*.py")),
    *sorted(path for path in (ROOT / "native").rglob("*") if path.suffix in {".py", ".sh", ".yml"}),
    ROOT / "Dockerfile",
    ROOT / "action.yml",
]


def found_in(path: Path) -> list[str]:
    pattern = IN_PYTHON if path.suffix == ".py" else IN_OTHERS
    return pattern.findall(path.read_text(encoding="utf-8"))


def test_each_is_isolated_and_speaks_utf_8() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}: {options}"
        for path in SOURCES
        for options in found_in(path)
        if not (ISOLATED.match(options.lstrip('"')) and UTF8.search(options))
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("src/ci_publish/app/token_guard.py", 1),
        ("src/ci_publish/distributions/checks/rendering.py", 1),
        ("src/ci_publish/rehearsal/ci_executables.py", 1),
        ("native/run.py", 3),
        ("native/python.sh", 2),
        ("native/action.yml", 1),
        ("Dockerfile", 7),
    ],
)
def test_all_starts_are_found(name: str, number: int) -> None:
    assert len(found_in(ROOT / name)) == number, found_in(ROOT / name)


def test_no_other_module_starts_processes() -> None:
    """A new start of a process is looked at here: `sys.executable` in none but these."""
    using = {path.name for path in SOURCES if "sys.executable" in path.read_text(encoding="utf-8")}
    assert using == {"token_guard.py", "rendering.py", "ci_executables.py", "run.py"}
