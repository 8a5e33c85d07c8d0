"""The corpus: for each rule, files that are accepted and files that are refused, and what PyPI's server says to each.

``source`` is the place in pypi/warehouse at 6b62157124ab (2026-08-21) that decides; a verdict of None means that the
server accepts the file, also where ci-publish warns or refuses by a rule of its own.
"""

import gzip
import struct
import tarfile
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass

from tests.corpus.build import (
    Sdist,
    Wheel,
    appended,
    central_entry,
    cut,
    damaged_member,
    metadata,
    patched_at,
    prepended,
    record_line,
    replace_once,
    tar_info,
    with_data_descriptor,
    with_local_extra,
    zip_info,
)

WHEEL = Wheel()
SDIST = Sdist()
INFO = "demo_pkg-1.0.dist-info"
SPEAKS = True
INVALID = "Invalid distribution file. "
ZIP = f"{INVALID}ZIP archive not accepted: "
LEGACY = "warehouse/forklift/legacy.py"
METADATA = "warehouse/forklift/metadata.py"
ZIPFILES = "warehouse/utils/zipfiles.py"
SPARSE = f"{INVALID}tar archive not accepted: Sparse members are not allowed."


@dataclass(frozen=True)
class Verdict:
    """The server's answer: the status, and how its message begins."""

    status: int
    begins: str
    source: str


@dataclass(frozen=True)
class Case:
    """One file, the rule that it is an example of, and whether that rule should speak."""

    rule: str
    file: Wheel | Sdist
    speaks: bool
    verdict: Verdict | None = None
    label: str = ""
    content: bytes | None = None
    filename: str = ""

    @property
    def id(self) -> str:
        return f"{self.rule}-{'refused' if self.speaks else 'accepted'}-{self.label or self.name}"

    @property
    def name(self) -> str:
        return self.filename or self.file.filename

    def build(self) -> bytes:
        return self.file.build() if self.content is None else self.content


def no(status: int, begins: str, source: str) -> Verdict:
    return Verdict(status, begins, source)


def bad(begins: str, source: str) -> Verdict:
    return Verdict(400, begins, source)


def wheel(filename: str = WHEEL.filename, *fields: tuple[str, str], body: str = "", **changes: object) -> Wheel:
    """A wheel with these metadata fields."""
    made = metadata(fields=fields, body=body)
    return WHEEL.with_(**{"filename": filename, "metadata": made, **changes})


def with_fields(*fields: tuple[str, str], body: str = "", version: str = "2.4") -> Wheel:
    return WHEEL.with_(metadata=metadata(fields=fields, body=body, metadata_version=version))


def _filenames() -> Iterable[Case]:  # noqa: PLR0915 - a table
    rule = "filename-characters"
    yield Case(rule, WHEEL, speaks=False)
    control = "Cannot upload a file with non-printable characters"
    yield Case(
        rule, WHEEL.with_(filename="demo_pkg-1.0-py3-none-any\x1b.whl"), SPEAKS, bad(control, f"{LEGACY}:255"), "esc"
    )
    yield Case(
        rule, WHEEL.with_(filename="demo_pkg-1.0-py3-none-any\n.whl"), SPEAKS, bad(control, f"{LEGACY}:255"), "newline"
    )
    rule = "filename-not-ascii"
    yield Case(rule, WHEEL, speaks=False)
    for label, character in (("no-break space", "\xa0"), ("right-to-left override", "\u202e"), ("letter", "é")):
        yield Case(rule, WHEEL.with_(filename=f"demo_pkg-1.0-1{character}-py3-none-any.whl"), SPEAKS, label=label)
    rule = "filename-wheel"
    yield Case(rule, WHEEL.with_(filename="demo_pkg-1.0-1-py3-none-any.whl"), speaks=False)
    parts = bad("Invalid wheel filename (wrong number of parts)", f"{LEGACY}:1437")
    yield Case(rule, WHEEL.with_(filename="demo_pkg-1.0-1-py3-none-any-x86.whl"), SPEAKS, parts)
    yield Case(rule, WHEEL.with_(filename="demo_pkg-1.0-any.whl"), SPEAKS, parts)
    for python in ("2.7", "cp313.", ""):
        yield Case(rule, WHEEL.with_(filename=f"demo_pkg-1.0-{python}-none-any.whl"), SPEAKS, label=f"tag {python!r}")
    later = WHEEL.with_(filename="demo_pkg-1.1-2.7-none-any.whl")
    yield Case(
        "filename-version", later, SPEAKS, bad("Version in filename should be '1.0' not '1.1'.", f"{LEGACY}:1501")
    )
    empty = WHEEL.with_(filename="demo_pkg-1.0-py3-none-.whl")
    unsupported = bad("Binary wheel 'demo_pkg-1.0-py3-none-.whl' has an unsupported platform tag ''.", f"{LEGACY}:1448")
    yield Case("platform-tag", empty, SPEAKS, unsupported)
    version = bad("Invalid wheel filename (invalid version)", f"{LEGACY}:1437")
    yield Case(rule, WHEEL.with_(filename="demo_pkg-latest-py3-none-any.whl"), SPEAKS, version)
    rule = "filename-sdist"
    yield Case(rule, SDIST, speaks=False)
    sdist_name = bad("Invalid source distribution filename", f"{LEGACY}:1331")
    yield Case(rule, SDIST.with_(filename="demo.tar.gz"), SPEAKS, sdist_name)
    yield Case(rule, SDIST.with_(filename="demo_pkg-latest.tar.gz"), SPEAKS, sdist_name)
    rule = "filename-project"
    yield Case(rule, WHEEL, speaks=False)
    start = bad("Start filename for 'demo-pkg' with 'demo_pkg'.", f"{LEGACY}:1462")
    yield Case(rule, WHEEL.with_(filename="other-1.0-py3-none-any.whl"), SPEAKS, start)
    yield Case(rule, SDIST.with_(filename="other-1.0.tar.gz"), SPEAKS, bad(start.begins, f"{LEGACY}:1374"))
    rule = "filename-normalized"
    yield Case(rule, WHEEL.with_(filename="demo_pkg-1.0.0-py3-none-any.whl"), speaks=False, label="wheel version")
    yield Case(rule, SDIST, speaks=False)
    should = "should contain the normalized project name 'demo_pkg', not 'Demo_Pkg'."
    spelled = bad(f"Filename 'Demo_Pkg-1.0-py3-none-any.whl' {should}", f"{LEGACY}:1486")
    yield Case(rule, WHEEL.with_(filename="Demo_Pkg-1.0-py3-none-any.whl"), SPEAKS, spelled)
    for name in ("demo-pkg-1.0.tar.gz", "Demo_Pkg-1.0.tar.gz", "demo_pkg-1.0.0.tar.gz"):
        wanted = bad(f"Filename {name!r} is invalid, should be 'demo_pkg-1.0.tar.gz'.", f"{LEGACY}:1391")
        yield Case(rule, SDIST.with_(filename=name), SPEAKS, wanted)
    post = SDIST.with_(filename="demo_pkg-6.7.8-9.tar.gz", metadata=metadata(version="6.7.8.post9"))
    wanted = bad("Filename 'demo_pkg-6.7.8-9.tar.gz' is invalid, should be 'demo_pkg-6.7.8.post9.", f"{LEGACY}:1391")
    yield Case(rule, post, SPEAKS, wanted, "implicit post release")
    rule = "filename-version"
    yield Case(rule, WHEEL.with_(filename="demo_pkg-1.0.0-py3-none-any.whl"), speaks=False)
    other = bad("Version in filename should be '1.0' not '1.1'.", f"{LEGACY}:1501")
    yield Case(rule, WHEEL.with_(filename="demo_pkg-1.1-py3-none-any.whl"), SPEAKS, other)
    wanted = bad("Filename 'demo_pkg-1.1.tar.gz' is invalid, should be 'demo_pkg-1.0.tar.gz'.", f"{LEGACY}:1391")
    yield Case(rule, SDIST.with_(filename="demo_pkg-1.1.tar.gz"), SPEAKS, wanted)
    rule = "filename-zip-sdist"
    yield Case(rule, SDIST, speaks=False)
    zipped = Wheel(
        "demo_pkg-1.0.zip",
        None,
        (("demo_pkg-1.0/PKG-INFO", metadata()), ("demo_pkg-1.0/x.py", b"")),
        wheel_file=None,
        without_record=True,
    )
    wanted = bad("Filename 'demo_pkg-1.0.zip' is invalid, should be 'demo_pkg-1.0.tar.gz'.", f"{LEGACY}:1391")
    yield Case(rule, zipped, SPEAKS, wanted)
    rule = "filename-length"
    yield Case(rule, WHEEL, speaks=False)
    tags = ".".join(f"py3{minor}" for minor in range(10, 47))
    long = f"demo_pkg-1.0-{tags}-none-any.whl"
    yield Case(rule, WHEEL.with_(filename=long), SPEAKS, bad("Filename is too long", f"{LEGACY}:1616"), "tags")
    accepted = (
        "manylinux_2_17_x86_64.manylinux2014_x86_64", "musllinux_1_2_aarch64", "macosx_10_13_x86_64", "win_amd64",
        "macosx_26_0_universal2", "ios_13_0_arm64_iphoneos", "android_21_arm64_v8a", "linux_armv7l", "any",
        "pyemscripten_2025_0_wasm32", "manylinux_2_31_riscv64",
    )  # fmt: skip
    for tag in accepted:
        for rule in ("platform-tag", "platform-tag-unknown"):
            yield Case(rule, WHEEL.with_(filename=f"demo_pkg-1.0-cp313-cp313-{tag}.whl"), speaks=False)
    never = (
        "linux_x86_64", "linux_aarch64", "pyodide_2024_0_wasm32", "macosx_11_1_arm64", "macosx_9_0_ppc", "win64",
        "any (1)", "none", "all", "macosx", "darwin_arm64", "manylinux_2_17_amd64", "manylinux3_x86_64", "win_x86_64",
        "musllinux_1_1_x86", "ios_13_arm64_iphoneos", "macosx_27_1_arm64", "manylinux2014_riscv64", "wni_amd64_",
        "manylinux_2_17_x86_46", "manylinx_2_17_x86_64", "android_24_arm64",
    )  # fmt: skip
    for tag in never:
        name = f"demo_pkg-1.0-cp313-cp313-{tag}.whl"
        verdict = bad(f"Binary wheel '{name}' has an unsupported platform tag '{tag}'.", f"{LEGACY}:1448")
        yield Case("platform-tag", WHEEL.with_(filename=name), SPEAKS, verdict)
    one_day = (
        "macosx_27_0_arm64", "manylinux_2_40_loongarch64", "freebsd_14_amd64", "win_riscv64", "tvos_17_0_arm64",
        "uclibclinux_1_0_x86_64", "macosx_14_0_arm64e", "musllinux_1_2_armv6l",
    )  # fmt: skip
    for tag in one_day:
        name = f"demo_pkg-1.0-cp313-cp313-{tag}.whl"
        verdict = bad(f"Binary wheel '{name}' has an unsupported platform tag '{tag}'.", f"{LEGACY}:1448")
        yield Case("platform-tag-unknown", WHEEL.with_(filename=name), SPEAKS, verdict)


def _comment(archive: zipfile.ZipFile) -> None:
    archive.infolist()[0].comment = b"hello"


def _archive_comment(archive: zipfile.ZipFile) -> None:
    archive.comment = b"an archive comment is accepted"


def _zip64_twice(data: bytes) -> bytes:
    size, packed = struct.unpack_from("<LL", data, 18)
    extra = struct.pack("<HHQQ", 1, 16, packed, size)
    return with_local_extra(data, extra + extra)


def _end(data: bytes) -> int:
    return data.rfind(b"PK\x05\x06")


def _tar_and_zip() -> bytes:
    """A ZIP archive behind a tar archive: both readers are content."""
    tar = SDIST.build_tar()
    return tar + _moved(WHEEL.build(), len(tar))


def _moved(data: bytes, by: int) -> bytes:
    """A ZIP archive whose offsets count from *by* bytes earlier."""
    out = bytearray(data)
    end = _end(data)
    position = struct.unpack_from("<L", out, end + 16)[0]
    struct.pack_into("<L", out, end + 16, position + by)
    while out[position : position + 4] == b"PK\x01\x02":
        name, extra, comment = struct.unpack_from("<HHH", out, position + 28)
        struct.pack_into("<L", out, position + 42, struct.unpack_from("<L", out, position + 42)[0] + by)
        position += 46 + name + extra + comment
    return bytes(out)


def _same_wheel_with(*members: tuple[str, bytes], **changes: object) -> Wheel:
    return WHEEL.with_(members=(*WHEEL.members, *members), **changes)


def _bomb(archive: zipfile.ZipFile) -> None:
    archive.writestr(zip_info("demo_pkg/zeros"), bytes(65 * 1024 * 1024))


def _twice(archive: zipfile.ZipFile) -> None:
    info = zip_info("demo_pkg/__init__.py")
    del archive.NameToInfo["demo_pkg/__init__.py"]
    archive.writestr(info, b"ANSWER = 43\n")


def _archives() -> Iterable[Case]:  # noqa: PLR0915 - a table
    first = lambda data: central_entry(data, "demo_pkg/__init__.py")  # noqa: E731 - used below in many patches
    start = lambda _data: 0  # noqa: E731
    yield Case("zip-and-tar", WHEEL, speaks=False)
    both = bad(f"{INVALID}File is both a zip and a tar file", f"{LEGACY}:319")
    yield Case("zip-and-tar", WHEEL, SPEAKS, both, "polyglot", content=_tar_and_zip())
    yield Case("zip-unreadable", WHEEL, speaks=False)
    no_zip = bad(f"{INVALID}File is not a zipfile", f"{LEGACY}:323")
    yield Case("zip-unreadable", WHEEL.with_(patch=cut(0.8)), SPEAKS, no_zip, "cut")
    yield Case("zip-unreadable", WHEEL, SPEAKS, no_zip, "html", content=b"<html>404 Not Found</html>")
    yield Case("zip-malformed", WHEEL, speaks=False)
    newer = WHEEL.with_(patch=patched_at(first, 6, b"\x63"))
    yield Case("zip-malformed", newer, SPEAKS, no(500, "", f"{LEGACY}:1285"), "version needed 9.9")
    broken = WHEEL.with_(patch=patched_at(first, 0, b"PK\x01\x09"))
    yield Case("zip-malformed", broken, SPEAKS, bad(f"{INVALID}", f"{LEGACY}:413"), "entry without signature")
    yield Case("zip-bomb", _same_wheel_with(("demo_pkg/zeros", bytes(8 * 1024 * 1024))), speaks=False, label="8 MiB")
    ratio = bad(f"{INVALID}File exceeds compression ratio of 50", f"{LEGACY}:348")
    yield Case("zip-bomb", WHEEL.with_(edit=_bomb), SPEAKS, ratio, "65 MiB")
    yield Case("zip-compression", WHEEL.with_(method="stored"), speaks=False, label="stored")
    method = bad(f"{INVALID}File does not use a supported compression type", f"{LEGACY}:360")
    yield Case("zip-compression", WHEEL.with_(method="bzip2"), SPEAKS, method, "bzip2")
    yield Case("zip-data-descriptor", WHEEL, speaks=False)
    descriptor = bad(f"{ZIP}ZIP contains a data descriptor.", f"{ZIPFILES}:145")
    yield Case("zip-data-descriptor", WHEEL.with_(patch=with_data_descriptor), SPEAKS, descriptor, "streamed")
    yield Case("zip-surrounding-data", WHEEL.with_(edit=_archive_comment), speaks=False, label="archive comment")
    trailing = bad(f"{ZIP}Trailing data.", f"{ZIPFILES}:392")
    yield Case("zip-surrounding-data", WHEEL.with_(patch=appended(b"x")), SPEAKS, trailing, "appended")
    unknown = bad(f"{ZIP}Unknown record signature.", f"{ZIPFILES}:376")
    yield Case("zip-surrounding-data", WHEEL.with_(patch=prepended(b"#!/bin/sh\n")), SPEAKS, unknown, "prepended")
    yield Case("zip-duplicate-name", WHEEL, speaks=False)
    twice = bad(f"{ZIP}", f"{ZIPFILES}:327")
    yield Case("zip-duplicate-name", WHEEL.with_(members=WHEEL.members * 2), SPEAKS, twice, "same content")
    yield Case("zip-member-comment", WHEEL.with_(edit=_archive_comment), speaks=False, label="archive comment")
    comment = bad(f"{ZIP}Comment in central directory.", f"{ZIPFILES}:177")
    yield Case("zip-member-comment", WHEEL.with_(edit=_comment), SPEAKS, comment, "comment")
    yield Case("zip-mismatched-headers", WHEEL, speaks=False)
    size = WHEEL.with_(patch=patched_at(start, 22, struct.pack("<L", 9)))
    yield Case("zip-mismatched-headers", size, SPEAKS, bad(f"{ZIP}Mis-matched file size.", f"{ZIPFILES}:154"), "size")
    name = WHEEL.with_(patch=replace_once(b"demo_pkg/__init__.py", b"demo_pkg/__inix__.py"))
    absent = bad(f"{ZIP}Filename not in central directory.", f"{ZIPFILES}:158")
    yield Case("zip-mismatched-headers", name, SPEAKS, no(absent.status, "", absent.source), "name")
    yield Case("zip-end-record", WHEEL, speaks=False)
    counted = WHEEL.with_(patch=patched_at(_end, 8, struct.pack("<HH", 1, 1)))
    yield Case(
        "zip-end-record",
        counted,
        SPEAKS,
        bad(f"{ZIP}Mismatched central directory records.", f"{ZIPFILES}:345"),
        "count",
    )
    yield Case("zip-records", WHEEL, speaks=False)
    short = WHEEL.with_(patch=lambda data: with_local_extra(data, b"\x99\x99\x09\x00ab"))
    yield Case("zip-records", short, SPEAKS, bad(f"{ZIP}Malformed zip file.", f"{ZIPFILES}:80"), "extra field cut off")
    misaligned = WHEEL.with_(patch=lambda data: with_local_extra(data, b"\x01\x00\x04\x00abcd"))
    yield Case("zip64", misaligned, SPEAKS, bad(f"{ZIP}Malformed zip file.", f"{ZIPFILES}:92"), "ZIP64 field of 4")
    yield Case("zip64", WHEEL, speaks=False)
    extra = bad(f"{ZIP}Invalid duplicate extra in local file.", f"{ZIPFILES}:86")
    yield Case("zip64", WHEEL.with_(patch=_zip64_twice), SPEAKS, extra, "two extra fields")
    yield Case("zip-member-name", _same_wheel_with(("demo_pkg/déjà.txt", b"")), speaks=False, label="UTF-8")
    printable = bad(f"{ZIP}Invalid character in filename.", f"{ZIPFILES}:75")
    yield Case("zip-member-name", _same_wheel_with(("demo_pkg/a\nb.txt", b"")), SPEAKS, printable, "newline")
    yield Case("encrypted-code", WHEEL, speaks=False)
    armor = ("__pyarmor_" + "enter__(b'')\n").encode()
    pyarmor = bad(f"{INVALID}PyArmor-encrypted content is not allowed.", "warehouse/utils/scanner_rules/pyarmor.yar")
    yield Case("encrypted-code", _same_wheel_with(("demo_pkg/x.py", armor)), SPEAKS, pyarmor, "PyArmor")
    yield Case("encrypted-code", SDIST.with_(members=(("x.py", armor),)), SPEAKS, pyarmor, "PyArmor in an sdist")
    pye = b"".join(b"---" + word + b" PYE FILE" + b"---\n" for word in (b"BEGIN", b"END"))
    source = bad(f"{INVALID}SourceDefender-encrypted", "warehouse/utils/scanner_rules/sourcedefender.yar")
    yield Case("encrypted-code", _same_wheel_with(("demo_pkg/x.pye", pye)), SPEAKS, source, "SourceDefender")
    rule = "archive-damaged-member"
    yield Case(rule, WHEEL, speaks=False)
    scanned = WHEEL.with_(patch=damaged_member("demo_pkg/__init__.py"))
    yield Case(rule, scanned, SPEAKS, bad(f"{INVALID}None", f"{LEGACY}:413"), "CRC of a .py member")
    data = _same_wheel_with(("demo_pkg/data.bin", b"abcdef"), patch=damaged_member("demo_pkg/data.bin"))
    yield Case(rule, data, SPEAKS, None, "CRC of a data member")
    for text in ("METADATA", "RECORD"):
        read = WHEEL.with_(patch=damaged_member(f"{INFO}/{text}"))
        yield Case("wheel-metadata-damaged", read, SPEAKS, no(500, "", f"{LEGACY}:1589"), f"CRC of {text}")
    yield Case("wheel-metadata-damaged", WHEEL, speaks=False)
    locked = WHEEL.with_(patch=patched_at(first, 8, b"\x01"))
    yield Case(rule, locked, SPEAKS, no(500, "", "warehouse/utils/scanner.py:84"), "encrypted")
    rule = "archive-unsafe-path"
    yield Case(rule, _same_wheel_with(("demo_pkg/..data", b"")), speaks=False, label="dots in a name")
    for path in ("../evil.txt", "/etc/evil", "C:\\evil", "demo_pkg/../../evil"):
        yield Case(rule, _same_wheel_with((path, b"x")), SPEAKS, None, path)
    yield Case(rule, SDIST.with_(loose=(("demo_pkg-1.0/../evil", b"x"),)), SPEAKS, None, "sdist")
    yield Case("archive-text-too-large", WHEEL, speaks=False)
    huge = WHEEL.with_(entry_points=b"[x]\n" + b"#" * (1 << 20) + b"\n")
    yield Case("archive-text-too-large", huge, SPEAKS, None, "entry points of 1 MiB")
    yield Case("archive-too-many-members", WHEEL, speaks=False)
    crowd = _same_wheel_with(*((f"d/{number}", b"") for number in range(30_001)), method="stored")
    yield Case("archive-too-many-members", crowd, SPEAKS, None, "30,001 members")


def _sparse() -> tuple[tarfile.TarInfo, bytes]:
    """A sparse member in pax form, version 1.0: its data begin with a map of no entries."""
    pax = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "0"}
    return tar_info("demo_pkg-1.0/sparse", tarfile.REGTYPE, pax=pax), b"0\n".ljust(512, b"\0")


def _sdists() -> Iterable[Case]:
    yield Case("sdist-unreadable", SDIST.with_(format=tarfile.GNU_FORMAT), speaks=False, label="GNU")
    no_tar = bad(f"{INVALID}File is not a tarfile", f"{LEGACY}:418")
    yield Case("sdist-unreadable", SDIST, SPEAKS, no_tar, "text", content=b"hello\n" * 100)
    yield Case("sdist-unreadable", SDIST, SPEAKS, no_tar, "no tar inside", content=gzip.compress(b"x" * 2000, mtime=0))
    yield Case("sdist-cut-off", SDIST, speaks=False)
    yield Case("sdist-cut-off", SDIST.with_(patch=cut(0.5)), SPEAKS, no(500, "", f"{LEGACY}:475"), "half")
    yield Case("sdist-damaged", SDIST, speaks=False)
    late = SDIST.with_(members=(*SDIST.members, ("z.bin", bytes(range(256)) * 64)))
    header = late.with_(patch_tar=lambda tar: tar.replace(b"demo_pkg-1.0/z.bin", b"demo_pkg-1.0/z.bim", 1))
    yield Case("sdist-damaged", header, SPEAKS, bad(f"{INVALID}PKG-INFO", f"{LEGACY}:458"), "header checksum")
    yield Case("sdist-sparse-member", SDIST, speaks=False)
    yield Case("sdist-sparse-member", SDIST.with_(extra=(_sparse(),)), SPEAKS, bad(SPARSE, f"{LEGACY}:445"), "pax")
    gnu = tar_info("demo_pkg-1.0/sparse", tarfile.GNUTYPE_SPARSE)
    yield Case("sdist-sparse-member", SDIST.with_(extra=((gnu, b""),)), SPEAKS, bad(SPARSE, f"{LEGACY}:445"), "GNU")
    yield Case("sdist-top-level", SDIST, speaks=False)
    top = bad(f"{INVALID}Incorrect number of top-level directories in sdist", f"{LEGACY}:452")
    yield Case("sdist-top-level", SDIST.with_(loose=(("setup.py", b""),)), SPEAKS, top, "loose file")
    empty = gzip.compress(bytes(10240), mtime=0) + b"more"
    yield Case("sdist-top-level", SDIST, SPEAKS, top, "nothing in it", content=empty)
    mixed = SDIST.with_(loose=(("/etc/evil", b""),))
    yield Case("sdist-top-level", mixed, SPEAKS, no(500, "", f"{LEGACY}:434"), "absolute and relative")
    yield Case("sdist-pkg-info-missing", SDIST, speaks=False)
    missing = bad(f"{INVALID}PKG-INFO not found at demo_pkg-1.0/PKG-INFO", f"{LEGACY}:458")
    bare = SDIST.with_(metadata=None, members=(*SDIST.members, ("pyproject.toml", b"")))
    yield Case("sdist-pkg-info-missing", bare, SPEAKS, missing, "no PKG-INFO")
    yield Case("sdist-gzip-trailer", SDIST.with_(patch=appended(bytes(512))), speaks=False, label="padding")
    yield Case("sdist-gzip-trailer", SDIST.with_(patch=appended(b"signature")), SPEAKS, None, "appended")
    yield Case("sdist-gzip-trailer", SDIST.with_(patch=lambda data: data[:-8] + bytes(8)), SPEAKS, None, "checksum")
    yield Case("sdist-gzip-trailer", SDIST.with_(patch=lambda data: data[:-8]), SPEAKS, None, "none")
    inside = tar_info("demo_pkg-1.0/docs/link", tarfile.SYMTYPE, "../demo_pkg/__init__.py")
    yield Case("sdist-special-member", SDIST.with_(extra=((inside, b""),)), speaks=False, label="link")
    fifo = tar_info("demo_pkg-1.0/fifo", tarfile.FIFOTYPE)
    yield Case("sdist-special-member", SDIST.with_(extra=((fifo, b""),)), SPEAKS, None, "FIFO")
    yield Case("sdist-escaping-link", SDIST.with_(extra=((inside, b""),)), speaks=False, label="inside")
    for target in ("../../evil", "/etc/passwd"):
        outside = tar_info("demo_pkg-1.0/link", tarfile.SYMTYPE, target)
        yield Case("sdist-escaping-link", SDIST.with_(extra=((outside, b""),)), SPEAKS, None, target)
    yield Case("sdist-bomb", SDIST, speaks=False)
    zeros = SDIST.with_(members=(("zeros", bytes(70 << 20)),))
    yield Case("sdist-bomb", zeros, SPEAKS, None, "70 MiB of zeros")
    yield Case("sdist-folder-name", SDIST.with_(top="Demo.Pkg-1.0"), speaks=False, label="old spelling")
    yield Case("sdist-folder-name", SDIST.with_(top="other"), SPEAKS, None, "other name")
    licensed = metadata(fields=[("License-File", "LICENSE")])
    with_license = SDIST.with_(metadata=licensed, members=(("LICENSE", b"MIT"),))
    yield Case("sdist-license-file", with_license, speaks=False, label="there")
    absent = bad("License-File LICENSE does not exist in distribution file demo_pkg-1.0.tar.gz", f"{LEGACY}:1420")
    yield Case("sdist-license-file", SDIST.with_(metadata=licensed), SPEAKS, absent, "missing")


def _wheels() -> Iterable[Case]:
    yield Case("wheel-file-missing", WHEEL, speaks=False)
    missing = bad(f"{INVALID}WHEEL not found at {INFO}/WHEEL", f"{LEGACY}:387")
    yield Case("wheel-file-missing", WHEEL.with_(wheel_file=None), SPEAKS, missing, "no WHEEL")
    yield Case("wheel-info-folder", WHEEL, speaks=False)
    for folder in ("Demo_Pkg-1.0.dist-info", "demo.pkg-1.0.dist-info", "demo_pkg-1.0.0.dist-info"):
        yield Case("wheel-info-folder", WHEEL.with_(folder=folder), SPEAKS, missing, folder)
    yield Case("wheel-file-invalid", WHEEL, speaks=False)
    yield Case("wheel-file-invalid", WHEEL.with_(wheel_file=b"\x00\xff"), SPEAKS, None, "garbage")
    yield Case("wheel-metadata-missing", WHEEL, speaks=False)
    none = bad(f"Wheel '{WHEEL.filename}' does not contain the required METADATA file", f"{LEGACY}:1600")
    yield Case("wheel-metadata-missing", WHEEL.with_(metadata=None), SPEAKS, none, "no METADATA")
    licensed = metadata(fields=[("License-File", "LICENSE")])
    there = WHEEL.with_(metadata=licensed, members=((f"{INFO}/licenses/LICENSE", b"MIT"),))
    yield Case("wheel-license-file", there, speaks=False, label="there")
    absent = bad(f"License-File LICENSE does not exist in distribution file {WHEEL.filename}", f"{LEGACY}:1536")
    yield Case("wheel-license-file", WHEEL.with_(metadata=licensed), SPEAKS, absent, "missing")
    old = metadata(metadata_version="2.1", fields=[("License-File", "LICENSE")])
    yield Case("wheel-license-file", WHEEL.with_(metadata=old), speaks=False, label="setuptools before 2.4")
    record = bad(f"Wheel '{WHEEL.filename}' does not contain the required RECORD file", f"{LEGACY}:1552")
    yield Case("record-missing", WHEEL, speaks=False)
    yield Case("record-missing", WHEEL.with_(without_record=True), SPEAKS, record, "no RECORD")
    yield Case("record-missing", WHEEL.with_(record=b"\xff\xfe"), SPEAKS, record, "not UTF-8")
    lines = [record_line(name, content) for name, content in WHEEL.all_members()[:-1]] + [f"{INFO}/RECORD,,"]
    yield Case("record-blank-line", WHEEL, speaks=False)
    blank = WHEEL.with_(record="\n\n".join(lines).encode())
    yield Case("record-blank-line", blank, SPEAKS, no(500, "", "warehouse/utils/wheel.py:212"), "blank line")
    windows = WHEEL.with_(record="\r\n".join(line.replace("/", "\\") for line in lines).encode())
    yield Case("record-mismatch", windows, speaks=False, label="backslashes")
    yield Case("record-mismatch", WHEEL.with_(record=lines[-1].encode()), SPEAKS, None, "unlisted members")
    more = "\n".join([*lines, "demo_pkg/gone.py,,"])
    yield Case("record-mismatch", WHEEL.with_(record=more.encode()), SPEAKS, None, "listed and not there")
    yield Case("record-digest", WHEEL, speaks=False)
    false = record_line("demo_pkg/__init__.py", b"other")
    yield Case(
        "record-digest", WHEEL.with_(record="\n".join([false, *lines[1:]]).encode()), SPEAKS, None, "another digest"
    )
    bare = "\n".join(["demo_pkg/__init__.py,,", *lines[1:]])
    yield Case("record-digest", WHEEL.with_(record=bare.encode()), SPEAKS, None, "no digest")
    yield Case("record-signature", WHEEL, speaks=False)
    yield Case("record-signature", _same_wheel_with((f"{INFO}/RECORD.jws", b"{}")), SPEAKS, None, "jws")
    good = b"[console_scripts]\ndemo = demo_pkg:main\n\n[demo.plugins]\nx = demo_pkg.x:Y [extra]\n"
    yield Case("entry-points-unreadable", WHEEL.with_(entry_points=good), speaks=False, label="good")
    invalid = bad(f"Wheel '{WHEEL.filename}' has invalid entry points", f"{LEGACY}:1578")
    for label, text in (
        ("path", b"[console_scripts]\n../demo = demo_pkg:main\n"),
        ("colon", b"[console_scripts]\ndemo: demo_pkg:main\n"),
        ("no section", b"demo = demo_pkg:main\n"),
        ("not UTF-8", b"[console_scripts]\nd\xe9mo = demo_pkg:main\n"),
        ("twice", b"[a]\nx = b:c\n[a]\ny = d:e\n"),
    ):
        yield Case("entry-points-unreadable", WHEEL.with_(entry_points=text), SPEAKS, invalid, label)
    yield Case("entry-points-value", WHEEL.with_(entry_points=good), speaks=False, label="good")
    path = b"[console_scripts]\ndemo = demo_pkg/cli.py\n"
    yield Case("entry-points-value", WHEEL.with_(entry_points=path), SPEAKS, None, "path")
    yield Case("size-limit", WHEEL, speaks=False)
    large = _same_wheel_with(("demo_pkg/data.bin", bytes(101 << 20)), method="stored")
    large_verdict = bad("File too large. Limit for project 'demo-pkg' is 100 MB.", f"{LEGACY}:1154")
    yield Case("size-limit", large, SPEAKS, large_verdict, "101 MiB")


def _fields() -> Iterable[Case]:  # noqa: C901, PLR0915 - a table
    def accepted(rule: str, *fields: tuple[str, str], version: str = "2.4", body: str = "") -> Case:
        label = f"{version} {fields[0][1] if fields else body}"[:40]
        return Case(rule, with_fields(*fields, body=body, version=version), speaks=False, label=label)

    def refused(  # noqa: PLR0913 - a line of the table
        rule: str,
        field: tuple[str, str],
        begins: str,
        line: int,
        *more: tuple[str, str],
        version: str = "2.4",
        body: str = "",
    ) -> Case:
        file = with_fields(field, *more, body=body, version=version)
        return Case(rule, file, SPEAKS, bad(begins, f"{METADATA}:{line}"), f"{version} {field[1]}"[:40])

    for version in ("1.0", "1.1", "1.2", "2.1", "2.2", "2.3", "2.4", "2.5"):
        yield accepted("metadata-version", version=version)
    yield accepted("metadata-version-unknown", version="2.5")
    for rule, version in (
        ("metadata-version", "2.0"),
        ("metadata-version", "garbage"),
        ("metadata-version", "2.7"),
        ("metadata-version", "3.0"),
        ("metadata-version-unknown", "2.6"),
    ):
        verdict = bad(f"'{version}' is not a valid metadata version.", f"{METADATA}:109")
        yield Case(rule, with_fields(version=version), SPEAKS, verdict, version)
    yield Case("metadata-name", WHEEL, speaks=False)
    name = bad(
        "'-demo' is an invalid value for Name. Error: Start and end with a letter", "warehouse/forklift/forms.py:38"
    )
    yield Case("metadata-name", WHEEL.with_(metadata=metadata(name="-demo")), SPEAKS, name, "dash first")
    yield Case("metadata-invalid-version", WHEEL, speaks=False)
    latest = bad("'latest' is invalid for 'version'.", f"{METADATA}:390")
    yield Case("metadata-invalid-version", WHEEL.with_(metadata=metadata(version="latest")), SPEAKS, latest, "latest")
    yield Case("filename-local-version", WHEEL, speaks=False)
    local = WHEEL.with_(filename="demo_pkg-1.0+cu12-py3-none-any.whl", metadata=metadata(version="1.0+cu12"))
    words = bad("The use of local versions in '1.0+cu12' is not allowed.", f"{METADATA}:118")
    yield Case("filename-local-version", local, SPEAKS, words, "cu12")
    yield accepted("metadata-summary", ("Summary", "x" * 512))
    yield refused("metadata-summary", ("Summary", "x" * 513), "'summary' field must be 512 characters or less.", 133)
    for good in ("Ann <ann@example.com>", "a@example.com, nobody", "Ann <ann@>", "Ann, Bob <b@example.com>", "UNKNOWN"):
        yield accepted("metadata-email", ("Author-Email", good))
    for wrong in ("ann@localhost", "nobody", "ann@example..com"):
        yield refused("metadata-email", ("Author-Email", wrong), "'", 156)
    for good in ("https://example.com", "https://", "http://a b/%zz", "https:example"):
        yield accepted("metadata-url", ("Home-Page", good))
    for wrong in ("example.com", "ftp://example.com", "mailto:a@example.com"):
        yield refused("metadata-url", ("Home-Page", wrong), f"'{wrong}' is not a valid url.", 200)
    yield accepted("metadata-project-url", ("Project-URL", f"{'x' * 32}, https://example.com"))
    for wrong, begins in (
        (f"{'x' * 33}, https://example.com", f"'{'x' * 33}' must be 32 characters or less."),
        (", https://example.com", "Must have a label."),
        ("Docs", "Must have a URL."),
        ("Docs, example.com", "'example.com' is not a valid url."),
    ):
        yield refused("metadata-project-url", ("Project-URL", wrong), begins, 214)
    docs = ("Project-URL", "Docs, https://example.com")
    yield refused("metadata-project-url", docs, "'project_urls' has invalid data.", 383, docs)
    known = ("Classifier", "Programming Language :: Python :: 3")
    yield accepted("metadata-classifier", known)
    yield accepted("metadata-classifier-unknown", known)
    private = "Private :: Do Not Upload"
    yield refused("metadata-classifier", ("Classifier", private), f"'{private}' is not a valid classifier.", 164)
    old = "Natural Language :: Ukranian"
    yield refused("metadata-classifier", ("Classifier", old), f"The classifier '{old}' has been deprecated", 178)
    for near in ("programming language :: Python :: 3", "Programming Language::Python ::  3"):
        yield refused("metadata-classifier", ("Classifier", near), f"'{near}' is not a valid classifier.", 164)
    new = "Framework :: Brand New"
    yield refused("metadata-classifier-unknown", ("Classifier", new), f"'{new}' is not a valid classifier.", 164)
    yield accepted("metadata-direct-dependency", ("Requires-Dist", "other >=1 ; extra == 'x'"))
    direct = "Can't have direct dependency: "
    yield refused("metadata-direct-dependency", ("Requires-Dist", "other @ https://example.com/o.whl"), direct, 257)
    yield refused("metadata-direct-dependency", ("Provides-Dist", "other @ https://example.com/o.whl"), direct, 242)
    yield accepted("metadata-direct-dependency", ("Provides-Dist", "other >=1"))
    yield accepted("metadata-dependency", ("Requires-Dist", "UNKNOWN"))
    yield accepted("metadata-dependency", ("Requires-Dist", ""))
    yield refused(
        "metadata-dependency", ("Requires-Dist", "other (1.0"), "'other (1.0' is invalid for 'requires-dist'.", 91
    )
    yield refused("metadata-dependency", ("Obsoletes-Dist", "other (1.0"), "'other (1.0' is invalid: ", 232)
    yield accepted("metadata-requires-python", ("Requires-Python", ">=3.9,!=3.10.*"))
    yield accepted("metadata-requires-python", ("Requires-Python", "UNKNOWN"))
    yield refused(
        "metadata-requires-python", ("Requires-Python", "3.9"), "'3.9' is invalid for 'requires-python'.", 390
    )
    yield accepted("metadata-dynamic", ("Dynamic", "Requires-Dist"))
    yield refused("metadata-dynamic", ("Dynamic", "Name"), "'name' is not allowed as a dynamic field.", 390)
    yield refused("metadata-dynamic", ("Dynamic", "Colour"), "'colour' is not a valid dynamic field.", 390)
    yield refused("metadata-dynamic", ("Dynamic", "Dynamic"), "Dynamic field 'dynamic' is not a valid", 270)
    yield accepted("metadata-license", ("License-Expression", "MIT OR Apache-2.0"))
    yield accepted("metadata-license", ("License", "MIT"))
    yield refused(
        "metadata-license", ("License-Expression", "Nice"), "'Nice' is invalid for 'license-expression'.", 390
    )
    both = (("License-Expression", "MIT"), ("License", "MIT"))
    yield refused(
        "metadata-license", both[0], "License is deprecated when License-Expression is present.", 280, both[1]
    )
    yield refused("metadata-license", ("License-File", "../LICENSE"), "'../LICENSE' is invalid for 'license-file'", 390)
    yield accepted("metadata-import-name", ("Import-Name", "demo_pkg"), ("Import-Namespace", "demo_pkg"), version="2.5")
    hyphen = "'my-demo' is invalid for 'import-name'"
    yield refused("metadata-import-name", ("Import-Name", "my-demo"), hyphen, 390, version="2.5")
    kind = "Description-Content-Type"
    for good in ("text/markdown; charset=UTF-8; variant=GFM", "text/plain", "text/markdown"):
        yield accepted("metadata-content-type", (kind, good), body="Hello")
    for wrong in (
        "text/html",
        "text/markdown; variant=gfm",
        "markdown",
        "text/plain; charset=latin-1",
        "text/plain; x*",
    ):
        yield refused("metadata-content-type", (kind, wrong), "", 390, body="Hello")
    yield accepted("metadata-charset-spelling", (kind, "text/markdown; charset=UTF-8"), body="Hello")
    lower = "'description-content-type' can only specify the UTF-8 charset, not 'utf-8'."
    yield refused("metadata-charset-spelling", (kind, "text/plain; charset=utf-8"), lower, 390, body="Hello")
    yield accepted("metadata-byte-order-mark")
    marked = WHEEL.with_(metadata=b"\xef\xbb\xbf" + metadata())
    yield Case("metadata-byte-order-mark", marked, SPEAKS, label="first")
    yield accepted("metadata-field", ("Keywords", "a,b, c"))
    early = "license-expression introduced in metadata version 2.4, not 2.1."
    yield refused("metadata-license", ("License-Expression", "MIT"), early, 390, version="2.1")
    yield accepted("metadata-field", ("Supported-Platform", "x"), ("Provides-Extra", "x"))
    late = "provides-extra introduced in metadata version 2.1, not 1.2."
    yield refused("metadata-field", ("Provides-Extra", "x"), late, 390, version="1.2")
    yield from _descriptions()


def _descriptions() -> Iterable[Case]:
    rule, kind = "description-renders", "Description-Content-Type"
    readme = "warehouse/utils/readme.py:21"
    for content_type, body in (
        ("text/markdown", "# Hello\n"),
        ("text/x-rst", "Hello\n=====\n\nWorld\n"),
        ("text/plain", "<b>"),
        ("text/markdown", " <!-- only a comment -->\n"),
    ):
        yield Case(
            rule, with_fields((kind, content_type), body=body), speaks=False, label=f"{content_type} {body[:9]!r}"
        )
    for label, body in (
        ("undefined reference", "Hello `x`_\n"),
        ("unknown directive", ".. nonsense:: x\n"),
        ("only a comment", ".. a comment\n"),
    ):
        verdict = bad("The description failed to render for 'text/x-rst'.", readme)
        yield Case(rule, with_fields((kind, "text/x-rst"), body=body), SPEAKS, verdict, label)
    default = bad("The description failed to render in the default format of reStructuredText.", readme)
    yield Case(rule, with_fields(body="Hello `x`_\n"), SPEAKS, default, "no content type")
    blank = bad("The description failed to render for 'text/markdown'.", readme)
    link = with_fields((kind, "text/markdown"), body="[a]: https://example.com\n")
    yield Case(rule, link, SPEAKS, blank, "Markdown with nothing to show")
    yield Case("description-too-large", with_fields((kind, "text/plain"), body="x"), speaks=False)
    large = with_fields((kind, "text/x-rst"), body="Hello\n" * 50_000)
    yield Case("description-too-large", large, SPEAKS, None, "300 kB of reStructuredText")
    whole = with_fields((kind, "text/markdown"), body="![a](https://x.example/a.png)\n")
    yield Case("description-relative-link", whole, speaks=False)
    dead = with_fields((kind, "text/markdown"), body="# Hello\n\n![a](docs/a.png)\n")
    yield Case("description-relative-link", dead, SPEAKS, None, "an image beside the README")
    yield Case("metadata-not-utf8", WHEEL, speaks=False)
    latin = WHEEL.with_(metadata=metadata(fields=[("Summary", "x")]).replace(b"Summary: x", b"Summary: \xe9t\xe9"))
    yield Case("metadata-not-utf8", latin, SPEAKS, None, "Latin-1")
    yield Case("metadata-unknown-field", WHEEL, speaks=False)
    yield Case("metadata-unknown-field", with_fields(("Licence", "MIT")), SPEAKS, None, "Licence")
    yield Case("metadata-repeated-field", with_fields(("Platform", "a"), ("Platform", "b")), speaks=False)
    yield Case(
        "metadata-repeated-field", with_fields(("Summary", "a"), ("Summary", "b")), SPEAKS, None, "two summaries"
    )
    yield Case("metadata-too-large", WHEEL, speaks=False)
    huge = WHEEL.with_(metadata=metadata(body="x" * (11 << 20)))
    yield Case("metadata-too-large", huge, SPEAKS, None, "11 MiB")


CASES: tuple[Case, ...] = (*_filenames(), *_archives(), *_sdists(), *_wheels(), *_fields())
