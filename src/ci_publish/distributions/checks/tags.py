"""Rules about platform tags (pure)."""

from collections.abc import Iterable, Iterator
from typing import Final

from ci_publish.distributions.checks import platforms
from ci_publish.distributions.checks.filename import parse_checked_filename
from ci_publish.distributions.checks.rules import CheckedFile, Rule, Stage
from ci_publish.distributions.faults import Fault, refused_upload_fault
from ci_publish.model.problem import Severity


def _platform_tag(file: CheckedFile) -> Iterable[Fault]:
    for tag, response in _platform_tags_refused_by_pypi(file):
        if not platforms.may_become_accepted_platform(tag):
            message = f"PyPI does not accept the platform tag {tag!r}."
            yield refused_upload_fault("platform-tag", message, response, advice=platforms.platform_tag_advice(tag))


def _platform_tag_unknown(file: CheckedFile) -> Iterable[Fault]:
    for tag, response in _platform_tags_refused_by_pypi(file):
        if platforms.may_become_accepted_platform(tag):
            message = (
                f"PyPI was not known to accept the platform tag {tag!r} when this version of ci-publish was released."
            )
            yield refused_upload_fault("platform-tag-unknown", message, response)


def _platform_tags_refused_by_pypi(file: CheckedFile) -> Iterator[tuple[str, str]]:
    """Yield the wheel's platform tags that PyPI does not accept, sorted, each with the server's answer."""
    parsed = parse_checked_filename(file)
    for tag in sorted(parsed.platforms) if parsed else ():
        if not platforms.is_accepted_platform(tag):
            yield tag, f"Binary wheel '{file.filename}' has an unsupported platform tag '{tag}'."


RULES: Final = (
    Rule(
        id="platform-tag",
        pypi=Severity.ERROR,
        pypi_only=True,
        stage=Stage.NAMES,
        cause=(
            "The platform tag must be one that PyPI accepts, or may accept in the future. Malformed and misspelled "
            "tags cause errors, and so do new tags in families that no longer grow. Plain `linux` tags cause errors, "
            "because they do not specify the required libraries."
        ),
        source=(
            "PEP 513, PEP 600, PEP 656; warehouse/forklift/legacy.py:118-229 (``_valid_platform_tag``) and 1440-1450."
        ),
        example=(
            "`demo-1.0-cp313-cp313-linux_x86_64.whl`, `…-win64.whl`, `…-manylinux_2_17_amd64.whl`, `…-any (1).whl`"
        ),
        fix="Correct the platform tag where the wheel is built; the message has advice for the tag.",
        check=_platform_tag,
    ),
    Rule(
        id="platform-tag-unknown",
        pypi=Severity.WARNING,
        pypi_only=True,
        stage=Stage.NAMES,
        cause=(
            "The platform tag is not one that PyPI was known to accept when this version of ci-publish was released. A "
            "file with an unknown tag is uploaded before all others. If PyPI rejects the first file of a release, the "
            "version can still be used."
        ),
        source="warehouse/forklift/legacy.py:118-229 (``_valid_platform_tag``) and 1440-1450.",
        example="`demo-1.0-cp315-cp315-macosx_27_0_arm64.whl`, `…-freebsd_14_amd64.whl`",
        fix="If the platform is new, PyPI may accept the tag by now. Otherwise, correct the tag.",
        check=_platform_tag_unknown,
    ),
)
