"""What rules would have said: which leads would have passed a score in some weeks of the past, and what sales said of
them since. Every lead is judged by what was known at each moment; only what became of it may be later."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from math import ceil
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from handsel.db import instant_text
from handsel.errors import HandselError
from handsel.leads.handoff.models import Handoff
from handsel.leads.models import Lead
from handsel.leads.scoring.past import Past, pasts
from handsel.leads.scoring.points import points
from handsel.rules.scoring import Scoring

AT_ONCE = 200  # leads in memory at a time
DAY = timedelta(days=1)
NEAR = (-20, -10, 0, 10, 20)  # thresholds to set beside the one that was asked for

Trace = Sequence[tuple[datetime, int]]


@dataclass(frozen=True)
class Verdict:
    """What sales said of one hand-over; ``accepted`` is None while it is open or went without an answer."""

    lead_id: int
    at: datetime
    decided_at: datetime | None
    accepted: bool | None


@dataclass
class Outcome:
    """What a threshold comes to.

    ``before`` had that many points when the time began; ``passed`` reached them in it. Of those sales ``accepted`` and
    ``rejected`` some afterwards, others are ``open`` (handed over, not decided) or were ``never`` handed over, and on
    ``decided`` ones it had decided before. ``missed`` were accepted in that time without having the points.
    """

    threshold: int
    passed: int = 0
    accepted: int = 0
    rejected: int = 0
    open: int = 0
    never: int = 0
    decided: int = 0
    before: int = 0
    missed: int = 0

    @property
    def judged(self) -> int:
        """How many of those who passed sales has decided on since."""
        return self.accepted + self.rejected


@dataclass
class Simulation:
    """The outcomes by threshold, the one asked for in the middle. ``leads`` were looked at, of ``total``."""

    since: datetime
    until: datetime
    outcomes: list[Outcome] = field(default_factory=list)
    leads: int = 0
    total: int = 0

    @property
    def whole(self) -> bool:
        """Whether every lead was looked at."""
        return self.leads >= self.total

    def of(self, threshold: int) -> Outcome:
        """The outcome of that threshold."""
        return next(outcome for outcome in self.outcomes if outcome.threshold == threshold)


def last_quarter(now: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The calendar quarter before the present one: its first instant, and the first one after it."""
    today = now.astimezone(zone)
    this = datetime(today.year, (today.month - 1) // 3 * 3 + 1, 1, tzinfo=zone)
    months = this.year * 12 + this.month - 4
    return datetime(months // 12, months % 12 + 1, 1, tzinfo=zone).astimezone(UTC), this.astimezone(UTC)


def period(since: str, until: str, now: datetime, zone: ZoneInfo) -> tuple[datetime, datetime, str]:
    """From when until when, and how a sentence calls it. Both are days as somebody wrote them, empty for the usual: the
    last calendar quarter, or up to now where only the first day is given. Raises HandselError."""
    if not since and not until:
        return *last_quarter(now, zone), "Last quarter"
    if not since:
        raise HandselError("since", "The first day is missing.", "Write it as 2026-07-01.")
    begin = _day("since", since, zone)
    end = min(_day("until", until, zone) + timedelta(days=1), now) if until else now
    if begin >= end:
        raise HandselError("until", "The time ends before it begins.", "Write an earlier first day.")
    return begin, end, f"From {period_name(begin, end, zone)}"


def _day(name: str, written: str, zone: ZoneInfo) -> datetime:
    try:
        found = datetime.combine(date.fromisoformat(written.strip()), time(), zone).astimezone(UTC)
        instant_text(found)
    except (ValueError, OverflowError):
        raise HandselError(name, f"'{written[:40]}' is no day.", "Write it as 2026-07-01.") from None
    return found


# --- one lead ---------------------------------------------------------------------------------------------------------


def trace(scoring: Scoring, past: Past, since: datetime, until: datetime) -> list[tuple[datetime, int]]:
    """The score at ``since`` and at every moment up to ``until`` at which it may have risen, as known at the time."""
    moments = [since, *past.moments(since, until)]
    found = []
    for moment, ends in zip(moments, [*moments[1:], until], strict=True):
        person = past.person(moment)
        at: datetime | None = moment
        while at is not None and (at == moment or at < ends):
            now = points(scoring, person, at)
            found.append((at, now.score))
            at = now.climbs_at  # where taken points fade, or a rule asks for the time
    return found


def count(outcome: Outcome, seen: Trace, verdicts: Sequence[Verdict], since: datetime, until: datetime) -> None:
    """Count one lead: by the trace of its score, and by what sales said of it, in the order of time."""
    if seen and seen[0][1] >= outcome.threshold:
        outcome.before += 1
        return
    passed_at = next((at for at, score in seen if score >= outcome.threshold), None)
    if passed_at is None:
        outcome.missed += any(one.accepted and one.decided_at and since < one.decided_at <= until for one in verdicts)
        return
    outcome.passed += 1
    after = [one for one in verdicts if one.decided_at is None or one.decided_at >= passed_at]
    said = next((one for one in after if one.accepted is not None), None)
    if said is not None:
        outcome.accepted += said.accepted is True
        outcome.rejected += said.accepted is False
    elif after:
        outcome.open += 1
    elif verdicts:
        outcome.decided += 1
    else:
        outcome.never += 1


# --- many leads -------------------------------------------------------------------------------------------------------


def simulate(session: Session, scoring: Scoring, threshold: int, *, since: datetime, until: datetime,
             most: int | None = None, near: Iterable[int] = NEAR) -> Iterator[Simulation]:
    """The same simulation again and again as it goes on, the last time complete; only reads.

    With ``most``, that many leads are looked at, evenly from all.
    """
    total = session.scalar(select(func.count()).select_from(_known(until).subquery())) or 0
    step = 1 if most is None or total <= most else ceil(total / most)
    levels = sorted({threshold, *(level for gap in near if (level := threshold + gap) > 0)})
    made = Simulation(since, until, [Outcome(level) for level in levels], total=total)
    for leads in _batches(session, until, step):
        verdicts = verdicts_of(session, [lead.id for lead in leads])
        for id_, past in pasts(session, leads).items():
            seen = trace(scoring, past, since, until)
            for outcome in made.outcomes:
                count(outcome, seen, verdicts.get(id_, ()), since, until)
        made.leads += len(leads)
        yield made
    if step == 1:
        made.total = made.leads
    yield made


def _known(until: datetime) -> Select[Any]:
    return select(Lead.id).where(Lead.merged_into_id.is_(None), Lead.captured_at <= until)


def _batches(session: Session, until: datetime, step: int) -> Iterator[Sequence[Lead]]:
    last = 0
    while True:
        some = _known(until).with_only_columns(Lead).where(Lead.id > last, Lead.id % step == 0)
        leads = session.scalars(some.order_by(Lead.id).limit(AT_ONCE)).all()
        if not leads:
            return
        last = leads[-1].id
        yield leads


def verdicts_of(session: Session, lead_ids: Iterable[int]) -> dict[int, list[Verdict]]:
    """What sales said of each lead's hand-overs, in the order of time."""
    found: dict[int, list[Verdict]] = {}
    for row in session.execute(
            select(Handoff.lead_id, Handoff.at, Handoff.decided_at, Handoff.state)
            .where(Handoff.lead_id.in_(list(lead_ids)), Handoff.state != "withdrawn").order_by(Handoff.at, Handoff.id)):
        decided = {"accepted": True, "rejected": False}.get(row.state)
        found.setdefault(row.lead_id, []).append(
            Verdict(row.lead_id, row.at, row.decided_at if decided is not None else None, decided))
    return found


# --- in words ---------------------------------------------------------------------------------------------------------


def sentence(outcome: Outcome, when: str = "Last quarter") -> str:
    """``Last quarter 42 leads would have passed 60 points; sales accepted 12 of them and rejected 9.``"""
    if not outcome.passed:
        return f"{when} no lead would have passed {outcome.threshold} points."
    begin = f"{when} {_leads(outcome.passed)} would have passed {outcome.threshold} points"
    if not outcome.judged:
        return f"{begin}; sales has decided on none of them since."
    them = "it" if outcome.passed == 1 else "them"
    said = f"sales accepted {outcome.accepted} of {them}" if outcome.passed > 1 else (
        "sales accepted it" if outcome.accepted else "sales rejected it")
    return f"{begin}; {said}{f' and rejected {outcome.rejected}' if outcome.rejected and outcome.passed > 1 else ''}."


def others(outcome: Outcome) -> list[str]:
    """What else there is to say of the leads behind the sentence, each as a sentence; only what is so."""
    said = [f"Of those who pass, {number:,} {one if number == 1 else more}." for number, one, more in (
        (outcome.open, "is with sales and not decided", "are with sales and not decided"),
        (outcome.never, "was never handed over", "were never handed over"),
        (outcome.decided, "had been decided by sales before", "had been decided by sales before")) if number]
    if outcome.before:
        said.append(f"{_leads(outcome.before)} had the points already when the time began, and "
                    f"{'is' if outcome.before == 1 else 'are'} not counted.")
    if outcome.missed:
        said.append(f"Sales accepted {_leads(outcome.missed)} in that time that would not have passed.")
    return said


def _leads(number: int) -> str:
    return f"{number:,} {'lead' if number == 1 else 'leads'}"


def period_name(since: datetime, until: datetime, zone: ZoneInfo) -> str:
    """``1 Jul 2026 to 30 Sep 2026``: the days of a time that ends before ``until``."""
    first, last = since.astimezone(zone), (until - timedelta(milliseconds=1)).astimezone(zone)
    return f"{first:%-d %b %Y} to {last:%-d %b %Y}"
