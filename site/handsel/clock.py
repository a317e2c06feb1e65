"""The one clock: every part asks here, so that a test can move time for several processes at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path


def system_now() -> datetime:
    """The present instant in UTC."""
    return datetime.now(UTC)


class ShiftedClock:
    """A clock ahead of the system's by the seconds written in a file, which tests rewrite while processes run.

    A missing or empty file means no shift.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def __call__(self) -> datetime:
        try:
            shift = float(self.path.read_text() or 0)
        except FileNotFoundError:
            shift = 0.0
        return system_now() + timedelta(seconds=shift)


_now: Callable[[], datetime] = system_now


def now() -> datetime:
    """The present instant in UTC, as this process sees it."""
    return _now()


def use(clock: Callable[[], datetime]) -> None:
    """Let ``now`` read ``clock`` from here on; ``use(system_now)`` sets it back."""
    global _now  # noqa: PLW0603  one clock a process is the point
    _now = clock


@contextmanager
def standing(at: datetime) -> Iterator[None]:
    """Let ``now`` be ``at`` for as long as this lasts."""
    before = _now
    use(lambda: at)
    try:
        yield
    finally:
        use(before)
