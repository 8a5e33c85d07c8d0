"""Makes wheels and sdists, byte for byte the same each time, and breaks them in known ways. Nothing binary is kept."""

import base64
import gzip
import hashlib
import io
import struct
import tarfile
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

EPOCH = (2026, 1, 1, 0, 0, 0)
ZIP_METHODS = {"stored": zipfile.ZIP_STORED, "deflated": zipfile.ZIP_DEFLATED, "bzip2": zipfile.ZIP_BZIP2}


def metadata(
    name: str = "demo-pkg",
    version: str = "1.0",
    *,
    metadata_version: str = "2.4",
    fields: Iterable[tuple[str, str]] = (),
    body: str = "",
) -> bytes:
    """Core metadata with these fields; *fields* come after the required ones."""
    required = (("Metadata-Version", metadata_version), ("Name", name), ("Version", version))
    lines = [f"{key}: {value}" for key, value in (*required, *fields)]
    return ("\n".join(lines) + "\n" + (f"\n{body}" if body else "")).encode()


def record_line(name: str, content: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
    return f"{name},sha256={digest},{len(content)}"


@dataclass(frozen=True)
class Wheel:
    """A wheel to be; ``members`` come before the metadata files, ``record`` replaces the computed RECORD."""

    filename: str = "demo_pkg-1.0-py3-none-any.whl"
    metadata: bytes | None = field(default_factory=metadata)
    members: tuple[tuple[str, bytes], ...] = (("demo_pkg/__init__.py", b"ANSWER = 42\n"),)
    wheel_file: bytes | None = b"Wheel-Version: 1.0\nGenerator: corpus\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    entry_points: bytes | None = None
    record: bytes | None = None
    without_record: bool = False
    folder: str = ""
    method: str = "deflated"
    edit: Callable[[zipfile.ZipFile], None] | None = None
    patch: Callable[[bytes], bytes] | None = None

    def with_(self, **changes: object) -> "Wheel":
        return replace(self, **changes)  # type: ignore[arg-type]

    @property
    def info(self) -> str:
        return self.folder or "-".join(self.filename.split("-")[:2]) + ".dist-info"

    def all_members(self) -> list[tuple[str, bytes]]:
        named = (("METADATA", self.metadata), ("WHEEL", self.wheel_file), ("entry_points.txt", self.entry_points))
        members = [*self.members, *((f"{self.info}/{name}", text) for name, text in named if text is not None)]
        if not self.without_record:
            lines = [record_line(name, content) for name, content in members] + [f"{self.info}/RECORD,,"]
            record = self.record if self.record is not None else ("\n".join(lines) + "\n").encode()
            members.append((f"{self.info}/RECORD", record))
        return members

    def build(self) -> bytes:
        buffer = io.BytesIO()
        with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", ZIP_METHODS[self.method]) as archive:
            warnings.simplefilter("ignore")  # duplicate names are what some cases are about
            for name, content in self.all_members():
                archive.writestr(zip_info(name, ZIP_METHODS[self.method]), content)
            if self.edit is not None:
                self.edit(archive)
        return buffer.getvalue() if self.patch is None else self.patch(buffer.getvalue())


def zip_info(name: str, method: int = zipfile.ZIP_DEFLATED) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, EPOCH)
    info.compress_type = method
    info.external_attr = 0o644 << 16
    return info


@dataclass(frozen=True)
class Sdist:
    """An sdist to be; ``extra`` adds whatever tarfile can write."""

    filename: str = "demo_pkg-1.0.tar.gz"
    metadata: bytes | None = field(default_factory=metadata)
    members: tuple[tuple[str, bytes], ...] = (("demo_pkg/__init__.py", b"ANSWER = 42\n"),)
    top: str = "demo_pkg-1.0"
    extra: tuple[tuple[tarfile.TarInfo, bytes], ...] = ()
    loose: tuple[tuple[str, bytes], ...] = ()
    format: int = tarfile.PAX_FORMAT
    patch_tar: Callable[[bytes], bytes] | None = None
    patch: Callable[[bytes], bytes] | None = None

    def with_(self, **changes: object) -> "Sdist":
        return replace(self, **changes)  # type: ignore[arg-type]

    def build(self) -> bytes:
        packed = gzip.compress(self.build_tar(), 6, mtime=0)
        return packed if self.patch is None else self.patch(packed)

    def build_tar(self) -> bytes:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=self.format) as archive:
            members = [(f"{self.top}/{name}", content) for name, content in self.members]
            if self.metadata is not None:
                members.append((f"{self.top}/PKG-INFO", self.metadata))
            for name, content in (*members, *self.loose):
                info = tarfile.TarInfo(name)
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
            for info, content in self.extra:
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
        return buffer.getvalue() if self.patch_tar is None else self.patch_tar(buffer.getvalue())


def tar_info(name: str, kind: bytes, link: str = "", pax: Mapping[str, str] | None = None) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    info.pax_headers = dict(pax or {})
    return info


def replace_once(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    """A patch that changes one place, of which there must be at least one."""

    def patch(data: bytes) -> bytes:
        assert old in data
        return data.replace(old, new, 1)

    return patch


def appended(more: bytes) -> Callable[[bytes], bytes]:
    return lambda data: data + more


def prepended(more: bytes) -> Callable[[bytes], bytes]:
    return lambda data: more + data


def cut(share: float) -> Callable[[bytes], bytes]:
    return lambda data: data[: int(len(data) * share)]


def damaged_member(name: str) -> Callable[[bytes], bytes]:
    """A patch that changes the stored CRC of a member in both headers."""

    def patch(data: bytes) -> bytes:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            crc = struct.pack("<L", archive.getinfo(name).CRC)
        assert data.count(crc) == 2
        return data.replace(crc, bytes(byte ^ 0xFF for byte in crc))

    return patch


def central_entry(data: bytes, name: str) -> int:
    """The offset of a member's entry in the central directory."""
    position = data.find(b"PK\x01\x02")
    while position >= 0:
        if data[position + 46 : position + 46 + len(name)] == name.encode():
            return position
        position = data.find(b"PK\x01\x02", position + 4)
    raise LookupError(name)


def patched_at(find: Callable[[bytes], int], offset: int, new: bytes) -> Callable[[bytes], bytes]:
    def patch(data: bytes) -> bytes:
        position = find(data) + offset
        return data[:position] + new + data[position + len(new) :]

    return patch


def with_local_extra(data: bytes, extra: bytes) -> bytes:
    """A ZIP whose first member has an extra field in its local header, all offsets set right."""
    name_size, extra_size = struct.unpack_from("<HH", data, 26)
    assert extra_size == 0
    insert_at = 30 + name_size
    grown = bytearray(data[:insert_at] + extra + data[insert_at:])
    struct.pack_into("<H", grown, 28, len(extra))
    return _shifted(bytes(grown), len(extra), first=False)


def _shifted(data: bytes, by: int, *, first: bool) -> bytes:
    """All directory offsets moved by so many bytes; the first entry's only with *first*."""
    out = bytearray(data)
    end = out.rfind(b"PK\x05\x06")
    start = struct.unpack_from("<L", out, end + 16)[0] + by
    struct.pack_into("<L", out, end + 16, start)
    position, index = start, 0
    while out[position : position + 4] == b"PK\x01\x02":
        name, extra, comment = struct.unpack_from("<HHH", out, position + 28)
        if index or first:
            struct.pack_into("<L", out, position + 42, struct.unpack_from("<L", out, position + 42)[0] + by)
        position, index = position + 46 + name + extra + comment, index + 1
    return bytes(out)


def with_data_descriptor(data: bytes) -> bytes:
    """A ZIP whose first member says that its sizes stand behind its data."""
    out = bytearray(data)
    out[6] |= 0x08
    out[out.find(b"PK\x01\x02") + 8] |= 0x08
    return bytes(out)


def raw_deflate(content: bytes) -> bytes:
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    return compressor.compress(content) + compressor.flush()
