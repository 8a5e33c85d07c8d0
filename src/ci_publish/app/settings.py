"""ONE declaration of every option: name, type, default, help, and where its value may come from.

Sources, highest first: flag, input of the GitLab component (``CI_PUBLISH_INPUT_<INPUT>``), ``CI_PUBLISH_<OPTION>``,
action input (``INPUT_<OPTION>``, read only when our own action says so), then, only where nothing of ours is set, the
variables of twine and uv, ``[tool.ci-publish]`` in pyproject.toml, default. ``--help``, ``action.yml``, the GitLab
component and the reference page are generated from these fields or tested equal to them.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from ci_publish.errors import ConfigurationError
from ci_publish.model.attestation import AttestationPolicy
from ci_publish.model.frozen import frozen
from ci_publish.model.identity import Secret

ALL = frozenset({"publish", "plan", "check", "attest", "verify", "rehearse", "doctor", "settings"})
SENDING = frozenset({"publish", "plan", "rehearse", "settings"})
ASKING = SENDING | {"verify", "doctor"}


@frozen
class Option:
    """What belongs to an option besides its type: help, value's name, commands, and the names it has in action.yml.

    ``inputs`` are the action inputs, the first one being ours. ``flag`` is False for what may never stand on a
    command line, and for what is a positional argument.
    """

    help: str
    commands: frozenset[str] = ALL
    metavar: str | None = None
    inputs: tuple[str, ...] = ()
    flag: bool = True
    file: bool = True


def _attestations(value: object) -> object:
    """``true`` means auto and ``false`` off, as in gh-action-pypi-publish."""
    if isinstance(value, bool):
        return AttestationPolicy.AUTO if value else AttestationPolicy.OFF
    if isinstance(value, str):
        return {"true": "auto", "false": "off"}.get(value.lower(), value.lower())
    return value


def _lines(value: object) -> object:
    """Split a value that comes as one text, one item a line."""
    if isinstance(value, str):
        return tuple(item.strip() for item in value.splitlines() if item.strip())
    return value


def _hosts(value: object) -> object:
    """Split host names at blanks, commas and line ends."""
    return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value


def _secret(value: object) -> object:
    """Take a text of one line for a secret; blanks around it are no part of it."""
    if not isinstance(value, str):
        return value
    if not value.strip().isprintable():
        message = "it holds line breaks or control characters"
        raise ValueError(message)
    return Secret(value.strip())


Lines = Annotated[tuple[str, ...], BeforeValidator(_lines)]

LONGEST_WAIT = 7 * 24 * 3600.0
"""A week: longer than any CI lets a job run, and no number that a lock cannot wait for."""


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
        ),
    ] = ("dist",)
    repository_url: Annotated[
        Lines,
        Option(
            "Upload URL of the index, or pypi or testpypi. Several are published to in turn.",
            ASKING | {"check"},
            "URL",
            ("repository-url",),
        ),
    ] = ("pypi",)
    index_url: Annotated[
        str | None,
        Option(
            "Root of the index's Simple API; derived from the upload URL where that can be known.",
            ASKING,
            "URL",
            ("index-url",),
        ),
    ] = None
    index_profile: Annotated[
        Literal["auto", "pypi", "generic"],
        Option(
            "Whose rules the index follows: PyPI's, or only the common ones.",
            ASKING | {"check"},
            None,
            ("index-profile",),
        ),
    ] = "auto"
    user: Annotated[
        str,
        Option("User name for the index; __token__ with an API token.", ASKING, "NAME", ("user",)),
    ] = "__token__"
    password: Annotated[
        Secret | None,
        BeforeValidator(_secret),
        Option(
            "API token or password. Leave it away for Trusted Publishing.",
            ASKING,
            None,
            ("password",),
            flag=False,
            file=False,
        ),
    ] = None
    password_stdin: Annotated[
        bool, Option("Read the API token or password from standard input.", ASKING, file=False)
    ] = False
    anonymous: Annotated[
        bool, Option("Upload without any credential, to an index that takes uploads from anybody.", ASKING)
    ] = False
    attestations: Annotated[
        AttestationPolicy,
        BeforeValidator(_attestations),
        Option(
            "Attestations (PEP 740). auto: required with Trusted Publishing on PyPI and TestPyPI, off elsewhere;"
            " true means auto, false off.",
            SENDING | {"verify", "attest"},
            None,
            ("attestations",),
        ),
    ] = AttestationPolicy.AUTO
    attestations_dir: Annotated[
        Path | None,
        Option("Also write the attestations into this folder.", SENDING, "DIR", ("attestations-dir",)),
    ] = None
    on_conflict: Annotated[
        Literal["fail", "keep-published"],
        Option("What to do when the index has other content under a filename.", SENDING, None, ("on-conflict",)),
    ] = "fail"
    skip_existing: Annotated[
        bool,
        Option(
            "Leave files whose name is taken, with a warning; on PyPI itself other content still fails.",
            SENDING,
            None,
            ("skip-existing",),
        ),
    ] = False
    sigstore_trust_config: Annotated[
        Path | None,
        Option(
            "A Sigstore ClientTrustConfig (JSON): for private instances and tests.",
            SENDING | {"verify", "attest"},
            "FILE",
            ("sigstore-trust-config",),
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
        ),
    ] = 300.0
    jobs: Annotated[int, Field(ge=1, le=64), Option("How many files are uploaded at once.", ASKING, "N", ("jobs",))] = 8
    keep_going: Annotated[
        bool, Option("Go on with the other files when the index refuses one.", SENDING, None, ("keep-going",))
    ] = False
    strict: Annotated[
        bool,
        Option(
            "Treat warnings of the checks as errors; for doctor, whatever cannot be determined.",
            SENDING | {"check", "attest", "doctor"},
            None,
            ("strict",),
        ),
    ] = False
    verify_metadata: Annotated[
        bool, Option("Check the core metadata.", SENDING | {"check", "attest"}, None, ("verify-metadata",))
    ] = True
    verify: Annotated[bool, Option("Wait until the index lists what was uploaded.", SENDING, None, ("verify",))] = True
    verify_timeout: Annotated[
        float,
        Field(ge=0, le=LONGEST_WAIT, allow_inf_nan=False),
        Option("How long to wait for the listing.", SENDING, "SECONDS", ("verify-timeout",)),
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
        ),
    ] = None
    deadline: Annotated[
        float,
        Field(gt=0, le=LONGEST_WAIT, allow_inf_nan=False),
        Option("The whole run.", ALL - {"settings"}, "SECONDS", ("deadline",)),
    ] = 3600.0
    allow_http: Annotated[
        tuple[str, ...],
        BeforeValidator(_hosts),
        Option(
            "Allow plain http to this host, for passwords and API tokens only; loopback is always allowed.",
            ASKING,
            "HOST",
            ("allow-http",),
        ),
    ] = ()
    dry_run: Annotated[
        bool,
        Option("Only plan: say what would be published, send nothing.", frozenset({"publish"}), None, ("dry-run",)),
    ] = False
    rehearse: Annotated[
        bool,
        Option("Rehearse on loopback instead of publishing.", frozenset({"publish"}), None, ("rehearse",), flag=False),
    ] = False
    prove_credential: Annotated[
        bool,
        Option(
            "Also learn whether the index takes this identity; a token that was minted is burnt at once.",
            frozenset({"plan", "publish"}),
            None,
            ("prove-credential",),
        ),
    ] = False
    create_project: Annotated[
        bool,
        Option(
            "Let an exchange that is only tried create a pending publisher's project, as PyPI does at once.",
            frozenset({"plan", "publish", "doctor"}),
            None,
            ("create-project",),
        ),
    ] = False
    output_dir: Annotated[Path | None, Option("Where to write the attestations.", frozenset({"attest"}), "DIR")] = None
    serve: Annotated[bool, Option("Leave the rehearsal's servers up until Ctrl-C.", frozenset({"rehearse"}))] = False
    port: Annotated[
        int,
        Field(ge=0, le=65535),
        Option("Port of the rehearsal; 0 takes a free one.", frozenset({"rehearse"}), "N"),
    ] = 0
    tls: Annotated[
        bool, Option("Rehearse over TLS, with a certificate authority of its own.", frozenset({"rehearse"}))
    ] = False
    world: Annotated[
        Path | None,
        Option(
            "Keep the rehearsal's index in this folder, so that a second run finds what the first one published.",
            frozenset({"rehearse"}),
            "DIR",
        ),
    ] = None
    mint: Annotated[bool, Option("Do a real token exchange; the token is burnt at once.", frozenset({"doctor"}))] = (
        False
    )
    spend_token: Annotated[
        bool,
        Option("With --mint on GitLab: use up the job's only token.", frozenset({"doctor"})),
    ] = False
    receipt: Annotated[
        Path | None,
        Option("Write what happened as JSON, also when the run fails.", ALL - {"settings"}, "FILE", ("receipt",)),
    ] = None
    reports_dir: Annotated[
        Path | None,
        Option(
            "Write reports for the CI into this folder: publish.env (dotenv), junit.xml and summary.md.",
            ALL - {"settings"},
            "DIR",
            ("reports-dir",),
        ),
    ] = None
    output: Annotated[
        Literal["console", "json"],
        Option("What standard output is for: people, or the receipt as JSON.", ALL, None, ("output",)),
    ] = "console"
    verbose: Annotated[bool, Option("Show every request.", ALL, None, ("verbose",))] = False
    print_hash: Annotated[
        bool, Option("Show the SHA-256 of every file.", ALL - {"settings", "doctor"}, None, ("print-hash",))
    ] = False

    @model_validator(mode="after")
    def _consistent(self) -> "Settings":
        if self.index_url is not None and len(self.repository_url) > 1:
            message = "index_url: it names one index, but repository-url names several"
            raise ValueError(message)
        if not self.repository_url:
            message = "repository_url: there is none"
            raise ValueError(message)
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003  (the signature is pydantic-settings')
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take only what is passed in: ``app.settings_sources`` reads everything else, and keeps who said what."""
        return (init_settings,)


def options() -> dict[str, Option]:
    """Return the declaration of every option, by field name."""
    return {
        name: next(item for item in field.metadata if isinstance(item, Option))
        for name, field in Settings.model_fields.items()
    }


def validated(values: Mapping[str, Any], spelled: Mapping[str, str]) -> Settings:
    """Build the settings from raw values; *spelled* says how the user wrote each option, for error messages.

    Raises ConfigurationError that names every wrong value in the user's own words, never showing a secret.
    """
    for name, value in values.items():
        if any("\0" in str(item) for item in (value if isinstance(value, tuple | list) else (value,))):
            message = f"A setting is wrong: {spelled.get(name, name)}: it holds a null character"
            raise ConfigurationError(message, hints=("Remove the character.",))
    try:
        return Settings(**values)
    except ValidationError as error:
        lines = tuple(_line(item, spelled) for item in error.errors(include_input=False, include_url=False))
        message = f"{'A setting is' if len(lines) == 1 else f'{len(lines)} settings are'} wrong: {lines[0]}"
        raise ConfigurationError(
            message,
            detail="\n".join(lines[1:]),
            hints=("`ci-publish settings` shows every effective value and where it came from.",),
        ) from error


def _line(item: Mapping[str, Any], spelled: Mapping[str, str]) -> str:
    text = str(item["msg"]).removeprefix("Value error, ")
    if not item["loc"]:
        name, _, rest = text.partition(": ")
        return f"{spelled.get(name, name.replace('_', '-'))}: {rest}"
    name = str(item["loc"][0])
    return f"{spelled.get(name, name.replace('_', '-'))}: {text[0].lower()}{text[1:]}"
