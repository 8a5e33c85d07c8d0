"""Which workflow PyPI compares a Trusted Publisher with, where a reusable workflow holds the job: ONE switch (pure).

PyPI compares the identity of an upload with the workflow that is **called** (``job_workflow_ref``), and
attestations with the one that was **started** (``workflow_ref``), so that no Trusted Publisher matches both
(pypi/warehouse#11096). When it compares both with the one that was started (pypi/warehouse#20083), the line below is
all that changes in the program, and in the index that the rehearsal plays. A test tries that, and names the pages and
workflows whose words change with it (``tests/unit/model/test_reusable_workflows.py``).
"""

from typing import Final

COMPARED_CLAIM: Final[str] = "job_workflow_ref"
"""The claim of a GitHub job's identity that PyPI compares with a publisher's workflow: to be ``workflow_ref``."""

CALLED_WORKFLOWS_PUBLISH: Final = COMPARED_CLAIM == "workflow_ref"
"""Whether a job of a reusable workflow can use Trusted Publishing with attestations."""
