"""What settings ask of a command: whether it can honour them, and which command they turn it into."""

from typing import Final

from ci_publish.app.options import ACTING, DEFAULT, Source, Use, option_use, option_value_requests_something
from ci_publish.app.settings import Settings, declared_options
from ci_publish.app.settings_sources import Loaded
from ci_publish.errors import ConfigurationError
from ci_publish.hints import Hint, option
from ci_publish.model.attestation import AttestationPolicy, BuildProvenancePolicy

CONTACTING = frozenset({"publish", "plan", "diff", "verify", "rehearse", "doctor"})
"""The commands that contact an index, or play it."""

_INSTALL: Final = (("install",), "needs an installation, and nothing is installed")
_SERVE: Final = (("serve",), "needs servers that stay up, and these end with the rehearsal")

# What has an effect only in a rehearsal that does one of these, and why it has none otherwise.
_NEEDS: Final = {
    "install": _INSTALL,
    **dict.fromkeys(("python", "run", "no_import", "require_tried"), _INSTALL),
    **dict.fromkeys(("install_timeout", "install_with_credentials"), _INSTALL),
    "upstream": (("install", "serve"), _INSTALL[1]),
    **dict.fromkeys(("env_file", "shell", "as_ci"), _SERVE),
}


def prepare_command(command: str, loaded: Loaded) -> tuple[str, Settings]:
    """Return the command that is meant, and its settings: what it has no use for has its default again.

    Raises ConfigurationError for an option that the command cannot honour and must not skip, and for what other tools'
    variables say against these settings.
    """
    if command == "settings":
        return command, loaded.settings
    _refuse_unhonoured_options(command, loaded)
    if loaded.objection is not None and command in CONTACTING:
        raise loaded.objection
    settings = loaded.settings.model_copy(update=_defaults_of_skipped_options(command, loaded))
    if (contradiction := _contradicting_options(command, settings, loaded)) is not None:
        raise ConfigurationError(contradiction, hints=("Remove one of them.",))
    if command == "diff" and settings.release_diff == "off":
        settings = _diff_settings(settings, loaded)
    meant = _effective_command(command, settings)
    _refuse_options_without_effect(meant[0], meant[1], loaded)
    return meant


def _refuse_options_without_effect(command: str, settings: Settings, loaded: Loaded) -> None:
    """Refuse what has an effect only with another option that is not given; pyproject.toml may say it for later."""
    rehearses = command == "rehearse"
    for name in _options_set_by_user(loaded):
        origin = loaded.origin(name)
        if name not in _NEEDS or command not in declared_options()[name].commands or origin.source == Source.FILE:
            continue
        needed, why = _NEEDS[name]
        if not rehearses:
            if origin.source == Source.VARIABLE and name != "install":
                continue  # shared with the jobs that rehearse
            rehearsal = (
                "Use the command rehearse."
                if origin.source == Source.FLAG
                else Hint("Add what it needs: ", option("rehearse", "true"))
            )
            raise _option_without_effect_error(
                origin.spelled, "needs a rehearsal, and this run would publish or plan", rehearsal
            )
        if not any(getattr(settings, each) for each in needed):
            raise _option_without_effect_error(
                origin.spelled, why, Hint("Add what it needs: ", option(needed[0], "true"))
            )


def _option_without_effect_error(spelled: str, why: str, hint: str) -> ConfigurationError:
    return ConfigurationError(f"{spelled} {why}.", hints=(hint, f"Or remove {spelled}."))


def _contradicting_options(command: str, settings: Settings, loaded: Loaded) -> str | None:
    """Return what two options of *command* say against each other, None where they agree."""

    def spelled(name: str) -> str:
        return loaded.origin(name).spelled

    if command == "doctor" and settings.dry_run and settings.mint:
        return f"{spelled('mint')} performs a real token exchange, and {spelled('dry_run')} asks for a dry run."
    if settings.build_provenance is BuildProvenancePolicy.REQUIRED and settings.attestations is AttestationPolicy.OFF:
        return f"{spelled('build_provenance')} requires an attestation, and {spelled('attestations')} turns them off."
    if settings.subjects is not None and loaded.origin("paths") is not DEFAULT:
        return f"{spelled('subjects')} lists the files to attest, and {spelled('paths')} names others."
    return None


def _diff_settings(settings: Settings, loaded: Loaded) -> Settings:
    """Return the settings of ``diff`` where comparing is off: pyproject.toml says that for the other commands.

    Raises ConfigurationError where this call says so.
    """
    origin = loaded.origin("release_diff")
    if origin.source == Source.FILE:
        return settings.model_copy(update={"release_diff": "auto"})
    raise ConfigurationError(
        f"The command diff compares releases, and {origin.spelled} turns that off.",
        hints=(f"Remove {origin.spelled}, or set it only for publish, plan, rehearse.",),
    )


def _effective_command(command: str, settings: Settings) -> tuple[str, Settings]:
    """``publish`` and ``plan`` may be turned into a plan or a rehearsal, by every front end."""
    if command in {"publish", "plan"} and settings.rehearse:
        return "rehearse", settings.model_copy(update={"dry_run": settings.dry_run or command == "plan"})
    if command == "publish" and settings.dry_run:
        return "plan", settings
    return command, settings


def _options_set_by_user(loaded: Loaded) -> list[str]:
    """Return the options that somebody set to something other than their default."""
    fields = Settings.model_fields
    settings = loaded.settings
    return [
        name
        for name in declared_options()
        if name in loaded.origins and option_value_requests_something(getattr(settings, name), fields[name].default)
    ]


def _refuse_unhonoured_options(command: str, loaded: Loaded) -> None:
    refused = [
        name
        for name in _options_set_by_user(loaded)
        if option_use(declared_options()[name], command, loaded.origin(name).source) is Use.REFUSED
    ]
    if not refused:
        return
    names = ", ".join(f"{loaded.origin(name).spelled} ({name.replace('_', '-')})" for name in refused)
    raise ConfigurationError(
        f"{command} cannot honour {names}.",
        detail="It is not ignored, because the run could then publish, sign or authenticate in a way that was not"
        " requested."
        if command in ACTING and any(declared_options()[name].intent for name in refused)
        else "An option that is given for this run is never silently ignored.",
        hints=tuple(_unhonoured_option_hint(command, name, loaded) for name in refused),
    )


def _unhonoured_option_hint(command: str, name: str, loaded: Loaded) -> str:
    declared = declared_options()[name]
    spelled = loaded.origin(name).spelled
    if command in declared.commands:
        return f"Remove {spelled}: it is for the command line, and Python code listens with RuntimeContext(emit=…)."
    users = [other for other in sorted(declared.commands) if other != "settings"]
    return f"Remove {spelled}, or set it only for {', '.join(users)}."


def _defaults_of_skipped_options(command: str, loaded: Loaded) -> dict[str, object]:
    """Return the defaults of all options that *command* skips."""
    fields = Settings.model_fields
    return {
        name: fields[name].default
        for name in loaded.origins
        if option_use(declared_options()[name], command, loaded.origin(name).source) is Use.SKIPPED
    }
