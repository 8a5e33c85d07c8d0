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
            "The distributions to publish: files, globs or folders, several one a line.",
            ALL - {"settings"},
            "PATH",
            ("packages-dir",),
            flag=False,
            group=Group.DISTRIBUTIONS,
        ),
    ] = ("dist",)
    recursive: Annotated[
        bool,
        Option(
            "Also publish the distributions up to two levels below a folder.",
            ALL - {"settings"},
            None,
            ("recursive",),
            group=Group.DISTRIBUTIONS,
        ),
    ] = False
    ignore_subfolders: Annotated[
        bool,
        Option(
            "Leave distributions in subfolders unpublished; without this or recursive they are an error.",
            ALL - {"settings"},
            None,
            ("ignore-subfolders",),
            group=Group.DISTRIBUTIONS,
        ),
    ] = False
    strict: Annotated[
        bool,
        Option(
            "Treat warnings of the checks as errors; for doctor, whatever cannot be determined.",
            SENDING | {"check", "attest", "doctor"},
            None,
            ("strict",),
            group=Group.DISTRIBUTIONS,
        ),
    ] = False
    verify_metadata: Annotated[
        bool,
        Option(
            "Check the core metadata.",
            SENDING | {"check", "attest", "doctor"},
            None,
            ("verify-metadata",),
            group=Group.DISTRIBUTIONS,
        ),
    ] = True
