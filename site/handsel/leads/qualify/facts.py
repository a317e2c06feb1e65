"""What leads did, in one shape: read from the tables where it happened, and kept as the rows of ``lead_fact``.

A capture counts from the moment its mailbox is proven, and so does what was fetched with it: before that it is a claim
that anybody could have made.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

from sqlalchemy import Table, and_, bindparam, delete, exists, insert, select
from sqlalchemy.orm import Session

from handsel.forms.schema import RECOGNITION
from handsel.leads.handoff.facts import worked
from handsel.leads.models import IMPORT_UNDONE, Attendance, Capture, Consent, Download, LeadFact, Sale
from handsel.leads.qualify.looking import Look
from handsel.leads.stages.models import ProductEvent
from handsel.leads.tracking.models import LetterClick, PageVisit
from handsel.mail.models import Attempt, Message
from handsel.rules.person import Fact

Source = Callable[[Session, Sequence[int]], Iterable[tuple[int, Fact]]]
THEIR_OWN = frozenset({"asked", "downloaded", "attended", "visited", "clicked", "event", "bought"})
"""Kinds of facts that are acts of the person, and not of a seller or a mail server."""
SHOWING = THEIR_OWN | {"called", "met"}
"""What shows that somebody is behind an address that nobody proved; a mail that came back does not."""
_fact = cast(Table, LeadFact.__table__)


def _asked(session: Session, mailboxes: Sequence[int]) -> Iterator[tuple[int, Fact]]:
    rows = session.execute(select(Capture.id, Capture.lead_id, Capture.offer, Capture.proven_at).where(
        Capture.lead_id.in_(mailboxes), Capture.proven_at.is_not(None), Capture.offer != ""))
    for id_, lead_id, offer, at in rows:
        if at is not None:
            yield lead_id, Fact("asked", offer, at, f"capture:{id_}")


def _downloaded(session: Session, mailboxes: Sequence[int]) -> Iterator[tuple[int, Fact]]:
    """A file that a thank-you page gave at once counts only when the same mailbox proved that it asked for it."""
    proven = exists(select(1).where(Capture.lead_id == Download.lead_id, Capture.offer == Download.offer,
                                    Capture.proven_at.is_not(None)))
    rows = session.execute(select(Download.id, Download.lead_id, Download.offer, Download.at).where(
        Download.lead_id.in_(mailboxes), proven))
    for id_, lead_id, offer, at in rows:
        yield lead_id, Fact("downloaded", offer, at, f"download:{id_}")


def _attended(session: Session, mailboxes: Sequence[int]) -> Iterator[tuple[int, Fact]]:
    rows = session.execute(select(Attendance.id, Attendance.lead_id, Attendance.offer, Attendance.at).where(
        Attendance.lead_id.in_(mailboxes)))
    for id_, lead_id, offer, at in rows:
        yield lead_id, Fact("attended", offer, at, f"attendance:{id_}")


def _visited(session: Session, mailboxes: Sequence[int]) -> Iterator[tuple[int, Fact]]:
    rows = session.execute(select(PageVisit.id, PageVisit.lead_id, PageVisit.path, PageVisit.at).where(
        PageVisit.lead_id.in_(mailboxes)))
    for id_, lead_id, path, at in rows:
        yield lead_id, Fact("visited", path, at, f"visit:{id_}")


def _clicked(session: Session, mailboxes: Sequence[int]) -> Iterator[tuple[int, Fact]]:
    rows = session.execute(select(LetterClick.id, LetterClick.lead_id, LetterClick.offer, LetterClick.at).where(
        LetterClick.lead_id.in_(mailboxes)))
    for id_, lead_id, offer, at in rows:
        yield lead_id, Fact("clicked", offer, at, f"click:{id_}")


def _events(session: Session, mailboxes: Sequence[int]) -> Iterator[tuple[int, Fact]]:
    rows = session.execute(select(ProductEvent.id, ProductEvent.lead_id, ProductEvent.name, ProductEvent.at,
                                  ProductEvent.value).where(ProductEvent.lead_id.in_(mailboxes)))
    for id_, lead_id, name, at, value in rows:
        yield lead_id, Fact("event", name, at, f"event:{id_}", value)


def _bought(session: Session, mailboxes: Sequence[int]) -> Iterator[tuple[int, Fact]]:
    rows = session.execute(select(Sale.id, Sale.lead_id, Sale.currency, Sale.at, Sale.cents).where(
        Sale.lead_id.in_(mailboxes)))
    for id_, lead_id, currency, at, cents in rows:
        yield lead_id, Fact("bought", currency, at, f"sale:{id_}", cents / 100)


def _left(session: Session, mailboxes: Sequence[int]) -> Iterator[tuple[int, Fact]]:
    rows = session.execute(select(Consent.id, Consent.lead_id, Consent.at).where(
        Consent.lead_id.in_(mailboxes), Consent.state == "withdrawn", Consent.purpose != RECOGNITION,
        Consent.way != IMPORT_UNDONE))
    for id_, lead_id, at in rows:
        yield lead_id, Fact("left", "", at, f"consent:{id_}")


def _bounced(session: Session, mailboxes: Sequence[int]) -> Iterator[tuple[int, Fact]]:
    rows = session.execute(
        select(Attempt.id, Message.lead_id, Attempt.at).join(Message, Message.id == Attempt.message_id)
        .where(and_(Message.lead_id.in_(mailboxes), Attempt.outcome == "failed")))
    for id_, lead_id, at in rows:
        if lead_id is not None:
            yield lead_id, Fact("bounced", "", at, f"attempt:{id_}")


SOURCES: tuple[Source, ...] = (_asked, _downloaded, _attended, _visited, _clicked, _events, _bought, _left, _bounced,
                             worked)
"""Where facts come from: each gives the facts of some mailboxes, with the number of the mailbox."""


def gathered(session: Session, mailboxes: Mapping[int, int]) -> dict[int, tuple[Fact, ...]]:
    """The facts of each lead, in the order of their time. ``mailboxes`` maps each mailbox to the lead it belongs to."""
    found: defaultdict[int, list[Fact]] = defaultdict(list)
    numbers = sorted(mailboxes)
    for source in SOURCES:
        for mailbox, fact in source(session, numbers):
            found[mailboxes[mailbox]].append(fact)
    return {lead: tuple(sorted(found[lead], key=_by_time)) for lead in set(mailboxes.values())}


def keep(look: Look) -> None:
    """Bring the facts of the leads in hand up to date, and when each of them did something last."""
    made = look.facts = gathered(look.session, look.mailboxes)
    kept: defaultdict[int, dict[str, Fact]] = defaultdict(dict)
    for lead_id, kind, name, at, ref, value in look.session.execute(
            select(LeadFact.lead_id, LeadFact.kind, LeadFact.name, LeadFact.at, LeadFact.ref, LeadFact.value)
            .where(LeadFact.lead_id.in_([*look.leads, *look.mailboxes]))):
        kept[lead_id][ref] = Fact(kind, name, at, ref, value)
    _write(look.session, kept, made)
    for lead in look.leads.values():
        acts = [fact.at for fact in made[lead.id] if fact.kind in THEIR_OWN]
        lead.acted_at = max(acts, default=lead.last_capture_at)


def _write(session: Session, kept: Mapping[int, dict[str, Fact]], made: Mapping[int, tuple[Fact, ...]]) -> None:
    new: list[dict[str, Any]] = []
    for lead_id, facts in made.items():
        had = kept.get(lead_id, {})
        new += [{"lead_id": lead_id} | fact._asdict() for fact in facts if had.get(fact.ref) != fact]
    fresh = {lead_id: {fact.ref for fact in facts} for lead_id, facts in made.items()}
    gone = [{"of": lead_id, "row": ref} for lead_id, had in kept.items() for ref in had
            if ref not in fresh.get(lead_id, ())]
    changed = [row for row in new if row["ref"] in kept.get(row["lead_id"], ())]
    connection = session.connection()
    gone += [{"of": row["lead_id"], "row": row["ref"]} for row in changed]
    if gone:
        connection.execute(delete(_fact).where(_fact.c.lead_id == bindparam("of"), _fact.c.ref == bindparam("row")),
                           gone)
    if new:
        connection.execute(insert(_fact), new)


def _by_time(fact: Fact) -> tuple[Any, str]:
    return fact.at, fact.ref
