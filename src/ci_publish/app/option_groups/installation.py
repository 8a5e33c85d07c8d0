"""Installing and trying what was rehearsed, before it is published."""

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import Field

from ci_publish.app.option_groups import OptionGroup
from ci_publish.app.option_groups.run import LONGEST_WAIT
from ci_publish.app.options import Group, Option
from ci_publish.app.setting_values import Commands, Lines

TABLE: Final[Mapping[str, str]] = {
    "python": "python",
    "run": "run",
    "upstream": "upstream",
    "no-import": "no_import",
    "require-tried": "require_tried",
    "timeout": "install_timeout",
}
"""The keys of ``[tool.ci-publish.install]``, and the options that they set; the table itself sets ``install``."""

_COMMANDS = frozenset({"publish", "plan", "rehearse", "settings"})


class InstallationSettings(OptionGroup):
    """Installing and trying what was rehearsed, before it is published."""

    install: Annotated[
        bool,
        Option(
            help="Install every file from the rehearsal's index, with its dependencies, into an environment of its own,"
            " and try it there. This runs the files' code, so use it only in a job without credentials.",
            commands=_COMMANDS,
            inputs=("install",),
            group=Group.INSTALLATION,
        ),
    ] = False
    python: Annotated[
        Lines,
        Option(
            help="Interpreter to try: a version such as 3.12, a command or a path; repeatable. The default is the"
            " one that runs ci-publish.",
            commands=_COMMANDS,
            metavar="PYTHON",
            inputs=("install-python",),
            group=Group.INSTALLATION,
        ),
    ] = ()
    run: Annotated[
        Commands,
        Option(
            help="A command that must pass in each environment, in an empty folder and without a shell; repeatable.",
            commands=_COMMANDS,
            metavar="COMMAND",
            inputs=("install-run",),
            group=Group.INSTALLATION,
        ),
    ] = ()
    no_import: Annotated[
        bool,
        Option(
            help="Do not import the installed modules.",
            commands=_COMMANDS,
            inputs=("install-no-import",),
            group=Group.INSTALLATION,
        ),
    ] = False
    require_tried: Annotated[
        bool,
        Option(
            help="Treat a file that fits none of the given interpreters as an error, not a note.",
            commands=_COMMANDS,
            inputs=("install-require-tried",),
            group=Group.INSTALLATION,
        ),
    ] = False
    install_timeout: Annotated[
        float,
        Field(gt=0, le=LONGEST_WAIT, allow_inf_nan=False),
        Option(
            help="How long a single command of an installation may take.",
            commands=_COMMANDS,
            metavar="SECONDS",
            inputs=("install-timeout",),
            group=Group.INSTALLATION,
        ),
    ] = 600.0
    install_with_credentials: Annotated[
        bool,
        Option(
            help="Install even if this job can request an identity or holds an upload credential, which the installed"
            " code could then misuse.",
            commands=_COMMANDS,
            inputs=("install-with-credentials",),
            group=Group.INSTALLATION,
            project_file=False,
        ),
    ] = False
    upstream: Annotated[
        str | None,
        Option(
            help="Where installers find the projects that are not rehearsed: the root of a Simple API, or a folder of"
            " wheels. The default is pip's configured index, or else PyPI.",
            commands=_COMMANDS,
            metavar="URL|FOLDER",
            inputs=("install-upstream",),
            group=Group.INSTALLATION,
        ),
    ] = None
