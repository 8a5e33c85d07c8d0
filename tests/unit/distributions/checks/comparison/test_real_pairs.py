"""Pairs of consecutive releases on PyPI: every finding above a note, with the change that caused it.

``tests/assets/release_pairs.json`` holds facts only, each pair with its source and date; no file of them is here.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from ci_publish.distributions.local import LocalDistributions
from ci_publish.model.distribution import CoreMetadata
from ci_publish.model.filename import DistributionFilename
from ci_publish.model.index import IndexProfile
from ci_publish.model.problem import Problem, Severity
from ci_publish.model.release import Comparison, Release, ReleaseFile

ASSET = Path(__file__).parents[4] / "assets" / "release_pairs.json"
PAIRS: dict[str, dict[str, Any]] = {
    f"{pair['project']} {pair['ours']['version']}": pair for pair in json.loads(ASSET.read_text())["pairs"]
}

# What is found above a note, and the change that caused it. ``USELESS`` are those that help nobody.
CAUSES = {
    ("bcrypt 5.0.0", "wheel-lost"): "the wheels for PyPy 3.10 ended; Requires-Python (>=3.8) does not say so",
    ("markupsafe 3.0.4", "wheel-lost"): "the wheels for the free-threaded CPython 3.13 ended",
    ("markupsafe 3.0.4", "platform-floor-raised"): "wheels for CPython 3.14 need macOS 10.15, and needed 10.13",
    ("orjson 3.13.0", "wheel-lost"): "the wheels for 32-bit Windows ended",
    ("pandas 2.2.3", "platform-floor-raised"): "musllinux wheels need musllinux_1_2, and needed 1_1",
    ("pandas 2.2.3", "size-changed"): "one aarch64 wheel has 63 MiB, and its counterpart 15",
    ("pydantic-core 2.50.3", "wheel-lost"): "half of the wheels and the sdist are not there",
    ("pydantic-core 2.50.3", "sdist-lost"): "half of the wheels and the sdist are not there",
    ("pynacl 1.6.2", "platform-floor-raised"): "musllinux wheels for CPython 3.8 need musllinux_1_2, and needed 1_1",
    ("safetensors 0.8.0", "wheel-lost"): "the wheels for PyPy 3.10, which Requires-Python admits, ended",
}
USELESS: set[tuple[str, str]] = set()


def release(project: str, facts: dict[str, Any]) -> Release:
    return Release(
        project=project,
        version=facts["version"],
        files=tuple(ReleaseFile(name=DistributionFilename.parse(name), size=size) for name, size, _ in facts["files"]),
        requires_python=facts["requires_python"] or "",
        metadata=CoreMetadata(
            metadata_version="",
            name=project,
            version=facts["version"],
            fields=tuple(("requires-dist", line) for line in facts["requires_dist"]),
        ),
    )


def found(pair: dict[str, Any]) -> tuple[Problem, ...]:
    ours, before = (release(pair["project"], pair[side]) for side in ("ours", "before"))
    comparison = Comparison(ours=ours, before=before, newest=before.version, line=True, metadata_asked=True)
    return LocalDistributions().compare(comparison, [IndexProfile.PYPI], differences=True)


def test_there_are_twenty_pairs_of_several_kinds_each_with_its_source_and_date() -> None:
    assert len(PAIRS) >= 20
    for pair in PAIRS.values():
        assert pair["source"] == f"https://pypi.org/simple/{pair['project']}/"
        assert pair["read"].startswith("20")
        assert all(date.startswith("20") for side in ("ours", "before") for _, _, date in pair[side]["files"])
    tags = [{name for name, _, _ in pair["ours"]["files"]} for pair in PAIRS.values()]
    assert sum(any("-none-any.whl" in name for name in names) for names in tags) >= 5
    assert sum(any("-abi3-" in name for name in names) for names in tags) >= 5
    assert sum(len(names) > 60 for names in tags) >= 5


@pytest.mark.parametrize("pair", PAIRS)
def test_every_finding_above_a_note_has_a_cause(pair: str) -> None:
    above = {(pair, each.rule) for each in found(PAIRS[pair]) if each.severity is not Severity.NOTE}
    assert above == {key for key in CAUSES if key[0] == pair}


def test_at_most_two_findings_are_useless() -> None:
    assert len(USELESS) <= 2
    assert CAUSES.keys() >= USELESS


def test_what_the_notes_say() -> None:
    assert {each.message.partition(".")[0] for each in found(PAIRS["safetensors 0.8.0"])} >= {
        "No wheels for CPython 3",
        "abi3: raised from CPython 3",
    }
    changed = {key: {each.rule for each in found(pair) if "dependency" in each.rule} for key, pair in PAIRS.items()}
    assert {key: rules for key, rules in changed.items() if rules} == {
        "aiohttp 3.14.5": {"dependency-loosened"},
        "grpcio 1.85.3": {"dependency-tightened"},
        "pillow 13.0.0": {"dependency-added"},
        "psutil 7.2.2": {"dependency-added", "dependency-changed"},
        "pytest 9.2.0": {"dependency-added", "dependency-tightened"},
        "safetensors 0.8.0": {"dependency-added", "dependency-tightened", "dependency-changed"},
    }


@pytest.mark.parametrize("pair", PAIRS)
def test_a_real_release_beside_itself_has_no_changes(pair: str) -> None:
    ours = PAIRS[pair]["ours"]
    assert found({"project": PAIRS[pair]["project"], "ours": ours, "before": ours}) == ()
