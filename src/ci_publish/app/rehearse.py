"""`ci-publish rehearse`: the whole run, against an index, an identity provider and a Sigstore on loopback.

The destination and the credential of the real run determine what is simulated. Only the form of the secret is checked:
it is never sent. No identity is requested, and nothing is sent to the real index.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from ci_publish.app.composition import Composition
from ci_publish.app.configured_credentials import (
    accepts_any_api_token,
    credential_options_of_settings,
    secret_objection_at_index,
)
from ci_publish.app.install_credentials import refuse_install_with_credentials
from ci_publish.app.installing import install_rehearsed_files
from ci_publish.app.named_audiences import named_audiences
from ci_publish.app.runtime_context import RuntimeContext
from ci_publish.app.served_rehearsal import announce_served_rehearsal
from ci_publish.app.settings import Settings
from ci_publish.app.stated_release import environment_with_tag, release_tag_of_job
from ci_publish.app.upstream_check import UpstreamCheck
from ci_publish.app.upstreams import open_named_upstream, read_pip_settings, upstream_address
from ci_publish.distributions.release_guesses import guess_releases_of_paths
from ci_publish.errors import ConfigurationError
from ci_publish.hints import Hint, option
from ci_publish.http.transport import ConnectionLimits, HttpTransport
from ci_publish.identity.credential_choice import credential_options_for_index
from ci_publish.identity.static_credentials import TOKEN_USER
from ci_publish.index.endpoints import resolve_endpoints
from ci_publish.model.distribution import Distribution
from ci_publish.model.events import Collected, Event, Outcome
from ci_publish.model.frozen import frozen
from ci_publish.model.identity import Secret
from ci_publish.model.index import Endpoints, IndexProfile
from ci_publish.publishing.interruption import Interruption
from ci_publish.publishing.publish import plan, publish
from ci_publish.rehearsal.installation.interpreters import find_python_executables
from ci_publish.rehearsal.overlay import UpstreamOverlay
from ci_publish.rehearsal.simulated_job import RehearsedJob, rehearsed_job
from ci_publish.rehearsal.world import RehearsalWorld

_NO_CREDENTIAL: Final[Mapping[str, object]] = {
    "user": TOKEN_USER,
    "password": None,
    "password_stdin": False,
    "keyring": False,
    "config_file": None,
    "audience": (),
}
"""The options that give a credential, without one; ``anonymous`` depends."""


@frozen(kw_only=True)
class SimulatedDestination:
    """How one destination of the real run is simulated; ``profile`` decides which rules its index follows.

    ``token``: the real run shows a secret, so the rehearsal shows an API token of its own index.
    """

    address: str
    name: str
    profile: IndexProfile
    user: str
    token: bool
    anonymous: bool


def rehearse(settings: Settings, context: RuntimeContext, *, paths_given: bool = True) -> Outcome:
    """Publish to a rehearsal world on loopback; with ``serve``, leave it up until a signal comes.

    The job that is simulated is the one it runs in, as far as that job can be identified; its real identity is not
    used. Several destinations are simulated one after the other. Raises the CiPublishError that ended the rehearsal.
    """
    if settings.install:
        _refuse_impossible_installation(settings, context)
    job = rehearsed_job(context.environ)
    destinations = [
        rehearsed_destination(settings, address, context.password_name) for address in settings.repository_url
    ]
    named_audiences(
        settings.audience, {address: _real_endpoints(settings, address) for address in settings.repository_url}
    )
    with ExitStack() as stack:
        overlay, upstream = (
            _upstream_overlay(settings, context, stack) if settings.serve or settings.install else (None, None)
        )
        # All are open before the first is published to.
        worlds = [
            stack.enter_context(
                _rehearsal_world(settings, destination, job, None if number else overlay, first=not number)
            )
            for number, destination in enumerate(destinations)
        ]
        for world, destination in zip(worlds, destinations, strict=True):
            if paths_given or not settings.serve:
                files = _publish_to_world(world, destination, job, settings, context)
                if settings.install and world is worlds[0] and upstream is not None:
                    install_rehearsed_files(world, files, settings, context, upstream.require_answering_upstream)
        if settings.serve and upstream is not None:
            _serve_rehearsal_world(worlds[0], destinations[0], upstream, settings, context)
    return Outcome.REHEARSED


def _refuse_impossible_installation(settings: Settings, context: RuntimeContext) -> None:
    """Raise errors that an installation would certainly end with, before anything is signed."""
    refuse_install_with_credentials(settings, context.environ)
    if settings.dry_run:
        raise ConfigurationError(
            "install and dry-run contradict each other: a rehearsal that only creates a plan has nothing to install.",
            hints=(
                Hint("To install, without publishing anything outside this machine: ", option("dry_run", "false")),
                Hint("To plan only: ", option("install", "false")),
            ),
        )
    find_python_executables(settings.python, context.environ.get("PATH"))


def _upstream_overlay(
    settings: Settings, context: RuntimeContext, stack: ExitStack
) -> tuple[UpstreamOverlay, UpstreamCheck]:
    """Return what answers installers for other projects; the names of the files to rehearse never get there."""
    address = upstream_address(settings.upstream, lambda: read_pip_settings(context.environ))
    for note in address.notes:
        context.emit(note)
    allowed = frozenset(settings.allow_http)

    def transport() -> HttpTransport:
        waiting = context.interruption or Interruption(settings.deadline)
        limits = ConnectionLimits(allow_http=allowed)
        made = HttpTransport(waiting=waiting, emit=context.emit, limits=limits, environ=context.environ)
        stack.callback(made.close)
        return made

    upstream = open_named_upstream(address, transport, context.mask, allow_http=allowed, everything=settings.tls)
    rehearsed_names = (project for project, _ in guess_releases_of_paths(settings.paths, recursive=settings.recursive))
    return UpstreamOverlay(upstream, rehearsed_names), UpstreamCheck(address, upstream, transport)


@contextmanager
def _rehearsal_world(
    settings: Settings,
    destination: SimulatedDestination,
    job: RehearsedJob,
    overlay: UpstreamOverlay | None,
    *,
    first: bool,
) -> Iterator[RehearsalWorld]:
    """Open a world that simulates one destination; each has its own folder, the first one the folder itself."""
    storage = settings.world
    if storage is not None and not first:
        storage = storage / Path(destination.name.replace("/", "-").replace(":", "-"))
    port = settings.port if first else 0
    with RehearsalWorld(storage=storage, port=port, tls=settings.tls, claims=job.claims, overlay=overlay) as world:
        if destination.profile is IndexProfile.GENERIC:
            world.index.rules.any_user = True
            if destination.anonymous:
                world.index.accept_anonymous()
        yield world


def _publish_to_world(
    world: RehearsalWorld,
    destination: SimulatedDestination,
    job: RehearsedJob,
    settings: Settings,
    context: RuntimeContext,
) -> tuple[Distribution, ...]:
    """Publish to *world* as a job of the identity provider in *world*; with ``dry_run``, only plan.

    Return the files that its index has now.
    """
    found: list[Distribution] = []

    def emit(event: Event) -> None:
        if isinstance(event, Collected):
            found.extend(event.distributions)
        context.emit(event)

    # before ``ambient``: the simulated job's tag is an example, not the user's
    tag = release_tag_of_job(context.environ)
    with world.ambient(job.provider), ExitStack() as stack:
        own = replace(context, environ=environment_with_tag(os.environ, tag), keyring=None, emit=emit)
        composition = stack.enter_context(closing(Composition(rehearsal_settings(settings, destination, world), own)))
        run = composition.compose_run("plan" if settings.dry_run else "publish")
        if settings.release_diff in {"listing", "full"}:
            reading = settings_without_credential(settings, destination.address)
            real = stack.enter_context(closing(Composition(reading, replace(context, keyring=None))))
            reference = real.open_index(destination.address, online=True)
            run = replace(run, destinations=tuple(replace(each, reference=reference) for each in run.destinations))
        (plan if settings.dry_run else publish)(run)
    return tuple(each for each in found if each.filename in world.index.files)


def settings_without_credential(settings: Settings, address: str) -> Settings:
    """Return *settings* for reading one index without any credential."""
    return settings.model_copy(update={**_NO_CREDENTIAL, "repository_url": (address,), "anonymous": True})


def rehearsed_destination(settings: Settings, address: str, password_name: str) -> SimulatedDestination:
    """Return what the real run would find and show at *address*; the secret itself is not kept.

    Raises what the real run would raise before it asks anything: for a secret that can never work there.
    """
    endpoints = _real_endpoints(settings, address)
    options = credential_options_of_settings(settings, password_name)
    if error := secret_objection_at_index(endpoints, options):
        raise error
    given = credential_options_for_index(endpoints, options)
    token = settings.keyring or (given.secret is not None and not given.secret.is_blank)
    return SimulatedDestination(
        address=address,
        name=endpoints.name,
        profile=endpoints.profile,
        user=given.user or TOKEN_USER,
        token=token,
        anonymous=given.anonymous,
    )


def _real_endpoints(settings: Settings, address: str) -> Endpoints:
    endpoints = resolve_endpoints(address, None, settings.index_profile, allow_http=frozenset(settings.allow_http))
    return replace(endpoints, takes_any_token=accepts_any_api_token(settings, endpoints))


def rehearsal_settings(settings: Settings, destination: SimulatedDestination, world: RehearsalWorld) -> Settings:
    """Return *settings* with the world's index and Sigstore, and no credential of the real world."""
    pypi = destination.profile is IndexProfile.PYPI
    return settings.model_copy(
        update={
            "repository_url": (world.repository_url,),
            "index_url": None,
            "index_profile": "auto" if pypi else "generic",
            **_NO_CREDENTIAL,
            "user": destination.user,
            "password": Secret(world.issue_api_token()) if destination.token else None,
            "anonymous": destination.anonymous,
            "allow_http": (),
            "sigstore_trust_config": world.trust_config_path,
            "release_diff": "off" if settings.release_diff == "auto" else settings.release_diff,
        }
    )


def _serve_rehearsal_world(
    world: RehearsalWorld,
    destination: SimulatedDestination,
    upstream: UpstreamCheck,
    settings: Settings,
    context: RuntimeContext,
) -> None:
    """Announce the addresses of the world, and wait for a signal; ending a served rehearsal is not a failure."""
    if settings.upstream is not None and (warning := upstream.unavailable_upstream_warning()) is not None:
        context.emit(warning)
    announce_served_rehearsal(world, settings, context, generic=destination.profile is IndexProfile.GENERIC)
    interruption = context.interruption
    if interruption is None:
        world.wait()
        return
    while not interruption.stopped:
        interruption.wait(3600.0)
