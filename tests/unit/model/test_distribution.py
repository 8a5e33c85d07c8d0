"""Distributions as values."""

from pathlib import Path

from ci_publish.model.distribution import Collection, CoreMetadata, FoundAttestation
from tests.unit.fakes import sdist, wheel


def test_repeated_fields_keep_their_order() -> None:
    metadata = CoreMetadata(
        metadata_version="2.1",
        name="Demo",
        version="1.0",
        fields=(("classifier", "B"), ("summary", "s"), ("classifier", "A")),
    )
    assert metadata.all("classifier") == ("B", "A")
    assert metadata.first("classifier") == "B"
    assert metadata.first("license") is None


def test_a_release_is_a_project_and_a_version() -> None:
    assert wheel().release == sdist().release == ("demo", "1.0")
    assert wheel().sha256 == wheel().digests.sha256


def test_a_collection_is_its_distributions() -> None:
    assert list(Collection(distributions=(wheel(), sdist()))) == [wheel(), sdist()]


def test_a_file_needs_an_attestation_unless_a_publish_attestation_lies_beside_it() -> None:
    file = wheel()
    found = FoundAttestation(path=Path("a"), distribution=file.filename, type="publish", content=b"")
    other = FoundAttestation(path=Path("a"), distribution=file.filename, type="slsa", content=b"")
    assert Collection(distributions=(file,)).unattested
    assert Collection(distributions=(file,), attestations=(other,)).unattested
    assert not Collection(distributions=(file,), attestations=(found,)).unattested


def test_the_projects_of_a_collection_are_named_once() -> None:
    assert Collection(distributions=(wheel(), sdist())).projects == ("demo",)
