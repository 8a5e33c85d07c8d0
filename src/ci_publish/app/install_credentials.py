"""``--install`` runs other people's code, so it runs only in jobs without credentials.

Two things are guarded: what this job could be asked for (an identity, an upload credential), and what the processes of
this program show to the code that they start.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from ci_publish.app.options import Source
from ci_publish.app.other_tools import TOOLS, unused_secret_variables
from ci_publish.app.secret_variables import secret_variables
from ci_publish.app.settings import Settings
from ci_publish.app.settings_sources import ACTION_MARK, PREFIX
from ci_publish.errors import ConfigurationError, InstallWithCredentials
from ci_publish.hints import Hint, option
from ci_publish.http.proxies import proxy_secrets
from ci_publish.identity.ci_environment import CiEnvironment
from ci_publish.model.identity import Secret

_RUNNER: Final = "ACTIONS_"
_SETTINGS: Final = ("INPUT_", PREFIX)
_IDENTITY: Final = "_ID_TOKEN"
_SECRET_ENDS: Final = ("TOKEN", "PASSWORD", "SECRET", "API_KEY", "CREDENTIALS")
_OWN_ENVIRONMENT: Final = Path("/proc/self/environ")


def refuse_install_with_credentials(settings: Settings, environ: Mapping[str, str]) -> None:
    """Raise InstallWithCredentials if the job has credentials that installed code could misuse, unless allowed."""
    if settings.password_stdin:
        raise InstallWithCredentials(
            "A secret was passed on standard input, but an installation runs other people's code.",
            detail="Nothing was installed. A rehearsal does not need a password.",
            hints=(Hint("Remove ", option("password_stdin"), "."),),
        )
    if settings.install_with_credentials:
        return
    found = reachable_credentials(settings, environ)
    if not found:
        return
    if environ.get(ACTION_MARK) or environ.get("GITHUB_ACTIONS"):
        move = "Move the rehearsal to a separate job, without `id-token: write` and without the password."
    elif environ.get("GITLAB_CI"):
        move = "Move the rehearsal to a separate job, without `id_tokens:` and without the password."
    else:
        move = "Run it where no identity token can be requested, and no password or token is set."
    raise InstallWithCredentials(
        f"Installing runs code from the files and their dependencies, which could read {' and '.join(found)}.",
        detail="Nothing was installed. Such code could publish on your behalf.",
        hints=(
            move,
            Hint("Or rehearse without installing anything: ", option("install", "false")),
            Hint(
                "If you trust all of that code with this job's credentials: ",
                option("install_with_credentials", "true"),
            ),
        ),
    )


def reachable_credentials(settings: Settings, environ: Mapping[str, str]) -> list[str]:
    """Return the names of the job's credentials that installed code could read."""
    found = []
    if CiEnvironment(environ).can_request_identity_token() or environ.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN"):
        found.append("the identity token of this CI job")
    password = settings.password
    if password is not None and not password.is_blank:
        found.append("the password or API token of this run")
    if settings.keyring:
        found.append("the keyring")
    foreign = [name for tool in TOOLS for name in tool.secrets if environ.get(name, "").strip()]
    return [*found, *foreign, *unused_secret_variables(environ)]


def secrets_to_mask(settings: Settings, environ: Mapping[str, str]) -> Iterator[Secret]:
    """Yield the secrets that this process knows, none of them blank: installed code may print what it finds.

    The installers themselves get those of proxies.
    """
    if settings.password is not None and not settings.password.is_blank:
        yield settings.password
    yield from (Secret(environ[name]) for name in secret_variables() if environ.get(name, "").strip())
    yield from map(Secret, proxy_secrets(environ))


def variables_for_installing_process(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of *environ* that a process that starts other people's code needs.

    No identity, and no secret but the upload credential of this run, which is there only where the settings allow it.
    """
    return {
        name: value
        for name, value in environ.items()
        if name in secret_variables()
        or name.startswith(_SETTINGS)
        or not (name.startswith(_RUNNER) or name.upper().endswith((_IDENTITY, *_SECRET_ENDS)))
    }


def refuse_secrets_in_process_environment(own_environment: Path = _OWN_ENVIRONMENT) -> None:
    """Raise ConfigurationError if what this process was started with shows a secret to those that it starts.

    The command line starts itself again without them (``cli.clean_process``); a Python program that calls us cannot.
    """
    try:
        names = [
            each.partition(b"=")[0].decode("utf-8", "replace")
            for each in own_environment.read_bytes().split(b"\0")
            if each.partition(b"=")[2]
        ]
    except OSError:  # no such system: only what is passed on can be seen
        return
    secrets = sorted(
        name for name in names if name.startswith(_RUNNER) or name.endswith(_IDENTITY) or name in secret_variables()
    )
    if secrets:
        raise ConfigurationError(
            f"This Python process was started with {', '.join(secrets[:3])}, which installed code could read.",
            detail=f"Processes can read the variables that other processes were started with; {Source.PYTHON} cannot"
            " hide them.",
            hints=("Run `ci-publish rehearse --install` as a command, or start Python without these variables.",),
        )


def restarts_without_secrets(command: str, settings: Settings) -> bool:
    """Return whether the command line must start this process again before *command* runs: it will install files."""
    rehearses = command == "rehearse" or (command in {"publish", "plan"} and settings.rehearse)
    return settings.install and rehearses and os.name == "posix"
