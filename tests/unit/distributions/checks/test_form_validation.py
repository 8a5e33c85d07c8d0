"""Metadata that the libraries cannot read is a fault of its file; the other files are checked."""

import sys
from pathlib import Path
from types import FrameType

import pytest

from ci_publish.distributions.checks.form_validation import MAX_DIGITS, MAX_GROUPS, validate_upload_form
from ci_publish.distributions.local import LocalDistributions
from ci_publish.errors import Terminated
from ci_publish.model.index import IndexProfile
from tests.corpus.build import Wheel, metadata
from tests.distributions import make_wheel
from tests.unit.distributions.checked_folders import advice

FORM = {"metadata_version": ["2.4"], "name": ["demo"], "version": ["1.0"]}
DIGITS = "1" * 5_000
NESTED = "(" * 3_000


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("version", DIGITS, "metadata-invalid-version"),
        ("version", f"1.0.{'1' * (MAX_DIGITS - 10)}", None),
        ("metadata_version", f"2.{DIGITS}", "metadata-version"),
        ("requires_dist", f"a; {NESTED}", "metadata-dependency"),
        ("requires_dist", f"a; {'(' * MAX_GROUPS}python_version<'3'{')' * MAX_GROUPS}", None),
        ("requires_dist", f"a>={DIGITS}", "metadata-dependency"),
        ("provides_dist", f"a; {NESTED}", "metadata-dependency"),
        ("requires_python", f">={DIGITS}", "metadata-requires-python"),
        ("author_email", NESTED, "metadata-email"),
        ("license_expression", NESTED, "metadata-license"),
        ("description_content_type", NESTED, "metadata-content-type"),
        ("import_name", "a" * 5_000, "metadata-import-name"),
        ("requires_dist", f"a; extra == '{'b' * 19_900}'", None),
        ("requires_dist", f"a; extra == '{'b' * 20_000}'", "metadata-dependency"),
    ],
)
def test_a_value_that_no_library_reads(field: str, value: str, rule: str | None) -> None:
    found = {fault.rule for fault in validate_upload_form({**FORM, field: [value]})}
    assert found == ({rule} if rule else set())


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("version", [DIGITS]),
        ("version", ["1.0", "1.1"]),
        ("metadata_version", [f"2.{DIGITS}"]),
        ("metadata_version", ["2.1", "2.2"]),
    ],
)
def test_a_value_that_cannot_be_read_is_not_reported_as_missing_too(field: str, values: list[str]) -> None:
    assert len(validate_upload_form({**FORM, field: values})) == 1


def test_the_other_files_are_judged(tmp_path: Path) -> None:
    good = make_wheel(tmp_path, "good")
    bad = make_wheel(tmp_path, "bad", extra=f"Requires-Dist: a; {NESTED}\n")
    distributions = LocalDistributions(max_workers=1)
    collection = distributions.collect([str(good), str(bad)])
    problems = distributions.check(collection, [IndexProfile.PYPI])
    assert len(collection.distributions) == 2
    assert {problem.filename for problem in problems if problem.severity == "error"} == {bad.name}


@pytest.mark.parametrize("function", ["_read_metadata_content", "core_metadata_form_fields", "_render_rst"])
def test_a_run_that_is_stopped_is_no_fault_of_a_file(tmp_path: Path, function: str) -> None:
    """A signal's error is raised anywhere in the main thread; a profile function plays the signal."""
    file = make_wheel(tmp_path, "good", extra="\nwords, and a `link <https://example.org>`_\n")
    distributions = LocalDistributions(max_workers=1)

    def stop(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code.co_name == function:
            raise Terminated("stopped")

    sys.setprofile(stop)
    try:
        with pytest.raises(Terminated):
            distributions.check(distributions.collect([str(file)]), [IndexProfile.PYPI])
    finally:
        sys.setprofile(None)


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
