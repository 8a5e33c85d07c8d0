"""Runs as events, for the tests of reports: good ones, failing ones and hostile ones."""

import hashlib
import os
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from ci_publish.errors import CiPublishError, ContentConflict, InvalidDistribution, UploadRejected
from ci_publish.model.attestation import (
    PUBLISH_V1,
    SLSA_PROVENANCE_V1,
    Attestation,
    ProvenanceByAnother,
    ProvenanceInvalid,
    ProvenanceMissing,
    ProvenanceVerified,
)
from ci_publish.model.distribution import CoreMetadata, Digests, Distribution, Kind, Stamp
from ci_publish.model.events import (
    Checked,
    Collected,
    CredentialChanged,
    Event,
    FileFinished,
    FileListed,
    FileStatus,
    Finding,
    FindingStatus,
    IndexChosen,
    Noted,
    Outcome,
    Planned,
    ProvenanceChecked,
    RequestTraced,
    Retrying,
    RunFinished,
    RunStarted,
    Signed,
    Step,
    StepFinished,
    StepStarted,
    UploadProgressed,
    UploadsCollided,
    UploadStarted,
)
from ci_publish.model.identity import CredentialKind, CredentialState
from ci_publish.model.index import (
    AlreadyPublished,
    Conflict,
    Endpoints,
    IndexProfile,
    KeptPublished,
    Plan,
    PlannedFile,
    PublishedFile,
    Upload,
)
from ci_publish.model.problem import Problem, Severity
from ci_publish.model.publisher_identity import PublisherIdentity, PublisherKind, parse_identity

BEGIN = 1_795_000_000.0
STRESS = os.environ.get("CI_PUBLISH_STRESS") == "1"
PYPI = Endpoints(
    name="pypi",
    profile=IndexProfile.PYPI,
    upload="https://upload.pypi.org/legacy/",
    simple="https://pypi.org/simple/",
    web="https://pypi.org/project/",
)


def distribution(filename: str = "demo-1.0.tar.gz", *, size: int = 12_345, folder: str = "dist") -> Distribution:
    wheel = filename.endswith(".whl")
    return Distribution(
        path=Path(folder) / filename.replace("/", "_").replace("\0", "_"),
        filename=filename,
        kind=Kind.WHEEL if wheel else Kind.SDIST,
        project="demo",
        version="1.0",
        python_tag="py3" if wheel else "source",
        size=size,
        digests=Digests(hashlib.sha256(filename.encode("utf-8", "surrogatepass")).hexdigest()),
        metadata=CoreMetadata("2.4", "demo", "1.0"),
        stamp=Stamp(1, 2, size, 3),
    )


SDIST = distribution()
WHEEL = distribution("demo-1.0-py3-none-any.whl", size=1_500_000)


def published_file(distribution: Distribution, *, sha256: str | None = None) -> PublishedFile:
    url = f"https://files.pythonhosted.org/packages/{distribution.filename}"
    return PublishedFile(distribution.filename, url, sha256 or distribution.sha256, distribution.size)


def attestation(distribution: Distribution, predicate: str = PUBLISH_V1) -> Attestation:
    return Attestation(
        distribution.filename,
        predicate,
        "{}",
        123_456,
        int(BEGIN) + 3,
        verified=True,
        signer="https://github.com/octo-org/demo/.github/workflows/release.yml@refs/tags/v1.0",
        source="https://github.com/octo-org/demo",
        commit="c" * 40,
        identity=parse_identity("github:octo-org/demo:release.yml"),
    )


def beginning(*distributions: Distribution, endpoints: Endpoints = PYPI, command: str = "publish") -> list[Event]:
    """Tell a run up to its checks."""
    return [
        RunStarted(command, BEGIN),
        StepStarted(Step.COLLECT),
        Collected(distributions),
        StepFinished(Step.COLLECT, 0.01),
        StepStarted(Step.CHECK),
        Checked(()),
        StepFinished(Step.CHECK, 0.02),
        IndexChosen(endpoints),
    ]


def planned(*files: PlannedFile, index: str = "pypi") -> list[Event]:
    return [StepStarted(Step.PLAN, index), Planned(Plan(index, files)), StepFinished(Step.PLAN, 0.5, index)]


def uploaded(distribution: Distribution, index: str = "pypi") -> list[Event]:
    """Tell one upload that works at the first attempt."""
    return [
        UploadStarted(index, distribution.filename, distribution.size),
        UploadProgressed(index, distribution.filename, distribution.size, distribution.size),
        FileFinished(index, distribution, FileStatus.UPLOADED, 1, published_file(distribution).url),
    ]


def a_good_run() -> list[Event]:
    """Two files, one of them there already: published, burnt, verified."""
    held = CredentialState(CredentialKind.TRUSTED_PUBLISHING, "github", BEGIN + 900)
    return [
        *beginning(SDIST, WHEEL),
        *planned(AlreadyPublished(SDIST, published_file(SDIST)), Upload(WHEEL)),
        StepStarted(Step.AUTHENTICATE, "pypi"),
        CredentialChanged("pypi", held),
        StepFinished(Step.AUTHENTICATE, 0.3, "pypi"),
        StepStarted(Step.SIGN),
        Signed(attestation(WHEEL, SLSA_PROVENANCE_V1)),
        Signed(attestation(WHEEL)),
        StepFinished(Step.SIGN, 1.5),
        StepStarted(Step.UPLOAD, "pypi"),
        RequestTraced("POST", PYPI.upload, "503 Service Unavailable", 0.4),
        Retrying(WHEEL.filename, 1, "the index answered 503", 1.5, "pypi"),
        *uploaded(WHEEL),
        StepFinished(Step.UPLOAD, 2.0, "pypi"),
        CredentialChanged("pypi", replace(held, burnt=True)),
        StepStarted(Step.CONFIRM, "pypi"),
        FileListed("pypi", SDIST.filename, listed=True, published=published_file(SDIST)),
        FileListed("pypi", WHEEL.filename, listed=True, published=published_file(WHEEL)),
        ProvenanceChecked("pypi", WHEEL.filename, ProvenanceVerified("octo-org/demo", 123_456)),
        StepFinished(Step.CONFIRM, 3.0, "pypi"),
        RunFinished(Outcome.PUBLISHED, 0, BEGIN + 8),
    ]


def a_conflict() -> list[Event]:
    """One file has other content on the index; nothing is uploaded."""
    error = ContentConflict(
        "The index has other content under demo-1.0.tar.gz.",
        detail=f"ours    {SDIST.sha256}\ntheirs  {'0' * 64}",
        hints=("Raise the version and build again.", "on-conflict: keep-published"),
    )
    return [
        *beginning(SDIST, WHEEL),
        *planned(Conflict(SDIST, published_file(SDIST, sha256="0" * 64)), Upload(WHEEL)),
        FileFinished("pypi", SDIST, FileStatus.CONFLICT, error=error),
        RunFinished(Outcome.FAILED, 8, BEGIN + 1, error),
    ]


def problems() -> tuple[Problem, ...]:
    return (
        Problem(WHEEL.filename, "wheel-tags", Severity.ERROR, "The tags differ.", "Build it again."),
        Problem(WHEEL.filename, "wheel-size", Severity.WARNING, "It is large."),
        Problem(None, "set-versions", Severity.NOTE, "Two versions."),
    )


def a_failed_check() -> list[Event]:
    return [
        RunStarted("publish", BEGIN),
        StepStarted(Step.CHECK),
        Collected((SDIST, WHEEL)),
        Checked(problems()),
        StepFinished(Step.CHECK, 0.1),
        RunFinished(Outcome.FAILED, 4, BEGIN + 1, InvalidDistribution("1 error in 2 files.")),
    ]


def every_event(text: str) -> list[Event]:
    """Tell a run in which *text* stands wherever text from outside can stand."""
    ours = distribution(text or "x")
    theirs = PublishedFile(text, text, text, 3)
    error: CiPublishError = UploadRejected(text, detail=f"{text}\n{text}", hints=(text, f"x\n{text}"))
    endpoints = Endpoints(text, IndexProfile.GENERIC, text, simple=text, web=text)
    problem = Problem(text, text, Severity.ERROR, text, text)
    identity = PublisherIdentity(PublisherKind.GITHUB, text, text, text)
    signed = Attestation(text, text, text, 1, 2, signer=text, source=text, commit=text, identity=identity)
    return [
        *beginning(ours, endpoints=endpoints, command=text),
        IndexChosen(PYPI),
        Checked((problem, replace(problem, severity=Severity.WARNING), replace(problem, severity=Severity.NOTE))),
        *planned(Upload(ours), Conflict(ours, theirs), KeptPublished(ours, theirs, text), index=text),
        *planned(Upload(ours, known=False), AlreadyPublished(ours, theirs)),
        StepStarted(Step.UPLOAD, text),
        CredentialChanged(text, CredentialState(CredentialKind.TRUSTED_PUBLISHING, text, 1e99)),
        Signed(signed),
        UploadStarted(text, ours.filename, 5),
        UploadProgressed(text, ours.filename, 1, 5),
        Retrying(text, 1, text, 1.0, text),
        UploadsCollided(text, text, text, text),
        FileFinished(text, ours, FileStatus.REFUSED, 2, text, error),
        FileFinished("pypi", ours, FileStatus.UPLOADED, 2, text),
        StepFinished(Step.UPLOAD, 1.0, text),
        FileListed(text, text, listed=False, published=theirs),
        FileListed(text, text, listed=None),
        ProvenanceChecked(text, text, ProvenanceVerified(text, 1, (signed,))),
        ProvenanceChecked(text, text, ProvenanceByAnother(text, (text,))),
        ProvenanceChecked(text, text, ProvenanceMissing(text)),
        ProvenanceChecked(text, text, ProvenanceInvalid(text)),
        Finding(text, FindingStatus.FAIL, f"{text}\n{text}", (text,)),
        Noted(text, text, hints=(text,), filename=text),
        Noted(text, text, warning=False),
        RequestTraced(text, text, text, 0.1),
        RunFinished(Outcome.FAILED, 9, BEGIN + 9, error, {"release-url": text, "attestations-dir": text}),
    ]


_BREAKS = ("\n", "\r", "\r\n", "\v", "\f", "\x85", "\u2028", "\u2029", "\x1c")
_PARTS = (
    *_BREAKS,
    "::error::x",
    "::stop-commands::token",
    "::add-mask::e",
    "::set-output name=outcome::published",
    "##[error]x",
    "##[add-mask]e",
    "###[group]",
    "##",
    "#",
    "[set-env name=PATH]x",
    "::",
    ":",
    " ",
    "\t",
    "\0",
    "\x1b[31m",
    "\x1b[2J",
    "\x1b]8;;http://evil\x07",
    "\x1b[0Ksection_end:1:x\r\x1b[0K",
    "\x9b1m",
    "\x7f",
    "\u202e",
    "\u200b",
    "\u2066",
    "\ufeff",
    "\u00ad",
    "\U000e0041",
    "\u034f",
    "\udc80",
    "\ufffe",
    "%0A::error::y",
    "%25",
    "</details>",
    "<script>alert(1)</script>",
    "<img src=x onerror=y>",
    "]]>",
    "|",
    "`",
    "```",
    "**b**",
    "[a](http://evil)",
    "![a](http://evil/pixel)",
    "@octocat",
    "#1",
    "https://evil.example",
    "www.evil.example",
    "\n\n# heading\n",
    "EOF",
    "=",
    "<<EOF",
    "demo-1.0",
    "é",
    "🐍",
)


def hostile_texts(seed: int = 20_261_120) -> Iterator[str]:
    """Yield texts made to be taken for something else: 150, or 2,000 in a stress run."""
    yield from _PARTS
    generator = random.Random(seed)  # noqa: S311  (a seeded generator of test cases)
    for _ in range((2_000 if STRESS else 150) - len(_PARTS)):
        yield "".join(generator.choices(_PARTS, k=generator.randint(2, 9)))
