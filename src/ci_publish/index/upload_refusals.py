"""What the error messages of an index mean, and what to do about them (pure).

PyPI rejects nearly everything with 400 or 403 and a sentence; the sentences are those of pypi/warehouse,
forklift/legacy.py, accounts/ and macaroons/security_policy.py, attestations/services.py (August 2026). Rows are tried
in order, the first whose status and words match counts. Words are searched in reason phrase and body, in any case.
"""

import re
from enum import StrEnum

from ci_publish.hints import Hint, option
from ci_publish.http.retries import SingleRetry
from ci_publish.model.frozen import frozen


class Meaning(StrEnum):
    """What kind of refusal it is.

    ``project``: every file of the project would be refused; ``permission``: the credential is not for this project.
    """

    FILE = "file"
    PROJECT = "project"
    PERMISSION = "permission"
    CREDENTIAL = "credential"
    EXPIRED = "expired"
    NEW_PROJECTS = "new-projects"
    LATER = "later"


@frozen(kw_only=True)
class KnownUploadRefusal:
    """One known refusal: a regular expression, compiled when it is needed. ``statuses`` empty: any of 4xx."""

    words: str
    meaning: Meaning
    advice: tuple[str, ...] = ()
    once: SingleRetry | None = None
    statuses: frozenset[int] = frozenset()


_FLAGS = re.IGNORECASE | re.DOTALL


def _known_upload_refusal(
    words: str,
    *advice: str,
    meaning: Meaning = Meaning.FILE,
    once: SingleRetry | None = None,
    statuses: tuple[int, ...] = (),
) -> KnownUploadRefusal:
    return KnownUploadRefusal(words=words, meaning=meaning, advice=advice, once=once, statuses=frozenset(statuses))


_SCOPE = (
    "Check that the Trusted Publisher or API token is for this project, in the project's settings on the"
    " index, under Publishing."
)
_ATTESTATIONS_ELSEWHERE = (
    "The attestation must come from the workflow that is registered as the Trusted Publisher: the top-level workflow "
    "file, not a reusable one that it calls."
)

_URL = option("repository_url")

REFUSALS = (
    # --- come back later
    _known_upload_refusal(
        r"read-only mode|uploads are temporarily disabled|registration temporarily disabled",
        "The index does not accept uploads at the moment; see https://status.python.org/ and try again later.",
        meaning=Meaning.LATER,
    ),
    # --- the credential
    _known_upload_refusal(
        r"token is expired|token has expired|token expired",
        "The upload token expired before the upload was complete; run it again to upload the missing files.",
        meaning=Meaning.EXPIRED,
    ),
    _known_upload_refusal(
        r"username/password authentication is no longer supported",
        Hint(
            "Use Trusted Publishing: omit ",
            option("user"),
            " and ",
            option("password"),
            ", and give the job `permissions: id-token: write`.",
        ),
        Hint("Or use an API token: ", option("user", "__token__"), ", and the API token as ", option("password"), "."),
        meaning=Meaning.CREDENTIAL,
    ),
    _known_upload_refusal(
        r"invalid or non-existent authentication information",
        "PyPI and TestPyPI have separate accounts and tokens: check that this one belongs to this index.",
        "Check that the secret is available to this job (it is empty in pull requests from forks), complete, and not "
        "revoked.",
        meaning=Meaning.CREDENTIAL,
    ),
    _known_upload_refusal(
        r"(?:project-scoped|oidc scoped) token is not valid for project|not valid for project",
        _SCOPE,
        "A token for one project cannot upload to another: check the name in the project's metadata.",
        meaning=Meaning.PERMISSION,
    ),
    _known_upload_refusal(
        r"invalid api token", "Create a new API token, or use Trusted Publishing.", meaning=Meaning.CREDENTIAL
    ),
    _known_upload_refusal(
        r"isn't allowed to upload to project",
        "Most likely the project is not yours: compare the name in the metadata with your project's, letter by letter.",
        _SCOPE,
        meaning=Meaning.PERMISSION,
    ),
    _known_upload_refusal(
        r"verified primary email|does not have two-factor|two-factor authentication enabled",
        "The account that owns the token must verify its e-mail address and enable two-factor authentication.",
        meaning=Meaning.CREDENTIAL,
    ),
    # --- the project
    _known_upload_refusal(
        r"non-user identities cannot create new projects",
        "A Trusted Publisher can upload only to the project it is registered for: compare the name in the metadata "
        "with the project's name on the index, letter by letter.",
        "For a new project, register a pending publisher with exactly that name first.",
        meaning=Meaning.PROJECT,
    ),
    _known_upload_refusal(
        r"too many new projects created",
        "The index limits how many projects an account may create within a period. Projects that a pending Trusted "
        "Publisher creates do not count.",
        meaning=Meaning.NEW_PROJECTS,
    ),
    _known_upload_refusal(
        r"isn't allowed|is too similar to an existing project|conflict with (?:the )?python standard library",
        "Choose another project name: https://pypi.org/help/#project-name",
        meaning=Meaning.PROJECT,
    ),
    _known_upload_refusal(
        r"organization account owning this project is inactive",
        "The organization's owners must reactivate it.",
        meaning=Meaning.PROJECT,
    ),
    # --- the file and its release
    _known_upload_refusal(
        r"previously used by a file that has since been deleted",
        "A deleted filename can never be used again, not even for the same content: use a new version or, for a"
        " wheel, add a build tag.",
    ),
    _known_upload_refusal(
        r"releases older than \d+ days",
        "A release accepts new files for only 14 days: use a new version, and publish all files again.",
    ),
    _known_upload_refusal(
        r"only one sdist may be uploaded",
        "This release has an sdist under another name already: publish one .tar.gz whose name is normalised.",
    ),
    _known_upload_refusal(
        r"project size too large",
        "The project's files together exceed its limit: delete old releases, or request a higher limit: "
        "https://docs.pypi.org/project-management/storage-limits/",
        meaning=Meaning.PROJECT,
    ),
    _known_upload_refusal(
        r"file too large|limit for project",
        "The file exceeds the project's limit (100 MB unless raised): make it smaller, or request a higher limit: "
        "https://docs.pypi.org/project-management/storage-limits/",
    ),
    _known_upload_refusal(
        r"digest supplied does not match",
        "The file was damaged in transit, twice; look for a proxy that modifies traffic.",
        once=SingleRetry.DIGEST_MISMATCH,
    ),
    _known_upload_refusal(
        r"invalid distribution file.{0,200}(?:trailing data|\bnone\b)",
        "The index cannot read the archive, although ci-publish can: if it was damaged in transit twice, look for a"
        " proxy "
        "that modifies traffic.",
        once=SingleRetry.DAMAGED_TRANSFER,
    ),
    _known_upload_refusal(
        r"invalid distribution file",
        "Build the file again with an up-to-date build backend; `ci-publish check` explains what is wrong with it.",
    ),
    _known_upload_refusal(
        r"unsupported platform tag '(?:many|musl)?linux",
        "Repair the wheel with auditwheel, or build it in a manylinux or musllinux image (cibuildwheel does both).",
    ),
    _known_upload_refusal(
        r"unsupported platform tag '(?:mac|osx|darwin)",
        "Set MACOSX_DEPLOYMENT_TARGET and build the wheel again; PyPI accepts a new macOS version some time later.",
    ),
    _known_upload_refusal(
        r"unsupported platform tag",
        "Build the wheel again with a current backend; `ci-publish check` explains the problem with its platform tag.",
    ),
    _known_upload_refusal(
        r"description failed to render",
        "Fix the long description: `ci-publish check` shows where rendering fails.",
    ),
    _known_upload_refusal(
        r"use of local versions",
        "Versions with a plus sign are for private use: publish a version without it.",
    ),
    _known_upload_refusal(
        r"not a valid metadata version",
        "The index does not support this metadata version yet: pin the build backend to a release that writes an older "
        "one.",
    ),
    _known_upload_refusal(r"can't have direct dependency", "Depend on released versions instead of URLs."),
    _known_upload_refusal(
        r"is not a valid classifier|classifier .{0,200}deprecated", "See https://pypi.org/classifiers/"
    ),
    _known_upload_refusal(
        r"filename .{0,300}is invalid|should contain the normalized|start filename for|version in filename should be",
        "Build the file with an up-to-date build backend: its name does not match its metadata.",
    ),
    # --- attestations
    _known_upload_refusal(
        r"attestations are only supported when using trusted publishing",
        Hint("Use Trusted Publishing, or publish without attestations: ", option("attestations", "off")),
    ),
    _known_upload_refusal(
        r"attestations are not currently supported with",
        Hint(
            "PyPI does not support attestations for this kind of Trusted Publisher yet: ", option("attestations", "off")
        ),
    ),
    _known_upload_refusal(
        r"unknown error while trying to verify included attestations",
        "The index could not verify the attestation, twice; see https://status.sigstore.dev/ and try again.",
        once=SingleRetry.ATTESTATION_ERROR,
    ),
    _known_upload_refusal(r"build config uri|oidcsourcerepositoryuri", _ATTESTATIONS_ELSEWHERE),
    _known_upload_refusal(
        r"invalid attestations supplied",
        "Run again: the file is signed again.",
        Hint("If it is rejected again, publish without attestations and report it: ", option("attestations", "off")),
    ),
    # --- not PyPI
    _known_upload_refusal(
        r"requires_python",
        "The index requires Requires-Python in the metadata; set requires-python in pyproject.toml.",
        statuses=(400, 422),
    ),
)

# https://docs.gitlab.com/api/rest/troubleshooting/: 404 for what does not exist and for what the caller may not see.
# https://docs.gitlab.com/user/packages/pypi_repository/: the user and password of a job, the scope of a deploy token.
GITLAB_NOT_FOUND = (
    (
        "GitLab also responds with 404 if the credential may not publish: in a job, use the user gitlab-ci-token and"
        " the password $CI_JOB_TOKEN; elsewhere, a deploy token with the write_package_registry scope."
    ),
    Hint("Check the project ID in ", _URL, ", and that the project's package registry is enabled."),
)

BY_STATUS = {
    400: (
        "Read the index's message above; `ci-publish check` detects most problems for which an index rejects a file.",
    ),
    404: (Hint("This address does not accept uploads: check ", _URL, ", including the path and the trailing slash."),),
    405: (
        Hint("This address does not accept uploads; it may be the one that installers read from: check ", _URL, "."),
    ),
    407: ("The proxy requires a credential: add it to the address in HTTPS_PROXY.",),
    410: (Hint("This upload address was retired: check ", _URL, "."),),
    411: ("Something between this machine and the index changes the requests; look for a proxy.",),
    413: ("The server, or a proxy in front of it, does not accept files of this size: raise its request limit.",),
    415: (Hint("This address does not accept upload forms: check ", _URL, "."),),
}


def find_known_upload_refusal(status: int, text: str) -> KnownUploadRefusal | None:
    """Return the row for a response of *status* with *text*, None if the message is not known."""
    for row in REFUSALS:
        if (not row.statuses or status in row.statuses) and re.search(row.words, text, _FLAGS):
            return row
    return None
