"""The credentials that the user provided for each index, and the collaborators of every credential."""

import random
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from ci_publish.app.runtime_context import RuntimeContext
from ci_publish.app.settings import Settings
from ci_publish.errors import CiPublishError
from ci_publish.http.messages import Authorization, BasicAuthorization
from ci_publish.http.transport import HttpTransport
from ci_publish.http.urls import url_host
from ci_publish.identity.ci_environment import github_compatible_runner
from ci_publish.identity.context import IdentityContext, keep_no_burn_request
from ci_publish.identity.credential_choice import (
    KEYRING_NAME,
    CredentialOptions,
    credential_options_for_index,
    shared_secret_error,
)
from ci_publish.identity.keyring import KeyringEntry, requested_keyring
from ci_publish.identity.static_credentials import (
    TOKEN_USER,
    expired_api_token_error,
    static_credential_objection,
)
from ci_publish.model.identity import IdentitySource
from ci_publish.model.index import Endpoints
from ci_publish.publishing.interruption import Interruption


class ConfiguredCredentials:
    """Reads the credentials that settings and keyring give; the keyring is asked once for each index.

    *transport* still sends while the run is being stopped.
    """

    def __init__(
        self,
        *,
        settings: Settings,
        context: RuntimeContext,
        interruption: Interruption,
        transport: HttpTransport,
        identity: IdentitySource,
    ) -> None:
        self._settings = settings
        self._context = context
        self._interruption = interruption
        self._transport = transport
        self._identity = identity
        self._entries: dict[str, KeyringEntry | None] = {}

    def require_secret_not_shared(self, destinations: Sequence[Endpoints]) -> None:
        """Raise ConfigurationError for a secret that several of these servers would be shown."""
        if self._settings.keyring:
            return  # a keyring holds a secret for each index
        if error := shared_secret_error(destinations, self.credential_options()):
            raise error

    def require_usable_credential(self, endpoints: Endpoints) -> None:
        """Raise what this index would reject at any time: nothing need be asked to know it.

        Nothing is required of what is missing or has expired: a run that has nothing to upload needs no credential.
        """
        if error := secret_objection_at_index(endpoints, self.credential_options(endpoints)):
            raise error

    def credential_options(self, endpoints: Endpoints | None = None) -> CredentialOptions:
        """Return the credential that the user provided; with ``keyring``, the one from the keyring for *endpoints*."""
        given = credential_options_of_settings(self._settings, self._context.password_name)
        if endpoints is None or not given.keyring or given.secret is not None:
            return given
        if endpoints.upload not in self._entries:
            keyring = self._context.keyring or requested_keyring()
            self._entries[endpoints.upload] = keyring(endpoints.upload, self._settings.user)
        entry = self._entries[endpoints.upload]
        return given if entry is None else replace(given, user=entry.user, secret=entry.secret, name=KEYRING_NAME)

    def identity_context(self) -> IdentityContext:
        """Return the collaborators of every credential."""
        guard = self._interruption.guard
        return IdentityContext(
            source=self._identity,
            transport=self._transport,
            waiting=self._interruption.grace_period(),
            emit=self._context.emit,
            mask=self._context.mask,
            clock=time.time,
            random=random.random,
            shielded=self._interruption.shielded_from_cut,
            keyring=self._context.keyring,
            timeout=self._settings.timeout,
            runner=github_compatible_runner(self._context.environ)
            if self._context.environ.get("GITHUB_ACTIONS")
            else None,
            guard=keep_no_burn_request if guard is None else partial(guard.keep, allow_http=self._settings.allow_http),
        )

    def listing_authorization(self, endpoints: Endpoints) -> Authorization | None:
        """Listings are fetched with the upload's own password or API token; the client keeps it on the same origin."""
        given = credential_options_for_index(endpoints, self.credential_options(endpoints))
        user = given.user or TOKEN_USER
        if not given.secret or static_credential_objection(endpoints, user, given.secret, given.name):
            return None
        if expired_api_token_error(given.secret, given.name, time.time()):
            return None
        self._context.mask(given.secret)
        return BasicAuthorization(user, given.secret)


def credential_options_of_settings(settings: Settings, password_name: str) -> CredentialOptions:
    """Return the credential from *settings* for every index, without the keyring."""
    return CredentialOptions(
        user=settings.user,
        secret=settings.password,
        name=password_name,
        anonymous=settings.anonymous,
        several=len(settings.repository_url) > 1,
        keyring=settings.keyring,
    )


def accepts_any_api_token(settings: Settings, endpoints: Endpoints) -> bool:
    """Return whether the user lets API tokens of other indexes go to this one: an upload proxy."""
    return url_host(endpoints.upload) in {host.casefold() for host in settings.token_for}


def secret_objection_at_index(endpoints: Endpoints, options: CredentialOptions) -> CiPublishError | None:
    """Return why the secret that *options* show to this index can never work there, None if it may or is missing."""
    given = credential_options_for_index(endpoints, options)
    if given.secret is None or given.secret.is_blank:
        return None
    return static_credential_objection(endpoints, given.user or TOKEN_USER, given.secret, given.name)
