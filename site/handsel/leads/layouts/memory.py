""""Since my last export": what somebody took home with a layout, so that next time only the rest need come.

A lead is in the file if its row there was never taken by this account with this layout, or reads otherwise now than
when it last was. So it does not matter how, when or by whom something was changed, which filter the last export had,
or whether a transaction was still open then: whoever is not in the file is known, word by word, from an earlier one.
What is remembered changes only once a file was given whole.
"""

from __future__ import annotations

import struct
import tempfile
from collections.abc import Iterator, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Any

from sqlalchemy import bindparam, select, text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from handsel.accounts.audit import Actor
from handsel.db import db, writing
from handsel.leads.layouts.models import ExportMemory, ExportSeen

AT_ONCE = 2000  # rows remembered in one transaction, so that nobody else waits for long
TRIES = 3
_PAIR = struct.Struct("<qq")
_KEEP = text("INSERT INTO export_seen (lead_id, memory_id, digest) SELECT lead.id, :memory, :digest FROM lead "
             "WHERE lead.id = :lead ON CONFLICT (lead_id, memory_id) DO UPDATE SET digest = excluded.digest")
_SEEN = select(ExportSeen.lead_id, ExportSeen.digest).where(
    ExportSeen.memory_id == bindparam("memory"), ExportSeen.lead_id >= bindparam("first"),
    ExportSeen.lead_id <= bindparam("last"))


def who(actor: Actor) -> str:
    """Whose memory it is."""
    return f"account:{actor.account_id}" if actor.account_id is not None else actor.name[:60]


def last(actor: Actor, layout: str) -> ExportMemory | None:
    """When somebody last took leads with a layout, and how many; None if never."""
    return db.session().scalars(select(ExportMemory).where(ExportMemory.who == who(actor),
                                                           ExportMemory.layout == layout)).first()


class Taking:
    """One export that is remembered. With ``only_new`` it leaves out what was taken before and reads the same."""

    def __init__(self, actor: Actor, layout: str, *, only_new: bool) -> None:
        self.actor, self.layout, self.only_new = actor, layout, only_new
        before = last(actor, layout)
        self.memory_id = before.id if before else None
        self.rows = 0
        self._notes: Any = tempfile.TemporaryFile(prefix="handsel-export-")  # noqa: SIM115  closed by ``close``

    def choose(self, connection: Connection, rows: Sequence[tuple[int, str]]) -> list[bool]:
        """For each row whether it is wanted; rows that are new or read otherwise are noted."""
        seen = self._seen(connection, rows[0][0], rows[-1][0])
        wanted = []
        for row in rows:
            digest = _digest(row[1])
            changed = seen.get(row[0]) != digest
            if changed:
                self._notes.write(_PAIR.pack(row[0], digest))
            wanted.append(changed or not self.only_new)
        self.rows += sum(wanted)
        return wanted

    def _seen(self, connection: Connection, first: int, last: int) -> dict[int, int]:
        if self.memory_id is None:
            return {}
        found = connection.execute(_SEEN, {"memory": self.memory_id, "first": first, "last": last})
        seen = dict(found.cursor.fetchall())
        found.close()
        connection.rollback()
        return seen

    def finish(self, at: datetime) -> None:
        """Remember what was given. Needs an application context, and no transaction open."""
        memory = self._begin()
        for some in self._noted():
            self._keep([{"lead": lead, "digest": digest, "memory": memory} for lead, digest in some])
        with writing() as session:
            row = session.get(ExportMemory, memory)
            if row is not None:
                row.at, row.rows = at, self.rows
        self.close()

    def close(self) -> None:
        """Throw the notes away."""
        self._notes.close()

    def _begin(self) -> int:
        with writing() as session:
            row = session.scalars(select(ExportMemory).where(
                ExportMemory.who == who(self.actor), ExportMemory.layout == self.layout).with_for_update()).first()
            if row is None:
                from handsel import clock

                row = ExportMemory(who=who(self.actor), layout=self.layout, account_id=self.actor.account_id,
                                   at=clock.now())
                session.add(row)
                session.flush()
            return row.id

    @staticmethod
    def _keep(rows: list[dict[str, int]]) -> None:
        for left in reversed(range(TRIES)):
            try:
                with writing() as session:
                    session.execute(_KEEP, rows)
                return
            except IntegrityError:  # a lead was erased between our look and our write
                if not left:
                    raise

    def _noted(self) -> Iterator[list[tuple[int, int]]]:
        self._notes.seek(0)
        while part := self._notes.read(_PAIR.size * AT_ONCE):
            yield [(lead, digest) for lead, digest in _PAIR.iter_unpack(part)]


def _digest(row: str) -> int:
    return int.from_bytes(blake2b(row.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big", signed=True)
