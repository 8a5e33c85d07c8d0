"""The receipt as the only text on a stream."""

import io
import json

from ci_publish.reports.json import JsonReport
from tests.unit.reports.recorded_runs import a_conflict


def test_the_json_report_is_one_document_and_nothing_else() -> None:
    stream = io.StringIO()
    report = JsonReport(stream)
    for event in a_conflict():
        report(event)
    report.close()
    assert json.loads(stream.getvalue())["exit_code"] == 8
    assert stream.getvalue().count('"schema_version"') == 1
