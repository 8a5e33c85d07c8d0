"""PostgreSQL on a free port of loopback, in a scratch folder, for one block of code.

Needs Debian's package ``postgresql`` (or another installation that `pg_config` on PATH belongs to). PostgreSQL refuses
to run as root, so root runs it as the user ``postgres`` that the package makes.
"""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

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
        data, log = scratch / "data", scratch / "log"
        _run([str(programs / "initdb"), "-D", str(data), "-U", USER, "-A", "trust", "--no-sync"])
        options = " ".join(f"-c {key}={value or repr(value)}" for key, value in _SETTINGS.items())
        control = [str(programs / "pg_ctl"), "-D", str(data), "-w", "-s"]
        _run([*control, "-l", str(log), "-o", f"-p {port} -k {scratch} {options}", "start"])
        try:
            yield f"host={scratch} port={port} user={USER} dbname=postgres"
        finally:
            _run([*control, "-m", "immediate", "stop"])


def _run(command: Sequence[str]) -> None:
    """Run a program of PostgreSQL's, as the user that it may run as."""
    user = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups"] if os.geteuid() == 0 else []
    subprocess.run([*user, *command], check=True, cwd="/", stdout=subprocess.DEVNULL)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
