"""The one switch for what the program says about reusable workflows (pypi/warehouse#20083)."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from ci_publish.attestations.attestation_publishers import reusable_workflow_attestation_error
from ci_publish.identity.claims import classify_reusable_workflow
from ci_publish.model.reusable_workflows import CALLED_WORKFLOWS_PUBLISH, COMPARED_CLAIM
from ci_publish.rehearsal.ci_claims import simulated_github_claims

ROOT = Path(__file__).resolve().parents[3]
SAME = "octo-org/demo/.github/workflows/publish.yml@refs/tags/v1.0.0"
ELSEWHERE = "octo-org/workflows/.github/workflows/publish.yml@refs/tags/v1.0.0"

# What people read about reusable workflows where no program can compute it; all of it changes with the switch.
PAGES = {
    ".github/workflows/build.yml",
    ".github/workflows/publish.yml",
    "docs/attestations.md",
    "docs/errors/reusable-workflow.md",
    "docs/errors/unattestable-workflow.md",
    "docs/github.md",
    "docs/trusted-publishing.md",
}
_SPEAKS = re.compile(r"warehouse(/issues/|#)11096|\(trusted-publishing\.md#reusable-workflows\)")

AFTER = f"""
from ci_publish.attestations.attestation_publishers import unattestable_workflow_error
from ci_publish.identity.doctor_findings import reusable_workflow_findings
from ci_publish.identity.local_refusals import local_identity_refusal
from ci_publish.identity.publisher_forms import publisher_form_for
from ci_publish.rehearsal.ci_claims import simulated_github_claims
from ci_publish.rehearsal.registered_publishers import GitHubPublisher
from tests.unit.fakes import PYPI

publisher = GitHubPublisher(repository="octo-org/demo", workflow="release.yml")
for called in ({SAME!r}, {ELSEWHERE!r}):
    claims = {{**simulated_github_claims(reusable_workflow_ref=called), "jti": "1"}}
    assert local_identity_refusal(claims, PYPI, attesting=True) is None
    assert unattestable_workflow_error(claims) is None
    assert publisher_form_for(claims).values["workflow_filename"] == "release.yml"
    assert reusable_workflow_findings(claims, PYPI) == ()
    assert publisher.is_found_by_lookup(claims)
    publisher.require_claims_match(claims)
    assert GitHubPublisher.of_claims(claims).workflow == "release.yml"
print("reusable workflows publish")
"""


def test_the_switch_says_what_pypi_compares_today() -> None:
    assert (COMPARED_CLAIM, CALLED_WORKFLOWS_PUBLISH) == ("job_workflow_ref", False)


def test_a_reusable_workflow_is_no_obstacle_where_it_may_publish() -> None:
    for called in (SAME, ELSEWHERE):
        claims = simulated_github_claims(reusable_workflow_ref=called)
        assert classify_reusable_workflow(claims) is not None
        assert classify_reusable_workflow(claims, may_publish=True) is None
        assert reusable_workflow_attestation_error(claims) is not None
        assert reusable_workflow_attestation_error(claims, may_publish=True) is None


def test_one_line_changes_program_and_rehearsal(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "src" / "ci_publish", tmp_path / "ci_publish", ignore=shutil.ignore_patterns("__pycache__"))
    switch = tmp_path / "ci_publish" / "model" / "reusable_workflows.py"
    before = switch.read_text(encoding="utf-8")
    line = 'COMPARED_CLAIM: Final[str] = "job_workflow_ref"'
    assert before.count(line) == 1
    switch.write_text(before.replace(line, line.replace("job_workflow_ref", "workflow_ref")), encoding="utf-8")
    places = f"import sys; sys.path[:0] = [{str(tmp_path)!r}, {str(ROOT)!r}]\n"

    # Without this process's variables: a measurement of coverage would count the copy.
    environ = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    command = [sys.executable, "-c", places + AFTER]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=environ)

    assert (result.stdout, result.stderr) == ("reusable workflows publish\n", "")


def test_every_page_that_speaks_of_it_is_known() -> None:
    folders = (ROOT / "docs", ROOT / ".github")
    files = [ROOT / "README.md", *(path for folder in folders for path in folder.rglob("*"))]
    speaking = {
        str(path.relative_to(ROOT).as_posix())
        for path in files
        if path.suffix in {".md", ".yml"} and _SPEAKS.search(path.read_text(encoding="utf-8"))
    }

    assert speaking == (set() if CALLED_WORKFLOWS_PUBLISH else PAGES)
