"""The macro for versions in the documentation: how our own is named, in two states, and the pins of others' actions.

    before the first release                                       afterwards, the newest
    uses: ci-publish/ci-publish@main                               uses: ci-publish/ci-publish@COMMIT # v1.2.3
    "ci-publish @ git+https://github.com/ci-publish/ci-publish"    "ci-publish==1.2.3"
    component: …/ci-publish/publish@main                           component: …/ci-publish/publish@1.2.3
    image: YOUR-REGISTRY/ci-publish-gitlab:main                    image: ghcr.io/ci-publish/ci-publish:1.2.3-gitlab
    rev: main                                                      rev: COMMIT # frozen: v1.2.3

The pages hold the words of one state, so that they can be read and pasted wherever they are shown. `make generate`
writes those of the state in docs/release.json, which `make pin` reads from the repository's tags. Actions of others get
the commit and the comment that our own workflows have, where Dependabot and `make pin` keep them current.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
STATE: Final = ROOT / "docs" / "release.json"
GIT: Final = "git+https://github.com/ci-publish/ci-publish"

# Whoever writes a page may leave a placeholder for a commit.
_PLACEHOLDER: Final = "COMMIT-OF-A-RELEASE"
_PIN: Final = re.compile(rf"(?P<action>[\w.-]+/[\w.-]+(?:/[\w.-]+)*)@(?:{_PLACEHOLDER}|[0-9a-f]{{40}} # v[\d.]+)")
_COMMIT: Final = rf"(?:main|{_PLACEHOLDER}|[0-9a-f]{{40}})"
_ACTION: Final = re.compile(rf"(ci-publish/ci-publish(?:/[\w./-]+)?)@{_COMMIT}(?: # v[\d.]+)?")
_REQUIREMENT: Final = re.compile(rf"(ci-publish(?:\[\w+\])?)(?: @ {re.escape(GIT)}|==\d+(?:\.\d+)+)(?=[\"'])")
_COMPONENT: Final = re.compile(r"(ci-publish/publish)@(?:main|\d+(?:\.\d+)+)")
_IMAGE: Final = re.compile(r"YOUR-REGISTRY/ci-publish-gitlab:main|ghcr\.io/ci-publish/ci-publish:\d+(?:\.\d+)+-gitlab")
_HOOK: Final = re.compile(rf"(https://github\.com/ci-publish/ci-publish\n +rev: ){_COMMIT}(?: # frozen: v[\d.]+)?")


@dataclass(frozen=True, slots=True)
class Release:
    """A release of ours: its tag (v1.2.3), and the commit that the tag stands for."""

    tag: str
    commit: str

    @property
    def version(self) -> str:
        """The version as indexes name it."""
        return self.tag.removeprefix("v")


def current(state_file: Path = STATE) -> Release | None:
    """Return the newest release, None before the first."""
    state = json.loads(state_file.read_text(encoding="utf-8"))
    return None if state is None else Release(**state)


def forms(release: Release | None) -> dict[re.Pattern[str], str]:
    """Return what each mention of our own version becomes."""
    if release is None:
        git, image, main = rf"\1 @ {GIT}", "YOUR-REGISTRY/ci-publish-gitlab:main", r"\1@main"
        return {_ACTION: main, _REQUIREMENT: git, _COMPONENT: main, _IMAGE: image, _HOOK: r"\1main"}
    return {
        _ACTION: rf"\1@{release.commit} # {release.tag}",
        _REQUIREMENT: rf"\1=={release.version}",
        _COMPONENT: rf"\1@{release.version}",
        _IMAGE: f"ghcr.io/ci-publish/ci-publish:{release.version}-gitlab",
        _HOOK: rf"\g<1>{release.commit} # frozen: {release.tag}",
    }


def restated(text: str, release: Release | None) -> str:
    """Return *text* with our own version in the words of the state that *release* stands for."""
    for pattern, form in forms(release).items():
        text = pattern.sub(form, text)
    return text


def pinned(text: str, pins: Mapping[str, str]) -> str:
    """Return *text* with every pin of an action that *pins* names as it is there, comment included."""

    def pin(found: re.Match[str]) -> str:
        return pins.get(found["action"], found[0])

    return _PIN.sub(pin, text)


def pins_of_workflows() -> dict[str, str]:
    """Return the pin of each action that our own workflows use."""
    texts = (path.read_text(encoding="utf-8") for path in sorted((ROOT / ".github" / "workflows").glob("*.yml")))
    return {found["action"]: found[0] for text in texts for found in _PIN.finditer(text)}


def pages() -> list[Path]:
    """Return what names versions: the README and the pages that people write."""
    return [ROOT / "README.md", *sorted(set((ROOT / "docs").glob("*.md")) - {ROOT / "docs" / "checks.md"})]


def files(release: Callable[[], Release | None] = current) -> Iterator[tuple[Path, str]]:
    """Yield the pages as they should be."""
    pins, newest = pins_of_workflows(), release()
    for path in pages():
        yield path, pinned(restated(path.read_text(encoding="utf-8"), newest), pins)
