"""Real index servers from PyPI, each on a free port of loopback, gone at the end."""

import base64
import hashlib
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

USER, PASSWORD = "uploader", "secret-of-the-test"
SCRIPTS = Path(sys.executable).parent


@dataclass(frozen=True)
class RealIndex:
    """A real server that is up: where to upload, and how it is called."""

    kind: str
    repository_url: str
    index_url: str
    user: str = USER
    password: str = PASSWORD

    @property
    def environment(self) -> dict[str, str]:
        return {
            "CI_PUBLISH_REPOSITORY_URL": self.repository_url,
            "CI_PUBLISH_USER": self.user,
            "CI_PUBLISH_PASSWORD": self.password,
        }

    def digests(self, project: str) -> dict[str, str]:
        """What the server lists, read by another client than ours."""
        login = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        headers = {"Accept": "text/html", "Authorization": f"Basic {login}"}
        request = Request(f"{self.index_url}{project}/", headers=headers)  # noqa: S310  (loopback)
        with urlopen(request, timeout=10) as answer:  # noqa: S310  (loopback)
            page = answer.read().decode()
        return dict(re.findall(r'href="[^"]*?([^/"]+)#sha256=([0-9a-f]{64})"', page))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def wait_until_up(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    for _ in range(600):
        assert process.poll() is None, log.read_text()
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(log.read_text())


def _environment(home: Path) -> dict[str, str]:
    return {**os.environ, "HOME": str(home)}


@pytest.fixture(scope="session")
def pypiserver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealIndex]:
    folder = tmp_path_factory.mktemp("pypiserver")
    (folder / "packages").mkdir()
    digest = base64.b64encode(hashlib.sha1(PASSWORD.encode(), usedforsecurity=False).digest()).decode()
    (folder / "htpasswd").write_text(f"{USER}:{{SHA}}{digest}\n")
    port = free_port()
    command = [str(SCRIPTS / "pypi-server"), "run", "-i", "127.0.0.1", "-p", str(port), "-a", "update"]
    command += ["-P", str(folder / "htpasswd"), "--disable-fallback", str(folder / "packages")]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=_environment(folder))
        try:
            wait_until_up(port, process, folder / "log")
            yield RealIndex("pypiserver", f"http://127.0.0.1:{port}/", f"http://127.0.0.1:{port}/simple/")
        finally:
            process.terminate()
            process.wait(10)


@pytest.fixture(scope="session")
def devpi_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("devpi")
    environment = _environment(folder)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    home = str(folder / "server")
    init = [str(SCRIPTS / "devpi-init"), "--serverdir", home, "--root-passwd", PASSWORD, "--no-root-pypi"]
    subprocess.run(init, check=True, capture_output=True, env=environment)
    command = [str(SCRIPTS / "devpi-server"), "--serverdir", home, "--host", "127.0.0.1", "--port", str(port)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([*command, "--offline-mode"], stdout=log, stderr=log, env=environment)
        try:
            wait_until_up(port, process, folder / "log")
            for arguments in (
                ["use", url],
                ["login", "root", f"--password={PASSWORD}"],
                ["index", "-c", "root/fixed", "bases=", "volatile=False"],
                ["index", "-c", "root/loose", "bases=", "volatile=True"],
            ):
                subprocess.run(
                    [str(SCRIPTS / "devpi"), *arguments, "--clientdir", str(folder / "client")],
                    check=True,
                    capture_output=True,
                    env=environment,
                )
            yield url
        finally:
            process.terminate()
            process.wait(20)


@pytest.fixture(params=["pypiserver", "devpi-fixed", "devpi-loose", "rehearsal"])
def index(request: pytest.FixtureRequest) -> RealIndex:
    """Every index that the four steps are run on."""
    if request.param == "pypiserver":
        found: RealIndex = request.getfixturevalue("pypiserver")
        return found
    if request.param == "rehearsal":
        served = request.getfixturevalue("served")
        return RealIndex("rehearsal", served.repository_url, served.index_url, "__token__", served.api_token)
    url: str = request.getfixturevalue("devpi_server")
    root = f"{url}/root/{request.param.removeprefix('devpi-')}"
    return RealIndex(request.param, f"{root}/", f"{root}/+simple/", user="root")
