"""Rules about the files of a run together."""

from pathlib import Path

import pytest

from ci_publish.model.problem import Severity
from tests.corpus.build import Sdist, Wheel, metadata
from tests.unit.distributions.checked_folders import check, put


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
