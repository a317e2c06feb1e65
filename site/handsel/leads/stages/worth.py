"""Which offer's leads were worth it: what became of those who asked for each, from the form to the money."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Subquery, and_, case, func, select
from sqlalchemy.orm import Session

from handsel.leads.handoff.models import Handoff
from handsel.leads.models import Capture, Lead, Sale
from handsel.leads.segments.sql import where
from handsel.leads.stages.models import StageChange
from handsel.rules.conditions import Condition
from handsel.rules.stages import RANKS

EVERYTHING = ""
"""The offer that stands for all of them: each lead counts once."""
QUALIFIED = tuple(stage for stage, rank in RANKS.items() if rank >= RANKS["mql"])
NOT_ASKED = ("import", "hand")
"""Ways in which leads come without having asked for anything."""


@dataclass
class Worth:
    """Of the people who asked for one offer in a span of time: how many proved their mailbox, were qualified, accepted
    or rejected by sales afterwards, bought, and for how much.

    ``reasons`` counts rejections by the keys of ``_handoff.yml``; ``cents`` is the money by currency. A hand-over
    counts for the offer that it was put down to, and of a lead its newest one.
    """

    offer: str
    captured: int = 0
    proven: int = 0
    qualified: int = 0
    accepted: int = 0
    rejected: int = 0
    won: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    cents: dict[str, int] = field(default_factory=dict)

    @property
    def judged(self) -> int:
        """How many sales has said yes or no to."""
        return self.accepted + self.rejected


def worth(session: Session, since: datetime, until: datetime, offer: str | None = None, *,
          among: Condition | None = None, at: datetime | None = None) -> list[Worth]:
    """What became of the leads that asked in that time: of all together first, then of each offer, the most accepted
    first; or of one offer alone. ``among`` counts only the people for whom it holds as of ``at``, else ``until``."""
    asked = _asked(since, until, offer, None if among is None else where(among, at or until))
    found: dict[str, Worth] = {}
    whole = Worth(EVERYTHING)
    for slug, captured, proven in session.execute(
            select(asked.c.offer, func.count(), func.sum(asked.c.proven)).group_by(asked.c.offer)):
        found[slug] = Worth(slug, captured, int(proven))
    whole.captured, whole.proven = session.execute(select(
        func.count(func.distinct(asked.c.head)),
        func.count(func.distinct(case((asked.c.proven == 1, asked.c.head)))))).one()
    _qualified(session, asked, found, whole)
    _handed_over(session, asked, found, whole)
    _won(session, asked, found, whole)
    each = sorted(found.values(), key=lambda one: (-one.accepted, -one.qualified, -one.captured, one.offer))
    return each if offer is not None else [whole, *each]


def _asked(since: datetime, until: datetime, offer: str | None, among: ColumnElement[bool] | None) -> Subquery:
    """Each person with each offer that they asked for: when first, and whether they proved it."""
    head = func.coalesce(Lead.merged_into_id, Lead.id).label("head")
    query = select(Capture.offer, head, func.min(Capture.at).label("at"),
                   func.max(case((Capture.proven_at.is_not(None), 1), else_=0)).label("proven")).join(
        Lead, Lead.id == Capture.lead_id).where(
        Capture.at >= since, Capture.at < until, Capture.quarantine == "", Capture.offer != "",
        Capture.form.not_in(NOT_ASKED))
    if offer is not None:
        query = query.where(Capture.offer == offer)
    if among is not None:
        query = query.where(head.in_(select(Lead.id).where(among).correlate(None)))
    return query.group_by(Capture.offer, head).subquery()


def _of_people(model: Any, *columns: Any) -> Subquery:
    """Rows that hang on leads, with the person they belong to."""
    head = func.coalesce(Lead.merged_into_id, Lead.id).label("head")
    return select(head, model.at.label("at"), *columns).join(Lead, Lead.id == model.lead_id).subquery()


def _qualified(session: Session, asked: Subquery, found: dict[str, Worth], whole: Worth) -> None:
    reached = _of_people(StageChange, StageChange.stage, StageChange.was)
    later = and_(reached.c.head == asked.c.head, reached.c.at >= asked.c.at, reached.c.stage.in_(QUALIFIED))
    people = func.count(func.distinct(asked.c.head))
    for slug, number in session.execute(select(asked.c.offer, people).join(reached, later).group_by(asked.c.offer)):
        found[slug].qualified = number
    whole.qualified = session.scalar(select(people).join(reached, later)) or 0


def _handed_over(session: Session, asked: Subquery, found: dict[str, Worth], whole: Worth) -> None:
    head = func.coalesce(Lead.merged_into_id, Lead.id).label("head")
    newest = select(func.max(Handoff.id).label("id")).join(Lead, Lead.id == Handoff.lead_id).where(
        Handoff.state.in_(("accepted", "rejected"))).group_by(head, Handoff.offer).subquery()
    given = select(Handoff.id, head, Handoff.offer, Handoff.at, Handoff.state, Handoff.reason).join(
        Lead, Lead.id == Handoff.lead_id).where(Handoff.id.in_(select(newest.c.id))).subquery()
    rows = session.execute(select(given.c.offer, given.c.state, given.c.reason, func.count()).join(asked, and_(
        asked.c.head == given.c.head, asked.c.offer == given.c.offer, given.c.at >= asked.c.at)).group_by(
        given.c.offer, given.c.state, given.c.reason))
    for slug, state, reason, number in rows:
        for one in (found[slug], whole):
            if state == "accepted":
                one.accepted += number
            else:
                one.rejected += number
                one.reasons[reason] = one.reasons.get(reason, 0) + number


def _won(session: Session, asked: Subquery, found: dict[str, Worth], whole: Worth) -> None:
    sold = _of_people(Sale, Sale.id, Sale.cents, Sale.currency)
    later = and_(sold.c.head == asked.c.head, sold.c.at >= asked.c.at)
    people: defaultdict[str, set[int]] = defaultdict(set)
    counted: set[int] = set()
    for slug, id_, who, cents, currency in session.execute(
            select(asked.c.offer, sold.c.id, sold.c.head, sold.c.cents, sold.c.currency).join(sold, later)):
        people[slug].add(who)
        _pay(found[slug], cents, currency)
        if id_ not in counted:
            counted.add(id_)
            people[EVERYTHING].add(who)
            _pay(whole, cents, currency)
    for slug, buyers in people.items():
        (found.get(slug) or whole).won = len(buyers)


def _pay(one: Worth, cents: int, currency: str) -> None:
    one.cents[currency] = one.cents.get(currency, 0) + cents


def amount(cents: dict[str, int]) -> str:
    """Money in words: ``1,249.50 GBP``; empty for none."""
    return ", ".join(f"{number / 100:,.2f} {currency}" for currency, number in sorted(cents.items()))


def reasons(one: Worth, words: Any) -> list[tuple[str, int]]:
    """Why leads were rejected, in words, the most frequent first. ``words`` gives those of a key."""
    told = [(words(key) if key else "No reason noted", number) for key, number in one.reasons.items()]
    return sorted(told, key=lambda pair: (-pair[1], pair[0]))


def as_rows(found: Iterable[Worth]) -> list[dict[str, Any]]:
    """The report for programs."""
    return [{"offer": one.offer or None, "captured": one.captured, "proven": one.proven, "qualified": one.qualified,
             "accepted": one.accepted, "rejected": one.rejected, "reasons": one.reasons, "won": one.won,
             "revenue": {currency: f"{cents / 100:.2f}" for currency, cents in sorted(one.cents.items())}}
            for one in found]
