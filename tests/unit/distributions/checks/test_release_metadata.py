"""The files of one release say the same about it."""

from pathlib import Path

from tests.corpus.build import Sdist, Wheel, metadata
from tests.unit.distributions.checked_folders import check, put


def test_what_an_sdist_calls_dynamic_may_differ(tmp_path: Path) -> None:
    sdist = Sdist(metadata=metadata(fields=[("Dynamic", "Requires-Dist"), ("Dynamic", "Classifier")]))
    wheel = Wheel(metadata=metadata(fields=[("Requires-Dist", "other"), ("Classifier", "Typing :: Typed")]))
    put(tmp_path, sdist, wheel)
    assert check(tmp_path) == {}


def test_an_sdist_with_old_metadata_promises_nothing(tmp_path: Path) -> None:
    put(tmp_path, Sdist(metadata=metadata(metadata_version="2.1", fields=[("Summary", "a")])), Wheel())
    assert check(tmp_path) == {}


def test_sdists_with_old_metadata_alone_have_nothing_to_compare(tmp_path: Path) -> None:
    put(tmp_path, Sdist(metadata=metadata(metadata_version="2.1")))
    assert check(tmp_path) == {}
