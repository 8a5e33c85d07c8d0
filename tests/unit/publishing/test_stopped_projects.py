"""Which projects get no more files."""

from ci_publish.errors import IndexUnavailable, UploadRejected
from ci_publish.model.train import Train
from ci_publish.publishing.stopped_projects import Stopped, StoppedProjects

REQUIRES = {"core": frozenset[str](), "plugin": frozenset({"core"}), "meta": frozenset({"core", "plugin"})}
TRAIN = Train(waves=(("core",), ("plugin",), ("meta",)), requires=REQUIRES)
NO, LOST = UploadRejected("no"), IndexUnavailable("lost")


def test_a_failure_stops_what_requires_the_project() -> None:
    stopped = StoppedProjects(TRAIN)
    assert stopped.reason("meta") is None
    stopped.fail("core", LOST, refused=False)
    stopped.fail("plugin", NO, refused=False)
    assert stopped.reason("core") is None, "its other files may go"
    assert stopped.reason("plugin") == Stopped(("core",), LOST)
    assert stopped.reason("meta") == Stopped(("core", "plugin"), LOST)
    assert stopped.reason("another") is None
    stopped.forget()
    assert stopped.reason("meta") is None


def test_a_refused_project_stops_itself_for_its_first_reason() -> None:
    stopped = StoppedProjects(TRAIN)
    stopped.fail("core", LOST, refused=False)
    stopped.fail("core", NO, refused=True)
    assert stopped.reason("core") == Stopped(("core",), LOST)
