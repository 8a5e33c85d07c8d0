"""The streams of the process."""

from typing import TextIO

from ci_publish.model.frozen import frozen


@frozen
class Streams:
    """Where a run reads a password from, and where it writes."""

    stdin: TextIO
    stdout: TextIO
    stderr: TextIO
