"""What holds for every test: it talks to this machine only."""

import pytest

LOOPBACK = ["127.0.0.0/8", "::1", "localhost"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Confine every test to loopback, whatever the options it is run with."""
    for item in items:
        item.add_marker(pytest.mark.allow_hosts(LOOPBACK))
