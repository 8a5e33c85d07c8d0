"""The streams of the process."""

from typing import TextIO

from ci_publish.model.frozen import frozen


@frozen
class Streams:
    """The streams from which a run reads a password, and to which it writes."""

    stdin: TextIO
    stdout: TextIO
    stderr: TextIO
