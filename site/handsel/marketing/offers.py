"""Offers: what each brings, step by step and variant by variant."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from flask import abort, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from handsel import clock
from handsel.db import db
from handsel.desk import DeskBlueprint
from handsel.desk.figures import Span, funnels
from handsel.desk.words import plain_subject
from handsel.leads.models import Capture
from handsel.mail.models import Message
from handsel.offers.library import Letter, Offer
from handsel.offers.live import current
from handsel.traffic.models import Tally

bp = DeskBlueprint("offers", __name__, roles=("marketer", "owner"))

DAYS = 28  # four whole weeks: each weekday counts four times


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
    return render_template("desk/offer.html", offer=found, funnel=funnel, arms=_variants(session, found, span),
                           letters=_letters(session, found), now=now, days=DAYS)


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
        length = self.letter.due_after
        if self.letter.is_delivery or not length:
            return "at once"
        days, rest = divmod(int(length.total_seconds()), 86400)
        hours, minutes = divmod(rest // 60, 60)
        named = ((days, "day"), (hours, "hour"), (minutes, "minute"))
        return "after " + " ".join(f"{count} {unit}{'s' if count > 1 else ''}" for count, unit in named if count)


def _letters(session: Session, offer: Offer) -> list[Sequence]:
    states: dict[str, dict[str, int]] = defaultdict(dict)
    for step, state, count in session.execute(
            select(Message.step, Message.state, func.count()).where(Message.offer == offer.slug)
            .group_by(Message.step, Message.state)):
        states[step][state] = count
    return [Sequence(letter, states[letter.step]) for letter in offer.letters]


@dataclass
class Arm:
    """One landing page variant: its share of visitors, views, forms, and views that are no people's by reason."""

    name: str
    title: str
    share: int
    live: bool
    views: int = 0
    captures: int = 0
    excluded: dict[str, int] = field(default_factory=dict)


def _variants(session: Session, offer: Offer, span: Span) -> list[Arm]:
    now = clock.now()
    arms = {name: Arm(name, page.meta.label or page.title, offer.split.get(name, 0), page.is_live(now))
            for name, page in sorted(offer.variants.items())}
    views = select(Tally.variant, Tally.excluded, func.sum(Tally.hits)).where(
        Tally.day.between(span.first, span.last), Tally.offer == offer.slug, Tally.kind == "view", Tally.variant != "")
    for name, excluded, hits in session.execute(views.group_by(Tally.variant, Tally.excluded)):
        arm = arms.setdefault(name, _gone(name))
        if excluded:
            arm.excluded[excluded] = int(hits)
        else:
            arm.views = int(hits)
    captures = select(Capture.variant, func.count()).where(
        Capture.offer == offer.slug, Capture.at >= span.begins, Capture.at < span.ends, Capture.quarantine == "",
        Capture.variant != "")
    for name, count in session.execute(captures.group_by(Capture.variant)):
        arms.setdefault(name, _gone(name)).captures = count
    return list(arms.values())


def _gone(name: str) -> Arm:
    return Arm(name, "no longer there", 0, False)
