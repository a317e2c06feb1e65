"""Time as a test says."""

from __future__ import annotations

from datetime import datetime, timedelta

from factories import NOON


class Clock:
    """Time as the test says: it stands at NOON until it is moved."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> datetime:
        """Let time pass: ``clock.move(days=2)``."""
        self.now += timedelta(**by)
        return self.now

    def set(self, at: datetime) -> None:
        self.now = at
