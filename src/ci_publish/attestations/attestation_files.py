"""Writes attestations as files, ``<distribution>.<type>.attestation``, which can be uploaded later."""

import os
import tempfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from ci_publish.errors import ConfigurationError
from ci_publish.hints import Hint, option
from ci_publish.model.attestation import FILE_TYPES, PUBLISH_V1, SLSA_PROVENANCE_V1, Attestation

_MODE = 0o644


def attestation_filename(attestation: Attestation) -> str:
    """Return the name of the file for *attestation* (the convention of pypi-attestations, uv and twine)."""
    return f"{attestation.filename}.{FILE_TYPES[attestation.predicate_type]}.attestation"


def write_attestations(
    directory: Path,
    attestations: Iterable[Attestation],
    *,
    bundles: bool = False,
    link: Callable[[Path, Path], None] = os.link,
) -> tuple[Path, ...]:
    """Write each attestation into *directory*, which is created if it does not exist.

    With *bundles*, build provenance is also written as a Sigstore bundle: ``<distribution>.sigstore.json``.

    Each file appears complete or not at all, and is readable by later steps, which may run as another user (its content
    is public). An existing file with other content is never replaced. *link* makes a hard link; it may fail with
    OSError where there are none. Raises ConfigurationError.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        written: list[Path] = []
        for attestation in attestations:
            files = {attestation_filename(attestation): attestation.json}
            if bundles and attestation.predicate_type == SLSA_PROVENANCE_V1:
                from ci_publish.attestations.examiner import sigstore_bundle_json  # noqa: PLC0415  (imported already: it signed)

                files[f"{attestation.filename}.sigstore.json"] = sigstore_bundle_json(attestation)
            written += [_write_attestation_file(directory / name, text, link) for name, text in files.items()]
        return tuple(written)
    except OSError as error:
        raise ConfigurationError(
            f"Cannot write the attestations to {directory}.",
            detail=f"{error.strerror or error}. The files are signed, and nothing was uploaded.",
            hints=(
                Hint("Specify a folder that this job may write to: ", option("attestations_dir", "DIR")),
                Hint("Specify a folder that this job may write to: ", option("output_dir", "DIR")),
            ),
        ) from error


def require_no_attestation_files(
    directory: Path, filenames: Iterable[str], predicate_types: Iterable[str] = (PUBLISH_V1,)
) -> None:
    """Raise ConfigurationError if *directory* has such an attestation of one of the distributions *filenames* already.

    Asked before these are signed: their new attestations could not be written.
    """
    types = [FILE_TYPES[predicate_type] for predicate_type in predicate_types]
    for path in (directory / f"{filename}.{each}.attestation" for filename in filenames for each in types):
        if os.path.lexists(path):
            raise _attestation_exists_error(path)


def _write_attestation_file(path: Path, text: str, link: Callable[[Path, Path], None]) -> Path:
    """Write a temporary file and rename it, unless the final name exists already."""
    content = text.encode()
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        Path(name).chmod(_MODE)
        try:
            link(Path(name), path)
        except FileExistsError:
            _require_same_attestation(path, content)
        except OSError:  # a file system without hard links
            if os.path.lexists(path):
                _require_same_attestation(path, content)
            else:
                Path(name).rename(path)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(name)  # noqa: PTH108  (the temporary name may have been moved away)
    return path


def _require_same_attestation(path: Path, content: bytes) -> None:
    if path.is_symlink() or path.read_bytes() != content:
        raise _attestation_exists_error(path)


def _attestation_exists_error(path: Path) -> ConfigurationError:
    return ConfigurationError(
        f"{path} already exists and is a different attestation.",
        hints=("Attestations are never replaced: specify an empty folder, or delete the file.",),
    )
