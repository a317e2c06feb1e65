"""A pause: no letters for a while, and then the series goes on where it stood, with the same days between."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from handsel.leads.models import Lead
from handsel.mail import queue

DAYS = (30, 90)
"""The lengths that a person may choose."""


def pause(session: Session, lead: Lead, days: int, at: datetime) -> None:
    """Send no letters for so many days from now, whatever was paused before. Needs a write transaction."""
    go_on(session, lead, at)
    length = timedelta(days=days)
    lead.paused_until = at + length
    queue.shift(session, lead.id, length)


def go_on(session: Session, lead: Lead, at: datetime) -> None:
    """End a pause now; letters take back the days that it would still have lasted. Needs a write transaction."""
    session.refresh(lead, with_for_update=True)
    if lead.paused_until is not None and lead.paused_until > at:
        queue.shift(session, lead.id, at - lead.paused_until)
    lead.paused_until = None


def paused(lead: Lead, at: datetime) -> datetime | None:
    """Until when the letters pause; None when they come."""
    return lead.paused_until if lead.paused_until is not None and lead.paused_until > at else None
