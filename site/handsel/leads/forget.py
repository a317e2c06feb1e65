"""Erasing a person: every row that is about them goes; what stays are counts, and a hash that keeps mail away."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from email.utils import parseaddr
from pathlib import Path

from flask import current_app
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from handsel.accounts import audit
from handsel.db import db, is_sqlite
from handsel.leads.address import normalised
from handsel.leads.ledger import sealing
from handsel.leads.models import Capture, Lead
from handsel.mail import suppress
from handsel.mail.inbox import Inbox
from handsel.traffic.models import Hit, KnownVisitor, Visitor


def forget(session: Session, lead: Lead, at: datetime, actor: str) -> None:
    """Erase ``lead`` and all that hangs on it, and let no marketing mail reach its address again.

    ``actor`` is who did it, for the log: ``the person``, ``command line`` or an account. Counts stay as they are.
    Needs a write transaction; call ``scrub`` after it.
    """
    session.refresh(lead, with_for_update=True)
    _unlink_visits(session, lead)
    suppress.add(session, lead.email, "erasure", at)
    sealing.erase_leads(session, [lead.id], actor if actor == "the person" else "erased", at)
    audit.record(session, "erased a lead", actor, audit.of_lead(lead.key))
    session.execute(delete(Lead).where(Lead.id == lead.id))  # the database takes all that hangs on it along
    session.expunge(lead)


def _unlink_visits(session: Session, lead: Lead) -> None:
    """Let the hits of the lead's days count on without telling whose they were."""
    captures = session.execute(select(Capture.visitor, Capture.at).where(
        Capture.lead_id == lead.id, Capture.visitor != ""))
    for visitor, captured_at in captures.all():
        midnight = datetime.combine(captured_at.date(), time(), UTC)
        _unlink(session, visitor, midnight - timedelta(days=1), midnight + timedelta(days=2))
    known = session.execute(select(KnownVisitor.visitor, KnownVisitor.at, KnownVisitor.until).where(
        KnownVisitor.lead_id == lead.id))
    for visitor, at, until in known.all():
        _unlink(session, visitor, at, until)


def _unlink(session: Session, visitor: str, since: datetime, until: datetime) -> None:
    session.execute(update(Hit).where(Hit.at >= since, Hit.at < until, Hit.visitor == visitor)
                    .values(visitor="", source="", campaign=""))
    session.execute(delete(Visitor).where(Visitor.visitor == visitor))


def clear_inbox(address: str) -> None:
    """Delete the mails to ``address`` that the built-in inbox has caught."""
    folder = Path(current_app.instance_path) / "inbox"
    inbox = Inbox(folder)
    for mail in inbox.heads(inbox.names()):
        if normalised(parseaddr(mail.to)[1]) == address:
            (folder / f"{mail.name}.eml").unlink(missing_ok=True)


def scrub() -> None:
    """Empty SQLite's write-ahead log, where erased words still stand; without effect while somebody reads from it."""
    if is_sqlite():
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
