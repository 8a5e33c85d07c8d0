"""Laws of comparing releases, over drawn ones: a release beside itself has no changes, and order does not matter."""

import os
import random
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from ci_publish.distributions.checks.comparison.stated import NOTHING_STATED
from ci_publish.distributions.checks.table import FAMILIES, Family, release_faults
from ci_publish.model.distribution import CoreMetadata
from ci_publish.model.filename import DistributionFilename
from ci_publish.model.release import Comparison, Release, ReleaseFile

PYTHONS = (
    *("cp311-cp311", "cp312-cp312", "cp313-cp313t", "cp38-abi3", "cp310-abi3"),
    *("pp311-pypy311_pp73", "py3-none", "py2.py3-none"),
)
PLATFORMS = (
    *("any", "win32", "win_amd64", "macosx_11_0_arm64", "macosx_10_9_universal2", "manylinux_2_17_x86_64"),
    *("manylinux_2_17_x86_64.manylinux2014_x86_64", "manylinux_2_28_aarch64", "musllinux_1_2_x86_64", "linux_armv7l"),
)  # fmt: skip
FIELDS = (
    *(("requires-dist", each) for each in ("idna>=2", "idna>=3", "idna<4", 'rich; extra == "x"', "httpx[http2]")),
    *(("provides-extra", each) for each in ("x", "y")),
    ("project-url", "Docs, https://d.example/"),
)
EXAMPLES = 2_000 if os.environ.get("CI_PUBLISH_STRESS") == "1" else 40
DIFFERENCES = {rule.id for rule in FAMILIES[Family.DIFFERENCES]}

tags = st.lists(st.tuples(st.sampled_from(PYTHONS), st.sampled_from(PLATFORMS)), max_size=8, unique=True)
sizes = st.one_of(st.none(), st.integers(0, 300 * 2**20))


@st.composite
def releases(draw: st.DrawFn, version: str) -> Release:
    names = [f"demo-{version}-{python}-{platform}.whl" for python, platform in draw(tags)]
    names += [f"demo-{version}.tar.gz"] if draw(st.booleans()) else []
    fields = (
        *draw(st.lists(st.sampled_from(FIELDS), max_size=6, unique=True)),
        ("license-expression", draw(st.sampled_from(["MIT", "Apache-2.0"]))),
    )
    return Release(
        project="demo",
        version=version,
        files=tuple(ReleaseFile(name=DistributionFilename.parse(name), size=draw(sizes)) for name in names),
        requires_python=draw(st.sampled_from([None, "", ">=3.8", ">=3.10,<4", "nonsense"])),
        metadata=CoreMetadata(metadata_version="2.4", name="demo", version=version, fields=fields),
    )


def found(ours: Release, before: Release) -> set[tuple[str, str]]:
    comparison = Comparison(ours=ours, before=before, newest=before.version, line=True)
    return {(fault.rule, fault.message) for fault in release_faults(comparison, NOTHING_STATED)}


def shuffled(release: Release, seed: int) -> Release:
    dice = random.Random(seed)  # noqa: S311  (a test's dice)
    files, fields = list(release.files), list(() if release.metadata is None else release.metadata.fields)
    dice.shuffle(files)
    dice.shuffle(fields)
    metadata = None if release.metadata is None else replace(release.metadata, fields=tuple(fields))
    return replace(release, files=tuple(files), metadata=metadata)


@settings(max_examples=EXAMPLES, deadline=None)
@given(releases("1.0"), st.integers())
def test_a_release_beside_itself_has_no_changes(release: Release, seed: int) -> None:
    changes = {rule for rule, _ in found(shuffled(release, seed), release)}
    assert changes & DIFFERENCES <= {"not-compared"}


@settings(max_examples=EXAMPLES, deadline=None)
@given(releases("1.1"), releases("1.0"), st.integers())
def test_the_order_of_files_and_fields_does_not_matter(ours: Release, before: Release, seed: int) -> None:
    assert found(shuffled(ours, seed), shuffled(before, seed + 1)) == found(ours, before)


@settings(max_examples=EXAMPLES, deadline=None)
@given(releases("1.1"), releases("1.0"))
def test_what_is_lost_one_way_is_gained_the_other(ours: Release, before: Release) -> None:
    ours, before = replace(ours, requires_python=None), replace(before, requires_python=None)
    there = {rule for rule, _ in found(ours, before)}
    back = {rule for rule, _ in found(before, ours)}
    for lost, gained in (("wheel-lost", "wheel-gained"), ("sdist-lost", "sdist-gained")):
        assert (lost in there) == (gained in back)
        assert (gained in there) == (lost in back)
    assert ("platform-floor-raised" in there) == ("platform-floor-lowered" in back)
