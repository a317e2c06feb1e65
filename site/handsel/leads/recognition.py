"""Being recognised: a visitor who agreed to it has a number, and everything that came before it is carried on.

The number stands in a cookie on their device and, here, for a lead until the consent ends. Experiments go on counting
the visitor that they saw, so nobody is shown another variant or counted twice for having agreed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from handsel import clock
from handsel.leads.models import Capture, Lead
from handsel.leads.profile import Said, profile
from handsel.leads.rows import Pen, shaped
from handsel.leads.tracking.models import LetterClick, PageVisit
from handsel.traffic.models import KnownVisitor, Visitor
from handsel.traffic.visitor import UTM


@dataclass(frozen=True)
class Recognised:
    """A visitor's number and how long it holds."""

    visitor: str
    until: datetime


def recognised(key: bytes, once: str, at: datetime, days: int) -> Recognised:
    """The number for one capture, the same for the same capture sent again; nobody can guess it without ``key``."""
    number = blake2b(once.encode(), key=key, digest_size=16, person=b"visitor").hexdigest()
    return Recognised(number, at + timedelta(days=days))


def remember(pen: Pen, who: Recognised, unit: str, capture_id: int, capture: Mapping[str, Any]) -> None:
    """Let ``who`` stand for the lead of ``capture``, with the beginning of the journey that its row tells of."""
    at, day = capture["at"], who.until.date()
    pen.add(KnownVisitor, shaped(KnownVisitor, visitor=who.visitor, lead_id=capture["lead_id"], capture_id=capture_id,
                                 unit=unit, at=at, until=who.until), "ON CONFLICT DO NOTHING")
    began = {name: capture[name] for name in ("first_page", "referrer", "source", *UTM)}
    pen.add(Visitor, shaped(Visitor, visitor=who.visitor, day=day, at=at, **began), "ON CONFLICT DO NOTHING")


def proven_leads(session: Session | Connection, numbers: Collection[str], at: datetime) -> dict[str, int]:
    """Whom these numbers stand for, as far as that is proven.

    Whoever types an address and ticks the box has a number; only the link that went to the mailbox shows that it is
    theirs. Until then nothing that the browser does is the lead's, and nothing of the lead is the browser's business.
    """
    asked = (select(KnownVisitor.visitor, KnownVisitor.lead_id).join(Capture, Capture.id == KnownVisitor.capture_id)
             .where(KnownVisitor.visitor.in_(numbers), KnownVisitor.until > at, Capture.proven_at.is_not(None),
                    Capture.lead_id == KnownVisitor.lead_id))
    return {visitor: lead_id for visitor, lead_id in session.execute(asked)}


def answered(session: Session, number: str, at: datetime) -> frozenset[str]:
    """The names of the questions that the visitor of ``number`` has answered with a proven mailbox; never the answers.
    """
    lead_id = proven_leads(session, [number], at).get(number)
    if lead_id is None:
        return frozenset()
    said = session.scalars(select(Capture.answers).where(Capture.lead_id == lead_id, Capture.proven_at.is_not(None))
                           .order_by(Capture.at, Capture.id))
    told = profile(Said(answers, proven=True) for answers in said)
    return frozenset(name for name, value in (told | told["custom"]).items()
                     if name != "custom" and value not in ("", None, []))


def forget(session: Session, lead: Lead) -> None:
    """Let no number stand for ``lead`` any more, and throw away what was known of it by one: the pages it looked at and
    the links it followed. Needs a write transaction."""
    numbers = session.scalars(select(KnownVisitor.visitor).where(KnownVisitor.lead_id == lead.id)).all()
    session.execute(delete(Visitor).where(Visitor.visitor.in_(numbers)))
    session.execute(delete(KnownVisitor).where(KnownVisitor.lead_id == lead.id))
    session.execute(delete(PageVisit).where(PageVisit.lead_id == lead.id))
    session.execute(delete(LetterClick).where(LetterClick.lead_id == lead.id))
    lead.look_at = clock.now()
