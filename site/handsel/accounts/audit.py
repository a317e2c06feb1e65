"""The log of what was done at the desk: rows are only added, and each seals the one before."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, cast

from sqlalchemy import CursorResult, Table, delete, select, text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from handsel import clock, db
from handsel.accounts.models import AuditEntry

THROWN = "threw away old entries"
OWN_PEOPLE = {"email", "owner"}
"""Details that name an account of the desk by its address."""
TYPED = {"search", "note", "words"}
"""Details that somebody typed, perhaps a lead's name."""
_ADDRESS = re.compile(r"[^\s@,;:<>()]+@[^\s@,;:<>()]+")
_entry = cast(Table, AuditEntry.__table__)


class Actor(NamedTuple):
    """Who does something: the name for the log, and the number of the account if it is one."""

    name: str
    account_id: int | None = None


def record(session: Session, action: str, actor: Actor | str, subject: str = "",
           detail: dict[str, Any] | None = None) -> AuditEntry:
    """Add one entry to the log, in the caller's write transaction.

    ``action`` is a short phrase such as ``exported leads``; ``actor`` is an account, ``command line`` or what was
    typed at the sign-in; ``subject`` names the thing, a lead by ``of_lead``. Nothing in it may be a secret or tell who
    a lead is: whatever looks like an address is taken out of ``detail``, and so are words that somebody searched for.
    """
    if not db.is_sqlite():
        # Two writers would seal the same row; SQLite has one writer at a time anyway.
        session.execute(text("SELECT pg_advisory_xact_lock(7263540)"))
    session.flush()
    before = session.scalar(select(AuditEntry.seal).order_by(AuditEntry.id.desc()).limit(1)) or ""
    who = actor if isinstance(actor, Actor) else Actor(actor)
    entry = AuditEntry(at=clock.now(), account_id=who.account_id, actor=_line(who.name, 254), action=_line(action, 60),
                       subject=_line(subject, 200), detail=_without_people(detail or {}))
    entry.seal = _seal(before, entry)
    session.add(entry)
    session.flush()
    return entry


def of_lead(key: str) -> str:
    """The subject that stands for the lead of that key: the key itself opens links, so only a hash of it is kept."""
    return f"lead:{hashlib.sha256(key.encode()).hexdigest()[:24]}"


@dataclass
class Verdict:
    """How many entries the log holds, the numbers of those whose seals do not fit, and the newest seal."""

    entries: int = 0
    wrong: list[int] = field(default_factory=list)
    head: str = ""

    @property
    def broken(self) -> int | None:
        """The first entry whose seal does not fit, if any."""
        return self.wrong[0] if self.wrong else None


def verify(session: Session | Connection) -> Verdict:
    """Which entries were changed since they were written, or stand where another one was removed.

    Entries that were thrown away because of their age left the last seal of theirs behind, and the log goes on there.
    """
    found = Verdict(head=_beginning(session))
    rows = session.execute(select(_entry).order_by(_entry.c.id).execution_options(yield_per=1000))
    for row in rows:
        found.entries += 1
        if row.seal != _seal(found.head, row):
            found.wrong.append(row.id)
        found.head = row.seal
    return found


def holds(session: Session | Connection, seal: str) -> bool:
    """Whether an entry has that seal, or one that begins so."""
    asked = select(_entry.c.id).where(_entry.c.seal.startswith(seal, autoescape=True))
    return session.execute(asked.limit(1)).first() is not None


def throw_away(session: Session, before: datetime) -> int:
    """Delete the entries from before that instant, and note the seal of the last one; how many there were.

    The log stays whole: what is left goes on from the seal that is noted.
    """
    last = session.execute(select(_entry.c.id, _entry.c.seal).where(_entry.c.at < before)
                           .order_by(_entry.c.id.desc()).limit(1)).first()
    if last is None:
        return 0
    record(session, THROWN, "the worker", f"seal:{last.seal}", {"up to entry": last.id})
    gone = session.execute(delete(_entry).where(_entry.c.id <= last.id))
    return int(cast(CursorResult[Any], gone).rowcount)


def _beginning(session: Session | Connection) -> str:
    noted = session.scalar(select(_entry.c.subject).where(_entry.c.action == THROWN)
                           .order_by(_entry.c.id.desc()).limit(1))
    return str(noted or "").removeprefix("seal:")


def _seal(before: str, entry: Any) -> str:
    # account_id is left out: it is emptied when the account goes, while the actor's name stays.
    row = [before, db.instant_text(entry.at), entry.actor, entry.action, entry.subject, entry.detail]
    return hashlib.sha256(json.dumps(row, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


def _without_people(detail: dict[str, Any]) -> dict[str, Any]:
    """``detail`` without what may tell who a lead is: an entry outlives the lead, and cannot be changed."""
    return {name: value if name in OWN_PEOPLE or not isinstance(value, str) else
            "(words)" if name in TYPED and value else _ADDRESS.sub("(address)", value)
            for name, value in detail.items()}


def _line(text_: str, longest: int) -> str:
    """One printable line: what people type must not forge a second entry in a log."""
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text_)[:longest]
