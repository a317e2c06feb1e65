"""Everything that we hold of what happened with one lead, in one list by time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from handsel.accounts import audit
from handsel.accounts.models import AuditEntry
from handsel.leads.models import Capture, Consent, Download, Lead
from handsel.leads.stages.models import StageChange
from handsel.mail.models import Message

_ORDER = ("capture", "proof", "consent", "download", "message", "unsubscribe", "stage", "act")  # at the same instant
MOST = 500  # of each kind: a page that nobody reads to its end helps nobody


@dataclass(frozen=True)
class Event:
    """One thing that happened: its kind (capture, proof, consent, message, download, unsubscribe, stage, act) and its row."""

    at: datetime
    kind: str
    row: Any


def timeline(session: Session, lead: Lead) -> list[Event]:
    """What happened with ``lead``, the latest first; mail that is still to go stands at the time it is due."""
    return sorted(_events(session, lead), key=lambda event: (event.at, _ORDER.index(event.kind)), reverse=True)


def _events(session: Session, lead: Lead) -> Iterator[Event]:
    for capture in session.scalars(select(Capture).where(Capture.lead_id == lead.id)
                                   .order_by(Capture.id.desc()).limit(MOST)):
        yield Event(capture.at, "capture", capture)
        if capture.proven_at is not None:
            yield Event(capture.proven_at, "proof", capture)
    with_words = select(Consent).where(Consent.lead_id == lead.id).options(joinedload(Consent.wording))
    for consent in session.scalars(with_words.order_by(Consent.id.desc()).limit(MOST)):
        yield Event(consent.at, "consent", consent)
    for message in session.scalars(select(Message).where(Message.lead_id == lead.id)
                                   .order_by(Message.id.desc()).limit(MOST)):
        yield Event(happened_at(message), "message", message)
    for download in session.scalars(select(Download).where(Download.lead_id == lead.id)
                                    .order_by(Download.id.desc()).limit(MOST)):
        yield Event(download.at, "download", download)
    for change in session.scalars(select(StageChange).where(StageChange.lead_id == lead.id)
                                  .order_by(StageChange.id.desc()).limit(MOST)):
        yield Event(change.at, "stage", change)
    if lead.unsubscribed_at is not None:
        yield Event(lead.unsubscribed_at, "unsubscribe", lead)
    for entry in session.scalars(select(AuditEntry).where(AuditEntry.subject == audit.of_lead(lead.key))
                                 .order_by(AuditEntry.id.desc()).limit(MOST)):
        yield Event(entry.at, "act", entry)


def happened_at(message: Message) -> datetime:
    """When a message took its present state, as far as we know: sent, tried last, or due."""
    return message.sent_at or message.due_at
