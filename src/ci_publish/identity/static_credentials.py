"""Credentials that need no exchange: an API token, a password, or none."""

import time
from collections.abc import Callable

from ci_publish.errors import ApiTokenUnusable, CiPublishError, EmptySecret, NotAnApiToken, PasswordRefused
from ci_publish.hints import Hint, option
from ci_publish.http.messages import Authorization, BasicAuthorization
from ci_publish.http.urls import url_host
from ci_publish.identity.macaroons import (
    ReadToken,
    TruncatedToken,
    has_pypi_token_prefix,
    is_token_issued_for,
    macaroon_location,
    read_pypi_token,
)
from ci_publish.model.events import Emit, Noted
from ci_publish.model.frozen import frozen
from ci_publish.model.identity import CredentialKind, CredentialState, Purpose, Secret
from ci_publish.model.index import Endpoints, IndexProfile

TOKEN_USER = "__token__"  # noqa: S105  (a user name, the same for everybody)
_SURROUNDING = frozenset("\"'` \t\r\n\u2018\u2019\u201c\u201d")


class StaticCredential:
    """An API token or a password, as given. Implements ``publishing.ports.Credential``."""

    def __init__(  # noqa: PLR0913  (one value each)
        self,
        *,
        endpoints: Endpoints,
        user: str,
        secret: Secret,
        name: str,
        emit: Emit,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Take *secret* from the option *name*; the caller has masked it already. *clock*: seconds since the epoch."""
        self._endpoints = endpoints
        self._clock = clock
        self._name = name
        self._authorization = BasicAuthorization(user, secret)
        self._emit = emit
        self._noted = False

    @property
    def state(self) -> CredentialState:
        """The kind, by the user name, and what an API token of PyPI states about itself."""
        if self._authorization.user != TOKEN_USER:
            return CredentialState(kind=CredentialKind.PASSWORD)
        says = self._endpoints.profile is IndexProfile.PYPI or self._endpoints.takes_any_token
        token = self._authorization.secret.read(read_pypi_token) if says else None
        return CredentialState(
            kind=CredentialKind.API_TOKEN, scope=token.scope if isinstance(token, ReadToken) else None
        )

    def missing_credential_error(self, purpose: Purpose | None = None) -> None:
        """Return None: it was given."""

    def authenticate(self, purpose: Purpose | None = None, *, mint: bool = True) -> None:  # noqa: ARG002  (nothing is minted)
        """Raise an error for a credential that this index will certainly reject; emit notes about it, once.

        The error is PasswordRefused, EmptySecret, NotAnApiToken, or ApiTokenUnusable for a token that has expired, is
        incomplete, or was issued by another index.
        """
        user, secret = self._authorization.user, self._authorization.secret
        if error := static_credential_objection(self._endpoints, user, secret, self._name):
            raise error
        if error := expired_api_token_error(secret, self._name, self._clock()):
            raise error
        if not self._noted:
            self._noted = True
            for note in api_token_notes(self._endpoints, self._authorization.secret, self._name):
                self._emit(note)

    def authorization(self) -> Authorization:
        """Return the user name and the secret."""
        self.authenticate()
        return self._authorization

    def renew(self, refused: Authorization | None) -> None:
        """Return None: there is no other."""

    def burn(self) -> None:
        """Do nothing: it belongs to the user."""


def static_credential_objection(endpoints: Endpoints, user: str, secret: Secret, name: str) -> CiPublishError | None:
    """Return why *user* and *secret* can never work on this index, at any time; None if they may."""
    if secret.is_blank:
        return empty_secret_error(name)
    if endpoints.profile is IndexProfile.PYPI and user != TOKEN_USER:
        return PasswordRefused(
            f"{endpoints.name} does not accept user names and passwords, but the user {user!r} was given.",
            detail="PyPI accepts API tokens (user name `__token__`) and Trusted Publishing only.",
            hints=(
                "Omit the user and password to use Trusted Publishing (recommended): https://docs.pypi.org/trusted-publishers/",
                "Or create an API token in your account settings, and use it with the user name __token__.",
            ),
        )
    if endpoints.is_pypi_or_testpypi and not secret.satisfies(has_pypi_token_prefix):
        return _not_an_api_token_error(endpoints, secret, name)
    if error := _foreign_api_token_error(endpoints, secret, name):
        return error
    if endpoints.profile is IndexProfile.PYPI and isinstance(secret.read(read_pypi_token), TruncatedToken):
        return ApiTokenUnusable(
            f"{name} is not a complete API token: its end is missing. It was not sent.",
            detail=f"It begins like an API token of {endpoints.name}, but ends before its signature.",
            hints=("Copy the whole token into the secret; if it is lost, create a new one in the account's settings.",),
        )
    return None


def _not_an_api_token_error(endpoints: Endpoints, secret: Secret, name: str) -> NotAnApiToken:
    surrounded = secret.satisfies(lambda text: text[:1] in _SURROUNDING or text[-1:] in _SURROUNDING)
    return NotAnApiToken(
        f"{name} does not begin with `pypi-`, as {endpoints.name}'s API tokens do; it was not sent.",
        detail=(
            "It begins or ends with a quote or whitespace, probably copied into the secret with the token."
            if surrounded
            else "It is a password, another service's token, or only part of a token."
        ),
        hints=(
            "Copy the whole token, with its `pypi-` prefix and without quotes or spaces, into the secret.",
            "Or remove the secret and use Trusted Publishing: https://docs.pypi.org/trusted-publishers/",
        ),
    )


def expired_api_token_error(secret: Secret, name: str, now: float) -> ApiTokenUnusable | None:
    """Return the error for an API token that has expired, as it states; *now* is in seconds since the epoch."""
    token = secret.read(read_pypi_token)
    expires = token.scope.expires if isinstance(token, ReadToken) else None
    if expires is None or now < expires:
        return None
    age = "less than a minute"
    for unit, size in (("minute", 60), ("hour", 3600), ("day", 86_400)):
        if number := int((now - expires) // size):
            age = f"{number} {unit}" if number == 1 else f"{number} {unit}s"
    return ApiTokenUnusable(
        f"{name} is an API token that expired {age} ago. It was not sent.",
        detail="The token contains its expiry date, which was compared with this machine's clock.",
        hints=(
            "Create a new API token and replace the secret. A retry does not help.",
            "Or use Trusted Publishing, which has no stored token: https://docs.pypi.org/trusted-publishers/",
        ),
    )


_PYPI_AND_TESTPYPI = {"pypi.org", "test.pypi.org"}


def _foreign_api_token_error(endpoints: Endpoints, secret: Secret, name: str) -> ApiTokenUnusable | None:
    """Return the error for a token that another index issued: it must not be sent to this one."""
    host = url_host(endpoints.upload)
    whole = isinstance(secret.read(read_pypi_token), ReadToken)
    if (
        endpoints.takes_any_token
        or not whole
        or not secret.satisfies(lambda text: is_token_issued_for(text, host) is False)
    ):
        return None
    issuer = secret.read(macaroon_location) or ""
    own = host.removeprefix("upload.") if endpoints.is_pypi_or_testpypi else host
    if {issuer, own} <= _PYPI_AND_TESTPYPI:
        detail = "PyPI and TestPyPI have separate accounts and API tokens."
        hints = [f"Create an API token at {own}, or publish to {issuer}."]
    else:
        detail = "An API token that begins with `pypi-` names the index that issued it, and is not sent to any other."
        hints = [
            f"Check the index's URL; to publish to {host}, use a secret issued by that index.",
            Hint(f"If {host} uploads to {issuer} for you (an upload proxy), allow it: ", option("token_for", host)),
        ]
    return ApiTokenUnusable(
        f"{name} is an API token of {issuer}, not of {own}. It was not sent.", detail=detail, hints=tuple(hints)
    )


def empty_secret_error(name: str) -> EmptySecret:
    """Return the error for a secret that was given and is empty."""
    return EmptySecret(
        f"{name} was given, but it is empty.",
        detail="In CI this is usually a secret that is not set, is misspelled, or is not passed to this job.",
        hints=(
            "Pull requests from forks get no secrets, and reusable workflows get only those passed to them.",
            "An environment's secrets are available only to jobs that name the environment.",
            "Trusted Publishing needs no secret: https://docs.pypi.org/trusted-publishers/",
        ),
    )


def api_token_notes(endpoints: Endpoints, secret: Secret, name: str) -> tuple[Noted, ...]:
    """Return the notes about an API token for this index."""
    if endpoints.profile is not IndexProfile.PYPI:
        return ()
    notes = []
    if not secret.satisfies(has_pypi_token_prefix):
        hint = ("Copy the whole token, with its `pypi-` prefix, into the secret.",)
        message = f"{name} does not begin with `pypi-`, as API tokens of {endpoints.name} do."
        notes.append(Noted(slug="api-token-prefix", message=message, hints=hint))
    hints = ("Set it up: https://docs.pypi.org/trusted-publishers/", "Attestations need it, too.")
    message = f"Trusted Publishing can replace the stored API token for {endpoints.name}."
    notes.append(Noted(slug="trusted-publishing-available", message=message, warning=False, hints=hints))
    return tuple(notes)


@frozen
class AnonymousCredential:
    """No credential at all, because the user said so."""

    @property
    def state(self) -> CredentialState:
        """None."""
        return CredentialState(kind=CredentialKind.NONE)

    def missing_credential_error(self, purpose: Purpose | None = None) -> None:
        """Return None: nothing is needed."""

    def authenticate(self, purpose: Purpose | None = None, *, mint: bool = True) -> None:
        """Do nothing."""

    def authorization(self) -> None:
        """Return None: requests go without authorization."""

    def renew(self, refused: Authorization | None) -> None:
        """Return None: there is no other."""

    def burn(self) -> None:
        """Do nothing."""


@frozen
class MissingCredential:
    """There is no credential. The error is raised only when one is needed, so runs without uploads do not fail."""

    error: CiPublishError

    @property
    def state(self) -> CredentialState:
        """None."""
        return CredentialState(kind=CredentialKind.NONE)

    def missing_credential_error(self, purpose: Purpose | None = None) -> CiPublishError:  # noqa: ARG002  (whatever it is for)
        """Return the error that says why."""
        return self.error

    def authenticate(self, purpose: Purpose | None = None, *, mint: bool = True) -> None:  # noqa: ARG002  (nothing is minted)
        """Raise the error that says why."""
        raise self.error

    def authorization(self) -> None:
        """Raise the error that says why."""
        raise self.error

    def renew(self, refused: Authorization | None) -> None:
        """Return None: there is no other."""

    def burn(self) -> None:
        """Do nothing."""
