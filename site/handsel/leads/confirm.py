"""Proving a mailbox: whoever presses the button behind a link that only went there reads the mail that goes there."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from handsel.leads import consents, conversions
from handsel.leads.consents import Way
from handsel.leads.due import is_key
from handsel.leads.models import Capture, Grant, Lead
from handsel.leads.plan import same_answers
from handsel.leads.profile import refresh
from handsel.mail import queue, suppress


def locked(session: Session, lead_id: int) -> Lead:
    """The lead, held until the transaction ends, so that two acts on one lead come one after the other."""
    return session.scalars(select(Lead).where(Lead.id == lead_id).with_for_update()).one()


def find_grant(session: Session, key: str) -> Grant | None:
    """The grant of a link's token."""
    return session.scalars(select(Grant).where(Grant.key == key)).first() if is_key(key) else None


def prove(session: Session, capture: Capture, way: Way, at: datetime) -> bool:
    """Note that the mailbox of ``capture`` is proven, and let all follow from it; False when it was proven before.

    Captures that say exactly the same are proven with it. How far the lead is by that, the next look at it says. Needs
    a write transaction.
    """
    lead = locked(session, capture.lead_id)
    session.refresh(capture)
    if capture.proven_at is not None:
        return False
    proven = [capture] + [
        other for other in session.scalars(select(Capture).where(
            Capture.lead_id == lead.id, Capture.offer == capture.offer, Capture.proven_at.is_(None),
            Capture.quarantine == "", Capture.id != capture.id))
        if same_answers(other.answers, capture.answers)]
    for one in proven:
        one.proven_at = at
    session.flush()
    if consents.confirm(session, lead, [capture.id], way, at):
        suppress.lift(session, lead.email, "unsubscribe", at)
        suppress.lift(session, lead.email, "erasure", at)
    refresh(session, lead)
    lead.look_at = at
    conversions.proven(session, capture.id, at)
    queue.wake(session, lead.id, at)
    return True
