"""Modules that libraries import and this program hardly ever uses: put off until somebody does (as PEP 810 will).

pydantic-settings imports asyncio for asynchronous commands, httpcore anyio for asynchronous clients, httpx mimetypes
for files in forms; together they take as long as reading and checking a small wheel.
"""

import sys
from importlib import import_module
from importlib.machinery import PathFinder
from types import ModuleType


class _Late(ModuleType):
    """Stands for a module until one of its names is used."""

    def __getattr__(self, name: str) -> object:
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(import_module(self.__name__), name)


def postpone(*names: str) -> None:
    """Import these top-level modules when a name in them is first used.

    Those that are imported already, or not installed, are left alone. For a process of our own only: everybody in it
    sees the stand-ins.
    """
    for name in names:
        found = None if name in sys.modules else PathFinder.find_spec(name)
        if found is not None:
            stand_in = _Late(name)
            stand_in.__spec__ = found
            sys.modules[name] = stand_in


def leave_out(module: str, *names: str) -> None:
    """Have *module*, a part of a library, hold nothing but functions of these names, which nobody here calls.

    For a process of our own only, and to be called before the library is imported.
    """
    if module not in sys.modules:
        empty = ModuleType(module)
        for name in names:
            setattr(empty, name, lambda: None)
        sys.modules[module] = empty
