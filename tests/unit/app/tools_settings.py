"""Settings where other tools say something, too."""

import base64
from pathlib import Path

from ci_publish.app.settings_sources import Loaded, load_settings

PYPI, TESTPYPI = "https://upload.pypi.org/legacy/", "https://test.pypi.org/legacy/"
CORP = "https://corp.example/upload/"


ACTION = {"CI_PUBLISH_ACTION": "docker"}


IDENTITY = {"GITHUB_ACTIONS": "true", "ACTIONS_ID_TOKEN_REQUEST_URL": "u", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "t"}


PYPIRC = f"[company]\nrepository = {CORP}\nusername = me\npassword = s3cret\n[testpypi]\npassword = pypi-x\n"


def token(location: str) -> str:
    data = b"\x02\x01" + bytes([len(location)]) + location.encode() + b"\x02\x01x\x00"
    return "pypi-" + base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def loaded(home: Path, environ: dict[str, str], **flags: object) -> Loaded:
    return load_settings(flags, {"HOME": str(home), **environ}, home / "pyproject.toml")


def objection(found: Loaded) -> str:
    assert found.objection is not None
    assert found.settings.password is None, "a secret is not taken over by a run that must stop"
    return "\n".join((found.objection.summary, found.objection.detail, *found.objection.hints))
