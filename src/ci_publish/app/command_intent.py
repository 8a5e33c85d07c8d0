"""What settings request of a command: whether it supports them, and which command they turn it into."""

from typing import Final

from ci_publish.app.options import ACTING, DEFAULT, FOR_THIS_CALL, Source, Use, option_use
from ci_publish.app.settings import Settings, declared_options
from ci_publish.app.settings_sources import Loaded
from ci_publish.errors import ConfigurationError
from ci_publish.hints import Hint, option
from ci_publish.model.attestation import AttestationPolicy, BuildProvenancePolicy

CONTACTING = frozenset({"publish", "plan", "diff", "verify", "rehearse", "doctor"})
"""The commands that contact an index or simulate one."""

_INSTALL: Final = (("install",), "only applies to an installation, but nothing is installed")
_SERVE: Final = (("serve",), "only applies to servers that keep running, but these stop with the rehearsal")

# What has an effect only in a rehearsal that does one of these, and why it has none otherwise.
_NEEDS: Final = {
    **dict.fromkeys(("env_file", "shell", "as_ci"), _SERVE),
    **dict.fromkeys(("install", "python", "run", "no_import", "require_tried"), _INSTALL),
    **dict.fromkeys(("install_timeout", "install_with_credentials"), _INSTALL),
    "upstream": (("install", "serve"), _INSTALL[1]),
}


def prepare_command(command: str, loaded: Loaded) -> tuple[str, Settings]:
    """Return the command to run and its settings, in which options that it does not use have their defaults.

    Raises ConfigurationError for an option that the command cannot honour and must not skip, and for what other tools'
    variables say against these settings.
    """
    if command == "settings":
        return command, loaded.settings
    _refuse_unhonoured_options(command, loaded)
    if loaded.objection is not None and command in CONTACTING:
        raise loaded.objection
    skipped = {
        name: Settings.model_fields[name].default
        for name, origin in loaded.origins.items()
        if option_use(declared_options()[name], command, origin.source) is Use.SKIPPED
    }
    settings = loaded.settings.model_copy(update=skipped)
    _refuse_contradicting_options(command, settings, loaded)
    if command == "diff" and settings.release_diff == "off":  # pyproject.toml says that for the other commands
        settings = settings.model_copy(update={"release_diff": "auto"})
    if command in {"publish", "plan"} and settings.rehearse:
        settings = settings.model_copy(update={"dry_run": settings.dry_run or command == "plan"})
        command = "rehearse"
    elif command == "publish" and settings.dry_run:
        command = "plan"
    _refuse_options_without_effect(command, settings, loaded)
    return command, settings


def _refuse_options_without_effect(command: str, settings: Settings, loaded: Loaded) -> None:
    """Refuse options that only have an effect with another option that is not set, except in pyproject.toml."""
    for name, requirement in _NEEDS.items():
        needed, why = requirement
        origin = loaded.origin(name)
        honoured = command in declared_options()[name].commands
        if not loaded.requests(name) or not honoured or origin.source == Source.FILE:
            continue
        if command != "rehearse":
            if origin.source == Source.VARIABLE and name != "install":
                continue  # shared with the jobs that rehearse
            needed, why = ("rehearse",), "only applies to a rehearsal, but this run would publish or plan"
        elif any(getattr(settings, each) for each in needed):
            continue
        by_flag = command != "rehearse" and origin.source == Source.FLAG
        hint = (
            "Use the command rehearse."
            if by_flag
            else Hint("Add the option that it requires: ", option(needed[0], "true"))
        )
        raise ConfigurationError(f"{origin.spelled} {why}.", hints=(hint, f"Or remove {origin.spelled}."))


def _refuse_contradicting_options(command: str, settings: Settings, loaded: Loaded) -> None:
    """Raise ConfigurationError for two options of *command* that cannot both be followed."""

    def spelled(name: str) -> str:
        return loaded.origin(name).spelled

    if command == "doctor" and settings.dry_run and settings.mint:
        objection = f"{spelled('mint')} performs a real token exchange, but {spelled('dry_run')} requests a dry run."
    elif settings.build_provenance is BuildProvenancePolicy.REQUIRED and settings.attestations is AttestationPolicy.OFF:
        objection = (
            f"{spelled('build_provenance')} requires an attestation, but {spelled('attestations')} turns them off."
        )
    elif settings.subjects is not None and loaded.origin("paths") is not DEFAULT:
        objection = f"{spelled('subjects')} lists the files to attest, but {spelled('paths')} names others."
    elif (
        settings.anonymous
        and loaded.requests("user")
        and loaded.origin("user").source in {*FOR_THIS_CALL, loaded.origin("anonymous").source}
    ):
        objection = f"{spelled('anonymous')} uploads without a credential, but {spelled('user')} names a user."
    elif command == "diff" and settings.release_diff == "off" and loaded.origin("release_diff").source != Source.FILE:
        raise ConfigurationError(
            f"The command diff compares releases, but {spelled('release_diff')} turns that off.",
            hints=(f"Remove {spelled('release_diff')}, or set it only for publish, plan, rehearse.",),
        )
    else:
        return
    raise ConfigurationError(objection, hints=("Remove one of them.",))


def _refuse_unhonoured_options(command: str, loaded: Loaded) -> None:
    refused = {
        name: option
        for name, option in declared_options().items()
        if loaded.requests(name) and option_use(option, command, loaded.origin(name).source) is Use.REFUSED
    }
    if not refused:
        return
    names = ", ".join(f"{loaded.origin(name).spelled} ({name.replace('_', '-')})" for name in refused)
    raise ConfigurationError(
        f"{command} does not support {names}.",
        detail="It is not ignored, because the run could then publish, sign or authenticate in a way that you did not"
        " request."
        if command in ACTING and any(option.intent for option in refused.values())
        else "An option that is given for this run is never silently ignored.",
        hints=tuple(
            f"Remove {loaded.origin(name).spelled}: it is for the command line. In Python, use RuntimeContext(emit=…)."
            if command in option.commands
            else f"Remove {loaded.origin(name).spelled}, or set it only for"
            f" {', '.join(sorted(option.commands - {'settings'}))}."
            for name, option in refused.items()
        ),
    )
