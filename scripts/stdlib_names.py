"""The project names that PyPI keeps for the standard library: src/ci_publish/model/stdlib_names.py.

They come from the distribution stdlib-list, from which PyPI's server computes the same set
(warehouse/packaging/services.py: ``STDLIB_PROHIBITED``). ``make generate`` writes the module.
"""

import textwrap
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from pathlib import Path

import stdlib_list
from packaging.utils import NormalizedName, canonicalize_name

TARGET = Path(__file__).parent.parent / "src" / "ci_publish" / "model" / "stdlib_names.py"
_WIDTH = 120
_MODULE = '''\
"""Names that PyPI keeps for the standard library (generated data).

Written by scripts/stdlib_names.py from stdlib-list {version}: every module of every Python version, and each package
that a dotted name lies in, as normalised project names. Source: warehouse/packaging/services.py:60-73.
"""

from typing import Final

_NAMES: Final = """
{names}
"""
STDLIB_NAMES: Final = frozenset(_NAMES.split())
'''


def prohibited(modules: Iterable[str]) -> set[NormalizedName]:
    """Return the project names that collide with *modules*, dotted names and the packages they lie in included."""
    return {canonicalize_name(name.strip("-_.")) for module in modules for name in _prefixes(module)}


def _prefixes(module: str) -> Iterator[str]:
    parts = module.split(".")
    return (".".join(parts[: count + 1]) for count in range(len(parts)))


def module_text(names: Iterable[str], source_version: str) -> str:
    """Return the generated module."""
    wrapped = textwrap.wrap(" ".join(sorted(names)), _WIDTH, break_long_words=False, break_on_hyphens=False)
    return _MODULE.format(version=source_version, names="\n".join(wrapped))


def files() -> Iterator[tuple[Path, str]]:
    """Yield the module as it should be."""
    modules = (module for python in stdlib_list.short_versions for module in stdlib_list.stdlib_list(python))
    yield TARGET, module_text(prohibited(modules), version("stdlib-list"))
