"""Clocks for identity providers under test."""

from __future__ import annotations

NOW = 1_800_000_000.5


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now
