"""Whether the credential of a run covers its projects, before anything is signed or sent.

A token states its projects (``model.token_scope``). If it does not, the index shows them: PyPI and TestPyPI create the
project of a pending publisher during the token exchange, so a project that does not exist after it is not covered by
this identity, and its upload would be refused.
"""

from collections.abc import Mapping, Sequence

from ci_publish.errors import ProjectNotCovered
from ci_publish.model.coverage_errors import (
    CREATION_PAUSES,
    absent_project_error,
    is_absent_project_refused,
    project_not_named_error,
    too_few_projects_error,
)
from ci_publish.model.distribution import Distribution
from ci_publish.model.events import Noted, Retrying
from ci_publish.model.identity import CredentialKind
from ci_publish.model.index import IndexProfile, IndexState, NoSuchProject
from ci_publish.model.token_scope import projects_outside_scope, scope_has_too_few_projects
from ci_publish.publishing.context import Destination, Run


class CredentialCoverage:
    """Compares the scope of a credential with the projects of one index's uploads."""

    def __init__(self, run: Run, destination: Destination) -> None:
        self._run = run
        self._index = destination.index
        self._credential = destination.credential
        self._known = False  # a scope can be compared only after the token exchange

    def find_uncovered_projects_once(
        self, uploads: Sequence[Distribution], states: Mapping[str, IndexState], *, already_signed: bool
    ) -> dict[str, ProjectNotCovered]:
        """Return the projects that the credential does not cover, each with its error; empty if nothing is known.

        *already_signed*: attestations of this run are in the public log already. May wait up to 30 s for a project.
        Raises ProjectNotCovered if the credential covers too few projects, but does not name them.
        """
        state = self._credential.state
        projects = tuple(dict.fromkeys(file.project for file in uploads))
        if state.scope is None or self._known or not projects:
            return {}
        self._known = True
        endpoints = self._index.endpoints
        refused = {
            project: project_not_named_error(endpoints, state, project, already_signed=already_signed)
            for project in projects_outside_scope(state.scope, projects)
        }
        if scope_has_too_few_projects(state.scope, projects):
            raise too_few_projects_error(endpoints, state, projects, already_signed=already_signed)
        missing = [
            project for project in projects if project not in refused and isinstance(states.get(project), NoSuchProject)
        ]
        if missing and is_absent_project_refused(endpoints, state):
            refused |= {
                project: absent_project_error(endpoints, state, project, already_signed=already_signed)
                for project in self._wait_for_absent_projects(missing)
            }
        elif missing and state.kind is CredentialKind.TRUSTED_PUBLISHING and endpoints.profile is IndexProfile.GENERIC:
            message = f"{', '.join(missing)} not on {endpoints.name} yet: only the upload shows whether it is created."
            self._run.emit(Noted(slug="project-not-created-yet", message=message, warning=False))
        return refused

    def _wait_for_absent_projects(self, missing: Sequence[str]) -> tuple[str, ...]:
        """Request the listings up to six times within 30 s; if one cannot be read, the upload decides."""
        absent = tuple(missing)
        for attempt, pause in enumerate((*CREATION_PAUSES, 0.0), 1):
            looks = {name: self._index.fetch_listing(name, fresh=True, patience=0.0) for name in absent}
            absent = tuple(name for name, found in looks.items() if isinstance(found, NoSuchProject))
            if not absent or not pause:
                break
            index = self._index.endpoints.name
            what, reason = f"{', '.join(absent)} on {index}", "the index does not have it yet"
            self._run.emit(Retrying(what=what, attempt=attempt, reason=reason, wait=pause, index=index))
            self._run.waiting.wait(pause)
            self._run.raise_if_stopped()
        return absent
