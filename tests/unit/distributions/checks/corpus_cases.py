"""The corpus of example files by family of rules, and what is expected of each file."""

from pathlib import Path

from ci_publish.distributions.checks.server_response import pypi_upload_refusal
from ci_publish.distributions.checks.table import FAMILIES, Family
from ci_publish.distributions.core_metadata import parse_core_metadata
from ci_publish.distributions.local import LocalDistributions
from ci_publish.model.core_metadata_form import core_metadata_form_fields
from ci_publish.model.index import IndexProfile
from ci_publish.model.problem import Severity
from tests.corpus.cases import CASES, Case


def cases_of(family: Family) -> list[Case]:
    """The corpus cases of the rules of a family."""
    rules = {rule.id for rule in FAMILIES[family]}
    return [case for case in CASES if case.rule in rules]


def upload_form(case: Case) -> dict[str, tuple[str, ...]]:
    """The form that a client would send with the file."""
    text = case.file.metadata
    if text is None:
        text = (
            dict(case.file.members).get("demo_pkg-1.0/PKG-INFO")
            or b"Metadata-Version: 2.4\nName: demo-pkg\nVersion: 1.0\n"
        )
    form: dict[str, tuple[str, ...]] = {}
    for name, value in core_metadata_form_fields(parse_core_metadata(text).metadata):
        form[name] = (*form.get(name, ()), value)
    wheel = case.name.endswith(".whl")
    return {**form, "filetype": ("bdist_wheel" if wheel else "sdist",), "pyversion": ("py3" if wheel else "source",)}


def expect_rule(case: Case, folder: Path) -> None:
    """The rule reports what breaks it, and no error is reported for an accepted file."""
    (folder / case.name).write_bytes(case.build())
    distributions = LocalDistributions()
    collection = distributions.collect([str(folder)])
    found = {problem.rule: problem for problem in distributions.check(collection, [IndexProfile.PYPI])}
    assert (case.rule in found) is case.speaks, sorted(found)
    if case.speaks:
        assert found[case.rule].filename == case.name
        assert found[case.rule].message
        assert found[case.rule].advice
    elif case.verdict is None:
        assert [problem for problem in found.values() if problem.severity is Severity.ERROR] == []


def expect_response(case: Case, folder: Path) -> None:
    """An index that simulates PyPI rejects what PyPI refuses, with PyPI's words."""
    path = folder / "content"
    path.write_bytes(case.build())
    refusal = pypi_upload_refusal(path, case.name, upload_form(case))
    if case.verdict is None:
        assert refusal is None
        return
    assert refusal is not None
    assert refusal.status == case.verdict.status
    assert refusal.message.startswith(case.verdict.begins)
    assert "\n" not in refusal.message
