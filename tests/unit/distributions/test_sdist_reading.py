"""sdists at the limits."""

import gzip
import io
import tarfile
from pathlib import Path

import pytest

from ci_publish.distributions import limits
from ci_publish.distributions.sdist_reading import begins_as_tar_archive, inspect_sdist, is_pkg_info_of_zip_sdist
from tests.corpus.build import Sdist, Wheel, metadata
from tests.unit.distributions.checked_folders import checked


def crowd(count: int) -> bytes:
    """Headers of *count* members with names of six digits, which tarfile would need five seconds to write."""
    header = bytearray(tarfile.TarInfo("demo_pkg-1.0/000000").tobuf(tarfile.USTAR_FORMAT))
    start = header.index(b"000000")
    total = int(header[148:154], 8) - 6 * ord("0")
    blocks = []
    for number in range(count):
        name = b"%06d" % number
        header[start : start + 6] = name
        header[148:154] = b"%06o" % (total + sum(name))
        blocks.append(bytes(header))
    return b"".join(blocks)


@pytest.mark.parametrize("first", [True, False])
def test_an_sdist_with_too_many_members_is_published_with_a_warning(tmp_path: Path, *, first: bool) -> None:
    info = tarfile.TarInfo("demo_pkg-1.0/PKG-INFO")
    info.size = len(metadata())
    member = info.tobuf() + metadata() + bytes(-info.size % tarfile.BLOCKSIZE)
    many = crowd(limits.MAX_TAR_MEMBERS + 1)
    content = (member + many if first else many + member) + bytes(2 * tarfile.BLOCKSIZE)
    (tmp_path / Sdist().filename).write_bytes(gzip.compress(content, 1, mtime=0))
    collection, problems = checked(tmp_path)
    assert [file.project for file in collection.distributions] == ["demo-pkg"]
    assert problems.keys() == {"archive-too-many-members"}


def test_an_sdist_has_its_names_and_its_metadata() -> None:
    contents = inspect_sdist(io.BytesIO(Sdist().build()))
    assert (contents.top, contents.metadata, contents.faults) == ("demo_pkg-1.0", metadata(), ())
    assert contents.names == {"demo_pkg-1.0/demo_pkg/__init__.py", "demo_pkg-1.0/PKG-INFO"}


def test_what_begins_as_a_tar_archive() -> None:
    assert begins_as_tar_archive(io.BytesIO(Sdist().build()))
    assert begins_as_tar_archive(io.BytesIO(Sdist().build_tar()))
    assert not begins_as_tar_archive(io.BytesIO(Wheel().build()))
    assert not begins_as_tar_archive(io.BytesIO(b""))


def test_a_zip_archive_with_pkg_info_in_a_folder_is_an_old_sdist() -> None:
    assert is_pkg_info_of_zip_sdist("demo-1.0/PKG-INFO")
    assert not is_pkg_info_of_zip_sdist("PKG-INFO")
    assert not is_pkg_info_of_zip_sdist("demo-1.0/demo.egg-info/PKG-INFO")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"not compressed", "it does not begin with a gzip header"),
        (b"\x1f\x8b\x08\x08" + b"x" * 70_000, "a text in its gzip header is too long"),
        (gzip.compress(b"no archive", mtime=0), "its first header is cut off"),
    ],
    ids=["no gzip", "endless text", "no tar"],
)
def test_a_file_that_is_no_sdist_has_a_reason(data: bytes, reason: str) -> None:
    (fault,) = (each for each in inspect_sdist(io.BytesIO(data)).faults if each.rule == "sdist-unreadable")
    assert fault.message == f"The file is not a gzip-compressed tar archive: {reason}."


def test_a_pkg_info_that_is_too_large_is_not_read() -> None:
    info = tarfile.TarInfo("demo_pkg-1.0/PKG-INFO")
    info.size = limits.MAX_METADATA + 1
    content = info.tobuf() + bytes(info.size) + bytes(-info.size % tarfile.BLOCKSIZE)
    content += tarfile.TarInfo("demo_pkg-1.0/a").tobuf()
    contents = inspect_sdist(io.BytesIO(gzip.compress(content, 1, mtime=0)))
    assert contents.metadata is None
    assert [(fault.rule, fault.refusal) for fault in contents.faults] == [("metadata-too-large", None)]


def test_an_extended_header_that_is_too_large_ends_the_reading() -> None:
    info = tarfile.TarInfo("demo_pkg-1.0/PKG-INFO")
    info.pax_headers = {"comment": "x" * (limits.MAX_TAR_HEADER + 1)}
    contents = inspect_sdist(io.BytesIO(gzip.compress(info.tobuf(tarfile.PAX_FORMAT), 1, mtime=0)))
    assert [fault.rule for fault in contents.faults] == ["archive-text-too-large", "sdist-top-level"]


def test_an_sdist_that_unpacks_to_too_much_is_read_in_part() -> None:
    info = tarfile.TarInfo("demo_pkg-1.0/PKG-INFO")
    info.size = limits.inflate_budget(0) + limits.MIB
    contents = inspect_sdist(io.BytesIO(gzip.compress(info.tobuf() + bytes(info.size), 1, mtime=0)))
    assert not contents.complete
    assert [fault.rule for fault in contents.faults] == ["metadata-too-large", "sdist-bomb"]
