"""What is said when an index does not show what it should."""

import pytest

from ci_publish.errors import Unverified
from ci_publish.model.index import (
    ProjectListing,
)
from ci_publish.publishing.verify import verify, verify_release
from tests.unit.fakes import FakeIndex, fake_run, sdist, wheel


def test_verify_of_a_quarantined_project_does_not_say_publish() -> None:
    play = fake_run(wheel(), sdist(), index=FakeIndex(states=[QUARANTINED, QUARANTINED]))
    with pytest.raises(Unverified, match="demo is quarantined on pypi") as caught:
        verify(play.run())
    assert not any("Publish" in hint for hint in caught.value.hints)
    assert wheel().filename in caught.value.detail


def test_verify_of_a_quarantined_release_does_not_say_publish() -> None:
    play = fake_run(index=FakeIndex(states=[QUARANTINED]))
    with pytest.raises(Unverified, match="demo is quarantined"):
        verify_release(play.run(), "demo", "1.0", lambda _: None)
    absent = fake_run(index=FakeIndex(states=[ProjectListing(project="demo")]))
    with pytest.raises(Unverified, match="not on pypi"):
        verify_release(absent.run(), "demo", "1.0", lambda _: None)


QUARANTINED = ProjectListing(project="demo", status="quarantined")
