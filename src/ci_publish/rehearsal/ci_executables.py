"""The rehearsal's `buildkite-agent` and `circleci`: there a job asks an executable on PATH for its identity token."""

import os
import sys
from pathlib import Path
from typing import Final

_URL, _BEARER = "REHEARSAL_ID_TOKEN_REQUEST_URL", "REHEARSAL_ID_TOKEN_REQUEST_TOKEN"

# They ask the identity provider's token endpoint, so that each call gets a fresh token and each is counted there.
_SCRIPT: Final = """#!{python} -IBXutf8
import json, os, sys, urllib.parse, urllib.request

arguments = sys.argv[1:]
if arguments[:{length}] != {command!r}:
    sys.exit("the rehearsal's {name} supports only: {name} {spoken}")
audience = {audience}
request = urllib.request.Request(
    os.environ["{url}"] + "&audience=" + urllib.parse.quote(audience, safe=""),
    headers={{"Authorization": "bearer " + os.environ["{bearer}"]}},
)
opener = urllib.request.build_opener(urllib.request.ProxyHandler({{}}))
with opener.open(request, timeout=30) as answer:
    print(json.load(answer)["value"])
"""


def install_fake_buildkite_agent(folder: Path, url: str, bearer: str) -> dict[str, str]:
    """Write a `buildkite-agent` into `folder` (POSIX): `buildkite-agent oidc request-token --audience X`.

    Returns the variables with which a job finds it, and with which it finds its identity provider.
    """
    audience = 'arguments[arguments.index("--audience") + 1]'
    _install_fake_token_executable(folder, "buildkite-agent", ["oidc", "request-token"], audience)
    return _fake_executable_variables(folder, url, bearer)


def install_fake_circleci(folder: Path, url: str, bearer: str) -> dict[str, str]:
    """Write a `circleci` into `folder` (POSIX): `circleci run oidc get --claims '{"aud": X}' …`; see above."""
    audience = 'json.loads(arguments[arguments.index("--claims") + 1])["aud"]'
    _install_fake_token_executable(folder, "circleci", ["run", "oidc", "get"], audience)
    return _fake_executable_variables(folder, url, bearer)


def _fake_executable_variables(folder: Path, url: str, bearer: str) -> dict[str, str]:
    return {"PATH": f"{folder.resolve()}{os.pathsep}{os.defpath}", _URL: url, _BEARER: bearer}


def _install_fake_token_executable(folder: Path, name: str, command: list[str], audience: str) -> None:
    script = _SCRIPT.format(
        python=sys.executable,
        name=name,
        command=command,
        spoken=" ".join(command),
        length=len(command),
        audience=audience,
        url=_URL,
        bearer=_BEARER,
    )
    folder.mkdir(parents=True, exist_ok=True)
    executable = folder / name
    executable.write_text(script, encoding="utf-8")
    executable.chmod(0o755)
