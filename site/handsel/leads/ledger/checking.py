"""Reading the consent ledger again: whether each consent is as it was sealed, and none came or went unnoticed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import groupby
from typing import Any, NamedTuple, cast

from sqlalchemy import Row, Table, select
from sqlalchemy.engine import Connection

from handsel.accounts.models import AuditEntry
from handsel.forms.library import wording_hash
from handsel.leads.ledger.chain import BROUGHT, CONTENT, ERASED, MOVED, SEALED, Entry, digest
from handsel.leads.ledger.models import ConsentSeal
from handsel.leads.ledger.sealing import ANCHOR
from handsel.leads.models import Consent, Lead, Wording

SKEW = timedelta(minutes=10)
"""By so much may a consent be older than one sealed before it: clocks differ, and transactions take a while."""
AT_ONCE = 1000
_consent, _seal, _lead = (cast(Table, model.__table__) for model in (Consent, ConsentSeal, Lead))


class Fault(NamedTuple):
    """Which row is not as it was, and how that shows."""

    where: str
    what: str


@dataclass
class Ledger:
    """What a look through the whole ledger found."""

    entries: int = 0
    consents: int = 0
    waiting: int = 0
    """Consents that have no seal yet."""
    erased: int = 0
    moved: int = 0
    head: str = ""
    """The newest seal."""
    faults: list[Fault] = field(default_factory=list)

    def fault(self, where: str, what: str) -> None:
        self.faults.append(Fault(where, what))


def check(connection: Connection) -> Ledger:
    """Look through the whole ledger; ``connection`` must see one state of the database throughout."""
    found = Ledger()
    _chain(connection, found)
    words = {row.hash: wording_hash(row.purpose, row.language, row.text) == row.hash
             for row in connection.execute(select(Wording.hash, Wording.purpose, Wording.language, Wording.text))}
    for hash_, fits in words.items():
        if not fits:
            found.fault(f"wording {hash_[:12]}", "The words of a consent were changed.")
    _rows(connection, found)
    _anchors(connection, found)
    return found


def _chain(connection: Connection, found: Ledger) -> None:
    """Each entry against the one before it."""
    place, newest = 0, None
    for row in _stream(connection, select(_seal).order_by(_seal.c.id)):
        entry = Entry(**{name: row._mapping[name] for name in Entry._fields})
        found.entries += 1
        place += 1
        if entry.id != place:
            missing = f"{place}" if entry.id == place + 1 else f"{place} to {entry.id - 1}"
            found.fault(f"ledger entry {missing}", "It was removed.")
            place = entry.id
        elif row.seal != entry.seal(found.head):
            found.fault(f"ledger entry {entry.id}", "Its seal does not fit: it was changed or put there.")
        if entry.kind == SEALED:
            if newest is not None and entry.happened_at < newest - SKEW:
                found.fault(f"consent {entry.consent_id}", f"It came later than it says: it is dated "
                            f"{entry.happened_at:%Y-%m-%d %H:%M} UTC and was sealed after later ones.")
            newest = max(newest or entry.happened_at, entry.happened_at)
        found.erased += entry.kind == ERASED
        found.moved += entry.kind == MOVED
        found.head = row.seal


def _rows(connection: Connection, found: Ledger) -> None:
    """Each consent against what the chain says of it; both come in the order of the consents' numbers."""
    entries = groupby(_stream(connection, select(_seal).order_by(_seal.c.consent_id, _seal.c.id)),
                      key=lambda row: int(row.consent_id))
    told: tuple[int, Standing] | None = _next(entries)
    rows = select(*[_consent.c[name] for name in CONTENT], _consent.c.salt, _lead.c.email).join(
        _lead, _lead.c.id == _consent.c.lead_id).order_by(_consent.c.id)
    for row in _stream(connection, rows):
        while told is not None and told[0] < row.id:
            _gone(told, found)
            told = _next(entries)
        found.consents += 1
        standing = None
        if told is not None and told[0] == row.id:
            standing, told = told[1], _next(entries)
        if what := judge(row._mapping, standing):
            found.fault(f"consent {row.id}", what)
        elif row.salt is None:
            found.waiting += 1
    while told is not None:
        _gone(told, found)
        told = _next(entries)


class Standing(NamedTuple):
    """What the chain says last of one consent: its digest, or None when it is gone; ``doubt`` says what is odd."""

    digest: str | None
    doubt: str = ""


def standing(entries: list[Any]) -> Standing:
    """What the entries of one consent, in their order, come to. A number may serve again once its row was erased."""
    stands: str | None = None
    doubt = ""
    for entry in entries:
        if entry.kind in (SEALED, BROUGHT):
            doubt = doubt or ("Its seal was taken off and made anew." if stands is not None else "")
            stands = entry.digest
        elif stands is None:
            doubt = doubt or "The ledger speaks of it without ever having sealed it."
        else:
            stands = entry.digest if entry.kind == MOVED else None
    return Standing(stands, doubt)


def judge(row: Any, told: Standing | None) -> str:
    """What is wrong with a consent's row, held against what the chain says of it; empty when nothing is."""
    if told is None or (told.digest is None and not told.doubt):
        if row["salt"] is None:
            return ""
        return "It is not in the ledger, or was erased there: it was put in beside it."
    if told.doubt:
        return told.doubt
    if row["salt"] is None:
        return "Its salt was removed."
    return "" if digest(row, row["email"], row["salt"]) == told.digest else "It was changed after it was sealed."


def _next(entries: Iterator[tuple[int, Iterator[Any]]]) -> tuple[int, Standing] | None:
    for number, of_one in entries:
        return number, standing(list(of_one))
    return None


def _gone(told: tuple[int, Standing], found: Ledger) -> None:
    number, stands = told
    if stands.digest is not None:
        found.fault(f"consent {number}", "It was removed without an erasure.")
    elif stands.doubt:
        found.fault(f"consent {number}", stands.doubt)


def _anchors(connection: Connection, found: Ledger) -> None:
    """The seals that the audit log noted, day by day, against the chain."""
    noted = connection.execute(select(AuditEntry.id, AuditEntry.subject).where(AuditEntry.action == ANCHOR)).all()
    seals = {row.subject.removeprefix("seal:"): row.id for row in noted}
    for some in range(0, len(seals), AT_ONCE):
        part = list(seals)[some:some + AT_ONCE]
        known = set(connection.scalars(select(_seal.c.seal).where(_seal.c.seal.in_(part))))
        for missing in [seal for seal in part if seal not in known]:
            found.fault(f"audit entry {seals[missing]}", "The ledger has lost the seal that was noted here: it was cut "
                        "or made anew.")


def holds(connection: Connection, seal: str) -> bool:
    """Whether an entry of the ledger has that seal, or begins so."""
    return connection.execute(select(_seal.c.id).where(_seal.c.seal.startswith(seal, autoescape=True)).limit(1)).first(
        ) is not None


def _stream(connection: Connection, statement: Any) -> Iterator[Row[Any]]:
    yield from connection.execution_options(yield_per=AT_ONCE).execute(statement)

