"""The commands that are measured, each told the same thing in its own words."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from uv import find_uv_bin

from benchmarks.workloads import digest

PYPI = "https://upload.pypi.org/legacy/"


@dataclass(frozen=True)
class Target:
    """Where to publish: the bench index or, through the relay as a proxy, what the client takes for PyPI."""

    upload: str
    simple: str
    authority: str
    proxy: int | None = None
    profile: str = "generic"


@dataclass(frozen=True)
class Job:
    """One client at one workload."""

    command: list[str]
    environment: dict[str, str]
    stdin: str = ""


def _environment(target: Target) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "PYTHONPATH") if name in os.environ}
    kept |= {"SSL_CERT_FILE": target.authority, "REQUESTS_CA_BUNDLE": target.authority}
    if target.proxy is not None:
        kept["HTTPS_PROXY"] = kept["https_proxy"] = f"http://127.0.0.1:{target.proxy}"
    return kept


def ours(target: Target, files: Sequence[Path], project: str, jobs: int | None = None) -> Job:
    """Measure ci-publish: all checks, plan and listing, no attestations."""
    del project
    command = [sys.executable, "-m", "ci_publish", "publish", *map(str, files), "--attestations", "off"]
    command += [] if jobs is None else ["--jobs", str(jobs)]
    environment = _environment(target) | {"CI_PUBLISH_PASSWORD": "pypi-bench"}
    if target.proxy is None:
        command += ["--repository-url", target.upload, "--index-url", target.simple, "--index-profile", target.profile]
    return Job(command, environment)


def twine(target: Target, files: Sequence[Path], project: str) -> Job:
    """Measure twine upload; ``--skip-existing`` where the index is taken for PyPI, as twine demands."""
    del project
    command = [sys.executable, "-m", "twine", "upload", "--non-interactive", "--disable-progress-bar"]
    command += ["-u", "__token__", "-p", "pypi-bench", "--cert", target.authority]
    command += ["--skip-existing"] if target.proxy is not None else []
    return Job([*command, "--repository-url", target.upload, *map(str, files)], _environment(target))


def uv(target: Target, files: Sequence[Path], project: str) -> Job:
    """Measure uv publish, with ``--check-url`` where files are there already."""
    del project
    command = [find_uv_bin(), "publish", "--trusted-publishing", "never", "-u", "__token__", "-p", "pypi-bench"]
    command += ["--check-url", target.simple] if target.proxy is not None else []
    return Job([*command, "--publish-url", target.upload, *map(str, files)], _environment(target))


def floor(target: Target, files: Sequence[Path], project: str, jobs: int = 8) -> Job:
    """Measure the same requests from raw sockets."""
    address = urlsplit(target.upload)
    host, port = ("pypi.org", 443) if target.proxy is not None else (address.hostname, address.port)
    via = "direct" if target.proxy is None else f"proxy:{target.proxy}"
    digests = "".join(f"{path.name} {digest(path)}\n" for path in files)
    command = [sys.executable, "-I", "-S", str(Path(__file__).with_name("floor.py"))]
    command += [str(host), str(port), target.authority, project, str(jobs), via, *map(str, files)]
    return Job(command, _environment(target), digests)


CLIENTS = {"ci-publish": ours, "twine": twine, "uv": uv, "floor": floor}
