"""What an upload or API token states about its scope, and whether that covers the projects of a run (pure).

PyPI's tokens are macaroons whose caveats can be read without a key. Every caveat narrows the token further.
"""

from collections.abc import Collection

from ci_publish.model.frozen import frozen


@frozen(kw_only=True)
class TokenScope:
    """What a token states about itself; None if it states nothing. Nothing here is verified.

    ``projects`` are normalised names. ``count`` is the number of projects whose ids the token lists. ``begins`` and
    ``expires`` are in seconds since the epoch, by the index's clock.
    """

    projects: frozenset[str] | None = None
    count: int | None = None
    begins: float | None = None
    expires: float | None = None

    @property
    def is_limited_to_projects(self) -> bool:
        """Whether the token states the projects that it is for, by name or by number."""
        return self.projects is not None or self.count is not None

    def names_project(self, project: str) -> bool:
        """Return whether the token names *project* among those that it is for."""
        return self.projects is not None and project in self.projects


def projects_outside_scope(scope: TokenScope, projects: Collection[str]) -> tuple[str, ...]:
    """Return the *projects* (normalised names) that the token cannot upload to, as far as it names its projects."""
    if scope.projects is None:
        return ()
    return tuple(sorted(project for project in set(projects) if project not in scope.projects))


def scope_has_too_few_projects(scope: TokenScope, projects: Collection[str]) -> bool:
    """Return whether the token is for fewer projects than there are in *projects*."""
    return scope.count is not None and scope.count < len(set(projects))
