import threading

from ci_publish.model.events import Event, Noted, RunStarted
from ci_publish.reports.dispatcher import Dispatcher


class Listener:
    def __init__(self) -> None:
        self.heard: list[Event] = []
        self.closed = 0

    def __call__(self, event: Event) -> None:
        self.heard.append(event)

    def close(self) -> None:
        self.closed += 1


class Broken(Listener):
    def __call__(self, event: Event) -> None:
        super().__call__(event)
        raise BrokenPipeError

    def close(self) -> None:
        super().close()
        raise ValueError


class Speaking(Listener):
    """A report that warns about itself while it takes an event."""

    def __init__(self, emit: Dispatcher) -> None:
        super().__init__()
        self._emit = emit

    def __call__(self, event: Event) -> None:
        super().__call__(event)
        if isinstance(event, RunStarted):
            self._emit(Noted(slug="from-a-report", message="x"))


BEGUN = RunStarted("publish", 0.0)


def test_a_report_that_fails_is_named_once_and_stops_nothing() -> None:
    broken, listener = Broken(), Listener()
    fanout = Dispatcher([broken, listener])
    fanout(BEGUN)
    fanout(BEGUN)
    notes = [event for event in listener.heard if isinstance(event, Noted)]
    assert [note.message for note in notes] == ["The report Broken failed: BrokenPipeError."]
    assert listener.heard.count(BEGUN) == 2
    assert broken.heard.count(BEGUN) == 2
    assert [type(error) for error in fanout.report_failures] == [BrokenPipeError]


def test_every_report_is_closed() -> None:
    broken, listener = Broken(), Listener()
    fanout = Dispatcher([broken, listener])
    fanout.close()
    assert (broken.closed, listener.closed) == (1, 1)
    assert [type(error) for error in fanout.report_failures] == [ValueError]


def test_a_report_may_emit_while_it_takes_an_event() -> None:
    fanout, after = Dispatcher(), Listener()
    fanout.add_report(Speaking(fanout))
    fanout.add_report(after)
    fanout(BEGUN)
    assert [type(event) for event in after.heard] == [Noted, RunStarted]


def test_events_from_many_threads_come_one_at_a_time() -> None:
    inside, most = 0, 0

    class Counting(Listener):
        def __call__(self, event: Event) -> None:
            nonlocal inside, most
            inside += 1
            most = max(most, inside)
            super().__call__(event)
            inside -= 1

    counting = Counting()
    fanout = Dispatcher([counting])

    def emit_all() -> None:
        for _ in range(200):
            fanout(BEGUN)

    threads = [threading.Thread(target=emit_all) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(counting.heard), most) == (800, 1)
