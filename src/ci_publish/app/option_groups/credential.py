"""As whom: the credential, and what may be tried with it."""

from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator

from ci_publish.app.option_groups import OptionGroup
from ci_publish.app.options import ASKING, Option
from ci_publish.app.setting_values import Hosts, Lines, parse_secret_setting
from ci_publish.model.identity import Secret


class CredentialSettings(OptionGroup):
    """As whom: the credential, and what may be tried with it."""

    heading = "credentials"

    user: Annotated[
        str,
        Option(
            help="User name for the index; __token__ with an API token.",
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
            help="API token or password. Omit it for Trusted Publishing.",
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
            help="Read the API token or password from standard input; at a terminal, prompt for it without echo.",
            commands=ASKING,
            file=False,
            intent=True,
            python=False,
        ),
    ] = False
    keyring: Annotated[
        bool,
        Option(
            help="Get the password from the keyring, even in CI, as Artifact Registry and CodeArtifact require.",
            commands=ASKING,
            input_name="keyring",
            intent=True,
        ),
    ] = False
    config_file: Annotated[
        Path | None,
        Option(
            help="The .pypirc file in which to look up the index's name and its password.",
            commands=ASKING,
            metavar="FILE",
            input_name="config-file",
            intent=True,
        ),
    ] = None
    anonymous: Annotated[
        bool,
        Option(
            help="Upload without a credential, to an index that accepts uploads from anybody.",
            commands=ASKING,
            intent=True,
        ),
    ] = False
    audience: Annotated[
        Lines,
        Option(
            help="The OIDC audience that the index asks for, if that is not its own host; with several indexes,"
            " INDEX=NAME, one per line.",
            commands=ASKING - {"verify"},
            metavar="NAME",
            input_name="audience",
        ),
    ] = ()
    token_for: Annotated[
        Hosts,
        Option(
            help="Allow sending an API token to this host although another index issued it: for an upload proxy.",
            commands=ASKING,
            metavar="HOST",
            input_name="token-for",
            project_file=False,
        ),
    ] = ()
    trust_project_settings: Annotated[
        bool,
        Option(
            help="Let pyproject.toml decide where secrets go, even in runs for pull requests.",
            commands=ASKING | {"attest"},
            input_name="trust-project-settings",
            project_file=False,
        ),
    ] = False
    prove_credential: Annotated[
        bool,
        Option(
            help="Also find out whether the index accepts this identity; a minted token is burned immediately.",
            commands=frozenset({"plan", "publish", "rehearse"}),
            input_name="prove-credential",
        ),
    ] = False
    create_project: Annotated[
        bool,
        Option(
            help="Let a trial exchange create a pending publisher's project, as PyPI does immediately.",
            commands=frozenset({"plan", "publish", "doctor"}),
            input_name="create-project",
        ),
    ] = False
    mint: Annotated[
        bool,
        Option(
            help="Perform a real token exchange; the upload token is burned immediately.",
            commands=frozenset({"doctor"}),
        ),
    ] = False
    spend_token: Annotated[
        bool,
        Option(
            help="On GitLab, use up the job's only identity token for the exchange that --mint makes.",
            commands=frozenset({"doctor"}),
        ),
    ] = False
