"""The pipeline's errors and warnings (pure): one function for each situation."""

from collections.abc import Mapping, Sequence

from ci_publish.errors import (
    CiPublishError,
    ConfigurationError,
    ContentConflict,
    CredentialRejected,
    FileChangedDuringRun,
    IndexUnavailable,
    Interrupted,
    InvalidDistribution,
    PublishedUnattested,
    SigningFailed,
    UntrustedCertificate,
    UploadRejected,
)
from ci_publish.hints import WITHOUT_ATTESTATIONS, Hint, option
from ci_publish.model.distribution import Distribution
from ci_publish.model.events import Noted
from ci_publish.model.index import (
    Conflict,
    CredentialRefused,
    Endpoints,
    FileChanged,
    IndexProfile,
    ListingUnavailable,
    NotVisible,
    PublishedFile,
    Refused,
    Unavailable,
)
from ci_publish.model.problem import Problem, Severity, group_alike_problems

RERUN = "Run it again: files that are already published are recognised by digest, and only the rest is sent."
_READ_WORDS = (
    "Read the index's message above; `ci-publish check` detects most problems for which an index rejects a file."
)
_DOCTOR = "On PyPI, Trusted Publishing needs no stored token: see `ci-publish doctor`."
FIRST_BUILD = Hint(
    "Re-run only the failed job, to use the distributions of the first build; a rebuilt file has different content.",
    not_for=["verify"],
)
NAME_SIMPLE_API = Hint("To compare digests, specify the root of the index's Simple API: ", option("index_url", "URL"))
_LEAVE_UNCOMPARED = Hint("To skip files whose names are in use, without comparing: ", option("skip_existing", "true"))
_NEW_VERSION = Hint(
    "If the content is supposed to differ, publish it as a new version: no index replaces a file.",
    not_for=["verify"],
)
_COMPARE_WITH_FIRST_BUILD = Hint(
    "Verify the files that were published, not a later build: a rebuilt file has different content.",
    not_for=["publish", "plan", "rehearse", "doctor"],
)
_MOST_HINTS = 6
_KINDS = 8
_SAME_BYTES = "PyPI also reports this if the same content exists under another name."
_NOT_LISTED = "Its file list was requested several times and does not contain this file."

# At most so many files are named.
SHOWN = 20

_NOT_ALLOWED = "isn't allowed to upload to project"
_CLOSED_HINTS = (
    "If the project was archived, an owner must unarchive it first: https://docs.pypi.org/project-management/archival/",
    "If the project is in quarantine, PyPI's administrators must release it: https://pypi.org/help/#admin-intervention",
)


def count_files(number: int) -> str:
    """Return the number of files with its noun."""
    return "1 file" if number == 1 else f"{number} files"


def failed_checks_error(problems: Sequence[Problem]) -> InvalidDistribution:
    """At least one problem is an error."""
    errors = [problem for problem in problems if problem.severity is Severity.ERROR]
    concerned = {problem.filename for problem in errors if problem.filename}
    where = f" in {count_files(len(concerned))}" if concerned else ""
    problem_count = "1 problem" if len(errors) == 1 else f"{len(errors)} problems"
    return InvalidDistribution(
        f"The checks found {problem_count}{where}; nothing was sent.",
        detail="\n".join(map(_line_for_same_problems, group_alike_problems(errors)[:_KINDS])),
        hints=tuple(dict.fromkeys(problem.advice for problem in errors if problem.advice))[:5],
    )


def release_differences_error(problems: Sequence[Problem]) -> InvalidDistribution:
    """``diff --exit-code`` found differences that are more than notes."""
    count = "1 finding is" if len(problems) == 1 else f"{len(problems)} findings are"
    return InvalidDistribution(
        f"{count} more severe than a note; nothing was sent.",
        detail="\n".join(f"{problem.message} [{problem.rule}]" for problem in problems[:SHOWN]),
        hints=tuple(dict.fromkeys(problem.advice for problem in problems if problem.advice))[:5],
    )


def _line_for_same_problems(problems: Sequence[Problem]) -> str:
    """Return one line for problems with the same message."""
    first = problems[0]
    where = count_files(len(problems)) if len(problems) > 1 else first.filename or "all files"
    return f"{where}: {first.message} [{first.rule}]"


def content_conflict_error(
    endpoints: Endpoints, conflicts: Sequence[Conflict], *, skip_existing: bool
) -> ContentConflict:
    """The index has different content under filenames of this run, or content that cannot be compared."""
    unknown = [found for found in conflicts if found.published.sha256 is None and found.published.md5 is None]
    others = len(conflicts) - len(unknown)
    lines = []
    for found in conflicts:
        theirs = found.published.sha256 or "unknown: the index shows no SHA-256 and no MD5"
        if found.published.sha256 is None and found.published.md5 is not None:
            theirs = f"unknown; its MD5 ({found.published.md5}) is different"
        lines += [
            found.distribution.filename,
            f"  here:      sha256 {found.distribution.sha256}",
            f"  published: sha256 {theirs}",
        ]
    keep = Hint(
        "skip-existing never ignores different content on PyPI. " if skip_existing else "",
        "To keep the published files and continue: ",
        option("on_conflict", "keep-published"),
    )
    other_hints = (FIRST_BUILD, _NEW_VERSION, keep, _COMPARE_WITH_FIRST_BUILD) if others else ()
    if not others:
        summary = (
            f"{endpoints.name} already has {count_files(len(unknown))} of this run by name, with unknown content:"
            " its file list shows no digest."
        )
    else:
        also = f" and unknown content for {count_files(len(unknown))}" if unknown else ""
        summary = f"{endpoints.name} already has different content for {count_files(others)}{also}."
    return ContentConflict(summary, detail="\n".join(lines), hints=(*other_hints, *(_UNKNOWN if unknown else ())))


_UNKNOWN = (
    Hint(
        "If another address of the index's Simple API shows SHA-256 digests, specify it: ", option("index_url", "URL")
    ),
    Hint("To have larger files downloaded and compared: ", option("compare_downloads", "SIZE")),
    _LEAVE_UNCOMPARED,
)


def kept_published_warning(file: Distribution, published: PublishedFile, reason: str) -> Noted:
    """Return the warning about a file that is not published, because its name is taken and the user allows that."""
    message = (
        f"{file.filename} was NOT published: {reason}, and the published file was kept."
        f" Here: sha256 {file.sha256}. Published: sha256 {published.sha256 or 'not shown'}."
    )
    return Noted(slug="kept-published", message=message, filename=file.filename)


def compared_by_md5_warning(endpoints: Endpoints, filename: str) -> Noted:
    """Return the warning about a file that the index already had, compared by MD5 only."""
    message = (
        f"{filename} is already published, according to its MD5: {endpoints.name} shows no SHA-256, and MD5 does not"
        " prove that the content is the same."
    )
    return Noted(slug="compared-by-md5", message=message, filename=filename)


def status_page_hint(endpoints: Endpoints) -> str:
    """Return where an outage of this index is announced."""
    if endpoints.name in {"pypi", "testpypi"}:
        return "If it fails again, check PyPI's status page: https://status.python.org/"
    return "If it fails again, check the index's status page, or ask its operators."


def listing_unavailable_error(
    endpoints: Endpoints, state: ListingUnavailable | NotVisible, *, sending: bool = True
) -> IndexUnavailable | UntrustedCertificate:
    """The listing could not be read, so nothing can be compared. *sending*: the command would send files."""
    if isinstance(state, ListingUnavailable) and state.untrusted:
        return UntrustedCertificate(f"Cannot list the project's files on {endpoints.name}: {state.reason}")
    # A guessed or given address may be wrong; PyPI's is known.
    simple_api: tuple[Hint, ...] = ()
    if endpoints.profile is not IndexProfile.PYPI and (endpoints.simple is None or endpoints.simple_guesses):
        simple_api = (Hint("If its Simple API has another address, specify it: ", option("index_url", "URL")),)
    elif endpoints.profile is not IndexProfile.PYPI:
        root = f"Make sure that {endpoints.simple} ("
        simple_api = (Hint(root, option("index_url"), ") is the root of the index's Simple API."),)
    return IndexUnavailable(
        f"Cannot list the project's files on {endpoints.name}: {state.reason}",
        detail=f"Without the file list, nothing can be compared{' and nothing is sent' if sending else ''}.",
        hints=(RERUN if sending else "Run it again.", status_page_hint(endpoints), *simple_api),
    )


def refused_upload_error(endpoints: Endpoints, file: Distribution, outcome: Refused) -> UploadRejected:
    """The index rejected a file."""
    return UploadRejected(
        f"{endpoints.name} rejects {file.filename}: {outcome.message or 'no reason given'}",
        detail=f"The response was HTTP {outcome.status}.",
        hints=outcome.advice or (_READ_WORDS,),
    )


def same_bytes_elsewhere_error(endpoints: Endpoints, file: Distribution, message: str) -> UploadRejected:
    """The index says that the file's content exists, but does not list it under this name."""
    return UploadRejected(
        f"{endpoints.name} reports that the content of {file.filename} already exists, but does not list this file.",
        detail=f"The response was: {message}\n{_SAME_BYTES if endpoints.profile is IndexProfile.PYPI else _NOT_LISTED}",
        hints=(
            "Compare with the files of the project: one of them has the same content under another name or build tag.",
            "If the file was published a moment ago, try again: the file list may be a few minutes old.",
        ),
    )


def cannot_compare_error(endpoints: Endpoints, file: Distribution, message: str) -> ContentConflict:
    """The index says that the name is taken, but its listing cannot be read."""
    return ContentConflict(
        f"{endpoints.name} already has a file named {file.filename}, but its content cannot be compared.",
        detail=f"The response was: {message}",
        hints=(NAME_SIMPLE_API, _LEAVE_UNCOMPARED),
    )


def credential_refused_error(
    endpoints: Endpoints, outcome: CredentialRefused, status: str | None = None
) -> CredentialRejected:
    """The index rejected the credential during an upload; *status* is the project's, if it was listed."""
    unknown = status is None and endpoints.profile is IndexProfile.PYPI and _NOT_ALLOWED in outcome.message
    return CredentialRejected(
        f"{endpoints.name} rejects the credential: {outcome.message or f'HTTP {outcome.status}'}",
        detail=f"The response was HTTP {outcome.status}.{' The credential has expired.' if outcome.expired else ''}",
        hints=(
            *(outcome.advice or ("Check that the token belongs to this index and covers this project.", _DOCTOR)),
            *(_CLOSED_HINTS if unknown else ()),
        ),
    )


def unanswered_upload_error(
    endpoints: Endpoints, file: Distribution, outcome: Unavailable
) -> IndexUnavailable | UntrustedCertificate:
    """There was no clear response until the retries ran out."""
    if outcome.untrusted:
        return UntrustedCertificate(f"{file.filename} could not be sent to {endpoints.name}: {outcome.message}")
    return IndexUnavailable(
        f"{file.filename} could not be sent to {endpoints.name}: {outcome.message}",
        detail="The index may have stored the file." if outcome.unclear else "",
        hints=(RERUN, status_page_hint(endpoints)),
    )


def file_changed_error(file: Distribution, outcome: FileChanged) -> FileChangedDuringRun:
    """The bytes on disk are not those that were hashed."""
    return FileChangedDuringRun(
        f"{file.filename} changed during the run: {outcome.message}",
        detail="Only content that was hashed, checked and signed is published, so this file was not.",
        hints=("Find out what writes to the folder during the run, and publish a finished build.",),
    )


def unsigned_files_error(failures: Mapping[str, SigningFailed]) -> SigningFailed:
    """Files have no attestation although one is required."""
    first = next(iter(failures.values()))
    if len(failures) == 1:
        return first
    shared = all(failure.summary == first.summary for failure in failures.values())
    lines = [name if shared else f"{name}: {failure.summary}" for name, failure in failures.items()]
    error = type(first)(
        f"{count_files(len(failures))} could not be attested; nothing was uploaded."
        f" {'The reason' if shared else 'The first reason'}: {first.summary}",
        detail="\n".join([first.detail, *lines[:SHOWN]] if shared and first.detail else lines[:SHOWN]),
        hints=first.hints,
    )
    error.__cause__ = first
    return error


def published_unattested_error(endpoints: Endpoints, names: Sequence[str]) -> PublishedUnattested:
    """`--attestations required`: the index already has files of this run without an attestation."""
    few = len(names) == 1
    files = f"{names[0]} is" if few else f"{count_files(len(names))} are"
    return PublishedUnattested(
        f"{files} on {endpoints.name} without an attestation, and it is too late to add one.",
        detail="\n".join(
            ["An index verifies attestations while a file is uploaded; uploading it again adds none."]
            + ([] if few else list(names[:SHOWN]))
        ),
        hints=(
            Hint("Publish the rest with ", option("attestations", "auto"), ", or release a new version."),
            "Nothing was signed or uploaded.",
        ),
    )


def attestations_need_trusted_publishing_error(endpoints: Endpoints) -> ConfigurationError:
    """`--attestations required` together with an API token on an index with PyPI's rules."""
    return ConfigurationError(
        f"Attestations are required, but {endpoints.name} accepts them only with Trusted Publishing.",
        detail="This run was given an API token or a password, and PyPI rejects attestations with either.",
        hints=(Hint("Remove ", option("password"), " to use Trusted Publishing."), WITHOUT_ATTESTATIONS),
    )


def combined_failures_error(failures: Sequence[tuple[Distribution, CiPublishError]], total: int) -> CiPublishError:
    """Return the error to end with when files failed: the first one, with the others in its detail.

    Files whose uploads a signal ended did not fail; where there are no others, the signal is the error.
    """
    failed = [(file, failure) for file, failure in failures if not isinstance(failure, Interrupted)]
    failures = failed or failures[:1]
    _, first = failures[0]
    if len(failures) == 1:
        return first
    error = type(first)(
        f"{len(failures)} of {count_files(total)} could not be published. The first reason: {first.summary}",
        detail="\n".join(f"{file.filename}: {failure.summary}" for file, failure in failures[:20]),
        hints=tuple(dict.fromkeys(hint for _, failure in failures for hint in failure.hints))[:_MOST_HINTS],
    )
    error.__cause__ = first
    return error
