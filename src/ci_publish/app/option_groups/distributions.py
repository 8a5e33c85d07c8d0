"""Which files are published, and how strictly they are checked."""

from typing import Annotated

from ci_publish.app.option_groups import OptionGroup
from ci_publish.app.options import ALL, SENDING, Option
from ci_publish.app.setting_values import Lines


class DistributionSettings(OptionGroup):
    """Which files are published, and how strictly they are checked."""

    heading = "files and checks"

    paths: Annotated[
        Lines,
        Option(
            help="The distributions to publish: files, globs or folders, one per line.",
            commands=ALL - {"settings"},
            metavar="PATH",
            input_name="packages-dir",
            flag=False,
        ),
    ] = ("dist",)
    recursive: Annotated[
        bool,
        Option(
            help="Also publish the distributions up to two levels below a folder.",
            commands=ALL - {"settings"},
            input_name="recursive",
        ),
    ] = False
    ignore_subfolders: Annotated[
        bool,
        Option(
            help="Do not publish distributions in subfolders; without this or recursive, they are an error.",
            commands=ALL - {"settings"},
            input_name="ignore-subfolders",
        ),
    ] = False
    allow_empty: Annotated[
        bool,
        Option(
            help="Succeed if no distributions are found: for hooks that may run before a build.",
            commands=frozenset({"check"}),
            file=False,
        ),
    ] = False
    strict: Annotated[
        bool,
        Option(
            help="Treat the checks' warnings as errors; for doctor, also anything that cannot be determined.",
            commands=SENDING | {"check", "diff", "attest", "doctor"},
            input_name="strict",
        ),
    ] = False
    verify_metadata: Annotated[
        bool,
        Option(
            help="Check the core metadata.",
            commands=SENDING | {"check", "attest", "doctor"},
            input_name="verify-metadata",
        ),
    ] = True
