"""What a signer does before and beside signing."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections import deque
from typing import TYPE_CHECKING

import pytest
from sigstore.models import ClientTrustConfig

from ci_publish.attestations.signing_run import SigningContext
from ci_publish.attestations.sigstore_signer import SigstoreSigner
from ci_publish.attestations.sigstore_trouble import (
    Transient,
)
from ci_publish.attestations.sigstore_trust import TrustSource
from ci_publish.errors import (
    BuildUnprovable,
    ConfigurationError,
    IdentityUnavailable,
    SigstoreUnavailable,
    UnattestableWorkflow,
)
from ci_publish.model.attestation import PUBLISH_V1, SLSA_PROVENANCE_V1, SigningResult
from ci_publish.model.events import Noted
from ci_publish.rehearsal.ci_claims import (
    simulated_buildkite_claims,
    simulated_github_claims,
    simulated_gitlab_claims,
)
from tests.unit.attestations.scripted_authority import Bench, no_trust, only_error
from tests.unit.attestations.signing_harness import SigningHarness, quick, wheels

if TYPE_CHECKING:
    from sigstore.models import ClientTrustConfig


def test_nothing_to_sign_asks_nobody(bench: Bench) -> None:
    assert bench.sign(0) == SigningResult()
    assert bench.job.asked == 0


def test_no_identity_is_raised_before_anything_else(bench: Bench) -> None:
    bench.job.errors = {1: IdentityUnavailable("no")}

    with pytest.raises(IdentityUnavailable):
        bench.sign(3)

    assert bench.authority.tokens == []


def test_a_bad_trust_configuration_is_raised(bench: Bench) -> None:
    bench.authority.certifying = deque([ConfigurationError("bad")])

    with pytest.raises(ConfigurationError):
        bench.sign(3)


def test_a_reusable_workflow_signs_nothing(bench: Bench) -> None:
    called = "octo-org/demo/.github/workflows/publish.yml@refs/heads/main"
    bench.job.claims = simulated_github_claims(reusable_workflow_ref=called)

    result = bench.sign(3)

    assert isinstance(only_error(result), UnattestableWorkflow)
    assert len(result.failures) == 3
    assert bench.authority.tokens == []


def test_what_becomes_public_is_noted_once_before_signing(bench: Bench) -> None:
    bench.job.claims = simulated_github_claims(repository_visibility="private")

    bench.sign(3)

    first = bench.events[0]
    assert isinstance(first, Noted)
    assert (first.slug, first.warning) == ("private-project", True)
    assert "octo-org/demo" in first.message
    assert bench.events.notes == ["private-project"]


def test_an_identity_without_publishers_on_pypi_is_noted(bench: Bench) -> None:
    bench.job.claims = simulated_buildkite_claims()

    assert len(bench.sign(1).attestations) == 1
    assert bench.events.notes == ["publisher-unknown"]


def test_a_run_that_is_stopped_while_the_trust_root_is_fetched_does_not_wait_for_it(bench: Bench) -> None:
    fetched = threading.Event()

    def refresh() -> ClientTrustConfig:
        fetched.wait(10)
        return no_trust()

    bench.refresh = refresh
    threading.Timer(0.1, bench.waiting.stop).start()
    began = time.monotonic()

    error = only_error(bench.sign(3))

    assert time.monotonic() - began < 2.0
    assert "stopped" in error.summary
    assert bench.authority.tokens == []
    fetched.set()


def test_signing_takes_half_of_the_time_that_is_left_at_most(bench: Bench) -> None:
    bench.waiting.remaining = 1.0
    bench.authority.certifying.extend(Transient("503") for _ in range(500))
    started = time.monotonic()
    error = only_error(bench.sign(3, quick(budget=60.0)))
    assert isinstance(error, SigstoreUnavailable)
    assert "within 0.5 s: 503" in error.summary
    assert any("signing-timeout: SECONDS" in hint for hint in error.hints)
    assert time.monotonic() - started < 5


def test_found_files_are_inspected_without_an_identity(bench: Bench) -> None:
    signer = SigstoreSigner(
        identity=bench.job,
        trust=TrustSource(emit=bench.events.append, refreshed=no_trust, embedded=no_trust),
        context=SigningContext(emit=bench.events.append, waiting=bench.waiting),
    )
    signer.inspect([], wheels(1))
    assert bench.job.asked == 0


def test_a_provider_that_pypi_does_not_know_is_signed_for_with_a_note(world: SigningHarness) -> None:
    result = world.signer(world.identity(simulated_buildkite_claims())).sign(wheels(1))

    assert len(result.attestations) == 1
    assert world.events.notes == ["publisher-unknown"]


def test_importing_the_room_imports_no_sigstore() -> None:
    script = (
        "import sys, importlib\n"
        "for name in ('sigstore_signer', 'provenance_verification', 'sigstore_trust', 'adoption',"
        " 'attestation_files', 'attestation_publishers'):\n"
        "    importlib.import_module(f'ci_publish.attestations.{name}')\n"
        "heavy = {'sigstore', 'pypi_attestations', 'requests', 'urllib3', 'tuf', 'cryptography', 'pydantic'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )

    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)

    assert result.stdout == "[]\n"


def test_an_identity_without_the_claims_of_a_build_signs_no_build_provenance(bench: Bench) -> None:
    bench.job.claims = {**simulated_github_claims(), "run_attempt": ""}

    result = bench.sign(2, predicate_types=(PUBLISH_V1, SLSA_PROVENANCE_V1))

    error = only_error(result)
    assert isinstance(error, BuildUnprovable)
    assert "run_attempt" in error.detail
    assert bench.authority.tokens == []


@pytest.mark.parametrize(
    ("predicate_types", "refused"),
    [((SLSA_PROVENANCE_V1,), False), ((PUBLISH_V1,), True), ((PUBLISH_V1, SLSA_PROVENANCE_V1), True)],
)
def test_a_reusable_workflow_signs_build_provenance_only(
    bench: Bench, predicate_types: tuple[str, ...], *, refused: bool
) -> None:
    bench.job.claims = simulated_github_claims(reusable_workflow_ref="octo-org/demo/.github/workflows/build.yml@main")

    assert bool(bench.sign(1, predicate_types=predicate_types).failures) is refused


def test_a_pipeline_that_is_defined_elsewhere_signs_nothing(bench: Bench) -> None:
    bench.job.claims = {**simulated_gitlab_claims(), "ci_config_ref_uri": "gitlab.com/group/ci//x.yml@refs/tags/v1"}

    assert isinstance(only_error(bench.sign(1, predicate_types=(SLSA_PROVENANCE_V1,))), UnattestableWorkflow)
