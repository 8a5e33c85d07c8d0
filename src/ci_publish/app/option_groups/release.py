"""The release as a whole: how it is compared with the one before, and what it must be like."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from ci_publish.app.option_groups import OptionGroup
from ci_publish.app.options import SENDING, Group, Option
from ci_publish.app.setting_values import (
    ByteLimit,
    Lines,
    byte_limit_or_none,
    parse_setting_entries,
    parse_size_setting,
    require_version_text,
)

LARGEST_LIMIT = ByteLimit(2**50)
"""A petabyte."""


class ReleaseSettings(OptionGroup):
    """The release as a whole: how it is compared with the one before, and what it must be like."""

    release_diff: Annotated[
        Literal["auto", "off", "listing", "full"],
        Option(
            help="Compare the release with the previous one: using the listing alone, or in full, with the"
            " core metadata of one file. Default: listing for publish, full for plan and diff, off for rehearse.",
            commands=SENDING | {"diff"},
            metavar=None,
            inputs=("release-diff",),
            group=Group.RELEASE,
        ),
    ] = "auto"
    against: Annotated[
        str | None,
        BeforeValidator(require_version_text),
        Option(
            help="The version to compare with; by default, the highest lower version that is not yanked.",
            commands=frozenset({"diff", "settings"}),
            metavar="VERSION",
            file=False,
            group=Group.RELEASE,
        ),
    ] = None
    exit_code: Annotated[
        bool,
        Option(
            help="Exit with code 4 if a difference is more severe than a note.",
            commands=frozenset({"diff", "settings"}),
            file=False,
            group=Group.RELEASE,
        ),
    ] = False
    version_tag: Annotated[
        Literal["auto", "error", "warn", "off"],
        Option(
            help="What to do if the tag that the job runs for does not match the version; by default, an error if the"
            " tag names the project, and otherwise a warning.",
            commands=SENDING | {"check", "diff", "attest"},
            metavar=None,
            inputs=("version-tag",),
            group=Group.RELEASE,
        ),
    ] = "auto"
    expect_wheels: Annotated[
        Lines,
        Option(
            help="A wheel that the release must have, as a shell pattern for python-abi-platform; braces expand to"
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
        BeforeValidator(parse_size_setting),
        AfterValidator(byte_limit_or_none),
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
        BeforeValidator(parse_size_setting),
        AfterValidator(byte_limit_or_none),
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
        BeforeValidator(parse_setting_entries),
        Option(
            help="The severity of a check rule: off, note, warning or error. Any rule may be made stricter; only"
            " rules that are marked adjustable may be made weaker.",
            commands=SENDING | {"check", "diff", "attest", "doctor"},
            metavar="RULE=SEVERITY",
            group=Group.RELEASE,
        ),
    ] = ()
