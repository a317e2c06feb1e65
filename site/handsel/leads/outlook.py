"""Before a test of landing pages: what it would take at the offer's own traffic, and what keeps it from starting."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from handsel.errors import HandselError
from handsel.experiments import plan
from handsel.experiments.figures import lift_words
from handsel.experiments.models import Conversion, Exposure
from handsel.experiments.plan import Forecast
from handsel.offers import acts
from handsel.offers.library import Offer, equal_split, even_split
from handsel.offers.project import Project
from handsel.offers.writing import Change, checked

DAYS = 28  # four whole weeks: each weekday counts four times
ENOUGH = 20  # conversions; the rate of fewer is more luck than rate
NO_CHALLENGER = "There is nothing to test yet. Copy landing.md to landing.b.md and change what you want to learn from."


@dataclass(frozen=True)
class Wanted:
    """The test that somebody wants, in the words of ``offer.md``; what is None is chosen for them or left out.

    Without ``split`` all share evenly. With ``mde`` and no ``baseline`` the offer's own rate of the last weeks is the
    plan's; without ``mde`` the test has no plan.
    """

    goal: str = "capture"
    split: Mapping[str, int] | None = None
    baseline: float | None = None
    mde: float | None = None
    hypothesis: str = ""
    value_cap: float | None = None
    alpha: float = 0.05
    power: float = 0.8
    shifting: bool = False

    def block(self) -> dict[str, Any]:
        """The lines for ``offer.md``; what is as usual is left out."""
        said = {"goal": self.goal, "split": self.split and dict(self.split), "baseline": self.baseline, "mde": self.mde,
                "alpha": None if self.alpha == 0.05 else self.alpha, "power": None if self.power == 0.8 else self.power,
                "value_cap": self.value_cap, "shifting": self.shifting or None,
                "hypothesis": self.hypothesis.strip() or None}
        return {name: value for name, value in said.items() if value is not None}


@dataclass(frozen=True)
class Outlook:
    """What a test would take. ``wanted`` is what was asked for, with the split and the baseline that were chosen.

    ``visitors`` and ``conversions`` are the offer's own of the last ``days``: 28, or fewer if its first visitor came
    later. ``rate`` is theirs, None without a conversion. ``forecast`` is None for a test without a plan.
    ``hindrances`` are sentences that say why it cannot start, ``hints`` what else to think of.
    """

    wanted: Wanted
    days: int
    visitors: int
    conversions: int
    forecast: Forecast | None = None
    hindrances: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()

    @property
    def rate(self) -> float | None:
        """Conversions by visitor, to three digits."""
        return float(f"{self.conversions / self.visitors:.3g}") if self.conversions else None

    @property
    def weekly_visitors(self) -> float | None:
        """Visitors in a week as they come now; None while there are none."""
        return self.visitors / self.days * 7 if self.visitors else None


def outlook(connection: Connection, project: Project, offer: Offer, wanted: Wanted, at: datetime) -> Outlook:
    """What the ``wanted`` test of ``offer`` would take. Nothing is changed."""
    seen = Outlook(wanted, *_traffic(connection, offer.slug, wanted.goal, at))
    split = wanted.split or (equal_split if wanted.goal == "value" else even_split)(offer.shown)
    baseline = seen.rate if wanted.mde is not None and wanted.baseline is None else wanted.baseline
    seen = replace(seen, wanted=replace(wanted, split=dict(split), baseline=baseline))
    hindrances = tuple(_hindrances(project, offer, seen.wanted, at))
    return replace(seen, forecast=_forecast(seen), hindrances=hindrances,
                   hints=tuple(_hints(seen, own=wanted.baseline is None)))


def _traffic(connection: Connection, offer: str, goal: str, at: datetime) -> tuple[int, int, int]:
    """The days that are known, the visitors in them, and how many of those reached the goal."""
    since = at - timedelta(days=DAYS)
    seen = (Exposure.offer == offer, Exposure.at >= since, Exposure.at <= at)
    first, visitors = connection.execute(
        select(func.min(Exposure.at), func.count(Exposure.visitor.distinct())).where(*seen)).one()
    reached = connection.scalar(select(func.count(Conversion.visitor.distinct())).where(
        Conversion.offer == offer, Conversion.goal == goal, Conversion.at >= since, Conversion.at <= at,
        Conversion.visitor.in_(select(Exposure.visitor).where(*seen)))) or 0
    return min(DAYS, (at - first).days + 1 if first else 1), visitors, reached


def _forecast(seen: Outlook) -> Forecast | None:
    wanted = seen.wanted
    weights = [share for share in (wanted.split or {}).values() if share > 0]
    if wanted.baseline is None or wanted.mde is None or len(weights) < 2:
        return None
    try:
        return plan.forecast(wanted.baseline, wanted.mde, seen.weekly_visitors, alpha=wanted.alpha, power=wanted.power,
                             weights=weights, values=wanted.goal == "value")
    except ValueError:
        return None  # the check of the files says it in words


def _hindrances(project: Project, offer: Offer, wanted: Wanted, at: datetime) -> Iterator[str]:
    if offer.meta.experiment is not None:
        yield "A test of this offer runs already. Stop it or ship it first."
    elif len(offer.shown) < 2:
        yield NO_CHALLENGER
    elif not offer.control.is_live(at):
        yield "The landing page is not live."
    elif not offer.is_open(at):
        yield "The offer is not open, so nobody can ask for it."
    elif wanted.mde is not None and wanted.baseline is None:
        yield "There is no rate of the last weeks to go by. Say which one you expect, such as .03 for 3 %."
    else:
        try:
            outcome(project, offer, acts.started(project, offer, wanted.block()), running=True)
        except HandselError as error:
            yield f"{error.where}: {error.what} {error.do}".rstrip()


def _hints(seen: Outlook, *, own: bool) -> Iterator[str]:
    wanted, weekly = seen.wanted, seen.weekly_visitors
    if seen.visitors and seen.days < DAYS:
        yield f"Only {seen.days} day{'s' if seen.days > 1 else ''} of traffic are known: take the weeks as a guess."
    if own and wanted.mde is not None and 0 < seen.conversions < ENOUGH:
        some = f"{seen.conversions} conversion{'s' if seen.conversions > 1 else ''}"
        yield f"Your rate of the last weeks rests on {some} alone: it may be far off."
    if wanted.mde is None:
        yield "Without a plan a real lift is found later: name the smallest lift that is worth the trouble."
        shares = len(wanted.split or ())
        if seen.rate and weekly and shares > 1:
            reach = plan.findable(seen.rate, weekly * plan.LONGEST_WEEKS * 2 / shares)
            yield plan.too_long(None, 1) if reach is None else (
                f"In {plan.LONGEST_WEEKS} weeks your traffic can show a lift of {lift_words(reach)} or more.")


def outcome(project: Project, offer: Offer, changes: list[Change], *, running: bool) -> None:
    """Raise HandselError unless the offer would be live, with or without a ``running`` test, after ``changes``."""
    after = checked(project, changes)
    there = after.offers.get(offer.slug)
    if there is not None and there.runs == running and (there.meta.experiment is not None) == running:
        return
    own = next((fault for fault in after.faults if fault.where.startswith(f"offers/{offer.slug}/")), None)
    if own is None:
        raise HandselError(f"offers/{offer.slug}", "The change would not go live.", "Run handsel check.")
    raise HandselError(own.where, f"This fault keeps every change of the offer from going live: {own.what}", own.do)
