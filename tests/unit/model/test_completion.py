"""The turn of an upload for which nothing has to be scheduled."""

from ci_publish.model.completion import UNSCHEDULED, Permission


def test_an_unscheduled_upload_always_has_its_turn() -> None:
    assert UNSCHEDULED.wait(0.0) is Permission.GRANTED
    UNSCHEDULED.begin_without_permission()
    UNSCHEDULED.end()
    assert UNSCHEDULED.wait(5.0) is Permission.GRANTED
    assert not UNSCHEDULED.may_have_collided()
