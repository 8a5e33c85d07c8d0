"""Marks for tests of what only some systems have."""

import importlib.util
import os

import pytest

needs_fifos = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no FIFOs")
needs_permission_bits = pytest.mark.skipif(os.name == "nt", reason="Windows has no permission bits")
needs_signals = pytest.mark.skipif(os.name == "nt", reason="on Windows a process cannot be sent SIGINT or SIGTERM")
needs_resource = pytest.mark.skipif(
    importlib.util.find_spec("resource") is None, reason="the module resource, which measures memory, is POSIX's"
)
