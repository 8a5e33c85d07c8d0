"""How the documentation names versions: ours in two states, those of others as our workflows pin them."""

import re
from pathlib import Path

import pytest

from scripts import own_version
from scripts.own_version import GIT, Release, pages, pinned, pins_of_workflows, restated

COMMIT = "0f" * 20
RELEASE = Release("v1.2.3", COMMIT)
NEXT = Release("v1.10.0", "1e" * 20)

STATES = [
    ("uses: ci-publish/ci-publish@main", f"uses: ci-publish/ci-publish@{COMMIT} # v1.2.3"),
    ("`ci-publish/ci-publish/native@main`", f"`ci-publish/ci-publish/native@{COMMIT} # v1.2.3`"),
    (
        "ci-publish/ci-publish/.github/workflows/build.yml@main",
        f"ci-publish/ci-publish/.github/workflows/build.yml@{COMMIT} # v1.2.3",
    ),
    (f'pip install "ci-publish @ {GIT}"', 'pip install "ci-publish==1.2.3"'),
    (f"uvx --from 'ci-publish[rehearsal] @ {GIT}'", "uvx --from 'ci-publish[rehearsal]==1.2.3'"),
    ("component: $CI_SERVER_FQDN/G/ci-publish/publish@main", "component: $CI_SERVER_FQDN/G/ci-publish/publish@1.2.3"),
    ("image: YOUR-REGISTRY/ci-publish-gitlab:main", "image: ghcr.io/ci-publish/ci-publish:1.2.3-gitlab"),
    (
        "  - repo: https://github.com/ci-publish/ci-publish\n    rev: main\n",
        f"  - repo: https://github.com/ci-publish/ci-publish\n    rev: {COMMIT} # frozen: v1.2.3\n",
    ),
]


@pytest.mark.parametrize(("before", "after"), STATES)
def test_both_states_and_the_next_release(before: str, after: str) -> None:
    assert restated(before, None) == before
    assert restated(before, RELEASE) == after
    assert restated(after, RELEASE) == after
    assert restated(after, NEXT) == after.replace(COMMIT, NEXT.commit).replace("1.2.3", "1.10.0")
    assert restated(after, None) == before
    assert restated("uses: ci-publish/ci-publish/native@COMMIT-OF-A-RELEASE", None) == (
        "uses: ci-publish/ci-publish/native@main"
    )


@pytest.mark.parametrize("text", ["actions/checkout@main", "ci-publish verify demo==1.0", "ci-publish/other@main"])
def test_what_is_not_ours_is_left_alone(text: str) -> None:
    assert restated(text, RELEASE) == text


def test_actions_of_others_get_the_pin_of_our_workflows() -> None:
    old, new = f"actions/checkout@{COMMIT} # v1.0.0", f"actions/checkout@{'1e' * 20} # v2.0.0"
    assert pinned(f"- uses: {old}\n", {"actions/checkout": new}) == f"- uses: {new}\n"
    assert pinned(f"- uses: {old}\n", {}) == f"- uses: {old}\n"
    assert pinned("- uses: actions/checkout@COMMIT-OF-A-RELEASE", {"actions/checkout": new}) == f"- uses: {new}"
    assert {"actions/checkout", "actions/upload-artifact", "actions/download-artifact"} <= set(pins_of_workflows())


def test_the_state_is_read_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "release.json"
    file.write_text("null\n", encoding="utf-8")
    assert own_version.current(file) is None
    file.write_text(f'{{"tag": "v1.2.3", "commit": "{COMMIT}"}}\n', encoding="utf-8")
    assert own_version.current(file) == RELEASE


@pytest.mark.parametrize("release", [None, RELEASE], ids=["before", "after"])
def test_every_page_can_be_pasted_in_both_states(release: Release | None) -> None:
    for path, text in own_version.files(lambda: release):
        uses = re.findall(r"uses: ([\w./-]+)@([\w./-]+)(?: (# v[\d.]+))?", text)
        foreign = {name: ref for name, ref, _ in uses if not name.startswith(("ci-publish/", "pypa/"))}
        commits = {name: found.partition("@")[2].partition(" ")[0] for name, found in pins_of_workflows().items()}
        assert foreign.items() <= commits.items(), path.name
        wanted = ("main", "") if release is None else (release.commit, f"# {release.tag}")
        assert {(ref, tag) for name, ref, tag in uses if name.startswith("ci-publish/")} <= {wanted}, path.name
        assert not re.search(r"OF-A-RELEASE|vX\.Y\.Z", text), path.name


@pytest.mark.parametrize("path", pages(), ids=lambda path: path.name)
def test_nobody_is_told_to_install_a_bare_name(path: Path) -> None:
    """Before the first release nobody holds it on PyPI, and somebody else could take it."""
    lines = re.findall(
        r"(?:pip3? install|pipx (?:run|install)|uv tool install|uvx)\b[^`\n]*", path.read_text(encoding="utf-8")
    )
    ours = [line for line in lines if re.search(r"[\s\"']ci-publish[\[\s\"'@=]", line)]
    forms = re.compile(rf"[\"']ci-publish(?:\[\w+\])?(?: @ {re.escape(GIT)}|==[\d.]+)[\"']")
    assert [line for line in ours if not forms.search(line)] == []
