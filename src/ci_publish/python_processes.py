"""Python processes of our own: isolated from the folder and the variables of the run, with the parent's packages.

An isolated interpreter (``-I``) sees neither the user's site-packages nor PYTHONPATH, and this program may come from
there, from a folder of ``pip install --target``, or from what another program appended to ``sys.path``. So the parent
says where its packages are.
"""

import json
import os
import sys
from pathlib import Path
from typing import Final

_FIRST: Final = "import json, sys; sys.path[:] = json.loads(sys.argv.pop(1)); "


def python_command(program: str, *arguments: str) -> list[str]:
    """Return the command that runs *program*, which imports what this process would import."""
    return [sys.executable, "-I", "-X", "utf8", "-c", _FIRST + program, json.dumps(search_path()), *arguments]


def search_path() -> list[str]:
    """Return where this process finds packages, in its order, as absolute paths.

    The current folder is left out, unless this program is there: it may be a checkout with files of any name.
    """
    own = str(Path(__file__).parents[1])
    entries = dict.fromkeys(os.path.abspath(entry) for entry in sys.path)  # noqa: PTH100  ("" is the current folder)
    kept = [entry for entry in entries if entry == own or not _is_current_folder(entry)]
    return kept if own in kept else [own, *kept]


def _is_current_folder(entry: str) -> bool:
    return os.path.realpath(entry) == os.path.realpath(os.curdir)
