"""Combinations of destination and credential, and what issue and reference say becomes of each: written independently.

The table of `docs/reference/options.md` ("Other tools' variables"), once more, in the plainest words that a test can
have: nothing here is imported from the program.
"""

from __future__ import annotations

import base64
import itertools
import os
import random
from dataclasses import dataclass, field

PYPI, TESTPYPI, CORP = "https://upload.pypi.org/legacy/", "https://test.pypi.org/legacy/", "https://corp.example/up/"
HOSTS = ("pypi.org", "upload.pypi.org", "test.pypi.org", "corp.example")
MAY_REACH = {
    PYPI: {"pypi.org", "upload.pypi.org"},
    TESTPYPI: {"test.pypi.org"},
    CORP: {"corp.example"},
}


def _macaroon(location: str, identifier: bytes = b"test") -> str:
    data = b"\x02\x01" + bytes([len(location)]) + location.encode()
    data += b"\x02" + bytes([len(identifier)]) + identifier + b"\x00\x00\x06\x20" + b"s" * 32
    return "pypi-" + base64.urlsafe_b64encode(data).rstrip(b"=").decode()


PYPI_TOKEN, TEST_TOKEN, OTHER_SECRET = _macaroon("pypi.org"), _macaroon("test.pypi.org"), "hunter2hunter2"
OUR_SECRET = _macaroon("pypi.org", b"ours")
ISSUERS = {PYPI_TOKEN: PYPI, OUR_SECRET: PYPI, TEST_TOKEN: TESTPYPI}
SECTION_SECRET = "section-secret-of-corp"

_UV_INDEX = f'[[tool.uv.index]]\nname = "corp"\nurl = "https://corp.example/simple/"\npublish-url = "{CORP}"\n'
_PYPIRC = f"[company]\nrepository = {CORP}\nusername = me\npassword = {SECTION_SECRET}\n"


@dataclass(frozen=True)
class Part:
    """One way to say something: flags, variables and a table of pyproject.toml, and what is meant by them."""

    name: str
    means: str | None = None
    flags: tuple[str, ...] = ()
    environ: dict[str, str] = field(default_factory=dict)
    pyproject: str = ""
    tool: str = ""
    section: bool = False


OURS = (
    Part("nothing"),
    Part("flag-testpypi", TESTPYPI, ("--repository-url", TESTPYPI)),
    Part("flag-corp", CORP, ("--repository-url", CORP)),
    Part("flag-name-pypi", PYPI, ("--repository-url", "pypi")),
    Part("flag-uv-index", CORP, ("--repository-url", "corp")),
    Part("flag-pypirc", CORP, ("--repository-url", "company"), section=True),
    Part("variable-testpypi", TESTPYPI, environ={"CI_PUBLISH_REPOSITORY_URL": "testpypi"}),
    Part("input-corp", CORP, environ={"INPUT_REPOSITORY-URL": CORP}),
    Part("input-pypi", PYPI, environ={"INPUT_REPOSITORY_URL": PYPI}),
    Part("pyproject-testpypi", TESTPYPI, pyproject='[tool.ci-publish]\nrepository-url = "testpypi"\n'),
)
FOREIGN = (
    Part("nothing"),
    Part("twine-name", TESTPYPI, environ={"TWINE_REPOSITORY": "testpypi"}, tool="twine"),
    Part("twine-url", CORP, environ={"TWINE_REPOSITORY_URL": CORP}, tool="twine"),
    Part("twine-pypirc", CORP, environ={"TWINE_REPOSITORY": "company"}, tool="twine", section=True),
    Part("uv-url", TESTPYPI, environ={"UV_PUBLISH_URL": TESTPYPI}, tool="uv"),
    Part("uv-pypi", PYPI, environ={"UV_PUBLISH_URL": PYPI}, tool="uv"),
    Part("uv-index", CORP, environ={"UV_PUBLISH_INDEX": "corp"}, tool="uv"),
    Part("two", "contradiction", environ={"TWINE_REPOSITORY": "testpypi", "UV_PUBLISH_URL": CORP}),
)
CREDENTIALS = (
    Part("nothing"),
    Part("our-password", OUR_SECRET, environ={"CI_PUBLISH_PASSWORD": OUR_SECRET}),
    Part("our-plain", "plain-secret-of-ours", environ={"CI_PUBLISH_PASSWORD": "plain-secret-of-ours"}),
    Part("our-token", OUR_SECRET, environ={"CI_PUBLISH_TOKEN": OUR_SECRET}),
    Part("input", OUR_SECRET, environ={"INPUT_PASSWORD": OUR_SECRET}),
    Part("twine-pypi-token", PYPI_TOKEN, environ={"TWINE_PASSWORD": PYPI_TOKEN}, tool="twine"),
    Part(
        "twine-password", OTHER_SECRET, environ={"TWINE_USERNAME": "me", "TWINE_PASSWORD": OTHER_SECRET}, tool="twine"
    ),
    Part("uv-test-token", TEST_TOKEN, environ={"UV_PUBLISH_TOKEN": TEST_TOKEN}, tool="uv"),
    Part(
        "uv-password",
        OTHER_SECRET,
        environ={"UV_PUBLISH_USERNAME": "me", "UV_PUBLISH_PASSWORD": OTHER_SECRET},
        tool="uv",
    ),
)


@dataclass(frozen=True)
class Case:
    """One combination. ``action``: it runs in our action; ``identity``: in a job that may request identities."""

    ours: Part
    foreign: Part
    credential: Part
    action: bool
    identity: bool

    @property
    def name(self) -> str:
        where = f"action{'+identity' if self.identity else ''}" if self.action else "cli"
        return f"{where}/{self.ours.name}/{self.foreign.name}/{self.credential.name}"

    @property
    def _parts(self) -> tuple[Part, ...]:
        return self.ours, self.foreign, self.credential

    @property
    def flags(self) -> tuple[str, ...]:
        return tuple(flag for part in self._parts for flag in part.flags)

    @property
    def environ(self) -> dict[str, str]:
        said = {key: value for part in self._parts for key, value in part.environ.items()}
        return {**said, **({"CI_PUBLISH_ACTION": "docker"} if self.action else {})}

    @property
    def pyproject(self) -> str:
        return "".join(part.pyproject for part in self._parts) + _UV_INDEX

    @property
    def pypirc(self) -> str:
        return _PYPIRC


@dataclass(frozen=True)
class Expected:
    """What the table says. ``destination`` None: exit 2, and nothing is sent. ``secret`` None: no credential."""

    destination: str | None
    secret: str | None = None


STOP = Expected(None)
IDENTITY = "identity"


def expected(case: Case) -> Expected:
    """Return what the table says of *case*."""
    ours, foreign, credential = case.ours, case.foreign, case.credential
    our_credential = credential.means is not None and not credential.tool
    if foreign.means == "contradiction" or (ours.means and foreign.means and ours.means != foreign.means):
        return STOP
    if foreign.means and not ours.means:
        if case.action:
            return STOP if foreign.means != PYPI else _at(case, PYPI, named=False)
        if our_credential:
            return STOP
        if credential.means and credential.tool == foreign.tool:
            return Expected(foreign.means, credential.means)
        return Expected(foreign.means, _without(case, foreign.means, section=foreign.section))
    return _at(case, ours.means or PYPI, named=ours.means is not None)


def _at(case: Case, destination: str, *, named: bool) -> Expected:
    """Return what is shown to a destination that ours, or the default, decides."""
    credential = case.credential
    if credential.means is None:
        return Expected(destination, _without(case, destination, section=case.ours.section))
    if not credential.tool:
        return Expected(destination, credential.means)
    if case.action and case.identity and destination in {PYPI, TESTPYPI}:
        return Expected(destination, IDENTITY)
    issuer = ISSUERS.get(credential.means)
    if issuer is not None:
        return Expected(destination, credential.means) if issuer == destination else STOP
    return Expected(destination, credential.means) if named and destination == CORP else STOP


def _without(case: Case, destination: str, *, section: bool) -> str | None:
    """Return what is shown where nobody gave a credential: the section's password, an identity, or nothing."""
    if section:
        return SECTION_SECRET
    return IDENTITY if case.identity and destination != CORP else None


def every_case() -> list[Case]:
    """Return all combinations that can occur: inputs exist in the action only."""
    places = ((False, False), (True, False), (True, True))
    return [
        Case(ours, foreign, credential, action, identity)
        for ours, foreign, credential, (action, identity) in itertools.product(OURS, FOREIGN, CREDENTIALS, places)
        if action or not any(key.startswith("INPUT_") for part in (ours, credential) for key in part.environ)
    ]


STRESS = os.environ.get("CI_PUBLISH_STRESS") == "1"


def cases(clear: int = 200 if STRESS else 60, stopping: int = 100 if STRESS else 30) -> list[Case]:
    """Return so many combinations whose destination is clear, and so many that must stop; the same ones each time."""
    draw = random.Random(13)  # noqa: S311  (no secret)
    every = every_case()
    going = [case for case in every if expected(case) != STOP]
    stopped = [case for case in every if expected(case) == STOP]
    return [*draw.sample(going, clear), *draw.sample(stopped, stopping)]
