"""Who signed up for an event, and who went in."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, func, select
from sqlalchemy.orm import Session

from handsel.db import insert_or
from handsel.leads.due import is_key
from handsel.leads.models import Attendance, Capture, Lead
from handsel.leads.qualify.looking import ask
from handsel.offers.library import Offer


def signed_up(session: Session, key: str, slug: str) -> Lead | None:
    """The lead of that key if it signed up for the event of the offer ``slug`` and proved its mailbox."""
    if not is_key(key):
        return None
    return session.scalars(select(Lead).join(Capture, Capture.lead_id == Lead.id).where(
        Lead.key == key, Capture.offer == slug, Capture.proven_at.is_not(None))).first()


def attend(session: Session, lead: Lead, offer: Offer, at: datetime) -> bool:
    """Note that ``lead`` went in to the event; False when that was known. Needs a write transaction."""
    assert offer.meta.event is not None
    row = insert_or(Attendance, session.get_bind().dialect.name).values(
        offer=offer.slug, starts_at=offer.meta.event.starts_at, lead_id=lead.id, at=at)
    is_new = session.scalar(row.on_conflict_do_nothing().returning(Attendance.id)) is not None
    if is_new:
        ask(session, lead.id, at)
    return is_new


def count(session: Session | Connection, offer: Offer) -> tuple[int, int]:
    """How many people proved that they signed up for the offer, and how many went in to its present event."""
    assert offer.meta.event is not None
    coming = session.scalar(select(func.count(func.distinct(Capture.lead_id))).where(
        Capture.offer == offer.slug, Capture.proven_at.is_not(None))) or 0
    came = session.scalar(select(func.count()).select_from(Attendance).where(
        Attendance.offer == offer.slug, Attendance.starts_at == offer.meta.event.starts_at)) or 0
    return coming, came
