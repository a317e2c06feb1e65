"""One look at some leads: the parts of qualification, one after the other, in one write transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from handsel.leads.models import Capture, Lead
from handsel.leads.scoring.points import Points
from handsel.leads.stages.models import StageChange
from handsel.offers.project import Project
from handsel.rules.person import Fact

AGAIN = timedelta(minutes=1)  # a part that asks for a look at once is looked at then, and cannot go round in circles


@dataclass
class Look:
    """What every part of a look goes by.

    ``leads`` are locked, and no merged one is among them; ``mailboxes`` maps the number of each mailbox to the lead it
    belongs to. ``captures`` are all that its mailboxes said, in the order of time, from the first part on; ``facts``
    are there after the part that keeps them, ``points`` after the one that scores, ``changes`` after the part that
    moves stages: the change of this look, of each lead that has one.
    """

    session: Session
    project: Project
    leads: dict[int, Lead]
    at: datetime
    mailboxes: dict[int, int] = field(default_factory=dict)
    captures: dict[int, list[Capture]] = field(default_factory=dict)
    facts: dict[int, tuple[Fact, ...]] = field(default_factory=dict)
    points: dict[int, Points] = field(default_factory=dict)
    changes: dict[int, StageChange] = field(default_factory=dict)


Part = Callable[[Look], None]


def look(session: Session, project: Project, lead_ids: Iterable[int], at: datetime) -> None:
    """Look at these leads as of ``at``; of a mailbox that was merged, at the lead it belongs to. Needs a write
    transaction."""
    from handsel.leads.qualify.parts import PARTS  # each part knows what a look is

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
    seen = Look(session, project, leads, at, mailboxes_of(session, ids))
    for part in PARTS:
        part(seen)
    for lead in leads.values():
        if lead.look_at is not None and lead.look_at <= at:
            lead.look_at = at + AGAIN
    session.flush()


def mailboxes_of(session: Session, heads: Iterable[int]) -> dict[int, int]:
    """Each mailbox of these leads with the lead it belongs to: they themselves, and those merged into them."""
    heads = list(heads)
    rows = session.execute(select(Lead.id, Lead.merged_into_id).where(
        or_(Lead.id.in_(heads), Lead.merged_into_id.in_(heads))))
    return {id_: into or id_ for id_, into in rows}


def ask(session: Session, lead_id: int, at: datetime) -> None:
    """Have a lead looked at as soon as the worker comes to it: something happened that changes what we believe of it.

    Needs a write transaction.
    """
    session.execute(update(Lead).where(Lead.id == lead_id).values(look_at=at))


def soonest(lead: Lead, at: datetime | None) -> None:
    """Have the lead looked at again at that time, or earlier if it is to be looked at earlier."""
    if at is not None and (lead.look_at is None or at < lead.look_at):
        lead.look_at = at
