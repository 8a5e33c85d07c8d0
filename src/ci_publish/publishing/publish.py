"""The order of a run, written down once.

    collect → check → plan → authenticate → sign → upload → confirm

``check`` and ``plan`` stop early; ``attest`` and ``verify`` have modules of their own. Laws that hold here: nothing
leaves the machine before all files pass all checks; nothing is uploaded before all that must be signed is signed and
verified; nothing is minted or signed for files that are already published; upload tokens are burnt on every way out.
"""

from collections.abc import Sequence

from ci_publish.errors import CiPublishError, NothingToPublish
from ci_publish.model.events import Checked, Outcome, Step
from ci_publish.model.identity import Claims
from ci_publish.model.problem import Problem, noted
from ci_publish.publishing import messages
from ci_publish.publishing.attest import Attested, attest_uploads, inspect_found, wants_attestations
from ci_publish.publishing.collect import collect_and_check, collect_valid, errors
from ci_publish.publishing.context import Run
from ci_publish.publishing.release_diff import FULL, LISTING
from ci_publish.publishing.upload import IndexUpload

__all__ = ["check", "plan", "publish"]


def publish(run: Run) -> Outcome:
    """Publish to every destination in turn. Raises a CiPublishError; what happened until then was emitted."""
    collection, problems = collect_and_check(run, compared=True)
    indexes = [
        IndexUpload(run=run, destination=destination, collection=collection, problems=problems)
        for destination in run.destinations
    ]
    try:
        _plan_all(run, indexes, problems)
        differences = _compare_all(run, indexes, default=LISTING)
        _require_publishable(indexes)
        _require_no_errors(differences)
        if any(index.uploads and wants_attestations(index) for index in indexes):
            run.signer().prefetch()
        inspect_found(run, collection, indexes)
        claims = [_authenticated(index) for index in indexes]
        attested = attest_uploads(run, collection, indexes, next(filter(None, claims), None))
        run.checkpoint()
        return _most_cautious(_upload_all(indexes, attested))
    finally:
        _burn(run)


def plan(run: Run) -> Outcome:
    """Report what ``publish`` would do; sends nothing, except an identity where the user asks to authenticate."""
    collection, problems = collect_and_check(run, compared=True)
    indexes = [
        IndexUpload(run=run, destination=destination, collection=collection, problems=problems)
        for destination in run.destinations
    ]
    try:
        _plan_all(run, indexes, problems, sending=False)
        differences = _compare_all(run, indexes, default=FULL)
        for index in indexes:
            index.report_planned()
        _require_publishable(indexes)
        _require_no_errors(differences)
        inspect_found(run, collection, indexes, warn=True)
        for index in indexes:
            if run.options.prove_credential:
                index.try_credential()
    finally:
        _burn(run)
    return Outcome.PLANNED


def check(run: Run) -> Outcome:
    """Run all checks, without any network; with ``allow_empty``, of nothing as well."""
    try:
        collect_valid(run)
    except NothingToPublish:
        if not run.options.allow_empty:
            raise
    return Outcome.CHECKED


def _plan_all(run: Run, indexes: Sequence[IndexUpload], problems: Sequence[Problem], *, sending: bool = True) -> None:
    """Plan at every index before anything is sent to one, so that a conflict anywhere stops the run in time.

    Errors in files that every index already has with the same content are only noted: those files are not sent.
    """
    if any(problem.filename is None for problem in errors(problems)):
        _emit_checked(run, problems)
        raise messages.failed_checks(problems)
    try:
        for index in indexes:
            _ = index.policy
            index.plan(sending=sending)
    except CiPublishError as error:
        if errors(problems):
            _emit_checked(run, problems)
            raise messages.failed_checks(problems) from error
        raise
    if errors(problems):
        published = set.intersection(*(index.already_published for index in indexes)) if indexes else set()
        remaining = noted(problems, published)
        _emit_checked(run, remaining)
        if errors(remaining):
            raise messages.failed_checks(remaining)


def _compare_all(run: Run, indexes: Sequence[IndexUpload], *, default: str) -> list[Problem]:
    """Report what is different from the releases before, and return every finding."""
    run.checkpoint()
    return [problem for index in indexes for problem in index.compare(default)]


def _require_no_errors(problems: Sequence[Problem]) -> None:
    if errors(problems):
        raise messages.failed_checks(problems)


def _emit_checked(run: Run, problems: Sequence[Problem]) -> None:
    """Report the problems in a step of their own, so that they appear under the checks."""
    with run.step(Step.CHECK):
        run.emit(Checked(tuple(problems)))


def _require_publishable(indexes: Sequence[IndexUpload]) -> None:
    """Raise what each index is known to refuse: a name that is taken, a project or release that takes no files."""
    for index in indexes:
        index.require_no_conflict()
        index.require_open()
    for index in indexes:
        index.require_attested()


def _authenticated(index: IndexUpload) -> Claims | None:
    claims = index.authenticate()
    index.warn_unattested()
    return claims


def _upload_all(indexes: Sequence[IndexUpload], attested: Attested) -> list[Outcome]:
    """Publish to each index in turn; after a failure, ask what became of the files whose fate is not known."""
    outcomes: list[Outcome] = []
    try:
        for index in indexes:
            try:
                index.upload(attested)
            finally:
                index.report_left()
            outcomes.append(index.confirm(attested))
            index.require_complete()
    except CiPublishError:
        for index in indexes:
            index.ask_once_more()
        raise
    return outcomes


def _burn(run: Run) -> None:
    for destination in run.destinations:
        destination.credential.burn()


def _most_cautious(outcomes: Sequence[Outcome]) -> Outcome:
    """Return the outcome of a run at several indexes: the one that says the most about what is not known or done."""
    order = (
        Outcome.NOT_CONFIRMED,
        Outcome.UPLOADED_MD5,
        Outcome.PUBLISHED,
        Outcome.SAME_MD5,
        Outcome.KEPT_PUBLISHED,
    )
    return next((outcome for outcome in order if outcome in outcomes), Outcome.ALREADY_PUBLISHED)
