"""PostgreSQL on a free port of loopback, in a scratch folder, for one block of code.

Needs Debian's package ``postgresql`` (or another installation that `pg_config` on PATH belongs to). PostgreSQL refuses
to run as root, so root runs it as the user ``postgres`` that the package makes.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

USER = "postgres"
MISSING = (
    "POSTGRESQL IS MISSING: nothing was measured or tested against the model of PyPI's database."
    " Install it with: apt-get install postgresql"
)

# Durability costs time that says nothing here; the rest is PostgreSQL's default, deadlock_timeout (1 s) included.
_SETTINGS = {"fsync": "off", "listen_addresses": "", "max_connections": "60", "shared_buffers": "64MB"}


def binaries() -> Path | None:
    """Return the folder of PostgreSQL's newest installed programs, None where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    config = shutil.which("pg_config")
    if config is None:
        return None
    folder = Path(subprocess.run([config, "--bindir"], check=True, capture_output=True, text=True).stdout.strip())
    return folder if (folder / "initdb").exists() else None


@contextmanager
def running() -> Iterator[str]:
    """Start a server with an empty database, and yield its connection string. Raises FileNotFoundError (MISSING)."""
    programs = binaries()
    if programs is None:
        raise FileNotFoundError(MISSING)
    with tempfile.TemporaryDirectory(prefix="ci-publish-pg-") as name:
        scratch, port = Path(name), _free_port()
        if os.geteuid() == 0:
            shutil.chown(scratch, USER)
        data = scratch / "data"
        initdb = [*_as_postgres(), str(programs / "initdb"), "-D", str(data), "-U", USER, "-A", "trust", "--no-sync"]
        subprocess.run(initdb, check=True, cwd=scratch, capture_output=True)
        server = [*_as_postgres(), str(programs / "postgres"), "-D", str(data), "-p", str(port), "-k", name]
        server += [word for key, value in _SETTINGS.items() for word in ("-c", f"{key}={value}")]
        with subprocess.Popen(server, cwd=scratch, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                connection = f"host={name} port={port} user={USER} dbname=postgres"
                _wait_until_up(connection, process)
                yield connection
            finally:
                process.send_signal(signal.SIGQUIT)  # PostgreSQL's "immediate shutdown"


def _as_postgres() -> list[str]:
    """Return what a command is begun with, so that it may run, and ends together with this process."""
    if shutil.which("setpriv") is None:
        return []
    user = [f"--reuid={USER}", f"--regid={USER}", "--clear-groups"] if os.geteuid() == 0 else []
    return ["setpriv", *user, "--pdeathsig", "QUIT"]


def _wait_until_up(connection: str, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(300):
        if process.poll() is not None:
            break
        try:
            psycopg.connect(connection).close()
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return
    message = f"PostgreSQL did not start: {' '.join(map(str, process.args))}"  # type: ignore[arg-type]
    raise RuntimeError(message)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
