"""gzip streams in memory."""

import io

from ci_publish.distributions.gzip_stream import GzipStream


def stream(data: bytes, budget: int = 1 << 30) -> GzipStream:
    return GzipStream(io.BytesIO(data), budget)
