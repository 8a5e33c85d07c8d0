"""Files that the index already has: what is compared, and what to do about different content."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from ci_publish.app.option_groups import OptionGroup
from ci_publish.app.options import SENDING, Option
from ci_publish.app.setting_values import ByteLimit, parse_size_setting

LARGEST_DOWNLOAD = ByteLimit(256 * 1024 * 1024)
"""A downloaded file is held in memory."""


class ConflictSettings(OptionGroup):
    """Files that the index already has: what is compared, and what to do about different content."""

    heading = "behaviour with files that the index has already"

    on_conflict: Annotated[
        Literal["fail", "keep-published"],
        Option(
            help="What to do if the index has different content under the same filename.",
            commands=SENDING | {"doctor"},
            input_name="on-conflict",
            intent=True,
        ),
    ] = "fail"
    skip_existing: Annotated[
        bool,
        Option(
            help="Skip files whose names are in use, with a warning. On PyPI, different content still fails.",
            commands=SENDING | {"doctor"},
            input_name="skip-existing",
            intent=True,
        ),
    ] = False
    compare_downloads: Annotated[
        int,
        Field(ge=0, le=LARGEST_DOWNLOAD),
        BeforeValidator(parse_size_setting),
        AfterValidator(ByteLimit),
        Option(
            help="Maximum size of published files that are downloaded and compared with yours if an index other than"
            " PyPI lists no digest for them. off disables the downloads.",
            commands=SENDING | {"verify", "doctor"},
            metavar="off|SIZE",
            input_name="compare-downloads",
        ),
    ] = ByteLimit(25 * 1024 * 1024)
