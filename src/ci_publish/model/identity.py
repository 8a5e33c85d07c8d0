"""Secrets, identity tokens and upload tokens."""

import hmac
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, NoReturn, Protocol, TypeVar

from ci_publish.errors import CiPublishError
from ci_publish.model.frozen import frozen
from ci_publish.model.token_scope import TokenScope

Facts = TypeVar("Facts")


class Secret:
    """A string that is never shown: printing and formatting it give ``***``, and it cannot be pickled.

    ``reveal()`` is called by the clients that send it and by the masking port, nowhere else (a test checks this).
    """

    __slots__ = ("__value",)

    def __init__(self, value: str) -> None:
        self.__value = value

    def reveal(self) -> str:
        """Return the text itself, to be sent or masked."""
        return self.__value

    @property
    def is_blank(self) -> bool:
        """Whether the text contains only whitespace."""
        return not self.__value.strip()

    def satisfies(self, question: Callable[[str], bool]) -> bool:
        """Answer a yes-or-no question about the text, such as ``str.isspace``, without letting it out."""
        return bool(question(self.__value))

    def read(self, reader: Callable[[str], Facts]) -> Facts:
        """Return what *reader* makes of the text: facts that are no secret, such as the expiry that a token states."""
        return reader(self.__value)

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __format__(self, format_spec: str) -> str:
        return "***"

    def __bool__(self) -> bool:
        return bool(self.__value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self.__value.encode(), other.__value.encode())

    def __hash__(self) -> int:
        return hash((Secret, self.__value))

    def __copy__(self) -> "Secret":
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> "Secret":
        return self

    def __reduce__(self) -> NoReturn:
        message = "a secret cannot be pickled"
        raise TypeError(message)


class Provider(StrEnum):
    """The CI systems that issue OIDC identity tokens."""

    GITHUB = "github"
    GITLAB = "gitlab"
    GOOGLE = "google"
    BUILDKITE = "buildkite"
    CIRCLECI = "circleci"


class CredentialKind(StrEnum):
    """How a run authenticates to an index."""

    TRUSTED_PUBLISHING = "trusted-publishing"
    API_TOKEN = "api-token"  # noqa: S105  (a kind, not a secret)
    PASSWORD = "password"  # noqa: S105  (a kind, not a secret)
    NONE = "none"


Claims = Mapping[str, Any]


@frozen(kw_only=True)
class IdentityToken:
    """An OIDC identity token of the CI job for one audience, with its claims decoded but not verified."""

    secret: Secret
    audience: str
    provider: Provider
    claims: Claims

    @property
    def expires(self) -> float | None:
        """Seconds since the epoch, or None if the token does not say."""
        value = self.claims.get("exp")
        return float(value) if isinstance(value, int | float) else None


class IdentitySource(Protocol):
    """The CI job's identity (``identity.ambient_identity``): a port, of which every implementation passes one test."""

    @property
    def provider(self) -> Provider | None:
        """The CI that this is; None for an unknown one."""

    @property
    def repeatable(self) -> bool:
        """Whether a second token for the same audience can be had (GitHub: yes; GitLab: one a job and audience)."""

    def missing_identity_error(self, audience: str | None) -> CiPublishError | None:
        """Return what the environment lacks for a token for *audience* (None: not known yet); no request is sent.

        None if nothing is known to be missing; ``token`` may fail nevertheless.
        """

    def token(self, audience: str) -> IdentityToken:
        """Fetch an OIDC identity token, masked before it is returned. Raises IdentityUnavailable."""


@frozen
class Purpose:
    """The purpose of an upload credential: the projects, and whether attestations must be created."""

    projects: tuple[str, ...] = ()
    attesting: bool = False


@frozen(kw_only=True)
class CredentialState:
    """What reports may know about a credential: never the secret. ``scope`` is what its token states, if it does."""

    kind: CredentialKind
    provider: str | None = None
    expires: float | None = None
    burnt: bool | None = None
    scope: TokenScope | None = None
