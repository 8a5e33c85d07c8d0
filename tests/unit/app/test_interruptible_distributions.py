"""The steps on the disk, ended by a signal."""

from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import pytest

from ci_publish.app.interruptible_distributions import InterruptibleDistributions
from ci_publish.distributions.checks.rendering import RunStopped
from ci_publish.distributions.local import LocalDistributions
from ci_publish.errors import IndexUnavailable
from ci_publish.model.distribution import Collection
from ci_publish.model.index import IndexProfile
from ci_publish.publishing.interruption import Interruption
from tests.distributions import make_release


def test_files_are_found_and_checked(tmp_path: Path) -> None:
    make_release(tmp_path)
    interruption = Interruption(60.0)
    steps = InterruptibleDistributions(LocalDistributions(waiting=interruption), interruption)
    collection = steps.collect([str(tmp_path)])
    assert collection.projects == ("demo",)
    assert not [each for each in steps.check(collection, [IndexProfile.PYPI]) if each.severity == "error"]


def test_a_check_that_is_stopped_ends_with_the_error_of_the_run() -> None:
    class Stopped(LocalDistributions):
        def check(
            self, collection: Collection, profiles: Sequence[IndexProfile], *, compared: bool = False
        ) -> NoReturn:
            del collection, profiles, compared
            raise RunStopped

    interruption = Interruption(0.0)
    steps = InterruptibleDistributions(Stopped(), interruption)
    with pytest.raises(IndexUnavailable) as caught:
        steps.check(Collection(distributions=()), [])
    assert isinstance(caught.value.__cause__, RunStopped)
