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
    Compared,
    CredentialChanged,
    Event,
    FileFinished,
    FileListed,
    FileStatus,
    IndexChosen,
    Noted,
    Outcome,
    Planned,
    ProjectLeft,
    ProvenanceChecked,
    RequestTraced,
    Retrying,
    RunFinished,
    RunStarted,
    Signed,
    Step,
    StepFinished,
    StepStarted,
    Tried,
    UploadProgressed,
    UploadsCollided,
    UploadStarted,
    WaitStarted,
)
from ci_publish.model.finding import Finding, FindingStatus
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
from ci_publish.model.receipt import Receipt
from ci_publish.model.release import Release, ReleaseDiff

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
        metadata=CoreMetadata(metadata_version="2.4", name="demo", version="1.0"),
        stamp=Stamp(device=1, inode=2, size=size, mtime_ns=3),
    )


SDIST = distribution()
WHEEL = distribution("demo-1.0-py3-none-any.whl", size=1_500_000)


def published_file(distribution: Distribution, *, sha256: str | None = None) -> PublishedFile:
    url = f"https://files.pythonhosted.org/packages/{distribution.filename}"
    return PublishedFile(
        filename=distribution.filename, url=url, sha256=sha256 or distribution.sha256, size=distribution.size
    )


def attestation(distribution: Distribution, predicate: str = PUBLISH_V1) -> Attestation:
    return Attestation(
        filename=distribution.filename,
        predicate_type=predicate,
        json="{}",
        log_index=123_456,
        integrated_time=int(BEGIN) + 3,
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
        UploadStarted(index=index, filename=distribution.filename, size=distribution.size),
        UploadProgressed(index=index, filename=distribution.filename, sent=distribution.size, total=distribution.size),
        FileFinished(
            index=index,
            distribution=distribution,
            status=FileStatus.UPLOADED,
            attempts=1,
            url=published_file(distribution).url,
        ),
    ]


def a_good_run() -> list[Event]:
    """Two files, one of them there already: published, burnt, verified."""
    held = CredentialState(kind=CredentialKind.TRUSTED_PUBLISHING, provider="github", expires=BEGIN + 900)
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
        RequestTraced(method="POST", url=PYPI.upload, result="503 Service Unavailable", seconds=0.4),
        Retrying(what=WHEEL.filename, attempt=1, reason="the index responded with 503", wait=1.5, index="pypi"),
        *uploaded(WHEEL),
        StepFinished(Step.UPLOAD, 2.0, "pypi"),
        CredentialChanged("pypi", replace(held, burnt=True)),
        StepStarted(Step.CONFIRM, "pypi"),
        FileListed(index="pypi", filename=SDIST.filename, listed=True, published=published_file(SDIST)),
        FileListed(index="pypi", filename=WHEEL.filename, listed=True, published=published_file(WHEEL)),
        ProvenanceChecked("pypi", WHEEL.filename, ProvenanceVerified("octo-org/demo", 123_456)),
        StepFinished(Step.CONFIRM, 3.0, "pypi"),
        RunFinished(outcome=Outcome.PUBLISHED, exit_code=0, time=BEGIN + 8),
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
        FileFinished(index="pypi", distribution=SDIST, status=FileStatus.CONFLICT, error=error),
        RunFinished(outcome=Outcome.FAILED, exit_code=8, time=BEGIN + 1, error=error),
    ]


def problems() -> tuple[Problem, ...]:
    return (
        Problem(
            filename=WHEEL.filename,
            rule="wheel-tags",
            severity=Severity.ERROR,
            message="The tags differ.",
            advice="Build it again.",
        ),
        Problem(filename=WHEEL.filename, rule="wheel-size", severity=Severity.WARNING, message="It is large."),
        Problem(filename=None, rule="set-versions", severity=Severity.NOTE, message="Two versions."),
    )


def a_failed_check() -> list[Event]:
    return [
        RunStarted("publish", BEGIN),
        StepStarted(Step.CHECK),
        Collected((SDIST, WHEEL)),
        Checked(problems()),
        StepFinished(Step.CHECK, 0.1),
        RunFinished(
            outcome=Outcome.FAILED, exit_code=4, time=BEGIN + 1, error=InvalidDistribution("1 error in 2 files.")
        ),
    ]


def every_event(text: str) -> list[Event]:
    """Tell a run in which *text* stands wherever text from outside can stand."""
    ours = distribution(text or "x")
    theirs = PublishedFile(filename=text, url=text, sha256=text, size=3)
    error: CiPublishError = UploadRejected(text, detail=f"{text}\n{text}", hints=(text, f"x\n{text}"))
    endpoints = Endpoints(name=text, profile=IndexProfile.GENERIC, upload=text, simple=text, web=text)
    problem = Problem(filename=text, rule=text, severity=Severity.ERROR, message=text, advice=text)
    identity = PublisherIdentity(kind=PublisherKind.GITHUB, name=text, workflow=text, environment=text)
    signed = Attestation(
        filename=text,
        predicate_type=text,
        json=text,
        log_index=1,
        integrated_time=2,
        signer=text,
        source=text,
        commit=text,
        identity=identity,
    )
    return [
        *beginning(ours, endpoints=endpoints, command=text),
        IndexChosen(PYPI),
        Checked((problem, replace(problem, severity=Severity.WARNING), replace(problem, severity=Severity.NOTE))),
        *planned(Upload(ours), Conflict(ours, theirs), KeptPublished(ours, theirs, text), index=text),
        *planned(Upload(ours, known=False), AlreadyPublished(ours, theirs)),
        Compared(
            ReleaseDiff(
                index=text,
                ours=Release(project=text, version=text, files=()),
                against=Release(project=text, version=text, files=()),
                why_not=text,
                findings=(problem, replace(problem, severity=Severity.NOTE)),
                project_size=5,
            )
        ),
        StepStarted(Step.UPLOAD, text),
        CredentialChanged(text, CredentialState(kind=CredentialKind.TRUSTED_PUBLISHING, provider=text, expires=1e99)),
        Signed(signed),
        WaitStarted(text, 1.0),
        UploadStarted(index=text, filename=ours.filename, size=5),
        UploadProgressed(index=text, filename=ours.filename, sent=1, total=5),
        Retrying(what=text, attempt=1, reason=text, wait=1.0, index=text),
        UploadsCollided(index=text, filename=text, project=text, version=text),
        FileFinished(index=text, distribution=ours, status=FileStatus.REFUSED, attempts=2, url=text, error=error),
        FileFinished(index="pypi", distribution=ours, status=FileStatus.UPLOADED, attempts=2, url=text),
        StepFinished(Step.UPLOAD, 1.0, text),
        FileListed(index=text, filename=text, listed=False, published=theirs),
        FileListed(index=text, filename=text, listed=None),
        Tried(
            filename=text,
            interpreter=text,
            installer=text,
            commands=(text,),
            problems=(),
            seconds=1.0,
            passed=False,
            output=text,
        ),
        ProjectLeft(index=text, project=text, because=(text, "other"), reason=text, deferred=False),
        ProjectLeft(index=text, project=text, because=(text,), reason=text, deferred=True),
        ProvenanceChecked(text, text, ProvenanceVerified(text, 1, (signed,))),
        ProvenanceChecked(text, text, ProvenanceByAnother(text, (text,))),
        ProvenanceChecked(text, text, ProvenanceMissing(text)),
        ProvenanceChecked(text, text, ProvenanceInvalid(text)),
        Finding(name=text, status=FindingStatus.FAIL, message=f"{text}\n{text}", hints=(text,)),
        Noted(slug=text, message=text, hints=(text,), filename=text),
        Noted(slug=text, message=text, warning=False),
        RequestTraced(method=text, url=text, result=text, seconds=0.1),
        RunFinished(
            outcome=Outcome.FAILED,
            exit_code=9,
            time=BEGIN + 9,
            error=error,
            extra={"release-url": text, "attestations-dir": text},
        ),
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


def statuses(receipt: Receipt) -> list[str]:
    return [file.status.value for file in receipt.files]
