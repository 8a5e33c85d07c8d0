"""The commands as Python calls them."""

from pathlib import Path

import pytest

import ci_publish
from ci_publish import Settings
from ci_publish.errors import (
    IdentityUnavailable,
    InvalidDistribution,
)
from ci_publish.model.events import Event, RunFinished, RunStarted
from tests.distributions import make_release, make_wheel
from tests.unit.app.contexts import context
from tests.unit.fakes import fake_run, sdist, wheel


def test_what_is_public_is_what_is_exported() -> None:
    for name in ci_publish.__all__:
        assert getattr(ci_publish, name) is not None
    assert sorted(dir(ci_publish)) == sorted(ci_publish.__all__)
    with pytest.raises(AttributeError, match="no attribute 'frobnicate'"):
        _ = ci_publish.frobnicate


def test_a_run_of_ones_own_rooms_returns_the_receipt() -> None:
    played = fake_run(wheel(), sdist())
    events: list[Event] = []
    receipt = ci_publish.publish(played.run(), context=context(events))
    assert receipt.outcome == "published"
    assert isinstance(events[0], RunStarted)
    assert isinstance(events[-1], RunFinished)
    assert [file.status for file in receipt.files] == ["uploaded", "uploaded"]


def test_check_needs_no_network_and_no_credential(tmp_path: Path) -> None:
    make_release(tmp_path)
    receipt = ci_publish.check(Settings(paths=(str(tmp_path),)), context=context())
    assert receipt.outcome == "checked"
    assert len(receipt.files) == 2
    make_wheel(tmp_path / "bad", tag="py3-none-linux_x86_64")
    with pytest.raises(InvalidDistribution):
        ci_publish.check(Settings(paths=(str(tmp_path / "bad"),)), context=context())


def test_attest_without_a_ci_has_no_identity(tmp_path: Path) -> None:
    make_release(tmp_path)
    settings = Settings(paths=(str(tmp_path),), output_dir=tmp_path / "out")
    with pytest.raises(IdentityUnavailable):
        ci_publish.attest(settings, context=context())
