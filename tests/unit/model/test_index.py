"""A plan for one index."""

from ci_publish.model.index import AlreadyPublished, Conflict, Plan, Upload
from tests.unit.fakes import published, sdist, sha, wheel


def test_a_plan_knows_its_uploads_and_conflicts_in_order() -> None:
    first, second, there, taken = wheel(tag="py2"), wheel(), sdist(), wheel(version="2.0")
    conflict = Conflict(taken, published(taken, sha256=sha("other")))
    plan = Plan("pypi", (Upload(first), AlreadyPublished(there, published(there)), conflict, Upload(second)))
    assert plan.uploads == (first, second)
    assert plan.conflicts == (conflict,)
