"""The log of what was done at the desk: rows are only added, and each seals the one before."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from handsel import clock, db
from handsel.accounts.models import AuditEntry


class Actor(NamedTuple):
    """Who does something: the name for the log, and the number of the account if it is one."""

    name: str
    account_id: int | None = None


def record(session: Session, action: str, actor: Actor | str, subject: str = "",
           detail: dict[str, Any] | None = None) -> AuditEntry:
    """Add one entry to the log, in the caller's write transaction.

    ``action`` is a short phrase such as ``exported leads``; ``actor`` is an account, ``command line`` or what was
    typed at the sign-in; ``subject`` names the thing, a lead by its key. Nothing in it may be a secret.
    """
    if not db.is_sqlite():
        # Two writers would seal the same row; SQLite has one writer at a time anyway.
        session.execute(text("SELECT pg_advisory_xact_lock(7263540)"))
    session.flush()
    before = session.scalar(select(AuditEntry.seal).order_by(AuditEntry.id.desc()).limit(1)) or ""
    who = actor if isinstance(actor, Actor) else Actor(actor)
    entry = AuditEntry(at=clock.now(), account_id=who.account_id, actor=_line(who.name, 254), action=_line(action, 60),
                       subject=_line(subject, 200), detail=detail or {})
    entry.seal = _seal(before, entry)
    session.add(entry)
    session.flush()
    return entry


def of_lead(key: str) -> str:
    """The subject that stands for the lead of that key: the key itself opens links, so only a hash of it is kept."""
    return f"lead:{hashlib.sha256(key.encode()).hexdigest()[:24]}"


@dataclass(frozen=True)
class Verdict:
    """How many entries the log holds, and the number of the first whose seal does not fit, if any."""

    entries: int
    broken: int | None


def verify(session: Session) -> Verdict:
    """Whether any entry was changed, or removed from the middle, since it was written."""
    before, entries = "", 0
    for entry in session.scalars(select(AuditEntry).order_by(AuditEntry.id).execution_options(yield_per=1000)):
        entries += 1
        if entry.seal != _seal(before, entry):
            return Verdict(entries, entry.id)
        before = entry.seal
    return Verdict(entries, None)


def _seal(before: str, entry: AuditEntry) -> str:
    # account_id is left out: it is emptied when the account goes, while the actor's name stays.
    row = [before, db.instant_text(entry.at), entry.actor, entry.action, entry.subject, entry.detail]
    return hashlib.sha256(json.dumps(row, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


def _line(text_: str, longest: int) -> str:
    """One printable line: what people type must not forge a second entry in a log."""
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text_)[:longest]
