"""What events say of themselves."""

from dataclasses import replace

import pytest

from ci_publish.model.events import Planned, Tried
from ci_publish.model.index import Plan, PlannedFile, Upload
from ci_publish.model.train import Train
from tests.unit.reports.recorded_runs import WHEEL


def test_each_wave_is_a_line_where_there_are_several_projects() -> None:
    def planned(*projects: str, new: tuple[str, ...] = ()) -> Planned:
        files: tuple[PlannedFile, ...] = tuple(Upload(replace(WHEEL, project=name)) for name in projects)
        return Planned(Plan("pypi", files), Train(waves=(("core",), ("app", "cli")), requires={}), new)

    assert planned("core", "app", "cli", new=("core",)).wave_lines == ("core (new project)", "app, cli")
    assert planned("core").wave_lines == ()


@pytest.mark.parametrize(("passed", "result"), [(True, "passed"), (False, "failed")])
def test_a_trial_ends_in_a_word(*, passed: bool, result: str) -> None:
    tried = Tried("a.whl", "CPython 3.12.1", "uv 0.13.8", ("check",), (), 1.2, passed=passed)
    assert tried.result == result
