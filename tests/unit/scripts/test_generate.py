"""One command writes every generated file; `make lint` names those that are stale."""

from collections.abc import Iterator
from pathlib import Path

from scripts import generate
from scripts.generate import GENERATORS, ROOT


def test_nothing_that_is_generated_is_stale() -> None:
    found = [str(path.relative_to(ROOT)) for path in generate.generate(GENERATORS, check=True)]
    assert found == [], "run: make generate"


def test_every_file_belongs_to_one_generator() -> None:
    paths = [path for generator in GENERATORS for path, _ in generator()]
    assert len(paths) > 50
    assert len(paths) == len(set(paths))


def test_a_check_names_what_is_stale_or_missing_and_writes_nothing(tmp_path: Path) -> None:
    old, missing, current = tmp_path / "old", tmp_path / "folder" / "missing", tmp_path / "current"
    old.write_text("old", encoding="utf-8")
    current.write_text("new", encoding="utf-8")

    def files() -> Iterator[tuple[Path, str]]:
        return ((path, "new") for path in (old, missing, current))

    assert generate.generate([files], check=True) == [old, missing]
    assert (old.read_text(encoding="utf-8"), missing.exists()) == ("old", False)
    assert generate.generate([files], check=False) == [old, missing]
    assert generate.generate([files], check=True) == []


def test_a_later_generator_reads_what_an_earlier_one_wrote(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    chain = (lambda: [(first, "1")], lambda: [(second, first.read_text(encoding="utf-8") + "2")])
    assert generate.generate(chain, check=False) == [first, second]
    assert second.read_text(encoding="utf-8") == "12"
