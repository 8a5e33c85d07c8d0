"""PyPI's messages in the status line and in the body."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.rehearsal.served_index import ServedIndex, served_index


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ServedIndex]:
    with served_index(tmp_path) as world:
        yield world


def test_errors_come_as_the_client_asks(world: ServedIndex) -> None:
    answers = {accept: world.upload(name="<b>", headers={"Accept": accept}) for accept in ("", "*/*", "text/plain")}

    kinds = {accept: answer.mimetype for accept, answer in answers.items()}
    assert kinds == {"": "text/plain", "*/*": "text/html", "text/plain": "text/plain"}
    assert "<b>" not in answers["*/*"].text
    assert all("'<b>' is an invalid value for Name." in answer.status for answer in answers.values())


def test_the_body_repeats_the_words(world: ServedIndex) -> None:
    content = json.loads(world.upload(protocol_version="3").get_data())

    assert content == {
        "message": "The server could not comply with the request since it is either malformed or otherwise incorrect."
        "\n\n\nUnknown protocol version.\n\n",
        "code": "400 Unknown protocol version.",
        "title": "Bad Request",
    }


def test_words_that_do_not_fit_a_status_line_are_made_to_fit(world: ServedIndex) -> None:
    answer = world.upload(name="äß€\r\nX-Evil: 1")

    assert answer.status.startswith("400 'äß?\\r\\nX-Evil: 1' is an invalid value")
    assert "X-Evil" not in answer.headers
