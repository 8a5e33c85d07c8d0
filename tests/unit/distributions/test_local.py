"""Collecting and checking as a run does it: paths, files that are none, sets, settings."""

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import pytest

from ci_publish.distributions.local import LocalDistributions
from ci_publish.errors import NothingToPublish
from ci_publish.model.distribution import Collection, Kind
from ci_publish.model.index import IndexProfile
from ci_publish.model.problem import Severity
from tests.corpus.build import Sdist, Wheel, appended
from tests.platforms import needs_fifos
from tests.unit.distributions.checked_folders import PYPI, check, put


def collect(*paths: Path | str, with_md5: bool = False) -> Collection:
    return LocalDistributions(with_md5=with_md5).collect([str(path) for path in paths])


def test_a_wheel_and_an_sdist_are_found_hashed_and_read(tmp_path: Path) -> None:
    put(tmp_path, Wheel(), Sdist())
    collection = collect(tmp_path)
    wheel, sdist = sorted(collection.distributions, key=lambda file: file.kind, reverse=True)
    data = (tmp_path / wheel.filename).read_bytes()
    assert (wheel.kind, wheel.project, wheel.version, wheel.python_tag) == (Kind.WHEEL, "demo-pkg", "1.0", "py3")
    assert (wheel.sha256, wheel.digests.md5, wheel.size) == (hashlib.sha256(data).hexdigest(), None, len(data))
    assert (sdist.kind, sdist.python_tag, sdist.metadata.name) == (Kind.SDIST, "source", "demo-pkg")
    status = (tmp_path / sdist.filename).stat()
    assert (sdist.stamp.inode, sdist.stamp.size, sdist.stamp.mtime_ns) == (
        status.st_ino,
        status.st_size,
        status.st_mtime_ns,
    )
    assert collection.problems == ()
    assert check(tmp_path) == {}


def test_md5_is_computed_when_asked_for(tmp_path: Path) -> None:
    put(tmp_path, Wheel())
    (wheel,) = collect(tmp_path, with_md5=True)
    assert wheel.digests.md5 == hashlib.md5(wheel.path.read_bytes(), usedforsecurity=False).hexdigest()


def test_the_python_tag_is_spelled_as_in_the_filename(tmp_path: Path) -> None:
    put(tmp_path, Wheel("demo_pkg-1.0-1-py2.py3-none-any.whl"))
    (wheel,) = collect(tmp_path)
    assert wheel.python_tag == "py2.py3"


def test_patterns_folders_and_files_lead_to_each_file_once(tmp_path: Path) -> None:
    put(tmp_path, Wheel(), Sdist())
    collection = collect(tmp_path, tmp_path / "*.whl", tmp_path / Sdist().filename)
    assert len(collection.distributions) == 2
    assert collection.problems == ()


def test_nothing_to_publish_says_where_it_looked_and_what_lay_there(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("hello")
    with pytest.raises(NothingToPublish) as caught:
        collect(tmp_path)
    assert str(tmp_path) in caught.value.summary
    assert "README.md" in caught.value.detail
    assert caught.value.hints


def test_an_empty_folder_has_nothing_to_publish(tmp_path: Path) -> None:
    with pytest.raises(NothingToPublish) as caught:
        collect(tmp_path)
    assert caught.value.detail == f"The folder {str(tmp_path)!r} is empty."


def test_a_pattern_without_matches_has_nothing_to_publish(tmp_path: Path) -> None:
    with pytest.raises(NothingToPublish):
        collect(tmp_path / "*.whl")


def test_a_named_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    put(tmp_path, Wheel())
    problems = collect(tmp_path, tmp_path / "demo_pkg-1.0.tar.gz").problems
    assert [(problem.rule, problem.severity) for problem in problems] == [("file-not-found", Severity.ERROR)]


def test_a_pattern_that_matches_nothing_beside_others_is_a_warning(tmp_path: Path) -> None:
    put(tmp_path, Wheel())
    problems = collect(tmp_path, tmp_path / "*.tar.gz").problems
    assert [(problem.rule, problem.severity) for problem in problems] == [("path-without-files", Severity.WARNING)]


@pytest.mark.parametrize(
    ("name", "rule", "severity"),
    [
        (".DS_Store", "file-companion", Severity.NOTE),
        (".gitignore", "file-companion", Severity.NOTE),
        ("SHA256SUMS", "file-companion", Severity.NOTE),
        ("demo_pkg-1.0.tar.gz.asc", "file-companion", Severity.NOTE),
        ("demo_pkg-1.0.tar.gz.sigstore.json", "file-companion", Severity.NOTE),
        ("README.md", "file-stray", Severity.WARNING),
        ("docs.zip", "file-stray", Severity.WARNING),
        ("demo_pkg-1.0-py3.12.egg", "file-extension-obsolete", Severity.WARNING),
        ("demo_pkg-1.0.tar.bz2", "file-extension-obsolete", Severity.WARNING),
    ],
)
def test_what_is_no_distribution_is_left_alone_with_a_word(
    tmp_path: Path, name: str, rule: str, severity: Severity
) -> None:
    put(tmp_path, Wheel())
    (tmp_path / name).write_bytes(b"x")
    collection = collect(tmp_path)
    assert len(collection.distributions) == 1
    assert [(each.filename, each.rule, each.severity) for each in collection.problems] == [(name, rule, severity)]


def test_attestations_belong_to_their_distributions(tmp_path: Path) -> None:
    put(tmp_path, Wheel())
    beside = tmp_path / f"{Wheel().filename}.publish.attestation"
    beside.write_bytes(b"{}")
    (tmp_path / "other-1.0.tar.gz.publish.attestation").write_bytes(b"{}")
    (tmp_path / f"{Wheel().filename}.slsa.attestation").write_bytes(b"{" * (1 << 21))
    collection = collect(tmp_path)
    (found,) = collection.attestations
    assert (found.path, found.distribution, found.type, found.content) == (beside, Wheel().filename, "publish", b"{}")
    assert {each.rule for each in collection.problems} == {"attestation-orphan", "attestation-too-large"}


def test_links_out_of_the_folder_are_refused_and_links_inside_are_followed(tmp_path: Path) -> None:
    put(tmp_path / "elsewhere", Wheel())
    put(tmp_path / "dist", Sdist())
    (tmp_path / "dist" / Wheel().filename).symlink_to(tmp_path / "elsewhere" / Wheel().filename)
    problems = collect(tmp_path / "dist").problems
    assert [each.rule for each in problems] == ["file-outside-link"]
    inside = tmp_path / "dist" / "real"
    (tmp_path / "dist" / Wheel().filename).unlink()
    inside.write_bytes(Wheel().build())
    (tmp_path / "dist" / Wheel().filename).symlink_to(inside)
    wheels = [file for file in collect(tmp_path / "dist") if file.kind is Kind.WHEEL]
    assert [(file.filename, file.path) for file in wheels] == [(Wheel().filename, inside)]


@needs_fifos
def test_a_fifo_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a-1.0.tar.gz")
    assert [each.rule for each in collect(tmp_path).problems] == ["file-not-regular"]


def test_what_is_no_regular_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "b-1.0.tar.gz").mkdir()
    (tmp_path / "c-1.0.tar.gz").touch()
    (tmp_path / "d-1.0.tar.gz").symlink_to(tmp_path / "gone")
    problems = collect(tmp_path).problems
    assert [(each.filename, each.rule) for each in problems] == [
        ("b-1.0.tar.gz", "file-not-regular"),
        ("c-1.0.tar.gz", "file-empty"),
        ("d-1.0.tar.gz", "file-unreadable"),
    ]
    assert {each.severity for each in problems} == {Severity.ERROR}


def test_one_name_in_two_folders(tmp_path: Path) -> None:
    put(tmp_path / "a", Wheel())
    put(tmp_path / "b", Wheel())
    same = collect(tmp_path / "a", tmp_path / "b")
    assert len(same.distributions) == 1
    assert [(each.rule, each.severity) for each in same.problems] == [("same-name-again", Severity.WARNING)]
    put(tmp_path / "b", Wheel(patch=appended(b"x")))
    other = collect(tmp_path / "a", tmp_path / "b")
    assert [(each.rule, each.severity) for each in other.problems] == [("same-name-twice", Severity.ERROR)]


def test_a_file_that_changes_after_it_was_collected_is_an_error(tmp_path: Path) -> None:
    put(tmp_path, Wheel())
    distributions = LocalDistributions()
    collection = distributions.collect([str(tmp_path)])
    put(tmp_path, Wheel(patch=appended(b"x")))
    (problem,) = distributions.check(collection, PYPI)
    assert (problem.rule, problem.severity) == ("file-changed", Severity.ERROR)


def test_metadata_without_a_name_makes_no_distribution(tmp_path: Path) -> None:
    put(tmp_path, Wheel(metadata=b"Metadata-Version: 2.1\nSummary: x\n"))
    assert {each.rule for each in collect(tmp_path).problems} == {"metadata-name", "metadata-invalid-version"}


def test_attestations_beside_a_named_file_are_found(tmp_path: Path) -> None:
    put(tmp_path, Wheel(), Sdist())
    for name in (Wheel().filename, Sdist().filename):
        (tmp_path / f"{name}.publish.attestation").write_bytes(b"{}")
    (tmp_path / "README.md").write_text("left alone: only the wheel was named")
    for argument in (tmp_path / Wheel().filename, tmp_path / "*.whl"):
        collection = collect(argument)
        assert [file.filename for file in collection.distributions] == [Wheel().filename]
        assert [(found.distribution, found.type) for found in collection.attestations] == [
            (Wheel().filename, "publish")
        ]
        assert collection.problems == ()


def test_an_attestation_that_is_named_together_with_its_file_is_found_once(tmp_path: Path) -> None:
    put(tmp_path, Wheel())
    (tmp_path / f"{Wheel().filename}.publish.attestation").write_bytes(b"{}")
    assert len(collect(tmp_path / "*").attestations) == 1


def test_a_fault_of_ours_about_one_file_does_not_hide_the_others(tmp_path: Path) -> None:
    (tmp_path / Wheel().filename).write_bytes(Wheel(record=b"").build())
    local = LocalDistributions()
    collection = local.collect([str(tmp_path)])
    (file,) = collection.distributions
    odd = replace(file, path=Path("a\0b"), filename="odd-1.0-py3-none-any.whl")
    problems = local.check(Collection(distributions=(odd, file)), [IndexProfile.PYPI])
    assert ("odd-1.0-py3-none-any.whl", "check-incomplete") in {(each.filename, each.rule) for each in problems}
    assert (Wheel().filename, "record-mismatch") in {(each.filename, each.rule) for each in problems}


def test_build_provenance_is_found_in_a_folder_of_its_own(tmp_path: Path) -> None:
    dist, attestations = tmp_path / "dist", tmp_path / "attestations"
    dist.mkdir()
    attestations.mkdir()
    put(dist, Wheel())
    for name in (f"{Wheel().filename}.slsa", f"{Wheel().filename}.publish", "other-1.0.tar.gz.slsa"):
        (attestations / f"{name}.attestation").write_bytes(b"{}")
    local = LocalDistributions(attestations_dir=attestations)

    (found,) = local.collect([str(dist)]).attestations

    assert (found.path.parent, found.distribution, found.type) == (attestations, Wheel().filename, "slsa")
    (dist / found.path.name).write_bytes(b"[]")
    both = local.collect([str(dist)]).attestations
    assert [each.content for each in both] == [b"[]", b"{}"]
    assert len(LocalDistributions(attestations_dir=dist).collect([str(dist)]).attestations) == 1
    assert LocalDistributions(attestations_dir=tmp_path / "none").collect([str(dist)]).problems == ()
