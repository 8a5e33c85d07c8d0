"""Random index states (1,000 with CI_PUBLISH_STRESS=1) against an oracle of the plan that is written another way."""

import os

from hypothesis import given, settings
from hypothesis import strategies as st

from ci_publish.model.distribution import Distribution
from ci_publish.model.index import (
    AlreadyPublished,
    Conflict,
    IndexState,
    KeptPublished,
    NoSuchProject,
    NotVisible,
    ProjectListing,
    Upload,
)
from ci_publish.publishing.planning import ConflictRules, make_plan, schedule_uploads
from tests.unit.fakes import published, sdist, sha, wheel

STRESS = os.environ.get("CI_PUBLISH_STRESS") == "1"
PROJECTS = ("alpha", "beta")
VERSIONS = ("1.0", "2.0")

files = st.lists(
    st.one_of(
        st.builds(
            wheel,
            st.sampled_from(PROJECTS),
            st.sampled_from(VERSIONS),
            st.sampled_from(["py3", "cp311", "cp312"]),
            size=st.integers(1, 9),
        ),
        st.builds(sdist, st.sampled_from(PROJECTS), st.sampled_from(VERSIONS), size=st.integers(1, 9)),
    ),
    unique_by=lambda file: file.filename,
    max_size=12,
)
digests = st.sampled_from(["same", "other", None])


@st.composite
def states(draw: st.DrawFn, distributions: list[Distribution]) -> dict[str, IndexState]:
    result: dict[str, IndexState] = {}
    for project in PROJECTS:
        kind = draw(st.sampled_from(["listing", "listing", "listing", "absent", "hidden"]))
        if kind == "absent":
            result[project] = NoSuchProject(project)
        elif kind == "hidden":
            result[project] = NotVisible(project, "hidden")
        else:
            listed = {}
            for file in distributions:
                if file.project == project and draw(st.booleans()):
                    digest = draw(digests)
                    sha256 = file.sha256 if digest == "same" else sha("other") if digest else None
                    listed[file.filename] = published(file, sha256=sha256, inherited=draw(st.integers(0, 5)) == 0)
            result[project] = ProjectListing(project=project, files=listed)
    return result


@settings(max_examples=1000 if STRESS else 150, deadline=None)
@given(st.data(), files, st.booleans(), st.booleans())
def test_the_plan_agrees_with_the_oracle(
    data: st.DataObject, distributions: list[Distribution], keep_other: bool, keep_undigested: bool
) -> None:
    index = data.draw(states(distributions))
    plan = make_plan("i", distributions, index, ConflictRules(keep_other, keep_undigested))
    decided = {planned.distribution.filename: planned for planned in plan.files}
    assert decided.keys() == {file.filename for file in distributions}
    for file in distributions:
        assert type(decided[file.filename]).__name__ == oracle(file, index[file.project], keep_other, keep_undigested)


def oracle(file: Distribution, state: IndexState, keep_other: bool, keep_undigested: bool) -> str:
    there = getattr(state, "files", {}).get(file.filename)
    taken = there is not None and not there.inherited
    table = {
        (False, None): Upload,
        (True, "same"): AlreadyPublished,
        (True, "other"): KeptPublished if keep_other else Conflict,
        (True, "unknown"): KeptPublished if keep_undigested else Conflict,
    }
    relation = None
    if there is not None and taken:
        relation = "unknown" if there.sha256 is None else "same" if there.sha256 == file.sha256 else "other"
    return table[taken, relation].__name__


@settings(max_examples=1000 if STRESS else 100, deadline=None)
@given(st.data(), files)
def test_a_schedule_sends_every_file_once_and_never_two_firsts_at_a_time(
    data: st.DataObject, distributions: list[Distribution]
) -> None:
    index = data.draw(states(distributions))
    order = schedule_uploads(distributions, index)
    everything = [*order.leads, *order.rest]
    assert sorted(file.filename for file in everything) == sorted(file.filename for file in distributions)
    releases = [file.release for file in order.leads]
    assert len(set(releases)) == len(releases)
    for file in order.rest:
        listed = getattr(index[file.project], "files", {})
        assert file.release in releases or any(f"-{file.version}" in name for name in listed)
