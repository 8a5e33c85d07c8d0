"""The run itself: parallel uploads, time limits and dry runs."""

from typing import Annotated

from pydantic import Field

from ci_publish.app.option_groups import OptionGroup
from ci_publish.app.options import ALL, ASKING, SENDING, Option
from ci_publish.app.setting_values import LONGEST_WAIT, Seconds


class RunSettings(OptionGroup):
    """The run itself: parallel uploads, time limits and dry runs."""

    heading = "behaviour"

    jobs: Annotated[
        int,
        Field(ge=1, le=64),
        Option(
            help="Maximum number of parallel uploads.",
            commands=ASKING,
            metavar="N",
            input_name="jobs",
        ),
    ] = 8
    keep_going: Annotated[
        bool,
        Option(
            help="Continue with other files if the index rejects a file.",
            commands=SENDING,
            input_name="keep-going",
        ),
    ] = False
    new_projects: Annotated[
        int | None,
        Field(ge=0),
        Option(
            help="Maximum number of projects that the run creates. The remaining new projects are deferred to a"
            " later run (exit code 12).",
            commands=SENDING | {"doctor"},
            metavar="N",
            input_name="new-projects",
        ),
    ] = None
    verify: Annotated[
        bool,
        Option(
            help="Wait until the index lists the uploaded files.",
            commands=SENDING,
            input_name="verify",
        ),
    ] = True
    verify_timeout: Annotated[
        float,
        Field(ge=0, le=LONGEST_WAIT, allow_inf_nan=False),
        Option(
            help="Time limit for the index to list the uploaded files.",
            commands=SENDING,
            metavar="SECONDS",
            input_name="verify-timeout",
        ),
    ] = 300.0
    timeout: Annotated[
        float | None,
        Field(gt=0, le=LONGEST_WAIT, allow_inf_nan=False),
        Option(
            help="Time limit for every single wait. Defaults: 10 for connections and TLS, 30 for reads, 300 for the"
            " response to an upload, 30 for Sigstore and the token exchange.",
            commands=ASKING | {"attest", "diff"},
            metavar="SECONDS",
            input_name="timeout",
        ),
    ] = None
    deadline: Annotated[
        Seconds,
        Option(
            help="Time limit for the whole run.",
            commands=ALL - {"settings"},
            metavar="SECONDS",
            input_name="deadline",
        ),
    ] = 3600.0
    dry_run: Annotated[
        bool,
        Option(
            help="Only create a plan, without uploading anything.",
            commands=SENDING | {"doctor"},
            input_name="dry-run",
            intent=True,
        ),
    ] = False
