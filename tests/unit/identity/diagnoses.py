"""Diagnoses of jobs over fakes, and the exit codes that publishing would end with."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from ci_publish import errors
from ci_publish.identity.credential_choice import CredentialOptions
from ci_publish.identity.diagnosis import Diagnosis, DiagnosisRequest
from ci_publish.identity.doctor import Doctor
from ci_publish.identity.doctor_findings import Level
from ci_publish.model.distribution import Distribution
from ci_publish.model.identity import CredentialKind
from ci_publish.model.index import (
    IndexState,
    ListingUnavailable,
    Plan,
    ProjectListing,
    Upload,
)
from tests.unit.identity.credential_harness import PYPI, Harness
from tests.unit.identity.test_doctor_findings import WHEEL


def nothing_published(project: str, *, fresh: bool = False) -> IndexState:
    del fresh
    return ProjectListing(project=project)


def conflict_error(_conflicts: object) -> errors.ContentConflict:
    return errors.ContentConflict("other content")


def request(*projects: str, **options: object) -> DiagnosisRequest:
    """Return what a diagnosis of a wheel of each project is about, where *options* say nothing else."""
    usual: dict[str, Any] = {
        "distributions": [replace(WHEEL, project=project) for project in projects],
        "attesting": lambda kind: kind is CredentialKind.TRUSTED_PUBLISHING,
        "mint": False,
        "spend_token": False,
        "create_project": False,
        "provenance": lambda *_: None,
        "plan": plan_all_uploads,
        "checks": None,
        "inspect": lambda *_: None,
        "conflict": conflict_error,
    }
    return DiagnosisRequest(**(usual | options))


def plan_all_uploads(distributions: Sequence[Distribution], state: IndexState) -> Plan:
    del state
    return Plan("", tuple(Upload(file) for file in distributions))


NOTHING = request()


def diagnose(
    world: Harness,
    wanted: DiagnosisRequest = NOTHING,
    given: CredentialOptions = CredentialOptions(),  # noqa: B008  (frozen)
    fetch_listing: Callable[..., IndexState] = nothing_published,
) -> tuple[Diagnosis, dict[str, Level]]:
    diagnosis = Doctor(
        endpoints=PYPI, credential_options=given, tools=world.tools(), fetch_listing=fetch_listing, request=wanted
    ).run_diagnosis()
    return diagnosis, {finding.name: finding.level for finding in diagnosis.findings}


NO_TOKEN = errors.NoIdTokenPermission("the job may not ask")


NO_SIGSTORE = errors.GitLabIdTokenMissing("no token for sigstore")


BAD_FILE = errors.InvalidDistribution("a file is bad")


UNREACHABLE = ListingUnavailable("demo", "no answer")


def refuse(kind: CredentialKind) -> bool:
    raise errors.ConfigurationError(f"no attestations with {kind}")


NOTHING_GIVEN = CredentialOptions()


def codes(
    world: Harness, wanted: DiagnosisRequest, given: CredentialOptions = NOTHING_GIVEN, state: IndexState | None = None
) -> int:
    fetch_listing = nothing_published if state is None else lambda _: state
    diagnosis, _ = diagnose(world, wanted, given, fetch_listing)
    return diagnosis.error.exit_code if diagnosis.error else 0
