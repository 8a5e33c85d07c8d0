"""Small, correct distributions made on the spot, for every test that publishes something."""

import base64
import gzip
import hashlib
import io
import tarfile
import zipfile
from pathlib import Path

DESCRIPTION = "# Demo\n\nA distribution that a test made.\n"


def metadata(name: str, version: str, extra: str = "", requires_python: str = ">=3.9") -> str:
    return (
        f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\nSummary: Made by a test\n"
        f"Requires-Python: {requires_python}\n{extra}Description-Content-Type: text/markdown\n\n{DESCRIPTION}"
    )


def make_wheel(  # noqa: PLR0913  (what tests vary, by name)
    folder: Path,
    name: str = "demo",
    version: str = "1.0",
    tag: str = "py3-none-any",
    *,
    payload: bytes = b"x = 1\n",
    extra: str = "",
    requires_python: str = ">=3.9",
    stored: bool = False,
) -> Path:
    """Write a wheel with a correct RECORD; *payload* makes its content (and digest) differ."""
    folder.mkdir(parents=True, exist_ok=True)
    escaped = name.replace("-", "_")
    info = f"{escaped}-{version}.dist-info"
    members = {
        f"{escaped}/__init__.py": payload,
        f"{info}/METADATA": metadata(name, version, extra, requires_python).encode(),
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: {tag}\n".encode(),
    }
    record = "".join(f"{path},{_record_digest(data)},{len(data)}\n" for path, data in members.items())
    members[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    path = folder / f"{escaped}-{version}-{tag}.whl"
    method = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(path, "w", method) as archive:
        for member, data in members.items():
            archive.writestr(zipfile.ZipInfo(member, (2026, 1, 1, 0, 0, 0)), data, method)
    return path


def make_sdist(folder: Path, name: str = "demo", version: str = "1.0", *, payload: bytes = b"x = 1\n") -> Path:
    """Write an sdist, reproducibly."""
    folder.mkdir(parents=True, exist_ok=True)
    top = f"{name.replace('-', '_')}-{version}"
    members = {
        f"{top}/PKG-INFO": metadata(name, version).encode(),
        f"{top}/pyproject.toml": b"[build-system]\nrequires = []\n",
        f"{top}/src/x.py": payload,
    }
    path = folder / f"{top}.tar.gz"
    with (
        path.open("wb") as raw,
        gzip.GzipFile(fileobj=raw, mode="wb", filename="", mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for member, data in members.items():
            entry = tarfile.TarInfo(member)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return path


def make_release(folder: Path, name: str = "demo", version: str = "1.0", *, payload: bytes = b"x = 1\n") -> list[Path]:
    """Write an sdist and a wheel."""
    return [
        make_sdist(folder, name, version, payload=payload),
        make_wheel(folder, name, version, payload=payload),
    ]


def _record_digest(data: bytes) -> str:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
