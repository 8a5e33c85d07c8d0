"""The output of ``rehearse --serve``: the addresses, and the variables that direct other tools there."""

import json
import os
import shlex
from collections.abc import Mapping
from typing import Final

from ci_publish.app.runtime_context import RuntimeContext
from ci_publish.app.settings import Settings
from ci_publish.errors import ConfigurationError
from ci_publish.rehearsal.simulated_job import rehearsed_job
from ci_publish.rehearsal.world import RehearsalWorld

_SHOWN: Final = 10
_DOTENV: Final = str.maketrans({"\\": "\\\\", '"': '\\"', "$": "\\$", "`": "\\`", "\n": "\\n"})


def announce_served_rehearsal(
    world: RehearsalWorld, settings: Settings, context: RuntimeContext, *, generic: bool
) -> None:
    """Write where *world* is, as the settings ask for it. Raises ConfigurationError for a file that cannot be written.

    *generic*: the index follows the common rules only.
    """
    token = world.issue_api_token()
    variables = served_variables(world, settings, context, token)
    if generic:
        variables["CI_PUBLISH_INDEX_PROFILE"] = "generic"
    if (path := settings.env_file) is not None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # One variable is the rehearsal's API token: for the owner's eyes only.
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:  # noqa: PTH123
                file.write(shell_assignments(settings.shell, variables))
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or str(error)
            message = f"Cannot write to {path} (env-file): {why}."
            raise ConfigurationError(message, hints=("Specify a file that this job may write to.",)) from error
    if context.stdout is not None:
        context.stdout.write(_served_rehearsal_announcement(world, settings, variables, token))
        context.stdout.flush()


def served_variables(world: RehearsalWorld, settings: Settings, context: RuntimeContext, token: str) -> dict[str, str]:
    """Return the variables by which ci-publish, pip, uv and twine find *world*; with ``as_ci`` also as a CI job."""
    clients = {
        "PIP_INDEX_URL": world.index_url,
        "UV_DEFAULT_INDEX": world.index_url,
        "TWINE_REPOSITORY_URL": world.repository_url,
    }
    if settings.as_ci:
        return {**world.environment(rehearsed_job(context.environ).provider), **clients}
    secrets = {"CI_PUBLISH_PASSWORD": token, "TWINE_USERNAME": "__token__", "TWINE_PASSWORD": token}
    return {**world.shared_environment, **clients, **secrets}


def shell_assignments(shell: str, variables: Mapping[str, str]) -> str:
    """Return assignments of *variables* as dotenv, or in the syntax of a shell."""
    lines = []
    for name, value in sorted(variables.items()):
        match shell:
            case "dotenv":
                plain = value.replace("_", "").replace("-", "").isalnum()
                lines.append(f"{name}={value}\n" if plain else f'{name}="{value.translate(_DOTENV)}"\n')
            case "fish":
                quoted = value.replace("\\", "\\\\").replace("'", "\\'")
                lines.append(f"set -gx {name} '{quoted}'\n")
            case "powershell":
                quoted = value.replace("'", "''")
                lines.append(f"$env:{name} = '{quoted}'\n")
            case _:
                lines.append(f"export {name}={shlex.quote(value)}\n")
    return "".join(lines)


def _served_rehearsal_announcement(
    world: RehearsalWorld, settings: Settings, variables: Mapping[str, str], token: str
) -> str:
    install = install_command_line(world)
    if settings.output == "json":
        facts = {
            "repository_url": world.repository_url,
            "index_url": world.index_url,
            "web": f"{world.base_url}/",
            "install": install,
            "api_token": token,
            "sigstore_trust_config": str(world.trust_config_path),
            "environment": dict(variables),
        }
        return json.dumps(facts) + "\n"
    if settings.shell != "dotenv" and settings.env_file is None:
        return shell_assignments(settings.shell, variables)
    lines = [
        "The rehearsal is running. Press Ctrl-C to stop it.",
        f"  in a browser   {world.base_url}/",
        f"  to install     {install}",
        f"  upload URL     {world.repository_url}",
        f"  an API token   {token}",
    ]
    if settings.env_file is not None:
        lines.append(f"  variables      {settings.env_file}")
    else:
        lines.append("For other tools: --env-file FILE or --shell sh|fish|powershell writes these as variables.")
    return "\n".join(lines) + "\n"


def install_command_line(world: RehearsalWorld) -> str:
    """Return a command that installs what was rehearsed, with its dependencies."""
    authority = world.certificate_authority_path
    certificate = "" if authority is None else f"--cert {shlex.quote(str(authority))} "
    projects = sorted(world.index.state.projects.values(), key=lambda project: project.normalized)
    wanted = [
        f"{each.normalized}=={each.latest_release.version}" for each in projects if each.latest_release is not None
    ][:_SHOWN]
    return f"pip install {certificate}--index-url {world.index_url} {' '.join(wanted) or 'PROJECT'}"
