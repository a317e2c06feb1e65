"""Offers: what each brings, step by step, with the test of its landing pages."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import abort, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from handsel import clock
from handsel.db import db
from handsel.desk import DeskBlueprint
from handsel.desk.experiments import arm_rows, titles
from handsel.desk.figures import Span, funnels
from handsel.desk.shell import site_zone
from handsel.desk.words import plain_subject
from handsel.experiments.results import latest
from handsel.experiments.sentences import GOALS, tell
from handsel.leads import attending, coupons
from handsel.leads.stages import worth
from handsel.mail.models import Message
from handsel.offers import events
from handsel.offers.library import Letter, Offer
from handsel.offers.live import current

bp = DeskBlueprint("offers", __name__, roles=("marketer", "owner"))

DAYS = 28  # four whole weeks: each weekday counts four times
A_YEAR = timedelta(days=365)


@bp.get("/offers")
def index() -> ResponseReturnValue:
    """All offers with views, forms and rate of the last four weeks."""
    now = clock.now()
    project = current()
    figures = funnels(db.session(), Span.ending(now, DAYS))
    offers = sorted(project.offers.values(), key=lambda offer: (not offer.is_open(now), offer.title.lower()))
    gone = sorted(slug for slug in figures if project.offer(slug) is None)
    return render_template("desk/offers.html", offers=offers, gone=gone, figures=figures, days=DAYS, now=now,
                           most=max((figure.views for figure in figures.values()), default=0))


@bp.get("/offers/<slug>")
def offer(slug: str) -> ResponseReturnValue:
    """One offer: the path from view to download, its variants, its letters."""
    found = current().offers.get(slug)
    if found is None:
        abort(404)
    now = clock.now()
    session = db.session()
    span = Span.ending(now, DAYS)
    funnel = funnels(session, span, slug)[slug]
    test = latest(session.connection(), slug)
    return render_template(
        "desk/offer.html", offer=found, funnel=funnel, now=now, days=DAYS, letters=_letters(session, found), test=test,
        told=tell(test, now, site_zone()) if test else None, arms=arm_rows(test, titles(found)) if test else (),
        titles=titles(found), goals=GOALS, given=_given(session, found), worth=_worth(session, found, now),
        amount=worth.amount, reasons=lambda one: worth.reasons(one, current().rules.handoff.reason))


def _worth(session: Session, offer: Offer, now: datetime) -> worth.Worth | None:
    """What became of the leads of a year."""
    found = worth.worth(session, now - A_YEAR, now + timedelta(seconds=1), offer.slug)
    return found[0] if found else None


def _given(session: Session, offer: Offer) -> str:
    """What the offer gives, in words for the head of its page."""
    asset, meta = offer.asset, offer.meta
    if meta.event is not None:
        zone = current().site.timezone
        coming, came = attending.count(session, offer)
        return (f"invites to {events.day(meta.event, zone)}, {events.hour(meta.event, zone)}, "
                f"{events.where(meta.event)}: {coming:,} signed up and proved it, {came:,} joined")
    if asset is None:
        return "gives no file"
    if asset.codes:
        left = coupons.left(session, offer)
        return f"gives codes: {left:,} of {len(asset.codes):,} in {asset.name} are left"
    what = f"the guide in {len(asset.book.chapters)} chapters" if asset.book else asset.name
    return f"gives {what}, links live {meta.link_days} days and {meta.downloads} downloads"


@dataclass(frozen=True)
class Sequence:
    """One letter with its messages by state."""

    letter: Letter
    states: dict[str, int]

    @property
    def subject(self) -> str:
        """The subject as most people read it: fallbacks in the place of names."""
        return plain_subject(self.letter)

    @property
    def when(self) -> str:
        """When it goes out, counted from the form."""
        meta = self.letter.meta
        if meta.is_by_event:
            told = _words_of(meta.before or meta.after_event or timedelta())
            return f"{told} before the event" if meta.before is not None else f"{told} after the event"
        length = self.letter.due_after
        if self.letter.is_delivery or not length:
            return "at once"
        return f"after {_words_of(length)}"


def _words_of(length: timedelta) -> str:
    """A length of time: ``2 days 3 hours``."""
    days, rest = divmod(int(length.total_seconds()), 86400)
    hours, minutes = divmod(rest // 60, 60)
    named = ((days, "day"), (hours, "hour"), (minutes, "minute"))
    return " ".join(f"{count} {unit}{'s' if count > 1 else ''}" for count, unit in named if count)


def _letters(session: Session, offer: Offer) -> list[Sequence]:
    states: dict[str, dict[str, int]] = defaultdict(dict)
    for step, state, count in session.execute(
            select(Message.step, Message.state, func.count()).where(Message.offer == offer.slug)
            .group_by(Message.step, Message.state)):
        states[step][state] = count
    return [Sequence(letter, states[letter.step]) for letter in offer.letters]
