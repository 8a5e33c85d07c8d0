"""What the listing was asked about."""

import pytest

from ci_publish.app.settings import Settings
from ci_publish.errors import Unverified
from ci_publish.model.events import FileStatus
from ci_publish.model.index import NotVisible
from ci_publish.model.train import NO_TRAIN
from ci_publish.publishing.confirmed_files import ConfirmedFiles
from ci_publish.publishing.file_outcomes import FileOutcomes
from tests.unit.fakes import FakeIndex, FakeRun, fake_run, published
from tests.unit.publishing.run_harness import ALL, ONE, TWO, listed


def confirmed_files(played: FakeRun, index: FakeIndex) -> ConfirmedFiles:
    run = played.run()
    outcomes = FileOutcomes(run=run, index="pypi", train=NO_TRAIN)
    for file in (ONE, TWO):
        outcomes.record_on_index(file, FileStatus.UPLOADED, 1)
    return ConfirmedFiles(run, index, outcomes)


def test_each_uploaded_file_is_asked_about_once() -> None:
    index = FakeIndex(files={file.filename: published(file) for file in ALL})
    confirmed = confirmed_files(fake_run(*ALL), index)
    assert confirmed.unconfirmed_uploads(ALL) == [ONE, TWO]
    confirmed.wait_until_listed([ONE])
    assert confirmed.unconfirmed_uploads(ALL) == [TWO]
    assert confirmed.listed == [ONE]
    assert not confirmed.unreadable


@pytest.mark.parametrize("strict", [True, False])
def test_a_listing_that_cannot_be_read_is_a_warning_or_an_error(*, strict: bool) -> None:
    played = fake_run(*ALL, options=Settings(strict=strict))
    confirmed = confirmed_files(played, FakeIndex(states=[NotVisible("demo", "HTTP 401")]))
    if strict:
        with pytest.raises(Unverified):
            confirmed.wait_until_listed([ONE])
    else:
        confirmed.wait_until_listed([ONE])
    assert confirmed.unreadable == {ONE.filename: "HTTP 401"}
    assert listed(played) == {ONE.filename: None}
