"""Every Python process that we start is isolated (``-I``) and reads and writes UTF-8 (``-X utf8``).

And those that import us import what the process imports that starts them, however that was installed.
"""

import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from ci_publish.python_processes import import_search_path, passed_on_variables, python_command
from tests.e2e.conftest import clean_environment

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
        ("src/ci_publish/app/upstreams.py", 1),
        ("src/ci_publish/python_processes.py", 1),
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
    named = {"installation.py", "interpreters.py"}  # for people, in a message; for the interpreter itself
    assert using - named == {
        *("token_guard.py", "upstreams.py", "python_processes.py", "ci_executables.py", "run.py", "installing.py"),
    }


def test_a_child_has_the_packages_of_its_parent() -> None:
    done = subprocess.run(python_command("print(json.dumps(sys.path))"), capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == import_search_path()
    assert str(ROOT / "src") in import_search_path()


# Renders a description that this process does not clear, and has a token burned that it leaves behind.
PROGRAM = """
import json, os, socket, sys
from ci_publish.app.token_guard import TokenGuard
from ci_publish.distributions.checks.rendering import is_quick_to_render, render_description
from ci_publish.http.messages import HttpRequest, SecretJson
from ci_publish.model.identity import Secret

text = " " * 101 + "x\\n\\n.. nonsense::\\n"
assert not is_quick_to_render(text, "text/x-rst")
found = render_description(text, "text/x-rst")
print(json.dumps([found.too_large, found.fault, sys.modules["ci_publish"].__file__]), flush=True)
inbox, _ = socket.socketpair()
guard = TokenGuard(inbox, 60.0, os.environ)
guard.keep(HttpRequest(method="POST", url=sys.argv[1], body=SecretJson((("token", Secret("to-burn")),))))
guard.close()
"""


def linked(folder: Path) -> Path:
    """Make *folder* what `pip install --target` leaves there: our package and the libraries, each as a link."""
    folder.mkdir(parents=True)
    packages = Path(pytest.__file__).parents[1]
    for entry in packages.iterdir():
        if entry.suffix != ".pth" and not entry.name.startswith("__editable__"):
            (folder / entry.name).symlink_to(entry)
    (folder / "ci_publish").symlink_to(ROOT / "src" / "ci_publish")
    return folder


def user_site(home: Path) -> tuple[Path, dict[str, str]]:
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return linked(home / ".local" / "lib" / version / "site-packages"), {}


def target(home: Path) -> tuple[Path, dict[str, str]]:
    folder = linked(home / "target")
    return folder, {"PYTHONPATH": str(folder)}


def current_folder(home: Path) -> tuple[Path, dict[str, str]]:
    """`python -c` and `python -m` import from the folder they run in."""
    return linked(home / "work"), {}


def appended(home: Path) -> tuple[Path, dict[str, str]]:
    """As the native action does it: the program appends to ``sys.path``."""
    folder = linked(home / "appended")
    return folder, {"APPENDED": str(folder)}


def zipped(home: Path) -> tuple[Path, dict[str, str]]:
    """Our package in a zip file, as in a zipapp, and the libraries beside it."""
    folder = linked(home / "libraries")
    (folder / "ci_publish").unlink()
    with zipfile.ZipFile(home / "app.pyz", "w") as file:
        for path in sorted((ROOT / "src").rglob("*")):
            if path.is_file() and path.suffix != ".pyc":
                file.write(path, path.relative_to(ROOT / "src"))
    return home / "app.pyz", {"PYTHONPATH": os.pathsep.join((str(home / "app.pyz"), str(folder)))}


@pytest.mark.skipif(os.name == "nt", reason="there the supervisor is not started, and links need a right")
@pytest.mark.parametrize("installed", [user_site, target, current_folder, appended, zipped])
def test_children_work_in_every_kind_of_installation(
    tmp_path: Path, installed: Callable[[Path], tuple[Path, dict[str, str]]], httpserver: HTTPServer
) -> None:
    httpserver.expect_oneshot_request("/burn", method="POST", json={"token": "to-burn"}).respond_with_data("")
    folder, environ = installed(tmp_path)
    (tmp_path / "work").mkdir(exist_ok=True)
    first = "import os, sys; sys.path += filter(None, [os.environ.get('APPENDED')])\n"
    command = [
        str(getattr(sys, "_base_executable", sys.executable)),
        "-c",
        first + PROGRAM,
        httpserver.url_for("/burn"),
    ]
    own = {name: value for name, value in clean_environment().items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    done = subprocess.run(
        command,
        cwd=tmp_path / "work",
        env={**own, "HOME": str(tmp_path), **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    too_large, fault, imported = json.loads(done.stdout)
    assert not too_large
    assert "nonsense" in fault
    assert imported.startswith(str(folder))
    assert len(httpserver.log) == 1, done.stderr
    httpserver.check_assertions()


def test_other_processes_see_what_is_allowed_by_name() -> None:
    allowed = {"PATH": "/bin", "LANG": "C", "no_proxy": "a", "HTTPS_PROXY": "http://p", "SSL_CERT_FILE": "/c.pem"}

    assert passed_on_variables({**allowed, "HOME": "/h", "ACTIONS_RUNTIME_TOKEN": "x", "PYTHONPATH": "/p"}) == allowed
