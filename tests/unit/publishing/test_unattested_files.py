"""Files that are published without an attestation, where attestations are required."""

from dataclasses import replace

import pytest

from ci_publish.app.settings import Settings
from ci_publish.errors import IndexUnavailable, PublishedUnattested, Unverified
from ci_publish.model.attestation import AttestationPolicy
from ci_publish.model.events import Noted, Outcome
from ci_publish.model.identity import CredentialKind
from ci_publish.publishing.publish import plan, publish
from ci_publish.publishing.verify import verify
from tests.unit.fakes import PYPI, FakeCredential, FakeIndex, FakeRun, fake_run, published, sdist, wheel

ONE, TWO = wheel(), sdist()
REQUIRED = Settings(attestations=AttestationPolicy.REQUIRED)


def half_published(options: Settings, served: bytes | IndexUnavailable | None = None) -> FakeRun:
    index = FakeIndex(files={ONE.filename: published(ONE)}, provenances={ONE.filename: served})
    return fake_run(ONE, TWO, index=index, options=options)


def warned(play: FakeRun) -> dict[str, str]:
    return {event.slug: event.message for event in play.events if isinstance(event, Noted)}


@pytest.mark.parametrize("command", [publish, plan])
def test_required_stops_before_signing(command: object) -> None:
    play = half_published(REQUIRED)
    with pytest.raises(PublishedUnattested) as caught:
        command(play.run())  # type: ignore[operator]
    assert ONE.filename in caught.value.summary
    assert "too late to add one" in caught.value.summary
    assert "attestations: auto" in caught.value.hints[0]
    assert play.signer.signed == []


def test_several_files_are_one_error() -> None:
    index = FakeIndex(
        files={file.filename: published(file) for file in (ONE, TWO)},
        provenances={ONE.filename: None, TWO.filename: None},
    )
    with pytest.raises(PublishedUnattested) as caught:
        publish(fake_run(ONE, TWO, index=index, options=REQUIRED).run())
    assert "2 files are on pypi" in caught.value.summary
    assert TWO.filename in caught.value.detail


def test_auto_warns_and_goes_on() -> None:
    play = half_published(Settings())
    assert publish(play.run()) is Outcome.PUBLISHED
    assert ONE.filename in warned(play)["already-published-unattested"]


def test_a_provenance_that_is_linked_is_not_asked_for() -> None:
    index = FakeIndex(
        files={ONE.filename: published(ONE, provenance="https://pypi.org/integrity/x")},
        provenances={ONE.filename: None},
    )
    assert publish(fake_run(ONE, TWO, index=index, options=REQUIRED).run()) is Outcome.PUBLISHED


def test_nothing_is_asked_where_there_are_no_attestations() -> None:
    play = half_published(Settings(attestations=AttestationPolicy.OFF))
    assert publish(play.run()) is Outcome.PUBLISHED
    token = half_published(Settings())
    token.destinations[0].credential.kind = CredentialKind.API_TOKEN  # type: ignore[attr-defined]
    assert publish(token.run()) is Outcome.PUBLISHED
    assert "already-published-unattested" not in {**warned(play), **warned(token)}


def test_an_index_without_an_integrity_api_is_not_asked() -> None:
    index = FakeIndex(replace(PYPI, integrity=None), {ONE.filename: published(ONE)}, provenances={ONE.filename: None})
    assert publish(fake_run(ONE, TWO, index=index, options=REQUIRED).run()) is Outcome.PUBLISHED


def test_what_cannot_be_asked_stops_only_where_it_is_required() -> None:
    with pytest.raises(IndexUnavailable):
        publish(half_published(REQUIRED, IndexUnavailable("down")).run())
    assert publish(half_published(Settings(), IndexUnavailable("down")).run()) is Outcome.PUBLISHED


def test_files_that_only_the_index_has_are_a_note() -> None:
    others = [wheel(tag=f"cp3{number}") for number in range(7)]
    attested = wheel(tag="py2")
    index = FakeIndex(
        files={file.filename: published(file) for file in others}
        | {attested.filename: published(attested, provenance="https://pypi.org/x")}
        | {"demo-0.9.tar.gz": published(sdist(version="0.9"))}
    )
    play = fake_run(ONE, index=index, options=REQUIRED)
    assert publish(play.run()) is Outcome.PUBLISHED
    note = warned(play)["release-partly-unattested"]
    assert "and 2 more" in note
    assert attested.filename not in note
    assert "0.9" not in note


def test_provenance_that_is_not_served_in_time_is_11() -> None:
    for command, index in (
        (publish, FakeIndex(provenances={ONE.filename: None})),
        (verify, FakeIndex(files={ONE.filename: published(ONE)}, provenances={ONE.filename: None})),
    ):
        play = fake_run(
            ONE, index=index, options=REQUIRED.model_copy(update={"verify_timeout": 3.0}), credential=FakeCredential()
        )
        with pytest.raises(Unverified, match="provenance"):
            command(play.run())
