import io
import zipfile

import pytest

from ci_publish.distributions.archive_reading import UnreadableArchive
from ci_publish.distributions.limits import CHUNK
from ci_publish.distributions.zip_members import ENCRYPTED, read_zip_member

LARGE = bytes(range(256)) * 8_192


def archive(content: bytes, method: int = zipfile.ZIP_DEFLATED) -> tuple[io.BytesIO, zipfile.ZipInfo]:
    """An archive of one member, and its directory entry."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as made:
        made.writestr("a.txt", content)
    return file, zipfile.ZipFile(file).infolist()[0]


def reason(file: io.BytesIO, info: zipfile.ZipInfo) -> str:
    with pytest.raises(UnreadableArchive) as caught:
        list(read_zip_member(file, info))
    assert caught.value.fault.rule == "archive-damaged-member"
    return caught.value.fault.message


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("content", [b"", b"x", LARGE])
def test_the_content_comes_in_chunks(content: bytes, method: int) -> None:
    chunks = list(read_zip_member(*archive(content, method)))
    assert b"".join(chunks) == content
    assert all(len(chunk) <= CHUNK for chunk in chunks)


@pytest.mark.parametrize("content", [b"some text", LARGE])
def test_a_member_of_another_size_or_crc_than_declared(content: bytes) -> None:
    file, info = archive(content)
    info.file_size -= 1
    assert "is longer than its header says" in reason(file, info)
    info.file_size += 2
    assert "is shorter than its header says" in reason(file, info)
    info.file_size -= 1
    info.CRC ^= 1
    assert "does not match its CRC" in reason(file, info)


def test_a_member_that_cannot_be_read() -> None:
    file, info = archive(b"some text")
    info.header_offset = 1
    assert "has no local header" in reason(file, info)
    info.header_offset = 10_000
    assert "is outside the archive" in reason(file, info)
    info.header_offset = 0
    info.orig_filename = "b.txt"
    assert "has a different name in its local header" in reason(file, info)
    info.orig_filename = "a.txt"
    info.flag_bits |= ENCRYPTED
    assert "is encrypted" in reason(file, info)
    info.flag_bits = 0
    info.compress_type = zipfile.ZIP_LZMA
    assert "neither stored nor deflated" in reason(file, info)


@pytest.mark.parametrize("content", [b"some text", LARGE])
def test_damaged_compressed_data(content: bytes) -> None:
    file, info = archive(content)
    data = bytearray(file.getvalue())
    data[35] = 0xFF  # in the first bytes of the data, behind a local header of 30 bytes and a name of 5
    assert "cannot be inflated" in reason(io.BytesIO(data), info)
