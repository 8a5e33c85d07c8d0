"""As whom: the credential, and what may be tried with it."""

from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator

from ci_publish.app.option_groups import OptionGroup
from ci_publish.app.options import ASKING, Group, Option
from ci_publish.app.setting_values import Lines, hosts, secret
from ci_publish.model.identity import Secret


class CredentialSettings(OptionGroup):
    """As whom: the credential, and what may be tried with it."""

    user: Annotated[
        str,
        Option(
            help="User name for the index; __token__ with an API token.",
            commands=ASKING,
            metavar="NAME",
            inputs=("user",),
            group=Group.CREDENTIAL,
            intent=True,
        ),
    ] = "__token__"
    password: Annotated[
        Secret | None,
        BeforeValidator(secret),
        Option(
            help="API token or password. Omit it for Trusted Publishing.",
            commands=ASKING,
            metavar=None,
            inputs=("password",),
            flag=False,
            file=False,
            group=Group.CREDENTIAL,
            intent=True,
        ),
    ] = None
    password_stdin: Annotated[
        bool,
        Option(
            help="Read the API token or password from standard input; at a terminal, ask for it without showing it.",
            commands=ASKING,
            file=False,
            group=Group.CREDENTIAL,
            intent=True,
            python=False,
        ),
    ] = False
    keyring: Annotated[
        bool,
        Option(
            help="Ask the keyring for the password, in CI too: Artifact Registry and CodeArtifact put theirs there.",
            commands=ASKING,
            metavar=None,
            inputs=("keyring",),
            group=Group.CREDENTIAL,
            intent=True,
        ),
    ] = False
    config_file: Annotated[
        Path | None,
        Option(
            help="A .pypirc in which to look up the index's name, and the password of that section.",
            commands=ASKING,
            metavar="FILE",
            inputs=("config-file",),
            group=Group.CREDENTIAL,
            intent=True,
        ),
    ] = None
    anonymous: Annotated[
        bool,
        Option(
            help="Upload without any credential, to an index that takes uploads from anybody.",
            commands=ASKING,
            group=Group.CREDENTIAL,
            intent=True,
        ),
    ] = False
    audience: Annotated[
        Lines,
        Option(
            help="The OIDC audience that the index asks for, where that is not its own host; with several indexes,"
            " INDEX=NAME, several one a line.",
            commands=ASKING - {"verify"},
            metavar="NAME",
            inputs=("audience",),
            group=Group.CREDENTIAL,
        ),
    ] = ()
    token_for: Annotated[
        tuple[str, ...],
        BeforeValidator(hosts),
        Option(
            help="Let an API token go to this host although it names another index as its own: for an upload proxy.",
            commands=ASKING,
            metavar="HOST",
            inputs=("token-for",),
            group=Group.CREDENTIAL,
            project_file=False,
        ),
    ] = ()
    trust_project_settings: Annotated[
        bool,
        Option(
            help="Let pyproject.toml decide where secrets go, in runs for pull requests too.",
            commands=ASKING | {"attest"},
            metavar=None,
            inputs=("trust-project-settings",),
            group=Group.CREDENTIAL,
            project_file=False,
        ),
    ] = False
    prove_credential: Annotated[
        bool,
        Option(
            help="Also learn whether the index takes this identity; a token that was minted is burnt at once.",
            commands=frozenset({"plan", "publish", "rehearse"}),
            metavar=None,
            inputs=("prove-credential",),
            group=Group.CREDENTIAL,
        ),
    ] = False
    create_project: Annotated[
        bool,
        Option(
            help="Let an exchange that is only tried create a pending publisher's project, as PyPI does at once.",
            commands=frozenset({"plan", "publish", "doctor"}),
            metavar=None,
            inputs=("create-project",),
            group=Group.CREDENTIAL,
        ),
    ] = False
    mint: Annotated[
        bool,
        Option(
            help="Do a real token exchange; the token is burnt at once.",
            commands=frozenset({"doctor"}),
            group=Group.CREDENTIAL,
        ),
    ] = False
    spend_token: Annotated[
        bool,
        Option(
            help="On GitLab, use up the job's only identity token for the exchange that mint tries.",
            commands=frozenset({"doctor"}),
            group=Group.CREDENTIAL,
        ),
    ] = False
