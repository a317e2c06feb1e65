"""Leads made anew from their facts: what they say, what they did, their points and stages, and whatever rules make."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import func, select

from handsel import clock
from handsel.db import db, writing
from handsel.leads.models import Lead
from handsel.leads.profile import refresh_all
from handsel.leads.qualify.looking import look
from handsel.offers.live import current

AT_ONCE = 50  # leads in one transaction, so that a capture never waits for long


def number() -> int:
    """How many leads there are."""
    with db.engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(Lead)) or 0


def rebuild() -> Iterator[int]:
    """Make what we believe about each lead anew from the facts; gives how many at a time."""
    project, at = current(), clock.now()
    last = 0
    while True:
        with writing() as session:
            leads = session.scalars(select(Lead).where(Lead.id > last).order_by(Lead.id).limit(AT_ONCE)).all()
            refresh_all(session, leads)
            look(session, project, [lead.id for lead in leads if lead.merged_into_id is None], at)
            if leads:
                last = leads[-1].id
        if not leads:
            return
        yield len(leads)
