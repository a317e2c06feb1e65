"""A pause: no letters for a while, and then the series goes on where it stood, with the same days between."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from handsel.leads.models import Lead
from handsel.mail import queue
from handsel.offers.library import Offer

DAYS = (30, 90)
"""The lengths that a person may choose."""

Tied = tuple[str, str]
"""A letter by its offer and step."""


def by_event(offers: Iterable[Offer]) -> set[Tied]:
    """The letters that go by the time of an event, which waits for nobody's pause."""
    return {(offer.slug, letter.step) for offer in offers for letter in offer.letters if letter.meta.is_by_event}


def pause(session: Session, lead: Lead, days: int, at: datetime, tied: Collection[Tied] = ()) -> None:
    """Send no letters for so many days from now, whatever was paused before; see ``by_event`` for ``tied``.

    Needs a write transaction.
    """
    go_on(session, lead, at, tied)
    length = timedelta(days=days)
    lead.paused_until = at + length
    queue.shift(session, lead.id, length, tied)


def go_on(session: Session, lead: Lead, at: datetime, tied: Collection[Tied] = ()) -> None:
    """End a pause now; letters take back the days that it would still have lasted. Needs a write transaction."""
    session.refresh(lead, with_for_update=True)
    if lead.paused_until is not None and lead.paused_until > at:
        queue.shift(session, lead.id, at - lead.paused_until, tied)
    lead.paused_until = None


def paused(lead: Lead, at: datetime) -> datetime | None:
    """Until when the letters pause; None when they come."""
    return lead.paused_until if lead.paused_until is not None and lead.paused_until > at else None
