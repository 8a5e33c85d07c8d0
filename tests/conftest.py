"""What holds for every test: it talks to this machine only, and draws the same examples in every everyday run."""

import os

import hypothesis
import pytest

LOOPBACK = ["127.0.0.0/8", "::1", "localhost"]

# Everyday runs are the same on every machine; `make test-stress` looks where nobody has looked before.
# No deadline for single examples: a busy machine is not a fault.
hypothesis.settings.register_profile("everyday", derandomize=True, deadline=None, max_examples=100)
hypothesis.settings.register_profile("stress", derandomize=False, deadline=None, max_examples=2_000, print_blob=True)
STRESS = os.environ.get("CI_PUBLISH_STRESS") == "1"
hypothesis.settings.load_profile("stress" if STRESS else "everyday")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Confine every test to loopback, whatever the options it is run with, and leave out what takes minutes."""
    stress = [] if STRESS else [item for item in items if item.get_closest_marker("stress")]
    if stress:
        config.hook.pytest_deselected(items=stress)
        items[:] = [item for item in items if item not in set(stress)]
    for item in items:
        item.add_marker(pytest.mark.allow_hosts(LOOPBACK))
