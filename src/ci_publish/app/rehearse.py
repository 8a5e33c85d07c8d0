"""`ci-publish rehearse`: the whole staircase against a world of its own."""

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from typing import TextIO

from ci_publish.app.commands import recorded
from ci_publish.app.composition import Composition, Surroundings
from ci_publish.app.settings import Settings
from ci_publish.model.events import Outcome
from ci_publish.publishing import pipeline
from ci_publish.rehearsal.job import RehearsedJob, rehearsed_job
from ci_publish.rehearsal.world import RehearsalWorld


def rehearse(settings: Settings, around: Surroundings, stdout: TextIO, *, paths_given: bool = True) -> None:
    """Publish to a rehearsal world on loopback; with ``serve``, leave it up until a signal comes.

    The job that is played is the one it runs in, as far as that says who it is; nothing of its real identity is used.
    Raises the CiPublishError that ended the rehearsal.
    """

    def work(recording: Surroundings) -> Outcome:
        job = rehearsed_job(recording.environ)
        with RehearsalWorld(storage=settings.world, port=settings.port, tls=settings.tls, claims=job.claims) as world:
            if paths_given or not settings.serve:
                _publish_to(world, job, settings, recording)
            if settings.serve:
                _serve(world, settings, recording, stdout)
        return Outcome.REHEARSED

    recorded("rehearse", work, around)


def _publish_to(world: RehearsalWorld, job: RehearsedJob, settings: Settings, recording: Surroundings) -> None:
    """Publish to *world* as the job of its own CI identity provider."""
    with world.ambient(job.provider):
        composition = Composition(rehearsed(settings, world), replace(recording, environ=dict(os.environ)))
        try:
            pipeline.publish(composition.run("publish"))
        finally:
            composition.close()


def rehearsed(settings: Settings, world: RehearsalWorld) -> Settings:
    """Return *settings* with the world's index and Sigstore, and no credential of the real world."""
    return settings.model_copy(
        update={
            "repository_url": (world.repository_url,),
            "index_url": None,
            "index_profile": "auto",
            "user": "__token__",
            "password": None,
            "anonymous": False,
            "allow_http": (),
            "sigstore_trust_config": world.trust_config_path,
        }
    )


def _announce(world: RehearsalWorld, settings: Settings, around: Surroundings, stdout: TextIO) -> None:
    environment: Mapping[str, str] = world.environment(rehearsed_job(around.environ).provider)
    facts = {
        "repository_url": world.repository_url,
        "index_url": world.index_url,
        "web": f"{world.base_url}/",
        "api_token": world.issue_api_token(),
        "sigstore_trust_config": str(world.trust_config_path),
        "environment": dict(environment),
    }
    if settings.output == "json":
        stdout.write(json.dumps(facts) + "\n")
    else:
        stdout.write(_told(facts, environment))
    stdout.flush()


def _told(facts: Mapping[str, object], environment: Mapping[str, str]) -> str:
    lines = [
        "The rehearsal is up until Ctrl-C.",
        f"  in a browser   {facts['web']}",
        f"  upload URL     {facts['repository_url']}",
        f"  Simple API     {facts['index_url']}",
        f"  an API token   {facts['api_token']}",
        "",
        "To publish to it with Trusted Publishing, set this environment:",
        *(f"  export {name}={_quoted(value)}" for name, value in sorted(environment.items())),
    ]
    return "\n".join(lines) + "\n"


def _quoted(value: str) -> str:
    import shlex  # noqa: PLC0415  (only here)

    return shlex.quote(value)


def _serve(world: RehearsalWorld, settings: Settings, around: Surroundings, stdout: TextIO) -> None:
    """Say where the world is, and wait for a signal; the end of a rehearsal that was served is no failure."""
    _announce(world, settings, around, stdout)
    interruption = around.interruption
    if interruption is None:
        world.wait()
        return
    while not interruption.stopped:
        interruption.wait(3600.0)
