"""Mails that a seller writes from the desk to one lead: queued once, answered to the seller, held back where they must.

Needs a write transaction.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from handsel.accounts.audit import Actor
from handsel.db import insert_or
from handsel.errors import HandselError
from handsel.leads.handoff.activities import LONGEST, Entry, put_down
from handsel.leads.handoff.models import Activity
from handsel.leads.models import Lead
from handsel.mail import queue, suppress
from handsel.mail.models import Message

LONGEST_SUBJECT = 200
UNPROVEN = "Nobody has proven this mailbox: somebody else may have typed the address."


def why_not(session: Session, lead: Lead, at: datetime) -> str:
    """Why this lead may not be written to, in words for the seller; empty when they may."""
    if lead.confirmed_at is None:
        return UNPROVEN
    if lead.unsubscribed_at is not None:
        return suppress.WORDS["unsubscribe"]
    hash_ = suppress.address_hash(lead.address)
    return suppress.why_not("personal", suppress.blocks(session, [hash_], at).get(hash_, []))


def write(session: Session, lead: Lead, subject: str, text: str, *, once: str, actor: Actor,
          at: datetime) -> Activity | None:
    """Queue a mail of ``actor`` to the lead and put it down; None when the form was sent before.

    Raises HandselError for one without words, or to somebody who may not be written to.
    """
    subject, text = " ".join(subject.split()), text.strip()
    if not subject or not text:
        raise HandselError("mail", "A mail needs a subject and a text.", "Write both.")
    if len(subject) > LONGEST_SUBJECT or len(text) > LONGEST:
        raise HandselError("mail", "That is too long for one mail.", f"Keep to {LONGEST:,} signs.")
    if why := why_not(session, lead, at):
        raise HandselError("mail", f"This person may not be written to. {why}", "Call them instead, if they agreed.")
    row = queue.row("personal", once=f"personal:{lead.id}:{once}", at=at, lead_id=lead.id, values={"subject": subject})
    session.flush()
    message_id = session.execute(insert_or(Message, session.get_bind().dialect.name).values(**row)
                                 .on_conflict_do_nothing(index_elements=["once"]).returning(Message.id)).scalar()
    if message_id is None:
        return None
    return put_down(session, lead, Entry("mail", once, text, subject=subject, message_id=message_id), actor=actor,
                    at=at)
