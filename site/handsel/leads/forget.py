"""Erasing a person: every row that is about them goes; what stays are counts, and a hash that keeps mail away."""

from __future__ import annotations

import time
from collections.abc import Collection
from datetime import datetime
from email.utils import parseaddr
from pathlib import Path

from flask import current_app
from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.orm import Session

from handsel.accounts import audit
from handsel.accounts.audit import Actor
from handsel.accounts.models import Account, AuditEntry
from handsel.db import db, is_sqlite, snapshot
from handsel.leads import erased
from handsel.leads.address import normalised
from handsel.leads.importing.models import ImportRefusal
from handsel.leads.ledger import sealing
from handsel.leads.models import Company, Lead
from handsel.leads.privacy import parcel, traces
from handsel.leads.qualify import looking
from handsel.mail import suppress
from handsel.mail.inbox import Caught, Inbox
from handsel.traffic.models import Hit, Visitor

PATIENCE, AGAIN = 3.0, 0.02  # seconds that emptying the log is tried for, and between two tries


def forget(session: Session, lead: Lead, at: datetime, actor: str | Actor) -> None:
    """Erase this mailbox and all that hangs on it, and let no marketing mail reach its address again.

    ``actor`` is who did it, for the log: ``the person``, ``command line`` or an account. Counts stay as they are.
    Needs a write transaction; call ``finish`` after it.
    """
    session.refresh(lead, with_for_update=True)
    _unlink(session, traces.Person.of(session.connection(), (lead.id,)))
    if lead.merged_into_id is not None:
        looking.ask(session, lead.merged_into_id, at)  # what is believed of the rest of the person is made anew
    suppress.add(session, lead.email, "erasure", at)
    sealing.erase_leads(session, [lead.id], actor if actor == "the person" else "erased", at)
    audit.record(session, "erased a lead", actor, audit.of_lead(lead.key))
    session.execute(delete(Lead).where(Lead.id == lead.id))  # the database takes all that hangs on it along
    session.expunge(lead)


def forget_person(session: Session, lead: Lead, at: datetime, actor: str | Actor) -> tuple[str, ...]:
    """Erase the person behind ``lead`` with every mailbox that somebody merged; the addresses, for ``finish``."""
    boxes = parcel.mailboxes(session, lead)
    # All of them before the first line of the log, as whoever acts on one of them does, so that nobody waits in a ring.
    there = set(session.scalars(select(Lead.id).where(Lead.id.in_([box.id for box in boxes])).order_by(Lead.id)
                                .with_for_update()))
    addresses = tuple(box.email for box in boxes)
    for box in reversed(boxes):  # the one that the others were merged into comes last
        if box.id in there:  # else somebody else erased it a moment ago
            forget(session, box, at, actor)
    return addresses


def finish(addresses: Collection[str], at: datetime) -> None:
    """What is to be done once the erasure is committed: the write-ahead log, caught mail, the list for a restore."""
    scrub()
    for address in addresses:
        clear_inbox(address)
    erased.note([suppress.address_hash(address) for address in addresses], at)


def exports_since(session: Session, at: datetime) -> int:
    """How many files of leads somebody took home since then: they may hold a person who is erased here."""
    return session.scalar(select(func.count()).select_from(AuditEntry).where(
        AuditEntry.action == "exported leads", AuditEntry.at >= at)) or 0


def _unlink(session: Session, person: traces.Person) -> None:
    """Let the hits of the person's days count on without telling whose they were; what only they left goes."""
    where = traces.TRACES
    session.execute(update(Hit).where(where["hit"](person)).values(visitor="", source="", campaign="")
                    .execution_options(synchronize_session=False))
    session.execute(delete(Visitor).where(where["visitor"](person)).execution_options(synchronize_session=False))
    session.execute(delete(ImportRefusal).where(where["import_refusal"](person))
                    .execution_options(synchronize_session=False))
    shared = exists(select(1).where(Lead.company_id == Company.id, Lead.id.not_in(person.ids)))
    session.execute(delete(Company).where(where["company"](person), ~shared)
                    .execution_options(synchronize_session=False))


def clear_inbox(address: str) -> None:
    """Delete the mails that the built-in inbox has caught: to ``address``, and those that tell one of us about it."""
    folder = Path(current_app.instance_path) / "inbox"
    inbox = Inbox(folder)
    with snapshot() as connection:
        ours = set(connection.scalars(select(Account.email)))
    for mail in inbox.heads(inbox.names()):
        to = normalised(parseaddr(mail.to)[1])
        if to == address or (to in ours and _tells_of(inbox.read(mail.name), address)):
            (folder / f"{mail.name}.eml").unlink(missing_ok=True)


def _tells_of(mail: Caught | None, address: str) -> bool:
    return mail is not None and any(normalised(word) == address for word in mail.text.split() if "@" in word)


def scrub() -> None:
    """Empty SQLite's write-ahead log, where erased words still stand; without effect while somebody reads from it.

    Asked to wait for a reader, SQLite would keep everybody from writing meanwhile: so it is asked not to, and again.
    """
    if not is_sqlite():
        return
    until = time.monotonic() + PATIENCE
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        cursor = connection.connection.cursor()
        (before,) = cursor.execute("PRAGMA busy_timeout").fetchone()
        cursor.execute("PRAGMA busy_timeout=0")
        try:
            while cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] and time.monotonic() < until:
                time.sleep(AGAIN)
        finally:
            cursor.execute(f"PRAGMA busy_timeout={before}")
