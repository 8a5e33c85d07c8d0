"""The run itself: how many uploads at once, how long to wait, and what is only planned."""

from typing import Annotated

from pydantic import Field

from ci_publish.app.option_groups import OptionGroup
from ci_publish.app.options import ALL, ASKING, SENDING, Group, Option

LONGEST_WAIT = 7 * 24 * 3600.0
"""A week: longer than any CI lets a job run, and no number that a lock cannot wait for."""


class RunSettings(OptionGroup):
    """The run itself: how many uploads at once, how long to wait, and what is only planned."""

    jobs: Annotated[
        int,
        Field(ge=1, le=64),
        Option(
            help="The maximum number of files that are uploaded at the same time.",
            commands=ASKING,
            metavar="N",
            inputs=("jobs",),
            group=Group.RUN,
        ),
    ] = 8
    keep_going: Annotated[
        bool,
        Option(
            help="Continue with the other files when the index refuses one.",
            commands=SENDING,
            metavar=None,
            inputs=("keep-going",),
            group=Group.RUN,
        ),
    ] = False
    new_projects: Annotated[
        int | None,
        Field(ge=0),
        Option(
            help="Create at most this many new projects in this run, starting with those that others require; the"
            " rest are left for a later run (exit code 12).",
            commands=SENDING | {"doctor"},
            metavar="N",
            inputs=("new-projects",),
            group=Group.RUN,
        ),
    ] = None
    verify: Annotated[
        bool,
        Option(
            help="Wait until the index lists what was uploaded.",
            commands=SENDING,
            metavar=None,
            inputs=("verify",),
            group=Group.RUN,
        ),
    ] = True
    verify_timeout: Annotated[
        float,
        Field(ge=0, le=LONGEST_WAIT, allow_inf_nan=False),
        Option(
            help="How long to wait for the index to list what was uploaded.",
            commands=SENDING,
            metavar="SECONDS",
            inputs=("verify-timeout",),
            group=Group.RUN,
        ),
    ] = 300.0
    timeout: Annotated[
        float | None,
        Field(gt=0, le=LONGEST_WAIT, allow_inf_nan=False),
        Option(
            help="The longest single wait. Defaults: 10 for connect and TLS, 30 for a read, 300 for the response after"
            " the last byte, 30 for Sigstore and token exchange.",
            commands=ASKING | {"attest", "diff"},
            metavar="SECONDS",
            inputs=("timeout",),
            group=Group.RUN,
        ),
    ] = None
    deadline: Annotated[
        float,
        Field(gt=0, le=LONGEST_WAIT, allow_inf_nan=False),
        Option(
            help="The longest that the whole run may take; then it stops and reports what was published.",
            commands=ALL - {"settings"},
            metavar="SECONDS",
            inputs=("deadline",),
            group=Group.RUN,
        ),
    ] = 3600.0
    dry_run: Annotated[
        bool,
        Option(
            help="Only plan: report what would be published, and send nothing.",
            commands=frozenset({"publish", "plan", "rehearse", "doctor", "settings"}),
            metavar=None,
            inputs=("dry-run",),
            group=Group.RUN,
            intent=True,
        ),
    ] = False
