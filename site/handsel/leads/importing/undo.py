"""Taking a batch back: what its rows brought goes, what anybody did since stays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session, aliased

from handsel.accounts import audit
from handsel.accounts.audit import Actor
from handsel.db import Base, db, writing
from handsel.errors import HandselError
from handsel.leads import consents
from handsel.leads.importing.batch import AT_ONCE
from handsel.leads.importing.chunk import UNDONE
from handsel.leads.ledger import sealing
from handsel.leads.models import Capture, Consent, Imported, Lead, LeadImport, LeadOffer, LeadTag
from handsel.leads.profile import refresh_all

_OWN = {"capture", "consent", "lead_tag", "lead_offer"}
"""The tables that an import itself writes to; a row in another one may mean that somebody worked with the lead."""
_VIEWS = {"lead_fact", "lead_word", "lead_bant", "export_seen"}
"""What we made of the lead ourselves."""
_BY_PEOPLE: dict[str, Callable[[Any], Any]] = {
    "stage_change": lambda row: row.rule == "", "assignment": lambda row: row.rule == "",
    "handoff": lambda row: row.decided_at.is_not(None),
}
"""Tables that rules write to as well: which of their rows somebody chose."""

SO_FAR = ("gone", "mended")  # those kept are found again by whoever goes on


def batch(number: int) -> LeadImport:
    """The batch of that number. Raises HandselError if there is none to undo."""
    found = db.session().get(LeadImport, number)
    if found is None:
        last = db.session().scalars(select(LeadImport).where(LeadImport.undone_at.is_(None),
                                                             LeadImport.fingerprint != "")
                                    .order_by(LeadImport.id.desc()).limit(5)).all()
        known = "; ".join(f"{one.id} is {one.file} of {one.at:%Y-%m-%d}" for one in last)
        raise HandselError("--undo", f"There is no import {number}.",
                           f"The latest: {known}." if known else "Nothing was imported yet.")
    if not found.fingerprint:
        raise HandselError("--undo", f"Import {number} was never brought in.", "There is nothing to take back.")
    if found.undone_at is not None and "gone" in found.counts:
        raise HandselError("--undo", f"Import {number} was undone on {found.undone_at:%Y-%m-%d}.",
                           "There is nothing left to do.")
    return found


def size(number: int) -> int:
    """How many rows of the batch are there."""
    with db.engine.connect() as connection:
        return connection.scalar(select(func.count()).where(Imported.import_id == number)) or 0


def undo(number: int, actor: Actor, at: datetime) -> Iterator[Counter[str]]:
    """Take the batch back, some hundred rows at a time.

    The counts know ``gone`` (leads that it brought), ``mended`` (known before: they are again what their other facts
    say) and ``kept`` (brought by it, but somebody has worked with them since). Blocks stay, whatever brought them.
    """
    with writing() as session:  # nobody goes on with it from here on
        done = session.get_one(LeadImport, number, with_for_update=True)
        done.undone_at, done.state = done.undone_at or at, "undoing"
    total: Counter[str] = Counter()
    last = 0
    while True:
        with writing() as session:
            rows = session.execute(
                select(Imported.capture_id, Imported.made_lead, Capture.lead_id)
                .join(Capture, Capture.id == Imported.capture_id)
                .where(Imported.import_id == number, Imported.capture_id > last)
                .order_by(Imported.capture_id).limit(AT_ONCE)).all()
            if rows:
                last = rows[-1].capture_id
                step = _Undoing(session, number, at).take(rows)
                total.update(step)
                _count(session.get_one(LeadImport, number), step)
            else:
                done = session.get_one(LeadImport, number)
                total.update({name: done.counts.get(f"{name} so far", 0) - total[name] for name in SO_FAR})
                done.counts = {**{name: count for name, count in done.counts.items() if not name.endswith(" so far")},
                               "gone": 0, **total}
                done.state = "undone"
                audit.record(session, "undid an import", actor, f"import:{number}", {"file": done.file, **total})
        if not rows:
            return
        yield step


def _count(done: LeadImport, step: Counter[str]) -> None:
    """Keep what is done with the transaction that did it: an undo that breaks off goes on in another process."""
    done.counts = {**done.counts, **{f"{name} so far": done.counts.get(f"{name} so far", 0) + step[name]
                                     for name in SO_FAR}}


class _Undoing:
    """One transaction's rows."""

    def __init__(self, session: Session, number: int, at: datetime) -> None:
        self.session, self.number, self.at = session, number, at

    def take(self, rows: Any) -> Counter[str]:
        captures = [row.capture_id for row in rows]
        ids = {row.lead_id for row in rows}
        leads = self.session.scalars(select(Lead).where(Lead.id.in_(ids)).order_by(Lead.email).with_for_update()).all()
        others = self._with_other_captures(ids)
        worked = self._worked_with(ids)
        made = {row.lead_id for row in rows if row.made_lead} | self._made_before(ids)
        kept = {id_ for id_ in made if id_ not in others and id_ in worked}
        gone = made - others - kept
        going = [row.capture_id for row in rows if row.lead_id not in kept]
        rest = [lead for lead in leads if lead.id not in gone | kept]
        self._withdraw({lead.id for lead in rest}, set(captures))
        self._untag({lead.id for lead in rest})
        sealing.erase_leads(self.session, gone, UNDONE, self.at)
        orphaned = self.session.scalars(select(Consent.id).where(
            Consent.capture_id.in_(going), Consent.lead_id.not_in(gone))).all()
        self.session.execute(delete(Capture).where(Capture.id.in_(going)))
        self.session.execute(delete(Lead).where(Lead.id.in_(gone)))
        sealing.moved(self.session, orphaned, UNDONE, self.at)
        self.session.expire_all()
        refresh_all(self.session, rest)
        for lead in rest:
            lead.look_at = self.at
        return Counter(gone=len(gone), mended=len(rest), kept=len(kept))

    def _with_other_captures(self, ids: set[int]) -> set[int]:
        mine = select(Imported.capture_id).where(Imported.import_id == self.number)
        return set(self.session.scalars(select(Capture.lead_id).where(Capture.lead_id.in_(ids),
                                                                      Capture.id.not_in(mine))))

    def _made_before(self, ids: set[int]) -> set[int]:
        """Leads that the batch brought with an earlier row of the same mailbox, which may be gone already."""
        return set(self.session.scalars(select(Lead.id).where(Lead.id.in_(ids),
                                                              Lead.source == f"import:{self.number}")))

    def _worked_with(self, ids: set[int]) -> set[int]:
        """Leads of which there is anything that neither an import nor a rule writes: a note, a sale, a mail, a tag by
        hand, an owner or a stage that somebody chose, or that the person left."""
        done = self.session.get_one(LeadImport, self.number)
        mine = select(Imported.capture_id).where(Imported.import_id == self.number)
        found = set(self.session.scalars(select(Lead.id).where(Lead.id.in_(ids), or_(
            Lead.merged_into_id.is_not(None), Lead.paused_until.is_not(None), Lead.unsubscribed_at != done.at,
            Lead.id.in_(select(Lead.merged_into_id).where(Lead.merged_into_id.in_(ids)))))))
        found |= set(self.session.scalars(select(LeadTag.lead_id).where(
            LeadTag.lead_id.in_(ids), *(LeadTag.source.not_like(made) for made in ("import:%", "rule:%", "merged")))))
        found |= set(self.session.scalars(select(Consent.lead_id).where(
            Consent.lead_id.in_(ids), or_(Consent.capture_id.is_(None), Consent.capture_id.not_in(mine)))))
        for table in Base.metadata.sorted_tables:
            if "lead_id" in table.columns and table.name not in _OWN | _VIEWS:
                chosen = _BY_PEOPLE.get(table.name)
                query = select(table.c.lead_id).where(table.c.lead_id.in_(ids))
                found |= set(self.session.scalars(query if chosen is None else query.where(chosen(table.c))))
        return found

    def _withdraw(self, ids: set[int], captures: set[int]) -> None:
        """End the consents that the batch brought, unless the person has said something since."""
        events = self.session.scalars(select(Consent).where(Consent.lead_id.in_(ids)).order_by(Consent.at, Consent.id))
        newest = {(event.lead_id, event.purpose): event for event in events}
        for (lead_id, purpose), event in newest.items():
            if event.capture_id in captures and event.state != "withdrawn":
                consents.add(self.session, lead_id, purpose, "withdrawn", way=consents.Way(UNDONE), at=self.at)

    def _untag(self, ids: set[int]) -> None:
        """Take off the tags and the offer that the batch brought, as far as nothing else speaks for them."""
        source = f"import:{self.number}"
        self.session.execute(delete(LeadTag).where(LeadTag.lead_id.in_(ids), LeadTag.source == source))
        done = self.session.get_one(LeadImport, self.number)
        offer = done.options.get("offer")
        if offer:
            other, capture = aliased(LeadImport), aliased(Capture)
            asked = select(capture.lead_id).where(capture.lead_id.in_(ids), capture.offer == offer)
            brought = (select(capture.lead_id).join(Imported, Imported.capture_id == capture.id)
                       .join(other, other.id == Imported.import_id)
                       .where(capture.lead_id.in_(ids), other.id != self.number,
                              other.options["offer"].as_string() == offer))
            self.session.execute(delete(LeadOffer).where(
                LeadOffer.lead_id.in_(ids), LeadOffer.offer == offer, LeadOffer.at == done.at,
                LeadOffer.lead_id.not_in(asked), LeadOffer.lead_id.not_in(brought)))
