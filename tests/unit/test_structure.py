"""Tests are found by name: a module of `src` has a test module of its name in the same folder of `tests/unit`."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("distributions", "rehearsal")


@pytest.mark.parametrize("package", PACKAGES)
def test_every_module_has_a_test_module_of_its_name(package: str) -> None:
    source = ROOT / "src" / "ci_publish" / package
    modules = [path for path in source.rglob("*.py") if path.name != "__init__.py"]
    assert modules
    tests = ROOT / "tests" / "unit" / package
    missing = [
        str(path.relative_to(source))
        for path in modules
        if not (tests / path.relative_to(source)).with_name(f"test_{path.name}").exists()
    ]
    assert missing == []
