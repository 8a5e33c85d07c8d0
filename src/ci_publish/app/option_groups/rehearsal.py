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
            help="Port for the rehearsal's servers. 0 selects a free port.",
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
            help="With --serve, write to this file the variables that point other tools to the rehearsal's index.",
            commands=frozenset({"rehearse"}),
            metavar="FILE",
        ),
    ] = None
    shell: Annotated[
        Literal["dotenv", "sh", "fish", "powershell"],
        Option(
            help="With --serve, syntax for the variables. If --env-file is not set, sh, fish and powershell print them"
            " to standard output.",
            commands=frozenset({"rehearse"}),
        ),
    ] = "dotenv"
    as_ci: Annotated[
        bool,
        Option(
            help="With --serve, make the variables simulate a CI job with an identity, for Trusted Publishing.",
            commands=frozenset({"rehearse"}),
        ),
    ] = False
