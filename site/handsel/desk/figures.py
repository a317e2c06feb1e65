"""Figures of the desk: made from tallies and captures of a span of days, so that they cost the same after years."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from handsel.leads.models import Capture, Download
from handsel.traffic.models import Tally


@dataclass(frozen=True)
class Span:
    """Some whole days (UTC, as tallies are kept), ``last`` included."""

    first: date
    last: date

    @classmethod
    def ending(cls, now: datetime, days: int) -> Span:
        """The last ``days`` days, today included."""
        today = now.astimezone(UTC).date()
        return cls(today - timedelta(days=days - 1), today)

    def before(self) -> Span:
        """As many days, just before these."""
        length = self.last - self.first + timedelta(days=1)
        return Span(self.first - length, self.last - length)

    @property
    def begins(self) -> datetime:
        return datetime.combine(self.first, time(), UTC)

    @property
    def ends(self) -> datetime:
        return datetime.combine(self.last + timedelta(days=1), time(), UTC)


@dataclass
class Funnel:
    """How many people got how far with one offer, or with all: views of its landing page, forms sent, mailboxes proven,
    files fetched. ``excluded`` counts views that are no people's, by reason."""

    views: int = 0
    captures: int = 0
    proven: int = 0
    downloads: int = 0
    excluded: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def __add__(self, other: Funnel) -> Funnel:
        return Funnel(self.views + other.views, self.captures + other.captures, self.proven + other.proven,
                      self.downloads + other.downloads)


def funnels(session: Session, span: Span, offer: str | None = None) -> dict[str, Funnel]:
    """By offer: its funnel in ``span``; of one offer alone if it is named. Held captures do not count."""
    found: dict[str, Funnel] = defaultdict(Funnel)
    views = select(Tally.offer, Tally.excluded, func.sum(Tally.hits)).where(
        Tally.day.between(span.first, span.last), Tally.kind == "view", Tally.variant != "",
        Tally.offer == offer if offer else Tally.offer != "")
    for slug, excluded, hits in session.execute(views.group_by(Tally.offer, Tally.excluded)):
        if excluded:
            found[slug].excluded[excluded] += int(hits)
        else:
            found[slug].views += int(hits)
    within = (Capture.at >= span.begins, Capture.at < span.ends, Capture.quarantine == "",
              Capture.offer != "")  # what came in a file, or was said on the preferences page, came through no page
    captures = select(Capture.offer, func.count(), func.count(Capture.proven_at)).where(*within)
    captures = captures.where(Capture.offer == offer) if offer else captures
    for slug, count, proven in session.execute(captures.group_by(Capture.offer)):
        found[slug].captures, found[slug].proven = count, proven
    if offer:
        found[offer].downloads = session.scalar(select(func.count(Download.lead_id.distinct())).where(
            Download.offer == offer, Download.at >= span.begins, Download.at < span.ends)) or 0
    return found


ENOUGH = 20  # from one form to three is not "up 200 %"


@dataclass(frozen=True)
class Figure:
    """One figure of this week beside last week's: word, both values, the change, and where its rows are."""

    word: str
    value: str
    before: str
    change: str
    endpoint: str


def percent(part: float, whole: float) -> str:
    """A share as ``3.4 %``, or a dash while there is nothing to divide by."""
    if not whole:
        return "–"
    share = 100 * part / whole
    return f"{share:.1f}\N{NO-BREAK SPACE}%" if share < 99.95 else "100\N{NO-BREAK SPACE}%"


def change(now: float, before: float, out_of: int) -> str:
    """How a figure moved: ``up 12 %``, ``down 3 %``, ``the same``.

    Empty while it says nothing: ``out_of``, the number of things that it was counted from, is too small.
    """
    if not before or out_of < ENOUGH:
        return ""
    share = round(100 * (now - before) / before)
    if share == 0:
        return "the same"
    return f"{'up' if share > 0 else 'down'} {abs(share)}\N{NO-BREAK SPACE}%"


def week(session: Session, now: datetime) -> list[Figure]:
    """The four figures of the home page: the last seven days against the seven before."""
    span = Span.ending(now, 7)
    these = sum(funnels(session, span).values(), Funnel())
    those = sum(funnels(session, span.before()).values(), Funnel())
    rates = [100 * one.captures / one.views if one.views else 0.0 for one in (these, those)]
    return [
        _counted("Landing page views", these.views, those.views, "offers.index"),
        _counted("Forms sent", these.captures, those.captures, "leads.index"),
        Figure("Forms per view", percent(these.captures, these.views), percent(those.captures, those.views),
               change(rates[0], rates[1], min(these.captures, those.captures)), "offers.index"),
        _counted("Mailboxes proven", these.proven, those.proven, "leads.index"),
    ]


def _counted(word: str, now: int, before: int, endpoint: str) -> Figure:
    return Figure(word, f"{now:,}", f"{before:,}", change(now, before, before), endpoint)
