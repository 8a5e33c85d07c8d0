"""The run itself: how many uploads at once, how long to wait, and what is only planned."""

from typing import Annotated

from pydantic import Field

from ci_publish.app.option_groups import OptionGroup
from ci_publish.app.options import ALL, ASKING, SENDING, Option
from ci_publish.app.setting_values import LONGEST_WAIT, Seconds


class RunSettings(OptionGroup):
    """The run itself: how many uploads at once, how long to wait, and what is only planned."""

    heading = "behaviour"

    jobs: Annotated[
        int,
        Field(ge=1, le=64),
        Option(
            help="The maximum number of files that are uploaded at the same time.",
            commands=ASKING,
            metavar="N",
            input_name="jobs",
        ),
    ] = 8
    keep_going: Annotated[
        bool,
        Option(
            help="Continue with the other files when the index refuses one.",
            commands=SENDING,
            input_name="keep-going",
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
            input_name="new-projects",
        ),
    ] = None
    verify: Annotated[
        bool,
        Option(
            help="Wait until the index lists what was uploaded.",
            commands=SENDING,
            input_name="verify",
        ),
    ] = True
    verify_timeout: Annotated[
        float,
        Field(ge=0, le=LONGEST_WAIT, allow_inf_nan=False),
        Option(
            help="How long to wait for the index to list what was uploaded.",
            commands=SENDING,
            metavar="SECONDS",
            input_name="verify-timeout",
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
            input_name="timeout",
        ),
    ] = None
    deadline: Annotated[
        Seconds,
        Option(
            help="The longest that the whole run may take; then it stops and reports what was published.",
            commands=ALL - {"settings"},
            metavar="SECONDS",
            input_name="deadline",
        ),
    ] = 3600.0
    dry_run: Annotated[
        bool,
        Option(
            help="Only plan: report what would be published, and send nothing.",
            commands=SENDING | {"doctor"},
            input_name="dry-run",
            intent=True,
        ),
    ] = False
