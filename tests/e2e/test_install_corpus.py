"""One broken distribution for each class of failure, caught with its rule, and a twin that passes.

Everyday runs install with uv, which takes a fraction of pip's time; the stress run repeats everything with pip.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from ci_publish.distributions.checks.installing import RULES
from tests.conftest import STRESS
from tests.installable import Result, rehearsed, sdist, tried, wheel

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(sys.platform != "linux", reason="environments and processes as on Linux"),
]

Make = Callable[[Path], list[Path]]
INSTALLERS = ["uv", pytest.param("pip", marks=pytest.mark.stress)]
HERE = f"Python {sys.version_info.major}.{sys.version_info.minor}"
OLDER = f"cp{sys.version_info.major}{sys.version_info.minor - 1}"


@pytest.fixture(params=INSTALLERS)
def path(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A PATH with one of the installers: uv, or none, so that pip is used."""
    folder = tmp_path / "programs"
    folder.mkdir()
    if request.param == "uv":
        uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
        assert uv is not None
        (folder / "uv").symlink_to(uv)
    return f"{folder}{os.pathsep}/usr/bin:/bin"


@dataclass(frozen=True)
class Case:
    """A broken set of files, its twin, the rule that catches it and a part of what is said."""

    rule: str
    broken: Make
    twin: Make
    said: str
    options: tuple[tuple[str, object], ...] = ()


def one(**options: object) -> Make:
    return lambda folder: [wheel(folder, **options)]  # type: ignore[arg-type]


def source(**options: object) -> Make:
    return lambda folder: [sdist(folder, **options)]  # type: ignore[arg-type]


def siblings(pin: str) -> Make:
    return lambda folder: [
        wheel(folder, "core", "1.0"),
        wheel(folder, "plugin", "1.0", metadata=["Requires-Dist: core==1.0"]),
        wheel(folder, "meta", "1.0", metadata=["Requires-Dist: plugin==1.0", f"Requires-Dist: core=={pin}"]),
    ]


IMPORTS_DEP = {"demo/__init__.py": "import dep\n"}
FOREIGN = {"legacy-1.0.egg-info/PKG-INFO": "Metadata-Version: 2.1\nName: legacy\nVersion: 1.0\nRequires-Dist: absent\n"}
CASES = {
    "a requirement that does not exist": Case(
        "install-unresolvable",
        one(metadata=["Requires-Dist: absent>=1"]),
        one(metadata=["Requires-Dist: dep>=1"]),
        f"absent>=1 cannot be met on {HERE}.",
    ),
    "requirements that contradict each other": Case(
        "install-unresolvable",
        one(metadata=["Requires-Dist: dep", "Requires-Dist: strict", "Requires-Dist: core<9"]),
        one(metadata=["Requires-Dist: dep", "Requires-Dist: strict", "Requires-Dist: core>=9"]),
        f"strict and core<9 cannot be met together on {HERE}.",
    ),
    "an extra that does not resolve": Case(
        "install-unresolvable",
        one(metadata=["Provides-Extra: more", "Provides-Extra: fine", "Requires-Dist: dep>=5; extra == 'more'"]),
        one(metadata=["Provides-Extra: more", "Provides-Extra: fine", "Requires-Dist: dep; extra == 'more'"]),
        f"Its extra more does not resolve on {HERE}: dep>=5 cannot be met.",
    ),
    "a build that reads what is not in the sdist": Case(
        "install-sdist-build",
        source(before="    open('../VERSION')"),
        source(),
        f"It does not build on {HERE}: FileNotFoundError: [Errno 2] No such file or directory: '../VERSION'.",
    ),
    "a build requirement that does not exist": Case(
        "install-sdist-build",
        source(requires=["absent"]),
        source(requires=["dep"]),
        f"It does not build on {HERE}.",
    ),
    "a version that is made up where there is no tag": Case(
        "install-wrong-version", source(builds="0.0.0"), source(builds="1.0"), "0.0.0"
    ),
    "a module that nothing brings": Case(
        "install-import",
        one(files=IMPORTS_DEP),
        one(files=IMPORTS_DEP, metadata=["Requires-Dist: dep"]),
        f"`import demo` fails on {HERE}: No module named 'dep' (not in Requires-Dist)",
    ),
    "a module that is not in the file": Case(
        "install-import",
        one(files={"demo/__init__.py": "import demo.part\n"}),
        one(files={"demo/__init__.py": "import demo.part\n", "demo/part.py": ""}),
        "No module named 'demo.part' (it is not in the file)",
    ),
    "a module that ends the interpreter": Case(
        "install-import",
        one(files={"demo/__init__.py": "import os\nos.abort()\n"}),
        one(files={"demo/__init__.py": "import os\n"}),
        "the interpreter crashed while running it",
    ),
    "a console script without its function": Case(
        "install-script",
        one(files={"demo/__init__.py": "def run(): pass\n"}, scripts={"demo": "demo:main"}),
        one(files={"demo/__init__.py": "def main(): pass\n"}, scripts={"demo": "demo:main"}),
        f"The console script demo (demo:main) fails on {HERE}: AttributeError",
    ),
    "a library for another interpreter": Case(
        "install-tag",
        one(files={"demo/__init__.py": "from demo import _fast\n", f"demo/_fast.{OLDER}-win_amd64.pyd": b"MZ"}),
        one(files={"demo/__init__.py": "from demo import _fast\n", "demo/_fast.py": ""}),
        "is for another platform",
    ),
    "syntax that this Python does not have": Case(
        "install-tag",
        one(files={"demo/__init__.py": "nonsense here\n"}),
        one(files={"demo/__init__.py": "sense = 'here'\n"}),
        "its tags and Requires-Python claim this Python",
    ),
    "the metadata of a second project": Case(
        "install-inconsistent",
        one(files={"demo/__init__.py": "", **FOREIGN}),
        one(files={"demo/__init__.py": ""}),
        "the environment is inconsistent",
    ),
    "a command that fails": Case(
        "install-command",
        one(files={"demo/__init__.py": "raise SystemExit(3)\n"}),
        one(),
        "`python -c 'import demo'` fails on",
        (("run", ("python -c 'import demo'",)), ("no_import", True)),
    ),
    "a sibling of another version": Case("install-sibling-pin", siblings("1.1"), siblings("1.0"), "requires core==1.1"),
}


def upstream(tmp_path: Path) -> Path:
    wheel(tmp_path / "upstream", "dep", "1.0")
    wheel(tmp_path / "upstream", "strict", "1.0", metadata=["Requires-Dist: core>=9"])
    wheel(tmp_path / "upstream", "core", "8.0")
    wheel(tmp_path / "upstream", "core", "9.0")
    return tmp_path / "upstream"


def run(tmp_path: Path, path: str, make: Make, **options: object) -> Result:
    return tried(upstream(tmp_path), *make(tmp_path / "dist"), environ={"PATH": path}, **options)


# One case of each rule every day, all of them in the stress run.
EVERYDAY = list(CASES) if STRESS else [*{case.rule: name for name, case in reversed(CASES.items())}.values()]
SILENT = {"install-wrong-version", "install-command"}


@pytest.mark.parametrize("name", EVERYDAY)
def test_what_is_broken_is_caught_with_its_rule(tmp_path: Path, path: str, name: str) -> None:
    case = CASES[name]
    result = run(tmp_path, path, case.broken, **dict(case.options))

    assert case.rule in result.rules, (result.problems, [trial.output for trial in result.trials])
    assert case.said in " ".join(problem.message for problem in result.problems if problem.rule == case.rule)
    assert result.error is not None
    assert (result.error.exit_code, result.error.slug) == (4, "installation-failed")
    assert case.rule in SILENT or "ends the interpreter" in name or any(trial.output for trial in result.trials)


@pytest.mark.parametrize("name", CASES if STRESS else ["a sibling of another version"])
def test_its_twin_passes(tmp_path: Path, path: str, name: str) -> None:
    case = CASES[name]
    result = run(tmp_path, path, case.twin, **dict(case.options))

    assert (result.problems, result.error) == ([], None), [trial.output for trial in result.trials]
    assert len(result.trials) == len(case.twin(tmp_path / "again"))


def test_every_class_has_a_case() -> None:
    elsewhere = {"install-failed", "install-extra-module", "install-not-tried"}

    assert {rule.id for rule in RULES} == {case.rule for case in CASES.values()} | elsewhere


def test_a_module_of_an_extra_is_a_note(tmp_path: Path, path: str) -> None:
    files = {"demo/__init__.py": "", "plots.py": "import dep\n", "wrong.py": "import never\n"}
    metadata = ["Provides-Extra: plots", "Requires-Dist: dep; extra == 'plots'"]
    result = run(tmp_path, path, one(files=files, metadata=metadata))

    assert [(problem.rule, str(problem.severity), problem.message) for problem in result.problems] == [
        ("install-import", "error", f"`import wrong` fails on {HERE}: No module named 'never' (not in Requires-Dist)"),
        ("install-extra-module", "note", "`import plots` needs dep, of an extra (plots)."),
    ]


def test_a_rehearsed_name_is_never_taken_from_the_upstream(tmp_path: Path, path: str) -> None:
    metadata = ["Requires-Dist: CORE[x]>=1.0.dev0", "Provides-Extra: all", "Requires-Dist: Core>=1a1; extra == 'all'"]
    folder = upstream(tmp_path)
    wheel(folder, "core", "10.0rc1")
    paths = [
        wheel(tmp_path / "dist", "core", "1.0", metadata=["Provides-Extra: x"]),
        wheel(tmp_path / "dist", "demo", metadata=metadata),
    ]
    check = "python -c \"from importlib.metadata import version as v; assert v('core') == '1.0', v('core')\""
    result = tried(folder, *paths, environ={"PATH": path}, run=(check,))

    assert (result.problems, result.error) == ([], None)


@pytest.mark.parametrize("installer", INSTALLERS)
def test_no_installer_takes_a_rehearsed_name_from_the_upstream_not_even_with_pre(
    tmp_path: Path, installer: str
) -> None:
    folder, target = upstream(tmp_path), tmp_path / "target"
    wheel(folder, "core", "10.0rc1")
    path = wheel(tmp_path / "dist", "core", metadata=["Provides-Extra: x", "Requires-Dist: dep>=1a1; extra == 'x'"])
    commands = {
        "uv": ["uv", "pip", "install", "--no-config", "--prerelease", "allow", "--default-index"],
        "pip": ["-I", "-m", "pip", "install", "--pre", "--disable-pip-version-check", "--index-url"],
    }
    found = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    program = [sys.executable] if installer == "pip" else []
    environ = {"PATH": found, "HOME": str(tmp_path), "PIP_CONFIG_FILE": os.devnull, "UV_CACHE_DIR": str(tmp_path / "c")}
    with rehearsed(folder, path) as world:
        command = [*program, *commands[installer], world.index_url, "--target", str(target), "CORE[x]"]
        subprocess.run(command, env=environ, check=True, capture_output=True, timeout=60)

    assert {each.name for each in target.glob("*.dist-info")} == {"core-1.0.dist-info", "dep-1.0.dist-info"}
