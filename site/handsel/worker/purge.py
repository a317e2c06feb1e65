"""What we throw away, and when: the promises on how long we keep things, kept once a day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import String, and_, cast, delete, select, update

from handsel.accounts import audit
from handsel.accounts.models import DeskSession, SignInLink
from handsel.db import learn_shapes, write_connection, writing
from handsel.leads.forget import scrub
from handsel.leads.importing import uploads
from handsel.leads.importing.models import ImportRefusal
from handsel.leads.ledger import sealing
from handsel.leads.listing.models import LeadAct
from handsel.leads.models import GoneMail, Grant, Lead, LeadFact, LeadImport
from handsel.leads.privacy.keeping import A_DAY, MONTH, TWO_YEARS, VISITS
from handsel.leads.scoring.models import ScoringEdit
from handsel.leads.segments.models import SegmentEdit
from handsel.leads.stages.models import ProductEvent
from handsel.leads.tracking.models import LetterClick, PageVisit
from handsel.mail.inbox import Inbox
from handsel.mail.models import Message, Suppression
from handsel.mail.queue import FINAL
from handsel.offers.project import Project
from handsel.traffic.models import DaySecret, Hit, KnownVisitor, Visitor
from handsel.worker.silence import let_go

AT_ONCE = 1000  # rows in one transaction, so that nobody else waits for long


def purge(app: Flask, at: datetime) -> dict[str, int]:
    """Throw away what is too old at ``at``; how many rows or files of each sort. Needs an application context."""
    project: Project = app.extensions["handsel.offers"].project
    today = at.date()
    thrown = {
        "secrets of past days": _delete(DaySecret, DaySecret.day < today, key=DaySecret.day),
        "beginnings of past days' visits": _delete(Visitor, Visitor.day < today, key=Visitor.visitor),
        "consents to be recognised that have ended": _delete(KnownVisitor, KnownVisitor.until < at,
                                                             key=KnownVisitor.visitor),
        "counts of mails to mailboxes given up": _delete(GoneMail, GoneMail.at < at - A_DAY),
        "visits older than 13 months": _delete(Hit, Hit.at < at - VISITS),
        "what leads did on the site and in the product, older than 13 months": _past_acts(at),
        **let_go(project, at),
        "download links": _delete(Grant, Grant.expires_at < at - MONTH),
        "messages": _delete(Message, and_(Message.state.in_(FINAL), Message.created_at < at - TWO_YEARS)),
        "texts of messages": _empty_values(at),
        "sign-in links": _delete(SignInLink, SignInLink.expires_at < at - MONTH),
        "desk sessions": _delete(DeskSession, DeskSession.seen_at < at - MONTH),
        "blocks that have run out": _delete(Suppression, and_(Suppression.until.is_not(None),
                                                              Suppression.until < at - MONTH)),
        "caught mails": Inbox(Path(app.instance_path) / "inbox").clear(at - MONTH),
        "refused rows of imports": _delete(ImportRefusal, ImportRefusal.import_id.in_(
            select(LeadImport.id).where(LeadImport.at < at - MONTH))),
        "uploaded files that nobody went on with": uploads.clear(app, at),
        "acts on lists of leads": _delete(LeadAct, LeadAct.at < at - MONTH),
        "changes of the scoring that stand": _delete(ScoringEdit, ScoringEdit.at < at - MONTH),
        "changes of segments that stand": _delete(SegmentEdit, SegmentEdit.at < at - MONTH),
        "entries of the log": _old_entries(at),
    }
    sealing.anchor()
    scrub()  # a reader may have kept an erasure from leaving the write-ahead log
    with write_connection() as connection:
        learn_shapes(connection)
    return {what: number for what, number in thrown.items() if number}


def _past_acts(at: datetime) -> int:
    """What leads did is forgotten where it stands and where rules look for it; then the rules look again."""
    facts: dict[str, Any] = {"visited": PageVisit, "clicked": LetterClick, "event": ProductEvent}
    with write_connection() as connection:
        old = and_(LeadFact.kind.in_(facts), LeadFact.at < at - VISITS)
        connection.execute(update(Lead).where(Lead.id.in_(select(LeadFact.lead_id).where(old))).values(look_at=at))
        connection.execute(delete(LeadFact).where(old))
    return sum(_delete(model, model.at < at - VISITS) for model in facts.values())


def _old_entries(at: datetime) -> int:
    with writing() as session:
        return audit.throw_away(session, at - TWO_YEARS)


def _delete(model: Any, condition: Any, key: Any = None) -> int:
    key = key if key is not None else model.id

    def some(connection: Any) -> int:
        ids = connection.execute(select(key).where(condition).limit(AT_ONCE)).scalars().all()
        if ids:
            connection.execute(delete(model).where(key.in_(ids)))
        return len(ids)

    return _until_done(some)


def _empty_values(at: datetime) -> int:
    def some(connection: Any) -> int:
        old = and_(Message.state.in_(FINAL), Message.created_at < at - MONTH,
                   cast(Message.values, String) != "{}")
        ids = connection.execute(select(Message.id).where(old).limit(AT_ONCE)).scalars().all()
        if ids:
            connection.execute(update(Message).where(Message.id.in_(ids)).values({Message.values: {}}))
        return len(ids)

    return _until_done(some)


def _until_done(some: Callable[[Any], int]) -> int:
    total = 0
    while True:
        with write_connection() as connection:
            number = some(connection)
        total += number
        if number < AT_ONCE:
            return total
