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
from handsel.leads.handoff.models import Activity, Handoff, Task
from handsel.leads.mailboxes import mailboxes_of
from handsel.leads.models import Capture, Consent, Download, Lead
from handsel.leads.stages.models import ProductEvent, StageChange
from handsel.leads.tracking.models import LetterClick, PageVisit
from handsel.mail.models import Message

MOST = 500  # of each kind: a page that nobody reads to its end helps nobody
_MODELS: tuple[tuple[str, Any], ...] = (
    ("capture", Capture), ("consent", Consent), ("visit", PageVisit), ("click", LetterClick), ("download", Download),
    ("message", Message), ("event", ProductEvent), ("stage", StageChange), ("handoff", Handoff),
    ("activity", Activity), ("task", Task))
_ORDER = ("capture", "proof", "consent", "visit", "click", "event", "download", "message", "unsubscribe", "stage",
          "handoff", "activity", "task", "done", "act")
"""At the same instant."""
TOLD_ELSEWHERE = {"activity", "task", "accepted a lead", "rejected a lead", "corrected a lead", "put down a lead"}
"""Acts of which a row of their own tells more."""


@dataclass(frozen=True)
class Event:
    """One thing that happened: its kind (one of _ORDER) and its row.

    ``address`` is that of another mailbox of the person if it happened with that one; else empty.
    """

    at: datetime
    kind: str
    row: Any
    address: str = ""


def timeline(session: Session, lead: Lead) -> list[Event]:
    """What happened with ``lead`` and its mailboxes, the latest first; mail that is still to go stands at the time it
    is due."""
    return sorted(_events(session, lead), key=lambda event: (event.at, _ORDER.index(event.kind)), reverse=True)


def _events(session: Session, lead: Lead) -> Iterator[Event]:
    ids = mailboxes_of(session, [lead.id])[lead.id]
    others = {other.id: other for other in session.scalars(select(Lead).where(Lead.id.in_(ids[1:])))} if ids[1:] else {}
    addresses = {id_: other.address for id_, other in others.items()}
    for kind, model in _MODELS:
        query = select(model).where(model.lead_id.in_(ids)).order_by(model.id.desc()).limit(MOST)
        if model is Consent:
            query = query.options(joinedload(Consent.wording))
        for row in session.scalars(query):
            address = addresses.get(row.lead_id, "")
            if kind == "message" and row.kind == "personal":
                continue  # the activity says what stood in it
            yield Event(_at(kind, row), kind, row, address)
            if kind == "task" and row.done_at is not None:
                yield Event(row.done_at, "done", row, address)
            if kind == "capture" and row.proven_at is not None:
                yield Event(row.proven_at, "proof", row, address)
    for one in (lead, *others.values()):
        if one.unsubscribed_at is not None:
            yield Event(one.unsubscribed_at, "unsubscribe", one, addresses.get(one.id, ""))
        for entry in session.scalars(select(AuditEntry).where(AuditEntry.subject == audit.of_lead(one.key))
                                     .order_by(AuditEntry.id.desc()).limit(MOST)):
            if not TOLD_ELSEWHERE & {*entry.detail, entry.action}:
                yield Event(entry.at, "act", entry, addresses.get(one.id, ""))


def _at(kind: str, row: Any) -> datetime:
    """When it happened."""
    moment: datetime = happened_at(row) if kind == "message" else row.made_at if kind == "task" else row.at
    return moment


def happened_at(message: Message) -> datetime:
    """When a message took its present state, as far as we know: sent, tried last, or due."""
    return message.sent_at or message.due_at
