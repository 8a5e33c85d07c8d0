"""The files that a run writes: checked before anything irreversible, and owned by the workspace's owner."""

import contextlib
import errno
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from ci_publish.app.settings import Settings
from ci_publish.errors import ConfigurationError
from ci_publish.hints import Hint, option
from ci_publish.reports.atomic_files import is_device_or_pipe

# Options that name a folder, and options that name a file.
_FOLDERS = ("attestations_dir", "output_dir", "reports_dir")
_FILES = ("receipt", "env_file")
_OUTPUTS = (*_FOLDERS, *_FILES)

# What every command writes; the other folders are written to by the commands that sign.
_OF_EVERY_COMMAND = (*_FILES, "reports_dir")

# What no output file may be called: the names of distributions and of their attestations.
_DISTRIBUTION_NAMES = (".whl", ".tar.gz", ".zip", ".attestation")

# Options that name a file that is read.
_READ = ("config_file", "sigstore_trust_config", "subjects")

# What a run writes into such a folder.
_WRITTEN = ("*.attestation", "*.sigstore.json", "publish.env", "junit.xml", "summary.md")


def require_writable_outputs(settings: Settings, *, signs: bool = True) -> None:
    """Raise ConfigurationError if a file that *settings* ask for could not be written. Leaves nothing behind.

    Folders for attestations count only for a command that *signs*.
    """
    for name, path in _paths_of_options(settings, _OUTPUTS).items():
        if not signs and name not in _OF_EVERY_COMMAND:
            continue
        is_file = name in _FILES
        if is_file and is_device_or_pipe(path):
            continue
        try:
            _probe_writable_output(path, is_file=is_file)
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or str(error)
            message = f"Cannot write to {path} ({name.replace('_', '-')}): {why}."
            raise ConfigurationError(
                message,
                detail="This was checked before anything was signed or uploaded.",
                hints=(
                    Hint("Specify a path that this job may write to: ", option(name, "FILE" if is_file else "DIR")),
                ),
            ) from error


def refuse_inputs_as_output_files(settings: Settings) -> None:
    """Raise ConfigurationError if a file that *settings* ask for would replace a distribution, or a file that is read.

    A file with the name of a distribution is refused whether it is there or not: the next run would publish it.
    """
    read = (*map(Path, settings.paths), Path("pyproject.toml"), *_paths_of_options(settings, _READ).values())
    for name, path in _paths_of_options(settings, _FILES).items():
        named = (path.name, (_resolve_output_path(path) or path).name)
        if any(each.lower().endswith(_DISTRIBUTION_NAMES) for each in named):
            why = "it is the name of a distribution or an attestation"
        elif any(_is_same_path(path, each) for each in read):
            why = "this run reads that file"
        else:
            continue
        message = f"Cannot write to {path} ({name.replace('_', '-')}): {why}."
        raise ConfigurationError(
            message,
            detail="It would be replaced. Nothing was written.",
            hints=(Hint("Specify another file: ", option(name, "FILE")),),
        )


def without_unusable_reports(settings: Settings) -> Settings:
    """Return *settings* without the reports that must not or cannot be written: their error is reported elsewhere."""
    unusable: dict[str, None] = {}
    for name in ("receipt", "reports_dir"):
        others = dict.fromkeys({*_OUTPUTS, "world"} - {name})
        only = settings.model_copy(update=others)
        try:
            refuse_outputs_linked_outside(only)
            require_writable_outputs(only, signs=False)
            refuse_inputs_as_output_files(only)
        except ConfigurationError:
            unusable[name] = None
    return settings.model_copy(update=unusable)


def refuse_outputs_linked_outside(settings: Settings) -> None:
    """Raise ConfigurationError if a path inside the working folder that *settings* write to leads out of it by a link.

    What is checked out may hold any link. A path outside of the working folder is used as it is.
    """
    for name, path in _paths_of_options(settings, (*_OUTPUTS, "world")).items():
        if leads_out_of_working_folder(path):
            message = f"{path} ({name.replace('_', '-')}) is a link to a path outside the working folder."
            raise ConfigurationError(
                message,
                detail=f"It points to {_resolve_output_path(path)}. Nothing was written.",
                hints=("Remove the link, or specify its target.",),
            )


def leads_out_of_working_folder(path: Path) -> bool:
    """Return whether *path* is inside the working folder as it is written, and outside of it as it is resolved."""
    working = Path.cwd()
    written = Path(os.path.abspath(path))  # noqa: PTH100  (links are what must not be resolved here)
    inside = any(_is_same_path(folder, working) for folder in (written, *written.parents))
    resolved = _resolve_output_path(path)
    return inside and (resolved is None or not resolved.is_relative_to(working.resolve()))


def _resolve_output_path(path: Path) -> Path | None:
    """Return the target of *path*, None for circular links."""
    try:
        path.stat()
    except OSError as error:
        if error.errno == errno.ELOOP:  # ``resolve`` does not report it since Python 3.13
            return None
    try:
        return path.resolve()
    except (OSError, RuntimeError):
        return None


def _is_same_path(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


def _paths_of_options(settings: Settings, names: Iterable[str]) -> dict[str, Path]:
    """Return the paths of those of the options that are set."""
    return {name: path for name in names if (path := getattr(settings, name)) is not None}


def _probe_writable_output(path: Path, *, is_file: bool) -> None:
    """Make something in the folder, or in the nearest folder above it that exists, and remove it. Raises OSError.

    The folder is *path*, or the one of the file *path*.
    """
    import tempfile  # noqa: PLC0415  (late: not for every command)

    folder = path.parent if is_file else path
    with contextlib.suppress(FileNotFoundError):
        folder.lstat()  # names that no file can have are refused here
    nearest = folder.absolute()
    while not os.path.lexists(nearest) and nearest != nearest.parent:
        nearest = nearest.parent
    with tempfile.TemporaryDirectory(prefix=".ci-publish-", dir=nearest):
        pass
    if is_file and path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))


def give_outputs_to_workspace_owner(
    settings: Settings,
    environ: Mapping[str, str],
    *,
    is_root: bool | None = None,
    chown: Callable[[Path, int, int], None] | None = None,
) -> None:
    """Make the owner of GITHUB_WORKSPACE the owner of what a run wrote below it, where root is not the owner.

    A container action runs as root, and a self-hosted runner's next job cannot remove root's files. What cannot be
    given away stays as it is.
    """
    workspace = environ.get("GITHUB_WORKSPACE")
    if sys.platform == "win32" or not workspace or not (os.geteuid() == 0 if is_root is None else is_root):
        return
    give = chown or (lambda path, user, group: os.chown(path, user, group, follow_symlinks=False))
    root = Path(workspace).resolve()
    for path in _written_output_paths(settings, root):
        try:
            owner = root.stat()
            if path.lstat().st_uid == os.geteuid():
                give(path, owner.st_uid, owner.st_gid)
        except OSError:  # without the capability, or on a file system without owners
            continue


def _written_output_paths(settings: Settings, root: Path) -> Iterator[Path]:
    """Yield what a run with *settings* may have made below *root*: files, and the folders that lead to them."""
    for name, path in _paths_of_options(settings, _OUTPUTS).items():
        inside = (path.parent if name in _FILES else path).resolve()
        if not inside.is_relative_to(root):
            continue
        yield from (each for each in (inside, *inside.parents) if each != root and each.is_relative_to(root))
        if name in _FILES:
            yield inside / path.name
        else:
            yield from (each for pattern in _WRITTEN for each in inside.glob(pattern))
