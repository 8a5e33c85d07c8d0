"""The variables of other upload tools: each is used or an error, and never silently ignored.

A destination that another tool's variable names is used, or the run stops with an error that names the variable. A
secret of another tool goes only where its variable, or the secret itself, says that it belongs.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ci_publish.app.options import Origin, Source
from ci_publish.errors import ConfigurationError
from ci_publish.hints import Hint, option
from ci_publish.http.urls import redacted_url, split_url, url_host, url_origin
from ci_publish.identity.macaroons import has_pypi_token_prefix, is_token_issued_for
from ci_publish.index.endpoints import PYPI, TESTPYPI, resolve_endpoints
from ci_publish.model.events import Noted
from ci_publish.model.frozen import frozen
from ci_publish.model.identity import Secret
from ci_publish.model.index import IndexProfile


@frozen(kw_only=True)
class Tool:
    """An upload tool: the variables in which it takes a destination, a user and a secret, the strongest first.

    Without users and secrets, only its destination counts.
    """

    name: str
    addresses: tuple[str, ...]
    users: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()

    def destination_variables(self, environ: Mapping[str, str]) -> list[str]:
        """Return the variables that name a destination."""
        return [name for name in self.addresses if environ.get(name, "").strip()]

    def find_secret(self, environ: Mapping[str, str]) -> "ToolSecret | None":
        """Return the secret that a variable holds, with the user that belongs to it."""
        variable = next((name for name in self.secrets if environ.get(name, "").strip()), None)
        if variable is None:
            return None
        users = () if variable == "UV_PUBLISH_TOKEN" else self.users
        user_variable = next((name for name in users if environ.get(name)), None)
        return ToolSecret(
            tool=self.name,
            variable=variable,
            secret=Secret(environ[variable].strip()),
            user=environ[user_variable].strip() if user_variable else None,
            user_variable=user_variable,
        )


@frozen(kw_only=True)
class ToolSecret:
    """A tool's secret, with the variable that holds it and the variable of its user."""

    tool: str
    variable: str
    secret: Secret
    user: str | None
    user_variable: str | None

    def as_options(self, user: str | None) -> dict[str, tuple[Any, Origin]]:
        """Return the secret and its user. Raises ConfigurationError if *user*, who was given for ours, is another."""
        if user is not None and self.user is not None and user != self.user:
            hint = Hint(
                "Make them equal, or set ", option("password"), f" to that user's secret and unset {self.variable}."
            )
            raise ConfigurationError(
                f"{self.variable} is the secret of {self.user_variable}, but another user was given for ci-publish.",
                hints=(hint,),
            )
        options: dict[str, tuple[Any, Origin]] = {"password": (self.secret, Origin(Source.OTHER_TOOL, self.variable))}
        if user is None and self.user_variable is not None:
            options["user"] = self.user, Origin(Source.OTHER_TOOL, self.user_variable)
        return options


TOOLS = (
    Tool(
        name="twine",
        addresses=("TWINE_REPOSITORY_URL", "TWINE_REPOSITORY"),
        users=("TWINE_USERNAME",),
        secrets=("TWINE_PASSWORD",),
    ),
    Tool(
        name="uv",
        addresses=("UV_PUBLISH_URL", "UV_PUBLISH_INDEX"),
        users=("UV_PUBLISH_USERNAME",),
        secrets=("UV_PUBLISH_TOKEN", "UV_PUBLISH_PASSWORD"),
    ),
    Tool(name="hatch", addresses=("HATCH_INDEX_REPO",)),
    Tool(name="flit", addresses=("FLIT_INDEX_URL",)),
    Tool(name="pdm", addresses=("PDM_PUBLISH_REPO",)),
    Tool(name="maturin", addresses=("MATURIN_REPOSITORY_URL", "MATURIN_REPOSITORY")),
)
_HATCH_NAMES = {"main": "pypi", "test": "testpypi"}

_NEVER_USED = ("PYPI_TOKEN", "HATCH_INDEX_AUTH", "FLIT_PASSWORD", "PDM_PUBLISH_PASSWORD", "MATURIN_PYPI_TOKEN")
_NEVER_USED_PREFIX = "POETRY_PYPI_TOKEN_"


def unused_secret_variables(environ: Mapping[str, str]) -> list[str]:
    """Return the variables that hold a secret of a tool whose variables are never used; for hints."""
    return [
        name
        for name in sorted(environ)
        if (name in _NEVER_USED or name.startswith(_NEVER_USED_PREFIX)) and environ[name]
    ]


def destination_in_variable(variable: str, environ: Mapping[str, str]) -> str:
    """Return the name or URL in a tool's variable; hatch calls PyPI ``main`` and TestPyPI ``test``."""
    value = environ[variable].strip()
    return _HATCH_NAMES.get(value, value) if variable == "HATCH_INDEX_REPO" else value


@frozen(kw_only=True)
class OwnSettings:
    """The settings of ci-publish itself: those from all sources but other tools.

    ``addresses`` are upload URLs, empty if nothing names a destination; ``credential`` is how the user spelled an
    option that gives one. ``in_action``: PyPI is the visible default. ``identity``: an identity can be requested.
    ``token_for`` holds the hosts to which API tokens of other indexes may go.
    """

    addresses: tuple[str, ...] = ()
    spelled: str = ""
    credential: str | None = None
    user: str | None = None
    in_action: bool = False
    identity: bool = False
    token_for: frozenset[str] = frozenset()

    def admits(self, secret: Secret, address: str) -> bool:
        """Return whether a secret that only another tool's variable holds may be sent to *address*."""
        host = url_host(address)
        if secret.satisfies(lambda text: is_token_issued_for(text, host) is True):
            return True
        if secret.satisfies(lambda text: is_token_issued_for(text, host) is False):
            return host in self.token_for
        return bool(self.addresses) and not any(is_same_destination(address, each.upload) for each in (PYPI, TESTPYPI))


@frozen
class Decision:
    """The values taken from other tools, by option and with their origin, and notes for the user."""

    taken: Mapping[str, tuple[Any, Origin]]
    notes: tuple[Noted, ...] = ()


@frozen
class _Named:
    """A destination that a tool's variable names. ``upload`` is the URL that it refers to."""

    tool: str
    variable: str
    upload: str

    @property
    def shown(self) -> str:
        """The URL, as it may be shown."""
        return redacted_url(self.upload)


def decide_other_tools_settings(
    ours: OwnSettings, environ: Mapping[str, str], upload_of: Callable[[str, str], str]
) -> Decision:
    """Return the settings that a run takes from other tools. Raises ConfigurationError for those it cannot use.

    *upload_of* returns the upload URL of a name or URL, given what it is called; it may raise ConfigurationError.
    """
    named = _named_destinations(environ, upload_of)
    secrets = [found for tool in TOOLS if (found := tool.find_secret(environ)) is not None]
    destination = _destination_to_take_over(ours, named)
    taken: dict[str, tuple[Any, Origin]] = {}
    secret: ToolSecret | None = None
    notes: tuple[Noted, ...] = ()
    if destination is not None:
        taken["repository_url"] = (destination.upload,), Origin(Source.OTHER_TOOL, destination.variable)
        tools = {each.tool for each in named}
        secret = _require_single_secret([each for each in secrets if each.tool in tools])
        notes = tuple(
            Noted(
                slug="foreign-credential-unused",
                message=f"{each.variable} is not used: another tool's variable names the destination.",
            )
            for each in secrets
            if each.tool not in tools
        )
    elif ours.credential is None:
        secret, notes = _secret_for_ci_publish_destination(ours, secrets)
    if secret is not None:
        taken |= secret.as_options(ours.user)
    if taken:
        variables = ", ".join(dict.fromkeys(origin.spelled for _, origin in taken.values()))
        notes = (Noted(slug="foreign-variables", message=f"Using {variables}.", warning=False), *notes)
    return Decision(taken, notes)


# --- destination


def _named_destinations(environ: Mapping[str, str], upload_of: Callable[[str, str], str]) -> list[_Named]:
    """Return every destination that a tool's variable names. Raises ConfigurationError if two differ."""
    named = [
        _Named(tool.name, variable, upload_of(destination_in_variable(variable, environ), variable))
        for tool in TOOLS
        for variable in tool.destination_variables(environ)
    ]
    other = next((each for each in named[1:] if not is_same_destination(each.upload, named[0].upload)), None)
    if other is not None:
        raise ConfigurationError(
            f"{named[0].variable} and {other.variable} name different indexes: {named[0].shown} and {other.shown}.",
            hints=(f"Unset the wrong one: {named[0].variable} or {other.variable}.",),
        )
    return named


def _destination_to_take_over(ours: OwnSettings, named: Sequence[_Named]) -> _Named | None:
    """Return the destination to use; None for our own setting or the default. Raises ConfigurationError."""
    if not named:
        return None
    first = named[0]
    if ours.addresses:
        if any(is_same_destination(first.upload, address) for address in ours.addresses):
            return None
        addresses = ", ".join(redacted_url(address) for address in ours.addresses)
        raise ConfigurationError(
            f"{ours.spelled} and {first.variable} name different indexes: {addresses} and {first.shown}.",
            detail=f"{first.variable} belongs to {first.tool}. An upload to the wrong index cannot be undone.",
            hints=(f"Unset {first.variable}, or correct {ours.spelled}.",),
        )
    if ours.in_action:
        if is_same_destination(first.upload, PYPI.upload):
            return None
        raise ConfigurationError(
            f"{first.variable} names {first.shown}, but the input repository-url is not set, which means PyPI.",
            detail="Publishing to the wrong one would be a mistake that cannot be undone.",
            hints=(
                Hint("To publish there: ", option("repository_url", first.shown)),
                f"To publish to PyPI, remove {first.variable} from the job's `env:`.",
            ),
        )
    if ours.credential is not None:
        raise ConfigurationError(
            f"{first.variable} names the index {first.shown}, but {ours.credential} sets a credential.",
            detail="It is not clear whether this credential is for that index.",
            hints=(
                Hint("If it is, set: ", option("repository_url", first.shown)),
                Hint("If it is for PyPI: ", option("repository_url", "pypi"), f", and unset {first.variable}."),
            ),
        )
    return first


def is_same_destination(one: str, other: str) -> bool:
    """Return whether two upload URLs lead to the same place."""
    return _canonical_destination_url(one) == _canonical_destination_url(other)


def _canonical_destination_url(url: str) -> tuple[str, int | None, str]:
    return url_host(url), url_origin(url)[2], split_url(url).path.rstrip("/")


# --- credential


def _require_single_secret(found: Sequence[ToolSecret]) -> ToolSecret | None:
    """Return the only secret, None without any. Raises ConfigurationError if two tools hold different ones."""
    if not found:
        return None
    first = found[0]
    other = next((each for each in found[1:] if each.secret != first.secret), None)
    if other is not None:
        raise ConfigurationError(
            f"{first.variable} and {other.variable} contain different secrets, and it is not clear which one to use.",
            hints=(Hint(f"Unset {first.variable} or {other.variable}, or set ", option("password"), "."),),
        )
    return first


def _secret_for_ci_publish_destination(
    ours: OwnSettings, found: Sequence[ToolSecret]
) -> tuple[ToolSecret | None, tuple[Noted, ...]]:
    """Return the secret to use at a destination that no other tool names. Raises ConfigurationError if none fits."""
    addresses = ours.addresses or (PYPI.upload,)
    if (
        found
        and ours.in_action
        and ours.identity
        and all(
            resolve_endpoints(each, allow_http=frozenset({url_host(each)})).profile is IndexProfile.PYPI
            for each in addresses
        )
    ):
        names = " and ".join(each.variable for each in found)
        message = f"{names}: not used, because this job can use Trusted Publishing."
        hint = Hint("To publish with it instead: ", option("password", f"${{{{ secrets.{found[0].variable} }}}}"))
        return None, (Noted(slug="foreign-credential-unused", message=message, hints=(hint,)),)
    secret = _require_single_secret(found)
    if secret is None or any(ours.admits(secret.secret, address) for address in addresses):
        return secret, ()
    where = ", ".join(redacted_url(address) for address in addresses)
    token = secret.secret.satisfies(has_pypi_token_prefix)
    what = "was apparently not issued there" if token else "does not show that it was issued there"
    raise ConfigurationError(
        f"{secret.variable} contains a secret for another tool, and it is not clear whether it is for {where}.",
        detail=f"It {what}, and a secret is never sent to an index that may not have issued it.",
        hints=(
            Hint(f"If it is for {where}, pass it as ", option("password"), "."),
            *(
                ()
                if ours.addresses
                else (Hint("If it is for another index, specify that index: ", option("repository_url", "URL")),)
            ),
            f"If it is not needed here, unset {secret.variable}.",
        ),
    )
