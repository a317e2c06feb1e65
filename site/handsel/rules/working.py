"""Working hours: when a house is at work, and how much of that lies between two instants. Pure functions of times."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
FARTHEST = 4000  # days that are searched for an open one: longer than any list of days off


@dataclass(frozen=True)
class Span:
    """From one time of the day to another, which is later; None as its end is midnight."""

    begins: time
    ends: time | None


@dataclass(frozen=True)
class Hours:
    """The hours of each day of the week from Monday on, on the clocks of one place, and the days that are off."""

    zone: ZoneInfo
    week: tuple[tuple[Span, ...], ...]
    off: frozenset[date] = field(default=frozenset())

    def on(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        """The stretches of work of one day, in UTC and in their order: an hour that the clocks skip is none."""
        if day in self.off:
            return
        for span in self.week[day.weekday()]:
            begins = datetime.combine(day, span.begins, self.zone).astimezone(UTC)
            ends = (datetime.combine(day + timedelta(days=1), time(), self.zone) if span.ends is None
                    else datetime.combine(day, span.ends, self.zone)).astimezone(UTC)
            if begins < ends:
                yield begins, ends

    def _from(self, at: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The stretches of work from ``at`` on, the first one cut short."""
        day = at.astimezone(self.zone).date()
        for _ in range(FARTHEST):
            for begins, ends in self.on(day):
                if ends > at:
                    yield max(begins, at), ends
            day += timedelta(days=1)


def after(at: datetime, work: timedelta, hours: Hours) -> datetime:
    """The instant at which ``work`` has gone by since ``at``, counting working hours alone.

    Work that ends with the day ends that evening and not the next morning. Raises ValueError when the house is never
    at work.
    """
    left = work
    for begins, ends in hours._from(at):
        if ends - begins >= left:
            return begins + left
        left -= ends - begins
    raise ValueError("there are no working hours")


def between(start: datetime, end: datetime, hours: Hours) -> timedelta:
    """How much working time lies between two instants."""
    total = timedelta()
    for begins, ends in hours._from(start):
        if begins >= end:
            break
        total += min(ends, end) - begins
    return total


def is_open(at: datetime, hours: Hours) -> bool:
    """Whether the house is at work."""
    return any(begins <= at < ends for begins, ends in hours.on(at.astimezone(hours.zone).date()))
