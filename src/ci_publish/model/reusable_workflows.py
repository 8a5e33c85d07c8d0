"""Which workflow PyPI compares with a Trusted Publisher if the job is in a reusable workflow: ONE switch (pure).

PyPI compares the identity of an upload with the workflow that is **called** (``job_workflow_ref``), and
attestations with the one that was **started** (``workflow_ref``), so that no Trusted Publisher matches both
(pypi/warehouse#11096). When it compares both with the one that was started (pypi/warehouse#20083), the line below is
all that changes in the program and in the index of the rehearsal. A test tries that, and lists the pages and
workflows whose text changes with it (``tests/unit/model/test_reusable_workflows.py``).
"""

from typing import Final

COMPARED_CLAIM: Final[str] = "job_workflow_ref"
"""The claim of a GitHub job's identity that PyPI compares with a publisher's workflow; later ``workflow_ref``."""

CALLED_WORKFLOWS_PUBLISH: Final = COMPARED_CLAIM == "workflow_ref"
"""Whether a job of a reusable workflow can use Trusted Publishing with attestations."""
