"""Compares a release with the previous one on each index, before it is public."""

from collections.abc import Sequence
from dataclasses import replace

from packaging.version import Version

from ci_publish.errors import ConfigurationError
from ci_publish.hints import Hint, option
from ci_publish.model.distribution import Distribution, distributions_by_release
from ci_publish.model.events import Checked, Compared, IndexChosen, Outcome, Step
from ci_publish.model.frozen import frozen
from ci_publish.model.index import IndexState, ListingUnavailable, NotVisible, ProjectListing
from ci_publish.model.problem import Problem, Severity
from ci_publish.model.release import Comparison, Release, ReleaseDiff
from ci_publish.publishing import messages
from ci_publish.publishing.baseline import (
    Releases,
    baseline_version,
    comparable_file_pair,
    comparison_with_listing,
    listed_release,
    listed_releases,
    local_release,
    why_no_baseline,
)
from ci_publish.publishing.collect import collect_readable_distributions
from ci_publish.publishing.context import Destination, Run
from ci_publish.publishing.index_plan import IndexPlan
from ci_publish.publishing.ports import Index

OFF, LISTING, FULL = "off", "listing", "full"


@frozen(kw_only=True)
class ReleaseComparer:
    """How releases are compared: by the listing, also by the metadata of one file (``full``), or not at all."""

    run: Run
    index: Index
    mode: str
    against: str | None = None

    def compare_release(
        self, files: Sequence[Distribution], new: Sequence[Distribution], state: IndexState
    ) -> tuple[Problem, ...]:
        """Compare one release, of which *new* will be uploaded; report and return the findings."""
        listing = state if isinstance(state, ProjectListing) else ProjectListing(project=files[0].project)
        listed = listed_releases(listing)
        ours = local_release(files, listed)
        comparison = comparison_with_listing(ours, new, listing, listed)
        why_not = why_no_baseline(Version(ours.version), listed)
        if isinstance(state, ListingUnavailable | NotVisible):
            why_not = f"the file list cannot be read: {state.reason}"
        elif self.mode != OFF and (version := self._baseline_to_compare_with(ours, listed)) is not None:
            comparison = self._with_baseline(comparison, files, version, listed)
        differences = self.mode != OFF and bool(new or self.against)
        endpoints = self.index.endpoints
        found = self.run.distributions.compare(comparison, [endpoints.profile], differences=differences)
        if differences or found:
            compared = ReleaseDiff(
                index=endpoints.name,
                ours=comparison.ours,
                against=comparison.before,
                why_not=why_not,
                findings=found,
                project_size=comparison.project_size,
            )
            self.run.emit(Compared(compared))
        return found

    def _baseline_to_compare_with(self, ours: Release, listed: Releases) -> Version | None:
        """Return the version to compare with. Raises ConfigurationError if the named one is not listed."""
        project = ours.project
        if self.against is None:
            return baseline_version(Version(ours.version), listed)
        version, index = Version(self.against), self.index.endpoints.name
        if not listed:
            raise ConfigurationError(
                f"{project} has no release on {index}, so so so so so there is nothing to compare with.",
                hints=(Hint("Omit ", option("against"), "."),),
            )
        for each in listed:
            if each == version:  # as the index spells it
                return each
        known = ", ".join(str(each) for each in sorted(listed, reverse=True)[:5])
        raise ConfigurationError(
            f"{index} lists no release {version} of {project} to compare with.",
            hints=(Hint(f"Specify one that it lists (the newest: {known}), or omit ", option("against"), "."),),
        )

    def _with_baseline(
        self, comparison: Comparison, files: Sequence[Distribution], version: Version, listed: Releases
    ) -> Comparison:
        comparison = replace(comparison, before=listed_release(comparison.ours.project, version, listed[version]))
        if self.mode != FULL:
            return comparison
        pair = comparable_file_pair(files, listed[version])
        if pair is None:
            return replace(comparison, metadata_asked=True)
        ours, theirs = pair
        return replace(
            comparison,
            ours=replace(comparison.ours, metadata=ours.metadata),
            before_metadata=self.index.core_metadata(theirs.published),
            metadata_asked=True,
        )


def compare_releases(
    run: Run, destination: Destination, planned: IndexPlan, files: Sequence[Distribution], *, default: str
) -> tuple[Problem, ...]:
    """Compare every release of a run with the previous one, using the listings that the plan fetched."""
    mode = _comparison_mode(run, default)
    index = destination.reference or destination.index
    compare = ReleaseComparer(run=run, index=index, mode=mode)
    found: list[Problem] = []
    for release, of_release in distributions_by_release(files).items():
        new = [file for file in planned.uploads if file.release == release]
        state = planned.states[release[0]]
        if destination.reference is not None and mode != OFF:
            state = destination.reference.fetch_listing(*release)
        found += compare.compare_release(of_release, new, state)
    return tuple(found)


def _comparison_mode(run: Run, default: str) -> str:
    return default if run.options.release_diff == "auto" else run.options.release_diff


def diff(run: Run) -> Outcome:
    """Compare the releases with those on each index; sends nothing, and uses no credential.

    Raises InvalidDistribution for files that cannot be read, and, if the user asks for that, for a difference that is
    more than a note.
    """
    if run.options.release_diff == OFF:
        message = "The command diff compares releases, but comparison is off."
        raise ConfigurationError(message, hints=(Hint("Remove ", option("release_diff", "off"), "."),))
    collection = collect_readable_distributions(run)
    found = list(run.distributions.check_stated(collection))
    if found:
        run.emit(Checked(tuple(found)))
    for destination in run.destinations:
        index, mode = destination.index, _comparison_mode(run, FULL)
        compare = ReleaseComparer(run=run, index=index, mode=mode, against=run.options.against)
        with run.step(Step.PLAN, index.endpoints.name):
            run.emit(IndexChosen(index.endpoints))
            for release, files in distributions_by_release(collection.distributions).items():
                state = index.fetch_listing(*release)
                run.raise_if_stopped()
                listed = state.files if isinstance(state, ProjectListing) else ()
                new = [file for file in files if file.filename not in listed]
                found += compare.compare_release(files, new or files, state)
    above = [problem for problem in found if problem.severity is not Severity.NOTE]
    if run.options.exit_code and above:
        raise messages.release_differences_error(above)
    return Outcome.COMPARED
