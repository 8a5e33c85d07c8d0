"""``PROJECT==VERSION`` as an argument of ``verify``: a release of which there are no local files."""

from pathlib import Path

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from ci_publish.errors import ConfigurationError
from ci_publish.model.distribution import CoreMetadata, Digests, Distribution, Kind, Stamp
from ci_publish.model.filename import DistributionFilename
from ci_publish.model.index import PublishedFile


def parse_release_argument(text: str) -> tuple[str, str]:
    """Return the normalised project and version of ``PROJECT==VERSION``. Raises ConfigurationError."""
    name, _, version = text.partition("==")
    try:
        return canonicalize_name(name.strip(), validate=True), str(Version(version.strip()))
    except (InvalidVersion, ValueError) as error:
        message = f"{text} is not a PROJECT==VERSION: {error}"
        raise ConfigurationError(
            message, hints=("Write, for example: ci-publish verify sampleproject==4.0.0",)
        ) from error


def listed_file_as_distribution(file: PublishedFile, project: str, version: str) -> Distribution | None:
    """Describe a listed file of the release *project* *version*; None for a file of another, or one without digest."""
    found = DistributionFilename.parse_or_none(file.filename)
    if found is None or found.project != project or str(found.version) != version or file.sha256 is None:
        return None
    size = file.size or 0
    return Distribution(
        path=Path(file.filename),
        filename=file.filename,
        kind=found.kind,
        project=project,
        version=version,
        python_tag="" if found.kind is Kind.WHEEL else "source",
        size=size,
        digests=Digests(file.sha256),
        metadata=CoreMetadata(metadata_version="", name=project, version=version),
        stamp=Stamp(device=0, inode=0, size=size, mtime_ns=0),
    )
