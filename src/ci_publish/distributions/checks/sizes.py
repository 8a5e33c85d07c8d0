"""Rules about sizes (pure)."""

from collections.abc import Iterable

from ci_publish.distributions.checks.rules import Family, Subject, rule
from ci_publish.distributions.findings import Fault
from ci_publish.distributions.limits import DEFAULT_FILE_LIMIT, MIB
from ci_publish.model.problem import Severity


@rule(
    Family.SIZES,
    Severity.WARNING,
    pypi_only=True,
    example="a wheel of 250 MiB",
    cure="If the project has no higher limit yet, ask for one: "
    "https://docs.pypi.org/project-management/storage-limits/#requesting-a-file-size-limit-increase",
)
def size_limit(subject: Subject) -> Iterable[Fault]:
    """PyPI takes files of up to 100 MiB, unless a project was given a higher limit.

    Source: warehouse/constants.py:5; warehouse/forklift/legacy.py:1144-1162. It differs by project, so it is a warning.
    """
    if subject.size > DEFAULT_FILE_LIMIT:
        size = f"{subject.size / MIB:.1f} MiB"
        yield Fault("size-limit", f"It has {size}; PyPI's default limit is {DEFAULT_FILE_LIMIT // MIB} MiB.")
