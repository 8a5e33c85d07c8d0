"""Which projects get no more files."""

from ci_publish.errors import IndexUnavailable, PublishingDeferred, UploadRejected
from ci_publish.model.train import Train
from ci_publish.publishing.stopped_projects import Stopped, StoppedProjects

REQUIRES = {"core": frozenset[str](), "plugin": frozenset({"core"}), "meta": frozenset({"core", "plugin"})}
TRAIN = Train(waves=(("core",), ("plugin",), ("meta",)), requires=REQUIRES)
NO, LOST, LATER = UploadRejected("no"), IndexUnavailable("lost"), PublishingDeferred("later")


def test_a_failure_stops_what_requires_the_project() -> None:
    stopped = StoppedProjects(TRAIN)
    assert stopped.why_project_stopped("meta") is None
    stopped.stop("core", LOST, whole=False)
    stopped.stop("plugin", LOST, whole=False)
    assert stopped.why_project_stopped("core") is None, "its other files may go"
    assert stopped.why_project_stopped("plugin") == Stopped(("core",), LOST)
    assert stopped.why_project_stopped("meta") == Stopped(("core", "plugin"), LOST)
    assert stopped.why_project_stopped("another") is None
    stopped.forget_failures()
    assert stopped.why_project_stopped("meta") is None


def test_a_refused_project_stops_itself_for_its_first_reason() -> None:
    stopped = StoppedProjects(TRAIN)
    stopped.stop("core", LOST, whole=False)
    stopped.stop("core", NO, whole=True)
    assert stopped.why_project_stopped("core") == Stopped(("core",), LOST)


def test_a_failure_counts_before_a_deferral_which_is_never_forgotten() -> None:
    stopped = StoppedProjects(TRAIN)
    stopped.stop("plugin", LATER, whole=True)
    assert stopped.why_project_stopped("plugin") == Stopped(("plugin",), LATER)
    assert stopped.why_project_stopped("meta") == Stopped(("plugin",), LATER)
    stopped.stop("core", NO, whole=False)
    assert stopped.why_project_stopped("plugin") == Stopped(("core",), NO)
    assert stopped.why_project_stopped("meta") == Stopped(("core",), NO)
    stopped.forget_failures()
    assert stopped.why_project_stopped("meta") == Stopped(("plugin",), LATER)
