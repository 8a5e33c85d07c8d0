"""`verify` with a publisher that is expected, by the user or by default."""

import pytest

from ci_publish.app.settings import Settings
from ci_publish.errors import ConfigurationError, UnexpectedPublisher, Unverified
from ci_publish.model.attestation import AttestationPolicy, ProvenanceByAnother
from ci_publish.model.events import Noted
from ci_publish.model.index import ProjectListing
from ci_publish.model.publisher_identity import PublisherIdentity, parse_identity
from ci_publish.publishing.verify import verify
from tests.unit.fakes import GENERIC, FakeIndex, FakeRun, FakeVerifier, fake_run, published, wheel

EXPECTED = (parse_identity("github:octo-org/demo"),)
NAMED = Settings(publisher=EXPECTED)
BY_DEFAULT = Settings()


def there(
    options: Settings,
    *,
    signed_by: str | None = None,
    served: bool = True,
    generic: bool = False,
    expected: tuple[PublisherIdentity, ...] = EXPECTED,
) -> FakeRun:
    """A file that is on the index, with provenance of another publisher, by the right one, or with none."""
    file = wheel()
    listing = ProjectListing(project="demo", files={file.filename: published(file)})
    index = FakeIndex(GENERIC, states=[listing]) if generic else FakeIndex(states=[listing])
    index.provenances[file.filename] = b"{}" if served else None
    played = fake_run(file, index=index, options=options, expected_publishers=expected)
    if signed_by:
        played.verifier = FakeVerifier({file.filename: ProvenanceByAnother(signed_by, ("github:octo-org/demo",))})
    return played


@pytest.mark.parametrize(
    ("options", "whose"), [(NAMED, "the expected publisher"), (BY_DEFAULT, "the job's own repository")]
)
def test_provenance_by_somebody_else_ends_the_run(options: Settings, whose: str) -> None:
    with pytest.raises(UnexpectedPublisher, match=f"not from {whose}") as caught:
        verify(there(options, signed_by="github:octo-org/fork:x.yml").run())
    assert caught.value.exit_code == 11
    assert caught.value.hints[-1].endswith("publisher: github:octo-org/fork:x.yml")


def test_a_publisher_that_has_no_name_in_the_grammar_is_not_hinted_at() -> None:
    with pytest.raises(UnexpectedPublisher) as caught:
        verify(there(NAMED, signed_by="CircleCI project 1").run())
    assert not any("--publisher" in hint for hint in caught.value.hints)


@pytest.mark.parametrize("generic", [False, True])
def test_without_provenance_nobody_knows_who_it_was(*, generic: bool) -> None:
    for options, expected in ((NAMED, EXPECTED), (Settings(attestations=AttestationPolicy.REQUIRED), ())):
        with pytest.raises(Unverified, match="serves no provenance"):
            verify(there(options, served=False, generic=generic, expected=expected).run())
    verify(there(BY_DEFAULT, served=False, generic=generic).run())


def test_only_a_default_is_told() -> None:
    for options, expected, told in ((BY_DEFAULT, EXPECTED, True), (NAMED, EXPECTED, False), (Settings(), (), False)):
        played = there(options, expected=expected)
        verify(played.run())
        notes = [event for event in played.events if isinstance(event, Noted) and event.slug == "publisher-expected"]
        assert bool(notes) is told
        assert all("github:octo-org/demo" in note.message and not note.warning for note in notes)


def test_a_publisher_and_no_attestations_contradict_each_other() -> None:
    options = Settings(publisher=EXPECTED, attestations=AttestationPolicy.OFF)
    with pytest.raises(ConfigurationError, match="contradict"):
        verify(there(options).run())
