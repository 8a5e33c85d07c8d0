"""The laws of docs/architecture.md hold, and the checks that guard them catch what they should."""

import ast
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from scripts import structure

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "ci_publish"
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]
CONTRACTS = PYPROJECT["tool"]["importlinter"]["contracts"]
PURE = next(contract["source_modules"] for contract in CONTRACTS if contract["id"] == "pure")

# Import contracts see modules; these are the deeds that a pure module could do without importing anything forbidden.
IMPURE_CALLS = {"input", "open", "print"}
IMPURE_METHODS = {
    *("exists", "glob", "is_dir", "is_file", "iterdir", "lstat", "mkdir", "open", "read_bytes", "read_text", "resolve"),
    *("rglob", "samefile", "stat", "touch", "unlink", "write_bytes", "write_text"),
    *("now", "today", "utcnow", "getenv"),
}
# Libraries that only compute; those beside packaging are what PyPI itself judges metadata with.
PURE_LIBRARIES = {"email_validator", "packaging", "readme_renderer", "rfc3986", "trove_classifiers"}
IMPURE_SUBMODULES = {"http.client", "http.server", "urllib.request", "urllib.robotparser"}


def lint_imports(folder: Path, contract: str) -> subprocess.CompletedProcess[str]:
    """Run import-linter over *folder*, a copy of this project, with one contract of the copy's pyproject.toml."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--contract", contract]
    environment = {"PYTHONPATH": str(folder / "src"), "PATH": "", "COLUMNS": "200"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a copy of what import-linter reads, free to be broken."""
    shutil.copytree(PACKAGE, tmp_path / "src" / "ci_publish", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


@pytest.mark.parametrize("contract", [contract["id"] for contract in CONTRACTS])
def test_the_code_keeps_every_contract(copy: Path, contract: str) -> None:
    result = lint_imports(copy, contract)

    assert result.returncode == 0, result.stdout + result.stderr
    assert "Contracts: 1 kept, 0 broken." in result.stdout


@pytest.mark.parametrize(
    ("contract", "module", "line"),
    [
        ("layers", "model/index.py", "import ci_publish.publishing.planning"),
        ("layers", "index/client.py", "import ci_publish.attestations.provenance_verification"),
        ("layers", "publishing/publish.py", "import ci_publish.app.settings"),
        ("layers", "rehearsal/world.py", "import ci_publish.app.settings"),
        ("layers", "errors.py", "import ci_publish.model.problem"),
        ("settings", "app/settings.py", "import ci_publish.publishing.planning"),
        ("http", "identity/credential_choice.py", "import httpx"),
        ("http", "attestations/provenance_verification.py", "import httpcore"),
        ("sigstore", "publishing/publish.py", "from sigstore import sign"),
        ("sigstore", "identity/credential_choice.py", "import requests"),
        ("pure", "publishing/planning.py", "import os"),
        ("pure", "model/distribution.py", "from rich import text"),
        ("pure", "http/retries.py", "import time"),
        ("pure", "reports/neutral.py", "import ci_publish.distributions.file_access"),
    ],
)
def test_a_forbidden_import_is_caught(copy: Path, contract: str, module: str, line: str) -> None:
    path = copy / "src" / "ci_publish" / module
    path.write_text(path.read_text(encoding="utf-8") + f"\n\ndef sneak() -> None:\n    {line}\n", encoding="utf-8")

    result = lint_imports(copy, contract)

    assert result.returncode == 1, result.stdout + result.stderr
    assert "Contracts: 0 kept, 1 broken." in result.stdout


def test_a_module_without_a_layer_is_caught(copy: Path) -> None:
    (copy / "src" / "ci_publish" / "helpers.py").write_text("", encoding="utf-8")

    result = lint_imports(copy, "layers")

    assert result.returncode == 1
    assert "ci_publish.helpers" in result.stdout


def pure_files() -> Iterator[Path]:
    for name in PURE:
        path = ROOT / "src" / Path(*name.split("."))
        yield from sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]


def calls_itself_pure(path: Path) -> bool:
    introduction = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").split("\n\n")[0]
    return path.name != "__init__.py" and "(pure" in introduction


def test_what_calls_itself_pure_is_held_to_it() -> None:
    claimed = {path for path in PACKAGE.rglob("*.py") if calls_itself_pure(path)}
    claimed -= set((PACKAGE / "rehearsal").rglob("*.py"))

    assert len(claimed) > len(PURE) / 2
    assert claimed <= set(pure_files())


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def declared(*requirements: str) -> set[str]:
    return {canonicalize_name(Requirement(requirement).name) for requirement in requirements}


def needed(paths: Iterable[Path]) -> set[str]:
    """Return the distributions that the modules at *paths* import from."""
    modules = {name.split(".")[0] for path in paths for name in imported(ast.parse(path.read_text(encoding="utf-8")))}
    foreign = modules - sys.stdlib_module_names - {"ci_publish", "tests", "scripts", "benchmarks", "_typeshed"}
    providers = packages_distributions()
    return {canonicalize_name(providers.get(module, [module])[0]) for module in foreign}


def test_what_the_package_imports_is_declared() -> None:
    rehearsal = set((PACKAGE / "rehearsal").rglob("*.py"))
    runtime, extras = PROJECT["dependencies"], PROJECT["optional-dependencies"]

    assert needed(set(PACKAGE.rglob("*.py")) - rehearsal) <= declared(*runtime, *extras["keyring"])
    assert needed(rehearsal) <= declared(*runtime, *extras["rehearsal"])


def test_what_is_declared_is_imported() -> None:
    """What another dependency needs is that dependency's business, and its bounds too."""
    runtime, extras = PROJECT["dependencies"], PROJECT["optional-dependencies"]
    rehearsal = set((PACKAGE / "rehearsal").rglob("*.py"))

    assert declared(*runtime, *extras["keyring"]) <= needed(PACKAGE.rglob("*.py"))
    assert declared(*extras["rehearsal"]) <= needed(rehearsal)
    assert declared(*extras["rehearsal"]) & declared(*runtime) == set()


def test_what_the_tests_import_is_declared() -> None:
    everywhere = (
        *PROJECT["dependencies"],
        *(each for extra in PROJECT["optional-dependencies"].values() for each in extra),
    )
    peers = {*(ROOT / "tests" / "servers").rglob("*.py"), *(ROOT / "benchmarks").rglob("*.py")}
    peers |= {ROOT / "tests" / "e2e" / name for name in ("test_train.py", "train_harness.py")}
    ours = {*(ROOT / "tests").rglob("*.py"), *(ROOT / "scripts").rglob("*.py")} - peers

    assert needed(ours) <= declared(*everywhere, *group("test"))
    assert needed(peers) <= declared(*everywhere, *group("test"), *group("servers"), *group("bench"), "pip")


def group(name: str) -> Iterator[str]:
    """Yield the requirements of a dependency group and of the groups that it includes."""
    for each in PYPROJECT["dependency-groups"][name]:
        yield from group(each["include-group"]) if isinstance(each, dict) else (each,)


def called(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.func.id
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield "." + node.func.attr


def impurities(source: str) -> set[str]:
    """Return what a pure module must not do: foreign imports, I/O submodules, and calls that touch the world."""
    tree = ast.parse(source)
    allowed = sys.stdlib_module_names | PURE_LIBRARIES | {"ci_publish"}
    names = set(imported(tree))
    foreign = {name for name in names if name.split(".")[0] not in allowed}
    deeds = IMPURE_CALLS | {f".{method}" for method in IMPURE_METHODS}
    return foreign | (names & IMPURE_SUBMODULES) | (set(called(tree)) & deeds)


@pytest.mark.parametrize("path", list(pure_files()), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_pure_module_touches_nothing(path: Path) -> None:
    assert impurities(path.read_text(encoding="utf-8")) == set()


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("from urllib import request", {"urllib.request"}),
        ("import http.client", {"http.client"}),
        ("import attrs", {"attrs"}),
        ("from datetime import datetime\ndatetime.now()", {".now"}),
        ("from pathlib import Path\nPath('x').read_text()", {".read_text"}),
        ("print('x')", {"print"}),
        ("from urllib.parse import urlsplit\nimport packaging.version\nimport ci_publish.errors", set()),
    ],
)
def test_an_impurity_is_caught(source: str, found: set[str]) -> None:
    assert impurities(source) == found


def has_behaviour(path: Path) -> bool:
    """Return whether the module at *path* has a function that does something; protocols and plain values have none."""
    functions = [
        node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.FunctionDef)
    ]
    return any(
        not isinstance(line, ast.Expr) or not isinstance(line.value, ast.Constant) for f in functions for line in f.body
    )


def without_tests(package: Path, tests: Path) -> set[str]:
    """Return the modules below *package* with behaviour and without a test module of their name below *tests*."""
    modules = (path.relative_to(package) for path in package.rglob("*.py") if not path.name.startswith("__"))
    return {
        module.as_posix()
        for module in modules
        if has_behaviour(package / module) and not (tests / module.parent / f"test_{module.name}").exists()
    }


# Modules without a test module of their name, each with its reason.
NOT_MIRRORED = {
    "app/option_source.py": "the base of all sources; what it does shows in each of them (test_settings_sources)",
    "app/supervisor.py": "a process of its own, tested as one (tests/e2e/test_stuck.py)",
    "app/token_guard.py": "it starts that process (tests/e2e/test_stuck.py, test_python_processes)",
    "identity/context.py": "collaborators; its two functions do nothing",
}


def test_every_module_has_a_test_module_of_its_name() -> None:
    assert without_tests(PACKAGE, ROOT / "tests" / "unit") == NOT_MIRRORED.keys()
    assert all((PACKAGE / name).exists() for name in NOT_MIRRORED)


def test_a_module_without_tests_is_caught(tmp_path: Path) -> None:
    for name, source in {
        "values.py": "X = 1",
        "port.py": 'class P:\n    def f(self) -> int:\n        """Do."""',
        "work.py": "def f() -> int:\n    return 1",
        "tested.py": "def f() -> int:\n    return 1",
    }.items():
        (tmp_path / "src").mkdir(exist_ok=True)
        (tmp_path / "src" / name).write_text(source, encoding="utf-8")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_tested.py").write_text("", encoding="utf-8")
    assert without_tests(tmp_path / "src", tmp_path / "tests") == {"work.py"}


def made_keyword_only(cls: ast.ClassDef) -> bool:
    """Return whether a decorator of *cls* makes its fields keyword-only."""
    calls = [each for each in cls.decorator_list if isinstance(each, ast.Call)]
    return any(keyword.arg == "kw_only" for call in calls for keyword in call.keywords)


def is_value(cls: ast.ClassDef) -> bool:
    """Return whether *cls* gets its constructor from its fields."""
    names = {ast.unparse(each.func if isinstance(each, ast.Call) else each) for each in cls.decorator_list}
    return bool(names & {"frozen", "dataclass"}) or any(ast.unparse(base) == "NamedTuple" for base in cls.bases)


def own_fields(cls: ast.ClassDef) -> list[str]:
    return [
        each.target.id
        for each in cls.body
        if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name) and "ClassVar" not in ast.unparse(each)
    ]


def positional(cls: ast.ClassDef, known: dict[str, ast.ClassDef]) -> int:
    """Return how many arguments of the constructor of *cls* are counted and not named."""
    for each in cls.body:
        if isinstance(each, ast.FunctionDef) and each.name == "__init__":
            return len(each.args.posonlyargs) + len(each.args.args) - 1
    if made_keyword_only(cls):
        return 0
    bases = [known[name] for name in map(ast.unparse, cls.bases) if name in known and known[name] is not cls]
    return sum(positional(base, known) for base in bases) + (len(own_fields(cls)) if is_value(cls) else 0)


def counted_constructors(package: Path) -> set[str]:
    """Return the classes below *package* whose constructor takes more than three arguments by their place."""
    found = set()
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in package.rglob("*.py")}
    known = {cls.name: cls for tree in trees.values() for cls in ast.walk(tree) if isinstance(cls, ast.ClassDef)}
    for path, tree in trees.items():
        classes = {cls.name: cls for cls in ast.walk(tree) if isinstance(cls, ast.ClassDef)}
        found |= {
            f"{path.relative_to(package).as_posix()}:{name}"
            for name, cls in classes.items()
            if positional(cls, known | classes) > 3
        }
    return found


def test_more_than_three_arguments_of_a_constructor_are_named() -> None:
    assert counted_constructors(PACKAGE) == set()


def test_a_constructor_with_four_counted_arguments_is_caught(tmp_path: Path) -> None:
    source = """
@frozen
class Four:
    a: int
    b: int
    c: int
    d: int = 0
    constant: ClassVar[int] = 1
@frozen
class Three:
    a: int
    b: int
    c: int
@frozen
class Inherits(Three):
    d: int
@frozen(kw_only=True)
class Named:
    a: int
    b: int
    c: int
    d: int
class Made:
    def __init__(self, a, b, c, d):
        pass
class Making:
    def __init__(self, a, b, c, *, d, e):
        pass
class Row(NamedTuple):
    a: int
    b: int
    c: int
    d: int
"""
    (tmp_path / "module.py").write_text(source, encoding="utf-8")
    found = {"module.py:Four", "module.py:Inherits", "module.py:Made", "module.py:Row"}
    assert counted_constructors(tmp_path) == found


LONGEST_MODULE, MOST_ARGUMENTS, MOST_HELPERS = 350, 6, 15.0
LONG = {
    "model/stdlib_names.py": "data",
}


def test_no_module_is_long_but_those_with_a_reason() -> None:
    lines = {path: path.read_text(encoding="utf-8").count("\n") for path in PACKAGE.rglob("*.py")}
    long = {path.relative_to(PACKAGE).as_posix() for path, count in lines.items() if count > LONGEST_MODULE}
    assert long == LONG.keys()


def test_no_function_takes_many_arguments() -> None:
    many = {
        f"{path.relative_to(PACKAGE).as_posix()}:{function.name}"
        for path, tree in structure.trees(PACKAGE).items()
        for function in structure.functions(tree)
        if structure.arguments(function) > MOST_ARGUMENTS
    }
    assert many == set()


def test_few_functions_are_helpers_that_add_nothing() -> None:
    trees = structure.trees(PACKAGE)
    every = sum(1 for tree in trees.values() for _ in structure.functions(tree))
    assert 100 * len(structure.used_once(trees)) / every < MOST_HELPERS


def test_helpers_arguments_and_branches_are_counted(tmp_path: Path) -> None:
    source = """
def _once(a, b):
    return a if a else b
def _handed(a):
    return a
def _twice(a):
    return a
class C:
    def f(self, a, *, b):
        for x in [y for y in a if y]:
            _once(x, b)
        return _handed, _twice(1), _twice(2), lambda z: z if z else a
"""
    path = tmp_path / "module.py"
    path.write_text(source, encoding="utf-8")
    trees = structure.trees(tmp_path)
    assert [function.name for _, function in structure.used_once(trees)] == ["_once"]
    counted = {each.name: each for each in structure.functions(trees[path])}
    assert [structure.arguments(counted[name]) for name in ("_once", "f")] == [2, 2]
    assert [structure.branches(counted[name]) for name in ("_once", "f")] == [1, 2]


def imports_between(package: Path) -> dict[str, set[str]]:
    """Return, for each module below *package*, the modules that it imports, wherever and for whatever it does."""
    files = {".".join(path.relative_to(package.parent).with_suffix("").parts): path for path in package.rglob("*.py")}
    return {
        name: {each for each in imported(ast.parse(path.read_text(encoding="utf-8"))) if each in files} - {name}
        for name, path in files.items()
    }


def cycles(graph: dict[str, set[str]]) -> list[tuple[str, ...]]:
    """Return a cycle for each module that can reach itself through another, as *graph* has them."""
    left = {name: set(others) for name, others in graph.items()}
    while free := {name for name, others in left.items() if not others & left.keys()}:
        left = {name: others for name, others in left.items() if name not in free}
    return [(name, *sorted(others & left.keys())) for name, others in sorted(left.items())]


def test_no_module_imports_one_that_imports_it() -> None:
    graph = imports_between(PACKAGE)
    assert len(graph) > 250
    # The package's face only hands names on, when they are first used.
    assert cycles({name: others for name, others in graph.items() if name != "ci_publish.__init__"}) == []


def test_a_cycle_is_caught() -> None:
    assert cycles({"a": {"b"}, "b": {"c"}, "c": set()}) == []
    assert cycles({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == [("a", "b"), ("b", "c"), ("c", "b")]
