"""Files that are written whatever the front end is."""

import json
from dataclasses import replace
from pathlib import Path

from ci_publish.app.file_reports import files_reported
from ci_publish.app.front_end_wording import FrontEnd, FrontEndWording
from ci_publish.app.runtime_context import RuntimeContext
from ci_publish.app.settings import Settings
from ci_publish.app.settings_sources import load_settings
from ci_publish.model.events import Event, Noted, Outcome, RunFinished, RunStarted
from ci_publish.model.identity import Secret


def reported(settings: Settings, *events: Event, secret: Secret | None = None) -> tuple[list[Event], list[Secret]]:
    """Emit *events* through the files that *settings* ask for; return what the listener heard and was told to mask."""
    heard: list[Event] = []
    masked: list[Secret] = []
    context = replace(RuntimeContext(environ={}, emit=heard.append), mask=masked.append)
    with files_reported(
        settings=settings,
        loaded=load_settings({}, {}, Path("none.toml")),
        reader=FrontEndWording(FrontEnd.COMMAND_LINE, "check"),
        context=context,
    ) as reporting:
        if secret is not None:
            reporting.mask(secret)
        for event in events:
            reporting.emit(event)
    return heard, masked


def finished(message: str = "") -> tuple[Event, ...]:
    return (
        RunStarted(command="check", time=1.0),
        Noted(slug="n", message=message),
        RunFinished(outcome=Outcome.CHECKED, exit_code=0, time=2.0),
    )


def test_a_receipt_is_written_and_the_listener_hears_everything(tmp_path: Path) -> None:
    heard, _ = reported(Settings(receipt=tmp_path / "receipt.json"), *finished("hello"))
    assert json.loads((tmp_path / "receipt.json").read_text())["outcome"] == "checked"
    assert [type(event) for event in heard] == [type(event) for event in finished()]


def test_a_folder_gets_the_reports_of_gitlab(tmp_path: Path) -> None:
    reported(Settings(reports_dir=tmp_path), *finished())
    assert {path.name for path in tmp_path.iterdir()} == {"publish.env", "junit.xml", "summary.md"}


def test_a_secret_is_redacted_in_the_files_and_masked_by_the_front_end(tmp_path: Path) -> None:
    secret = Secret("hunter2-hunter2")
    _, masked = reported(Settings(receipt=tmp_path / "r.json"), *finished("it is hunter2-hunter2"), secret=secret)
    assert "hunter2-hunter2" not in (tmp_path / "r.json").read_text()
    assert masked == [secret]


def test_nothing_is_written_where_nothing_is_asked_for(tmp_path: Path) -> None:
    heard, _ = reported(Settings(), *finished())
    assert list(tmp_path.iterdir()) == []
    assert len(heard) == 3


def test_what_cannot_be_written_is_told_with_the_option_as_the_front_end_spells_it(tmp_path: Path) -> None:
    heard, _ = reported(Settings(receipt=tmp_path), *finished())
    notes = [event for event in heard if isinstance(event, Noted) and event.slug == "receipt-not-written"]
    assert [note.hints for note in notes] == [("Specify a file that this job may write to: --receipt FILE",)]
