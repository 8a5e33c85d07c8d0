"""Situations in which people meet an error, each brought about by the code that would bring it about for them.

    python -m tests.situations      prints them; `tests/assets/messages.txt` is what it printed when somebody read it

The pages about the errors show these very messages as their examples (``scripts/docs_errors.py``).
"""

import errno
import json
import struct
import tempfile
import warnings
import zipfile
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from sigstore.models import ClientTrustConfig

from ci_publish.app.action_inputs import refuse_ignored_inputs
from ci_publish.app.command_intent import prepare_command
from ci_publish.app.front_end_wording import FrontEnd, FrontEndWording
from ci_publish.app.install_credentials import refuse_install_with_credentials
from ci_publish.app.installing import installation_failed_error
from ci_publish.app.listed_subjects import read_listed_subjects
from ci_publish.app.options import Origin, Source
from ci_publish.app.other_tools import OwnSettings, decide_other_tools_settings
from ci_publish.app.output_files import require_writable_outputs
from ci_publish.app.settings import Settings
from ci_publish.app.settings_sources import Loaded, load_settings
from ci_publish.app.untrusted_project_settings import refuse_untrusted_project_settings
from ci_publish.app.upstream_check import UpstreamCheck
from ci_publish.app.upstreams import UpstreamAddress
from ci_publish.attestations.adoption import (
    ForeignAttestation,
    UnsuitableProvenance,
    adopt_attestations,
    foreign_signer_error,
    unsuitable_provenance_error,
)
from ci_publish.attestations.attestation_files import write_attestations
from ci_publish.attestations.attestation_publishers import Extension, attestation_publisher_of_claims
from ci_publish.attestations.signers import AcceptedSigners, ByAnother, CertificateFacts
from ci_publish.attestations.signing_run import SigningClocks, SigningContext, SigningPatience
from ci_publish.attestations.sigstore_signer import SigstoreSigner
from ci_publish.attestations.sigstore_trouble import (
    Ended,
    IdentityRefusal,
    Refusal,
    Transient,
    Trouble,
    Unsound,
)
from ci_publish.attestations.sigstore_trust import TrustSource
from ci_publish.cli.arguments import parse_command_line
from ci_publish.distributions.checks import table
from ci_publish.distributions.checks.comparison.stated import NOTHING_STATED, Stated, parse_expected_wheels
from ci_publish.distributions.checks.severities import parse_rule_severities
from ci_publish.distributions.checks.table import RULES
from ci_publish.distributions.faults import Fault
from ci_publish.distributions.file_access import FileRefused, open_regular_file
from ci_publish.distributions.local import LocalDistributions
from ci_publish.errors import CiPublishError, InternalError
from ci_publish.hints import Hint, OptionNamed
from ci_publish.http.certificates import ca_variables
from ci_publish.http.messages import HttpAnswer, NoAnswer, NoAnswerReason
from ci_publish.http.proxies import Proxy, proxy_authentication_error, unusable_proxy_error
from ci_publish.identity import mint_refusals
from ci_publish.identity.ambient_identity import AmbientIdentity, Fetching
from ci_publish.identity.ci_environment import CiEnvironment
from ci_publish.identity.credential_choice import CredentialOptions, choose_credential
from ci_publish.identity.oidc_protocol import MintRefused
from ci_publish.index import endpoints as index_endpoints
from ci_publish.index.upload_api import interpret_upload_response
from ci_publish.model.attestation import (
    PUBLISH_V1,
    SLSA_PROVENANCE_V1,
    Attestation,
    ProvenanceByAnother,
    ProvenanceVerified,
)
from ci_publish.model.coverage_errors import absent_project_error, project_not_named_error
from ci_publish.model.distribution import Collection, FoundAttestation
from ci_publish.model.events import Outcome, RunFinished, Tried
from ci_publish.model.identity import CredentialKind, CredentialState, Provider, Secret
from ci_publish.model.index import (
    Conflict,
    CredentialRefused,
    Endpoints,
    FileChanged,
    IndexProfile,
    ListingUnavailable,
    NewProjectLimit,
    PublishedFile,
    Refused,
    Unavailable,
)
from ci_publish.model.problem import Problem, Severity
from ci_publish.model.publisher_identity import parse_identity
from ci_publish.model.release import Comparison, Release, local_release_files
from ci_publish.model.token_scope import TokenScope
from ci_publish.publishing import confirmation_messages, messages, required_build_provenance, train_messages
from ci_publish.publishing.interruption import Interruption
from ci_publish.rehearsal.ci_claims import simulated_github_claims, simulated_google_claims
from ci_publish.rehearsal.installation.command_processes import CommandProcesses
from ci_publish.rehearsal.installation.interpreters import find_interpreters
from ci_publish.rehearsal.upstream import RedirectedIndex
from ci_publish.reports.console_renderer import ConsoleRenderer
from tests.corpus.build import with_local_extra
from tests.distributions import make_wheel
from tests.unit.attestations.scripted_authority import FakeAuthority, Job
from tests.unit.attestations.signing_harness import PatientWaiting, wheels
from tests.unit.fakes import GENERIC, PYPI, sdist, wheel
from tests.unit.identity import credential_harness

if TYPE_CHECKING:
    from ci_publish.http.transport import HttpTransport

MESSAGES: Final = Path(__file__).parent / "assets" / "messages.txt"
_HEAD: Final = "=== "

Produce = Callable[[], CiPublishError]


@dataclass(frozen=True)
class Situation:
    """What happened to somebody, and how to make it happen here."""

    what: str
    produce: Produce
    command: str = "publish"
    front_end: FrontEnd = FrontEnd.COMMAND_LINE
    only: bool = False

    @property
    def reader(self) -> FrontEndWording:
        """Who reads it."""
        return FrontEndWording(self.front_end, self.command)


SITUATIONS: Final[list[Situation]] = []


def situation(
    what: str, *, command: str = "publish", front_end: FrontEnd = FrontEnd.COMMAND_LINE, only: bool = False
) -> Callable[[Callable[[], object]], Produce]:
    """Register the decorated function: it returns the error, or raises it, as *command* meets it by *front_end*.

    *only*: nobody else can meet it.
    """

    def register(function: Callable[[], object]) -> Produce:
        def produce() -> CiPublishError:
            try:
                error = function()
            except CiPublishError as raised:
                return raised
            assert isinstance(error, CiPublishError), what
            return error

        SITUATIONS.append(Situation(what, produce, command, front_end, only))
        return produce

    return register


def printed(error: CiPublishError, reader: FrontEndWording = FrontEndWording(FrontEnd.COMMAND_LINE, "publish")) -> str:  # noqa: B008
    """Return what the console prints for *reader* when a run ends with *error*."""
    reader.reword_error(error)
    event = RunFinished(outcome=Outcome.FAILED, exit_code=error.exit_code, time=0.0, error=error)
    lines = [line.text for line in ConsoleRenderer(clock=lambda: 0.0).render_event(event)]
    text = "\n".join(line.rstrip() for line in lines if not line.startswith("Failed"))
    return text.strip("\n")


def all_messages() -> str:
    """Return the whole file."""
    parts = []
    for number, each in enumerate(SITUATIONS, 1):
        parts.append(f"{_HEAD}{number:02} {each.what}\n{printed(each.produce(), each.reader)}\n")
    return "\n".join(parts)


def examples(text: str) -> Mapping[str, tuple[str, str]]:
    """Return the first situation of each slug in a file of messages: what happened, and what was printed."""
    found: dict[str, tuple[str, str]] = {}
    for part in f"\n{text}".split(f"\n{_HEAD}")[1:]:
        head, _, body = part.partition("\n")
        slug = body.rstrip().rpartition(" · ")[2]
        found.setdefault(slug, (head[3:], body.strip("\n")))
    return found


# --- the options ---------------------------------------------------------------------------------------------------


@situation("An input has an invalid value", front_end=FrontEnd.ACTION)
def _() -> object:
    return load_settings({}, {"CI_PUBLISH_ACTION": "docker", "INPUT_JOBS": "many"}, Path("none"))


@situation("Two settings are wrong at once")
def _() -> object:
    return load_settings({}, {"CI_PUBLISH_JOBS": "0", "CI_PUBLISH_ON_CONFLICT": "skip"}, Path("none"))


@situation("The name of a variable is misspelled")
def _() -> object:
    return load_settings({}, {"CI_PUBLISH_REPOSITORY_ULR": "https://index.example/"}, Path("none"))


@situation("A docker:// step asks for a rehearsal, without saying that its inputs are for ci-publish")
def _() -> None:
    refuse_ignored_inputs("publish", Settings(), {"INPUT_REHEARSE": "true"})


@situation("The component is newer than its image", front_end=FrontEnd.COMPONENT)
def _() -> object:
    return load_settings({}, {"CI_PUBLISH_INPUT_WAIT_FOR_MIRRORS": "true"}, Path("none"))


@situation("The folder for attestations is a file")
def _() -> object:
    with folder() as here:
        (here / "attestations").write_text("", encoding="utf-8")
        return shortened(lambda: require_writable_outputs(Settings(attestations_dir=here / "attestations")), f"{here}/")


@situation("A password is in pyproject.toml")
def _() -> object:
    with folder() as here:
        (here / "pyproject.toml").write_text('[tool.ci-publish]\npassword = "hunter2"\n', encoding="utf-8")
        return load_settings({}, {}, here / "pyproject.toml")


@situation("A password is on the command line")
def _() -> object:
    return parse_command_line(["publish", "--password=hunter2"])


@situation("repository-url is the address that installers use")
def _() -> object:
    return index_endpoints.resolve_endpoints("https://pypi.org/simple/")


@situation("repository-url lacks its trailing slash")
def _() -> object:
    return index_endpoints.resolve_endpoints("https://upload.pypi.org/legacy")


@situation("repository-url is plain http")
def _() -> object:
    return index_endpoints.resolve_endpoints("http://pypi.corp.example/simple/")


@situation("repository-url contains a password")
def _() -> object:
    return index_endpoints.resolve_endpoints("https://bob:hunter2@pypi.corp.example/")


@situation("SSL_CERT_FILE names a file that does not exist")
def _() -> object:
    return ca_variables({"SSL_CERT_FILE": "/etc/ssl/corp.pem"})


@situation("Attestations are required, but an API token was given")
def _() -> object:
    return messages.attestations_need_trusted_publishing_error(PYPI)


@situation("The Sigstore trust configuration is not JSON")
def _() -> object:
    return TrustSource(emit=ignore, config="{").get()


@situation("The folder for the attestations cannot be written to")
def _() -> object:
    with folder() as here:
        (here / "attestations").write_text("a file", encoding="utf-8")
        made = [Attestation(filename="demo-1.0.tar.gz", predicate_type="publish", json="{}")]
        return shortened(lambda: write_attestations(here / "attestations", made), f"{here}/")


@situation("An option is misspelled", only=True)
def _() -> object:
    return parse_command_line(["publish", "--on-conflit", "keep-published"])


@situation("A flag belongs to another command", command="verify", only=True)
def _() -> object:
    return parse_command_line(["verify", "--keep-going"])


@situation("A flag of twine is used", only=True)
def _() -> object:
    return parse_command_line(["publish", "--skip-exsting", "-r", "testpypi"])


@situation("The command does not exist", command="ci-publish", only=True)
def _() -> object:
    return parse_command_line(["pubish"])


@situation("The address of a proxy is not valid")
def _() -> object:
    return unusable_proxy_error(Proxy("ht!tp://proxy.example:3128", "HTTPS_PROXY"))


# --- the files -----------------------------------------------------------------------------------------------------


@situation("The folder is empty because nothing was built")
def _() -> object:
    with folder() as here:
        return collected(str(here), hidden=str(here.parent) + "/" + here.name, shown="dist")


@situation("Every wheel is in a subfolder, as download-artifact leaves them")
def _() -> object:
    with folder() as here:
        make_wheel(here / "wheels-linux")
        return collected(str(here), hidden=str(here), shown="dist")


@situation("Some distributions are in a subfolder")
def _() -> object:
    with folder() as here:
        make_wheel(here)
        make_wheel(here / "wheels-linux", tag="cp312-cp312-manylinux_2_28_x86_64")
        return shortened_to(lambda: check_folder(here), str(here), "dist")


@situation("A wheel has a platform tag that PyPI rejects")
def _() -> object:
    with folder() as here:
        make_wheel(here, tag="py3-none-linux_x86_64")
        return checked(here)


@situation("Distributions are deeper than subfolders are searched")
def _() -> object:
    with folder() as here:
        make_wheel(here / "a" / "b" / "c")
        return collected(str(here), hidden=str(here), shown="dist")


@situation("A pattern is written with backslashes")
def _() -> object:
    return LocalDistributions().collect(["dist\\*.whl"])


@situation("A wheel has two members with the same name")
def _() -> object:
    with folder() as here:
        with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(make_wheel(here), "a") as archive:
            archive.writestr("demo/__init__.py", b"x = 2\n")
        return checked(here)


@situation("The metadata of a wheel begins with a byte order mark")
def _() -> object:
    with folder() as here:
        rewritten(make_wheel(here), "METADATA", lambda name, data: (name, b"\xef\xbb\xbf" + data))
        return checked(here)


@situation("The metadata folder of a wheel differs in letter case")
def _() -> object:
    with folder() as here:
        rewritten(make_wheel(here), ".dist-info/", lambda name, data: (name.replace("demo-", "Demo-"), data))
        return checked(here)


@situation("A distribution is a link to a file outside its folder")
def _() -> object:
    with folder() as here:
        (here / "dist").mkdir()
        outside = make_wheel(here / "elsewhere")
        (here / "dist" / outside.name).symlink_to(outside)
        return shortened(lambda: check_folder(here / "dist"), f"{here}/")


@situation("A wheel has a duplicate ZIP64 extra field")
def _() -> object:
    with folder() as here:
        path = make_wheel(here)
        field = struct.pack("<HHQQ", 1, 16, *struct.unpack_from("<LL", path.read_bytes(), 18)[::-1])
        path.write_bytes(with_local_extra(path.read_bytes(), field + field))
        return checked(here)


@situation("A distribution is a link to a file that does not exist")
def _() -> object:
    with folder() as here:
        make_wheel(here)
        (here / "demo-1.0.tar.gz").symlink_to(here / "gone.tar.gz")
        return checked(here)


@situation("A distribution cannot be read by this user")
def _() -> object:
    try:
        with folder() as here, open_regular_file(make_wheel(here)):
            raise PermissionError(errno.EACCES, "Permission denied")
    except FileRefused as refused:
        fault = Fault(rule=refused.rule, message=str(refused))
    return messages.failed_checks_error((table.problem_of_rule_fault(fault, wheel().filename, Severity.ERROR),))


@situation("Two files have problems")
def _() -> object:
    return messages.failed_checks_error(
        (
            Problem(
                filename="demo-1.0.tar.gz",
                rule="pkg-info-missing",
                severity=Severity.ERROR,
                message="It has no PKG-INFO.",
                advice="Build it again.",
            ),
            Problem(
                filename="demo-1.0-py3-none-any.whl",
                rule="record-missing",
                severity=Severity.ERROR,
                message="It has no RECORD.",
                advice="Build it again.",
            ),
        )
    )


@situation("A file was modified during the run")
def _() -> object:
    return messages.file_changed_error(wheel(), FileChanged(1, "it was replaced or modified"))


# --- the identity --------------------------------------------------------------------------------------------------


@situation("The run is not in CI, and there is no password")
def _() -> object:
    return prove(credential_harness.Harness(ci=credential_harness.FakeCI(provider=None)))


@situation("The GitHub job lacks the permission id-token: write")
def _() -> object:
    return ambient({"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "release"}).token("pypi")


@situation("A pull request from a fork tries to publish")
def _() -> object:
    repositories = {"head": {"repo": {"full_name": "fork/demo"}}, "base": {"repo": {"full_name": "octo-org/demo"}}}
    event = json.dumps({"pull_request": repositories}).encode()
    environ = {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "pull_request", "GITHUB_EVENT_PATH": "event.json"}
    return ambient(environ, event=event).token("pypi")


@situation("The workflow was started by pull_request_target")
def _() -> object:
    return ambient({"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "pull_request_target"}).token("pypi")


@situation("The GitLab job declares no identity token")
def _() -> object:
    return ambient({"GITLAB_CI": "true"}).token("pypi")


@situation("The GitLab job's identity token is for another audience")
def _() -> object:
    token = credential_harness.jwt({**credential_harness.GITLAB, "aud": "https://gitlab.com"})
    return ambient({"GITLAB_CI": "true", "PYPI_ID_TOKEN": token}).token("pypi")


@situation("The CI's identity service is down")
def _() -> object:
    def fail(_: str) -> str:
        raise RuntimeError("GitHub: OIDC token request failed (code=503, body='')")

    asking = {"ACTIONS_ID_TOKEN_REQUEST_TOKEN": "t", "ACTIONS_ID_TOKEN_REQUEST_URL": "https://ci.example/"}
    return ambient({"GITHUB_ACTIONS": "true", **asking}, detect=fail).token("pypi")


@situation("The secret for the password is not set")
def _() -> object:
    given = CredentialOptions(user="bob", secret=Secret(""), name="The input password")
    return prove(credential_harness.Harness(), given=given)


@situation("The index does not support Trusted Publishing, and there is no password")
def _() -> object:
    index = credential_harness.FakeIndex(scripts={"audience": [credential_harness.answer(404, body=b"no")]})
    return prove(credential_harness.Harness(index=index), endpoints=credential_harness.OTHER)


# --- the credential ------------------------------------------------------------------------------------------------


@situation("The run uses a user name and password for PyPI")
def _() -> object:
    given = CredentialOptions(user="bob", secret=Secret("hunter2"), name="The input password")
    return prove(credential_harness.Harness(), given=given)


@situation("The secret for PyPI is not an API token")
def _() -> object:
    given = CredentialOptions(user="__token__", secret=Secret('"pypi-AgEIcHlwaS5vcmc"'), name="The input password")
    return prove(credential_harness.Harness(), given=given)


@situation("Another tool's variable names a different index")
def _() -> object:
    ours = OwnSettings(addresses=("https://upload.pypi.org/legacy/",), spelled="--repository-url")
    return decide_other_tools_settings(
        ours, {"TWINE_REPOSITORY_URL": "https://test.pypi.org/legacy/"}, lambda address, _: address
    )


@situation(
    "The action's input repository-url is not set, and TWINE_REPOSITORY_URL names another index",
    front_end=FrontEnd.ACTION,
)
def _() -> object:
    ours = OwnSettings(in_action=True, identity=True)
    return decide_other_tools_settings(
        ours, {"TWINE_REPOSITORY_URL": "https://test.pypi.org/legacy/"}, lambda address, _: address
    )


@situation("Another tool's secret may be for a different index")
def _() -> object:
    return decide_other_tools_settings(OwnSettings(), {"TWINE_PASSWORD": "hunter2"}, lambda address, _: address)


@situation("A pull request, and the index is named in pyproject.toml", front_end=FrontEnd.ACTION)
def _() -> object:
    settings = Settings(repository_url=("https://upload.corp.example/legacy/",))
    origin = Origin(Source.FILE, "[tool.ci-publish] repository-url")
    environ = {"GITHUB_EVENT_NAME": "pull_request", "CI_PUBLISH_ACTION": "docker"}
    refuse_untrusted_project_settings(
        FrontEndWording(FrontEnd.ACTION, "publish"),
        settings,
        Loaded(settings=settings, origins={"repository_url": origin}),
        environ,
    )
    return None


@situation("check is given an option of doctor", command="check")
def _() -> object:
    settings = Settings(mint=True)
    origin = Origin(Source.FLAG, "--mint")
    return prepare_command("check", Loaded(settings=settings, origins={"mint": origin}))


@situation("attest is given an API token by a variable that several commands share", command="attest")
def _() -> object:
    settings = Settings(password=Secret("pypi-x"))
    return prepare_command(
        "attest", Loaded(settings=settings, origins={"password": Origin(Source.VARIABLE, "CI_PUBLISH_PASSWORD")})
    )


@situation("No Trusted Publisher matches the job")
def _() -> object:
    return refused_mint("invalid-publisher", "valid token, but no corresponding publisher")


@situation("The Trusted Publisher names another environment")
def _() -> object:
    return refused_mint("invalid-publisher", "Check failed for optional claim 'environment'")


@situation("The pending publisher's project already exists")
def _() -> object:
    return refused_mint("invalid-pending-publisher", "valid token, but project already exists")


@situation("PyPI has disabled Trusted Publishing")
def _() -> object:
    return refused_mint("not-enabled", "new trusted publishing exchanges are disabled")


@situation("The identity token's timestamps are wrong")
def _() -> object:
    return refused_mint("invalid-token", "malformed or invalid token")


@situation("The identity token has already been exchanged")
def _() -> object:
    return refused_mint("invalid-reuse-token", "invalid token: already used")


@situation("PyPI does not support the CI service that issued the identity token")
def _() -> object:
    claims = {**credential_harness.GITLAB, "iss": "https://gitlab.corp.example"}
    return refused_mint("invalid-payload", "unknown trusted publishing issuer", claims)


@situation("The job is in a reusable workflow from another repository")
def _() -> object:
    called = "octo-org/workflows/.github/workflows/publish.yml@refs/heads/main"
    return refused_mint("invalid-publisher", "no publisher", {**credential_harness.GITHUB, "job_workflow_ref": called})


@situation("A private index asks for an identity token for PyPI")
def _() -> object:
    index = credential_harness.FakeIndex(audience="pypi")
    return prove(credential_harness.Harness(index=index), endpoints=credential_harness.OTHER)


@situation("A private index asks for an audience that is neither its host nor configured")
def _() -> object:
    index = credential_harness.FakeIndex(audience="acme-packages")
    return prove(credential_harness.Harness(index=index), endpoints=credential_harness.OTHER)


@situation("The index's token endpoint is on another host")
def _() -> object:
    document = {
        "audience-endpoint": "https://evil.example/audience",
        "token-mint-endpoint": "https://evil.example/mint",
    }
    index = credential_harness.FakeIndex(scripts={"pytp": [credential_harness.answer(200, document)]})
    elsewhere = replace(credential_harness.OTHER, discovery=None, audience="https://evil.example/_/oidc/audience")
    return prove(credential_harness.Harness(index=index), endpoints=elsewhere)


@situation("A GitLab job's upload took longer than its upload token was valid")
def _() -> object:
    harness = gitlab()
    credential = choose_credential(credential_harness.PYPI, CredentialOptions(), harness.tools())
    credential.authenticate()
    credential.authorization()
    harness.now += 901
    return credential.authorization()


@situation("The stored API token has expired")
def _() -> object:
    token = Secret(credential_harness.macaroon([3, "user"], [0, int(credential_harness.NOW) - 3 * 86_400, 0]))
    given = CredentialOptions(secret=token, name="CI_PUBLISH_PASSWORD")
    return choose_credential(credential_harness.PYPI, given, credential_harness.Harness().tools()).authenticate()


@situation("A PyPI API token is given for a private index")
def _() -> object:
    given = CredentialOptions(secret=Secret(credential_harness.macaroon()), name="CI_PUBLISH_PASSWORD")
    return choose_credential(credential_harness.OTHER, given, credential_harness.Harness().tools()).authenticate()


@situation("The matching Trusted Publisher is for another project")
def _() -> object:
    state = CredentialState(kind=CredentialKind.TRUSTED_PUBLISHING, provider="github", scope=TokenScope(count=1))
    return absent_project_error(PYPI, state, "demo", already_signed=False)


@situation("The API token is for other projects")
def _() -> object:
    state = CredentialState(kind=CredentialKind.API_TOKEN, scope=TokenScope(projects=frozenset({"other"})))
    return project_not_named_error(PYPI, state, "demo", already_signed=False)


@situation("The GitLab job's CI configuration is in another project")
def _() -> object:
    uri = "gitlab.com/group/ci//publish.yml@refs/heads/main"
    harness = credential_harness.Harness(
        ci=credential_harness.FakeCI(Provider.GITLAB, {**credential_harness.GITLAB, "ci_config_ref_uri": uri})
    )
    return choose_credential(credential_harness.PYPI, CredentialOptions(), harness.tools()).authenticate()


@situation("Attestations are required, but a file was published without one")
def _() -> object:
    return messages.published_unattested_error(PYPI, [wheel().filename])


@situation("The response to a GitLab job's only token exchange was lost")
def _() -> object:
    harness = gitlab()
    lost = NoAnswer(NoAnswerReason.TIMEOUT, "no response within 30 s", sent=True)
    harness.index.scripts["mint-token"] = [lost]
    credential = choose_credential(credential_harness.PYPI, CredentialOptions(), harness.tools())
    credential.authenticate()
    return credential.authorization()


@situation("The API token belongs to another index")
def _() -> object:
    return messages.credential_refused_error(
        PYPI, cast("CredentialRefused", answered(403, "Invalid or non-existent authentication information."))
    )


@situation("The API token belongs to another project")
def _() -> object:
    return messages.credential_refused_error(
        PYPI, cast("CredentialRefused", answered(403, "The user 'bob' isn't allowed to upload to project 'demo'."))
    )


# --- attestations --------------------------------------------------------------------------------------------------


@situation("attest runs outside a CI", command="attest")
def _() -> object:
    return ambient({}).token("sigstore")


@situation("Sigstore is down")
def _() -> object:
    return SigningFailedBy(
        attesting=[Transient("Rekor responded with HTTP 503: upstream timed out", retry_after=901.0)]
    ).error()


@situation("Sigstore rejects an entry")
def _() -> object:
    return SigningFailedBy(attesting=[Refusal("Rekor responded with HTTP 400: invalid entry")]).error()


@situation("Sigstore does not support the CI's identity provider")
def _() -> object:
    refusal = IdentityRefusal("Fulcio responded with HTTP 403: issuer is not configured")
    return SigningFailedBy(certifying=[refusal, refusal]).error()


@situation("A new attestation does not verify")
def _() -> object:
    return SigningFailedBy(
        attesting=[Unsound("its certificate names the repository octo-org/other, not octo-org/demo")]
    ).error()


@situation("The job's only identity token expired before all files were signed")
def _() -> object:
    ended = [Ended("the certificate has expired") for _ in range(8)]
    return SigningFailedBy(attesting=ended, repeatable=False, expires=1.0).error()


@situation("The job is in a reusable workflow, so PyPI would reject its attestations")
def _() -> object:
    claims = {
        **simulated_github_claims(),
        "job_workflow_ref": "octo-org/demo/.github/workflows/publish.yml@refs/tags/v1.0",
    }
    return SigningFailedBy(claims=claims).error()


@situation("An attestation file next to the distributions is not an attestation")
def _() -> object:
    file = wheel()
    path = Path("dist") / f"{file.filename}.publish.attestation"
    found = FoundAttestation(path=path, distribution=file.filename, type="publish", content=b'{"version": 1}')
    trust = TrustSource(emit=ignore, refreshed=embedded_trust)
    return adopt_attestations([found], [file], trust=trust, signers=AcceptedSigners(), emit=ignore)


@situation("An attestation file next to the distributions is signed by another project")
def _() -> object:
    found = FoundAttestation(
        path=Path("dist") / f"{wheel().filename}.publish.attestation",
        distribution=wheel().filename,
        type="publish",
        content=b"",
    )
    home = "https://gitlab.com/octo-group/demo"
    certificate = CertificateFacts(
        {
            Extension.ISSUER: "https://gitlab.com",
            Extension.SOURCE_REPOSITORY_URI: home,
            Extension.BUILD_CONFIG_URI: f"{home}//.gitlab-ci.yml@refs/tags/v1.0",
        }
    )
    signers = AcceptedSigners(own=attestation_publisher_of_claims(simulated_github_claims()))
    signed_by = signers.classify_signer(certificate)
    reason = signed_by.reason if isinstance(signed_by, ByAnother) else ""
    return foreign_signer_error([ForeignAttestation(found, certificate, reason)], signers)


@situation("The required build provenance comes from another commit and workflow")
def _() -> object:
    name = wheel().filename
    found = FoundAttestation(
        path=Path("dist") / f"{name}.slsa.attestation", distribution=name, type="slsa", content=b""
    )
    reason = "it was built from commit 6dcb09b5b57875f334f61aebed695e2e4193db5e, not from this run's commit"
    return unsuitable_provenance_error([UnsuitableProvenance(found, reason)])


@situation("Build provenance is required, but a file has none")
def _() -> object:
    required_build_provenance.require_local_build_provenance([wheel().filename], [])
    return None


@situation("Build provenance is required, but the index has a file without it")
def _() -> object:
    required_build_provenance.require_published_build_provenance(
        PYPI, {wheel().filename: ProvenanceVerified("github:octo-org/demo:release.yml")}
    )
    return None


@situation("Build provenance is required, but no attestations are sent to the index")
def _() -> object:
    return required_build_provenance.attestations_not_sent_error()


@situation("The CI's identity token contains no information about builds")
def _() -> object:
    return SigningFailedBy(claims=simulated_google_claims(), predicate_types=(SLSA_PROVENANCE_V1,)).error()


@situation("attest: the list of files is not valid")
def _() -> object:
    with folder() as here:
        (here / "files.json").write_text('[{"filename": "demo-1.0.tar.gz"}]', encoding="utf-8")
        return shortened(lambda: read_listed_subjects(here / "files.json"), f"{here}/")


# --- the index -----------------------------------------------------------------------------------------------------


@situation("A rebuilt file differs from the published file")
def _() -> object:
    file = sdist()
    theirs = PublishedFile(filename=file.filename, url="https://files.example/x", sha256="0" * 63 + "1")
    return messages.content_conflict_error(PYPI, [Conflict(file, theirs)], skip_existing=False)


@situation("skip-existing finds different content on PyPI")
def _() -> object:
    file = sdist()
    theirs = PublishedFile(filename=file.filename, url="https://files.example/x", sha256="0" * 63 + "1")
    return messages.content_conflict_error(PYPI, [Conflict(file, theirs)], skip_existing=True)


@situation("A private index already has the filename, and lists no digests")
def _() -> object:
    return messages.cannot_compare_error(GENERIC, wheel(), "409 Conflict")


@situation("PyPI reports that the file exists, but does not list it")
def _() -> object:
    return messages.same_bytes_elsewhere_error(PYPI, wheel(), "400 File already exists")


@situation("A filename was used and deleted before")
def _() -> object:
    words = "This filename was previously used by a file that has since been deleted. Use a different version."
    return messages.refused_upload_error(PYPI, wheel(), cast("Refused", answered(400, words)))


@situation("The release is older than 14 days")
def _() -> object:
    words = "Uploading new files to releases older than 14 days is not allowed."
    return messages.refused_upload_error(PYPI, wheel(), cast("Refused", answered(400, words)))


@situation("The file is too large")
def _() -> object:
    words = "File too large. Limit for project 'demo' is 100 MB. See https://pypi.org/help/#file-size-limit"
    return messages.refused_upload_error(PYPI, wheel(), cast("Refused", answered(400, words)))


@situation("The index rejects the file with an unknown message")
def _() -> object:
    return messages.refused_upload_error(GENERIC, wheel(), cast("Refused", answered(422, "Computer says no")))


@situation("The address does not accept uploads")
def _() -> object:
    return messages.refused_upload_error(GENERIC, wheel(), cast("Refused", answered(404, "Not Found")))


@situation("GitLab responds with 404 to a job that may not publish")
def _() -> object:
    url = "https://gitlab.example/api/v4/projects/42/packages/pypi"
    answer = interpret_upload_response(HttpAnswer(status=404, reason="Not Found", headers={}, body=b"{}"), url, 1, 0.0)
    return messages.credential_refused_error(GENERIC, cast("CredentialRefused", answer))


@situation("The index's file list cannot be read")
def _() -> object:
    installation_failed_error = ListingUnavailable(
        "demo", "the index responded with 503 Service Unavailable (after 5 attempts)"
    )
    return messages.listing_unavailable_error(PYPI, installation_failed_error)


@situation("The index's certificate comes from an authority that this machine does not trust")
def _() -> object:
    reason = "the server's certificate is not trusted (self-signed certificate in certificate chain)"
    return messages.listing_unavailable_error(GENERIC, ListingUnavailable("demo", reason, untrusted=True))


@situation("A proxy requires a user name and password")
def _() -> object:
    proxy = Proxy("http://proxy.example:3128", "HTTPS_PROXY")
    return proxy_authentication_error(proxy, "407 Proxy Authentication Required")


@situation("The connection broke until the retries ran out")
def _() -> object:
    return messages.unanswered_upload_error(
        PYPI, wheel(), Unavailable(attempts=5, message="the connection was closed while sending", unclear=True)
    )


@situation("The run did not finish within its deadline")
def _() -> object:
    return Interruption(3600.0).error()


@situation("The index did not list the file in time")
def _() -> object:
    return confirmation_messages.listing_differs_error(PYPI, [wheel().filename], (), 300.0)


@situation("The index lists different content from what was sent")
def _() -> object:
    return confirmation_messages.listing_differs_error(PYPI, (), [wheel().filename], 300.0)


@situation("`verify` found provenance from an unexpected publisher", command="verify")
def _() -> object:
    outcome = ProvenanceByAnother("github:octo-org/fork:release.yml", ("github:octo-org/demo#pypi",))
    return confirmation_messages.unexpected_publisher_error(PYPI, {wheel().filename: outcome}, own_repository=False)


@situation("verify: a publisher is expected, but attestations are off", command="verify")
def _() -> object:
    return confirmation_messages.publisher_without_attestations_error()


@situation("verify: build provenance is required, but attestations are off")
def _() -> object:
    return confirmation_messages.build_provenance_without_attestations_error()


@situation("`verify` requires a different builder from the one in the build provenance")
def _() -> object:
    options = Settings(builder=(parse_identity("github:ci-publish/ci-publish:build-with-provenance.yml"),))
    built = Attestation(
        filename=wheel().filename,
        predicate_type=SLSA_PROVENANCE_V1,
        json="{}",
        builder=parse_identity("github:octo-org/demo:release.yml"),
    )
    outcome = ProvenanceVerified("github:octo-org/demo:release.yml", attestations=(built,))
    required_build_provenance.require_demanded_build_provenance(PYPI, {wheel().filename: outcome}, options)
    return None


@situation("The index does not serve an attestation that it accepted")
def _() -> object:
    sent = Attestation(filename=wheel().filename, predicate_type=SLSA_PROVENANCE_V1, json="{}")
    outcome = ProvenanceVerified("github:octo-org/demo:release.yml")
    required_build_provenance.require_sent_attestations_served(
        PYPI, {wheel().filename: outcome}, {wheel().filename: (sent,)}
    )
    return None


@situation("The index serves provenance from another publisher")
def _() -> object:
    reason = (
        "it names the publisher GitHub mallory/demo (release.yml), but this run is GitHub octo-org/demo (release.yml)"
    )
    return confirmation_messages.invalid_provenance_error(PYPI, {wheel().filename: reason})


@situation("verify: the index's content differs from the local file", command="verify")
def _() -> object:
    theirs = PublishedFile(filename=sdist().filename, url="https://files.example/x", sha256="0" * 63 + "1")
    return messages.content_conflict_error(PYPI, [Conflict(sdist(), theirs)], skip_existing=False)


@situation("verify: a file is missing", command="verify")
def _() -> object:
    return confirmation_messages.files_not_published_error(PYPI, [wheel().filename])


@situation("Several files failed")
def _() -> object:
    first = messages.refused_upload_error(
        PYPI, wheel(), cast("Refused", answered(400, "Binary wheel has an unsupported platform tag"))
    )
    second = messages.unanswered_upload_error(
        PYPI, sdist(), Unavailable(attempts=5, message="the index responded with 503")
    )
    return messages.combined_failures_error([(wheel(), first), (sdist(), second)], 4)


# --- installing -----------------------------------------------------------------------------------------------------


@situation("rehearse --install runs in a GitHub job that can request an identity")
def _() -> object:
    names = ("GITHUB_ACTIONS", "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN")
    refuse_install_with_credentials(Settings(install=True), dict.fromkeys(names, "true"))
    raise AssertionError


@situation("rehearse --install, and an interpreter is missing")
def _() -> object:
    processes = CommandProcesses({"PATH": ""}, Interruption(60.0))
    return find_interpreters(("3.99",), "python", processes, Path())


@situation("rehearse --install, and the index with the dependencies cannot be reached", command="rehearse")
def _() -> None:
    said = "cannot connect to pypi.corp.example port 443: connection refused"
    upstream_that_answers(NoAnswer(NoAnswerReason.CONNECT, said)).require_answering_upstream()


@situation("rehearse --install, and the index with the dependencies requires a password", command="rehearse")
def _() -> None:
    refusal = HttpAnswer(status=401, reason="Unauthorized", headers={}, body=b"")
    upstream_that_answers(refusal).require_answering_upstream()


def upstream_that_answers(answer: HttpAnswer | NoAnswer) -> UpstreamCheck:
    class Answering:
        def send(self, *_: object, **__: object) -> HttpAnswer | NoAnswer:
            return answer

    address = UpstreamAddress("https://pypi.corp.example/simple/", "pip's index-url")
    upstream = RedirectedIndex(address.text)
    return UpstreamCheck(address, upstream, lambda: cast("HttpTransport", Answering()))


@situation("A rehearsed wheel does not work after the installation")
def _() -> object:
    message = "`import demo` fails on Python 3.12: No module named 'requests' (not in Requires-Dist)"
    problem = Problem(
        filename=wheel().filename,
        rule="install-import",
        severity=Severity.ERROR,
        message=message,
        advice=RULES["install-import"].fix,
    )
    tried = Tried(
        filename=wheel().filename,
        interpreter="CPython 3.12.1",
        installer="uv 0.13.8",
        commands=("install demo", "check", "import"),
        problems=(problem,),
        seconds=1.0,
        passed=False,
    )
    return installation_failed_error([problem], [tried])


# --- the run -------------------------------------------------------------------------------------------------------


@situation("The index accepts no more new projects for now")
def _() -> object:
    limit = NewProjectLimit(
        attempts=1, message="Too many new projects created (the limit is 4 in 24 hours)", wait=5400.0
    )
    return train_messages.deferred_projects_error(
        ["plugin", "meta"], [train_messages.new_project_limit_error(PYPI, limit, 1_795_000_000.0)]
    )


@situation("--new-projects 2, and there are five")
def _() -> object:
    return train_messages.deferred_projects_error(
        ["cli", "plugin", "meta"], [train_messages.too_many_new_projects_error(2)]
    )


@situation("--new-projects 2, and three new projects require each other")
def _() -> object:
    return train_messages.cycle_too_large_error(["alpha", "beta", "gamma"], 2)


@situation("--new-projects, and the file list cannot be read")
def _() -> object:
    return train_messages.unknown_new_projects_error(GENERIC, ["core"])


# --- the release as a whole ----------------------------------------------------------------------------------------


def compared(stated: Stated = NOTHING_STATED, rules: Sequence[str] = ()) -> CiPublishError:
    """Compare a release that has no sdist and no Windows wheel with one that has."""
    local = LocalDistributions(stated=stated, rules=rules)
    before = Release(project="demo", version="1.0", files=local_release_files([wheel(), sdist()]), requires_python="")
    ours = Release(project="demo", version="1.1", files=local_release_files([wheel(version="1.1")]), requires_python="")
    comparison = Comparison(ours=ours, before=before, newest="1.0", new_files=ours.files)
    return messages.failed_checks_error(local.compare(comparison, [IndexProfile.PYPI], differences=True))


@situation("A wheel that expect-wheels names was not built")
def _() -> object:
    return compared(Stated(expected=parse_expected_wheels(["py3-none-any", "cp3{12,13}-*-win_amd64"])))


@situation("A difference from the last release that the project made an error")
def _() -> object:
    return compared(rules=("sdist-lost=error",))


@situation("diff --exit-code found more than a note")
def _() -> object:
    found = Problem(
        filename=None,
        rule="wheel-lost",
        severity=Severity.WARNING,
        message="Lost: CPython 3.13 on macOS arm64.",
        advice=RULES["wheel-lost"].fix,
    )
    return messages.release_differences_error([found])


@situation("The tag names the project and a different version")
def _() -> object:
    local = LocalDistributions(stated=Stated(tag="demo-1.2"))
    return messages.failed_checks_error(local.check_stated(Collection(distributions=(wheel(version="1.1"),))))


@situation("[tool.ci-publish.rules] weakens a rule that is not adjustable")
def _() -> object:
    return parse_rule_severities(("version-tag=off",), source="[tool.ci-publish.rules]")


@situation("[tool.ci-publish.rules] names a rule that does not exist")
def _() -> object:
    return parse_rule_severities(("wheel-losst=error",), source="[tool.ci-publish.rules]")


@situation("--rules gives a rule no severity")
def _() -> object:
    return parse_rule_severities(("sdist-lost",), source="--rules")


@situation("A pattern of expect-wheels cannot be read")
def _() -> object:
    return parse_expected_wheels(["cp3{12,13-*"])


@situation("The run was interrupted with Ctrl-C")
def _() -> object:
    return stopped(2)


@situation("The CI cancelled the job")
def _() -> object:
    return stopped(15)


@situation("ci-publish has a bug")
def _() -> object:
    return InternalError.from_exception(KeyError("sha256"))


# --- helpers -------------------------------------------------------------------------------------------------------


def ignore(_: object) -> None:
    """Take an event, and do nothing."""


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def shortened(work: Callable[[], object], prefix: str) -> object:
    """Take the folder's accidental name out of the message of what *work* raises."""
    return shortened_to(work, prefix, "")


def collected(path: str, *, hidden: str, shown: str) -> object:
    return shortened_to(lambda: LocalDistributions().collect([path]), hidden, shown)


def shortened_to(work: Callable[[], object], hidden: str, shown: str) -> object:
    try:
        error = work()
    except CiPublishError as raised:
        error = raised
    return replaced(error, hidden, shown) if isinstance(error, CiPublishError) else error


def replaced(error: CiPublishError, old: str, new: str) -> CiPublishError:
    def option_replaced(named: OptionNamed) -> OptionNamed:
        return named._replace(value=named.value and named.value.replace(old, new))

    def hint(text: str) -> str:
        if not isinstance(text, Hint):
            return text.replace(old, new)
        parts = (part.replace(old, new) if isinstance(part, str) else option_replaced(part) for part in text.parts)
        return Hint(*parts, not_for=text.not_for)

    summary, detail = error.summary.replace(old, new), error.detail.replace(old, new)
    return type(error)(summary, detail=detail, hints=map(hint, error.hints))


def check_folder(here: Path) -> object:
    local = LocalDistributions()
    return messages.failed_checks_error(local.check(local.collect([str(here)]), [IndexProfile.PYPI]))


def checked(here: Path) -> object:
    return shortened(lambda: check_folder(here), f"{here}/")


def rewritten(path: Path, within: str, change: Callable[[str, bytes], tuple[str, bytes]]) -> None:
    """Write a wheel again, with *change* applied to each member that has *within* in its name."""
    with zipfile.ZipFile(path) as archive:
        members = [(info.filename, archive.read(info)) for info in archive.infolist()]
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in (change(*each) if within in each[0] else each for each in members):
            archive.writestr(name, data)


def ambient(
    environ: Mapping[str, str], *, event: bytes = b"", detect: Callable[[str], str | None] = lambda _: None
) -> AmbientIdentity:
    harness = credential_harness.Harness()
    return AmbientIdentity(
        job=CiEnvironment(environ, read_event=lambda _: event, machine=str),
        mask=ignore,
        waiting=harness.waiting,
        emit=ignore,
        fetching=Fetching(random=lambda: 0.5, detect=detect, clock=lambda: harness.now),
    )


def gitlab() -> credential_harness.Harness:
    return credential_harness.Harness(
        ci=credential_harness.FakeCI(provider=Provider.GITLAB, claims=credential_harness.GITLAB),
    )


def prove(
    harness: credential_harness.Harness,
    *,
    given: CredentialOptions | None = None,
    endpoints: Endpoints = credential_harness.PYPI,
) -> object:
    choose_credential(endpoints, given or CredentialOptions(), harness.tools()).authenticate()
    return None


def refused_mint(code: str, description: str, claims: Mapping[str, object] = credential_harness.GITHUB) -> object:
    refusal = MintRefused(code, description, 422)
    return mint_refusals.explain_mint_refusal(refusal, claims, credential_harness.PYPI, ["demo"])


def answered(status: int, words: str) -> object:
    """Return what the upload API makes of PyPI's words."""
    return interpret_upload_response(
        HttpAnswer(status=status, reason=words, headers={}, body=b""), "https://upload.pypi.org/legacy/", 1, 0.0
    )


def embedded_trust() -> ClientTrustConfig:
    return ClientTrustConfig.production(offline=True)


@dataclass
class SigningFailedBy:
    """One file is signed, against an authority that fails in this way."""

    attesting: Sequence[Trouble] = ()
    certifying: Sequence[Trouble] = ()
    claims: Mapping[str, object] = field(default_factory=simulated_github_claims)
    repeatable: bool = True
    expires: float = float("inf")
    predicate_types: Sequence[str] = (PUBLISH_V1,)

    def error(self) -> CiPublishError:
        signer = SigstoreSigner(
            identity=Job(claims=self.claims, repeatable=self.repeatable, expires=self.expires),
            trust=TrustSource(emit=ignore, refreshed=lambda: cast("ClientTrustConfig", object())),
            context=SigningContext(
                emit=ignore,
                waiting=PatientWaiting(),
                patience=SigningPatience(first_pause=0.0),
                clocks=SigningClocks(jitter=lambda: 0.0),
            ),
            authority=FakeAuthority(deque(self.certifying), deque(self.attesting)),
        )
        (error,) = set(signer.sign(wheels(1), self.predicate_types).failures.values())
        return error


def stopped(number: int) -> CiPublishError:
    interruption = Interruption(3600.0)
    interruption.request_stop(number)
    return interruption.error()
