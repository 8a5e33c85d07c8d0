"""The messages about files after they were accepted, and about files that ``verify`` checks (pure)."""

from collections.abc import Mapping, Sequence

from ci_publish.errors import ConfigurationError, IndexUnavailable, UnexpectedPublisher, Unverified
from ci_publish.hints import Hint, option
from ci_publish.model.attestation import ProvenanceByAnother
from ci_publish.model.events import Noted
from ci_publish.model.index import Endpoints
from ci_publish.model.publisher_identity import parse_identity_or_none
from ci_publish.publishing.messages import NAME_SIMPLE_API, RERUN, SHOWN, count_files, status_page_hint


def confirmed_by_md5_warning(endpoints: Endpoints, filename: str) -> Noted:
    """Return the warning about a file that the index lists with our MD5 and no SHA-256."""
    message = (
        f"{endpoints.name} lists {filename} with the same MD5. It shows no SHA-256, and MD5 does not prove that the"
        " content is the same."
    )
    return Noted(slug="confirmed-by-md5", message=message, filename=filename)


def listing_differs_error(
    endpoints: Endpoints, missing: Sequence[str], wrong: Sequence[str], seconds: float
) -> Unverified:
    """The index does not list the files as they were sent."""
    lines = [f"{name}: listed with a different digest from the one that was sent" for name in wrong]
    lines += [f"{name}: not listed within {seconds:g} s" for name in missing]
    hints = [
        "A re-run is safe: it compares digests, sends only what is missing and waits for the file list again.",
        Hint("Some indexes list uploads slowly. To wait longer: ", option("verify_timeout", "SECONDS")),
    ]
    if wrong:
        hints.insert(0, "The index serves content that is not yours: find out immediately who uploads to this project.")
    differing = count_files(len(missing) + len(wrong))
    return Unverified(
        f"{endpoints.name} accepted the upload, but does not list {differing} as uploaded.",
        detail="\n".join(lines),
        hints=hints,
    )


def listing_failed_error(endpoints: Endpoints, names: Sequence[str], reason: str, seconds: float) -> Unverified:
    """The index accepted files, but its listing could not be read before the timeout."""
    return Unverified(
        f"{endpoints.name} accepted {count_files(len(names))}, but its file list could not be read within"
        f" {seconds:g} s: "
        f"{reason}",
        detail="\n".join(f"{name}: uploaded, not confirmed" for name in names[:SHOWN]),
        hints=(
            "A re-run is safe: it compares digests, sends only what is missing and waits for the file list again.",
            status_page_hint(endpoints),
        ),
    )


def strict_confirmation_error(endpoints: Endpoints, unreadable: Mapping[str, str]) -> Unverified:
    """`--strict`: the index accepted files, and its listing cannot confirm them."""
    return Unverified(
        unconfirmed_files_text(endpoints, unreadable),
        detail="\n".join(f"{name}: uploaded, not confirmed" for name in list(unreadable)[:SHOWN]),
        hints=(NAME_SIMPLE_API, Hint("Without ", option("strict"), ", this is a warning.")),
    )


def unconfirmed_files_text(endpoints: Endpoints, unreadable: Mapping[str, str]) -> str:
    """Return the sentence about files that were accepted, but that the listing does not confirm."""
    reason = next(iter(unreadable.values()))
    return f"{endpoints.name} accepted {count_files(len(unreadable))}, but its file list cannot confirm that: {reason}"


def doubtful_uploads_error(endpoints: Endpoints, reasons: Mapping[str, str]) -> IndexUnavailable:
    """Uploads got a response that is not an index's, and the files are not listed."""
    return IndexUnavailable(
        f"{count_files(len(reasons))} could not be sent to {endpoints.name}: {next(iter(reasons.values()))}",
        detail="\n".join(f"{name}: not listed" for name in list(reasons)[:SHOWN]),
        hints=(RERUN, "Look for a login page, a firewall or a proxy between this job and the index."),
    )


def invalid_provenance_error(endpoints: Endpoints, reasons: Mapping[str, str]) -> Unverified:
    """The index serves provenance that does not verify."""
    return Unverified(
        f"{endpoints.name} serves provenance that does not verify for {count_files(len(reasons))}.",
        detail="\n".join(f"{name}: {reason}" for name, reason in reasons.items()),
        hints=(
            "Do not announce this release until it is clear who published these files.",
            "Once that is clear, verify again: `ci-publish verify`",
        ),
    )


def quarantined_projects_error(endpoints: Endpoints, projects: Sequence[str], missing: Sequence[str]) -> Unverified:
    """`verify`: the projects are quarantined, so the index lists none of their files."""
    return Unverified(
        f"{', '.join(projects)} {'is' if len(projects) == 1 else 'are'} quarantined on {endpoints.name}, which lists no"
        " files then, so nothing can be verified.",
        detail="\n".join(f"{name}: not listed" for name in missing[:SHOWN]),
        hints=(
            f"Only the administrators of {endpoints.name} can lift the quarantine; publishing again does not help.",
            "PyPI's: https://pypi.org/help/#admin-intervention",
        ),
    )


def files_not_published_error(endpoints: Endpoints, missing: Sequence[str]) -> Unverified:
    """`verify`: files are not on the index."""
    return Unverified(
        f"{count_files(len(missing))} {'is' if len(missing) == 1 else 'are'} not on {endpoints.name}.",
        detail="\n".join(f"{name}: not listed" for name in missing),
        hints=("Publish them: `ci-publish publish` sends only what is missing. Then verify again.",),
    )


def missing_provenance_error(endpoints: Endpoints, missing: Mapping[str, str]) -> Unverified:
    """`verify --attestations required`: files have no provenance."""
    return Unverified(
        f"{endpoints.name} serves no provenance for {count_files(len(missing))}.",
        detail="\n".join(f"{name}: {reason}" for name, reason in missing.items()),
        hints=("Attestations cannot be added to a published file; the next release can have them.",),
    )


def provenance_not_served_error(endpoints: Endpoints, missing: Mapping[str, str], seconds: float) -> Unverified:
    """`--attestations required`: the index accepted the attestations, but does not serve provenance in time."""
    return Unverified(
        f"{endpoints.name} accepted the attestations, but does not serve the provenance of {count_files(len(missing))}"
        f" after {seconds:g} s.",
        detail="\n".join(f"{name}: {reason}" for name, reason in list(missing.items())[:SHOWN]),
        hints=(
            "The files are published. Check again later: `ci-publish verify --attestations required`",
            Hint("To wait longer: ", option("verify_timeout", "SECONDS")),
        ),
    )


def unexpected_publisher_error(
    endpoints: Endpoints, found: Mapping[str, ProvenanceByAnother], *, own_repository: bool
) -> UnexpectedPublisher:
    """The index serves valid provenance, but of another identity than the user or the run expects."""
    expected = "the job's own repository" if own_repository else "the expected publisher"
    named = next((each.publisher for each in found.values() if parse_identity_or_none(each.publisher)), None)
    return UnexpectedPublisher(
        f"{endpoints.name} serves provenance for {count_files(len(found))} that is not from {expected}.",
        detail="\n".join(f"{name}: {outcome.reason}" for name, outcome in found.items()),
        hints=(
            "Do not announce this release until it is clear who published these files.",
            *([Hint("If that publisher is the right one: ", option("publisher", named))] if named else ()),
        ),
    )


def publisher_without_attestations_error() -> ConfigurationError:
    """`verify --publisher … --attestations off`: who signed cannot be known without reading attestations."""
    return ConfigurationError(
        "The settings publisher and attestations contradict each other.",
        detail="`publisher` verifies who signed the files, but attestations are off.",
        hints=("Remove one of them.",),
    )


def build_provenance_without_attestations_error() -> ConfigurationError:
    """`verify --require-build-provenance --attestations off`: build provenance is an attestation."""
    return ConfigurationError(
        "Build provenance is required (require-build-provenance, builder or source), but attestations are off.",
        detail="Build provenance is an attestation, so it would not be read either.",
        hints=("Remove one of them.",),
    )
