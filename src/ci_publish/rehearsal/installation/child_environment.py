"""The environment of a process that runs other people's code (pure).

It is what ``python_processes`` allows, and folders of its own.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from ci_publish.http.proxies import loopback_proxy_exceptions
from ci_publish.python_processes import passed_on_variables

_HOMES: Final = ("HOME", "USERPROFILE", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "APPDATA", "LOCALAPPDATA")


def child_environment(environ: Mapping[str, str], scratch: Path) -> dict[str, str]:
    """Return the environment of a process: what is allowed of *environ*, and folders of its own below *scratch*.

    pip and uv read no configuration, keep their caches there, and download no interpreter.
    """
    home, temporary = str(scratch / "home"), str(scratch / "tmp")
    allowed = passed_on_variables(environ)
    certificates = allowed.get("SSL_CERT_FILE")
    return {
        **allowed,
        **loopback_proxy_exceptions(allowed),
        **dict.fromkeys(_HOMES, home),
        **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), temporary),
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_CACHE_DIR": str(scratch / "pip-cache"),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INPUT": "1",
        **({"PIP_CERT": certificates} if certificates else {}),
        "UV_NO_CONFIG": "1",
        "UV_CACHE_DIR": str(scratch / "uv-cache"),
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_SYSTEM_CERTS": "1",
        "UV_NO_PROGRESS": "1",
        "NO_COLOR": "1",
    }
