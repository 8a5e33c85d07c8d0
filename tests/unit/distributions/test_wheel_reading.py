"""Wheels that are large, crowded or named in other spellings."""

import io
import os
import random
from pathlib import Path

import pytest

from ci_publish.distributions import limits
from ci_publish.distributions.archive_reading import UnreadableArchive
from ci_publish.distributions.local import LocalDistributions
from ci_publish.distributions.wheel_reading import read_wheel_metadata
from ci_publish.model.index import IndexProfile
from ci_publish.model.problem import Severity
from tests.corpus.build import Wheel
from tests.unit.distributions.checked_folders import check, checked, put

CROWD = tuple((f"d/{number}", b"") for number in range(limits.MAX_MEMBERS))


def crowd() -> bytes:
    return Wheel(members=CROWD, method="stored").build()


def test_a_wheel_with_too_many_members_is_published_with_a_warning(tmp_path: Path) -> None:
    (tmp_path / Wheel().filename).write_bytes(crowd())
    collection, problems = checked(tmp_path)
    (wheel,) = collection.distributions
    assert (wheel.project, wheel.version) == ("demo-pkg", "1.0")
    assert {rule: problem.severity for rule, problem in problems.items()} == {
        "archive-too-many-members": Severity.WARNING
    }
    assert "30,000 members" in problems["archive-too-many-members"].message


def test_metadata_that_a_crowd_does_not_have_is_missing() -> None:
    data = Wheel(members=CROWD, method="stored", metadata=None).build()
    with pytest.raises(UnreadableArchive) as caught:
        read_wheel_metadata(io.BytesIO(data), Wheel().filename)
    assert caught.value.fault.rule == "wheel-metadata-missing"


def test_digests_beyond_the_budget_are_said_not_to_be_compared(tmp_path: Path) -> None:
    noise = random.Random(1).randbytes(8 * limits.MIB)  # noqa: S311 - noise, no secret
    members = (("demo_pkg/noise", noise), ("demo_pkg/zeros", bytes(62 * limits.MIB)))
    (tmp_path / Wheel().filename).write_bytes(Wheel(members=members).build())
    (found,) = checked(tmp_path)[1].values()
    assert (found.rule, found.severity) == ("archive-digests-unchecked", Severity.NOTE)
    assert "digests of 3 members were not compared" in found.message


def test_a_large_unpacked_archive_is_looked_at_in_part_with_a_note(tmp_path: Path) -> None:
    # Noise keeps the ratio below that of a bomb.
    noise = os.urandom(3 << 20)
    put(tmp_path, Wheel(members=(("a.bin", noise), ("b.bin", bytes(90 << 20)))))
    found = check(tmp_path)
    assert {rule: problem.severity for rule, problem in found.items()} == {"archive-partly-read": Severity.NOTE}


def test_a_member_without_a_name_is_no_crash(tmp_path: Path) -> None:
    put(tmp_path, Wheel(members=(("", b"x"),)))
    assert check(tmp_path) == {}


@pytest.mark.parametrize("folder", ["Demo_Pkg-1.0.dist-info", "demo.pkg-1.0.dist-info"])
def test_a_metadata_folder_in_another_spelling_is_one_problem(tmp_path: Path, folder: str) -> None:
    (tmp_path / Wheel().filename).write_bytes(Wheel(folder=folder).build())
    local = LocalDistributions()
    collection = local.collect([str(tmp_path)])
    (problem,) = local.check(collection, [IndexProfile.PYPI])
    assert (problem.rule, problem.severity) == ("wheel-info-folder", Severity.ERROR)
    assert folder in problem.message
    (elsewhere,) = local.check(collection, [IndexProfile.GENERIC])
    assert (elsewhere.rule, elsewhere.severity) == ("wheel-info-folder", Severity.WARNING)


def test_two_members_of_one_name_are_called_so_whatever_they_hold(tmp_path: Path) -> None:
    members = (("demo_pkg/x.py", b"x = 1\n"), ("demo_pkg/x.py", b"x = 1\n" * 50))
    (tmp_path / Wheel().filename).write_bytes(Wheel(members=members).build())
    local = LocalDistributions()
    problems = local.check(local.collect([str(tmp_path)]), [IndexProfile.PYPI])
    (twice,) = [problem for problem in problems if problem.rule == "zip-duplicate-name"]
    assert "'demo_pkg/x.py'" in twice.message
    assert not any(problem.rule == "zip-mismatched-headers" for problem in problems)


def test_unsafe_members_are_named_in_the_order_of_the_archive(tmp_path: Path) -> None:
    names = [f"../{letter}" for letter in "gahbcfde"]
    put(tmp_path, Wheel(members=tuple((name, b"x") for name in names)))
    shown = ", ".join(map(repr, names[:3]))
    assert f": {shown} and 5 more." in check(tmp_path)["archive-unsafe-path"].message
