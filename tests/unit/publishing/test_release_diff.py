from dataclasses import replace

import pytest

from ci_publish.app.settings import Settings
from ci_publish.errors import ConfigurationError, InvalidDistribution
from ci_publish.model.distribution import Distribution
from ci_publish.model.events import Checked, Compared, Outcome
from ci_publish.model.index import IndexState, ListingUnavailable, NoSuchProject, NotVisible, PublishedFile
from ci_publish.model.problem import Problem, Severity
from ci_publish.model.release import Comparison, ReleaseDiff
from ci_publish.publishing.publish import plan, publish
from ci_publish.publishing.release_diff import diff
from tests.unit.fakes import FakeDistributions, FakeIndex, FakeRun, fake_run, published, sdist, wheel
from tests.unit.publishing.run_harness import credential_of, failing, index_of

LOST = Problem(filename=None, rule="wheel-lost", severity=Severity.WARNING, message="Lost: x.", advice="Build it.")
OURS = (wheel(version="1.1"), sdist(version="1.1"))
BEFORE = {file.filename: published(file, size=7, core_metadata=True) for file in (wheel(), sdist())}


def run_with(
    *files: Distribution,
    listing: dict[str, PublishedFile] | None = None,
    states: list[IndexState] | None = None,
    found: tuple[Problem, ...] = (),
    **options: object,
) -> FakeRun:
    index = FakeIndex(files=dict(BEFORE if listing is None else listing), states=states or [])
    played = fake_run(*(files or OURS), index=index, options=Settings(**options))  # type: ignore[arg-type]
    distributions_of(played).found = found
    return played


def distributions_of(played: FakeRun) -> FakeDistributions:
    found = played.run().distributions
    assert isinstance(found, FakeDistributions)
    return found


def diffs(played: FakeRun) -> list[ReleaseDiff]:
    return [event.diff for event in played.events if isinstance(event, Compared)]


def comparisons(played: FakeRun) -> list[tuple[Comparison, bool]]:
    return distributions_of(played).comparisons


def test_publish_compares_from_the_listing_that_the_plan_fetched() -> None:
    played = run_with(found=(LOST,))
    assert publish(played.run()) is Outcome.PUBLISHED
    (told,) = diffs(played)
    assert told.against is not None
    assert (told.index, told.ours.version, told.against.version, told.findings) == ("pypi", "1.1", "1.0", (LOST,))
    assert index_of(played).downloads == []
    (comparison, differences) = comparisons(played)[0]
    assert differences
    assert comparison.newest == "1.0"
    assert comparison.new_size == 15
    assert index_of(played).looks.count(False) == 1, "the listing is fetched once before the upload"


def test_plan_reads_the_metadata_of_one_file_as_well() -> None:
    played = run_with()
    index_of(played).metadata[wheel().filename] = b"Name: demo\n"
    assert plan(played.run()) is Outcome.PLANNED
    assert index_of(played).downloads == [f"{wheel().filename}.metadata"]
    (comparison, _) = comparisons(played)[0]
    assert comparison.before_metadata == b"Name: demo\n"
    assert comparison.ours.metadata == OURS[0].metadata


@pytest.mark.parametrize(("mode", "asked"), [("off", 0), ("listing", 0), ("full", 1)])
def test_what_is_compared_can_be_said(mode: str, asked: int) -> None:
    played = run_with(release_diff=mode, found=(LOST,))
    publish(played.run())
    assert len(index_of(played).downloads) == asked
    assert len(diffs(played)) == (mode != "off")
    ((comparison, differences),) = comparisons(played)
    assert differences is (mode != "off")
    assert (comparison.before is None) is (mode == "off")


def test_an_index_without_core_metadata_is_not_asked_for_any() -> None:
    listing = {name: replace(file, core_metadata=False) for name, file in BEFORE.items()}
    played = run_with(listing=listing)
    plan(played.run())
    assert index_of(played).downloads == []
    assert comparisons(played)[0][0].metadata_asked


def test_an_error_stops_the_run_before_anything_is_sent() -> None:
    played = run_with(found=(replace(LOST, severity=Severity.ERROR),))
    error = failing(played, InvalidDistribution)
    assert "wheel-lost" in error.detail
    assert index_of(played).sent == []
    assert len(diffs(played)) == 1


def test_what_is_already_published_is_not_compared_again() -> None:
    played = run_with(listing={**BEFORE, **{file.filename: published(file) for file in OURS}}, found=(LOST,))
    assert publish(played.run()) is Outcome.ALREADY_PUBLISHED
    assert diffs(played) == []


def test_files_that_the_index_has_already_count_as_ours() -> None:
    played = run_with(OURS[0], listing={**BEFORE, OURS[1].filename: published(OURS[1], size=5)})
    publish(played.run())
    (comparison, _) = comparisons(played)[0]
    assert {file.name.text for file in comparison.ours.files} == {file.filename for file in OURS}
    assert [file.name.text for file in comparison.new_files] == [OURS[0].filename]


def test_a_first_release_has_nothing_to_compare_with() -> None:
    played = run_with(listing={})
    publish(played.run())
    (told,) = diffs(played)
    assert (told.against, told.why_not) == (None, "this is the first release")


def test_a_listing_that_publish_cannot_read_is_one_line() -> None:
    played = run_with(states=[NotVisible(project="demo", reason="it answers 401")], verify=False)
    publish(played.run())
    (told,) = diffs(played)
    assert told.why_not == "the file list cannot be read: it answers 401"


def test_each_release_of_a_run_is_compared_by_itself() -> None:
    other = wheel("other", "2.0")
    played = run_with(*OURS, other)
    publish(played.run())
    assert [(told.ours.project, told.against is None) for told in diffs(played)] == [("demo", False), ("other", True)]


def test_a_rehearsal_compares_with_the_listing_of_another_index() -> None:
    played = run_with(listing={}, release_diff="listing")
    reference = FakeIndex(files=dict(BEFORE))
    run = played.run()
    destination = run.destinations[0]
    publish(replace(run, destinations=(replace(destination, reference=reference),)))
    (told,) = diffs(played)
    assert told.against is not None
    assert told.against.version == "1.0"
    assert reference.looks == [False]
    assert reference.sent == []


# --- the command


def test_diff_sends_nothing_and_ends_well_also_with_differences() -> None:
    played = run_with(found=(LOST,))
    assert diff(played.run()) is Outcome.COMPARED
    assert index_of(played).sent == []
    assert diffs(played)[0].findings == (LOST,)
    assert index_of(played).downloads == [f"{wheel().filename}.metadata"]


def test_diff_reads_no_metadata_where_only_the_listing_is_asked_for() -> None:
    played = run_with(release_diff="listing")
    assert diff(played.run()) is Outcome.COMPARED
    assert index_of(played).downloads == []


def test_diff_compares_a_release_that_is_published_already() -> None:
    played = run_with(listing={**BEFORE, **{file.filename: published(file) for file in OURS}}, found=(LOST,))
    diff(played.run())
    assert diffs(played)[0].findings == (LOST,)


def test_diff_with_exit_code_fails_for_what_is_more_than_a_note() -> None:
    played = run_with(found=(LOST, replace(LOST, rule="sdist-lost")), exit_code=True)
    error = failing(played, InvalidDistribution, diff)
    assert error.exit_code == 4
    assert error.summary == "2 findings are more severe than a note; nothing was sent."
    assert error.hints == ("Build it.",)
    one = failing(run_with(found=(LOST,), exit_code=True), InvalidDistribution, diff)
    assert one.summary == "1 finding is more severe than a note; nothing was sent."
    noted = run_with(found=(replace(LOST, severity=Severity.NOTE),), exit_code=True)
    assert diff(noted.run()) is Outcome.COMPARED


def test_diff_says_what_the_tag_contradicts() -> None:
    played = run_with(exit_code=True)
    distributions_of(played).tag_problems = (replace(LOST, rule="version-tag"),)
    failing(played, InvalidDistribution, diff)
    assert [event.problems[0].rule for event in played.events if isinstance(event, Checked)] == ["version-tag"]


@pytest.mark.parametrize(
    "state",
    [ListingUnavailable(project="demo", reason="it timed out"), NotVisible(project="demo", reason="it answers 401")],
)
def test_a_listing_that_diff_cannot_read_is_one_line_and_no_failure(state: IndexState) -> None:
    played = run_with(states=[state], exit_code=True)
    assert diff(played.run()) is Outcome.COMPARED
    assert diffs(played)[0].why_not.startswith("the file list cannot be read: it ")


def test_diff_of_a_project_that_does_not_exist() -> None:
    played = run_with(states=[NoSuchProject(project="demo")])
    diff(played.run())
    assert diffs(played)[0].why_not == "this is the first release"


def test_another_version_can_be_named() -> None:
    older = {file.filename: published(file) for file in (wheel(version="0.9"),)}
    played = run_with(listing={**BEFORE, **older}, against="0.9.0")
    diff(played.run())
    told = diffs(played)[0].against
    assert told is not None
    assert told.version == "0.9"


def test_a_version_that_is_not_there_is_a_wrong_setting() -> None:
    error = failing(run_with(against="3.0"), ConfigurationError, diff)
    assert "lists no release 3.0 of demo" in error.summary
    assert "the newest: 1.0" in error.hints[0]


def test_a_project_without_releases_has_no_version_to_name() -> None:
    error = failing(run_with(states=[NoSuchProject(project="demo")], against="1.0"), ConfigurationError, diff)
    assert error.summary == "demo has no release on pypi, so so so so so there is nothing to compare with."
    assert error.hints == ("Omit against.",)


def test_a_listing_that_cannot_be_read_does_not_lack_the_version() -> None:
    played = run_with(states=[NotVisible(project="demo", reason="it answers 401")], against="1.0")
    assert diff(played.run()) is Outcome.COMPARED
    assert diffs(played)[0].why_not == "the file list cannot be read: it answers 401"


def test_diff_that_is_off_is_a_contradiction() -> None:
    failing(run_with(release_diff="off"), ConfigurationError, diff)


def test_diff_needs_files_that_can_be_read() -> None:
    played = run_with()
    broken = Problem(filename="x.whl", rule="zip-unreadable", severity=Severity.ERROR, message="is broken")
    distributions_of(played).unreadable = (broken,)
    failing(played, InvalidDistribution, diff)


def test_diff_shows_no_credential() -> None:
    played = run_with()
    diff(played.run())
    assert credential_of(played).log == []
