"""The identity of the job, made when it is first needed, and what its tokens said about it."""

from collections.abc import Callable
from functools import cache

from ci_publish.errors import CiPublishError
from ci_publish.model.identity import Claims, IdentityToken, Provider
from ci_publish.publishing.ports import IdentitySource


class RememberedIdentity:
    """An ``IdentitySource``, made when it is first asked, that remembers whose tokens it gave to judge attestations."""

    def __init__(self, make: Callable[[], IdentitySource]) -> None:
        self._source = cache(make)
        self.claims: Claims | None = None

    @property
    def provider(self) -> Provider | None:
        """Which CI this is."""
        return self._source().provider

    @property
    def repeatable(self) -> bool:
        """Whether a second token for the same audience can be had."""
        return self._source().repeatable

    def missing(self, audience: str | None) -> CiPublishError | None:
        """Return what the environment lacks for a token."""
        return self._source().missing(audience)

    def token(self, audience: str) -> IdentityToken:
        """Fetch an identity token and remember its claims."""
        token = self._source().token(audience)
        self.claims = token.claims
        return token
