"""One look at some leads: the parts of qualification, one after the other, in one write transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from handsel.leads.models import Lead
from handsel.offers.project import Project


@dataclass(frozen=True)
class Look:
    """What every part of a look goes by. ``leads`` are locked, have all mailboxes merged into them, and no merged one
    is among them."""

    session: Session
    project: Project
    leads: dict[int, Lead]
    at: datetime


Part = Callable[[Look], None]
PARTS: tuple[Part, ...] = ()
"""In their order: each may use what the ones before it wrote. A part that wants to see a lead again sets the earliest
``look_at``; it finds None there."""


def look(session: Session, project: Project, lead_ids: Iterable[int], at: datetime) -> None:
    """Look at these leads as of ``at``; of a mailbox that was merged, at the lead it belongs to. Needs a write
    transaction."""
    wanted = set(lead_ids)
    session.flush()
    heads = session.execute(select(Lead.id, Lead.merged_into_id).where(Lead.id.in_(wanted))).all()
    merged = {id_ for id_, into in heads if into is not None}
    if merged:
        session.execute(update(Lead).where(Lead.id.in_(merged)).values(look_at=None))
    ids = sorted({into or id_ for id_, into in heads})
    leads = {lead.id: lead for lead in session.scalars(
        select(Lead).where(Lead.id.in_(ids)).order_by(Lead.id).with_for_update())}
    for lead in leads.values():
        lead.look_at = None
    seen = Look(session, project, leads, at)
    for part in PARTS:
        part(seen)
    session.flush()


def soonest(lead: Lead, at: datetime | None) -> None:
    """Have the lead looked at again at that time, or earlier if it is to be looked at earlier."""
    if at is not None and (lead.look_at is None or at < lead.look_at):
        lead.look_at = at
