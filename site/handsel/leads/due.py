"""What one capture has coming: its first mail within the limits of the mailbox, its letters, its download grants."""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from handsel.db import instant_text
from handsel.leads.models import Grant
from handsel.leads.plan import A_DAY, Mailed, Plan, says_all, slot
from handsel.leads.rows import Pen, Row, instant, loaded, shaped
from handsel.mail import queue
from handsel.mail.models import Message
from handsel.offers import events
from handsel.offers.library import Letter, Offer

_MAILED = ("SELECT message.offer, first_due_at, answers, capture.id FROM message "
           "LEFT JOIN capture ON capture.id = message.capture_id "
           "WHERE message.lead_id = :lead AND kind IN ('delivery', 'confirm') "
           "AND first_due_at > :since AND state NOT IN ('cancelled', 'failed', 'suppressed')")
_TICKED = "SELECT capture_id, purpose FROM consent WHERE lead_id = :lead AND state = 'given'"
_KEY = re.compile(r"[A-Za-z0-9_-]{22}")
_GONE = "SELECT at FROM gone_mail WHERE address_hash = :mailbox AND at > :since"
_LETTERS = ("SELECT step FROM message WHERE lead_id = :lead AND offer = :offer AND kind = 'letter' "
            "AND state NOT IN ('cancelled', 'suppressed', 'failed')")


def random_key() -> str:
    """22 characters that nobody can guess: 128 random bits."""
    return secrets.token_urlsafe(16)


def is_key(text: str) -> bool:
    """Whether ``text`` could be a key. Nothing else reaches the database, which does not take every sign."""
    return _KEY.fullmatch(text) is not None


@dataclass(frozen=True)
class Due:
    """What ``plan`` promises for one capture of ``offer``; the rows are written into the caller's transaction.

    ``answers`` and ``consents`` are the claim that the first mail proves.
    """

    offer: Offer
    plan: Plan
    lead_id: int
    capture_id: int
    capture_key: str
    at: datetime
    answers: Mapping[str, Any]
    consents: Collection[str]
    mailbox: str
    """The address's hash as the suppression list keeps it."""

    def send(self, pen: Pen, *, is_new: bool = False, paused_until: datetime | None = None) -> None:
        """Queue the first mail, if the mailbox may have one, and the letters that its lead does not have yet.

        A series that begins while its lead pauses begins at the end of the pause.
        """
        begins = max(self.at, paused_until or self.at)
        if self.plan.instant:
            pen.add(Grant, self._grant(self.at, proves=False))
        if self.plan.mail:
            self._first_mail(pen, is_new)
        known: set[str] = set()
        if self.plan.letters and not is_new:
            known = {row[0] for row in pen.run(_LETTERS, {"lead": self.lead_id, "offer": self.offer.slug})}
        pen.add_all(Message, [
            self._message("letter", f"letter:{self.capture_key}:{letter.step}", due_at, step=letter.step,
                          topic=letter.topic)
            for letter in self.plan.letters
            if letter.step not in known and (due_at := self._due_at(letter, begins)) is not None])

    def _due_at(self, letter: Letter, begins: datetime) -> datetime | None:
        """When a letter of a series that ``begins`` then goes; None for a reminder whose time has gone by."""
        if not letter.meta.is_by_event:
            return begins + letter.due_after
        due_at = events.due_at(letter.meta, self.offer.meta.event)
        return due_at if due_at and due_at > self.at else None

    def _first_mail(self, pen: Pen, is_new: bool) -> None:
        mails = self.earlier(pen, is_new=is_new)
        due_at = slot(mails, self.at)
        said = any(says_all(mail, self.offer.slug, self.answers, self.consents, self.at) for mail in mails)
        if due_at is not None and not said:
            self.mail(pen, due_at, number=0)

    def earlier(self, pen: Pen, *, is_new: bool = False) -> list[Mailed]:
        """The mails of the last day, sent or waiting, that forms triggered for the mailbox."""
        since = instant_text(self.at - A_DAY)
        found = [] if is_new else pen.run(_MAILED, {"lead": self.lead_id, "since": since})
        gone = pen.run(_GONE, {"mailbox": self.mailbox, "since": since})
        ticks = pen.run(_TICKED, {"lead": self.lead_id}) if found else []
        return [Mailed("", due, {}, frozenset()) for (text,) in gone if (due := instant(text))] + [
            Mailed(offer, due, loaded(answers) or {}, frozenset(purpose for id_, purpose in ticks if id_ == capture_id))
            for offer, text, answers, capture_id in found if (due := instant(text))]

    def mail(self, pen: Pen, due_at: datetime, number: int) -> None:
        """Queue the first mail with a grant of its own; ``number`` counts how often this capture had one before."""
        grant_id = pen.add(Grant, self._grant(due_at, proves=True), "RETURNING id")[0][0]
        pen.add(Message, self._message(self.plan.mail, f"{self.plan.mail}:{self.capture_key}:{number}", due_at,
                                       step=self.plan.step, grant_id=grant_id))

    def _message(self, kind: str, once: str, due_at: datetime, **columns: object) -> Row:
        return shaped(Message, **queue.row(kind, once=once, at=self.at, due_at=due_at, lead_id=self.lead_id,
                                           capture_id=self.capture_id, offer=self.offer.slug, **columns))

    def _grant(self, at: datetime, *, proves: bool) -> Row:
        return shaped(Grant, key=random_key(), lead_id=self.lead_id, capture_id=self.capture_id, offer=self.offer.slug,
                      created_at=at, expires_at=self.offer.link_until(at),
                      uses_left=self.offer.meta.downloads, proves=proves)



def pen_of(session: Session) -> Pen:
    """A pen for the transaction that ``session`` is in."""
    connection = session.connection().connection
    return Pen(connection.cursor, session.get_bind().dialect.name == "sqlite")
