"""Writing the chain of the consent ledger. One at a time: on PostgreSQL by a lock of its own, on SQLite anyway.

Whoever needs the lock and writes to the audit log too takes this lock first.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table, bindparam, insert, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from handsel.accounts import audit
from handsel.accounts.models import AuditEntry
from handsel.db import db, is_alone, write_connection, writing
from handsel.leads.ledger.chain import BROUGHT, CONTENT, ERASED, MOVED, SEALED, Entry, digest
from handsel.leads.ledger.models import ConsentSeal
from handsel.leads.models import Consent, Lead

AT_ONCE = 500  # consents in one transaction, so that a capture hardly waits
FROM_FILES = "import"
"""The way of consents that came with a file, whose times are the file's."""
ANCHOR = "noted the seal of the consent ledger"
_LOCK = "consent ledger"

_consent, _seal, _lead = (cast(Table, model.__table__) for model in (Consent, ConsentSeal, Lead))
_CONTENT = [_consent.c[name] for name in CONTENT]
_UNSEALED = select(_consent.c.id).where(_consent.c.salt.is_(None)).limit(1)


def seal(at: datetime) -> int:
    """Seal the next consents that have no seal yet, in the order of their time; how many.

    Nothing happens while somebody else seals. Needs an application context.
    """
    with db.engine.connect() as connection:
        if connection.scalar(_UNSEALED) is None:
            return 0
    with write_connection() as connection:
        return _seal_some(connection, at) if is_alone(connection, _LOCK) else 0


def seal_all(at: datetime) -> int:
    """Seal until nothing waits."""
    total = 0
    while number := seal(at):
        total += number
    return total


def _seal_some(connection: Connection, at: datetime) -> int:
    rows = connection.execute(
        select(*_CONTENT, _lead.c.email).join(_lead, _lead.c.id == _consent.c.lead_id)
        .where(_consent.c.salt.is_(None)).order_by(_consent.c.at, _consent.c.id).limit(AT_ONCE)
        # A row that somebody is changing is sealed in the next round, as it is then.
        .with_for_update(of=_consent, skip_locked=True)).mappings().all()
    salts = {row["id"]: secrets.token_urlsafe(16) for row in rows}
    _append(connection, [
        (BROUGHT if row["way"] == FROM_FILES else SEALED, row["id"], row["at"],
         digest(row, row["email"], salts[row["id"]]), "") for row in rows], at)
    if rows:
        connection.execute(update(_consent).where(_consent.c.id == bindparam("number"))
                           .values(salt=bindparam("given")),
                           [{"number": number, "given": salt} for number, salt in salts.items()])
    return len(rows)


def moved(session: Session | Connection, consent_ids: Collection[int], why: str, at: datetime) -> None:
    """Seal those consents anew after we changed their rows ourselves; those without a seal wait for their first.

    In the transaction that changed them, after the change.
    """
    connection = _held(session)
    rows = connection.execute(
        select(*_CONTENT, _consent.c.salt, _lead.c.email).join(_lead, _lead.c.id == _consent.c.lead_id)
        .where(_consent.c.id.in_(consent_ids), _consent.c.salt.is_not(None)).order_by(_consent.c.id)).mappings()
    _append(connection, [(MOVED, row["id"], row["at"], digest(row, row["email"], row["salt"]), why)
                         for row in rows], at)


def erase_leads(session: Session | Connection, lead_ids: Collection[int], why: str, at: datetime) -> None:
    """Note that the consents of those leads go; the caller deletes the leads in the same transaction."""
    connection = _held(session)
    rows = connection.execute(select(_consent.c.id, _consent.c.at).where(
        _consent.c.lead_id.in_(lead_ids), _consent.c.salt.is_not(None)).order_by(_consent.c.id))
    _append(connection, [(ERASED, row.id, row.at, "", why) for row in rows], at)


def anchor() -> bool:
    """Note the ledger's newest seal in the audit log, so that a shorter ledger shows; False when it stands there."""
    with writing() as session:
        connection = _held(session)
        newest = connection.execute(select(_seal.c.id, _seal.c.seal).order_by(_seal.c.id.desc()).limit(1)).first()
        if newest is None or connection.execute(select(AuditEntry.id).where(
                AuditEntry.subject == f"seal:{newest.seal}").limit(1)).first() is not None:
            return False
        audit.record(session, ANCHOR, "the worker", f"seal:{newest.seal}", {"entry": newest.id})
        return True


def _held(session: Session | Connection) -> Connection:
    """The connection of the caller's transaction, with the ledger to ourselves until its end."""
    if isinstance(session, Session):
        session.flush()
        session = session.connection()
    is_alone(session, _LOCK, wait=True)
    return session


def _append(connection: Connection, news: Iterable[tuple[str, int, datetime, str, str]], at: datetime) -> None:
    rows: list[dict[str, Any]] = []
    newest = connection.execute(select(_seal.c.id, _seal.c.seal).order_by(_seal.c.id.desc()).limit(1)).first()
    number, before = (newest.id, newest.seal) if newest else (0, "")
    for kind, consent_id, happened_at, content, why in news:
        number += 1
        entry = Entry(number, kind, consent_id, happened_at, at, content, why[:60])
        before = entry.seal(before)
        rows.append(entry._asdict() | {"seal": before})
    if rows:
        connection.execute(insert(_seal), rows)
