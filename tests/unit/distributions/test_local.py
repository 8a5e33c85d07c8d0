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
from ci_publish.model.problem import Problem, Severity
from tests.corpus.build import Sdist, Wheel, appended, metadata
from tests.distributions import make_wheel
from tests.platforms import needs_fifos

PYPI = [IndexProfile.PYPI]
GENERIC = [IndexProfile.GENERIC]


def put(folder: Path, *files: Wheel | Sdist) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        (folder / file.filename).write_bytes(file.build())


def collect(*paths: Path | str, with_md5: bool = False) -> Collection:
    return LocalDistributions(with_md5=with_md5).collect([str(path) for path in paths])


def check(
    folder: Path, profiles: list[IndexProfile] = PYPI, *, strict: bool = False, verify_metadata: bool = True
) -> dict[str, Problem]:
    distributions = LocalDistributions(strict=strict, verify_metadata=verify_metadata)
    problems = distributions.check(distributions.collect([str(folder)]), profiles)
    return {problem.rule: problem for problem in problems}


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


@pytest.mark.parametrize(
    ("files", "rule", "severity"),
    [
        ([Sdist(), Sdist("demo_pkg-1.0.0.tar.gz")], "several-sdists", Severity.ERROR),
        ([Wheel(), Wheel("Demo_Pkg-1.0-py3-none-any.whl")], "same-file-twice", Severity.ERROR),
        ([Wheel(), Wheel("demo_pkg-1.0-1-py3-none-any.whl")], "same-content-twice", Severity.ERROR),
        (
            [Wheel(), Wheel("other-1.0-py3-none-any.whl", metadata("other"))],
            "several-projects",
            Severity.WARNING,
        ),
        (
            [Wheel(), Wheel("demo_pkg-1.1-py3-none-any.whl", metadata(version="1.1"))],
            "several-versions",
            Severity.WARNING,
        ),
        (
            [Sdist(), Wheel(metadata=metadata(fields=[("Requires-Python", ">=3.11")]))],
            "release-metadata-differs",
            Severity.WARNING,
        ),
    ],
)
def test_sets_that_contradict_themselves(
    tmp_path: Path, files: list[Wheel | Sdist], rule: str, severity: Severity
) -> None:
    put(tmp_path, *files)
    problem = check(tmp_path)[rule]
    assert (problem.filename, problem.severity) == (None, severity)
    put(tmp_path / "single", files[0])
    assert rule not in check(tmp_path / "single")


def test_what_an_sdist_calls_dynamic_may_differ(tmp_path: Path) -> None:
    sdist = Sdist(metadata=metadata(fields=[("Dynamic", "Requires-Dist"), ("Dynamic", "Classifier")]))
    wheel = Wheel(metadata=metadata(fields=[("Requires-Dist", "other"), ("Classifier", "Typing :: Typed")]))
    put(tmp_path, sdist, wheel)
    assert check(tmp_path) == {}


def test_an_sdist_with_old_metadata_promises_nothing(tmp_path: Path) -> None:
    put(tmp_path, Sdist(metadata=metadata(metadata_version="2.1", fields=[("Summary", "a")])), Wheel())
    assert check(tmp_path) == {}


def test_strict_makes_warnings_errors_and_leaves_notes(tmp_path: Path) -> None:
    put(tmp_path, Wheel(wheel_file=b""))
    (tmp_path / "README.md").write_text("x")
    (tmp_path / ".DS_Store").write_text("x")
    plain, strict = check(tmp_path), check(tmp_path, strict=True)
    assert {rule: problem.severity for rule, problem in plain.items()} == {
        "wheel-file-invalid": Severity.WARNING,
        "file-stray": Severity.WARNING,
        "file-companion": Severity.NOTE,
    }
    assert {rule: problem.severity for rule, problem in strict.items()} == {
        "wheel-file-invalid": Severity.ERROR,
        "file-stray": Severity.ERROR,
        "file-companion": Severity.NOTE,
    }


def test_without_verify_metadata_that_family_is_off_and_says_so(tmp_path: Path) -> None:
    put(tmp_path, Wheel(metadata=metadata(fields=[("Summary", "x" * 600), ("Nonsense", "x")])))
    assert {"metadata-summary", "metadata-unknown-field"} == check(tmp_path).keys()
    found = check(tmp_path, verify_metadata=False)
    assert {rule: problem.severity for rule, problem in found.items()} == {"metadata-unverified": Severity.NOTE}


def test_pypis_own_rules_weigh_less_elsewhere(tmp_path: Path) -> None:
    name = "demo_pkg-1.0+cu12-cp313-cp313-linux_x86_64.whl"
    put(tmp_path, Wheel(name, metadata(version="1.0+cu12", fields=[("Summary", "x" * 600)])))
    assert {rule for rule, problem in check(tmp_path).items() if problem.severity is Severity.ERROR} == {
        "platform-tag",
        "filename-local-version",
        "metadata-summary",
    }
    elsewhere = check(tmp_path, GENERIC)
    assert {rule: problem.severity for rule, problem in elsewhere.items()} == {"metadata-summary": Severity.WARNING}
    both = check(tmp_path, [IndexProfile.GENERIC, IndexProfile.PYPI])
    assert both["platform-tag"].severity is Severity.ERROR


def test_problems_come_by_file_the_worst_first_and_those_of_the_set_last(tmp_path: Path) -> None:
    put(tmp_path, Wheel("a-1.0-py3-none-any.whl", metadata("a"), wheel_file=b"", patch=appended(b"x")))
    put(tmp_path, Wheel("b-1.0-py3-none-any.whl", metadata("b"), wheel_file=None))
    distributions = LocalDistributions()
    problems = distributions.check(distributions.collect([str(tmp_path)]), PYPI)
    assert [(each.filename, each.rule) for each in problems] == [
        ("a-1.0-py3-none-any.whl", "zip-surrounding-data"),
        ("a-1.0-py3-none-any.whl", "wheel-file-invalid"),
        ("b-1.0-py3-none-any.whl", "wheel-file-missing"),
        (None, "several-projects"),
    ]


def test_a_rule_speaks_a_few_times_and_then_counts(tmp_path: Path) -> None:
    text = "[x]\n" + "".join(f"n{number} = not/an/object\n" for number in range(9))
    put(tmp_path, Wheel(entry_points=text.encode()))
    distributions = LocalDistributions()
    problems = distributions.check(distributions.collect([str(tmp_path)]), PYPI)
    assert len(problems) == 5
    assert problems[-1].message.endswith("(and 4 more like this)")


def test_a_large_unpacked_archive_is_looked_at_in_part_with_a_note(tmp_path: Path) -> None:
    # Noise keeps the ratio below that of a bomb.
    noise = os.urandom(3 << 20)
    put(tmp_path, Wheel(members=(("a.bin", noise), ("b.bin", bytes(90 << 20)))))
    found = check(tmp_path)
    assert {rule: problem.severity for rule, problem in found.items()} == {"archive-partly-read": Severity.NOTE}


def test_files_over_the_default_limit_are_a_warning(tmp_path: Path) -> None:
    members = (("a.bin", bytes(101 << 20)),)
    put(tmp_path, Wheel(members=members, method="stored"))
    found = check(tmp_path)
    assert found["size-limit"].severity is Severity.WARNING
    assert "100 MiB" in found["size-limit"].message
    assert "size-limit" not in check(tmp_path, GENERIC)


def test_a_member_without_a_name_is_no_crash(tmp_path: Path) -> None:
    put(tmp_path, Wheel(members=(("", b"x"),)))
    assert check(tmp_path) == {}


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


def test_sdists_with_old_metadata_alone_have_nothing_to_compare(tmp_path: Path) -> None:
    put(tmp_path, Sdist(metadata=metadata(metadata_version="2.1")))
    assert check(tmp_path) == {}


def test_a_local_version_is_told_also_where_the_metadata_rules_are_off(tmp_path: Path) -> None:
    make_wheel(tmp_path, version="1.0+cu12")
    for verify_metadata in (True, False):
        local = LocalDistributions(verify_metadata=verify_metadata)
        problems = local.check(local.collect([str(tmp_path)]), [IndexProfile.PYPI])
        assert [each.rule for each in problems if each.severity is Severity.ERROR] == ["filename-local-version"]
        elsewhere = local.check(local.collect([str(tmp_path)]), [IndexProfile.GENERIC])
        assert not [each for each in elsewhere if each.severity is Severity.ERROR]


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


def test_a_fault_of_ours_about_one_file_does_not_hide_the_others(tmp_path: Path) -> None:
    (tmp_path / Wheel().filename).write_bytes(Wheel(record=b"").build())
    local = LocalDistributions()
    collection = local.collect([str(tmp_path)])
    (file,) = collection.distributions
    odd = replace(file, path=Path("a\0b"), filename="odd-1.0-py3-none-any.whl")
    problems = local.check(Collection((odd, file)), [IndexProfile.PYPI])
    assert ("odd-1.0-py3-none-any.whl", "check-incomplete") in {(each.filename, each.rule) for each in problems}
    assert (Wheel().filename, "record-mismatch") in {(each.filename, each.rule) for each in problems}


def advice(tmp_path: Path, rule: str, file: Wheel) -> str:
    (tmp_path / file.filename).write_bytes(file.build())
    local = LocalDistributions()
    problems = local.check(local.collect([str(tmp_path)]), [IndexProfile.PYPI])
    (found,) = [problem for problem in problems if problem.rule == rule]
    return found.advice


@pytest.mark.parametrize(
    ("tag", "words"),
    [
        ("linux_x86_64", "auditwheel"),
        ("manylinux_2_17_amd64", "manylinux_2_28_x86_64"),
        ("win64", "win_amd64"),
        ("darwin_arm64", "macosx_11_0_arm64"),
        ("any (1)", "Restore the file's name"),
        ("none", "`any`"),
        ("pyodide_2024_0_wasm32", "pyemscripten"),
    ],
)
def test_advice_about_a_platform_tag_fits_the_tag(tmp_path: Path, tag: str, words: str) -> None:
    found = advice(tmp_path, "platform-tag", Wheel(f"demo_pkg-1.0-cp313-cp313-{tag}.whl"))
    assert words in found
    assert ("auditwheel" in found) is ("linux" in tag)


@pytest.mark.parametrize(
    ("rule", "fields", "words"),
    [
        ("metadata-license", [("License", "MIT"), ("License-Expression", "MIT")], "Keep only"),
        ("metadata-license", [("License-Expression", "Mitt")], "spdx.org"),
        ("metadata-license", [("License-File", "../LICENSE")], "license-files"),
        ("metadata-classifier", [("Classifier", "typing::Typed")], "`Typing :: Typed`"),
        ("metadata-classifier", [("Classifier", "Natural Language :: Ukranian")], "Replace it"),
    ],
)
def test_advice_about_metadata_fits_the_cause(
    tmp_path: Path, rule: str, fields: list[tuple[str, str]], words: str
) -> None:
    assert words in advice(tmp_path, rule, Wheel(metadata=metadata(fields=fields)))


def test_allowed_values_are_sorted(tmp_path: Path) -> None:
    file = Wheel(metadata=metadata(fields=[("Description-Content-Type", "text/html")], body="x"))
    (tmp_path / file.filename).write_bytes(file.build())
    local = LocalDistributions()
    problems = local.check(local.collect([str(tmp_path)]), [IndexProfile.PYPI])
    (found,) = [problem for problem in problems if problem.rule == "metadata-content-type"]
    assert "['text/markdown', 'text/plain', 'text/x-rst']" in found.message
