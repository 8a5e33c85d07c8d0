"""Credentials that need no exchange: an API token, a password, or none."""

from ci_publish.errors import CiPublishError, EmptySecret, PasswordRefused
from ci_publish.http.messages import Authorization, BasicAuthorization
from ci_publish.model.events import Emit, Noted
from ci_publish.model.frozen import frozen
from ci_publish.model.identity import CredentialKind, CredentialState, Secret
from ci_publish.model.index import Endpoints, IndexProfile

TOKEN_USER = "__token__"  # noqa: S105  (a user name, the same for everybody)
_TOKEN_PREFIX = "pypi-"  # noqa: S105  (the prefix of all of them)


class StaticCredential:
    """An API token or a password, as given. Implements ``publishing.ports.Credential``."""

    def __init__(self, endpoints: Endpoints, user: str, secret: Secret, name: str, emit: Emit) -> None:
        """Take *secret* from the option *name*; the caller has masked it already."""
        self._endpoints = endpoints
        self._name = name
        self._authorization = BasicAuthorization(user, secret)
        self._emit = emit
        self._noted = False

    @property
    def state(self) -> CredentialState:
        """The kind, by the user name."""
        token = self._authorization.user == TOKEN_USER
        return CredentialState(CredentialKind.API_TOKEN if token else CredentialKind.PASSWORD)

    def missing(self) -> None:
        """Return None: it was given."""

    def prove(self) -> None:
        """Raise PasswordRefused or EmptySecret for what this index will refuse; note what looks odd, once."""
        if error := static_objection(self._endpoints, self._authorization.user, self._authorization.secret, self._name):
            raise error
        if not self._noted:
            self._noted = True
            for note in static_notes(self._endpoints, self._authorization.secret, self._name):
                self._emit(note)

    def hold(self) -> Authorization:
        """Return the user name and the secret."""
        self.prove()
        return self._authorization

    def renew(self, refused: Authorization | None) -> None:
        """Return None: there is no other."""

    def burn(self) -> None:
        """Do nothing: it belongs to the user."""


def is_blank(text: str) -> bool:
    """Return whether *text* holds nothing but white space."""
    return not text.strip()


def has_token_prefix(text: str) -> bool:
    """Return whether *text* begins as PyPI's API tokens do."""
    return text.startswith(_TOKEN_PREFIX)


def static_objection(endpoints: Endpoints, user: str, secret: Secret, name: str) -> CiPublishError | None:
    """Return why *user* and *secret* cannot work on this index, None where they may."""
    if secret.satisfies(is_blank):
        return empty_secret(name)
    if endpoints.profile is IndexProfile.PYPI and user != TOKEN_USER:
        return PasswordRefused(
            f"{endpoints.name} takes no user names and passwords, and the user {user!r} was given.",
            detail="PyPI accepts API tokens (user name `__token__`) and Trusted Publishing only.",
            hints=(
                "Best: leave user and password away and use Trusted Publishing, https://docs.pypi.org/trusted-publishers/",
                "Or make an API token in the account's settings, and give it with the user name __token__.",
            ),
        )
    return None


def empty_secret(name: str) -> EmptySecret:
    """Return the error for a secret that was given and is empty."""
    return EmptySecret(
        f"{name} was given, and it is empty.",
        detail="In CI this is usually a secret that is not set, is spelled otherwise, or is not passed to this job.",
        hints=(
            "Pull requests from forks get no secrets, and reusable workflows only those that are passed on.",
            "An environment's secrets reach only the jobs that name the environment.",
            "With Trusted Publishing no secret is needed: https://docs.pypi.org/trusted-publishers/",
        ),
    )


def static_notes(endpoints: Endpoints, secret: Secret, name: str) -> tuple[Noted, ...]:
    """Return what people should know about an API token for this index."""
    if endpoints.profile is not IndexProfile.PYPI:
        return ()
    notes = []
    if not secret.satisfies(has_token_prefix):
        hint = ("Copy the whole token, with its `pypi-` prefix, into the secret.",)
        message = f"{name} does not begin with `pypi-`, as API tokens of {endpoints.name} do."
        notes.append(Noted("api-token-prefix", message, hints=hint))
    hints = ("Set it up: https://docs.pypi.org/trusted-publishers/", "Attestations need it, too.")
    message = f"Trusted Publishing can replace the stored API token for {endpoints.name}."
    notes.append(Noted("trusted-publishing-available", message, warning=False, hints=hints))
    return tuple(notes)


@frozen
class AnonymousCredential:
    """No credential at all, because the user said so."""

    @property
    def state(self) -> CredentialState:
        """None."""
        return CredentialState(CredentialKind.NONE)

    def missing(self) -> None:
        """Return None: nothing is needed."""

    def prove(self) -> None:
        """Do nothing."""

    def hold(self) -> None:
        """Return None: requests go without authorization."""

    def renew(self, refused: Authorization | None) -> None:
        """Return None: there is no other."""

    def burn(self) -> None:
        """Do nothing."""


@frozen
class MissingCredential:
    """No credential can be had; said when one is needed, so that runs with nothing to upload do not fail for it."""

    error: CiPublishError

    @property
    def state(self) -> CredentialState:
        """None."""
        return CredentialState(CredentialKind.NONE)

    def missing(self) -> CiPublishError:
        """Return the error that says why."""
        return self.error

    def prove(self) -> None:
        """Raise the error that says why."""
        raise self.error

    def hold(self) -> None:
        """Raise the error that says why."""
        raise self.error

    def renew(self, refused: Authorization | None) -> None:
        """Return None: there is no other."""

    def burn(self) -> None:
        """Do nothing."""
