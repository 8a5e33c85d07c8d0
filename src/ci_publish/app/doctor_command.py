"""The command ``doctor`` over all indexes: its findings, and how it ends."""

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

from ci_publish.app import doctor_train
from ci_publish.app.composition import Composition
from ci_publish.errors import CiPublishError, CredentialRejected, NothingToPublish, PublishingDeferred
from ci_publish.hints import Hint, option
from ci_publish.identity.diagnosis import DiagnosisRequest
from ci_publish.identity.doctor import Doctor
from ci_publish.identity.doctor_findings import Level, Readiness
from ci_publish.model.attestation import AttestationPolicy, BuildProvenancePolicy
from ci_publish.model.distribution import Collection, Distribution
from ci_publish.model.events import IndexChosen, Outcome
from ci_publish.model.finding import Finding, FindingStatus
from ci_publish.model.identity import CredentialKind
from ci_publish.model.index import AlreadyPublished, Endpoints, IndexState, Plan
from ci_publish.model.problem import Severity, published_problems_as_notes
from ci_publish.publishing import downloaded_digests, messages, required_build_provenance
from ci_publish.publishing.planning import ConflictRules, make_plan
from ci_publish.publishing.unattested_files import index_serves_provenance

if TYPE_CHECKING:
    from ci_publish.index.client import HttpIndex

Checks = Callable[[AbstractSet[str]], CiPublishError | None]
"""What the checks end with, given the names of the files that are published as they are."""

_STATUSES = {
    Level.OK: FindingStatus.OK,
    Level.WARNING: FindingStatus.WARN,
    Level.FAILURE: FindingStatus.FAIL,
    Level.SKIPPED: FindingStatus.SKIP,
}


def diagnose_all_indexes(composition: Composition) -> Outcome:
    """Check each index in turn; raise the first error that publishing would end with.

    What cannot be known without trying is not a failure, unless the user asks for certainty (``strict``).
    """
    errors: list[CiPublishError] = []
    open_questions: list[str] = []

    addresses = composition.settings.repository_url
    composition.credentials.require_secret_not_shared([composition.endpoints(each) for each in addresses])
    for repository_url in addresses:
        index = composition.open_index(repository_url, online=True)
        collection, checks = _collect_distributions_if_any(composition, index.endpoints)
        diagnosis = _doctor_for_index(composition, index, collection, checks).run_diagnosis()
        for found in diagnosis.findings:
            text = "\n".join(filter(None, (found.message, found.detail)))
            status = _STATUSES[found.level]
            composition.context.emit(Finding(name=found.name, status=status, message=text, hints=found.hints))
        link = partial(composition.pending_publisher_form_link, index.endpoints)
        for shown in doctor_train.doctor_train_findings(collection, diagnosis.new, index.endpoints, link):
            composition.context.emit(shown)
        waiting = doctor_train.deferral_by_new_project_limit(
            collection, diagnosis.new, composition.settings.new_projects
        )
        errors += [error for error in (diagnosis.error, waiting) if error is not None]
        if diagnosis.verdict.readiness is not Readiness.READY:
            open_questions.append(diagnosis.verdict.message)
    if errors:
        raise min(errors, key=lambda error: isinstance(error, PublishingDeferred))
    if not open_questions:
        return Outcome.READY
    if composition.settings.strict:
        exchange = Hint(
            "Try the exchange: ",
            option("mint", "true"),
            " (for a new project, also ",
            option("create_project", "true"),
            ")",
        )
        raise CredentialRejected(
            open_questions[0],
            detail="\n".join(["In strict mode, doctor succeeds only if it can check everything.", *open_questions[1:]]),
            hints=(exchange, Hint("Or omit ", option("strict"), ".")),
        )
    composition.context.emit(Finding(name="verdict", status=FindingStatus.SKIP, message=" ".join(open_questions)))
    return Outcome.UNDETERMINED


def _doctor_for_index(
    composition: Composition, index: "HttpIndex", collection: Collection, checks: Checks | None
) -> Doctor:
    """Create the doctor for one index and this job."""
    settings, credentials, endpoints = composition.settings, composition.credentials, index.endpoints
    must_attest = not collection.distributions or collection.unattested

    def plan(files: Sequence[Distribution], state: IndexState) -> Plan:
        """Return the plan for publishing *files* of one project."""
        state = downloaded_digests.with_downloaded_digests(
            index, files, state, limit=settings.compare_downloads, emit=composition.context.emit
        )
        rules = ConflictRules.for_index(endpoints, settings.on_conflict, skip_existing=settings.skip_existing)
        return make_plan(endpoints.name, files, {file.project: state for file in files}, rules, index.md5)

    wanted = DiagnosisRequest(
        distributions=collection.distributions,
        attesting=lambda kind: (
            composition.attestation_policy_for(endpoints, kind) is AttestationPolicy.REQUIRED and must_attest
        ),
        mint=settings.mint,
        spend_token=settings.spend_token,
        create_project=settings.create_project,
        provenance=index.provenance,
        plan=plan,
        checks=checks,
        inspect=lambda kind, plans: _inspect_attestations(composition, index, kind, collection, plans),
        conflict=lambda found: messages.content_conflict_error(endpoints, found, skip_existing=settings.skip_existing),
    )
    composition.context.emit(IndexChosen(endpoints))
    return Doctor(
        endpoints=endpoints,
        credential_options=credentials.credential_options(endpoints),
        tools=credentials.identity_context(),
        fetch_listing=index.fetch_listing,
        request=wanted,
    )


def _inspect_attestations(
    composition: Composition, index: "HttpIndex", kind: CredentialKind, collection: Collection, plans: Sequence[Plan]
) -> None:
    """Judge attestations as publishing would: those that published files lack, and those next to the other files."""
    endpoints = index.endpoints
    provenance_required = composition.settings.build_provenance is BuildProvenancePolicy.REQUIRED
    if composition.attestation_policy_for(endpoints, kind) is AttestationPolicy.OFF:
        if provenance_required and collection.distributions:
            raise required_build_provenance.attestations_not_sent_error()
        return
    planned = chain.from_iterable(plan.files for plan in plans)
    published = {file.distribution.filename: file for file in planned if isinstance(file, AlreadyPublished)}
    required = composition.settings.attestations is AttestationPolicy.REQUIRED and endpoints.integrity is not None
    if missing := [name for name, file in published.items() if required and not index_serves_provenance(index, file)]:
        raise messages.published_unattested_error(endpoints, missing)
    files = {file.filename: file for file in collection.distributions if file.filename not in published}
    concerned = [each for each in collection.attestations if each.distribution in files]
    found = required_build_provenance.relevant_attestation_files(composition.settings, concerned)
    if provenance_required:
        required_build_provenance.require_local_build_provenance(list(files), found)
    if found:
        composition.compose_signer().inspect(found, list(files.values()))


def _collect_distributions_if_any(composition: Composition, endpoints: Endpoints) -> tuple[Collection, Checks | None]:
    """Return the distributions, if there are any, and the error of the checks, if any."""
    distributions = composition.distributions
    try:
        collection = distributions.collect(composition.settings.paths)
        problems = distributions.check(collection, [endpoints.profile])
    except NothingToPublish:
        return Collection(distributions=()), None
    except CiPublishError as error:
        failure = error
        return Collection(distributions=()), lambda _: failure

    def failed_checks_error(published: AbstractSet[str]) -> CiPublishError | None:
        left = published_problems_as_notes(problems, published)
        failing = any(problem.severity is Severity.ERROR for problem in left)
        return messages.failed_checks_error(left) if failing else None

    return collection, failed_checks_error
