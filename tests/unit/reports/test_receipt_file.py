import io
import json
import os
from pathlib import Path

from ci_publish.model.events import Event, Noted
from ci_publish.model.identity import Secret
from ci_publish.reports.json import JsonReport
from ci_publish.reports.masking import Masker
from ci_publish.reports.receipt_file import ReceiptFile
from tests.unit.reports.recorded_runs import a_conflict, a_good_run, every_event


def ignore(_event: Event) -> None:
    """Take an event and forget it."""


def test_the_file_is_written_whole_and_its_folders_made(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "receipt.json"
    report = ReceiptFile(path, ignore)
    for event in a_good_run():
        report(event)
    report.close()
    assert json.loads(path.read_text(encoding="ascii"))["outcome"] == "published"
    assert os.listdir(path.parent) == ["receipt.json"]  # noqa: PTH208  (dot files, too)


def test_a_run_that_is_cut_off_leaves_a_receipt_when_it_is_closed(tmp_path: Path) -> None:
    report = ReceiptFile(tmp_path / "r.json", ignore)
    for event in a_good_run()[:-1]:
        report(event)
    report.close()
    document = json.loads((tmp_path / "r.json").read_text(encoding="ascii"))
    assert (document["outcome"], document["exit_code"]) == ("interrupted", None)


def test_a_receipt_that_cannot_be_written_is_a_warning_once(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    heard: list[Event] = []
    report = ReceiptFile(tmp_path / "file" / "receipt.json", heard.append)
    for event in a_conflict():
        report(event)
    report.close()
    assert [event.slug for event in heard if isinstance(event, Noted)] == ["receipt-not-written"]
    assert len(heard) == 1


def test_no_secret_reaches_a_receipt(tmp_path: Path) -> None:
    masker, stream = Masker(io.StringIO(), on=False), io.StringIO()
    masker.mask(Secret("s3cr3t-token"))
    on_stdout = JsonReport(stream, redact=masker.redact)
    in_file = ReceiptFile(tmp_path / "r", ignore, redact=masker.redact)
    for event in every_event("https://user:s3cr3t-token@host/"):
        on_stdout(event)
        in_file(event)
    document = json.loads(stream.getvalue())
    told = (document["error"], document["problems"][0]["message"], document["indexes"][0]["repository_url"])
    assert "s3cr3t" not in str(told)
    assert (tmp_path / "r").read_text(encoding="ascii") == stream.getvalue()
