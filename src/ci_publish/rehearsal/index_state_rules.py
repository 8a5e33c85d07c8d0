"""PyPI's rules about an upload that depend on what the index has: projects, names, sizes, duplicates, releases.

Source: `warehouse/forklift/legacy.py` and `warehouse/packaging/services.py` at 6b62157124ab.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from packaging.utils import canonicalize_name

from ci_publish.model.stdlib_names import STDLIB_NAMES
from ci_publish.rehearsal.index_records import RehearsalState, StoredProject
from ci_publish.rehearsal.message_responses import HELP, RefusedError

_MIB: Final = 1024 * 1024
_GIB: Final = 1024 * _MIB
_DAY_SECONDS: Final = 24 * 60 * 60
_MAXIMUM_AGE_DAYS: Final = 14
_LIMITS: Final = "https://docs.pypi.org/project-management/storage-limits"
_LOOKALIKES: Final = str.maketrans({"i": "1", "l": "1", "o": "0", ".": None, "_": None, "-": None})


@dataclass(slots=True, kw_only=True)
class UploadRules:
    """The settings of an index's rules; they may be changed while it serves.

    Sizes are in bytes and None means no limit, because a project's limit on PyPI is not known.
    `new_projects_of_user` and `new_projects_of_address` are how many projects may be created with API tokens within
    `new_projects_window` seconds (PyPI in 2026: 4 in 24 hours for a user). `racy` responds with 500 where
    PyPI does: when two uploads make the same project or release at the same time. `flags` are Warehouse's admin flags:
    `read-only`, `disallow-new-upload`, `disallow-new-project-registration`, `disallow-oidc`, `disallow-github-oidc`
    (-gitlab-, -google-), `disable-pep740`. `anonymous` is the authorization that a request without one has.
    `any_user`: an API token is taken as the password of any user, as other indexes take user names; PyPI rejects them.
    """

    file_size_limit: int | None = None
    project_size_limit: int | None = None
    new_projects_of_user: int | None = None
    new_projects_of_address: int | None = None
    new_projects_window: float = 24 * 60 * 60
    prohibited_names: frozenset[str] = frozenset()
    racy: bool = False
    flags: set[str] = field(default_factory=set)
    anonymous: str | None = field(default=None, repr=False)
    any_user: bool = False


def require_uploads_enabled(rules: UploadRules) -> None:
    """Refuse everything while uploads are disabled."""
    if "read-only" in rules.flags:
        raise RefusedError(403, "Read-only mode: Uploads are temporarily disabled.")
    if "disallow-new-upload" in rules.flags:
        raise RefusedError(
            403, f"New uploads are temporarily disabled. See {HELP}#admin-intervention for more information."
        )


class NewProjectLimits:
    """The limits on projects that are created with API tokens: a moving window for the user and for the address.

    Source: `warehouse/packaging/services.py` (`_check_ratelimits`), `warehouse/rate_limiting/headers.py`. The
    rehearsal has one user, who comes from one address. Not thread-safe: the storage's lock is held.
    """

    def __init__(self, rules: UploadRules, clock: Callable[[], float]) -> None:
        self._rules = rules
        self._clock = clock
        self._created: list[float] = []

    def rate_limit_headers(self) -> dict[str, str]:
        """Return RateLimit and RateLimit-Policy as they are before this request; none if there is no limit."""
        recent = self._recent_creation_times()
        window = int(self._rules.new_projects_window)
        reset = int(min(recent) + window - self._clock()) if recent else window
        limits = self._new_project_limits()
        if not limits:
            return {}
        states = (f'"{name}";r={max(limit - len(recent), 0)};t={reset}' for name, _, limit in limits)
        policies = (f'"{name}";q={limit};w={window};pk=:{key}:' for name, key, limit in limits)
        return {"RateLimit": ", ".join(states), "RateLimit-Policy": ", ".join(policies)}

    def require_within_rate_limits(self) -> None:
        """Refuse one project more than the limits allow."""
        if any(len(self._recent_creation_times()) >= limit for _, _, limit in self._new_project_limits()):
            raise RefusedError(429, "Too many new projects created", self.rate_limit_headers())

    def count_new_project(self) -> None:
        """Count a project that was created just now."""
        self._created.append(self._clock())

    def _recent_creation_times(self) -> list[float]:
        since = self._clock() - self._rules.new_projects_window
        return [moment for moment in self._created if moment > since]

    def _new_project_limits(self) -> list[tuple[str, str, int]]:
        """Return the name, the key and the number of each limit that there is."""
        limits = (
            ("project.create.ip", "ip", self._rules.new_projects_of_address),
            ("project.create.user", "user", self._rules.new_projects_of_user),
        )
        return [(name, key, limit) for name, key, limit in limits if limit is not None]


def require_new_project_allowed(rules: UploadRules, state: RehearsalState, name: str) -> None:
    """Refuse to register a project of this name."""
    if "disallow-new-project-registration" in rules.flags:
        raise RefusedError(
            403,
            f"New project registration temporarily disabled. See {HELP}#admin-intervention for more information.",
        )
    normalized, see = canonicalize_name(name), f"See {HELP}#project-name for more information."
    if normalized in STDLIB_NAMES:
        raise RefusedError(
            400, f"The name {name!r} isn't allowed (conflict with Python Standard Library module name). {see}"
        )
    if normalized in rules.prohibited_names:
        raise RefusedError(400, f"The name {name!r} isn't allowed. {see}")
    if _confusable_project_name(name) in {
        _confusable_project_name(project.name) for project in state.projects.values()
    }:
        raise RefusedError(400, f"The name {name!r} is too similar to an existing project. {see}")


def _confusable_project_name(name: str) -> str:
    """Return a name as PyPI compares it with others: without separators; l, i, 1 are one, and so are o, 0."""
    return name.lower().translate(_LOOKALIKES)


def require_file_size_allowed(rules: UploadRules, project: StoredProject | None, name: str, size: int) -> None:
    """Refuse a file that is larger than its project may have (after all of it was read, as PyPI does)."""
    if rules.file_size_limit is not None and size > rules.file_size_limit:
        raise RefusedError(
            400,
            f"File too large. Limit for project {name!r} is {rules.file_size_limit // _MIB} MB. "
            f"See {_LIMITS}#requesting-a-file-size-limit-increase for more information.",
        )
    if (
        rules.project_size_limit is not None
        and size + (project.total_file_size if project else 0) > rules.project_size_limit
    ):
        raise RefusedError(
            400,
            f"Project size too large. Limit for project {name!r} total size is {rules.project_size_limit // _GIB} GB. "
            f"See {_LIMITS}#requesting-a-project-size-limit-increase",
        )


def is_file_already_stored(state: RehearsalState, filename: str, blake2_256: str) -> bool:
    """Return whether this very file is there already.

    Raises RefusedError for its name with other bytes, and for its bytes under another name, in any project.
    """
    same = [file for file in state.files.values() if file.filename == filename or file.blake2_256 == blake2_256]
    if all(file.filename == filename and file.blake2_256 == blake2_256 for file in same):
        return bool(same)
    raise RefusedError(
        400,
        f"File already exists ({filename!r}, with blake2_256 hash {blake2_256!r}). "
        f"See {HELP}#file-name-reuse for more information.",
    )


def require_filename_never_deleted(state: RehearsalState, filename: str) -> None:
    """Refuse the name of a file that was deleted."""
    if filename in state.deleted:
        raise RefusedError(
            400,
            "This filename was previously used by a file that has since been deleted. Use a different version. "
            f"See {HELP}#file-name-reuse for more information.",
        )


def require_release_takes_file(project: StoredProject | None, version: str, filetype: str, now: float) -> None:
    """Refuse a file for a release that is too old for new files, and a second sdist."""
    release = project.find_release(version) if project else None
    if project is None or release is None:
        return
    if release.created < now - _MAXIMUM_AGE_DAYS * _DAY_SECONDS:
        raise RefusedError(400, f"Uploading new files to releases older than {_MAXIMUM_AGE_DAYS} days is not allowed.")
    others = [file for file in project.files.values() if file.version == release.version]
    if filetype == "sdist" and any(file.packagetype == "sdist" for file in others):
        raise RefusedError(400, "Only one sdist may be uploaded per release.")
