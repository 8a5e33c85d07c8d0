"""Projects that require each other, in memory."""

from dataclasses import replace

from ci_publish.model.distribution import CoreMetadata, Distribution
from tests.unit.fakes import wheel


def project(name: str, *requires: str, tag: str = "py3", size: int = 10) -> Distribution:
    fields = tuple(("requires-dist", line) for line in requires)
    metadata = CoreMetadata(metadata_version="2.1", name=name, version="1.0", fields=fields)
    return replace(wheel(name, tag=tag, size=size), metadata=metadata)
