"""What the worker does: it looks at how hand-overs ended, and learns from them which leads sales accepts."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from handsel.db import db, is_alone, writing
from handsel.leads.handoff.models import Handoff
from handsel.leads.models import Lead, Sale
from handsel.leads.quality.learning import MOST, learn
from handsel.leads.quality.models import QualityModel
from handsel.leads.quality.predicting import STALE, digest, newest
from handsel.leads.quality.properties import PROPERTIES, Seen, row
from handsel.leads.scoring.past import pasts
from handsel.leads.scoring.points import points
from handsel.rules.scoring import Scoring

EVERY = timedelta(days=1)
AT_ONCE = 200  # leads in memory, and rows in one write, at a time
KEPT = 30  # models; their figures tell how the predictions got better or worse
PAUSE = 0.02  # seconds between long steps, so that the process answers others


@dataclass(frozen=True)
class Outcome:
    """How a hand-over ended: with a sale or an acceptance, or with a rejection."""

    lead_id: int
    at: datetime
    """When the lead was handed over: it is judged by what was known then."""
    accepted: bool


def outcomes(session: Session) -> list[Outcome]:
    """The newest outcomes, the latest first; a hand-over that ended in a sale counts as accepted, whatever was said."""
    sold: dict[int, list[datetime]] = {}
    for lead_id, at in session.execute(select(func.coalesce(Lead.merged_into_id, Lead.id), Sale.at).join(
            Lead, Lead.id == Sale.lead_id)):
        sold.setdefault(lead_id, []).append(at)
    rows = session.execute(
        select(func.coalesce(Lead.merged_into_id, Lead.id), Handoff.at, Handoff.state)
        .join(Lead, Lead.id == Handoff.lead_id).order_by(Handoff.at.desc(), Handoff.id.desc()))
    found: list[Outcome] = []
    later: dict[int, datetime] = {}
    for lead_id, at, state in rows:
        until = later.get(lead_id)
        won = any(at <= sale and (until is None or sale < until) for sale in sold.get(lead_id, ()))
        later[lead_id] = at
        if won or state in ("accepted", "rejected"):
            found.append(Outcome(lead_id, at, won or state == "accepted"))
            if len(found) == MOST:
                break
    return found


def due(session: Session, rules: str, at: datetime) -> bool:
    """Whether it is time to learn: a day has gone by, or the points are given by other rules."""
    last = newest(session)
    return last is None or last.rules != rules or last.at <= at - EVERY


def train(scoring: Scoring, at: datetime) -> QualityModel | None:
    """Learn from all outcomes and keep it; None if somebody else was faster. Needs an application context."""
    session = db.session()
    before = session.scalar(select(func.max(QualityModel.id))) or 0
    ended = outcomes(session)
    rows = [row(PROPERTIES, seen) for seen in judged(session, scoring, ended)]
    learned = learn(rows, [one.accepted for one in ended], [one.lead_id for one in ended], lambda: time.sleep(PAUSE))
    accepted = sum(one.accepted for one in ended)
    with writing() as write:
        is_alone(write.connection(), "quality", wait=True)
        if (write.scalar(select(func.max(QualityModel.id))) or 0) != before:
            return None
        model = QualityModel(at=at, rules=digest(scoring), accepted=accepted, rejected=len(ended) - accepted,
                             shown=learned is not None and learned.figures.better_than_guessing,
                             learned=learned.stored() if learned else {})
        write.add(model)
        write.flush()
        old = write.scalar(select(QualityModel.id).order_by(QualityModel.id.desc()).offset(KEPT).limit(1))
        if old is not None:
            write.execute(delete(QualityModel).where(QualityModel.id <= old))
    return model


def judged(session: Session, scoring: Scoring, ended: Sequence[Outcome]) -> Iterator[Seen]:
    """Each of those leads as it was known when it was handed over, with the points it had then, in their order."""
    for start in range(0, len(ended), AT_ONCE):
        some = ended[start:start + AT_ONCE]
        histories = pasts(session, session.scalars(select(Lead).where(Lead.id.in_({one.lead_id for one in some}))))
        for one in some:
            person = histories[one.lead_id].person(one.at)
            yield Seen(person, points(scoring, person, one.at), one.at)
        time.sleep(PAUSE)


def ask_all(at: datetime) -> int:
    """Have every lead looked at whose prediction is another one now; how many. Needs an application context."""
    total, last = 0, 0
    while True:
        with writing() as session:
            ids = session.scalars(select(Lead.id).where(
                Lead.id > last, or_(Lead.acted_at > at - STALE, Lead.quality.is_not(None)))
                .order_by(Lead.id).limit(AT_ONCE)).all()
            if not ids:
                return total
            session.execute(update(Lead).where(Lead.id.in_(ids), or_(Lead.look_at.is_(None), Lead.look_at > at))
                            .values(look_at=at))
        total, last = total + len(ids), ids[-1]
        time.sleep(PAUSE)
