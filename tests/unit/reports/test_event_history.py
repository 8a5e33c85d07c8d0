"""What reports remember of a run."""

from ci_publish.model.events import RequestTraced, UploadProgressed
from ci_publish.reports.event_history import EventHistory
from tests.unit.reports.recorded_runs import a_good_run


def test_events_are_kept_in_order_without_progress_and_traces() -> None:
    history, events = EventHistory(), a_good_run()
    assert any(isinstance(event, UploadProgressed) for event in events)
    assert any(isinstance(event, RequestTraced) for event in events)
    for event in events:
        history.remember_event(event)
    assert list(history.events) == [
        event for event in events if not isinstance(event, UploadProgressed | RequestTraced)
    ]


def test_the_receipt_is_that_of_the_run_so_far() -> None:
    history = EventHistory()
    history.remember_event(a_good_run()[0])
    assert history.build_receipt().outcome == "interrupted"
    for event in a_good_run()[1:]:
        history.remember_event(event)
    assert history.build_receipt().outcome == "published"
