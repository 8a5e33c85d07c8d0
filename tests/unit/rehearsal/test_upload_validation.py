"""The check rules decide about a file."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ci_publish.distributions.faults import ServerRefusal
from ci_publish.rehearsal.index_records import Fields
from tests.unit.rehearsal.served_index import ServedIndex, served_index, words


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ServedIndex]:
    with served_index(tmp_path) as world:
        yield world


class TestFileValidation:
    def test_the_validator_reads_the_file_and_its_message_is_the_answer(self, tmp_path: Path) -> None:
        seen: list[tuple[bytes, str, Fields]] = []

        def validate_file(path: Path, filename: str, form: Fields) -> ServerRefusal:
            seen.append((path.read_bytes(), filename, form))
            return ServerRefusal(400, "Invalid distribution file. Really.")

        with served_index(tmp_path, validate_file=validate_file) as world:
            wheel = world.wheel()
            answer = world.upload(wheel)

        assert words(answer) == (400, "Invalid distribution file. Really.")
        assert [(content, filename) for content, filename, _ in seen] == [(wheel.read_bytes(), wheel.name)]
        assert dict(seen[0][2])["summary"] == "Made by a test"

    def test_a_wheel_without_metadata_is_refused_whatever_the_validator_says(self, world: ServedIndex) -> None:
        file = world.folder / "demo-1.0-py3-none-any.whl"
        file.write_bytes(b"no archive")

        status, said = words(world.upload(file))

        assert status == 400
        assert said.startswith("Wheel 'demo-1.0-py3-none-any.whl' does not contain the required METADATA file")
