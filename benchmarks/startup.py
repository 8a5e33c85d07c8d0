"""From `uses:` to the first request: ``python -m benchmarks.startup [--runs N] [--only native,uvx]``.

Every way of starting ci-publish, beside twine's, in turns and on one network; the index is on loopback, and a run is
over when the first request reaches it. Nothing is kept between runs: no cache of pip, uv or twine, no image, except
where a row says warm. The container rows need podman and the base image; the pull is from a registry on loopback.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
IMAGE = "localhost/ci-publish-startup"
# The Python of the machine, outside of the environment that this runs in.
PYTHON = str(Path(sys.base_prefix) / "bin" / "python3")
# What the programs themselves call.
TOOLS = ("bash", "sh", "dirname", "realpath")
# The engine's client on this machine may build behind a proxy that has its own certificate authority.
AUTHORITIES = Path("/etc/ssl/certs")


class _Index(BaseHTTPRequestHandler):
    """Notes when the first request arrives, and refuses every one of them."""

    def do_GET(self) -> None:
        self.server.arrived()  # type: ignore[attr-defined]
        self.send_error(403)

    do_POST = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Index)
        self.first = threading.Event()
        self.at = 0.0

    def arrived(self) -> None:
        if not self.first.is_set():
            self.at = time.monotonic()
            self.first.set()


class _Registry(BaseHTTPRequestHandler):
    """Serves one image of an OCI layout, as registries do."""

    layout: Path

    def do_GET(self) -> None:
        if self.path == "/v2/":
            self._send(b"{}", "application/json")
        elif "/manifests/" in self.path:
            index = json.loads((self.layout / "index.json").read_bytes())["manifests"][0]
            self._send(self._blob(index["digest"]), index["mediaType"], index["digest"])
        else:
            self._send(self._blob(self.path.rpartition("/")[2]), "application/octet-stream")

    do_HEAD = do_GET  # noqa: N815

    def _blob(self, digest: str) -> bytes:
        return (self.layout / "blobs" / digest.replace(":", "/")).read_bytes()

    def _send(self, content: bytes, kind: str, digest: str = "") -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        if digest:
            self.send_header("Docker-Content-Digest", digest)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serving(server: ThreadingHTTPServer) -> Iterator[int]:
    """Serve in a thread; yield the port."""
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield int(server.server_address[1])
    server.shutdown()
    server.server_close()


@dataclass(frozen=True)
class Start:
    """One run of one way: a new folder with distributions in dist/, the index's port, and what the job has set."""

    folder: Path
    port: int
    environment: Mapping[str, str] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The upload URL."""
        return f"http://127.0.0.1:{self.port}/legacy/"

    def run(self, *command: object, more: Mapping[str, str] | None = None, required: bool = True) -> None:
        """Run a command to its end, with *more* in its environment. Raise RuntimeError if a *required* one fails."""
        result = subprocess.run(
            [str(word) for word in command],
            cwd=self.folder,
            env={**self.environment, **(more or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        self.said.append((result.stdout + result.stderr)[-2000:])
        if required and result.returncode:
            message = f"{command[0]} ended with {result.returncode}:\n{self.said[-1]}"
            raise RuntimeError(message)


def native(start: Start) -> None:
    """Run the steps of the native action, as a runner does."""
    output = start.folder / "output"
    output.write_text("")
    action = ROOT / "native"
    steps = ("bash", "--noprofile", "--norc")
    shared = {"GITHUB_OUTPUT": str(output), "NATIVE_ACTION": str(action), "RUNNER_TEMP": str(start.folder)}
    start.run(*steps, action / "python.sh", action / "run.py", "prepare", "rehearsal", more=shared)
    made = dict(line.split("=", 1) for line in output.read_text().splitlines())
    inputs = {"repository-url": start.url, "password": "secret", "packages-dir": "dist"}
    python, cache = made["python"], f"pycache_prefix={made['folder']}/bytecode"
    more = {"NATIVE_FOLDER": made["folder"], "NATIVE_PYTHON": python, "NATIVE_INPUTS": json.dumps(inputs)}
    start.run(
        python, "-IBu", "-X", "utf8", "-X", cache, action / "run.py", "publish", more={**shared, **more}, required=False
    )


def uvx_twine(start: Start) -> None:
    """Run twine with uvx, whose cache is empty."""
    words = ("uvx", "--no-config", "--quiet", "--python", PYTHON, "twine")
    start.run(
        *words, *twine(start), more={"UV_CACHE_DIR": str(start.folder / "uv"), "UV_SYSTEM_CERTS": "1"}, required=False
    )


def pip_twine(start: Start) -> None:
    """Install twine into a new environment, and run it."""
    environment = start.folder / "environment"
    start.run(PYTHON, "-m", "venv", environment)
    start.run(environment / "bin" / "python", "-m", "pip", "install", "--quiet", "--no-cache-dir", "twine")
    start.run(environment / "bin" / "python", "-m", "twine", *twine(start), required=False)


def twine(start: Start) -> Sequence[object]:
    """Return twine's arguments."""
    files = sorted((start.folder / "dist").iterdir())
    return ("upload", "--non-interactive", "--repository-url", start.url, "-u", "u", "-p", "secret", *files)


def build(start: Start) -> None:
    """Build the image as `uses:` of a commit does, with its base there and nothing else; then run it."""
    trust = ("-v", f"{AUTHORITIES}:{AUTHORITIES}:ro") if AUTHORITIES.is_dir() else ()
    options = ("--quiet", "--no-cache", "--network=host", "--timestamp", "0", *trust)
    start.run("podman", "build", *options, "--tag", f"{IMAGE}:cold", ROOT, more=os.environ)
    warm(start)


def warm(start: Start) -> None:
    """Run the image that is there."""
    inputs = {"INPUT_REPOSITORY-URL": start.url, "INPUT_PASSWORD": "secret", "CI_PUBLISH_ACTION": "docker"}
    set_ = [word for name in inputs for word in ("-e", name)]
    mounted = ("-v", f"{start.folder}:/github/workspace", "--workdir", "/github/workspace")
    words = ("podman", "run", "--rm", "--network=host", *set_, *mounted, f"{IMAGE}:cold", "publish")
    start.run(*words, more={**os.environ, **inputs}, required=False)


def pulled(registry: int) -> Callable[[Start], None]:
    """Return the run that pulls our layers from the registry on port *registry* first; the base's are there."""

    def run(start: Start) -> None:
        source = f"127.0.0.1:{registry}/ci-publish:cold"
        start.run("podman", "rmi", "--force", f"{IMAGE}:cold", more=os.environ)
        start.run("podman", "pull", "--quiet", "--tls-verify=false", source, more=os.environ)
        start.run("podman", "tag", source, f"{IMAGE}:cold", more=os.environ)
        start.run("podman", "untag", source, source, more=os.environ)
        warm(start)

    return run


def layers(layout: Path) -> list[int]:
    """Return the compressed sizes of an image's layers, in bytes, the base's first."""
    blob = layout / "blobs"
    digest = json.loads((layout / "index.json").read_bytes())["manifests"][0]["digest"]
    manifest = json.loads((blob / digest.replace(":", "/")).read_bytes())
    return [int(layer["size"]) for layer in manifest["layers"]]


def measure(run: Callable[[Start], None], environment: Mapping[str, str]) -> float:
    """Return the seconds until the first request of one run."""
    server = _Server()
    with tempfile.TemporaryDirectory() as name, serving(server) as port:
        folder = Path(name)
        make_distributions(folder / "dist")
        home = {"HOME": str(folder / "home"), "XDG_CACHE_HOME": str(folder / "home" / "cache")}
        began = time.monotonic()
        start = Start(folder, port, {**environment, **home})
        run(start)
        if not server.first.is_set():
            message = f"no request reached the index:\n{start.said[-1]}"
            raise RuntimeError(message)
    return server.at - began


def make_distributions(folder: Path) -> None:
    """Make this project's own sdist and wheel with the locked build backend."""
    words = (sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT))
    cached = Path(tempfile.gettempdir()) / f"ci-publish-startup-{os.getpid()}"
    if not cached.exists():
        subprocess.run((*words[:5], str(cached), words[6]), capture_output=True, check=True)
    shutil.copytree(cached, folder)


def paths(folder: Path, *names: str) -> Mapping[str, str]:
    """Return an environment on whose PATH only *names* and what every runner has are found."""
    folder.mkdir()
    for name in names:
        found = PYTHON if name == "python3" else shutil.which(name)
        if found is None:
            message = f"{name} is not on PATH"
            raise RuntimeError(message)
        (folder / name).symlink_to(found)
    return {"PATH": str(folder), "GITHUB_ACTIONS": "true"}


def ways(folder: Path) -> Iterator[tuple[str, Callable[[Start], None], Mapping[str, str]]]:
    """Yield name, run and environment of every way to start."""
    with_uv = paths(folder / "with-uv", "python3", *TOOLS, "uv", "uvx")
    without_uv = paths(folder / "without-uv", "python3", *TOOLS)
    yield "native, uv on the runner", native, with_uv
    yield "uvx twine", uvx_twine, with_uv
    yield "native, no uv on the runner", native, without_uv
    yield "pip install twine", pip_twine, without_uv
    if shutil.which("podman") is not None:
        yield "container, cold build", build, {}
        layout = folder / "layout"
        subprocess.run(("podman", "push", "--quiet", f"{IMAGE}:cold", f"oci:{layout}"), check=True)
        ours = layers(layout)[base_layers() :]
        print(f"our layers, compressed: {', '.join(f'{size / 1e6:.1f}' for size in ours)} MB; {sum(ours) / 1e6:.1f} MB")
        _Registry.layout = layout
        with serving(ThreadingHTTPServer(("127.0.0.1", 0), _Registry)) as port:
            yield "container, our layers pulled", pulled(port), {}
        yield "container, warm", warm, {}
        subprocess.run(("podman", "rmi", "--force", f"{IMAGE}:cold"), capture_output=True, check=False)


def base_layers() -> int:
    """Return how many layers the base image has."""
    base = next(line.split()[1] for line in (ROOT / "Dockerfile").read_text().splitlines() if line.startswith("FROM "))
    inspected = subprocess.run(("podman", "inspect", base), capture_output=True, check=True).stdout
    return len(json.loads(inspected)[0]["RootFS"]["Layers"])


def main(arguments: Sequence[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.startup", description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="runs of each way")
    parser.add_argument("--only", default="", help="parts of the ways' names, separated by commas")
    options = parser.parse_args(arguments)
    wanted = [word for word in options.only.split(",") if word]
    print("| start | s to the first request, median (min-max) |\n|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name, run, environment in ways(Path(folder)):
            if wanted and not any(word in name for word in wanted):
                continue
            seconds = [measure(run, environment) for _ in range(options.runs)]
            print(f"| {name} | {statistics.median(seconds):.2f} ({min(seconds):.2f}-{max(seconds):.2f}) |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
