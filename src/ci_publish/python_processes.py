"""Processes that we start: which variables they get, and Python isolated from folder and variables of the run.

An isolated interpreter (``-I``) sees neither the user's site-packages nor PYTHONPATH, and this program may come from
there, from a folder of ``pip install --target``, or from what another program appended to ``sys.path``. So the parent
says where its packages are.
"""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

_FIRST: Final = "import json, sys; sys.path[:] = json.loads(sys.argv.pop(1)); "

_LOCALE: Final = ("LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "LC_COLLATE", "LC_MESSAGES", "LC_NUMERIC", "LC_TIME", "TZ")
_PROXIES: Final = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
_CERTIFICATES: Final = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_WINDOWS: Final = ("SYSTEMROOT", "WINDIR", "COMSPEC", "PATHEXT", "NUMBER_OF_PROCESSORS", "PROCESSOR_ARCHITECTURE")

ALLOWED: Final = frozenset({"PATH", *_LOCALE, *_PROXIES, *map(str.lower, _PROXIES), *_CERTIFICATES, *_WINDOWS})
"""The variables that another process gets to see: allowed one by one, so that whatever a CI adds stays away from it."""


def passed_on_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what another process gets to see of *environ*: PATH, locale, proxies and certificates."""
    return {name: value for name, value in environ.items() if name in ALLOWED}


def python_command(program: str, *arguments: str) -> list[str]:
    """Return the command that runs *program*, which imports what this process would import."""
    return [sys.executable, "-I", "-X", "utf8", "-c", _FIRST + program, json.dumps(import_search_path()), *arguments]


def import_search_path() -> list[str]:
    """Return where this process finds packages, in its order, as absolute paths.

    The current folder is left out, unless this program is there: it may be a checkout with files of any name.
    """
    own = str(Path(__file__).parents[1])
    entries = dict.fromkeys(os.path.abspath(entry) for entry in sys.path)  # noqa: PTH100  ("" is the current folder)
    current = os.path.realpath(os.curdir)
    kept = [entry for entry in entries if entry == own or os.path.realpath(entry) != current]
    return kept if own in kept else [own, *kept]
