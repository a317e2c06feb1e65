"""What one of us puts down about a lead: a fact like any other, in the order of the profile."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from handsel.accounts import audit
from handsel.accounts.audit import Actor
from handsel.db import insert_or
from handsel.errors import HandselError
from handsel.leads.address import normalised, read, sendable
from handsel.leads.due import random_key
from handsel.leads.models import Capture, Lead
from handsel.leads.profile import HAND, refresh
from handsel.mail import suppress


def correct(session: Session, lead: Lead, answers: Mapping[str, Any], actor: Actor, at: datetime) -> None:
    """Put down ``answers`` about ``lead``; None says that there is nothing. Needs a write transaction.

    Nothing is overwritten: what was said before stays readable, and the person's own word, proven later, covers it.
    """
    session.refresh(lead, with_for_update=True)
    _say(session, lead, answers, actor, at)
    audit.record(session, "corrected a lead", actor, audit.of_lead(lead.key), {"fields": sorted(answers)})


def create(session: Session, typed: str, answers: Mapping[str, Any], actor: Actor, at: datetime) -> Lead:
    """A new lead with the address ``typed``. It gets no marketing mail: nobody agreed to any.

    Raises HandselError for what is no address, for a lead that there is, and for a person who asked to be erased.
    Needs a write transaction.
    """
    if read(typed) is None:
        raise HandselError("email", "That is not an e-mail address.", "Check it for typing slips.")
    email = normalised(typed)
    blocks = suppress.blocks(session, [suppress.address_hash(email)], at)
    if any(reason == "erasure" for found in blocks.values() for reason, _, _ in found):
        raise HandselError("email", "This person asked to be erased.", "Only they can come back, through a form.")
    key = random_key()
    session.execute(insert_or(Lead, session.get_bind().dialect.name).values(
        key=key, email=email, address=sendable(typed), source=_source(actor), captured_at=at, last_capture_at=at,
        custom={}).on_conflict_do_nothing())
    lead = session.scalars(select(Lead).where(Lead.email == email).with_for_update()).one()
    if lead.key != key:
        raise HandselError("email", f"There is a lead with the address {lead.address} already.", "Open that one.")
    _say(session, lead, answers, actor, at)
    audit.record(session, "put down a lead", actor, audit.of_lead(lead.key))
    return lead


def _say(session: Session, lead: Lead, answers: Mapping[str, Any], actor: Actor, at: datetime) -> None:
    session.add(Capture(
        key=random_key(), once=secrets.token_urlsafe(24), lead_id=lead.id, offer="", form=HAND, source=_source(actor),
        answers={**answers, "email": lead.address}, email=lead.address, at=at))
    session.flush()
    refresh(session, lead)
    lead.look_at = at


def _source(actor: Actor) -> str:
    return f"by hand: {actor.name}"[:120]
