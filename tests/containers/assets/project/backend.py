"""A build backend that needs nothing from any index."""

import base64
import hashlib
import io
import tarfile
import zipfile
from pathlib import Path

NAME, VERSION = "built_by_act", "1.0"
METADATA = f"Metadata-Version: 2.4\nName: built-by-act\nVersion: {VERSION}\nSummary: Made by a test\n"
WHEEL = "Wheel-Version: 1.0\nGenerator: backend\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def build_sdist(folder: str, config_settings: object = None) -> str:
    name = f"{NAME}-{VERSION}.tar.gz"
    top = f"{NAME}-{VERSION}"
    with tarfile.open(Path(folder, name), "w:gz", format=tarfile.PAX_FORMAT) as archive:
        for file in ("pyproject.toml", "backend.py"):
            archive.add(file, f"{top}/{file}")
        entry = tarfile.TarInfo(f"{top}/PKG-INFO")
        entry.size = len(METADATA)
        archive.addfile(entry, io.BytesIO(METADATA.encode()))
    return name


def build_wheel(folder: str, config_settings: object = None, metadata_directory: object = None) -> str:
    name, info = f"{NAME}-{VERSION}-py3-none-any.whl", f"{NAME}-{VERSION}.dist-info"
    members = {f"{NAME}.py": "", f"{info}/METADATA": METADATA, f"{info}/WHEEL": WHEEL}
    lines = [f"{path},sha256={digest(text)},{len(text)}\n" for path, text in members.items()]
    with zipfile.ZipFile(Path(folder, name), "w") as archive:
        for path, text in {**members, f"{info}/RECORD": f"{''.join(lines)}{info}/RECORD,,\n"}.items():
            archive.writestr(path, text)
    return name


def digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
