"""The command line in this process, with streams and an environment of its own."""

import io
from pathlib import Path

from ci_publish.cli.main import main
from ci_publish.cli.streams import Streams


class Shell:
    """Runs ``main`` in a folder, without touching the process's own environment."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ: dict[str, str] = {"HOME": str(folder)}
        self.stdin = ""
        self.out = io.StringIO()
        self.err = io.StringIO()

    def __call__(self, *arguments: str, **environ: str) -> int:
        self.out, self.err = io.StringIO(), io.StringIO()
        streams = Streams(io.StringIO(self.stdin), self.out, self.err)
        return main(arguments, {**self.environ, **environ}, streams)
