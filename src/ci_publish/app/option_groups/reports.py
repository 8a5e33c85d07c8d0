"""Reports: files, standard output, and how much is shown."""

from pathlib import Path
from typing import Annotated, Literal

from ci_publish.app.option_groups import OptionGroup
from ci_publish.app.options import ALL, Option


class ReportSettings(OptionGroup):
    """Reports: files, standard output, and how much is shown."""

    heading = "output"

    receipt: Annotated[
        Path | None,
        Option(
            help="Write a JSON document about the run to this file, even if the run fails.",
            commands=ALL - {"settings"},
            metavar="FILE",
            input_name="receipt",
        ),
    ] = None
    reports_dir: Annotated[
        Path | None,
        Option(
            help="Folder for reports for the CI service: publish.env (dotenv), junit.xml and summary.md.",
            commands=ALL - {"settings"},
            metavar="DIR",
            input_name="reports-dir",
        ),
    ] = None
    output: Annotated[
        Literal["console", "json", "markdown"],
        Option(
            help="Content of standard output: text for people, the receipt as JSON, or the summary as Markdown.",
            commands=ALL,
            input_name="output",
            python=False,
        ),
    ] = "console"
    verbose: Annotated[
        bool,
        Option(
            help="Show every request.",
            commands=ALL,
            input_name="verbose",
            python=False,
        ),
    ] = False
    print_hash: Annotated[
        bool,
        Option(
            help="Show the SHA-256 digest of every file.",
            commands=ALL - {"settings", "doctor"},
            input_name="print-hash",
            python=False,
        ),
    ] = False
