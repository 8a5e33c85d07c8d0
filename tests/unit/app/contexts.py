"""The context that a run is given."""

from dataclasses import replace

from ci_publish import RuntimeContext
from ci_publish.model.events import Event


def context(events: list[Event] | None = None, **changes: object) -> RuntimeContext:
    emit = events.append if events is not None else lambda _: None
    return replace(RuntimeContext(environ={}, emit=emit), **changes)  # type: ignore[arg-type]
