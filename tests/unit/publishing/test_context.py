"""What a run is given, over fakes."""

from ci_publish.errors import (
    Interrupted,
)
from tests.unit.fakes import (
    fake_run,
)
from tests.unit.publishing.run_harness import (
    ALL,
    failing,
    index_of,
    steps,
)


def test_a_stopped_run_begins_no_step() -> None:
    played = fake_run(*ALL)
    played.waiting.stop = True
    failing(played, Interrupted)
    assert steps(played) == []
    assert index_of(played).sent == []
