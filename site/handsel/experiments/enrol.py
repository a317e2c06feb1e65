"""What one visitor is to one experiment: a pure function of the visitor's facts, whatever order they came in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, time
from typing import NamedTuple

BEFORE_START = "before start"  # saw the page earlier on the day of the start
CROSSED = "crossed over"  # saw two variants, so neither can have the credit
BETWEEN = "between periods"  # came while the test was paused, or while a change of the split was on its way
OUTSIDE = "not in the split"  # saw a variant that nobody should have seen then
REASONS = (BEFORE_START, CROSSED, BETWEEN, OUTSIDE)


class Seen(NamedTuple):
    """One exposure."""

    at: datetime
    variant: str


class Done(NamedTuple):
    """One conversion."""

    at: datetime
    variant: str
    goal: str
    value: float | None


class Stretch(NamedTuple):
    """A period: ``shown`` holds the variants with weight."""

    id: int
    shown: frozenset[str]
    begins_at: datetime
    ends_at: datetime | None


class Frame(NamedTuple):
    """What of an experiment decides who counts: goal, time, periods in their order, the cap of its values."""

    goal: str
    started_at: datetime
    ended_at: datetime | None
    stretches: Sequence[Stretch]
    cap: float | None

    @property
    def looks_back_to(self) -> datetime:
        """From when on exposures matter: the first moment of the day (UTC) of the start."""
        return datetime.combine(self.started_at.date(), time(), UTC)

    @property
    def closed_at(self) -> datetime | None:
        """From when on exposures matter no more; None while it runs."""
        return None if self.ended_at is None else min(self.ended_at, self.stretches[-1].ends_at or self.ended_at)

    def holds(self, at: datetime) -> bool:
        """Whether a fact of that instant can matter."""
        return self.looks_back_to <= at and (self.ended_at is None or at < self.ended_at)


class Standing(NamedTuple):
    """A visitor's enrolment; see the model of that name."""

    period_id: int | None
    variant: str
    at: datetime
    converted_at: datetime | None
    value: float | None
    excluded: str


def standing(frame: Frame, exposures: Iterable[Seen], conversions: Iterable[Done]) -> Standing | None:
    """How a visitor with these facts counts; None for one who never came in the time of the experiment.

    The first exposure and the first conversion count, one each; a conversion needs an exposure at or before it, of the
    same variant.
    """
    seen = sorted(each for each in exposures if frame.looks_back_to <= each.at and (
        frame.closed_at is None or each.at < frame.closed_at))
    if not seen:
        return None
    first = seen[0]
    stretch = _stretch(frame, first.at)
    reason = _reason(frame, seen, stretch)
    if reason or stretch is None:
        return Standing(None, first.variant, first.at, None, None, reason)
    done = min(((each.at, -1.0 if each.value is None else each.value) for each in conversions
                if each.goal == frame.goal and each.variant == first.variant and each.at >= first.at
                and (frame.ended_at is None or each.at < frame.ended_at)), default=None)
    if done is None:
        return Standing(stretch.id, first.variant, first.at, None, None, "")
    at, value = done
    capped = None if value < 0 else round(value if frame.cap is None else min(value, frame.cap), 2)
    return Standing(stretch.id, first.variant, first.at, at, capped, "")


def _reason(frame: Frame, seen: Sequence[Seen], stretch: Stretch | None) -> str:
    """Why the visitor counts in no arm; empty if they do."""
    if seen[0].at < frame.started_at:
        return BEFORE_START
    if len({each.variant for each in seen}) > 1:
        return CROSSED
    if stretch is None:
        return BETWEEN
    return "" if seen[0].variant in stretch.shown else OUTSIDE


def _stretch(frame: Frame, at: datetime) -> Stretch | None:
    return next((stretch for stretch in frame.stretches
                 if stretch.begins_at <= at and (stretch.ends_at is None or at < stretch.ends_at)), None)
