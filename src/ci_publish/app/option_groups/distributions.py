"""Which files are published, and how strictly they are checked."""

from typing import Annotated

from ci_publish.app.option_groups import OptionGroup
from ci_publish.app.options import ALL, SENDING, Group, Option
from ci_publish.app.setting_values import Lines


class DistributionSettings(OptionGroup):
    """Which files are published, and how strictly they are checked."""

    paths: Annotated[
        Lines,
        Option(
            help="The distributions to publish: files, globs or folders, one per line.",
            commands=ALL - {"settings"},
            metavar="PATH",
            inputs=("packages-dir",),
            flag=False,
            group=Group.DISTRIBUTIONS,
        ),
    ] = ("dist",)
    recursive: Annotated[
        bool,
        Option(
            help="Also publish the distributions up to two levels below a folder.",
            commands=ALL - {"settings"},
            metavar=None,
            inputs=("recursive",),
            group=Group.DISTRIBUTIONS,
        ),
    ] = False
    ignore_subfolders: Annotated[
        bool,
        Option(
            help="Do not publish distributions in subfolders; without this or recursive, they are an error.",
            commands=ALL - {"settings"},
            metavar=None,
            inputs=("ignore-subfolders",),
            group=Group.DISTRIBUTIONS,
        ),
    ] = False
    allow_empty: Annotated[
        bool,
        Option(
            help="Succeed if no distributions are found: for hooks that may run before a build.",
            commands=frozenset({"check"}),
            group=Group.DISTRIBUTIONS,
            file=False,
        ),
    ] = False
    strict: Annotated[
        bool,
        Option(
            help="Treat the checks' warnings as errors; for doctor, also anything that cannot be determined.",
            commands=SENDING | {"check", "diff", "attest", "doctor"},
            metavar=None,
            inputs=("strict",),
            group=Group.DISTRIBUTIONS,
        ),
    ] = False
    verify_metadata: Annotated[
        bool,
        Option(
            help="Check the core metadata.",
            commands=SENDING | {"check", "attest", "doctor"},
            metavar=None,
            inputs=("verify-metadata",),
            group=Group.DISTRIBUTIONS,
        ),
    ] = True
