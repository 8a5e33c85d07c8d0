"""Test installations of the rehearsed files, before they are published."""

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
    """Test installations of the rehearsed files, before they are published."""

    heading = "installation from the rehearsal"

    install: Annotated[
        bool,
        Option(
            help="Install every file from the rehearsal's index in a new environment, with its dependencies, and"
            " test it. This runs code from the files, so use it only in jobs without credentials.",
            commands=SENDING,
            input_name="install",
        ),
    ] = False
    python: Annotated[
        Lines,
        Option(
            help="Interpreter for the test installations: a version such as 3.12, a command or a path. Repeatable."
            " The default is the interpreter that runs ci-publish.",
            commands=SENDING,
            metavar="PYTHON",
            input_name="install-python",
        ),
    ] = ()
    run: Annotated[
        Commands,
        Option(
            help="Command that must succeed in each environment. Runs in an empty folder, without a shell. Repeatable.",
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
            help="Fail if a file supports none of the selected interpreters.",
            commands=SENDING,
            input_name="install-require-tried",
        ),
    ] = False
    install_timeout: Annotated[
        Seconds,
        Option(
            help="Time limit for each command of a test installation.",
            commands=SENDING,
            metavar="SECONDS",
            input_name="install-timeout",
        ),
    ] = 600.0
    install_with_credentials: Annotated[
        bool,
        Option(
            help="Install even if the job can request an identity or has an upload credential. The installed code"
            " could misuse the identity or the credential.",
            commands=SENDING,
            input_name="install-with-credentials",
            project_file=False,
        ),
    ] = False
    upstream: Annotated[
        str | None,
        Option(
            help="Source of all projects that are not rehearsed: the root URL of a Simple API, or a folder"
            " that contains wheels. The default is the index that pip is configured to use, or PyPI.",
            commands=SENDING,
            metavar="URL|FOLDER",
            input_name="install-upstream",
        ),
    ] = None
