"""The rehearsal on loopback."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from ci_publish.app.option_groups import OptionGroup
from ci_publish.app.options import Group, Option


class RehearsalSettings(OptionGroup):
    """The rehearsal on loopback."""

    rehearse: Annotated[
        bool,
        Option(
            "Rehearse on loopback instead of publishing.",
            frozenset({"publish", "plan", "rehearse", "settings"}),
            None,
            ("rehearse",),
            flag=False,
            group=Group.REHEARSAL,
            intent=True,
        ),
    ] = False
    serve: Annotated[
        bool, Option("Leave the rehearsal's servers up until Ctrl-C.", frozenset({"rehearse"}), group=Group.REHEARSAL)
    ] = False
    port: Annotated[
        int,
        Field(ge=0, le=65535),
        Option("Port of the rehearsal; 0 takes a free one.", frozenset({"rehearse"}), "N", group=Group.REHEARSAL),
    ] = 0
    tls: Annotated[
        bool,
        Option(
            "Rehearse over TLS, with a certificate authority of its own.",
            frozenset({"rehearse"}),
            group=Group.REHEARSAL,
        ),
    ] = False
    world: Annotated[
        Path | None,
        Option(
            "Keep the rehearsal's index in this folder, so that a second run finds what the first one published.",
            frozenset({"rehearse"}),
            "DIR",
            group=Group.REHEARSAL,
        ),
    ] = None
