"""The release as a whole: how it is compared with the previous one, and its requirements."""

from typing import Annotated, Literal

from pydantic import BeforeValidator

from ci_publish.app.option_groups import OptionGroup
from ci_publish.app.options import SENDING, Option
from ci_publish.app.setting_values import Lines, SizeLimit, parse_setting_entries, require_version_text


class ReleaseSettings(OptionGroup):
    """The release as a whole: how it is compared with the previous one, and its requirements."""

    heading = "release"

    release_diff: Annotated[
        Literal["auto", "off", "listing", "full"],
        Option(
            help="How to compare the release with the previous one: listing uses only the index's file list, full"
            " also uses the core metadata of one file. auto means listing for publish, full for plan and diff, and"
            " off for rehearse.",
            commands=SENDING | {"diff"},
            input_name="release-diff",
        ),
    ] = "auto"
    against: Annotated[
        str | None,
        BeforeValidator(require_version_text),
        Option(
            help="Version to compare with. The default is the highest lower version that is not yanked.",
            commands=frozenset({"diff", "settings"}),
            metavar="VERSION",
            file=False,
        ),
    ] = None
    exit_code: Annotated[
        bool,
        Option(
            help="Exit with code 4 if there are differences more severe than a note.",
            commands=frozenset({"diff", "settings"}),
            file=False,
        ),
    ] = False
    version_tag: Annotated[
        Literal["auto", "error", "warn", "off"],
        Option(
            help="What to do if the job's tag does not match the version. auto means error if the tag names the"
            " project, and warn otherwise.",
            commands=SENDING | {"check", "diff", "attest"},
            input_name="version-tag",
        ),
    ] = "auto"
    expect_wheels: Annotated[
        Lines,
        Option(
            help="Wheel that the release must contain, as a shell pattern for python-abi-platform. Braces expand to"
            " several patterns. The prefix PROJECT: limits the pattern to one project.",
            commands=SENDING | {"check", "diff"},
            metavar="PATTERN",
            input_name="expect-wheels",
        ),
    ] = ()
    file_size_limit: Annotated[
        SizeLimit,
        Option(
            help="Maximum size of a file on the index. A larger file causes an error before the upload. There is no"
            " default.",
            commands=SENDING | {"check", "diff", "attest"},
            metavar="off|SIZE",
            input_name="file-size-limit",
        ),
    ] = None
    project_size_limit: Annotated[
        SizeLimit,
        Option(
            help="Maximum total size of the project's files on the index. A release that exceeds the limit causes an"
            " error before the upload. There is no default.",
            commands=SENDING | {"diff"},
            metavar="off|SIZE",
            input_name="project-size-limit",
        ),
    ] = None
    rules: Annotated[
        tuple[str, ...],
        BeforeValidator(parse_setting_entries),
        Option(
            help="Severity of a check rule: off, note, warning or error. You can raise the severity of any"
            " rule, but lower only the severity of adjustable rules.",
            commands=SENDING | {"check", "diff", "attest", "doctor"},
            metavar="RULE=SEVERITY",
        ),
    ] = ()
