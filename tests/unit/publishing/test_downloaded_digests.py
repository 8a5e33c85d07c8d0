"""Digests that an index does not show, over fakes."""

import pytest

from ci_publish.errors import (
    ContentConflict,
)
from ci_publish.model.events import (
    Outcome,
)
from ci_publish.publishing.publish import publish
from tests.unit.fakes import (
    FakeIndex,
    fake_run,
    sha,
)
from tests.unit.publishing.run_harness import (
    ONE,
    UNDIGESTED,
    failing,
    index_of,
    listed,
    notes,
    undigested,
)


def test_content_without_a_digest_is_downloaded_and_compared() -> None:
    played = undigested(ONE.sha256)
    assert publish(played.run()) is Outcome.ALREADY_PUBLISHED
    assert listed(played) == {ONE.filename: True}
    assert "compared-by-download" in notes(played)
    error = failing(undigested(sha("other")), ContentConflict)
    assert f"published: sha256 {sha('other')}" in error.detail


@pytest.mark.parametrize(("content", "limit"), [(None, 25), (ONE.sha256, 0), (ONE.sha256, ONE.size - 1)])
def test_content_that_is_not_downloaded_stays_unknown(content: str | None, limit: int) -> None:
    played = undigested(content, compare_downloads=limit)
    error = failing(played, ContentConflict)
    assert "unknown content" in error.summary
    assert any("compare-downloads: SIZE" in hint for hint in error.hints)
    assert index_of(played).downloads == ([] if content else [ONE.filename])


def test_nothing_is_downloaded_from_pypi() -> None:
    played = fake_run(ONE, index=FakeIndex(files={ONE.filename: UNDIGESTED}, contents={ONE.filename: ONE.sha256}))
    failing(played, ContentConflict)
    assert index_of(played).downloads == []
