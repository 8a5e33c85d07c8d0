import hashlib
import os
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from ci_publish.http.messages import BodyChanged, BodyWithdrawn
from ci_publish.index.upload_api import Framing
from ci_publish.index.upload_body import BLOCK, HELD_BACK, LONGEST_PAUSE, PULSE, FormBody, hashed_file_md5
from ci_publish.model.completion import Permission
from ci_publish.model.distribution import Digests
from tests.platforms import needs_fifos
from tests.unit.index.scripted_index import make_file

FRAMING = Framing(b"head:", b":tail", "multipart/form-data; boundary=x")


@pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK, 3 * BLOCK + 7])
def test_the_whole_file_is_sent_again_and_again(tmp_path: Path, size: int) -> None:
    content = os.urandom(size)
    told: list[int] = []
    body = FormBody(distribution=make_file(tmp_path, content), framing=FRAMING, progress=told.append)
    assert body.content_type == FRAMING.content_type
    for _ in range(2):
        told.clear()
        blocks = list(body)
        assert b"".join(blocks) == b"head:" + content + b":tail"
        assert max(map(len, blocks)) <= 2 * BLOCK + len(FRAMING.head) + len(FRAMING.tail)
        assert told == sorted(told)
        assert told[-1] == body.length == size + 10


def test_a_small_form_is_one_block(tmp_path: Path) -> None:
    assert len(list(FormBody(distribution=make_file(tmp_path), framing=FRAMING, progress=lambda _: None))) == 1


@pytest.mark.parametrize("size", [0, 10, BLOCK, 2 * BLOCK + 5])
def test_bytes_with_another_digest_never_arrive_whole(tmp_path: Path, size: int) -> None:
    content = os.urandom(size)
    file = replace(make_file(tmp_path, content), digests=Digests(hashlib.sha256(b"what was signed").hexdigest()))
    sent: list[bytes] = []
    with pytest.raises(BodyChanged, match="content is not what was hashed"):
        sent.extend(FormBody(distribution=file, framing=FRAMING, progress=lambda _: None))
    blocks: list[bytes] = []
    body = iter(FormBody(distribution=file, framing=FRAMING, progress=lambda _: None))
    with pytest.raises(BodyChanged):
        blocks.extend(iter(lambda: next(body), None))
    assert FRAMING.tail not in b"".join(blocks)
    assert len(b"".join(blocks)) < len(FRAMING.head) + max(size, 1)


def test_a_file_that_was_written_to(tmp_path: Path) -> None:
    file = make_file(tmp_path)
    os.utime(file.path, ns=(0, 0))
    with pytest.raises(BodyChanged, match="replaced or modified"):
        list(FormBody(distribution=file, framing=FRAMING, progress=lambda _: None))


def test_a_file_that_was_cut_short_while_it_was_read(tmp_path: Path) -> None:
    file = make_file(tmp_path, os.urandom(5 * BLOCK))
    body = iter(FormBody(distribution=file, framing=FRAMING, progress=lambda _: None))
    next(body)
    os.truncate(file.path, 2 * BLOCK)
    with pytest.raises(BodyChanged, match="not what was hashed"):
        list(body)


def test_a_file_that_is_gone(tmp_path: Path) -> None:
    file = make_file(tmp_path)
    file.path.unlink()
    with pytest.raises(
        BodyChanged, match=r"demo-1\.0-py3-none-any\.whl changed after it was hashed: it cannot be read"
    ):
        list(FormBody(distribution=file, framing=FRAMING, progress=lambda _: None))


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    file = make_file(tmp_path)
    real = file.path.rename(tmp_path / "real")
    file.path.symlink_to(real)
    with pytest.raises(BodyChanged, match="cannot be read"):
        list(FormBody(distribution=file, framing=FRAMING, progress=lambda _: None))


@needs_fifos
def test_a_pipe_in_its_place_does_not_hang(tmp_path: Path) -> None:
    file = make_file(tmp_path)
    file.path.unlink()
    os.mkfifo(file.path)
    with pytest.raises(BodyChanged, match="no longer a regular file"):
        list(FormBody(distribution=file, framing=FRAMING, progress=lambda _: None))


def test_md5(tmp_path: Path) -> None:
    assert hashed_file_md5(make_file(tmp_path, b"")) == "d41d8cd98f00b204e9800998ecf8427e"


@dataclass
class Turn:
    """A turn that comes after *refusals*, and writes down what is asked of it."""

    refusals: int
    last: Permission = Permission.GRANTED
    asked: list[float] = field(default_factory=list)
    insisted: bool = False

    def wait(self, seconds: float) -> Permission:
        self.asked.append(seconds)
        return Permission.NOT_YET if len(self.asked) <= self.refusals else self.last

    def begin_without_permission(self) -> None:
        self.insisted = True

    def end(self) -> None:
        raise AssertionError("who sends the request ends the turn")

    def may_have_collided(self) -> bool:
        raise AssertionError("who reads the answer knows that")


LONG_TAIL = Framing(b"head:", b"\r\n--a boundary of the usual length--\r\n", "multipart/form-data; boundary=x")


@pytest.mark.parametrize("size", [0, 1, 3 * BLOCK + 7])
def test_the_last_bytes_wait_for_their_turn_and_trickle_meanwhile(tmp_path: Path, size: int) -> None:
    content = os.urandom(size)
    turn, told = Turn(refusals=3), list[int]()
    blocks = list(
        FormBody(distribution=make_file(tmp_path, content), framing=LONG_TAIL, progress=told.append, turn=turn)
    )
    assert b"".join(blocks) == LONG_TAIL.head + content + LONG_TAIL.tail
    assert [len(block) for block in blocks[-3:]] == [1, 1, HELD_BACK - 2]
    assert turn.asked == [0, PULSE, PULSE, PULSE]
    assert not turn.insisted
    assert told[-1] == sum(map(len, blocks))


def test_a_turn_that_does_not_come_is_taken_in_the_end(tmp_path: Path) -> None:
    turn = Turn(refusals=1000)
    blocks = list(FormBody(distribution=make_file(tmp_path), framing=LONG_TAIL, progress=lambda _: None, turn=turn))
    assert b"".join(blocks).endswith(LONG_TAIL.tail)
    assert sum(turn.asked) == LONGEST_PAUSE
    assert turn.insisted
    assert len(blocks[-1]) == 1


@pytest.mark.parametrize("refusals", [0, 3])
def test_a_stopped_run_withdraws_what_waits(tmp_path: Path, refusals: int) -> None:
    sent: list[bytes] = []
    body = FormBody(
        distribution=make_file(tmp_path),
        framing=LONG_TAIL,
        progress=lambda _: None,
        turn=Turn(refusals, Permission.STOPPED),
    )
    with pytest.raises(BodyWithdrawn, match="stopped"):
        sent.extend(iter(body))
    assert LONG_TAIL.tail not in b"".join(sent)
