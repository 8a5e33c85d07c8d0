"""Rules about what the user states: the tag of a release, the wheels that it must have, and size limits (pure)."""

import re
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Final

from packaging.utils import canonicalize_name
from packaging.version import Version

from ci_publish.distributions.checks.comparison.stated import Stated, VersionTag, matches_wheel_pattern
from ci_publish.distributions.checks.rules import Ground, Rule
from ci_publish.distributions.faults import Fault, list_first
from ci_publish.distributions.limits import DEFAULT_FILE_LIMIT, DEFAULT_PROJECT_LIMIT
from ci_publish.hints import Hint, option
from ci_publish.model.byte_counts import format_limit, format_size, format_size_and_limit
from ci_publish.model.problem import Severity
from ci_publish.model.release import Comparison, ReleaseFile

MAX_TAG: Final = 250
"""Characters of a tag that are read; Git's own limit for a name is a file system's."""

_SHOWN: Final = 10
_MAX_NAME: Final = 100
_NEAR: Final = 0.8
_MAY_DIFFER = Hint("Correct the version or the tag. If they may differ: ", option("version_tag", "warn"))
_TO_STOP = Hint("To stop such runs before anything is signed: ", option("version_tag", "error"))


def stated_faults(releases: Mapping[str, AbstractSet[str]], stated: Stated) -> list[Fault]:
    """Return what contradicts statements about the whole run; *releases* has the versions of each project."""
    faults = version_tag_faults(releases, stated)
    ours = sorted(releases)
    absent = sorted({canonicalize_name(each.project) for each in stated.expected if each.project} - set(ours))
    if absent and ours:  # a run may publish one of several projects
        theirs, own = (list_first((name[:_MAX_NAME] for name in names), _SHOWN) for names in (absent, ours))
        message = f"expect-wheels names {theirs}, but this run has {own}."
        faults.append(Fault(rule="expected-project-absent", message=message))
    return faults


def version_tag_faults(releases: Mapping[str, AbstractSet[str]], stated: Stated) -> list[Fault]:
    """Return what contradicts the tag that the job runs for; *releases* has the versions of each project."""
    tag, policy = stated.tag, stated.version_tag
    if not tag or policy is VersionTag.OFF or len(tag) > MAX_TAG:
        return []
    if (named := _project_and_version_of_tag(tag, releases)) is not None:
        project, version = named
        tagged, strict = [project], policy is not VersionTag.WARN
    elif (alone := _parse_tag_version_or_none(tag)) is not None:
        version, tagged, strict = alone, sorted(releases), policy is VersionTag.ERROR
    else:
        return []
    agreeing = [
        project
        for project in tagged
        if all(tag_agrees_with_version(version, Version(each)) for each in releases[project])
    ]
    if agreeing and not strict:
        return []  # the tag is that of another project of this run
    rule, advice = ("version-tag", _MAY_DIFFER) if strict else ("version-tag-warning", _TO_STOP)
    messages = (
        f"This job runs for the tag {tag}, but the files are {project} {', '.join(sorted(releases[project]))}."
        for project in tagged
        if project not in agreeing
    )
    return [Fault(rule=rule, message=message, advice=advice) for message in messages]


def _project_and_version_of_tag(tag: str, projects: Iterable[str]) -> tuple[str, Version] | None:
    """Return the project of this run that a tag names, and the version after it; the longest name wins.

    Folders (``packages/``) and ``release`` may come before the name, ``release`` and ``v`` before the version.
    """
    for project in sorted(projects, key=len, reverse=True):
        name = "[-_.]+".join(map(re.escape, project.split("-")))
        found = re.fullmatch(
            rf"(?:[\w.-]+/)*(?:releases?[-_])?{name}(?:==?|[-/@_]|\.(?=v))(?:releases?[-/_])?(.+)", tag, re.IGNORECASE
        )
        version = None if found is None else _parse_tag_version_or_none(found[1])
        if version is not None:
            return project, version
    return None


def _parse_tag_version_or_none(text: str) -> Version | None:
    """Return the version that *text* is, with or without ``v``."""
    try:
        return Version(text)
    except ValueError:  # also for a number of more than 4,300 digits
        return None


def tag_agrees_with_version(tagged: Version, version: Version) -> bool:
    """Whether a tag fits *version*: it is the same, a prefix of it, or *version* is a post, dev or local build of it.

    Tags such as ``v1`` and ``v1.2`` are moved to the newest 1.2.3. Trailing zeros of a version are ignored.
    """
    if tagged.epoch != version.epoch or (tagged.pre, tagged.dev if tagged.dev is not None else version.dev) != (
        version.pre,
        version.dev,
    ):
        return False
    if tagged.post is not None and tagged.post != version.post:
        return False
    if tagged.local is not None and tagged.local != version.local:
        return False
    if Version(tagged.base_version) == Version(version.base_version):
        return True
    alone = tagged.pre is None and tagged.post is None and tagged.dev is None
    return alone and version.release[: len(tagged.release)] == tagged.release


def _expected_wheel_missing(comparison: Comparison, stated: Stated) -> Iterable[Fault]:
    names = [file.name for file in comparison.ours.files]
    expected = [each for each in stated.expected if canonicalize_name(each.project) in {"", comparison.ours.project}]
    missing = [
        each.pattern for each in expected if not any(matches_wheel_pattern(each.pattern, name) for name in names)
    ]
    if missing:
        release = f"{comparison.ours.project} {comparison.ours.version}"
        count = f"{len(missing)} of {len(expected)} expected wheels are missing"
        message = f"{release}: {count}: {list_first(missing, _SHOWN, ', and')}."
        yield Fault(rule="expected-wheel-missing", message=message)


def _over_stated_file_limit(comparison: Comparison, stated: Stated) -> Iterable[Fault]:
    if (limit := stated.file_limit) is not None:
        for file in _files_larger_than(comparison.new_files, limit):
            size, most = format_size_and_limit(file.size or 0, limit)
            message = f"{file.name.text} has {size}; the stated limit is {most}."
            yield Fault(rule="file-size-limit", message=message, filename=file.name.text)


def over_default_file_limit(comparison: Comparison, stated: Stated) -> Iterable[Fault]:
    """Yield the files that are larger than PyPI's default limit, unless a published file shows that it was raised."""
    if stated.file_limit is None and comparison.largest <= DEFAULT_FILE_LIMIT:
        for file in _files_larger_than(comparison.new_files, DEFAULT_FILE_LIMIT):
            size, most = format_size_and_limit(file.size or 0, DEFAULT_FILE_LIMIT)
            message = f"{file.name.text} has {size}; PyPI's default limit is {most}."
            yield Fault(rule="size-limit", message=message, filename=file.name.text)


def _files_larger_than(files: Iterable[ReleaseFile], limit: int) -> Iterator[ReleaseFile]:
    return (file for file in sorted(files, key=lambda file: file.name.text) if (file.size or 0) > limit)


def _size_limit_raised(comparison: Comparison, stated: Stated) -> Iterable[Fault]:
    """Report which of PyPI's default limits are known not to apply."""
    large = comparison.largest > DEFAULT_FILE_LIMIT and any(
        _files_larger_than(comparison.new_files, DEFAULT_FILE_LIMIT)
    )
    if stated.file_limit is None and large:
        limit, largest = format_limit(DEFAULT_FILE_LIMIT), format_size(comparison.largest)
        message = f"The project has a higher limit than {limit} a file: a published one has {largest}."
        yield Fault(rule="size-limit-raised", message=message)
    used = comparison.project_size or 0
    if stated.project_limit is None and used > DEFAULT_PROJECT_LIMIT and comparison.new_size:
        limit = format_limit(DEFAULT_PROJECT_LIMIT)
        message = f"The project has a higher limit than {limit}: it uses {format_size(used)}."
        yield Fault(rule="size-limit-raised", message=message)


def _over_stated_project_limit(comparison: Comparison, stated: Stated) -> Iterable[Fault]:
    if (limit := stated.project_limit) is not None and _project_size_with_release(comparison) > limit:
        message = f"{project_size_forecast(comparison, limit)}; this is the stated limit."
        yield Fault(rule="project-size-limit", message=message)


def _over_default_project_limit(comparison: Comparison, stated: Stated) -> Iterable[Fault]:
    now, then = comparison.project_size or 0, _project_size_with_release(comparison)
    if stated.project_limit is None and now <= DEFAULT_PROJECT_LIMIT < then:
        message = f"{project_size_forecast(comparison, DEFAULT_PROJECT_LIMIT)}, unless the project has a higher limit."
        yield Fault(rule="project-size", message=message)


def _near_project_limit(comparison: Comparison, stated: Stated) -> Iterable[Fault]:
    limit = DEFAULT_PROJECT_LIMIT if stated.project_limit is None else stated.project_limit
    if comparison.new_size and limit * _NEAR < _project_size_with_release(comparison) <= limit:
        fit = (limit - _project_size_with_release(comparison)) // comparison.new_size
        message = f"{project_size_forecast(comparison, limit)}; {fit} more of this size will fit."
        yield Fault(rule="project-size-near", message=message)


def _project_size_with_release(comparison: Comparison) -> int:
    """Return the size of the project with this release; 0 if its size now is unknown."""
    return 0 if comparison.project_size is None else comparison.project_size + comparison.new_size


def project_size_forecast(comparison: Comparison, limit: int) -> str:
    """Return ``demo: 10.72 GB of 10 GiB (10.74 GB) used, this release needs 419.4 MB``."""
    used, most = format_size_and_limit(comparison.project_size or 0, limit, 2)
    return f"{comparison.ours.project}: {used} of {most} used, this release needs {format_size(comparison.new_size)}"


_LIMITS: Final = "https://docs.pypi.org/project-management/storage-limits/"

RULES: Final = (
    Rule(
        id="version-tag",
        pypi=Severity.ERROR,
        ground=Ground.INTENT,
        cause="If the job's tag names the project, its version must match the version of the files.",
        source=(
            "PEP 440; GITHUB_REF_TYPE and GITHUB_REF_NAME (GitHub), CI_COMMIT_TAG (GitLab). A prefix (`v1.2` for"
            " 1.2.3) and post, dev or local builds of the tagged version also match."
        ),
        example="the tag `demo-1.3.0`, `demo==1.3.0` or `packages/demo/v1.3.0`, but files of demo 1.2.0",
        fix=Hint("Correct the version or the tag. If they may differ: ", option("version_tag", "warn"), "."),
    ),
    Rule(
        id="version-tag-warning",
        pypi=Severity.WARNING,
        ground=Ground.INTENT,
        cause="If the job's tag is only a version, it must match the version of the files.",
        source="See `version-tag`. A tag that is only a version may be a date, or belong to another component.",
        example="the tag `v1.3.0`, but files of demo 1.2.0",
        fix=Hint("To stop such runs before anything is signed: ", option("version_tag", "error"), "."),
    ),
    Rule(
        id="expected-wheel-missing",
        pypi=Severity.ERROR,
        ground=Ground.INTENT,
        compare=_expected_wheel_missing,
        cause="Each pattern in `expect-wheels` must match a file of the release, either in the run or on the index.",
        source="ci-publish's own rule. PyPI accepts new files for a release only for 14 days.",
        example='`expect-wheels = ["cp3{12,13}-*-win_amd64"]`, but no wheel for CPython 3.13',
        fix=Hint("Build the missing wheels", Hint(", or correct ", option("expect_wheels")), "."),
    ),
    Rule(
        id="expected-project-absent",
        pypi=Severity.NOTE,
        adjustable=True,
        cause="`expect-wheels` names a project that is not part of the run.",
        source="ci-publish's own rule. A repository may publish each project in a separate job.",
        example='`expect-wheels = ["dmeo:cp312-*"]` in a run that publishes demo',
        fix=Hint("If the name is misspelled, correct ", option("expect_wheels"), "."),
    ),
    Rule(
        id="file-size-limit",
        pypi=Severity.ERROR,
        ground=Ground.INTENT,
        compare=_over_stated_file_limit,
        cause="Files must not be larger than `file-size-limit`, if it is set.",
        source="ci-publish's own rule, for the limit that the index has granted to the project.",
        example="`file-size-limit: 200 MiB`, but a wheel of 250 MB",
        fix=f"Make the file smaller, or request a higher limit ({_LIMITS}) and set it here.",
    ),
    Rule(
        id="project-size-limit",
        pypi=Severity.ERROR,
        ground=Ground.INTENT,
        compare=_over_stated_project_limit,
        cause=(
            "The total size of the project, including this release, must not exceed `project-size-limit`, if it is set."
        ),
        source="ci-publish's own rule, for the limit that the index has granted to the project.",
        example="`project-size-limit: 20 GiB`, with 21.2 GB used, and a release of 400 MB",
        fix=f"Delete old releases on the index, or request a higher limit ({_LIMITS}) and set it here.",
    ),
    Rule(
        id="project-size",
        pypi=Severity.WARNING,
        pypi_only=True,
        adjustable=True,
        compare=_over_default_project_limit,
        cause=(
            "The total size of the project, including this release, must not exceed 10 GiB, which is PyPI's default "
            "limit."
        ),
        source="warehouse/constants.py, MAX_PROJECT_SIZE. The limit differs by project, so this is only a warning.",
        example="10.72 GB of 10 GiB used, and a release of 400 MB; PyPI rejects the files that do not fit",
        fix=Hint(
            f"Delete old releases on PyPI, or request a higher limit ({_LIMITS})",
            Hint(" and state it: ", option("project_size_limit", "SIZE")),
            ".",
        ),
    ),
    Rule(
        id="project-size-near",
        pypi=Severity.NOTE,
        pypi_only=True,
        adjustable=True,
        compare=_near_project_limit,
        cause="After this release, less than a fifth of the project's size limit is left.",
        source="ci-publish's own rule.",
        example="9.8 GB of 10 GiB used, and a release of 400 MB; only one more release of this size fits",
        fix=f"Delete old releases on the index, or request a higher limit in time ({_LIMITS}).",
    ),
    Rule(
        id="size-limit-raised",
        pypi=Severity.NOTE,
        pypi_only=True,
        adjustable=True,
        compare=_size_limit_raised,
        cause="Published files show that the project has higher limits than PyPI's defaults.",
        source="ci-publish's own rule.",
        example="a wheel of 250 MB, and a published wheel of 240 MB",
        fix=Hint(
            "To check against the real limit, set ",
            option("file_size_limit"),
            Hint(" and ", option("project_size_limit")),
            ".",
        ),
    ),
)
