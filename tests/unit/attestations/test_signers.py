from __future__ import annotations

import pytest

from ci_publish.attestations.attestation_publishers import (
    Extension,
    attestation_publisher_of_claims,
    circleci_attestation_publisher,
    google_attestation_publisher,
)
from ci_publish.attestations.signers import (
    AcceptedSigners,
    ByAnother,
    ByNamed,
    ByThisRun,
    ByUnknown,
    CertificateFacts,
    certificate_utf8_string,
)
from ci_publish.model.publisher_identity import JobIdentity, parse_identity
from ci_publish.rehearsal.ci_claims import simulated_circleci_claims, simulated_github_claims
from ci_publish.rehearsal.fulcio_profile import der_utf8_string

GITHUB_HOME = "https://github.com/octo-org/demo"


def github(**changes: str | None) -> CertificateFacts:
    facts: dict[str, str | None] = {
        Extension.ISSUER: "https://token.actions.githubusercontent.com",
        Extension.SOURCE_REPOSITORY_URI: GITHUB_HOME,
        Extension.SOURCE_REPOSITORY_DIGEST: "c" * 40,
        Extension.SOURCE_REPOSITORY_REF: "refs/tags/v1.0.0",
        Extension.BUILD_CONFIG_URI: f"{GITHUB_HOME}/.github/workflows/release.yml@refs/tags/v1.0.0",
    }
    facts |= {Extension[name]: value for name, value in changes.items()}
    return CertificateFacts({name: value for name, value in facts.items() if value is not None})


def gitlab(configuration: str = "https://gitlab.com/octo-group/demo//.gitlab-ci.yml@refs/tags/v1") -> CertificateFacts:
    return CertificateFacts(
        {
            Extension.ISSUER: "https://gitlab.com",
            Extension.SOURCE_REPOSITORY_URI: "https://gitlab.com/octo-group/demo",
            Extension.BUILD_CONFIG_URI: configuration,
        }
    )


@pytest.mark.parametrize(
    ("certificate", "identity"),
    [
        (github(), "github:octo-org/demo:release.yml"),
        (github(ENVIRONMENT="pypi"), "github:octo-org/demo:release.yml#pypi"),
        (github(BUILD_CONFIG_URI=None), "github:octo-org/demo"),
        (
            github(BUILD_CONFIG_URI="https://github.com/octo-org/other/.github/workflows/release.yml@x"),
            "github:octo-org/demo",
        ),
        (github(SOURCE_REPOSITORY_URI=None), None),
        (github(SOURCE_REPOSITORY_URI="https://example.org/octo-org/demo"), None),
        (github(SOURCE_REPOSITORY_URI=f"{GITHUB_HOME}:release.yml"), None),
        (github(SOURCE_REPOSITORY_URI=f"{GITHUB_HOME}#pypi"), None),
        (gitlab(), "gitlab:octo-group/demo:.gitlab-ci.yml"),
        (gitlab("https://gitlab.com/octo-group/shared//ci.yml@refs/heads/main"), "gitlab:octo-group/demo"),
        (CertificateFacts({Extension.ISSUER: "https://accounts.google.com"}, "a@b.example"), "google:a@b.example"),
        (CertificateFacts({Extension.ISSUER: "https://accounts.google.com"}), None),
        (CertificateFacts({Extension.ISSUER: "https://oidc.circleci.com"}), None),
        (CertificateFacts({}), None),
    ],
)
def test_the_identity_is_what_the_certificate_says(certificate: CertificateFacts, identity: str | None) -> None:
    assert (None if certificate.identity is None else str(certificate.identity)) == identity
    assert str(certificate)


def test_an_identity_without_a_name_is_described() -> None:
    assert str(CertificateFacts({Extension.ISSUER: "https://x.example"})) == "https://x.example"
    assert str(CertificateFacts({Extension.ISSUER: "https://x.example"}, "a@b.example")) == "a@b.example"
    assert str(CertificateFacts({})) == "an identity that the certificate does not name"


@pytest.mark.parametrize("text", ["", "pypi", "ö" * 100, "x" * 70_000])
def test_a_utf8_string_is_read(text: str) -> None:
    assert certificate_utf8_string(der_utf8_string(text)) == text


@pytest.mark.parametrize(
    "der", [b"", b"\x0c", b"\x0c\x02a", b"\x0c\x01ab", b"\x16\x01a", b"\x0c\x01\xff", b"\x0c\x84\xff", b"\x0c\x80"]
)
def test_what_is_no_utf8_string_is_none(der: bytes) -> None:
    assert certificate_utf8_string(der) in {None, ""}


OWN = attestation_publisher_of_claims(simulated_github_claims())
JOB = JobIdentity(parse_identity("github:octo-org/demo:release.yml"), "c" * 40)
NAMED = (parse_identity("gitlab:octo-group/demo"),)


def test_the_runs_own_identity() -> None:
    assert AcceptedSigners(own=OWN).classify_signer(github()) == ByThisRun()
    assert AcceptedSigners(own=OWN, commit="c" * 40).classify_signer(github()) == ByThisRun()
    assert AcceptedSigners(own=OWN, commit="d" * 40).classify_signer(github()) == ByThisRun("c" * 40)
    assert AcceptedSigners(job=JOB).classify_signer(github()) == ByThisRun()
    assert AcceptedSigners(own=OWN, job=JobIdentity(JOB.publisher, "e" * 40)).classify_signer(github()) == ByThisRun(
        "c" * 40
    )


def test_a_known_identity_that_differs_is_another() -> None:
    for signers in (AcceptedSigners(own=OWN), AcceptedSigners(job=JOB), AcceptedSigners(own=OWN, job=JOB)):
        for certificate in (
            gitlab(),
            github(BUILD_CONFIG_URI=f"{GITHUB_HOME}/.github/workflows/x.yml@refs/tags/v1.0.0"),
        ):
            assert isinstance(signers.classify_signer(certificate), ByAnother)
    assert isinstance(AcceptedSigners(job=JOB).classify_signer(CertificateFacts({})), ByAnother)


def test_an_identity_that_is_not_known_is_not_another() -> None:
    unknown = attestation_publisher_of_claims({"iss": "https://token.actions.githubusercontent.com"})
    assert AcceptedSigners().classify_signer(github()) == ByUnknown()
    assert AcceptedSigners(own=unknown).classify_signer(github()) == ByUnknown()
    assert isinstance(AcceptedSigners(own=unknown).classify_signer(gitlab()), ByAnother)
    assert AcceptedSigners(job=JOB).classify_signer(github(SOURCE_REPOSITORY_URI=None)) == ByUnknown()


def test_whom_the_user_names() -> None:
    for signers in (
        AcceptedSigners(own=OWN, named=NAMED),
        AcceptedSigners(named=NAMED),
        AcceptedSigners(job=JOB, named=NAMED),
    ):
        signed_by = signers.classify_signer(gitlab())
        assert signed_by == ByNamed(parse_identity("gitlab:octo-group/demo:.gitlab-ci.yml"))
    nobody = AcceptedSigners(named=NAMED).classify_signer(github())
    assert isinstance(nobody, ByAnother)
    assert "gitlab:octo-group/demo" in nobody.reason
    unnamed = attestation_publisher_of_claims(simulated_circleci_claims())
    assert isinstance(AcceptedSigners(own=unnamed, named=NAMED).classify_signer(github()), ByAnother)


def test_an_email_address_is_compared() -> None:
    issuer: dict[str, str] = {Extension.ISSUER: "https://accounts.google.com"}
    signers = AcceptedSigners(own=google_attestation_publisher("a@b.example"))
    assert signers.classify_signer(CertificateFacts(issuer, "a@b.example")) == ByThisRun()
    for other in ("A@b.example", None):
        assert isinstance(signers.classify_signer(CertificateFacts(issuer, other)), ByAnother)


def test_the_runs_identity_is_named_as_well_as_it_is_known() -> None:
    assert str(AcceptedSigners(own=OWN, job=JOB)) == "GitHub octo-org/demo (release.yml)"
    assert str(AcceptedSigners(job=JOB)) == "github:octo-org/demo:release.yml"
    assert str(AcceptedSigners()) == "unknown"
    assert circleci_attestation_publisher("a", "b").label in str(
        AcceptedSigners(own=circleci_attestation_publisher("a", "b"))
    )


def test_another_workflow_of_the_runs_own_repository_is_told_from_all_others() -> None:
    own = AcceptedSigners(own=OWN)
    nightly = github(BUILD_CONFIG_URI=f"{GITHUB_HOME}/.github/workflows/nightly.yml@refs/tags/v1.0.0")
    elsewhere = github(SOURCE_REPOSITORY_URI="https://github.com/octo-org/other", BUILD_CONFIG_URI=None)
    email = AcceptedSigners(own=google_attestation_publisher("a@b.example"))
    for signers in (own, AcceptedSigners(job=JOB)):
        for certificate, expected in ((nightly, True), (elsewhere, False), (gitlab(), False)):
            signed_by = signers.classify_signer(certificate)
            assert isinstance(signed_by, ByAnother)
            assert signed_by.own_repository is expected
    signed_by = email.classify_signer(
        CertificateFacts({Extension.ISSUER: "https://accounts.google.com"}, "b@b.example")
    )
    assert isinstance(signed_by, ByAnother)
    assert not signed_by.own_repository


@pytest.mark.parametrize(
    ("certificate", "builder"),
    [
        (
            github(BUILD_SIGNER_URI="https://github.com/octo-org/ci/.github/workflows/build.yml@refs/tags/v2"),
            "github:octo-org/ci:build.yml",
        ),
        (github(BUILD_SIGNER_URI="https://github.com/octo-org/ci/dynamic/x@main"), None),
        (github(BUILD_SIGNER_URI="https://github.com/octo-org/ci"), "github:octo-org/ci"),
        (github(BUILD_SIGNER_URI="https://gitlab.com/octo-org/ci//x.yml@main"), None),
        (github(), None),
        (
            CertificateFacts(
                {
                    Extension.ISSUER: "https://gitlab.com",
                    Extension.BUILD_SIGNER_URI: "https://gitlab.com/group/sub/demo//ci/x.yml@refs/heads/main",
                }
            ),
            "gitlab:group/sub/demo:ci/x.yml",
        ),
        (CertificateFacts({Extension.ISSUER: "https://accounts.google.com"}, "a@b.example"), None),
    ],
)
def test_the_builder_is_the_workflow_that_signed(certificate: CertificateFacts, builder: str | None) -> None:
    assert certificate.signing_workflow == (None if builder is None else parse_identity(builder))
