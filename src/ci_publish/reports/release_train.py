"""The order of a run's projects, as every report shows it (pure)."""

from ci_publish.model.events import Planned, ProjectLeft


def release_train_order_lines(planned: Planned) -> tuple[str, ...]:
    """Return the projects of each wave, in upload order; empty where fewer than two projects are uploaded."""
    return planned.train.wave_lines(planned.plan.projects_to_upload, planned.new_projects)


def left_project_line(event: ProjectLeft) -> str:
    """Return which project did not go out, and because of which."""
    others = [name for name in event.because if name != event.project]
    cause = f", because of {', '.join(others)}" if others else ""
    return f"{event.project}{cause}: {event.reason}"
