"""Distributions as values."""

from ci_publish.model.distribution import Collection, CoreMetadata
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
