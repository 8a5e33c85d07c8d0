"""Whose attestations an index serves."""

import pytest

from ci_publish import errors
from ci_publish.identity.doctor_findings import Readiness
from ci_publish.identity.served_publishers import provenance_names_job_publisher
from tests.unit.identity.credential_harness import GITHUB, Harness
from tests.unit.identity.diagnoses import diagnose, request
from tests.unit.identity.job_claims import BUILDKITE
from tests.unit.identity.provenances import attested, provenance, serving


@pytest.mark.parametrize(
    ("content", "readiness"),
    [
        (provenance(), Readiness.READY),
        (provenance(repository="Octo-Org/Demo", environment="Release"), Readiness.READY),
        (provenance(repository="octo-org/other"), Readiness.WORKS),
        (provenance(workflow="other.yml"), Readiness.WORKS),
        (provenance(environment="staging"), Readiness.WORKS),
        (provenance(kind="GitLab"), Readiness.WORKS),
        (b"[]", Readiness.WORKS),
        (b"no JSON", Readiness.WORKS),
        (b'{"attestation_bundles": [7, {"publisher": 7}]}', Readiness.WORKS),
        (None, Readiness.WORKS),
    ],
)
def test_the_newest_provenance_tells_whose_project_it_is(content: bytes | None, readiness: Readiness) -> None:
    wanted = request("demo", mint=True, provenance=serving(content))
    diagnosis, _ = diagnose(Harness(), wanted, fetch_listing=attested)
    assert diagnosis.verdict.readiness is readiness


def test_files_without_provenance_prove_nothing() -> None:
    wanted = request("demo", mint=True, provenance=serving(provenance()))
    assert diagnose(Harness(), wanted)[0].verdict.readiness is Readiness.WORKS


def test_a_job_without_a_publisher_form_is_not_named() -> None:
    assert not provenance_names_job_publisher(provenance(), BUILDKITE)
    assert provenance_names_job_publisher(provenance(), GITHUB)


def test_provenance_that_cannot_be_fetched_proves_nothing() -> None:
    def fails(project: str, version: str, filename: str) -> bytes | None:
        raise errors.IndexUnavailable(f"{project} {version} {filename}")

    diagnosis, _ = diagnose(Harness(), request("demo", mint=True, provenance=fails), fetch_listing=attested)
    assert diagnosis.verdict.readiness is Readiness.WORKS
