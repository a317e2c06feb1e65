"""Leaving: one topic or all marketing mail. What waits is cancelled in the same transaction."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from handsel.leads import consents
from handsel.leads.consents import Way
from handsel.leads.due import is_key
from handsel.leads.models import Lead
from handsel.leads.profile import refresh_texts
from handsel.mail.models import Message


def split_token(token: str) -> tuple[str, str]:
    """The lead's key and the topic of an unsubscribe link's token; an empty topic means all marketing mail."""
    key, _, topic = token.partition(".")
    return key, topic


def find(session: Session, key: str) -> Lead | None:
    """The lead of a link's key."""
    return session.scalars(select(Lead).where(Lead.key == key)).first() if is_key(key) else None


def unsubscribe(session: Session, lead: Lead, topic: str, way: Way, at: datetime) -> None:
    """Withdraw the consent to ``topic``, or to all marketing mail when it is empty, and cancel the letters that wait.

    Again and again it stays the same. Needs a write transaction.
    """
    session.refresh(lead, with_for_update=True)
    consents.withdraw(session, lead, [topic] if topic else None, way, at)
    if not topic:
        lead.unsubscribed_at = lead.unsubscribed_at or at
        lead.paused_until = None  # whoever comes back comes back at once
    # What a worker holds is cancelled too, unless its text has begun to go out: the worker asks once more before that.
    waiting = update(Message).where(Message.lead_id == lead.id, Message.kind == "letter",
                                    Message.state.in_(("queued", "claimed")), Message.begun_at.is_(None))
    if topic:
        waiting = waiting.where(Message.topic == topic)
    session.execute(waiting.values(state="cancelled", reason="Unsubscribed.", worker="", lease_until=None))
    refresh_texts(session, lead)
