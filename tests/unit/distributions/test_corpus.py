"""Every rule against the corpus: what it says, and what PyPI's server would answer."""

from pathlib import Path

import pytest

from ci_publish.distributions.checks import server_refusal
from ci_publish.distributions.checks.server_response import read_checked_file, server_faults
from ci_publish.distributions.checks.table import FAMILIES, Family, refusal_of
from ci_publish.distributions.local import LocalDistributions
from ci_publish.distributions.metadata import parse_metadata
from ci_publish.model.core_metadata_form import form_fields
from ci_publish.model.index import IndexProfile
from ci_publish.model.problem import Severity
from tests.corpus.build import Wheel
from tests.corpus.cases import CASES, Case


@pytest.fixture(params=CASES, ids=lambda case: case.id)
def case(request: pytest.FixtureRequest) -> Case:
    assert isinstance(request.param, Case)
    return request.param


def upload_form(case: Case) -> dict[str, tuple[str, ...]]:
    """The form that a client would send with the file."""
    text = case.file.metadata
    if text is None:
        text = (
            dict(case.file.members).get("demo_pkg-1.0/PKG-INFO")
            or b"Metadata-Version: 2.4\nName: demo-pkg\nVersion: 1.0\n"
        )
    form: dict[str, tuple[str, ...]] = {}
    for name, value in form_fields(parse_metadata(text).metadata):
        form[name] = (*form.get(name, ()), value)
    wheel = case.name.endswith(".whl")
    return {**form, "filetype": ("bdist_wheel" if wheel else "sdist",), "pyversion": ("py3" if wheel else "source",)}


def test_the_rule_speaks_about_what_breaks_it_and_about_nothing_else(case: Case, tmp_path: Path) -> None:
    (tmp_path / case.name).write_bytes(case.build())
    distributions = LocalDistributions()
    collection = distributions.collect([str(tmp_path)])
    found = {problem.rule: problem for problem in distributions.check(collection, [IndexProfile.PYPI])}
    assert (case.rule in found) is case.speaks, sorted(found)
    if case.speaks:
        assert found[case.rule].filename == case.name
        assert found[case.rule].message
        assert found[case.rule].advice
    elif case.verdict is None:
        assert [problem for problem in found.values() if problem.severity is Severity.ERROR] == []


def test_the_server_would_answer_as_the_corpus_says(case: Case, tmp_path: Path) -> None:
    path = tmp_path / "content"
    path.write_bytes(case.build())
    checked = read_checked_file(path, case.name, upload_form(case))
    refusal = refusal_of(server_faults(checked))
    if case.verdict is None:
        assert refusal is None
        return
    assert refusal is not None
    assert refusal.status == case.verdict.status
    assert refusal.message.startswith(case.verdict.begins)
    assert "\n" not in refusal.message


def test_an_index_that_plays_pypi_refuses_what_pypi_refuses(case: Case, tmp_path: Path) -> None:
    path = tmp_path / "content"
    path.write_bytes(case.build())
    refusal = server_refusal(path, case.name, upload_form(case))
    assert (refusal is not None) is (case.verdict is not None)


def test_the_corpus_has_an_accepted_and_a_refused_example_for_each_rule_about_a_file() -> None:
    rules = {rule.id for family, rows in FAMILIES.items() for rule in rows if family is not Family.SET}
    assert {case.rule for case in CASES if not case.speaks} >= rules - {"filename-extension"}
    assert {case.rule for case in CASES if case.speaks} >= rules - {"filename-extension"}


def test_every_verdict_names_its_place_in_the_servers_source() -> None:
    for case in CASES:
        if case.verdict is not None:
            assert case.verdict.source.startswith("warehouse/"), case.id


def test_the_corpus_is_the_same_each_time() -> None:
    for case in CASES[:40]:
        assert case.build() == case.build()


@pytest.mark.parametrize(
    ("filename", "filetype", "begins"),
    [
        (
            "demo_pkg-1.0-py3-none-any.WHL",
            "bdist_wheel",
            "Invalid file extension: Extension .WHL is invalid for filetype",
        ),
        (
            "demo_pkg-1.0-py3-none-any.whl",
            "sdist",
            "Invalid file extension: Extension .whl is invalid for filetype sdist",
        ),
        ("demo_pkg-1.0.exe", "bdist_wheel", "Invalid file extension: Use .tar.gz, .whl or .zip extension."),
        ("a/demo_pkg-1.0-py3-none-any.whl", "bdist_wheel", "Cannot upload a file with '/' or '\\' in the name."),
    ],
)
def test_filenames_that_no_client_of_ours_would_send(tmp_path: Path, filename: str, filetype: str, begins: str) -> None:
    path = tmp_path / "content"
    path.write_bytes(Wheel().build())
    form = {"name": ["demo-pkg"], "version": ["1.0"], "metadata_version": ["2.4"], "filetype": [filetype]}
    refusal = server_refusal(path, filename, form)
    assert refusal is not None
    assert refusal.message.startswith(begins)


@pytest.mark.parametrize(
    ("form", "begins"),
    [
        (
            {"version": ["1.0"], "metadata_version": ["2.4"]},
            "'' is an invalid value for Name. Error: This field is required.",
        ),
        ({"name": ["demo-pkg"], "metadata_version": ["2.4"]}, "'version' is a required field."),
        (
            {"name": ["demo-pkg"], "version": ["1.0"], "metadata_version": ["2.6"], "dynamic": ["Name"]},
            "'2.6' is not a valid metadata version.",
        ),
        ({"name": ["UNKNOWN"], "version": ["1.0"]}, "'' is an invalid value for Name."),
        ({"name": ["x" * 70 + "-"], "version": ["1"]}, f"'{'x' * 30}...{'x' * 29}-' is an invalid value for Name."),
        (
            {"name": ["demo-pkg"], "version": ["1.0"], "metadata_version": ["2.4"], "summary": ["a", "b"]},
            "'summary' has invalid data.",
        ),
        (
            {"name": ["demo-pkg"], "version": ["1.0"], "metadata_version": ["2.4"], "description": ["  \n "]},
            "The description failed to render in the default format of reStructuredText.",
        ),
    ],
)
def test_forms_that_no_client_of_ours_would_send(tmp_path: Path, form: dict[str, list[str]], begins: str) -> None:
    path = tmp_path / "content"
    path.write_bytes(Wheel().build())
    refusal = server_refusal(path, Wheel().filename, {**form, "filetype": ["bdist_wheel"]})
    assert refusal is not None
    assert refusal.message.startswith(begins)


def test_an_empty_upload_is_no_archive(tmp_path: Path) -> None:
    path = tmp_path / "content"
    path.write_bytes(b"")
    form = {"name": ["demo-pkg"], "version": ["1.0"], "metadata_version": ["2.4"], "filetype": ["bdist_wheel"]}
    refusal = server_refusal(path, Wheel().filename, form)
    assert refusal is not None
    assert refusal.message == "Invalid distribution file. File is not a zipfile"
