"""The rules and the rehearsal's index check the same files: they differ only where docs/rehearsal.md says so."""

import os
from pathlib import Path
from typing import Any

import pytest

from ci_publish.distributions.checks.rules import Stage
from ci_publish.distributions.checks.table import RULES
from ci_publish.distributions.local import LocalDistributions
from ci_publish.model.core_metadata_form import core_metadata_form_fields
from ci_publish.model.index import IndexProfile
from ci_publish.model.problem import UNDECIDED_RULES, Problem, Severity
from ci_publish.rehearsal.upload_validation import server_refusal_of_file
from tests.corpus.generated import Drawn, drawn
from tests.unit.rehearsal.served_index import served_index

STRESS = os.environ.get("CI_PUBLISH_STRESS") == "1"
COUNT = 2_000 if STRESS else 200
SLICES = 10
# Rules of PyPI that also find what PyPI stores without a word: a damaged member that is no code, for example.
PARTLY_OURS = {"archive-damaged-member", "filename-wheel", "zip-mismatched-headers", "sdist-damaged"}
# Found in a file that names no project or version: nobody could send a form for it, so a usual one is sent.
NO_FORM = {"metadata-name", "metadata-invalid-version"}
OURS = PARTLY_OURS | {rule.id for rule in RULES.values() if rule.stage is Stage.NEVER}


def rules_say(folder: Path) -> tuple[tuple[Problem, ...], dict[str, list[str]]]:
    """Return what the rules find, and the form that a client would send: a usual one for unreadable metadata."""
    distributions = LocalDistributions(max_workers=1)
    collection = distributions.collect([str(folder)])
    problems = distributions.check(collection, [IndexProfile.PYPI])
    if not collection.distributions:
        return problems, {"name": ["demo-pkg"], "version": ["1.0"]}
    (found,) = collection.distributions
    form: dict[str, list[str]] = {"pyversion": [found.python_tag or "py3"]}
    for name, value in core_metadata_form_fields(found.metadata):
        form.setdefault(name, []).append(value)
    return problems, form


def index_says(folder: Path, file: Drawn, form: dict[str, list[str]]) -> tuple[int, str]:
    with served_index(folder, validate_file=server_refusal_of_file) as world:
        path = folder / "dist" / file.filename
        fields: dict[str, Any] = {"summary": None, "requires_python": None, **form}
        answer = world.upload(path, **fields)
        return answer.status_code, answer.status


@pytest.mark.parametrize("part", range(SLICES))
def test_both_judge_alike(part: int, tmp_path: Path) -> None:
    compared = refused = 0
    for file in drawn(COUNT):
        if file.seed % SLICES != part:
            continue
        folder = tmp_path / str(file.seed)
        (folder / "dist").mkdir(parents=True)
        (folder / "dist" / file.filename).write_bytes(file.content)
        problems, form = rules_say(folder / "dist")
        errors = {problem.rule for problem in problems if problem.severity is Severity.ERROR}
        undecided = {problem.rule for problem in problems} & UNDECIDED_RULES
        status, words = index_says(folder, file, form)
        compared += 1
        if status == 200:
            assert errors <= OURS or errors <= NO_FORM, (file.seed, file.filename, words, errors)
            assert not undecided, (file.seed, file.filename, words)
        else:
            refused += 1
            assert errors or undecided, (file.seed, file.filename, words)
    assert compared == COUNT // SLICES
    assert 0 < refused < compared


def test_the_corpus_is_the_same_each_time() -> None:
    assert list(drawn(20)) == list(drawn(20))
