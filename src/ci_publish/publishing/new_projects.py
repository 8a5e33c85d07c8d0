"""Limits the number of projects that a run creates to the first ones in upload order (pure)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ci_publish.model.index import Deferred, Endpoints, IndexState, NoSuchProject, NotVisible, Plan, Upload
from ci_publish.model.train import Train
from ci_publish.publishing import train_messages


def new_projects_in_upload_order(plan: Plan, states: Mapping[str, IndexState], train: Train) -> tuple[str, ...]:
    """Return the projects that the uploads of *plan* create, in the order of *train*."""
    projects = {file.project for file in plan.uploads if isinstance(states.get(file.project), NoSuchProject)}
    return tuple(project for project in train.order if project in projects)


def limit_new_projects(
    *, endpoints: Endpoints, plan: Plan, states: Mapping[str, IndexState], train: Train, most: int
) -> Plan:
    """Return *plan* for a run that creates at most *most* projects, and leaves the others for later.

    Raises ConfigurationError if it is not known which projects are new.
    """
    unseen = dict.fromkeys(file.project for file in plan.uploads if isinstance(states[file.project], NotVisible))
    if unseen:
        raise train_messages.unknown_new_projects_error(endpoints, tuple(unseen))
    deferred = deferred_projects(new_projects_in_upload_order(plan, states, train), train, most)
    reason = train_messages.too_many_new_projects_error(most)
    files = tuple(
        Deferred(file.distribution, reason)
        if isinstance(file, Upload) and file.distribution.project in deferred
        else file
        for file in plan.files
    )
    return replace(plan, files=files)


def deferred_projects(new: Sequence[str], train: Train, most: int) -> frozenset[str]:
    """Return the projects that a run that creates at most *most* of the *new* projects leaves for a later one.

    It creates as many as possible from the beginning of the order, and leaves the others and the projects that require
    them. Raises ConfigurationError for a cycle that is too large for any run.
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
