"""Print the files of the modules that the architecture calls pure, as patterns for `coverage report --include`."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def pure_modules() -> list[str]:
    """Return the dotted names that the import contract `pure` lists in pyproject.toml."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = config["tool"]["importlinter"]["contracts"]
    return [name for contract in contracts if contract["id"] == "pure" for name in contract["source_modules"]]


def pattern(module: str) -> str:
    """Return the pattern that matches the file of *module*, or all files below it when it is a package."""
    path = ROOT / "src" / Path(*module.split("."))
    return str(path / "*") if path.is_dir() else str(path.with_suffix(".py"))


if __name__ == "__main__":
    print(",".join(pattern(module) for module in pure_modules()))
