"""The life of a consent: given on a form, confirmed by the mailbox, withdrawn. Rows are only ever added."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from handsel.forms.library import wording_hash
from handsel.forms.schema import RECOGNITION
from handsel.leads import recognition
from handsel.leads.models import Consent, Lead, Wording
from handsel.leads.qualify.looking import soonest
from handsel.traffic.visitor import Visit


class Way(NamedTuple):
    """How an act came about, for the record: its way, and the address prefix and browser that did it."""

    name: str
    prefix: str = ""
    browser: str = ""

    @classmethod
    def of(cls, name: str, visit: Visit) -> Way:
        """The way of somebody who does it in a browser."""
        return cls(name, visit.prefix, visit.browser)


def latest(session: Session, lead_id: int) -> dict[str, Consent]:
    """The last event of each purpose."""
    events = session.scalars(select(Consent).where(Consent.lead_id == lead_id).order_by(Consent.at, Consent.id))
    return {event.purpose: event for event in events}


def agreed(session: Session, lead_id: int) -> set[str]:
    """The purposes now agreed to, proven or not yet."""
    return {purpose for purpose, event in latest(session, lead_id).items() if event.state != "withdrawn"}


def add(session: Session, lead_id: int, purpose: str, state: str, *, way: Way, at: datetime,
        like: Consent | None = None, wording_hash: str | None = None) -> None:
    """Add one event; ``like`` is the tick whose words, form and capture it shares."""
    session.add(Consent(
        lead_id=lead_id, purpose=purpose, state=state, at=at, way=way.name, address_prefix=way.prefix,
        browser=way.browser, capture_id=like.capture_id if like else None, form=like.form if like else "",
        page=like.page if like else "", variant=like.variant if like else "",
        wording_hash=like.wording_hash if like else wording_hash))


def confirm(session: Session, lead: Lead, capture_ids: Iterable[int], way: Way, at: datetime) -> list[str]:
    """Confirm what was ticked in those captures, unless it was withdrawn since; the topics confirmed."""
    newest = latest(session, lead.id)
    given = session.scalars(select(Consent).where(
        Consent.lead_id == lead.id, Consent.capture_id.in_(list(capture_ids)), Consent.state == "given")).all()
    confirmed: dict[str, Consent] = {}
    for tick in given:
        last = newest[tick.purpose]
        if last.state == "given" or (last.state == "confirmed" and last.wording_hash != tick.wording_hash):
            confirmed[tick.purpose] = tick
    for purpose, tick in confirmed.items():
        add(session, lead.id, purpose, "confirmed", way=way, at=at, like=tick)
    topics = sorted(confirmed.keys() - {RECOGNITION})  # which is no wish for mail
    if topics:
        lead.unsubscribed_at = None
    return topics


def withdraw(session: Session, lead: Lead, purposes: Iterable[str] | None, way: Way, at: datetime) -> None:
    """Withdraw the purposes now agreed to, or those of them that are named."""
    standing = agreed(session, lead.id)
    leaving = standing if purposes is None else standing & set(purposes)
    if RECOGNITION in leaving:
        recognition.forget(session, lead)
    for purpose in sorted(leaving):
        add(session, lead.id, purpose, "withdrawn", way=way, at=at)
    if leaving:
        soonest(lead, at)


def wording(session: Session, purpose: str, language: str, text: str) -> str:
    """Keep the words of a consent once; their hash."""
    hash_ = wording_hash(purpose, language, text)
    if session.get(Wording, hash_) is None:
        session.merge(Wording(hash=hash_, purpose=purpose, language=language, text=text))
        session.flush()
    return hash_
