"""Rules about sizes (pure)."""

from collections.abc import Iterable
from typing import Final

from ci_publish.distributions.checks.comparison.stated_rules import over_default_file_limit
from ci_publish.distributions.checks.rules import CheckedFile, Rule, Stage
from ci_publish.distributions.faults import Fault, refused_upload_fault
from ci_publish.distributions.limits import DEFAULT_FILE_LIMIT, MIB
from ci_publish.model.byte_counts import format_size_and_limit
from ci_publish.model.problem import Severity

_MORE: Final = (
    "https://docs.pypi.org/project-management/storage-limits/#requesting-a-file-size-limit-increase"
    " for more information."
)


def _size_limit(file: CheckedFile) -> Iterable[Fault]:
    if file.size > DEFAULT_FILE_LIMIT:
        size, most = format_size_and_limit(file.size, DEFAULT_FILE_LIMIT)
        limit = DEFAULT_FILE_LIMIT // MIB
        response = f"File too large. Limit for project {file.form_value('name')!r} is {limit} MB. See {_MORE}"
        yield refused_upload_fault("size-limit", f"The file is {size}; PyPI's default limit is {most}.", response)


RULES: Final = (
    Rule(
        id="size-limit",
        pypi=Severity.WARNING,
        adjustable=True,
        pypi_only=True,
        stage=Stage.FILENAME,
        cause="PyPI accepts files of up to 100 MiB, unless the project has a higher limit.",
        source=(
            "warehouse/constants.py:5; warehouse/forklift/legacy.py:1144-1162. The limit differs by project, so this "
            "is only a warning."
        ),
        example="a wheel of 250 MB",
        fix=(
            "If the project has no higher limit yet, request one: "
            "https://docs.pypi.org/project-management/storage-limits/#requesting-a-file-size-limit-increase"
        ),
        check=_size_limit,
        compare=over_default_file_limit,
    ),
)
