"""What an index keeps survives it: another run in the same folder finds it again."""

import subprocess
import sys
from pathlib import Path

import pytest

from ci_publish.errors import ConfigurationError
from ci_publish.rehearsal.index_records import ProjectCreated
from ci_publish.rehearsal.storage import RehearsalStorage
from tests.unit.rehearsal.served_index import served_index


def test_a_second_run_finds_what_the_first_one_stored(tmp_path: Path) -> None:
    with served_index(tmp_path) as first:
        wheel, sdist, old = first.wheel(), first.sdist(), first.wheel(version="0.9")
        for path in (wheel, sdist, old):
            first.upload(path, description="# Words", description_content_type="text/markdown")
        first.index.yank("demo", "1.0", "why")
        first.index.set_status("demo", "archived")
        first.index.delete_file(old.name)
        first.index.set_release_age("demo", "1.0", 20)
        before = first.index.state
    with served_index(tmp_path) as second:
        assert second.index.state == before
        assert second.index.path_of(wheel.name).read_bytes() == wheel.read_bytes()
        assert second.detail()["files"][0]["yanked"] == "why"


def test_a_line_that_a_crash_cut_off_counts_for_nothing(tmp_path: Path) -> None:
    storage = RehearsalStorage(tmp_path)
    storage.record_events(ProjectCreated("first", 1.0))
    with (tmp_path / "journal.jsonl").open("a", encoding="utf-8") as journal:
        journal.write('{"event": "Proj')
    storage.close()

    again = RehearsalStorage(tmp_path)
    again.record_events(ProjectCreated("second", 2.0))
    again.close()

    assert list(RehearsalStorage(tmp_path).state.projects) == ["first", "second"]


def test_what_was_still_arriving_is_thrown_away(tmp_path: Path) -> None:
    incoming = RehearsalStorage(tmp_path).open_incoming_file()
    incoming.write(b"half a fi")
    incoming.close()

    RehearsalStorage(tmp_path)

    assert list((tmp_path / "incoming").iterdir()) == []


def test_a_received_file_is_hashed_while_it_arrives(tmp_path: Path) -> None:
    incoming = RehearsalStorage(tmp_path).open_incoming_file()
    incoming.write(b"ab")
    incoming.write(b"c")
    incoming.seek(0)

    assert incoming.read() == b"abc"
    received = incoming.finish_and_describe()
    assert received.size == 3
    assert received.md5 == "900150983cd24fb0d6963f7d28e17f72"
    assert received.sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert received.blake2_256 == "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319"


def test_a_folder_that_cannot_be_used_is_the_users_mistake(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()

    with pytest.raises(ConfigurationError, match="cannot keep its index in"):
        RehearsalStorage(file)


@pytest.mark.parametrize("line", ["rubbish", "[]", "{}", '{"event": "Nothing"}', '{"event": "ProjectCreated"}'])
def test_a_journal_that_is_none_is_left_alone(tmp_path: Path, line: str) -> None:
    journal = tmp_path / "journal.jsonl"
    journal.write_text(f"{line}\n", encoding="utf-8")

    with pytest.raises(ConfigurationError, match="is not the journal of a rehearsal's index"):
        RehearsalStorage(tmp_path)

    assert journal.read_text(encoding="utf-8") == f"{line}\n"


def test_nothing_is_deleted_in_somebodys_folder(tmp_path: Path) -> None:
    (tmp_path / "incoming").mkdir()
    mine = tmp_path / "incoming" / "mine.txt"
    mine.write_text("precious", encoding="utf-8")

    with pytest.raises(ConfigurationError, match="contains files that are not part of a rehearsal's index"):
        RehearsalStorage(tmp_path)

    assert mine.read_text(encoding="utf-8") == "precious"


def test_a_folder_in_which_nothing_was_published_is_taken_again(tmp_path: Path) -> None:
    RehearsalStorage(tmp_path / "new" / "folder")

    assert RehearsalStorage(tmp_path / "new" / "folder").state.serial == 0


_TRY = """
import sys
from pathlib import Path
from ci_publish.errors import ConfigurationError
from ci_publish.rehearsal.storage import RehearsalStorage
try:
    RehearsalStorage(Path(sys.argv[1]))
except ConfigurationError as error:
    sys.exit(error.summary)
"""


def test_a_second_process_is_refused_while_the_first_one_runs(tmp_path: Path) -> None:
    def second() -> tuple[int, str]:
        command = [sys.executable, "-c", _TRY, str(tmp_path)]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        return ended.returncode, ended.stderr.strip()

    storage = RehearsalStorage(tmp_path)
    incoming = storage.open_incoming_file()
    incoming.write(b"still arriving")

    assert second() == (1, f"Another rehearsal uses {tmp_path}.")
    assert incoming.finish_and_describe().path.read_bytes() == b"still arriving"
    storage.close()
    assert second() == (0, "")
