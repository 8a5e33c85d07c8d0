"""ONE declaration of every option: name, type, default, help, group, and the commands that use it.

``settings_sources`` reads the values; ``--help``, ``action.yml``, the GitLab component and the reference page are
generated from these fields or tested equal to them. What a command does with an option that it has no use for is
decided in ``options.use``, for every front end alike.
"""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from ci_publish.app.options import ALL, ASKING, SENDING, Group, Option
from ci_publish.app.setting_values import (
    Identities,
    Lines,
    attestation_policy,
    explained,
    hosts,
    is_name,
    refuse_null_characters,
    secret,
    size,
)
from ci_publish.index.endpoints import resolve
from ci_publish.model.attestation import AttestationPolicy
from ci_publish.model.identity import Secret

SOURCES = "_sources"
"""The keyword under which ``settings_sources.load`` passes the sources, highest first."""

LONGEST_WAIT = 7 * 24 * 3600.0
"""A week: longer than any CI lets a job run, and no number that a lock cannot wait for."""

LARGEST_DOWNLOAD = 256 * 1024 * 1024
"""A downloaded file is held in memory."""


class Settings(BaseSettings):
    """Every option of every command, validated once; frozen."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        arbitrary_types_allowed=True,
        validate_default=False,
    )

    paths: Annotated[
        Lines,
        Option(
            "The distributions to publish: files, globs or folders, several one a line.",
            ALL - {"settings"},
            "PATH",
            ("packages-dir",),
            flag=False,
            group=Group.DISTRIBUTIONS,
        ),
    ] = ("dist",)
    recursive: Annotated[
        bool,
        Option(
            "Also publish the distributions up to two levels below a folder.",
            ALL - {"settings"},
            None,
            ("recursive",),
            group=Group.DISTRIBUTIONS,
        ),
    ] = False
    ignore_subfolders: Annotated[
        bool,
        Option(
            "Leave distributions in subfolders unpublished; without this or recursive they are an error.",
            ALL - {"settings"},
            None,
            ("ignore-subfolders",),
            group=Group.DISTRIBUTIONS,
        ),
    ] = False
    repository_url: Annotated[
        Lines,
        Option(
            "Upload URL of the index, or its name: pypi, testpypi, an entry of [[tool.uv.index]], a section of .pypirc."
            " Several are published to in turn.",
            ASKING | {"check", "attest"},
            "URL",
            ("repository-url",),
            group=Group.INDEX,
            intent=True,
        ),
    ] = ("pypi",)
    index_url: Annotated[
        str | None,
        Option(
            "Root of the index's Simple API; derived from the upload URL where that can be known.",
            ASKING,
            "URL",
            ("index-url",),
            group=Group.INDEX,
        ),
    ] = None
    index_profile: Annotated[
        Literal["auto", "pypi", "generic"],
        Option(
            "Whose rules the index follows: PyPI's, or only the common ones.",
            ASKING | {"check", "attest"},
            None,
            ("index-profile",),
            group=Group.INDEX,
            intent=True,
        ),
    ] = "auto"
    user: Annotated[
        str,
        Option(
            "User name for the index; __token__ with an API token.",
            ASKING,
            "NAME",
            ("user",),
            group=Group.CREDENTIAL,
            intent=True,
        ),
    ] = "__token__"
    password: Annotated[
        Secret | None,
        BeforeValidator(secret),
        Option(
            "API token or password. Leave it away for Trusted Publishing.",
            ASKING,
            None,
            ("password",),
            flag=False,
            file=False,
            group=Group.CREDENTIAL,
            intent=True,
        ),
    ] = None
    password_stdin: Annotated[
        bool,
        Option(
            "Read the API token or password from standard input.",
            ASKING,
            file=False,
            group=Group.CREDENTIAL,
            intent=True,
            python=False,
        ),
    ] = False
    keyring: Annotated[
        bool,
        Option(
            "Ask the keyring for the password, in CI too: Artifact Registry and CodeArtifact put theirs there.",
            ASKING,
            None,
            ("keyring",),
            group=Group.CREDENTIAL,
            intent=True,
        ),
    ] = False
    config_file: Annotated[
        Path | None,
        Option(
            "A .pypirc in which to look up the index's name, and the password of that section.",
            ASKING,
            "FILE",
            ("config-file",),
            group=Group.CREDENTIAL,
            intent=True,
        ),
    ] = None
    anonymous: Annotated[
        bool,
        Option(
            "Upload without any credential, to an index that takes uploads from anybody.",
            ASKING,
            group=Group.CREDENTIAL,
            intent=True,
        ),
    ] = False
    audience: Annotated[
        Lines,
        Option(
            "The OIDC audience that the index asks for, where that is not its own host; with several indexes,"
            " INDEX=NAME, several one a line.",
            ASKING - {"verify"},
            "NAME",
            ("audience",),
            group=Group.CREDENTIAL,
        ),
    ] = ()
    token_for: Annotated[
        tuple[str, ...],
        BeforeValidator(hosts),
        Option(
            "Let an API token go to this host although it names another index as its own: for an upload proxy.",
            ASKING,
            "HOST",
            ("token-for",),
            group=Group.CREDENTIAL,
            project_file=False,
        ),
    ] = ()
    trust_project_settings: Annotated[
        bool,
        Option(
            "Let pyproject.toml decide where secrets go, in runs for pull requests too.",
            ASKING | {"attest"},
            None,
            ("trust-project-settings",),
            group=Group.CREDENTIAL,
            project_file=False,
        ),
    ] = False
    attestations: Annotated[
        AttestationPolicy,
        BeforeValidator(attestation_policy),
        Option(
            "Attestations (PEP 740). auto: required with Trusted Publishing on PyPI and TestPyPI, off elsewhere;"
            " true means auto, false off.",
            SENDING | {"verify", "attest", "doctor"},
            None,
            ("attestations",),
            group=Group.ATTESTATIONS,
        ),
    ] = AttestationPolicy.AUTO
    attestations_dir: Annotated[
        Path | None,
        Option(
            "Also write the attestations into this folder.",
            SENDING,
            "DIR",
            ("attestations-dir",),
            group=Group.ATTESTATIONS,
        ),
    ] = None
    on_conflict: Annotated[
        Literal["fail", "keep-published"],
        Option(
            "What to do when the index has other content under a filename.",
            SENDING | {"doctor"},
            None,
            ("on-conflict",),
            group=Group.CONFLICTS,
            intent=True,
        ),
    ] = "fail"
    skip_existing: Annotated[
        bool,
        Option(
            "Leave files whose name is taken, with a warning; on PyPI itself other content still fails.",
            SENDING | {"doctor"},
            None,
            ("skip-existing",),
            group=Group.CONFLICTS,
            intent=True,
        ),
    ] = False
    compare_downloads: Annotated[
        int,
        Field(ge=0, le=LARGEST_DOWNLOAD),
        BeforeValidator(size),
        Option(
            "Where an index without PyPI's rules lists a file without any digest: download it, up to this size, and"
            " compare the content; off leaves it unknown.",
            SENDING | {"verify", "doctor"},
            "off|SIZE",
            ("compare-downloads",),
            group=Group.CONFLICTS,
        ),
    ] = 25 * 1024 * 1024
    attested_by: Annotated[
        Identities,
        Option(
            "Also use attestation files beside the distributions that this identity signed, not only the job's own. In"
            " the grammar of verify --publisher; repeatable.",
            SENDING | {"attest"},
            "IDENTITY",
            ("attested-by",),
            group=Group.ATTESTATIONS,
        ),
    ] = ()
    publisher: Annotated[
        Identities,
        Option(
            "Who must have signed: github:OWNER/REPO[:WORKFLOW][#ENVIRONMENT],"
            " gitlab:GROUP/…/PROJECT[:FILE][#ENVIRONMENT] or google:EMAIL; one of them where it is repeated."
            " By default, for files in a CI job, the job's own repository.",
            frozenset({"verify", "settings"}),
            "IDENTITY",
            group=Group.ATTESTATIONS,
        ),
    ] = ()
    sigstore_trust_config: Annotated[
        Path | None,
        Option(
            "A Sigstore ClientTrustConfig (JSON): for private instances and tests.",
            SENDING | {"verify", "attest"},
            "FILE",
            ("sigstore-trust-config",),
            group=Group.ATTESTATIONS,
        ),
    ] = None
    signing_timeout: Annotated[
        float,
        Field(gt=0),
        Option(
            "How long signing may take, all files together; never more than half of the time left before the deadline.",
            SENDING | {"attest"},
            "SECONDS",
            ("signing-timeout",),
            group=Group.ATTESTATIONS,
        ),
    ] = 300.0
    jobs: Annotated[
        int, Field(ge=1, le=64), Option("How many files are uploaded at once.", ASKING, "N", ("jobs",), group=Group.RUN)
    ] = 8
    keep_going: Annotated[
        bool,
        Option(
            "Go on with the other files when the index refuses one.", SENDING, None, ("keep-going",), group=Group.RUN
        ),
    ] = False
    strict: Annotated[
        bool,
        Option(
            "Treat warnings of the checks as errors; for doctor, whatever cannot be determined.",
            SENDING | {"check", "attest", "doctor"},
            None,
            ("strict",),
            group=Group.DISTRIBUTIONS,
        ),
    ] = False
    verify_metadata: Annotated[
        bool,
        Option(
            "Check the core metadata.",
            SENDING | {"check", "attest", "doctor"},
            None,
            ("verify-metadata",),
            group=Group.DISTRIBUTIONS,
        ),
    ] = True
    verify: Annotated[
        bool, Option("Wait until the index lists what was uploaded.", SENDING, None, ("verify",), group=Group.RUN)
    ] = True
    verify_timeout: Annotated[
        float,
        Field(ge=0, le=LONGEST_WAIT, allow_inf_nan=False),
        Option("How long to wait for the listing.", SENDING, "SECONDS", ("verify-timeout",), group=Group.RUN),
    ] = 300.0
    timeout: Annotated[
        float | None,
        Field(gt=0, le=LONGEST_WAIT, allow_inf_nan=False),
        Option(
            "Every single wait. By default: connect and TLS 10, a read 30, the answer after the last byte 300,"
            " Sigstore and token exchange 30.",
            ASKING | {"attest"},
            "SECONDS",
            ("timeout",),
            group=Group.RUN,
        ),
    ] = None
    deadline: Annotated[
        float,
        Field(gt=0, le=LONGEST_WAIT, allow_inf_nan=False),
        Option("The whole run.", ALL - {"settings"}, "SECONDS", ("deadline",), group=Group.RUN),
    ] = 3600.0
    allow_http: Annotated[
        tuple[str, ...],
        BeforeValidator(hosts),
        Option(
            "Allow plain http to this host, for passwords and API tokens only; loopback is always allowed.",
            ASKING | {"check", "attest"},
            "HOST",
            ("allow-http",),
            group=Group.INDEX,
        ),
    ] = ()
    dry_run: Annotated[
        bool,
        Option(
            "Only plan: say what would be published, send nothing.",
            frozenset({"publish", "plan", "rehearse", "doctor", "settings"}),
            None,
            ("dry-run",),
            group=Group.RUN,
            intent=True,
        ),
    ] = False
    rehearse: Annotated[
        bool,
        Option(
            "Rehearse on loopback instead of publishing.",
            frozenset({"publish", "plan", "rehearse", "settings"}),
            None,
            ("rehearse",),
            flag=False,
            group=Group.REHEARSAL,
            intent=True,
        ),
    ] = False
    prove_credential: Annotated[
        bool,
        Option(
            "Also learn whether the index takes this identity; a token that was minted is burnt at once.",
            frozenset({"plan", "publish", "rehearse"}),
            None,
            ("prove-credential",),
            group=Group.CREDENTIAL,
        ),
    ] = False
    create_project: Annotated[
        bool,
        Option(
            "Let an exchange that is only tried create a pending publisher's project, as PyPI does at once.",
            frozenset({"plan", "publish", "doctor"}),
            None,
            ("create-project",),
            group=Group.CREDENTIAL,
        ),
    ] = False
    output_dir: Annotated[
        Path | None, Option("Where to write the attestations.", frozenset({"attest"}), "DIR", group=Group.ATTESTATIONS)
    ] = None
    serve: Annotated[
        bool, Option("Leave the rehearsal's servers up until Ctrl-C.", frozenset({"rehearse"}), group=Group.REHEARSAL)
    ] = False
    port: Annotated[
        int,
        Field(ge=0, le=65535),
        Option("Port of the rehearsal; 0 takes a free one.", frozenset({"rehearse"}), "N", group=Group.REHEARSAL),
    ] = 0
    tls: Annotated[
        bool,
        Option(
            "Rehearse over TLS, with a certificate authority of its own.",
            frozenset({"rehearse"}),
            group=Group.REHEARSAL,
        ),
    ] = False
    world: Annotated[
        Path | None,
        Option(
            "Keep the rehearsal's index in this folder, so that a second run finds what the first one published.",
            frozenset({"rehearse"}),
            "DIR",
            group=Group.REHEARSAL,
        ),
    ] = None
    mint: Annotated[
        bool,
        Option("Do a real token exchange; the token is burnt at once.", frozenset({"doctor"}), group=Group.CREDENTIAL),
    ] = False
    spend_token: Annotated[
        bool,
        Option("With --mint on GitLab: use up the job's only token.", frozenset({"doctor"}), group=Group.CREDENTIAL),
    ] = False
    receipt: Annotated[
        Path | None,
        Option(
            "Write what happened as JSON, also when the run fails.",
            ALL - {"settings"},
            "FILE",
            ("receipt",),
            group=Group.REPORTS,
        ),
    ] = None
    reports_dir: Annotated[
        Path | None,
        Option(
            "Write reports for the CI into this folder: publish.env (dotenv), junit.xml and summary.md.",
            ALL - {"settings"},
            "DIR",
            ("reports-dir",),
            group=Group.REPORTS,
        ),
    ] = None
    output: Annotated[
        Literal["console", "json"],
        Option(
            "What standard output is for: people, or the receipt as JSON.",
            ALL,
            None,
            ("output",),
            group=Group.REPORTS,
            python=False,
        ),
    ] = "console"
    verbose: Annotated[
        bool, Option("Show every request.", ALL, None, ("verbose",), group=Group.REPORTS, python=False)
    ] = False
    print_hash: Annotated[
        bool,
        Option(
            "Show the SHA-256 of every file.",
            ALL - {"settings", "doctor"},
            None,
            ("print-hash",),
            group=Group.REPORTS,
            python=False,
        ),
    ] = False

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.index_url is not None and len(self.repository_url) > 1:
            message = "index_url: it names one index, but repository-url names several"
            raise ValueError(message)
        if self.recursive and self.ignore_subfolders:
            message = "ignore_subfolders: it contradicts recursive, which publishes the distributions in subfolders"
            raise ValueError(message)
        if not self.repository_url:
            message = "repository_url: there is none"
            raise ValueError(message)
        for address in self.repository_url:
            # A name that is not PyPI's is looked up when the settings are loaded.
            upload = "pypi" if is_name(address) else address
            resolve(upload, self.index_url, allow_http=frozenset(self.allow_http))
        return self

    @model_validator(mode="wrap")
    @classmethod
    def _raise_ours(cls, values: object, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Raise ConfigurationError, not pydantic's error; the last validator, so that it wraps the others."""
        if isinstance(values, dict):
            refuse_null_characters(values)
        try:
            return handler(values)
        except ValidationError as error:
            raise explained(error) from error

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003  (the signature is pydantic-settings')
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read the sources that ``settings_sources.load`` passes; without any, only what the caller says."""
        sources: tuple[PydanticBaseSettingsSource, ...] | None = init_settings.init_kwargs.pop(SOURCES, None)  # type: ignore[attr-defined]
        return (init_settings,) if sources is None else sources


def options() -> dict[str, Option]:
    """Return the declaration of every option, by field name."""
    return {
        name: next(item for item in field.metadata if isinstance(item, Option))
        for name, field in Settings.model_fields.items()
    }
