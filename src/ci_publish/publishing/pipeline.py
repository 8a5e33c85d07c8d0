"""The order of a run, written down once.

    collect → check → plan → authenticate → sign → upload → confirm

Every command is this staircase, left earlier or entered for a part of it. Laws that hold here: nothing leaves the
machine before all files pass all checks; nothing is uploaded before all that must be signed is signed and verified;
nothing is minted or signed for files that are already published; upload tokens are burnt on every way out.
"""

from collections.abc import Callable, Sequence

from ci_publish.errors import CiPublishError, ConfigurationError, IdentityUnavailable, SigningFailed
from ci_publish.model.attestation import (
    PUBLISH_V1,
    Attestation,
    AttestationPolicy,
    ProvenanceMissing,
    SigningResult,
)
from ci_publish.model.distribution import Collection, Distribution
from ci_publish.model.events import (
    Checked,
    Collected,
    FileFinished,
    FileListed,
    FileStatus,
    IndexChosen,
    Noted,
    Outcome,
    ProvenanceChecked,
    Signed,
    Step,
)
from ci_publish.model.index import (
    Conflict,
    Endpoints,
    IndexProfile,
    IndexState,
    ListingUnavailable,
    NotVisible,
    ProjectListing,
    ProjectStatus,
    PublishedFile,
)
from ci_publish.model.problem import Problem, Severity, noted
from ci_publish.publishing import messages, publisher_messages
from ci_publish.publishing.confirmation import Confirmation
from ci_publish.publishing.context import Destination, Run
from ci_publish.publishing.planning import Match, compare, published_as
from ci_publish.publishing.upload import IndexUpload

__all__ = ["attest", "check", "plan", "publish", "verify"]

Attestations = dict[str, tuple[Attestation, ...]]


def publish(run: Run) -> Outcome:
    """Publish to every destination in turn. Raises a CiPublishError; what happened until then was emitted."""
    collection, problems = _look_over(run)
    deliveries = [IndexUpload(run, destination, collection.distributions, problems) for destination in run.destinations]
    try:
        _plan_all(run, deliveries, problems)
        _require_takable(deliveries)
        if any(delivery.uploads and delivery.policy is not AttestationPolicy.OFF for delivery in deliveries):
            run.signer.prefetch()
        _inspect_found(run, collection, deliveries)
        for delivery in deliveries:
            delivery.authenticate()
            delivery.warn_unattested()
        attestations = _attest_uploads(run, collection, deliveries)
        run.checkpoint()
        _deliver(deliveries, attestations)
    finally:
        _burn(run.destinations)
    return _outcome([delivery.outcome for delivery in deliveries])


def plan(run: Run) -> Outcome:
    """Say what ``publish`` would do; sends nothing (but an identity to prove, where the user asked for that)."""
    collection, problems = _look_over(run)
    deliveries = [IndexUpload(run, destination, collection.distributions, problems) for destination in run.destinations]
    try:
        _plan_all(run, deliveries, problems, sending=False)
        for delivery in deliveries:
            delivery.tell_planned()
            if run.options.prove_credential:
                delivery.try_credential()
        _require_takable(deliveries)
    finally:
        _burn(run.destinations)
    return Outcome.PLANNED


def check(run: Run) -> Outcome:
    """Run all checks, without any network."""
    _gather(run)
    return Outcome.CHECKED


def attest(run: Run) -> Outcome:
    """Attest every distribution and write the attestations into ``options.attestations_dir``."""
    if run.options.attestations is AttestationPolicy.OFF:
        message = "attest makes attestations, and they are switched off."
        raise ConfigurationError(message, hints=("Leave out --attestations off (or attestations: false).",))
    run.signer.prefetch()
    collection = _gather(run)
    if run.options.attestations_dir is None:
        message = "There is no folder to write the attestations to."
        raise ConfigurationError(message, hints=("Name one: ci-publish attest --output-dir DIR",))
    with run.step(Step.SIGN):
        _attested(run, collection, collection.distributions, AttestationPolicy.REQUIRED)
    return Outcome.ATTESTED


def verify(run: Run) -> Outcome:
    """Look whether each index shows these very files, with provenance that verifies.

    Whether the checks would let them pass is no question here. Raises Unverified or ContentConflict.
    """
    _require_judging(run)
    with run.step(Step.COLLECT):
        collection = run.distributions.collect(run.options.paths)
        run.emit(Collected(collection.distributions, collection.unreadable))
    if _errors(collection.problems):
        run.emit(Checked(collection.problems))
        raise messages.failed_checks(collection.problems)
    for destination in run.destinations:
        _verify_at(run, destination, collection.distributions)
    return Outcome.VERIFIED


def verify_release(
    run: Run, project: str, version: str, as_distribution: Callable[[PublishedFile], Distribution | None]
) -> Outcome:
    """Look whether each index serves provenance that verifies for every file of a release.

    There are no local files: the digests are those that the index lists. *as_distribution* describes a listed file of
    the release, or returns None for a file of another release.
    """
    _require_judging(run)
    for destination in run.destinations:
        endpoints = destination.index.endpoints
        with run.step(Step.CONFIRM, endpoints.name):
            run.emit(IndexChosen(destination.index.endpoints))
            state = destination.index.fetch_listing(project, version, fresh=True)
            if isinstance(state, ListingUnavailable | NotVisible):
                raise messages.listing_unavailable(endpoints, state)
            listed = state.files.values() if isinstance(state, ProjectListing) else ()
            files = [file for published in listed if (file := as_distribution(published)) is not None]
            if not files and _is_quarantined(state):
                raise messages.quarantined(endpoints, [project], [f"{project} {version}"])
            if not files:
                raise messages.not_published(endpoints, [f"{project} {version}"])
            for file in files:
                published = state.files[file.filename]  # type: ignore[union-attr]
                run.emit(FileListed(endpoints.name, file.filename, listed=True, published=published, compared=False))
            _judge_provenance(run, destination, files)
    return Outcome.VERIFIED


# local steps -----------------------------------------------------------------------------------------------------


def _gather(run: Run) -> Collection:
    """Collect and check; every problem of severity error ends the run."""
    collection, problems = _look_over(run)
    if _errors(problems):
        run.emit(Checked(problems))
        raise messages.failed_checks(problems)
    return collection


def _look_over(run: Run) -> tuple[Collection, tuple[Problem, ...]]:
    """Collect and check. Problems without an error are told at once; errors are left to the caller."""
    with run.step(Step.COLLECT):
        collection = run.distributions.collect(run.options.paths)
        run.emit(Collected(collection.distributions, collection.unreadable))
    with run.step(Step.CHECK):
        profiles = [destination.index.endpoints.profile for destination in run.destinations]
        problems = run.distributions.check(collection, profiles or [IndexProfile.PYPI])
        if not _errors(problems):
            run.emit(Checked(problems))
    return collection, problems


def _errors(problems: Sequence[Problem]) -> list[Problem]:
    return [problem for problem in problems if problem.severity is Severity.ERROR]


def _plan_all(
    run: Run, deliveries: Sequence[IndexUpload], problems: Sequence[Problem], *, sending: bool = True
) -> None:
    """Plan at every index before anything is sent to one, so that a conflict anywhere stops the run in time.

    Errors of files that every index has already, with the same content, are only noted: nothing will be sent of them.
    """
    if any(problem.filename is None for problem in _errors(problems)):
        _tell_checked(run, problems)
        raise messages.failed_checks(problems)
    try:
        for delivery in deliveries:
            _ = delivery.policy
            delivery.plan(sending=sending)
    except CiPublishError as error:
        if _errors(problems):
            _tell_checked(run, problems)
            raise messages.failed_checks(problems) from error
        raise
    if _errors(problems):
        left = noted(problems, _published_everywhere(deliveries))
        _tell_checked(run, left)
        if _errors(left):
            raise messages.failed_checks(left)


def _tell_checked(run: Run, problems: Sequence[Problem]) -> None:
    """Tell what the checks found within a step of theirs, so that it stands under its name."""
    with run.step(Step.CHECK):
        run.emit(Checked(tuple(problems)))


def _published_everywhere(deliveries: Sequence[IndexUpload]) -> set[str]:
    return set.intersection(*(delivery.already_published for delivery in deliveries)) if deliveries else set()


def _require_takable(deliveries: Sequence[IndexUpload]) -> None:
    """Raise what each index is known to refuse: a name that is taken, a project or release that takes no files."""
    for delivery in deliveries:
        delivery.require_no_conflict()
        delivery.require_open()
    for delivery in deliveries:
        delivery.require_attested()


def _deliver(deliveries: Sequence[IndexUpload], attestations: Attestations) -> None:
    """Publish to each index in turn; after a failure, ask what became of the files whose fate is not known."""
    try:
        for delivery in deliveries:
            delivery.upload(attestations)
            delivery.confirm(attestations)
    except CiPublishError:
        for delivery in deliveries:
            delivery.ask_once_more()
        raise


def _outcome(outcomes: Sequence[Outcome]) -> Outcome:
    """Return the outcome of a run at several indexes: the one that says the most about what is not known or done."""
    order = (
        Outcome.NOT_CONFIRMED,
        Outcome.UPLOADED_MD5,
        Outcome.PUBLISHED,
        Outcome.SAME_MD5,
        Outcome.KEPT_PUBLISHED,
    )
    return next((outcome for outcome in order if outcome in outcomes), Outcome.ALREADY_PUBLISHED)


def _burn(destinations: Sequence[Destination]) -> None:
    for destination in destinations:
        destination.credential.burn()


# attestations ----------------------------------------------------------------------------------------------------


def _attest_uploads(run: Run, collection: Collection, deliveries: Sequence[IndexUpload]) -> Attestations:
    """Attest what will be uploaded somewhere, once for all indexes, as strictly as the strictest of them wants."""
    wanting = [delivery for delivery in deliveries if delivery.policy is not AttestationPolicy.OFF]
    files = list({file.filename: file for delivery in wanting for file in delivery.uploads}.values())
    if not files:
        return {}
    policy = _strictest([delivery.policy for delivery in wanting])
    with run.step(Step.SIGN):
        return _attested(run, collection, files, policy)


def _inspect_found(run: Run, collection: Collection, deliveries: Sequence[IndexUpload]) -> None:
    """Verify the attestation files that lie beside what will be uploaded with attestations, before any exchange."""
    wanting = [delivery for delivery in deliveries if delivery.policy is not AttestationPolicy.OFF]
    files = {file.filename: file for delivery in wanting for file in delivery.uploads}
    found = [each for each in collection.attestations if each.distribution in files]
    if found:
        run.signer.inspect(found, list(files.values()))


def _strictest(policies: Sequence[AttestationPolicy]) -> AttestationPolicy:
    return AttestationPolicy.REQUIRED if AttestationPolicy.REQUIRED in policies else AttestationPolicy.IF_POSSIBLE


def _attested(
    run: Run, collection: Collection, files: Sequence[Distribution], policy: AttestationPolicy
) -> Attestations:
    names = {file.filename for file in files}
    adopted = run.signer.adopt([found for found in collection.attestations if found.distribution in names], files)
    for attestations in adopted.values():
        for attestation in attestations:
            run.emit(Signed(attestation))
    unsigned = [file for file in files if not _has_publish(adopted.get(file.filename, ()))]
    if unsigned and run.options.attestations_dir is not None:
        run.require_unwritten(run.options.attestations_dir, [file.filename for file in unsigned])
    result = _sign(run, unsigned, policy) if unsigned else SigningResult()
    run.checkpoint()
    if result.failures and policy is AttestationPolicy.REQUIRED:
        raise messages.unsigned(result.failures)
    _warn_unsigned(run, result)
    both = {name: (*result.attestations.get(name, ()), *adopted.get(name, ())) for name in names}
    if run.options.attestations_dir is not None:
        made = [attestation for attestations in both.values() for attestation in attestations]
        run.write_attestations(run.options.attestations_dir, made)
    return {name: attestations for name, attestations in both.items() if attestations}


def _has_publish(attestations: Sequence[Attestation]) -> bool:
    return any(attestation.predicate_type == PUBLISH_V1 for attestation in attestations)


def _sign(run: Run, files: Sequence[Distribution], policy: AttestationPolicy) -> SigningResult:
    try:
        return run.signer.sign(files)
    except (IdentityUnavailable, SigningFailed) as error:
        if policy is AttestationPolicy.REQUIRED:
            raise
        reason = SigningFailed(error.summary, detail=error.detail, hints=error.hints)
        return SigningResult(failures={file.filename: reason for file in files})


def _warn_unsigned(run: Run, result: SigningResult) -> None:
    for name, failure in result.failures.items():
        run.warn(
            "published-without-attestation",
            f"{name} is published WITHOUT an attestation: {failure.summary}",
            "An attestation cannot be added to a published file.",
            filename=name,
        )


# verify ----------------------------------------------------------------------------------------------------------


def _verify_at(run: Run, destination: Destination, files: Sequence[Distribution]) -> None:
    endpoints = destination.index.endpoints
    with run.step(Step.CONFIRM, endpoints.name):
        run.emit(IndexChosen(endpoints))
        missing, conflicts, there = [], [], []
        closed: dict[str, None] = {}
        for file in files:
            state = destination.index.fetch_listing(file.project, file.version)
            if isinstance(state, ListingUnavailable | NotVisible):
                raise messages.listing_unavailable(endpoints, state)
            state = run.with_digests(destination.index, [file], state)
            published = published_as(file.filename, state) if isinstance(state, ProjectListing) else None
            if published is None:
                missing.append(file.filename)
                closed |= {file.project: None} if _is_quarantined(state) else {}
                run.emit(FileFinished(endpoints.name, file, FileStatus.NOT_ATTEMPTED))
                run.emit(FileListed(endpoints.name, file.filename, listed=False))
            elif (match := compare(file, published, destination.index.md5)) in {Match.OTHER, Match.UNKNOWN}:
                conflicts.append(Conflict(file, published))
                run.emit(FileFinished(endpoints.name, file, FileStatus.CONFLICT, url=published.url))
            else:
                there.append(file)
                _tell_listed(run, endpoints, file, published, match)
        if conflicts:
            raise messages.conflict(endpoints, conflicts, skip_existing=False)
        if closed:
            raise messages.quarantined(endpoints, tuple(closed), missing)
        if missing:
            raise messages.not_published(endpoints, missing)
        _judge_provenance(run, destination, there)


def _tell_expected(run: Run) -> None:
    expected = " or ".join(map(str, run.options.expected_publishers))
    message = f"Provenance must be by {expected}, the job's own repository; name others with --publisher."
    run.emit(Noted("publisher-expected", message, warning=False))


def _is_quarantined(state: IndexState) -> bool:
    return isinstance(state, ProjectListing) and state.status == ProjectStatus.QUARANTINED


def _tell_listed(run: Run, endpoints: Endpoints, file: Distribution, published: PublishedFile, match: Match) -> None:
    if match is Match.SAME:
        run.emit(FileFinished(endpoints.name, file, FileStatus.ALREADY_PUBLISHED, url=published.url))
        run.emit(FileListed(endpoints.name, file.filename, listed=True, published=published))
        return
    run.emit(FileFinished(endpoints.name, file, FileStatus.SAME_MD5, url=published.url))
    run.emit(FileListed(endpoints.name, file.filename, None, published, same_md5=True))
    run.emit(messages.confirmed_by_md5(endpoints, file.filename))


def _require_judging(run: Run) -> None:
    """Raise ConfigurationError for a publisher that is expected where no attestation may be looked at."""
    if run.options.publisher_named and run.options.attestations is AttestationPolicy.OFF:
        raise publisher_messages.publisher_without_attestations()


def _judge_provenance(run: Run, destination: Destination, files: Sequence[Distribution]) -> None:
    """Where the index serves provenance at all, it must verify; where it must be there, it must be there."""
    endpoints = destination.index.endpoints
    policy, named = run.options.attestations, run.options.publisher_named
    required = named or policy is AttestationPolicy.REQUIRED
    if policy is AttestationPolicy.OFF or (endpoints.integrity is None and not required):
        return
    if run.options.expected_publishers and not named:
        _tell_expected(run)
    listing = Confirmation(run, destination.index)
    outcomes = listing.require_provenance(files)
    for name, outcome in outcomes.items():
        run.emit(ProvenanceChecked(endpoints.name, name, outcome))
    listing.require_valid(outcomes)
    missing = {name: outcome.reason for name, outcome in outcomes.items() if isinstance(outcome, ProvenanceMissing)}
    if missing and required:
        raise messages.without_provenance(endpoints, missing)
    for name, reason in missing.items():
        run.warn("no-provenance", f"{endpoints.name} serves no provenance for {name}: {reason}", filename=name)
