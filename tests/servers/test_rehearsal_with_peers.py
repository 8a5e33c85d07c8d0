"""The rehearsal world as other people's clients meet it: pip, uv and twine in processes of their own.

Run with pip 23.2.1, uv 0.13.8 and twine 7.0.0.
"""

import hashlib
import json
import os
import ssl
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest
import uv

from ci_publish.rehearsal.world import RehearsalWorld
from tests.distributions import make_release, make_sdist, make_wheel
from tests.platforms import needs_resource
from tests.unit.rehearsal.served_index import form_of

pytestmark = pytest.mark.servers

_MIB = 1024 * 1024
# A world in a process of its own, so that its memory can be measured: it serves until its stdin ends, then says how
# much memory it held at most (KiB on Linux, bytes on macOS) and what it has.
_WORLD = """
import json, resource, sys
from ci_publish.rehearsal.world import RehearsalWorld
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1024 if sys.platform == "darwin" else 1)
with RehearsalWorld() as world:
    facts = {"url": world.repository_url, "token": world.issue_api_token(), "peak": peak()}
    print(json.dumps(facts), flush=True)
    sys.stdin.read()
    print(json.dumps({"peak": peak(), "files": len(world.index.files), "failures": len(world.failures)}))
"""


def run(*command: object, environment: Mapping[str, str], check: bool = True) -> str:
    """Run a client with nothing but what it is given, and return what it said."""
    result = subprocess.run(
        [str(part) for part in command],
        env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (result.returncode == 0) is check, result.stdout + result.stderr
    return result.stdout + result.stderr


@pytest.fixture(params=["http", "https"])
def world(request: pytest.FixtureRequest) -> Iterator[RehearsalWorld]:
    with RehearsalWorld(tls=request.param == "https") as world:
        yield world
        assert world.failures == ()


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """An environment without anybody's configuration or cache."""
    folder = tmp_path / "home"
    folder.mkdir()
    return {"HOME": str(folder), "PIP_CONFIG_FILE": os.devnull, "UV_NO_CONFIG": "1", "PIP_NO_CACHE_DIR": "1"}


def install(world: RehearsalWorld, home: Mapping[str, str], target: Path, requirement: str, *options: str) -> None:
    run(
        *(sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--no-deps", *options),
        *("--index-url", world.index_url, "--target", target, requirement),
        environment={**home, **world.tls_environment},
    )


def twine_upload(world: RehearsalWorld, home: Mapping[str, str], token: str, *paths: Path, check: bool = True) -> str:
    return run(
        *(sys.executable, "-m", "twine", "upload", "--non-interactive", "--disable-progress-bar", "--verbose"),
        *("--repository-url", world.repository_url, "-u", "__token__", *paths),
        environment={**home, **world.tls_environment, "TWINE_PASSWORD": token, "COLUMNS": "400"},
        check=check,
    )


def test_twine_uploads_with_an_api_token_and_pip_installs(
    world: RehearsalWorld, home: dict[str, str], tmp_path: Path
) -> None:
    paths = make_release(tmp_path / "dist", "by-twine")

    twine_upload(world, home, world.issue_api_token("by-twine"), *paths)

    assert world.index.files.keys() == {path.name for path in paths}
    assert {file.uploaded_via.partition("/")[0] for file in world.index.files.values()} == {"twine"}
    install(world, home, tmp_path / "target", "by-twine", "--only-binary", ":all:")
    assert (tmp_path / "target" / "by_twine" / "__init__.py").read_bytes() == b"x = 1\n"


def test_twine_shows_the_words_of_a_refusal(world: RehearsalWorld, home: dict[str, str], tmp_path: Path) -> None:
    said = twine_upload(world, home, world.issue_api_token("other"), make_wheel(tmp_path, "by-twine"), check=False)

    assert "project-scoped token is not valid for project: 'by-twine'" in said
    assert world.index.files == {}


def uv_publish(world: RehearsalWorld, home: Mapping[str, str], *paths: Path, check: bool = True) -> str:
    return run(
        *(uv.find_uv_bin(), "publish", "--trusted-publishing", "always"),
        *("--publish-url", world.repository_url, "--check-url", world.index_url, *paths),
        environment={**home, **world.environment("github")},
        check=check,
    )


def test_uv_publishes_with_trusted_publishing(home: dict[str, str], tmp_path: Path) -> None:
    paths = make_release(tmp_path / "dist", "by-uv")
    with RehearsalWorld(tls=True) as world:
        uv_publish(world, home, *paths)
        again = uv_publish(world, home, *paths)
        install(world, home, tmp_path / "target", "by-uv", "--only-binary", ":all:")

        assert world.index.files.keys() == {path.name for path in paths}
        assert {file.uploaded_via.partition("/")[0] for file in world.index.files.values()} == {"uv"}
        assert [entry.burnt for entry in world.index.mint_log] == [True, True]
        assert len({entry.jti for entry in world.index.mint_log}) == 2
        assert world.failures == ()
    assert again.count("already exists, skipping") == 2


def test_uv_shows_the_words_of_a_refusal(home: dict[str, str], tmp_path: Path) -> None:
    with RehearsalWorld(tls=True) as world:
        uv_publish(world, home, make_wheel(tmp_path / "one", "by-uv"))
        said = uv_publish(world, home, make_wheel(tmp_path / "two", "by-uv", payload=b"other"), check=False)

    assert "Local file and index file do not match" in said


def test_uv_installs_from_it(world: RehearsalWorld, home: dict[str, str], tmp_path: Path) -> None:
    with httpx.Client(verify=_trust(world)) as client:
        for path in make_release(tmp_path / "dist", "for-uv"):
            _upload(client, world.repository_url, world.issue_api_token(), path)

    run(
        *(uv.find_uv_bin(), "pip", "install", "--no-deps", "--no-cache", "--only-binary", ":all:"),
        *("--python", sys.executable),
        *("--index-url", world.index_url, "--target", tmp_path / "target", "for-uv"),
        environment={**home, **world.tls_environment},
    )

    assert (tmp_path / "target" / "for_uv" / "__init__.py").exists()


def _trust(world: RehearsalWorld) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=world.certificate_authority_path)


def _upload(client: httpx.Client, url: str, token: str, path: Path) -> None:
    """Upload without holding the file in memory, so that the client's own memory is no excuse."""
    form = {**form_of(path.name, b""), "sha256_digest": _digest(path)}
    with path.open("rb") as file:
        files = {"content": (path.name, file, "application/octet-stream")}
        answer = client.post(url, data=form, files=files, auth=("__token__", token), timeout=300)
    assert answer.status_code == 200, answer.reason_phrase


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _large_wheel(folder: Path, mebibytes: int) -> Path:
    """Write a valid wheel with a large member that cannot be compressed."""
    path = make_wheel(folder, "large", stored=True)
    block = os.urandom(_MIB)
    with zipfile.ZipFile(path) as small:
        members = {name: small.read(name) for name in small.namelist()}
    record = next(name for name in members if name.endswith("RECORD"))
    members[record] += b"large/data.bin,,\n"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
        # Written in one piece: PyPI rejects the data descriptors of a stream of unknown length.
        info = zipfile.ZipInfo("large/data.bin")
        info.file_size = mebibytes * _MIB
        with archive.open(info, "w") as member:
            for _ in range(mebibytes):
                member.write(block)
    return path


@needs_resource
@pytest.mark.parametrize(
    ("wheels", "mebibytes"), [(20, 64), pytest.param(200, 1024, marks=pytest.mark.stress)], ids=["some", "all"]
)
def test_the_worlds_memory_does_not_grow_with_the_files(tmp_path: Path, wheels: int, mebibytes: int) -> None:
    many = [make_wheel(tmp_path, "many", tag=f"py3-none-manylinux_2_{number}_x86_64") for number in range(wheels)]
    paths = [
        *(make_wheel(tmp_path, "many", tag=path.stem.split("-", 2)[2], payload=path.name.encode()) for path in many),
        make_sdist(tmp_path, "many"),
        _large_wheel(tmp_path, mebibytes),
    ]
    with subprocess.Popen(
        [sys.executable, "-c", _WORLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        before = json.loads(process.stdout.readline())
        with httpx.Client() as client:
            for path in paths:
                _upload(client, before["url"], before["token"], path)
        after = json.loads(process.communicate()[0])

    assert (after["files"], after["failures"]) == (wheels + 2, 0)
    grown = (after["peak"] - before["peak"]) / 1024
    assert grown < 40, f"{grown:.0f} MiB more than at the start"
