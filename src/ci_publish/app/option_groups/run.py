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
        int, Field(ge=1, le=64), Option("How many files are uploaded at once.", ASKING, "N", ("jobs",), group=Group.RUN)
    ] = 8
    keep_going: Annotated[
        bool,
        Option(
            "Go on with the other files when the index refuses one.", SENDING, None, ("keep-going",), group=Group.RUN
        ),
    ] = False
    verify: Annotated[
        bool, Option("Wait until the index lists what was uploaded.", SENDING, None, ("verify",), group=Group.RUN)
    ] = True
    verify_timeout: Annotated[
        float,
        Field(ge=0, le=LONGEST_WAIT, allow_inf_nan=False),
        Option("How long to wait for the listing.", SENDING, "SECONDS", ("verify-timeout",), group=Group.RUN),
    ] = 300.0
    timeout: Annotated[
        float | None,
        Field(gt=0, le=LONGEST_WAIT, allow_inf_nan=False),
        Option(
            "Every single wait. By default: connect and TLS 10, a read 30, the answer after the last byte 300,"
            " Sigstore and token exchange 30.",
            ASKING | {"attest"},
            "SECONDS",
            ("timeout",),
            group=Group.RUN,
        ),
    ] = None
    deadline: Annotated[
        float,
        Field(gt=0, le=LONGEST_WAIT, allow_inf_nan=False),
        Option("The whole run.", ALL - {"settings"}, "SECONDS", ("deadline",), group=Group.RUN),
    ] = 3600.0
    dry_run: Annotated[
        bool,
        Option(
            "Only plan: say what would be published, send nothing.",
            frozenset({"publish", "plan", "rehearse", "doctor", "settings"}),
            None,
            ("dry-run",),
            group=Group.RUN,
            intent=True,
        ),
    ] = False
