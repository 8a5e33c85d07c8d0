"""What the words of an index mean."""

import pytest

from ci_publish.http.messages import HttpAnswer
from ci_publish.index.upload_api import (
    Later,
    advice_for_upload_refusal,
    interpret_upload_response,
)
from ci_publish.index.upload_refusals import REFUSALS, Meaning, find_known_upload_refusal
from ci_publish.model.index import CredentialRefused, Refused
from tests.unit.index.scripted_index import NOW, answer

URL = "https://index.example/legacy/"


INVALID = "Invalid attestations supplied during upload"


def understood(given: HttpAnswer, url: str = URL) -> object:
    return interpret_upload_response(given, url, 2, NOW)


@pytest.mark.parametrize(
    ("status", "reason", "meaning", "advice"),
    [
        (400, "This filename was previously used by a file that has since been deleted.", Meaning.FILE, "version"),
        (400, "Uploading new files to releases older than 14 days is not allowed.", Meaning.FILE, "use a new version"),
        (400, "Only one sdist may be uploaded per release.", Meaning.FILE, "sdist under another name"),
        (400, "File too large. Limit for project 'x' is 100 MB.", Meaning.FILE, "storage-limits"),
        (400, "Project size too large. Limit for project 'x' is 10 GB.", Meaning.FILE, "delete old releases"),
        (400, "Non-user identities cannot create new projects. You must …", Meaning.FILE, "letter by letter"),
        (
            400,
            "The name 'os' isn't allowed (conflict with the Python Standard Library)",
            Meaning.FILE,
            "another project",
        ),
        (400, "The name 'x' is too similar to an existing project.", Meaning.FILE, "another project name"),
        (400, "Organization account owning this project is inactive.", Meaning.FILE, "owners"),
        (400, "The description failed to render for 'text/x-rst'.", Meaning.FILE, "long description"),
        (400, "The use of local versions in <Version('1+a')> is not allowed.", Meaning.FILE, "plus sign"),
        (400, "'2.6' is not a valid metadata version.", Meaning.FILE, "build backend"),
        (400, "Can't have direct dependency: 'a @ https://b'", Meaning.FILE, "released versions"),
        (400, "'X' is not a valid classifier.", Meaning.FILE, "classifiers"),
        (400, "Binary wheel 'a' has an unsupported platform tag 'linux_x86_64'.", Meaning.FILE, "auditwheel"),
        (
            400,
            "Binary wheel 'a' has an unsupported platform tag 'macosx_27_0_arm64'.",
            Meaning.FILE,
            "MACOSX_DEPLOYMENT",
        ),
        (400, "Binary wheel 'a' has an unsupported platform tag 'win64'.", Meaning.FILE, "current backend"),
        (400, "Filename 'x' is invalid, should be 'y'.", Meaning.FILE, "build backend"),
        (400, "Invalid distribution file. File is not a zipfile", Meaning.FILE, "check"),
        (
            400,
            f"{INVALID}: Attestations are only supported when using Trusted Publishing",
            Meaning.FILE,
            "attestations: off",
        ),
        (
            400,
            f"{INVALID}: Attestations are not currently supported with ActiveState",
            Meaning.FILE,
            "does not support attestations",
        ),
        (
            400,
            f"{INVALID}: Could not verify: Certificate's Build Config URI (x) does not",
            Meaning.FILE,
            "top-level workflow",
        ),
        (400, f"{INVALID}: Malformed attestations", Meaning.FILE, "signed again"),
        (422, "requires_python is missing", Meaning.FILE, "Requires-Python"),
        (403, "Invalid or non-existent authentication information.", Meaning.CREDENTIAL, "separate accounts"),
        (403, "Username/Password authentication is no longer supported.", Meaning.CREDENTIAL, "Trusted Publishing"),
        (
            403,
            "Invalid API Token: OIDC scoped token is not valid for project 'x'",
            Meaning.CREDENTIAL,
            "for this project",
        ),
        (403, "Invalid API Token: signatures do not match", Meaning.CREDENTIAL, "new API token"),
        (403, "The user 'x' isn't allowed to upload to project 'y'.", Meaning.CREDENTIAL, "is not yours"),
        (403, "User 'x' does not have a verified primary email address", Meaning.CREDENTIAL, "e-mail"),
        (403, "Invalid API Token: token is expired, token is expired", Meaning.EXPIRED, "expired before"),
        (403, "Read-only mode: Uploads are temporarily disabled.", Meaning.LATER, "status.python.org"),
        (403, "New project registration temporarily disabled", Meaning.LATER, "status.python.org"),
    ],
)
def test_the_words_of_pypi(status: int, reason: str, meaning: Meaning, advice: str) -> None:
    verdict = understood(answer(status, reason=reason))
    if meaning is Meaning.LATER:
        assert isinstance(verdict, Later)
        assert not verdict.throttled
        return
    assert isinstance(verdict, Refused if meaning is Meaning.FILE else CredentialRefused)
    assert (verdict.attempts, verdict.status, verdict.message) == (2, status, reason)
    assert advice in " ".join(verdict.advice)
    if isinstance(verdict, CredentialRefused):
        assert verdict.expired is (meaning is Meaning.EXPIRED)


def test_words_that_nobody_knows_have_no_advice() -> None:
    assert advice_for_upload_refusal("flux capacitor") == ()


def test_every_row_of_words_can_be_met() -> None:
    assert all(row.advice for row in REFUSALS)
    assert find_known_upload_refusal(404, "requires_python") is None
