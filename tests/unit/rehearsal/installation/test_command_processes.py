"""Commands end: at their deadline, with the run, and with everything that they started."""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ci_publish.errors import IndexUnavailable, Terminated
from ci_publish.publishing.interruption import Interruption
from ci_publish.rehearsal.installation.command_processes import LAST_LINES, CommandProcesses, stray_processes_ended

pytestmark = pytest.mark.skipif(os.name != "posix", reason="process groups are POSIX's")

ENVIRON = {"PATH": os.environ["PATH"]}


@pytest.fixture
def processes() -> CommandProcesses:
    return CommandProcesses(ENVIRON, Interruption(60.0))


def python(code: str) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", code]


def alive(path: Path) -> bool:
    """Whether the process whose number is in the file *path* still runs; a kill takes effect within moments."""
    number = int(path.read_text())
    for _ in range(30):
        try:
            os.kill(number, 0)
            if Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return False
        except OSError:
            return False
        time.sleep(0.1)
    return True


def test_code_and_output_of_a_command(processes: CommandProcesses, tmp_path: Path) -> None:
    code = "import os, sys; print(os.getcwd()); print(os.environ['A'], file=sys.stderr); sys.exit(3)"
    ended = processes.run(python(code), folder=tmp_path, seconds=20, environ={"A": "b"})

    assert (ended.code, ended.failed) == (3, True)
    assert sorted(ended.output.splitlines()) == sorted([str(tmp_path), "b"])


def test_only_the_last_lines_are_kept(processes: CommandProcesses, tmp_path: Path) -> None:
    ended = processes.run(python("for n in range(100_000): print(n)"), folder=tmp_path, seconds=20)

    assert ended.output.splitlines() == [str(number) for number in range(100_000 - LAST_LINES, 100_000)]
    assert not ended.failed


def test_what_cannot_be_started_fails(processes: CommandProcesses, tmp_path: Path) -> None:
    for command in (["no-such-program"], ["nul\0l"]):
        ended = processes.run(command, folder=tmp_path, seconds=1)
        assert ended.code == 127
        assert ended.output


def test_a_command_and_its_children_are_killed_at_the_deadline(processes: CommandProcesses, tmp_path: Path) -> None:
    mark = tmp_path / "child"
    code = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"open({str(mark)!r}, 'w').write(str(child.pid))\nprint('begun', flush=True)\ntime.sleep(60)"
    )
    ended = processes.run(python(code), folder=tmp_path, seconds=1.5)

    assert (ended.code, ended.failed, ended.output) == (None, True, "begun")
    assert not alive(mark)


def test_a_child_that_holds_the_output_open_does_not_hold_up_the_end(
    processes: CommandProcesses, tmp_path: Path
) -> None:
    mark = tmp_path / "child"
    code = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"open({str(mark)!r}, 'w').write(str(child.pid))"
    )
    ended = processes.run(python(code), folder=tmp_path, seconds=30)

    assert (ended.code, ended.seconds < 10) == (0, True)
    assert not alive(mark)


def test_a_command_that_closes_its_output_is_still_waited_for(processes: CommandProcesses, tmp_path: Path) -> None:
    code = "import os, time; os.close(1); os.close(2); time.sleep(60)"
    ended = processes.run(python(code), folder=tmp_path, seconds=1.0)

    assert ended.code is None


def test_the_end_of_the_run_ends_a_command(tmp_path: Path) -> None:
    interruption = Interruption(60.0)
    processes = CommandProcesses(ENVIRON, interruption)
    threading.Timer(0.3, interruption.request_stop, (signal.SIGTERM,), {"heard_by": "watcher"}).start()

    began = time.monotonic()
    with pytest.raises(Terminated):
        processes.run(python("import time; time.sleep(60)"), folder=tmp_path, seconds=50)
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    "program", ["import time; time.sleep(60)", "import os, time; os.close(1); os.close(2); time.sleep(60)"]
)
def test_the_deadline_of_the_run_is_not_that_of_a_command(tmp_path: Path, program: str) -> None:
    began = time.monotonic()
    with pytest.raises(IndexUnavailable, match="deadline of 1 s"):
        CommandProcesses(ENVIRON, Interruption(1.0)).run(python(program), folder=tmp_path, seconds=60.0)

    assert time.monotonic() - began < 20


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a process adopt others")
def test_what_leaves_its_group_is_killed_in_the_end(processes: CommandProcesses, tmp_path: Path) -> None:
    mark = tmp_path / "child"
    stray = f"import os, time; open({str(mark)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    code = (
        "import subprocess, sys, time, os\n"
        f"subprocess.Popen([sys.executable, '-c', {stray!r}], start_new_session=True, stdout=subprocess.DEVNULL,"
        " stderr=subprocess.DEVNULL)\n"
        f"while not os.path.exists({str(mark)!r}) or not open({str(mark)!r}).read(): time.sleep(0.01)"
    )
    with stray_processes_ended():
        assert not processes.run(python(code), folder=tmp_path, seconds=30).failed
        assert alive(mark)
    assert not alive(mark)


@pytest.fixture
def own_child() -> Iterator[int]:
    child = os.posix_spawn(sys.executable, [sys.executable, "-c", "import time; time.sleep(60)"], ENVIRON)
    yield child
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def test_processes_that_were_there_before_are_left_alone(own_child: int) -> None:
    with stray_processes_ended():
        pass
    os.kill(own_child, 0)
