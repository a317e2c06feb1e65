"""Captures that wait for a person to look: letting them go on their way."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from handsel import offers
from handsel.leads.confirm import locked
from handsel.leads.delivery import due_of
from handsel.leads.due import pen_of
from handsel.leads.models import Capture


def release(session: Session, capture: Capture, at: datetime) -> bool:
    """Send what a quarantined capture has coming, as if it were made now; False when it waits no more.

    Of an offer that is gone from the project, nothing is sent. Needs a write transaction.
    """
    locked(session, capture.lead_id)
    session.refresh(capture)
    if not capture.quarantine:
        return False
    capture.quarantine = ""
    session.flush()
    offer = offers.current().offer(capture.offer)
    if offer is not None:
        due_of(session, offer, capture, at).send(pen_of(session))
    return True
