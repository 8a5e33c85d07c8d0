"""What is said about the order of projects."""

from ci_publish.errors import UploadRejected
from ci_publish.model.train import Train, Unknown, Unsatisfied
from ci_publish.publishing.train_messages import (
    project_stopped_error,
    sibling_requirement_notes,
    too_many_new_projects_error,
    unconfirmed_requirements_warning,
)
from tests.unit.fakes import GENERIC


def test_what_is_odd_about_the_requirements_is_named() -> None:
    train = Train(
        requires={},
        cycles=(("a", "b"),),
        unsatisfied=(Unsatisfied(project="app", requirement="core>=2", sibling="core", versions=("1.0", "1.1")),),
        unknown=(Unknown("a.tar.gz"), Unknown("b.tar.gz", ("core", "tools"))),
    )
    notes = {note.slug: note for note in sibling_requirement_notes(train)}
    assert notes["requirement-cycle"].message.startswith("a, b require each other")
    assert notes["unsatisfied-requirement"].message == "app requires core>=2, but this run has core 1.0, 1.1."
    assert notes["requirements-unknown"].message.endswith("building it requires core, tools.")
    assert [note.warning for note in sibling_requirement_notes(train)] == [True, True, False, False]
    assert list(sibling_requirement_notes(Train(requires={}))) == []


def test_what_counts_without_a_listing_is_said() -> None:
    message = unconfirmed_requirements_warning(GENERIC, ["app", "cli"], ["core"]).message
    assert message == (
        "app, cli will be uploaded, although the file list of index.example does not show the required core:"
        " index.example accepted these uploads."
    )


def test_a_stopped_project_names_the_cause() -> None:
    cause = UploadRejected("too large", hints=("smaller",))
    own = project_stopped_error("core", ("core",), cause)
    assert (type(own), own.summary, own.hints) == (
        UploadRejected,
        "No more files of core were uploaded: too large",
        ("smaller",),
    )
    other = project_stopped_error("app", ("core", "cli"), cause)
    assert other.summary == "app was not uploaded: it requires core, cli, which could not be published."
    assert other.detail == "too large"


def test_a_limit_of_no_new_projects_promises_nothing_of_a_rerun() -> None:
    error = too_many_new_projects_error(0)
    assert "in this run or a later one" in error.summary
    assert error.hints == ("To create projects, raise the limit and run it again: new-projects: NUMBER",)
    assert "Run it again" in too_many_new_projects_error(1).hints[0]
