"""Messages that are due, for tests of mail."""

from __future__ import annotations

from typing import Any

from factories import make_capture, make_consent, make_grant, make_lead, make_message
from handsel import clock
from handsel.db import db
from handsel.leads.models import Lead
from handsel.mail.models import Message
from handsel.mail.schedule import LIFETIMES


def a_delivery(email: str = "ada@example.org", **fields: Any) -> Message:
    """A delivery that is due, to a mailbox that nobody has proven."""
    lead = make_lead(email=email, first_name="Ada", confirmed_at=None)
    capture = make_capture(lead, proven_at=None)
    return make_message(lead, **{"kind": "delivery", "step": "00-delivery", "topic": "", "priority": 1,
                                 "capture_id": capture.id, "grant_id": make_grant(lead).id,
                                 "give_up_at": clock.now() + LIFETIMES["delivery"]} | fields)


def a_letter(email: str = "ada@example.org", **fields: Any) -> Message:
    """A follow-up that is due, to a lead that agreed to it and proved the mailbox."""
    lead = make_lead(email=email, first_name="Ada")
    make_consent(lead)
    return make_message(lead, **{"step": "01-begin", "capture_id": make_capture(lead).id} | fields)


def now(message: Message) -> Message:
    """The message as the database has it now."""
    db.session.rollback()
    db.session.add(message)
    db.session.refresh(message)
    return message


def lead_of(message: Message) -> Lead:
    """The lead that a message goes to."""
    lead = db.session.get(Lead, message.lead_id)
    assert lead is not None
    return lead
