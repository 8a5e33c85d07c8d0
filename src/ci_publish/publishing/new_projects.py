"""How many projects a run creates: the first ones in the order of the train (pure)."""

from collections.abc import Sequence
from dataclasses import replace

from ci_publish.errors import PublishingDeferred
from ci_publish.model.index import Deferred, Plan, Upload
from ci_publish.model.train import Train
from ci_publish.publishing import train_messages


def deferred_projects(new: Sequence[str], train: Train, most: int) -> frozenset[str]:
    """Return what a run that creates *most* of the *new* projects at most leaves for a later one.

    It creates the longest beginning of the train's order that requires none of the others, and leaves what does.
    Raises ConfigurationError for a cycle that no run could create.
    """
    created: set[str] = set()
    for project in new:
        cycle = [name for name in train.cycle_of(project) if name in new]
        if len(cycle) > most > 0:
            raise train_messages.cycle_too_large_error(cycle, most)
        if len(created.union(cycle)) > most:
            break
        created.update(cycle)
    return train.projects_requiring(set(new) - created)


def with_deferred_projects(plan: Plan, projects: frozenset[str], reason: PublishingDeferred) -> Plan:
    """Return *plan* with the uploads of *projects* left for a later run."""
    files = tuple(
        Deferred(file.distribution, reason)
        if isinstance(file, Upload) and file.distribution.project in projects
        else file
        for file in plan.files
    )
    return replace(plan, files=files)
