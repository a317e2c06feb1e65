"""What a person wants to hear about, chosen by themselves behind a link that only their mailbox got."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from handsel.accounts import audit
from handsel.forms.schema import RECOGNITION
from handsel.leads import consents
from handsel.leads.consents import Way
from handsel.leads.due import random_key
from handsel.leads.models import Capture, Lead
from handsel.leads.profile import refresh, refresh_texts
from handsel.leads.unsubscribe import unsubscribe
from handsel.mail import queue, suppress


def chosen(session: Session, lead: Lead) -> set[str]:
    """The topics that the person has agreed to; those still waiting for their mailbox to be proven among them."""
    return set() if lead.unsubscribed_at else consents.agreed(session, lead.id)


def choose(session: Session, lead: Lead, wanted: Collection[str], *, topics: Mapping[str, str], language: str, way: Way,
           at: datetime) -> None:
    """Agree to the ``wanted`` ones of the site's ``topics`` (purpose to words) and leave the others.

    To be recognised by a cookie is agreed to in the browser that gets it, so here it can only be left.

    The link went to the mailbox alone, so a box ticked here needs no other proof. Needs a write transaction.
    """
    session.refresh(lead, with_for_update=True)
    newest = consents.latest(session, lead.id)
    for purpose, words in topics.items():
        state = newest[purpose].state if purpose in newest else ""
        if purpose not in wanted:
            if state in {"given", "confirmed"}:
                unsubscribe(session, lead, purpose, way, at)
        elif state == "given":
            consents.add(session, lead.id, purpose, "confirmed", way=way, at=at, like=newest[purpose])
        elif state != "confirmed":
            hash_ = consents.wording(session, purpose, language, words)
            consents.add(session, lead.id, purpose, "given", way=way, at=at, wording_hash=hash_)
            consents.add(session, lead.id, purpose, "confirmed", way=way, at=at, wording_hash=hash_)
    if RECOGNITION in newest and RECOGNITION not in wanted:
        consents.withdraw(session, lead, [RECOGNITION], way, at)
    if set(wanted) & set(topics):
        lead.unsubscribed_at = None
        suppress.lift(session, lead.email, "unsubscribe", at)
        suppress.lift(session, lead.email, "erasure", at)
    refresh_texts(session, lead)
    queue.wake(session, lead.id, at)


def mend(session: Session, lead: Lead, answers: Mapping[str, Any], way: Way, at: datetime) -> None:
    """Take the person's own word about themselves; None empties what we held. Needs a write transaction.

    It is kept as a fact like any other: a capture of no offer, proven by the link it came through.
    """
    session.refresh(lead, with_for_update=True)
    session.add(Capture(
        key=random_key(), once=secrets.token_urlsafe(24), lead_id=lead.id, offer="", form="preferences",
        page="/preferences/", answers={**answers, "email": lead.address}, email=lead.address, at=at, proven_at=at,
        address_prefix=way.prefix, browser=way.browser))
    session.flush()
    refresh(session, lead)
    audit.record(session, "corrected their data", "the person", audit.of_lead(lead.key), {"fields": sorted(answers)})
