"""What the table of rules makes of faults: severities, order and number."""

from pathlib import Path

from ci_publish.distributions.local import LocalDistributions
from ci_publish.model.index import IndexProfile
from ci_publish.model.problem import Severity
from tests.corpus.build import Wheel, appended, metadata
from tests.unit.distributions.checked_folders import GENERIC, PYPI, check, put


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
