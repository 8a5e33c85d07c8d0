"""The native action's steps: what the job's settings may change, and how failures are reported."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.unit.reports.runner import commands

RUN = Path(__file__).resolve().parents[2] / "native" / "run.py"


@pytest.fixture(scope="module")
def native() -> ModuleType:
    spec = importlib.util.spec_from_file_location("native_run", RUN)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


DROPPED = {
    **dict.fromkeys(("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_DRY_RUN", "PIP_USER", "PIP_CONSTRAINT"), "x"),
    **dict.fromkeys(("PIP_NO_DEPS", "PIP_REQUIREMENT", "PIP_PYTHON", "PIP_CONFIG_FILE", "PIP_PLATFORM"), "x"),
    **dict.fromkeys(("UV_CONSTRAINT", "UV_OVERRIDE", "UV_EXCLUDE_NEWER", "UV_LINK_MODE", "UV_CONFIG_FILE"), "x"),
    **dict.fromkeys(("UV_PROJECT", "UV_TARGET", "UV_DRY_RUN", "UV_PYTHON", "UV_OFFLINE", "UV_NO_BINARY"), "x"),
    **dict.fromkeys(("PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONPLATLIBDIR"), "x"),
}
KEPT = {
    "PATH": "/bin",
    "HTTPS_PROXY": "http://proxy.example:3128",
    "SSL_CERT_FILE": "/ca.pem",
    "UV_DEFAULT_INDEX": "https://index.example/simple/",
    "UV_INDEX_OURS_PASSWORD": "secret",
    "UV_KEYRING_PROVIDER": "subprocess",
    "UV_HTTP_TIMEOUT": "7",
}


def test_uv_gets_index_proxy_and_certificates_and_no_other_setting_of_the_job(native: ModuleType) -> None:
    environment = native.uv_environment({**DROPPED, **KEPT}, {})

    assert environment == {"UV_SYSTEM_CERTS": "1", "UV_INDEX_STRATEGY": "unsafe-best-match", **KEPT}


def test_pip_s_settings_count_for_uv_where_uv_has_none(native: ModuleType) -> None:
    pip = {
        "PIP_INDEX_URL": "https://one.example/",
        "PIP_EXTRA_INDEX_URL": "https://two.example/ https://three.example/",
        "PIP_FIND_LINKS": "/a /b",
        "PIP_CERT": "/pip.pem",
        "PIP_RETRIES": "1",
    }

    environment = native.uv_environment({}, pip)

    assert environment == {
        "UV_SYSTEM_CERTS": "1",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_DEFAULT_INDEX": "https://one.example/",
        "UV_INDEX": "https://two.example/ https://three.example/",
        "UV_FIND_LINKS": "/a,/b",
        "SSL_CERT_FILE": "/pip.pem",
    }
    mixed = native.uv_environment({"UV_INDEX_URL": "https://uv.example/", "SSL_CERT_FILE": "/ssl.pem"}, pip)
    assert {name: mixed.get(name) for name in ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_FIND_LINKS")} == dict.fromkeys(
        ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_FIND_LINKS")
    )
    assert (mixed["UV_INDEX_URL"], mixed["SSL_CERT_FILE"]) == ("https://uv.example/", "/ssl.pem")


def test_pip_s_variables_beat_its_files_of_which_the_same_settings_count(native: ModuleType, tmp_path: Path) -> None:
    file = tmp_path / "pip.conf"
    file.write_text(
        "[global]\nindex-url = https://file.example/\nextra-index-url =\n    https://a.example/\n    https://b.example/\n"
        "timeout = 9\nuser = true\n[install]\ntimeout = 8\ntarget = /nowhere\nconstraint = /nothing.txt\n"
    )
    environ = {**os.environ, "PIP_CONFIG_FILE": str(file), "PIP_INDEX_URL": "https://env.example/", "PIP_TARGET": "x"}

    found = native.pip_configuration(tmp_path, environ)

    assert found["PIP_INDEX_URL"] == "https://env.example/"
    assert found["PIP_EXTRA_INDEX_URL"].endswith("https://a.example/ https://b.example/")
    assert found["PIP_TIMEOUT"] == "8"
    assert not found.keys() & {"PIP_TARGET", "PIP_USER", "PIP_CONSTRAINT", "PIP_CONFIG_FILE"}


def test_an_environment_that_cannot_import_is_not_ready(native: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(native.SetupFailed) as caught:
        native.require_imports(tmp_path, Path(sys.executable), "import no_such_module", dict(os.environ))

    assert "ModuleNotFoundError: No module named 'no_such_module'" in caught.value.reason
    assert "Traceback" not in caught.value.reason


def test_nothing_is_imported_from_where_the_job_s_variables_point(native: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "hostile.py").write_text("")
    environ = {**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONHOME": str(tmp_path)}

    with pytest.raises(native.SetupFailed, match="does not work"):
        native.require_imports(tmp_path, Path(sys.executable), "import hostile", environ)


def test_a_failure_is_one_annotation_without_a_traceback(
    native: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert native.main(["prepare", "no-such-lock"], {"RUNNER_TEMP": str(tmp_path / "absent")}) == 1
    assert native.main(["publish"], {}) == 1

    printed = capsys.readouterr().out
    assert {command.name for command in commands(printed)} == {"error"}
    assert len(printed.splitlines()) == 2
    assert "Traceback" not in printed


def test_the_end_of_what_an_installer_says_is_kept_on_one_line(
    native: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    native.annotate("title", "100 %\nsecond")

    assert capsys.readouterr().out == "::error title=title::100 %25%0Asecond\n"
    assert native.last_words("\n".join(map(str, range(20)))).split() == [str(number) for number in range(10, 20)]


# starting Python -------------------------------------------------------------------------------------------------


def test_the_source_is_found_below_a_path_that_the_locale_cannot_spell(tmp_path: Path) -> None:
    """An ASCII locale stands for Windows' cp1252."""
    checkout = tmp_path / "b\u00fccher"
    (checkout / "native").mkdir(parents=True)
    (checkout / "src" / "ci_publish").mkdir(parents=True)
    (checkout / "src" / "ci_publish" / "__init__.py").touch()
    shutil.copy(RUN, checkout / "native")
    program = (
        "import os, pathlib, runpy, tempfile\n"
        f"run = runpy.run_path({str(checkout / 'native' / 'run.py')!a})\n"
        "folder = pathlib.Path(tempfile.mkdtemp(dir=os.environ['RUNNER_TEMP']))\n"
        "python = run['make_environment'](folder / 'environment')\n"
        "run['require_imports'](folder, python, 'import ci_publish; print(ci_publish.__file__)', os.environ)\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-X", "utf8", "-c", program],
        env={"LC_ALL": "C", "PATH": os.defpath, "RUNNER_TEMP": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_every_process_of_ours_runs_in_utf_8_mode() -> None:
    """What we print is UTF-8, on any machine."""
    root = RUN.parents[1]
    starts = [
        line
        for name in ("native/action.yml", "native/build/action.yml", "native/python.sh", "Dockerfile")
        for line in (root / name).read_text(encoding="utf-8").splitlines()
        if re.search(r"exec .*-I|ENTRYPOINT|#!/opt", line)
    ]
    assert len(starts) >= 5
    assert [line for line in starts if not re.search(r"-X utf8|Xutf8|\"-X\", \"utf8\"", line)] == []
