"""The identity token of a job for signing: fetched again if the CI allows it."""

from collections.abc import Callable
from typing import Protocol

from ci_publish.attestations.attestation_publishers import token_validity_start
from ci_publish.errors import IdentityUnavailable, SigningFailed, SigningIdentityExpired
from ci_publish.model.identity import IdentityToken

AUDIENCE = "sigstore"


class SigningIdentitySource(Protocol):
    """The CI job's identity, as far as signing needs it (see ``model.identity.IdentitySource``)."""

    @property
    def repeatable(self) -> bool:
        """Whether a second token for the same audience can be had."""

    def token(self, audience: str) -> IdentityToken:
        """Fetch an OIDC identity token. Raises IdentityUnavailable."""


class SigningIdentity:
    """The identity token of a run, fetched again if the CI allows it."""

    def __init__(self, source: SigningIdentitySource, token: IdentityToken, wall: Callable[[], float]) -> None:
        self._source = source
        self._token = token
        self._wall = wall
        self._used = False

    def token_for_certificate(self) -> IdentityToken:
        """Return a token for the next certificate: a new one for each if possible. Raises SigningFailed.

        A token that was returned before it became valid (the clocks differ) is returned again.
        """
        now = self._wall()
        if self._used and self._source.repeatable:
            try:
                self._token = self._source.token(AUDIENCE)
            except IdentityUnavailable as error:
                raise SigningFailed(
                    f"The identity token for signing could not be renewed: {error.summary}",
                    detail=error.detail,
                    hints=error.hints,
                ) from error
        elif self._used and self._token.expires is not None and self._token.expires <= now:
            raise self.identity_expired_error("it has expired")
        self._used = token_validity_start(self._token) <= now
        return self._token

    def identity_expired_error(self, reason: str) -> SigningFailed:
        """Return the error for an identity that expired and cannot be renewed."""
        if self._source.repeatable:
            return SigningIdentityExpired(
                f"The identity token for signing repeatedly expired before it could be used ({reason}).",
                detail="The clock of this machine is probably wrong.",
                hints=("Correct the runner's clock (identity tokens are valid only for minutes), and try again.",),
            )
        return SigningIdentityExpired(
            f"Not all files could be signed with the job's only identity token for Sigstore: {reason}.",
            detail="This CI gives a job one identity token for each audience, when the job starts.",
            hints=(
                "Build in an earlier job, so that this one signs right after it starts.",
                "On GitLab, increase the job's `timeout`: it sets how long the job's tokens are valid.",
                "Running it again helps only if signing starts sooner.",
            ),
        )
