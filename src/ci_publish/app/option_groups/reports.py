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
            "Write what happened as JSON, also when the run fails.",
            ALL - {"settings"},
            "FILE",
            ("receipt",),
            group=Group.REPORTS,
        ),
    ] = None
    reports_dir: Annotated[
        Path | None,
        Option(
            "Write reports for the CI into this folder: publish.env (dotenv), junit.xml and summary.md.",
            ALL - {"settings"},
            "DIR",
            ("reports-dir",),
            group=Group.REPORTS,
        ),
    ] = None
    output: Annotated[
        Literal["console", "json"],
        Option(
            "What standard output is for: people, or the receipt as JSON.",
            ALL,
            None,
            ("output",),
            group=Group.REPORTS,
            python=False,
        ),
    ] = "console"
    verbose: Annotated[
        bool, Option("Show every request.", ALL, None, ("verbose",), group=Group.REPORTS, python=False)
    ] = False
    print_hash: Annotated[
        bool,
        Option(
            "Show the SHA-256 of every file.",
            ALL - {"settings", "doctor"},
            None,
            ("print-hash",),
            group=Group.REPORTS,
            python=False,
        ),
    ] = False
