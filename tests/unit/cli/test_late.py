"""Each case in an interpreter of its own: what is imported there is nobody else's business."""

import subprocess
import sys
from pathlib import Path

import pytest

START = "import sys\nfrom ci_publish.cli.late import postpone\n"


def said(code: str, folder: Path) -> str:
    found = subprocess.run(
        [sys.executable, "-W", "error", "-c", START + code], capture_output=True, text=True, check=True, cwd=folder
    )
    return found.stdout.strip()


def test_a_module_is_imported_when_a_name_in_it_is_used(tmp_path: Path) -> None:
    code = """
postpone("asyncio")
import asyncio
before = "asyncio.events" in sys.modules
loop = asyncio.new_event_loop()
loop.close()
import asyncio as again
print(before, "asyncio.events" in sys.modules, again is sys.modules["asyncio"], asyncio.Event is again.Event)
"""
    assert said(code, tmp_path) == "False True True True"


@pytest.mark.parametrize(
    "use",
    [
        "from asyncio import Event",
        "import asyncio.events; asyncio.events.AbstractEventLoop; asyncio.Event",
        "from asyncio.locks import Event",
        "import importlib.util; assert importlib.util.find_spec('asyncio').origin",
        "import inspect; inspect.getmodule(print)",
    ],
)
def test_every_way_to_import_it_works(tmp_path: Path, use: str) -> None:
    assert said(f"postpone('asyncio')\n{use}\nimport asyncio\nprint(asyncio.Event.__module__)", tmp_path) == (
        "asyncio.locks"
    )


def test_what_is_there_already_or_not_at_all_is_left_alone(tmp_path: Path) -> None:
    code = """
import json
postpone("json", "no_such_module")
import json as again
try:
    import no_such_module
except ModuleNotFoundError:
    print(json is again)
"""
    assert said(code, tmp_path) == "True"


def test_a_name_that_is_not_there(tmp_path: Path) -> None:
    code = "postpone('mimetypes')\nimport mimetypes\nprint(hasattr(mimetypes, 'no'), mimetypes.guess_type('a.txt')[0])"
    assert said(code, tmp_path) == "False text/plain"


def test_a_library_without_one_of_its_parts(tmp_path: Path) -> None:
    code = """
from ci_publish.cli.late import leave_out
leave_out("httpx._main", "main")
import httpx
leave_out("httpx._client", "Client")
print(httpx.main(), httpx.Client.__module__, "click" in sys.modules, "rich" in sys.modules)
"""
    assert said(code, tmp_path) == "None httpx False False"
