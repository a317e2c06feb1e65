"""Hits of people who agreed to be recognised become visits and clicks of their leads; those of all others never do.

What the recorder writes comes by here in the same transaction. A page view belongs to a lead if its visitor's number
stands for a proven mailbox, and a click if its letter went to a lead whose consent to be recognised holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from handsel.forms.schema import RECOGNITION
from handsel.leads.models import Consent, Lead
from handsel.leads.recognition import proven_leads
from handsel.leads.tracking.models import LetterClick, PageVisit
from handsel.mail.models import Message
from handsel.traffic.recorder import Noted

MODELS: tuple[Any, ...] = (PageVisit, LetterClick)


def follow(connection: Connection, noted: Sequence[Noted]) -> None:
    """Write the visits and clicks among ``noted``, and have their leads looked at."""
    own = [hit for hit in noted if not hit.visit.excluded and not hit.visit.private]
    visits = [hit for hit in own if hit.kind == "view" and hit.visit.visitor != hit.visit.unit]
    clicks = [hit for hit in own if hit.kind == "click" and hit.mark]
    rows = (*((PageVisit, row) for row in _visits(connection, visits)),
            *((LetterClick, row) for row in _clicks(connection, clicks)))
    for model in MODELS:
        if found := [row for kind, row in rows if kind is model]:
            connection.execute(insert(model), found)
    latest: dict[int, datetime] = {}
    for _, row in rows:
        latest[row["lead_id"]] = max(row["at"], latest.get(row["lead_id"], row["at"]))
    for lead_id, at in sorted(latest.items()):  # in one order for everybody, so that two processes never wait in a ring
        connection.execute(update(Lead).where(Lead.id == lead_id).values(look_at=at))


def _visits(connection: Connection, hits: list[Noted]) -> list[dict[str, Any]]:
    if not hits:
        return []
    leads = proven_leads(connection, {hit.visit.visitor for hit in hits}, hits[-1].at)
    return [{"lead_id": leads[hit.visit.visitor], "at": hit.at, "path": hit.path, "offer": hit.offer}
            for hit in hits if hit.visit.visitor in leads]


def _clicks(connection: Connection, hits: list[Noted]) -> list[dict[str, Any]]:
    if not hits:
        return []
    letters = {row.key: row for row in connection.execute(
        select(Message.key, Message.lead_id, Message.offer, Message.step)
        .where(Message.key.in_({hit.mark for hit in hits}), Message.lead_id.is_not(None)))}
    agreed = agreeing(connection, {row.lead_id for row in letters.values()})
    first = {(hit.mark, hit.path): hit for hit in reversed(hits)}  # a press that came twice within the second is one
    return [{"lead_id": letters[mark].lead_id, "at": hit.at, "offer": letters[mark].offer, "step": letters[mark].step,
             "path": path} for (mark, path), hit in sorted(first.items(), key=lambda pair: pair[1].at)
            if mark in letters and letters[mark].lead_id in agreed]


def agreeing(connection: Session | Connection, lead_ids: set[int]) -> set[int]:
    """Those of the leads who agreed to be recognised, with a proven mailbox, and have not taken it back."""
    if not lead_ids:
        return set()
    last = (select(func.max(Consent.id)).where(Consent.lead_id.in_(lead_ids), Consent.purpose == RECOGNITION,
                                               Consent.state != "given").group_by(Consent.lead_id))
    return set(connection.execute(select(Consent.lead_id).where(
        Consent.id.in_(last), Consent.state == "confirmed")).scalars())
