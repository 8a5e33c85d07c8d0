"""The release as a whole: how it is compared with the one before, and what it must be like."""

from typing import Annotated, Literal

from pydantic import BeforeValidator

from ci_publish.app.option_groups import OptionGroup
from ci_publish.app.options import SENDING, Option
from ci_publish.app.setting_values import Lines, SizeLimit, parse_setting_entries, require_version_text


class ReleaseSettings(OptionGroup):
    """The release as a whole: how it is compared with the one before, and what it must be like."""

    heading = "release"

    release_diff: Annotated[
        Literal["auto", "off", "listing", "full"],
        Option(
            help="Compare the release with the previous one: using the listing alone, or in full, with the"
            " core metadata of one file. Default: listing for publish, full for plan and diff, off for rehearse.",
            commands=SENDING | {"diff"},
            input_name="release-diff",
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
        ),
    ] = None
    exit_code: Annotated[
        bool,
        Option(
            help="Exit with code 4 if a difference is more severe than a note.",
            commands=frozenset({"diff", "settings"}),
            file=False,
        ),
    ] = False
    version_tag: Annotated[
        Literal["auto", "error", "warn", "off"],
        Option(
            help="What to do if the tag that the job runs for does not match the version; by default, an error if the"
            " tag names the project, and otherwise a warning.",
            commands=SENDING | {"check", "diff", "attest"},
            input_name="version-tag",
        ),
    ] = "auto"
    expect_wheels: Annotated[
        Lines,
        Option(
            help="A wheel that the release must have, as a shell pattern for python-abi-platform; braces expand to"
            " several wheels, and PROJECT: before the pattern limits it to one project.",
            commands=SENDING | {"check", "diff"},
            metavar="PATTERN",
            input_name="expect-wheels",
        ),
    ] = ()
    file_size_limit: Annotated[
        SizeLimit,
        Option(
            help="The project's limit for one file on the index; a larger file is an error before anything is sent."
            " There is no default.",
            commands=SENDING | {"check", "diff", "attest"},
            metavar="off|SIZE",
            input_name="file-size-limit",
        ),
    ] = None
    project_size_limit: Annotated[
        SizeLimit,
        Option(
            help="The project's limit for all its files on the index; a release that does not fit is an error before"
            " anything is sent. There is no default.",
            commands=SENDING | {"diff"},
            metavar="off|SIZE",
            input_name="project-size-limit",
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
        ),
    ] = ()
