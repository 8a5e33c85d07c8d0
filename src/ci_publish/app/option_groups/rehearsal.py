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
            help="Rehearse on loopback instead of publishing.",
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
            help="Port of the rehearsal; 0 picks a free one.",
            commands=frozenset({"rehearse"}),
            metavar="N",
        ),
    ] = 0
    tls: Annotated[
        bool,
        Option(
            help="Use TLS for the rehearsal, with its own certificate authority.",
            commands=frozenset({"rehearse"}),
        ),
    ] = False
    world: Annotated[
        Path | None,
        Option(
            help="Keep the rehearsal's index in this folder, so that a second run finds what the first one published.",
            commands=frozenset({"rehearse"}),
            metavar="DIR",
        ),
    ] = None
    env_file: Annotated[
        Path | None,
        Option(
            help="With --serve: write the variables that direct other tools to the rehearsal to this file (dotenv).",
            commands=frozenset({"rehearse"}),
            metavar="FILE",
        ),
    ] = None
    shell: Annotated[
        Literal["dotenv", "sh", "fish", "powershell"],
        Option(
            help="With --serve: the syntax of these variables; without --env-file, a shell's syntax is written to"
            " standard output.",
            commands=frozenset({"rehearse"}),
        ),
    ] = "dotenv"
    as_ci: Annotated[
        bool,
        Option(
            help="With --serve: these variables also simulate a CI job with an identity, for Trusted Publishing.",
            commands=frozenset({"rehearse"}),
        ),
    ] = False
