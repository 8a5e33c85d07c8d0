"""Installing and trying what was rehearsed, before it is published."""

from collections.abc import Mapping
from typing import Annotated, Final

from ci_publish.app.option_groups import OptionGroup
from ci_publish.app.options import SENDING, Option
from ci_publish.app.setting_values import Commands, Lines, Seconds

TABLE: Final[Mapping[str, str]] = {
    "python": "python",
    "run": "run",
    "upstream": "upstream",
    "no-import": "no_import",
    "require-tried": "require_tried",
    "timeout": "install_timeout",
}
"""The keys of ``[tool.ci-publish.install]``, and the options that they set; the table itself sets ``install``."""


class InstallationSettings(OptionGroup):
    """Installing and trying what was rehearsed, before it is published."""

    heading = "installation from the rehearsal"

    install: Annotated[
        bool,
        Option(
            help="Install every file from the rehearsal's index, with its dependencies, into an environment of its own,"
            " and try it there. This runs the files' code, so use it only in a job without credentials.",
            commands=SENDING,
            input_name="install",
        ),
    ] = False
    python: Annotated[
        Lines,
        Option(
            help="Interpreter to try: a version such as 3.12, a command or a path; repeatable. The default is the"
            " one that runs ci-publish.",
            commands=SENDING,
            metavar="PYTHON",
            input_name="install-python",
        ),
    ] = ()
    run: Annotated[
        Commands,
        Option(
            help="A command that must pass in each environment, in an empty folder and without a shell; repeatable.",
            commands=SENDING,
            metavar="COMMAND",
            input_name="install-run",
        ),
    ] = ()
    no_import: Annotated[
        bool,
        Option(
            help="Do not import the installed modules.",
            commands=SENDING,
            input_name="install-no-import",
        ),
    ] = False
    require_tried: Annotated[
        bool,
        Option(
            help="Treat a file that fits none of the given interpreters as an error, not a note.",
            commands=SENDING,
            input_name="install-require-tried",
        ),
    ] = False
    install_timeout: Annotated[
        Seconds,
        Option(
            help="How long a single command of an installation may take.",
            commands=SENDING,
            metavar="SECONDS",
            input_name="install-timeout",
        ),
    ] = 600.0
    install_with_credentials: Annotated[
        bool,
        Option(
            help="Install even if this job can request an identity or holds an upload credential, which the installed"
            " code could then misuse.",
            commands=SENDING,
            input_name="install-with-credentials",
            project_file=False,
        ),
    ] = False
    upstream: Annotated[
        str | None,
        Option(
            help="Where installers find the projects that are not rehearsed: the root of a Simple API, or a folder of"
            " wheels. The default is pip's configured index, or else PyPI.",
            commands=SENDING,
            metavar="URL|FOLDER",
            input_name="install-upstream",
        ),
    ] = None
