"""Which credential a run uses for an index.

A secret that the user gave is used; otherwise Trusted Publishing, in a CI; otherwise none, if the user asked for that.
``.netrc`` is never read, and a keyring only at a terminal or if the user asks for it.
"""

from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from ci_publish.errors import ConfigurationError, IdentityUnavailable
from ci_publish.hints import SET_API_TOKEN, Hint, option
from ci_publish.http.urls import url_origin
from ci_publish.identity.context import IdentityContext as IdentityContext  # noqa: PLC0414  (re-exported: callers of this module need both)
from ci_publish.identity.macaroons import has_pypi_token_prefix
from ci_publish.identity.static_credentials import (
    TOKEN_USER,
    AnonymousCredential,
    MissingCredential,
    StaticCredential,
    empty_secret_error,
)
from ci_publish.model.events import Noted
from ci_publish.model.frozen import frozen
from ci_publish.model.identity import Purpose, Secret
from ci_publish.model.index import Endpoints, IndexProfile

if TYPE_CHECKING:
    from ci_publish.identity.upload_tokens import TrustedPublishingCredential


class TrustedPublishing(StrEnum):
    """Whether a run uses Trusted Publishing."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


@frozen(kw_only=True)
class CredentialOptions:
    """The user's credential options: ``secret`` is None if no option was set, and empty if it was set to nothing.

    ``name`` is the secret's option in the user's front end, for messages. ``anonymous``: upload without a credential.
    ``several``: the run publishes to more than one index; see ``credential_options_for_index``. ``keyring``: the secret
    must come from the keyring, and ``secret`` is what it holds.
    """

    user: str | None = None
    secret: Secret | None = None
    name: str = "The password"
    trusted_publishing: TrustedPublishing = TrustedPublishing.AUTO
    anonymous: bool = False
    several: bool = False
    keyring: bool = False


KEYRING_NAME = "The keyring's secret"

Credential: TypeAlias = "TrustedPublishingCredential | StaticCredential | AnonymousCredential | MissingCredential"


def choose_credential(
    endpoints: Endpoints,
    options: CredentialOptions,
    tools: IdentityContext,
    *,
    purpose: Purpose | None = None,
) -> Credential:
    """Return the credential for one index; no request is sent yet. *purpose* may be passed if it is known already.

    Only ``authenticate`` and ``authorization`` raise an error for a credential that is missing or will be refused, so a
    run without uploads needs none. Raises ConfigurationError for options that contradict each other.
    """
    if error := _contradictory_credential_error(options):
        raise error
    withheld, options = options, credential_options_for_index(endpoints, options)
    missing = MissingCredential(_no_credential_error(endpoints, options, withheld))
    if options.anonymous:
        return AnonymousCredential()
    if options.secret is not None and not options.secret.is_blank:
        return _static_credential(endpoints, options, options.secret, tools)
    if options.keyring:
        return missing
    always = options.trusted_publishing is TrustedPublishing.ALWAYS
    if always or (options.trusted_publishing is TrustedPublishing.AUTO and tools.source.provider is not None):
        if options.secret is not None and not always:
            if options.user not in {None, TOKEN_USER}:
                return missing
            message = f"{options.name} is empty (a secret that is not set?); Trusted Publishing is used instead."
            tools.emit(Noted(slug="empty-secret", message=message))
        from ci_publish.identity.upload_tokens import TrustedPublishingCredential  # noqa: PLC0415  (late: large)

        return TrustedPublishingCredential(endpoints, tools, purpose)
    entry = tools.keyring(endpoints.upload, options.user or TOKEN_USER) if tools.keyring else None
    return (
        missing
        if entry is None
        else _static_credential(endpoints, CredentialOptions(user=entry.user, name=KEYRING_NAME), entry.secret, tools)
    )


def credential_options_for_index(endpoints: Endpoints, options: CredentialOptions) -> CredentialOptions:
    """Return the *options* that apply to this index if a run publishes to several.

    PyPI accepts neither passwords nor anonymous uploads, so these are for the other indexes. PyPI's API tokens
    (``pypi-…``) are sent only to indexes with PyPI's profile. An index for which no secret remains uses Trusted
    Publishing.
    """
    if not options.several:
        return options
    api_token = options.user in {None, TOKEN_USER}
    if endpoints.profile is not IndexProfile.PYPI:
        theirs = api_token and options.secret is not None and options.secret.satisfies(has_pypi_token_prefix)
        return replace(options, secret=None) if theirs else options
    if options.anonymous or not api_token:
        return replace(options, user=None, secret=None, anonymous=False)
    return options


def shared_secret_error(destinations: Sequence[Endpoints], options: CredentialOptions) -> ConfigurationError | None:
    """Return the error for a secret that a run would send to several servers; None if at most one would get it.

    A server can read the secrets that it receives, and must not learn the token or password of another server.
    """
    takers: dict[tuple[str, str, int | None], str] = {}
    for endpoints in destinations:
        secret = credential_options_for_index(endpoints, options).secret
        if secret is not None and not secret.is_blank:
            takers.setdefault(url_origin(endpoints.upload), endpoints.name)
    if len(takers) < 2:  # noqa: PLR2004  (one server is not several)
        return None
    return ConfigurationError(
        f"{options.name} would be sent to several indexes: {', '.join(takers.values())}.",
        detail="An API token or password belongs to one of them; the others would see it, and reject it.",
        hints=(
            "Publish to each index in a separate run, with its own secret.",
            "Or use Trusted Publishing where the indexes support it: https://docs.pypi.org/trusted-publishers/",
        ),
    )


def _contradictory_credential_error(options: CredentialOptions) -> ConfigurationError | None:
    if options.keyring and (options.anonymous or (options.secret is not None and options.name != KEYRING_NAME)):
        other = "anonymous" if options.anonymous else options.name
        return ConfigurationError(f"Both keyring and {other} were given.", hints=("Remove one of them.",))
    if (
        options.secret is None
        or options.secret.is_blank
        or not (options.anonymous or options.trusted_publishing is TrustedPublishing.ALWAYS)
    ):
        return None
    other = "no credential (anonymous)" if options.anonymous else "Trusted Publishing only (trusted-publishing: always)"
    return ConfigurationError(
        f"{options.name} was given together with a request for {other}.",
        hints=("Remove one of them.",),
    )


def _static_credential(
    endpoints: Endpoints, options: CredentialOptions, secret: Secret, tools: IdentityContext
) -> StaticCredential:
    tools.mask(secret)
    return StaticCredential(
        endpoints=endpoints,
        user=options.user or TOKEN_USER,
        secret=secret,
        name=options.name,
        emit=tools.emit,
        clock=tools.clock,
    )


def _no_credential_error(
    endpoints: Endpoints, options: CredentialOptions, withheld: CredentialOptions
) -> IdentityUnavailable:
    """Return why there is no credential: *options* are those of *withheld*, the user's, that apply to this index."""
    if options.keyring:
        user = options.user or TOKEN_USER
        return IdentityUnavailable(
            f"The keyring has no secret for {endpoints.upload}, user {user}.",
            detail="The option keyring is set, so no other credential is used instead.",
            hints=(
                f"Store it: keyring set {endpoints.upload} {user}",
                "Artifact Registry and CodeArtifact need their own keyring backend, and a login before this step.",
            ),
        )
    if options.secret is not None:
        return empty_secret_error(options.name)
    detail = "Not running in a CI that issues OIDC identity tokens, and no password or API token was given."
    if options != withheld:
        wish = "The request to use no credential" if withheld.anonymous else withheld.name
        detail = (
            f"{wish} is for other indexes of this run:"
            " PyPI accepts no passwords and no anonymous uploads, and its API tokens are not sent to other indexes."
        )
    elif options.trusted_publishing is TrustedPublishing.NEVER:
        detail = "Trusted Publishing is turned off, and no password was given."
    on_pypi = endpoints.profile is IndexProfile.PYPI
    hints: list[str] = [_TRUSTED_PUBLISHING, SET_API_TOKEN] if on_pypi else [SET_API_TOKEN]
    if options != withheld:
        hints.append("If indexes need different secrets, publish to each in a separate run.")
    elif not on_pypi:
        hints.append(Hint("If this index accepts uploads from anybody: ", option("anonymous", "true")))
    return IdentityUnavailable(f"There is no credential for {endpoints.name}.", detail=detail, hints=tuple(hints))


_TRUSTED_PUBLISHING = (
    "In GitHub Actions, GitLab CI or Google Cloud, Trusted Publishing needs no secret: run in a job there."
)
