"""One command from its settings to its exit code."""

import io
import signal
from pathlib import Path

import pytest

from ci_publish.app.settings import Settings
from ci_publish.app.settings_sources import Loaded
from ci_publish.cli.command_invocation import invoke_command
from ci_publish.cli.main import main
from ci_publish.cli.streams import Streams
from tests.distributions import make_release
from tests.unit.cli.in_process_shell import Shell


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.chdir(tmp_path)
    return Shell(tmp_path)


def test_a_bug_is_an_exit_code_and_a_message(shell: Shell) -> None:
    class Broken(io.StringIO):
        def readline(self, *_: object) -> str:  # type: ignore[override]
            raise ZeroDivisionError("of all things")

    streams = Streams(Broken(), shell.out, shell.err)
    assert main(["settings", "--password-stdin"], shell.environ, streams) == 1
    assert "ZeroDivisionError" in shell.out.getvalue()
    assert "exit code 1" in shell.out.getvalue()


def test_a_reader_who_has_read_enough_is_no_bug(shell: Shell) -> None:
    class Closed(io.StringIO):
        def write(self, _: str) -> int:
            raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        main(["settings"], shell.environ, Streams(io.StringIO(), Closed(), shell.err))


def test_signal_handlers_are_put_back(shell: Shell) -> None:
    before = signal.getsignal(signal.SIGTERM)
    make_release(shell.folder / "dist")
    shell("check")
    assert signal.getsignal(signal.SIGTERM) is before


def test_invoke_takes_what_was_loaded(shell: Shell) -> None:
    make_release(shell.folder / "dist")
    loaded = Loaded(settings=Settings(), origins={})
    streams = Streams(io.StringIO(), shell.out, shell.err)
    assert invoke_command(command="check", loaded=loaded, environ={}, streams=streams) == 0
