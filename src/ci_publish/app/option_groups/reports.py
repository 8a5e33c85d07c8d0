"""Reports: files, standard output, and how much is shown."""

from pathlib import Path
from typing import Annotated, Literal

from ci_publish.app.option_groups import OptionGroup
from ci_publish.app.options import ALL, Group, Option


class ReportSettings(OptionGroup):
    """Reports: files, standard output, and how much is shown."""

    receipt: Annotated[
        Path | None,
        Option(
            help="Write what happened as JSON, even if the run fails.",
            commands=ALL - {"settings"},
            metavar="FILE",
            inputs=("receipt",),
            group=Group.REPORTS,
        ),
    ] = None
    reports_dir: Annotated[
        Path | None,
        Option(
            help="Write reports for the CI to this folder: publish.env (dotenv), junit.xml and summary.md.",
            commands=ALL - {"settings"},
            metavar="DIR",
            inputs=("reports-dir",),
            group=Group.REPORTS,
        ),
    ] = None
    output: Annotated[
        Literal["console", "json", "markdown"],
        Option(
            help="What standard output is for: people, the receipt as JSON, or the summary as Markdown.",
            commands=ALL,
            metavar=None,
            inputs=("output",),
            group=Group.REPORTS,
            python=False,
        ),
    ] = "console"
    verbose: Annotated[
        bool,
        Option(
            help="Show every request.",
            commands=ALL,
            metavar=None,
            inputs=("verbose",),
            group=Group.REPORTS,
            python=False,
        ),
    ] = False
    print_hash: Annotated[
        bool,
        Option(
            help="Show the SHA-256 of every file.",
            commands=ALL - {"settings", "doctor"},
            metavar=None,
            inputs=("print-hash",),
            group=Group.REPORTS,
            python=False,
        ),
    ] = False
