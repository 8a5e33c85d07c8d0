"""A broken archive is a verdict, never a crash and never a hang."""

import os
import time
from pathlib import Path

import pytest

from ci_publish.distributions.checks.server_response import pypi_upload_refusal
from ci_publish.distributions.local import LocalDistributions
from ci_publish.model.index import IndexProfile
from tests.corpus.mutations import all_mutations

STRESS = os.environ.get("CI_PUBLISH_STRESS") == "1"
COUNT = 5_000 if STRESS else 300
SLICES = 10
LONGEST_SECONDS = 5.0


@pytest.mark.parametrize("part", range(SLICES))
def test_every_mutation_gets_a_verdict(part: int, tmp_path: Path) -> None:
    distributions = LocalDistributions(max_workers=1)
    verdicts = 0
    for seed, filename, data in all_mutations(COUNT):
        if seed % SLICES != part:
            continue
        path = tmp_path / filename
        path.write_bytes(data)
        start = time.perf_counter()
        collection = distributions.collect([str(path)])
        problems = distributions.check(collection, [IndexProfile.PYPI])
        assert len(collection.distributions) == 1 or problems, seed
        assert all(problem.message and problem.advice for problem in problems), seed
        assert time.perf_counter() - start < LONGEST_SECONDS, seed
        verdicts += 1
        path.unlink()
    assert verdicts == COUNT // SLICES


@pytest.mark.parametrize("part", range(SLICES))
def test_what_an_index_that_plays_pypi_refuses_is_never_silently_published(part: int, tmp_path: Path) -> None:
    """Whatever the server rejects for good, `check` has called an error before."""
    distributions = LocalDistributions(max_workers=1)
    form = {"name": ["demo-pkg"], "version": ["1.0"], "metadata_version": ["2.4"], "license_file": ["LICENSE"]}
    for seed, filename, data in all_mutations(COUNT):
        if seed % SLICES != part:
            continue
        path = tmp_path / filename
        path.write_bytes(data)
        kind = "bdist_wheel" if filename.endswith(".whl") else "sdist"
        refusal = pypi_upload_refusal(path, filename, {**form, "filetype": [kind]})
        problems = distributions.check(distributions.collect([str(path)]), [IndexProfile.PYPI])
        errors = [problem for problem in problems if problem.severity == "error"]
        assert refusal is None or errors, seed
        path.unlink()
