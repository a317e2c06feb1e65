"""Leads whose time is over: those that never proved their mailbox, and those that have been silent for years."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, exists, or_, select
from sqlalchemy.orm import aliased

from handsel.accounts import audit
from handsel.db import writing
from handsel.leads.handoff.models import Activity, Handoff, Task
from handsel.leads.ledger import sealing
from handsel.leads.mailboxes import mailboxes_of
from handsel.leads.models import Capture, Consent, Download, Lead
from handsel.leads.privacy.keeping import PROOF, UNPROVEN, years
from handsel.leads.stages.models import ProductEvent, StageChange
from handsel.mail import suppress
from handsel.offers.project import Project

AT_ONCE = 200  # leads in one transaction: much hangs on each
WHY = "its time was over"


def let_go(project: Project, at: datetime) -> dict[str, int]:
    """Delete the leads whose time is over; how many of each sort. Needs an application context."""
    gone = Counter({
        "leads that never proved their mailbox": _delete(_unproven(project, at), at),
        "leads that have been silent for years": _delete(_silent(project, at), at)})
    for what, number in gone.items():
        if number:
            with writing() as session:
                audit.record(session, "threw away old leads", "the worker", "leads", {"which": what, "number": number})
    return dict(gone)


def _delete(condition: ColumnElement[bool], at: datetime) -> int:
    total = 0
    while True:
        with writing() as session:
            heads = session.scalars(select(Lead.id).where(condition, Lead.merged_into_id.is_(None)).order_by(Lead.id)
                                    .limit(AT_ONCE).with_for_update(skip_locked=True)).all()
            ids = [id_ for boxes in mailboxes_of(session, heads).values() for id_ in boxes]
            # That they left must outlive them: the next file somebody brings in may hold their address.
            left = session.scalars(select(Lead.email).where(Lead.id.in_(ids), Lead.unsubscribed_at.is_not(None)))
            for address in left.all():
                suppress.add(session, address, "unsubscribe", at)
            sealing.erase_leads(session, ids, WHY, at)
            session.execute(delete(Lead).where(Lead.id.in_(ids)).execution_options(synchronize_session=False))
        total += len(heads)
        if len(heads) < AT_ONCE:
            return total


def _of_person(model: Any, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether any mailbox of the lead's person has such a row."""
    box = aliased(Lead)
    mine = select(box.id).where(or_(box.id == Lead.id, box.merged_into_id == Lead.id)).correlate(Lead)
    return exists(select(1).where(model.lead_id.in_(mine.scalar_subquery()), *conditions))


def _unproven(project: Project, at: datetime) -> ColumnElement[bool]:
    """Leads that nobody works with and that only ever asked for what a mail brings, which they never opened."""
    mailed = [slug for slug, offer in project.offers.items() if offer.meta.delivery in ("email", "both")]
    otherwise = _of_person(Capture, or_(Capture.offer.not_in(mailed), Capture.proven_at.is_not(None)))
    return and_(Lead.confirmed_at.is_(None), Lead.last_capture_at < at - UNPROVEN, Lead.owner_id.is_(None),
                Lead.stage == "iql", ~otherwise, ~_of_person(Handoff), ~_of_person(Activity), ~_of_person(Task))


def _silent(project: Project, at: datetime) -> ColumnElement[bool]:
    """Leads that did nothing for as long as the line below each form says, and to whom we owe nothing more.

    Who ever agreed to letters stays three years after the last word on it, since we have to be able to prove it.
    """
    since = at - years(project.site)
    return and_(
        Lead.last_capture_at < since, Lead.stage != "customer", Lead.consent_text == "",
        ~_of_person(Capture, Capture.at >= since), ~_of_person(Download, Download.at >= since),
        ~_of_person(ProductEvent, ProductEvent.at >= since), ~_of_person(Consent, Consent.at >= at - PROOF),
        ~_of_person(Activity, Activity.at >= since), ~_of_person(Handoff, Handoff.state == "open"),
        ~_of_person(Task, Task.done_at.is_(None)), ~_of_person(StageChange, StageChange.at >= since,
                                                               StageChange.way != "rule"))
