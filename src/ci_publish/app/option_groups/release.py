"""The release as a whole: how it is compared with the one before, and what it must be like."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from ci_publish.app.option_groups import OptionGroup
from ci_publish.app.options import SENDING, Group, Option
from ci_publish.app.setting_values import Lines, entries, limit, size, version

LARGEST_LIMIT = 2**50
"""A petabyte."""


class ReleaseSettings(OptionGroup):
    """The release as a whole: how it is compared with the one before, and what it must be like."""

    release_diff: Annotated[
        Literal["auto", "off", "listing", "full"],
        Option(
            help="Compare the release with the one before: from the listing alone, or in full, with the core metadata"
            " of one file. By default listing for publish, full for plan and diff, off for rehearse.",
            commands=SENDING | {"diff"},
            metavar=None,
            inputs=("release-diff",),
            group=Group.RELEASE,
        ),
    ] = "auto"
    against: Annotated[
        str | None,
        BeforeValidator(version),
        Option(
            help="The version to compare with; by default the highest one below that is not yanked.",
            commands=frozenset({"diff", "settings"}),
            metavar="VERSION",
            file=False,
            group=Group.RELEASE,
        ),
    ] = None
    exit_code: Annotated[
        bool,
        Option(
            help="End with exit code 4 when a difference is more than a note.",
            commands=frozenset({"diff", "settings"}),
            file=False,
            group=Group.RELEASE,
        ),
    ] = False
    version_tag: Annotated[
        Literal["auto", "error", "warn", "off"],
        Option(
            help="What it means when the tag that the job runs for is another version; by default an error where the"
            " tag names the project, else a warning.",
            commands=SENDING | {"check", "diff", "attest"},
            metavar=None,
            inputs=("version-tag",),
            group=Group.RELEASE,
        ),
    ] = "auto"
    expect_wheels: Annotated[
        Lines,
        Option(
            help="A wheel that the release must have, as a shell pattern over python-abi-platform; braces stand for"
            " several wheels, and PROJECT: before the pattern limits it to one project.",
            commands=SENDING | {"check", "diff"},
            metavar="PATTERN",
            inputs=("expect-wheels",),
            group=Group.RELEASE,
        ),
    ] = ()
    file_size_limit: Annotated[
        int | None,
        Field(ge=0, le=LARGEST_LIMIT),
        BeforeValidator(size),
        AfterValidator(limit),
        Option(
            help="The project's limit for one file on the index; a larger file is an error before anything is sent."
            " There is no default.",
            commands=SENDING | {"check", "diff", "attest"},
            metavar="off|SIZE",
            inputs=("file-size-limit",),
            group=Group.RELEASE,
        ),
    ] = None
    project_size_limit: Annotated[
        int | None,
        Field(ge=0, le=LARGEST_LIMIT),
        BeforeValidator(size),
        AfterValidator(limit),
        Option(
            help="The project's limit for all its files on the index; a release that does not fit is an error before"
            " anything is sent. There is no default.",
            commands=SENDING | {"diff"},
            metavar="off|SIZE",
            inputs=("project-size-limit",),
            group=Group.RELEASE,
        ),
    ] = None
    rules: Annotated[
        tuple[str, ...],
        BeforeValidator(entries),
        Option(
            help="The severity of a rule of the checks: off, note, warning or error. Any rule may be stricter; weaker"
            " only those that are marked adjustable.",
            commands=SENDING | {"check", "diff", "attest", "doctor"},
            metavar="RULE=SEVERITY",
            group=Group.RELEASE,
        ),
    ] = ()
