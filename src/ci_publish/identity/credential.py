"""Which credential a run shows to an index.

A secret that was given is used; else Trusted Publishing, where there is a CI; else nothing, where the user said so.
``.netrc`` is never read; a keyring only for people at a terminal, or where somebody asks for it.
"""

from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import urlsplit

from ci_publish.errors import ConfigurationError, IdentityUnavailable
from ci_publish.hints import SET_API_TOKEN, Hint, option
from ci_publish.identity.context import IdentityContext as IdentityContext  # noqa: PLC0414  (given out here, too: whoever chooses needs both)
from ci_publish.identity.macaroons import has_prefix
from ci_publish.identity.static import (
    TOKEN_USER,
    AnonymousCredential,
    MissingCredential,
    StaticCredential,
    empty_secret,
    is_blank,
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
    """What the user gave: ``secret`` None where nothing was, empty where an option was set to nothing.

    ``name`` is what the user calls the secret's option, for messages. ``anonymous``: upload without a credential.
    ``several``: the run publishes to more than one index; see ``meant_for``. ``keyring``: the secret must come from the
    keyring, and ``secret`` is what it holds.
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
    given: CredentialOptions,
    tools: IdentityContext,
    *,
    purpose: Purpose | None = None,
) -> Credential:
    """Return the credential for one index; nothing is asked or sent yet. *purpose*: where it is known already.

    ``authenticate`` and ``authorization`` raise what is missing or will be refused, so that a run that has nothing to
    upload needs no credential. Raises ConfigurationError for options that contradict each other.
    """
    if error := _contradiction(given):
        raise error
    withheld, given = given, meant_for(endpoints, given)
    if given.anonymous:
        return AnonymousCredential()
    if given.secret is not None and not given.secret.satisfies(is_blank):
        return _static(endpoints, given, given.secret, tools)
    if given.keyring:
        return MissingCredential(_not_in_keyring(endpoints, given))
    if given.trusted_publishing is TrustedPublishing.ALWAYS:
        return _trusted(endpoints, tools, purpose)
    if given.trusted_publishing is TrustedPublishing.AUTO and tools.source.provider is not None:
        return _trusted_instead(endpoints, given, tools, purpose)
    return _from_keyring(endpoints, given, tools) or MissingCredential(_nothing(endpoints, given, withheld))


def meant_for(endpoints: Endpoints, given: CredentialOptions) -> CredentialOptions:
    """Return what of *given* is for this index, where a run publishes to several.

    PyPI takes neither passwords nor anonymous uploads, so these are for the other indexes, and PyPI's API tokens
    (``pypi-…``) are shown to no index that is not like it. What is left without a secret uses Trusted Publishing.
    """
    if not given.several:
        return given
    api_token = given.user in {None, TOKEN_USER}
    if endpoints.profile is not IndexProfile.PYPI:
        theirs = api_token and given.secret is not None and given.secret.satisfies(has_prefix)
        return replace(given, secret=None) if theirs else given
    if given.anonymous or not api_token:
        return replace(given, user=None, secret=None, anonymous=False)
    return given


def shared(destinations: Sequence[Endpoints], given: CredentialOptions) -> ConfigurationError | None:
    """Return the error for a secret that several servers of one run would be shown; None where at most one is.

    Each server learns what it is shown, and an account's token or password on one is none of another's business.
    """
    takers: dict[tuple[str, str | None, int | None], str] = {}
    for endpoints in destinations:
        secret = meant_for(endpoints, given).secret
        if secret is not None and not secret.satisfies(is_blank):
            takers.setdefault(_server(endpoints.upload), endpoints.name)
    if len(takers) < 2:  # noqa: PLR2004  (one is nobody else)
        return None
    return ConfigurationError(
        f"{given.name} would be shown to several indexes: {', '.join(takers.values())}.",
        detail="An API token or password belongs to one of them; the others would learn it, and refuse it.",
        hints=(
            "Publish to each in a run of its own, with its own secret.",
            "Or use Trusted Publishing where the indexes have it: https://docs.pypi.org/trusted-publishers/",
        ),
    )


def _server(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"https": 443, "http": 80}.get(parts.scheme)


def _contradiction(given: CredentialOptions) -> ConfigurationError | None:
    if given.keyring and (given.anonymous or (given.secret is not None and given.name != KEYRING_NAME)):
        other = "anonymous" if given.anonymous else given.name
        return ConfigurationError(f"Both keyring and {other} were given.", hints=("Remove one of them.",))
    if (
        given.secret is None
        or given.secret.satisfies(is_blank)
        or not (given.anonymous or given.trusted_publishing is TrustedPublishing.ALWAYS)
    ):
        return None
    other = "no credential (anonymous)" if given.anonymous else "Trusted Publishing only (trusted-publishing: always)"
    return ConfigurationError(
        f"{given.name} was given together with the wish for {other}.",
        hints=("Remove one of them.",),
    )


def _static(endpoints: Endpoints, given: CredentialOptions, secret: Secret, tools: IdentityContext) -> StaticCredential:
    tools.mask(secret)
    return StaticCredential(
        endpoints=endpoints,
        user=given.user or TOKEN_USER,
        secret=secret,
        name=given.name,
        emit=tools.emit,
        clock=tools.clock,
    )


def _trusted(endpoints: Endpoints, tools: IdentityContext, purpose: Purpose | None) -> "TrustedPublishingCredential":
    from ci_publish.identity.upload_tokens import TrustedPublishingCredential  # noqa: PLC0415  (late: large)

    return TrustedPublishingCredential(endpoints, tools, purpose)


def _trusted_instead(
    endpoints: Endpoints, given: CredentialOptions, tools: IdentityContext, purpose: Purpose | None
) -> Credential:
    """Use Trusted Publishing; say so where an empty secret shows that something else was meant."""
    if given.secret is None:
        return _trusted(endpoints, tools, purpose)
    if given.user not in {None, TOKEN_USER}:
        return MissingCredential(empty_secret(given.name))
    message = f"{given.name} is empty (a secret that is not set?); Trusted Publishing is used instead."
    tools.emit(Noted(slug="empty-secret", message=message))
    return _trusted(endpoints, tools, purpose)


def _from_keyring(endpoints: Endpoints, given: CredentialOptions, tools: IdentityContext) -> StaticCredential | None:
    if tools.keyring is None:
        return None
    entry = tools.keyring(endpoints.upload, given.user or TOKEN_USER)
    if entry is None:
        return None
    return _static(
        endpoints, CredentialOptions(user=entry.user, secret=entry.secret, name=KEYRING_NAME), entry.secret, tools
    )


def _not_in_keyring(endpoints: Endpoints, given: CredentialOptions) -> IdentityUnavailable:
    return IdentityUnavailable(
        f"The keyring has no secret for {endpoints.upload}, user {given.user or TOKEN_USER}.",
        detail="It was asked because the option keyring is set; no other credential is used instead.",
        hints=(
            f"Store it: keyring set {endpoints.upload} {given.user or TOKEN_USER}",
            "Artifact Registry and CodeArtifact need their own back end and a login before this step.",
        ),
    )


def _nothing(endpoints: Endpoints, given: CredentialOptions, withheld: CredentialOptions) -> IdentityUnavailable:
    if given.secret is not None:
        return empty_secret(given.name)
    return IdentityUnavailable(
        f"There is no credential for {endpoints.name}.",
        detail=_why_nothing(given, withheld),
        hints=(
            *(_TRUSTED_PUBLISHING if endpoints.profile is IndexProfile.PYPI else ()),
            SET_API_TOKEN,
            *(
                _anonymous(endpoints)
                if given == withheld
                else ("Indexes that need different secrets need a run each.",)
            ),
        ),
    )


_TRUSTED_PUBLISHING = (
    "In GitHub Actions, GitLab CI or Google Cloud, Trusted Publishing needs no secret: run in a job there.",
)


def _anonymous(endpoints: Endpoints) -> tuple[str, ...]:
    if endpoints.profile is IndexProfile.PYPI:
        return ()
    return (Hint("If this index takes uploads from anybody: ", option("anonymous", "true")),)


def _why_nothing(given: CredentialOptions, withheld: CredentialOptions) -> str:
    if given != withheld:
        return (
            f"{'The wish for no credential' if withheld.anonymous else withheld.name} is for other indexes of this run:"
            " PyPI takes no passwords and no anonymous uploads, and its API tokens are shown to no other index."
        )
    if given.trusted_publishing is TrustedPublishing.NEVER:
        return "Trusted Publishing is switched off, and no password was given."
    return "Not running in a CI that issues OIDC identity tokens, and no password or API token was given."
