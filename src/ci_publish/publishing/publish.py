"""The order of a run.

    collect → check → plan → authenticate → sign → upload → confirm

``check`` and ``plan`` stop early; ``attest`` and ``verify`` have modules of their own. Laws that hold here: nothing
leaves the machine before all files pass all checks; nothing is uploaded before all that must be signed is signed and
verified; nothing is minted or signed for files that are already published; upload tokens are burned however the run
ends.
"""

from collections.abc import Sequence

from ci_publish.errors import CiPublishError, NothingToPublish
from ci_publish.model.events import Outcome
from ci_publish.model.problem import Problem, blocking_problems, published_problems_as_notes
from ci_publish.publishing import messages
from ci_publish.publishing.attest import Attested, attest_uploads, verify_found_attestations, wants_attestations
from ci_publish.publishing.collect import collect_and_check, collect_valid_distributions, emit_check_problems
from ci_publish.publishing.context import Run
from ci_publish.publishing.index_upload import IndexUpload
from ci_publish.publishing.release_diff import FULL, LISTING

__all__ = ["check", "plan", "publish"]


def publish(run: Run) -> Outcome:
    """Publish to every destination in turn. Raises a CiPublishError after emitting the outcomes until then."""
    collection, problems = collect_and_check(run, compared=True)
    indexes = [
        IndexUpload(run=run, destination=destination, collection=collection, problems=problems)
        for destination in run.destinations
    ]
    try:
        _plan_at_all_indexes(run, indexes, problems)
        differences = _compare_all_releases(run, indexes, default=LISTING)
        _require_publishable_everywhere(indexes, sending=True)
        _require_no_failed_checks(differences)
        if any(index.uploads and wants_attestations(index) for index in indexes):
            run.signer().prefetch()
        verify_found_attestations(run, collection, indexes)
        claims = [index.authenticate() for index in indexes]
        attested = attest_uploads(run, collection, indexes, next(filter(None, claims), None))
        run.raise_if_stopped()
        return _upload_to_all_indexes(indexes, attested)
    finally:
        _burn_upload_tokens_of_all_indexes(run)


def plan(run: Run) -> Outcome:
    """Report what ``publish`` would do. Sends nothing, except an identity if the user asks to authenticate."""
    collection, problems = collect_and_check(run, compared=True)
    indexes = [
        IndexUpload(run=run, destination=destination, collection=collection, problems=problems)
        for destination in run.destinations
    ]
    try:
        _plan_at_all_indexes(run, indexes, problems, sending=False)
        differences = _compare_all_releases(run, indexes, default=FULL)
        for index in indexes:
            index.report_planned_uploads()
        _require_publishable_everywhere(indexes, sending=False)
        _require_no_failed_checks(differences)
        verify_found_attestations(run, collection, indexes, warn=True)
        for index in indexes:
            if run.options.prove_credential:
                index.try_credential()
    finally:
        _burn_upload_tokens_of_all_indexes(run)
    return Outcome.PLANNED


def check(run: Run) -> Outcome:
    """Run all checks, without network; with ``allow_empty``, succeed without distributions."""
    try:
        collect_valid_distributions(run)
    except NothingToPublish:
        if not run.options.allow_empty:
            raise
    return Outcome.CHECKED


def _plan_at_all_indexes(
    run: Run, indexes: Sequence[IndexUpload], problems: Sequence[Problem], *, sending: bool = True
) -> None:
    """Plan at every index before anything is sent to one, so that a conflict anywhere stops the run in time.

    Errors in files that every index already has with the same content are only noted: those files are not sent.
    """
    if any(problem.filename is None for problem in blocking_problems(problems)):
        emit_check_problems(run, problems)
        raise messages.failed_checks_error(problems)
    try:
        for index in indexes:
            _ = index.policy
            index.compare_with_index(sending=sending)
    except CiPublishError as error:
        if blocking_problems(problems):
            emit_check_problems(run, problems)
            raise messages.failed_checks_error(problems) from error
        raise
    if blocking_problems(problems):
        published = set.intersection(*(index.already_published for index in indexes)) if indexes else set()
        remaining = published_problems_as_notes(problems, published)
        emit_check_problems(run, remaining)
        if blocking_problems(remaining):
            raise messages.failed_checks_error(remaining)


def _compare_all_releases(run: Run, indexes: Sequence[IndexUpload], *, default: str) -> list[Problem]:
    """Report the differences from the previous releases, and return every finding."""
    run.raise_if_stopped()
    return [problem for index in indexes for problem in index.compare_with_previous_releases(default)]


def _require_no_failed_checks(problems: Sequence[Problem]) -> None:
    if blocking_problems(problems):
        raise messages.failed_checks_error(problems)


def _require_publishable_everywhere(indexes: Sequence[IndexUpload], *, sending: bool) -> None:
    """Raise the refusals that are known in advance: names that are taken, projects that accept no files."""
    for index in indexes:
        index.require_no_foreseen_upload_refusal(sending=sending)
    for index in indexes:
        index.require_published_files_attested()


# The outcome of a run with several indexes is the one that warns most about what is unknown or not done.
_MOST_CAUTIOUS_FIRST = (
    Outcome.NOT_CONFIRMED,
    Outcome.UPLOADED_MD5,
    Outcome.PUBLISHED,
    Outcome.SAME_MD5,
    Outcome.KEPT_PUBLISHED,
)


def _upload_to_all_indexes(indexes: Sequence[IndexUpload], attested: Attested) -> Outcome:
    """Publish to each index in turn; after a failure, look up the files whose status is not known."""
    outcomes: list[Outcome] = []
    try:
        for index in indexes:
            try:
                index.upload(attested)
            finally:
                index.report_left_projects()
            outcomes.append(index.confirm(attested))
            index.require_nothing_deferred()
    except CiPublishError:
        for index in indexes:
            index.report_unclear_uploads()
        raise
    return next((outcome for outcome in _MOST_CAUTIOUS_FIRST if outcome in outcomes), Outcome.ALREADY_PUBLISHED)


def _burn_upload_tokens_of_all_indexes(run: Run) -> None:
    for destination in run.destinations:
        destination.credential.burn()
