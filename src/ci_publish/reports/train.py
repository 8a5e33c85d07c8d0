"""The order of a run's projects, as every report shows it (pure)."""

from ci_publish.model.events import Planned


def waves(planned: Planned) -> tuple[str, ...]:
    """Return the projects of each wave, in upload order; empty where fewer than two projects are uploaded."""
    projects = {file.project for file in planned.plan.uploads}
    if len(projects) < 2:  # noqa: PLR2004  (one project has no order)
        return ()
    return tuple(
        ", ".join(f"{name} (new project)" if name in planned.new_projects else name for name in wave)
        for wave in planned.train.waves_of(projects)
    )
