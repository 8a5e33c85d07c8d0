"""The credential, and what it may be used for."""

from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator

from ci_publish.app.option_groups import OptionGroup
from ci_publish.app.options import ASKING, Option
from ci_publish.app.setting_values import Hosts, Lines, parse_secret_setting
from ci_publish.model.identity import Secret


class CredentialSettings(OptionGroup):
    """The credential, and what it may be used for."""

    heading = "credentials"

    user: Annotated[
        str,
        Option(
            help="User name for the index. For an API token, use __token__.",
            commands=ASKING,
            metavar="NAME",
            input_name="user",
            intent=True,
        ),
    ] = "__token__"
    password: Annotated[
        Secret | None,
        BeforeValidator(parse_secret_setting),
        Option(
            help="API token or password. For Trusted Publishing, omit it.",
            commands=ASKING,
            input_name="password",
            flag=False,
            file=False,
            intent=True,
        ),
    ] = None
    password_stdin: Annotated[
        bool,
        Option(
            help="Read the API token or password from standard input. At a terminal, prompt for it.",
            commands=ASKING,
            file=False,
            intent=True,
            python=False,
        ),
    ] = False
    keyring: Annotated[
        bool,
        Option(
            help="Get the password from the keyring, even in CI. Useful for Google Artifact Registry and AWS"
            " CodeArtifact.",
            commands=ASKING,
            input_name="keyring",
            intent=True,
        ),
    ] = False
    config_file: Annotated[
        Path | None,
        Option(
            help="The .pypirc file that contains the index's name and password.",
            commands=ASKING,
            metavar="FILE",
            input_name="config-file",
            intent=True,
        ),
    ] = None
    anonymous: Annotated[
        bool,
        Option(
            help="Upload without a credential, to an index that requires none.",
            commands=ASKING,
            intent=True,
        ),
    ] = False
    audience: Annotated[
        Lines,
        Option(
            help="OIDC audience for the index, if it is not the index's own host. With several indexes, use"
            " INDEX=NAME, one per line.",
            commands=ASKING - {"verify"},
            metavar="NAME",
            input_name="audience",
        ),
    ] = ()
    token_for: Annotated[
        Hosts,
        Option(
            help="Host of an upload proxy that may receive an API token for a different index.",
            commands=ASKING,
            metavar="HOST",
            input_name="token-for",
            project_file=False,
        ),
    ] = ()
    trust_project_settings: Annotated[
        bool,
        Option(
            help="Let pyproject.toml determine where secrets are sent, even in runs for pull requests.",
            commands=ASKING | {"attest"},
            input_name="trust-project-settings",
            project_file=False,
        ),
    ] = False
    prove_credential: Annotated[
        bool,
        Option(
            help="Also check whether the index accepts the job's identity. The upload token is burned immediately.",
            commands=frozenset({"plan", "publish", "rehearse"}),
            input_name="prove-credential",
        ),
    ] = False
    create_project: Annotated[
        bool,
        Option(
            help="Allow the token exchange to create the project of a pending publisher.",
            commands=frozenset({"plan", "publish", "doctor"}),
            input_name="create-project",
        ),
    ] = False
    mint: Annotated[
        bool,
        Option(
            help="Perform a real token exchange. The upload token is burned immediately.",
            commands=frozenset({"doctor"}),
        ),
    ] = False
    spend_token: Annotated[
        bool,
        Option(
            help="On GitLab, allow --mint to use up the job's only identity token.",
            commands=frozenset({"doctor"}),
        ),
    ] = False
