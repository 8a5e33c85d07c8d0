"""A process that runs other people's code sees what is allowed by name, and folders of its own."""

import os
from pathlib import Path

from ci_publish.rehearsal.installation.child_environment import child_environment

PLANTED = {
    "PATH": "/bin",
    "LANG": "C.UTF-8",
    "https_proxy": "http://proxy.example:3128",
    "SSL_CERT_FILE": "/etc/own.pem",
    "HOME": "/home/me",
    "TMPDIR": "/somewhere",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "x",
    "PYPI_ID_TOKEN": "x",
    "INPUT_PASSWORD": "x",
    "CI_PUBLISH_PASSWORD": "x",
    "TWINE_PASSWORD": "x",
    "UV_PUBLISH_TOKEN": "x",
    "UV_INDEX_URL": "x",
    "PIP_INDEX_URL": "x",
    "GITHUB_OUTPUT": "x",
    "PYTHONPATH": "x",
}


def test_only_what_is_allowed_is_passed_on() -> None:
    environment = child_environment(PLANTED, Path("/scratch"))

    assert {name: environment[name] for name in ("PATH", "LANG", "https_proxy", "SSL_CERT_FILE")} == {
        name: PLANTED[name] for name in ("PATH", "LANG", "https_proxy", "SSL_CERT_FILE")
    }
    assert "x" not in environment.values()
    assert not {"/home/me", "/somewhere"} & set(environment.values())


def test_its_folders_caches_and_configuration_are_its_own() -> None:
    environment = child_environment(PLANTED, Path("/scratch"))

    assert (environment["HOME"], environment["TMPDIR"]) == ("/scratch/home", "/scratch/tmp")
    assert environment["UV_CACHE_DIR"].startswith("/scratch/")
    assert environment["PIP_CONFIG_FILE"] == os.devnull
    assert environment["PIP_CERT"] == "/etc/own.pem"


def test_loopback_goes_through_no_proxy_and_pip_needs_no_certificates() -> None:
    assert "127.0.0.1" in child_environment(PLANTED, Path("/scratch"))["NO_PROXY"]
    plain = child_environment({}, Path("/scratch"))
    assert "NO_PROXY" not in plain
    assert "PIP_CERT" not in plain
