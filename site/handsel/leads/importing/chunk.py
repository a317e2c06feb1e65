"""Rows of a file as facts, in one transaction: captures of their own source, tags, consents and blocks.

Such a capture proves nothing: it is a claim, which never covers what a proven one said. It never takes a block away,
and a consent that the person withdrew stays withdrawn. The same row a second time finds the first one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from handsel.db import insert_or
from handsel.leads import consents
from handsel.leads.cells import is_plain
from handsel.leads.due import random_key
from handsel.leads.importing.row import Rules, Said
from handsel.leads.models import (
    IMPORT_UNDONE,
    Capture,
    Consent,
    Imported,
    Lead,
    LeadImport,
    LeadOffer,
    LeadTag,
)
from handsel.leads.profile import COLUMNS, joined, overlaid, refresh_all
from handsel.leads.unsubscribe import unsubscribe
from handsel.mail import suppress

WAY, UNDONE = "import", IMPORT_UNDONE
ERASED = "This person asked to be erased. Only they can come back, through a form."


@dataclass(frozen=True)
class Options:
    """How a file is brought in. ``wordings`` are the words agreed to, by purpose."""

    rules: Rules
    offer: str = ""
    wordings: Mapping[str, str] = field(default_factory=dict)
    language: str = "en"
    proven: bool = False
    """The people proved their mailboxes where they come from, so that letters may go at once."""

    def written(self) -> dict[str, Any]:
        """The options as they are kept."""
        return {"columns": list(self.rules.columns.fields), "tags": list(self.rules.tags), "offer": self.offer,
                "wordings": dict(self.wordings), "proven": self.proven}


@dataclass(frozen=True)
class Wrong:
    """A row that was not taken: its number, its cells as far as they could be told apart, and why."""

    number: int
    cells: list[str]
    reason: str


@dataclass
class Step:
    """What became of some rows, counted.

    ``counts`` knows ``new`` leads, ``known`` ones that a row adds to, the ``same`` rows as before, rows that are
    ``wrong``, rows whose consent was taken (``agreed``) or not because the person left here (``left``), and rows of
    people who get no mail where they come from (``blocked``).
    """

    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[Wrong] = field(default_factory=list)
    new: set[str] = field(default_factory=set)
    """The mailboxes that are no leads yet."""


class Chunk:
    """One transaction's rows. Without a batch nothing is written."""

    def __init__(self, session: Session, options: Options, batch: LeadImport | None, at: datetime) -> None:
        self.session, self.options, self.batch, self.at = session, options, batch, at
        self.source = f"import:{batch.id}" if batch else ""
        self.step = Step()

    def take(self, rows: list[Said]) -> Step:
        """Take the rows in, all of different mailboxes."""
        had = set(self.session.scalars(select(Capture.once).where(Capture.once.in_([row.once for row in rows]))))
        hashes = {row.email: suppress.address_hash(row.email) for row in rows}
        blocks = suppress.blocks(self.session, hashes.values(), self.at)
        blocked = {email: {reason for reason, _, _ in blocks.get(hash_, [])} for email, hash_ in hashes.items()}
        fresh: list[Said] = []
        for row in rows:
            if row.once in had:
                self.step.counts["same"] += 1
            elif "erasure" in blocked[row.email]:
                self.step.wrong.append(Wrong(row.number, list(row.cells), ERASED))
            else:
                fresh.append(row)
        if fresh:
            self._write(sorted(fresh, key=lambda row: row.email), blocked)
        return self.step

    def _write(self, rows: list[Said], blocked: dict[str, set[str]]) -> None:
        known = self._known(rows)
        new = [row for row in rows if row.email not in known]
        standing = self._standing(known)
        agreed = {row.email: self._agreed(row, known.get(row.email), standing, blocked[row.email]) for row in rows}
        if self.batch is not None:
            made = self._make(new, agreed, blocked)
            leads = made | self._known([row for row in rows if row.email not in made])
            new = [row for row in rows if row.email in made]
            self._facts(rows, leads, agreed, set(made))
            refresh_all(self.session, [known[email] for email in sorted(known)])
            for lead in known.values():
                lead.look_at = self.at
            self._block(rows, leads, set(made), blocked)
        self.step.new = {row.email for row in new}
        self.step.counts.update(new=len(new), known=len(rows) - len(new), agreed=sum(map(bool, agreed.values())),
                                left=sum(bool(row.purposes) and not agreed[row.email] for row in rows),
                                blocked=sum(bool(row.block) for row in rows))

    def _known(self, rows: list[Said]) -> dict[str, Lead]:
        """The leads of these mailboxes, held until the transaction ends, in one order for everybody."""
        query = select(Lead).where(Lead.email.in_([row.email for row in rows])).order_by(Lead.email)
        if self.batch is not None:
            query = query.with_for_update()
        return {lead.email: lead for lead in self.session.scalars(query)}

    def _standing(self, known: Mapping[str, Lead]) -> dict[tuple[int, str], Consent]:
        events = self.session.scalars(select(Consent).where(
            Consent.lead_id.in_([lead.id for lead in known.values()])).order_by(Consent.at, Consent.id))
        return {(event.lead_id, event.purpose): event for event in events}

    def _agreed(self, row: Said, lead: Lead | None, standing: Mapping[tuple[int, str], Consent],
                blocked: set[str]) -> tuple[str, ...]:
        """The purposes that the row adds: none to somebody who left, and none that stands already."""
        if blocked or (lead is not None and lead.unsubscribed_at is not None):
            return ()
        return tuple(purpose for purpose in row.purposes
                     if lead is None or self._adds(standing.get((lead.id, purpose))))

    def _adds(self, last: Consent | None) -> bool:
        return last is None or last.way == UNDONE or (last.state == "given" and self.options.proven)

    def _make(self, rows: list[Said], agreed: Mapping[str, tuple[str, ...]],
              blocked: Mapping[str, set[str]]) -> dict[str, Any]:
        """Insert the leads that there are not, and give the rows of those that are ours."""
        if not rows:
            return {}
        leads = [self._lead(row, agreed[row.email], bool(row.block or blocked[row.email])) for row in rows]
        statement = insert_or(Lead, self.session.get_bind().dialect.name).on_conflict_do_nothing()
        self.session.execute(statement, leads)
        keys = {lead["key"] for lead in leads}
        found = self.session.execute(select(Lead.id, Lead.email, Lead.key).where(
            Lead.email.in_([row.email for row in rows])))
        return {lead.email: lead for lead in found if lead.key in keys}

    def _lead(self, row: Said, agreed: tuple[str, ...], left: bool) -> dict[str, Any]:
        columns = overlaid(dict.fromkeys(COLUMNS, "") | {"custom": {}}, row.answers)
        columns |= {"email": row.email, "address": row.address, "source": self.source, "tags_text": joined(row.tags),
                    "offers_text": self.options.offer,
                    "consent_text": joined(agreed)[:200] if self.options.proven else ""}
        return columns | {"key": random_key(), "captured_at": self.at, "last_capture_at": self.at,
                          "unsubscribed_at": self.at if left else None, "plain": is_plain(columns),
                          "look_at": self.at}

    def _facts(self, rows: list[Said], leads: Mapping[str, Any], agreed: Mapping[str, tuple[str, ...]],
               made: set[str]) -> None:
        """Write the captures and what hangs on them."""
        assert self.batch is not None
        self.session.execute(insert(Capture), [
            {"key": random_key(), "once": row.once, "lead_id": leads[row.email].id, "offer": "", "form": WAY,
             "answers": {"email": row.address, **row.answers}, "email": row.address, "at": self.at,
             "source": self.source} for row in rows])
        captures = {once: id_ for once, id_ in self.session.execute(
            select(Capture.once, Capture.id).where(Capture.once.in_([row.once for row in rows])))}
        self.session.execute(insert(Imported), [
            {"capture_id": captures[row.once], "import_id": self.batch.id, "made_lead": row.email in made}
            for row in rows])
        self._add(LeadTag, [{"lead_id": leads[row.email].id, "tag": tag, "at": self.at, "source": self.source}
                            for row in rows for tag in row.tags])
        if self.options.offer:
            self._add(LeadOffer, [{"lead_id": leads[row.email].id, "offer": self.options.offer, "at": self.at}
                                  for row in rows])
        hashes = {purpose: consents.wording(self.session, purpose, self.options.language, text)
                  for purpose, text in self.options.wordings.items()}
        states = ("given", "confirmed") if self.options.proven else ("given",)
        events = [{"lead_id": leads[row.email].id, "capture_id": captures[row.once], "purpose": purpose,
                   "state": state, "wording_hash": hashes[purpose], "form": "", "page": "", "way": WAY, "at": self.at}
                  for row in rows for purpose in agreed[row.email] for state in states]
        if events:
            self.session.execute(insert(Consent), events)

    def _add(self, model: Any, rows: list[dict[str, Any]]) -> None:
        if rows:
            statement = insert_or(model, self.session.get_bind().dialect.name).on_conflict_do_nothing()
            self.session.execute(statement, rows)

    def _block(self, rows: Iterable[Said], leads: Mapping[str, Any], made: set[str],
               blocked: Mapping[str, set[str]]) -> None:
        """Put those who get no mail where they come from onto our own list."""
        for row in rows:
            if row.block and row.block not in blocked[row.email]:
                suppress.add(self.session, row.email, row.block, self.at)
            if row.block and row.email not in made:
                unsubscribe(self.session, leads[row.email], "", consents.Way(WAY), self.at)
