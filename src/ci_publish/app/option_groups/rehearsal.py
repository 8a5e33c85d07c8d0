"""The rehearsal on loopback."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from ci_publish.app.option_groups import OptionGroup
from ci_publish.app.options import SENDING, Option


class RehearsalSettings(OptionGroup):
    """The rehearsal on loopback."""

    heading = "rehearsal"

    rehearse: Annotated[
        bool,
        Option(
            help="Rehearse on this machine instead of publishing.",
            commands=SENDING,
            input_name="rehearse",
            flag=False,
            intent=True,
        ),
    ] = False
    serve: Annotated[
        bool,
        Option(
            help="Keep the rehearsal's servers running until Ctrl-C.",
            commands=frozenset({"rehearse"}),
        ),
    ] = False
    port: Annotated[
        int,
        Field(ge=0, le=65535),
        Option(
            help="Port of the rehearsal. 0 selects a free port.",
            commands=frozenset({"rehearse"}),
            metavar="N",
        ),
    ] = 0
    tls: Annotated[
        bool,
        Option(
            help="Use TLS in the rehearsal, with a temporary certificate authority.",
            commands=frozenset({"rehearse"}),
        ),
    ] = False
    world: Annotated[
        Path | None,
        Option(
            help="Folder in which the rehearsal's index is kept for later rehearsals.",
            commands=frozenset({"rehearse"}),
            metavar="DIR",
        ),
    ] = None
    env_file: Annotated[
        Path | None,
        Option(
            help="With --serve, write variables that make other tools use the rehearsal to this file.",
            commands=frozenset({"rehearse"}),
            metavar="FILE",
        ),
    ] = None
    shell: Annotated[
        Literal["dotenv", "sh", "fish", "powershell"],
        Option(
            help="With --serve, the syntax of these variables. Without --env-file, prints them in the syntax of a"
            " shell.",
            commands=frozenset({"rehearse"}),
        ),
    ] = "dotenv"
    as_ci: Annotated[
        bool,
        Option(
            help="With --serve, make these variables simulate a CI job with an identity, for Trusted Publishing.",
            commands=frozenset({"rehearse"}),
        ),
    ] = False
