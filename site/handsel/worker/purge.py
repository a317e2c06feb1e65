"""What we throw away, and when: the promises on how long we keep things, kept once a day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import String, and_, cast, delete, exists, or_, select, update

from handsel.accounts.models import DeskSession, SignInLink
from handsel.db import write_connection
from handsel.leads.models import Capture, Consent, Download, GoneMail, Grant, Lead
from handsel.mail.inbox import Inbox
from handsel.mail.models import Message, Suppression
from handsel.mail.queue import FINAL
from handsel.offers.project import Project
from handsel.traffic.models import DaySecret, Hit, KnownVisitor, Visitor

AT_ONCE = 1000  # rows in one transaction, so that nobody else waits for long
UNPROVEN = timedelta(days=14)
MAIL_TEXT = timedelta(days=30)
MAIL_ROWS = timedelta(days=730)
HITS = timedelta(days=396)  # thirteen months, so that a month can be held against the same one a year ago
LINKS = timedelta(days=30)
PROOF = timedelta(days=3 * 366)


def purge(app: Flask, at: datetime) -> dict[str, int]:
    """Throw away what is too old at ``at``; how many rows or files of each sort. Needs an application context."""
    project: Project = app.extensions["handsel.offers"].project
    today = at.date()
    thrown = {
        "secrets of past days": _delete(DaySecret, DaySecret.day < today, key=DaySecret.day),
        "beginnings of past days' visits": _delete(Visitor, Visitor.day < today, key=Visitor.visitor),
        "consents to be recognised that have ended": _delete(KnownVisitor, KnownVisitor.until < at,
                                                             key=KnownVisitor.visitor),
        "counts of mails to mailboxes given up": _delete(GoneMail, GoneMail.at < at - timedelta(days=1)),
        "visits older than 13 months": _delete(Hit, Hit.at < at - HITS),
        "leads that never proved their mailbox": _delete(Lead, _unproven(project, at)),
        "leads that have been silent for years": _delete(Lead, _silent(project, at)),
        "download links": _delete(Grant, Grant.expires_at < at - LINKS),
        "messages": _delete(Message, and_(Message.state.in_(FINAL), Message.created_at < at - MAIL_ROWS)),
        "texts of messages": _empty_values(at),
        "sign-in links": _delete(SignInLink, SignInLink.expires_at < at - LINKS),
        "desk sessions": _delete(DeskSession, DeskSession.seen_at < at - LINKS),
        "blocks that have run out": _delete(Suppression, and_(Suppression.until.is_not(None),
                                                              Suppression.until < at - LINKS)),
        "caught mails": Inbox(Path(app.instance_path) / "inbox").clear(at - MAIL_TEXT),
    }
    return {what: number for what, number in thrown.items() if number}


def _unproven(project: Project, at: datetime) -> Any:
    """Leads that nobody works with and that only ever asked for what a mail brings, which they never opened."""
    mailed = [slug for slug, offer in project.offers.items() if offer.meta.delivery in ("email", "both")]
    otherwise = exists(select(1).where(Capture.lead_id == Lead.id,
                                       or_(Capture.offer.not_in(mailed), Capture.proven_at.is_not(None))))
    return and_(Lead.confirmed_at.is_(None), Lead.last_capture_at < at - UNPROVEN, Lead.owner_id.is_(None),
                Lead.stage == "iql", ~otherwise)


def _silent(project: Project, at: datetime) -> Any:
    """Leads that did nothing for as long as the line below each form says, and to whom we owe nothing more.

    Who ever agreed to letters stays three years after the last word on it, since we have to be able to prove it.
    """
    since = at - timedelta(days=366 * project.site.keep_years)
    fetched = exists(select(1).where(Download.lead_id == Lead.id, Download.at >= since))
    provable = exists(select(1).where(Consent.lead_id == Lead.id, Consent.at >= at - PROOF))
    return and_(Lead.last_capture_at < since, Lead.stage != "customer", Lead.consent_text == "", ~fetched, ~provable)


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
        old = and_(Message.state.in_(FINAL), Message.created_at < at - MAIL_TEXT,
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
