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
            help="Distributions to publish: files, folders or glob patterns, one per line.",
            commands=ALL - {"settings"},
            metavar="PATH",
            input_name="packages-dir",
            flag=False,
        ),
    ] = ("dist",)
    recursive: Annotated[
        bool,
        Option(
            help="Also publish distributions in subfolders, up to two levels deep.",
            commands=ALL - {"settings"},
            input_name="recursive",
        ),
    ] = False
    ignore_subfolders: Annotated[
        bool,
        Option(
            help="Ignore distributions in subfolders. By default, they cause an error.",
            commands=ALL - {"settings"},
            input_name="ignore-subfolders",
        ),
    ] = False
    allow_empty: Annotated[
        bool,
        Option(
            help="Succeed if there are no distributions. Useful for hooks that may run before a build.",
            commands=frozenset({"check"}),
            file=False,
        ),
    ] = False
    strict: Annotated[
        bool,
        Option(
            help="Treat warnings from the checks as errors. doctor also fails if it cannot check everything.",
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
