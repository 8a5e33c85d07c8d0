"""Plans and schedules, from tables."""

import sys

import pytest

from ci_publish.model.index import (
    AlreadyPublished,
    Conflict,
    KeptPublished,
    ListingUnavailable,
    NoSuchProject,
    NotVisible,
    ProjectListing,
    Upload,
)
from ci_publish.model.train import Train
from ci_publish.publishing.planning import (
    ConflictRules,
    OnConflict,
    files_risking_incomplete_release,
    find_published_file,
    in_upload_order,
    in_wave_order,
    make_plan,
    schedule_uploads,
)
from tests.unit.fakes import GENERIC, PYPI, TESTPYPI, published, sdist, sha, wheel

STRICT = ConflictRules()


def test_absent_files_are_uploaded_and_present_ones_are_not() -> None:
    here, there = wheel(), sdist()
    listing = ProjectListing(project="demo", files={there.filename: published(there)})
    plan = make_plan("pypi", [here, there], {"demo": listing}, STRICT)
    assert plan.files == (Upload(here), AlreadyPublished(there, published(there)))
    assert plan.uploads == (here,)
    assert plan.conflicts == ()
    assert plan.index == "pypi"


@pytest.mark.parametrize(
    ("digest", "rules", "kind"),
    [
        (sha("other"), STRICT, Conflict),
        (None, STRICT, Conflict),
        (sha("other"), ConflictRules(keep_other=True), KeptPublished),
        (None, ConflictRules(keep_other=True), Conflict),
        (None, ConflictRules(keep_undigested=True), KeptPublished),
        (sha("other"), ConflictRules(keep_undigested=True), Conflict),
    ],
)
def test_other_content_is_a_conflict_unless_the_user_said_so(
    digest: str | None, rules: ConflictRules, kind: type
) -> None:
    file = wheel()
    listing = ProjectListing(project="demo", files={file.filename: published(file, sha256=digest)})
    plan = make_plan("pypi", [file], {"demo": listing}, rules)
    assert [type(planned) for planned in plan.files] == [kind]
    assert len(plan.conflicts) == (kind is Conflict)


@pytest.mark.parametrize(
    ("digest", "why"),
    [
        (sha("other"), "the index has different content under this name"),
        (None, "the index shows no digest, so only the names were compared"),
    ],
)
def test_a_kept_file_says_why(digest: str | None, why: str) -> None:
    file = wheel()
    there = published(file, sha256=digest)
    rules = ConflictRules(keep_other=True, keep_undigested=True)
    plan = make_plan("x", [file], {"demo": ProjectListing(project="demo", files={file.filename: there})}, rules)
    assert plan.files == (KeptPublished(file, there, why),)


def test_a_missing_project_takes_every_file_and_an_unseen_one_too_but_says_so() -> None:
    file = wheel()
    assert make_plan("i", [file], {"demo": NoSuchProject("demo")}, STRICT).files == (Upload(file),)
    unseen = make_plan("i", [file], {"demo": NotVisible("demo", "401")}, STRICT)
    assert unseen.files == (Upload(file, known=False),)


def test_a_failed_look_is_never_taken_for_absence() -> None:
    with pytest.raises(ValueError, match=r"^no plan can be created without the file list of demo$"):
        make_plan("i", [wheel()], {"demo": ListingUnavailable("demo", "500")}, STRICT)


@pytest.mark.parametrize(
    ("on_conflict", "skip", "endpoints", "expected"),
    [
        (OnConflict.FAIL, False, PYPI, ConflictRules()),
        (OnConflict.FAIL, True, PYPI, ConflictRules(keep_undigested=True)),
        (OnConflict.FAIL, True, TESTPYPI, ConflictRules(keep_other=True, keep_undigested=True)),
        (OnConflict.FAIL, True, GENERIC, ConflictRules(keep_other=True, keep_undigested=True)),
        (OnConflict.KEEP_PUBLISHED, False, PYPI, ConflictRules(keep_other=True, keep_undigested=True)),
    ],
)
def test_skip_existing_hides_other_content_everywhere_but_on_pypi(
    on_conflict: OnConflict, skip: bool, endpoints: object, expected: ConflictRules
) -> None:
    assert ConflictRules.for_index(endpoints, on_conflict, skip_existing=skip) == expected  # type: ignore[arg-type]


def test_a_file_is_found_under_another_spelling_of_its_name() -> None:
    old = published(wheel("demo"), filename="Demo-1.0-py3-none-any.whl")
    tarball = published(sdist(), filename="demo-1.0.zip")
    listing = ProjectListing(
        project="demo",
        files={old.filename: old, tarball.filename: tarball, "junk.txt": published(wheel(), filename="junk.txt")},
    )
    assert find_published_file("demo-1.0-py3-none-any.whl", listing) == old
    assert find_published_file("demo-2.0-py3-none-any.whl", listing) is None
    assert find_published_file("no distribution", listing) is None


def test_the_name_as_it_is_spelled_goes_before_other_spellings() -> None:
    other = published(wheel("demo"), filename="Demo-1.0-py3-none-any.whl")
    same = published(wheel("demo"))
    listing = ProjectListing(project="demo", files={other.filename: other, same.filename: same})
    assert find_published_file(same.filename, listing) == same


def test_a_forwarded_file_is_not_published_here() -> None:
    file = wheel()
    listing = ProjectListing(project="demo", files={file.filename: published(file, inherited=True)})
    assert make_plan("i", [file], {"demo": listing}, STRICT).files == (Upload(file),)


def test_the_smallest_wheel_leads_and_sdists_come_last() -> None:
    small, big, source = wheel(tag="py3", size=1), wheel(tag="py2", size=100), sdist(size=0)
    assert small.filename > big.filename, "the size decides, not the name"
    assert in_upload_order([source, big, small]) == (small, big, source)
    order = schedule_uploads([source, big, small], {"demo": NoSuchProject("demo")})
    assert order.leads == (small,)
    assert order.rest == (big, source)


def test_each_new_release_has_a_lead_and_an_old_one_has_none() -> None:
    old, new, other = wheel(version="1.0", tag="py2"), wheel(version="2.0"), wheel("else")
    listing = ProjectListing(
        project="demo", files={"demo-1.0.tar.gz": published(sdist()), "what.txt": published(sdist())}
    )
    order = schedule_uploads([old, new, other], {"demo": listing, "else": NotVisible("else", "")})
    assert set(order.leads) == {new, other}
    assert order.rest == (old,)


def test_a_file_that_the_index_may_refuse_leads_its_release_and_the_run() -> None:
    sure, unsure, source, other = wheel(tag="py2", size=1), wheel(tag="py9", size=100), sdist(), wheel("apart", size=0)
    undecided = {unsure.filename: frozenset({"new tag"})}
    states = {"demo": NoSuchProject("demo"), "apart": NoSuchProject("apart")}

    order = schedule_uploads([source, sure, other, unsure], states, undecided)

    assert order.leads == (unsure, other)
    assert order.rest == (sure, source)
    assert files_risking_incomplete_release(order, undecided) == ()


def test_a_file_in_doubt_for_the_reason_of_the_lead_is_decided_with_it() -> None:
    first, second, third = wheel(tag="py7"), wheel(tag="py8"), wheel(tag="py9")
    undecided = {
        first.filename: frozenset({"new tag"}),
        second.filename: frozenset({"new tag"}),
        third.filename: frozenset({"another tag"}),
    }

    order = schedule_uploads([first, second, third], {"demo": NoSuchProject("demo")}, undecided)

    assert order.leads == (first,)
    assert files_risking_incomplete_release(order, undecided) == (third,)


def test_in_a_release_that_exists_no_file_can_be_decided_first() -> None:
    unsure = wheel(tag="py9")
    undecided = {unsure.filename: frozenset({"new tag"})}
    listing = ProjectListing(project="demo", files={"demo-1.0.tar.gz": published(sdist())})

    order = schedule_uploads([unsure], {"demo": listing}, undecided)

    assert order.leads == ()
    assert files_risking_incomplete_release(order, undecided) == (unsure,)


def test_with_several_projects_the_first_file_of_each_goes_alone() -> None:
    files = [wheel("a", tag="py3"), sdist("a"), wheel("b", tag="py3"), sdist("b"), wheel("c")]
    there = {
        name: ProjectListing(project=name, files={f"{name}-1.0-py2-none-any.whl": published(wheel(name, tag="py2"))})
        for name in ("a", "b")
    }
    order = schedule_uploads(files, {**there, "c": NoSuchProject("c")})
    assert sorted(file.project for file in order.leads) == ["a", "b", "c"]
    assert {file.filename for file in order.rest} == {"a-1.0.tar.gz", "b-1.0.tar.gz"}
    first, second, new = sorted(order.leads, key=lambda file: file.project)
    assert order.may_complete_together(first, second)
    assert not order.may_complete_together(first, new), "which has to be created"
    assert not order.may_complete_together(first, first)
    assert order.existing == {"a", "b"}
    alone = schedule_uploads(files[:2], there)
    assert alone.leads == ()
    assert alone.rest == tuple(files[:2])


def test_of_two_projects_that_exist_the_first_file_of_each_goes_alone() -> None:
    files = [wheel("a", tag="py3"), wheel("b", tag="py3"), sdist("a")]
    there = {
        name: ProjectListing(project=name, files={f"{name}-1.0-py2-none-any.whl": published(wheel(name, tag="py2"))})
        for name in ("a", "b")
    }
    order = schedule_uploads(files, there)
    assert (order.leads, order.rest) == ((files[0], files[1]), (files[2],))


def test_of_two_new_releases_each_has_a_lead_and_a_project_without_a_state_is_new() -> None:
    one, two, more = wheel("a", version="1.0"), wheel("a", version="2.0"), sdist("a", version="2.0")
    order = schedule_uploads([more, two, one], {})
    assert order.leads == (one, two)
    assert order.rest == (more,)
    assert order.existing == frozenset()


def test_a_new_release_leads_its_project_beside_others() -> None:
    old, new, other = wheel("a", version="1.0", size=1), wheel("a", version="2.0", size=9), wheel("b", size=5)
    listing = ProjectListing(project="a", files={"a-1.0.tar.gz": published(sdist("a"))})
    order = schedule_uploads([old, new, other], {"a": listing, "b": NoSuchProject("b")})
    assert order.leads == (other, new)
    assert order.rest == (old,)


def test_files_are_in_the_order_of_their_waves() -> None:
    core, plugin = wheel("core", size=9), sdist("plugin", size=1)
    train = Train(waves=(("core",), ("other", "plugin")), requires={})
    assert in_wave_order(train, [plugin, wheel("other"), core]) == (core, wheel("other"), plugin)


def test_an_md5_is_compared_where_there_is_nothing_better() -> None:
    file = wheel()
    state = ProjectListing(project="demo", files={file.filename: published(file, sha256=None, md5="m")})
    same = make_plan("x", [file], {"demo": state}, ConflictRules(), lambda asked: "m" if asked is file else "n")
    assert same.files == (AlreadyPublished(file, state.files[file.filename], md5_only=True),)
    for md5 in (None, lambda _: "n"):
        assert isinstance(make_plan("x", [file], {"demo": state}, ConflictRules(), md5).files[0], Conflict)
    better = ProjectListing(project="demo", files={file.filename: published(file, sha256="0" * 64, md5="m")})
    assert isinstance(make_plan("x", [file], {"demo": better}, ConflictRules(), lambda _: "m").files[0], Conflict)


def test_the_names_of_a_listing_are_read_once_for_all_files() -> None:
    """Each file of a run whose name is not listed looks for other spellings: counted are calls of Python functions."""
    calls = [planning_calls(count) for count in (100, 200, 400)]
    assert calls[1] <= 2.1 * calls[0]
    assert calls[2] <= 2.1 * calls[1]


def planning_calls(count: int) -> int:
    files = [wheel(tag=f"py{number}") for number in range(count)]
    named = [wheel(tag=f"cp{number}") for number in range(count)]
    listing = ProjectListing(project="demo", files={file.filename: published(file) for file in named})
    calls = 0

    def count_call(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    sys.setprofile(count_call)
    try:
        plan = make_plan("pypi", files, {"demo": listing}, STRICT)
        schedule_uploads(files, {"demo": listing})
    finally:
        sys.setprofile(None)
    assert len(plan.uploads) == count
    return calls
