from functools import reduce

from ci_publish.rehearsal.index_records import (
    QUARANTINED,
    FileAdded,
    FileDeleted,
    ProjectCreated,
    RehearsalState,
    ReleaseCreated,
    ReleaseDated,
    ReleaseYanked,
    StatusSet,
    StoredFile,
    StoredProject,
    state_after_event,
)


def file(version: str) -> StoredFile:
    return StoredFile(
        filename=f"demo-{version}.tar.gz",
        project="demo",
        version=version,
        packagetype="sdist",
        python_version="source",
        size=3,
        md5="m",
        sha256="s",
        blake2_256="b" * 64,
        uploaded=5.0,
    )


EVENTS = (
    ProjectCreated("Demo", 1.0),
    ReleaseCreated(project="demo", version="1.0", time=2.0, fields=(("summary", ""), ("summary", "A demo."))),
    FileAdded("DEMO", file("1.0")),
    ReleaseCreated(project="demo", version="2.0rc1", time=3.0, fields=()),
    FileAdded("demo", file("2.0rc1")),
)


def state(*events: object) -> RehearsalState:
    return reduce(state_after_event, (*EVENTS, *events), RehearsalState())  # type: ignore[arg-type]


def project(*events: object) -> StoredProject:
    found = state(*events).project("DEMO")
    assert found is not None
    return found


def test_events_make_the_state() -> None:
    demo = project()
    assert (demo.name, demo.normalized, demo.serial, demo.total_file_size) == ("demo", "demo", 5, 6)
    assert [each.version for each in demo.ordered_releases] == ["2.0rc1", "1.0"]
    assert [each.filename for each in demo.visible_files] == ["demo-1.0.tar.gz", "demo-2.0rc1.tar.gz"]
    assert [each.version for each in demo.files_of_release("1")] == ["1.0"]
    assert demo.visible_files[0].path == f"bb/bb/{'b' * 60}/demo-1.0.tar.gz"


def test_empty_values_of_a_form_are_passed_over() -> None:
    release = project().find_release("1.0.0")
    assert release is not None
    assert release.first_form_value("summary") == "A demo."
    assert release.first_form_value("license") is None


def test_the_latest_release_is_final_and_not_yanked() -> None:
    latest = project().latest_release
    assert latest is not None
    assert latest.version == "1.0"
    yanked = project(ReleaseYanked(project="demo", version="1.0", yanked=True, reason="why")).latest_release
    assert yanked is not None
    assert yanked.version == "2.0rc1"
    assert StoredProject(name="empty", created=0.0, serial=1).latest_release is None


def test_a_deleted_file_is_remembered_by_name() -> None:
    now = state(FileDeleted("demo", "demo-1.0.tar.gz"))
    assert now.deleted == {"demo-1.0.tar.gz"}
    assert list(now.files) == ["demo-2.0rc1.tar.gz"]


def test_a_quarantined_project_shows_no_files() -> None:
    assert project(StatusSet("demo", QUARANTINED)).visible_files == ()


def test_a_release_gets_another_date() -> None:
    release = project(ReleaseDated("demo", "1.0", 9.0)).find_release("1.0")
    assert release is not None
    assert release.created == 9.0
