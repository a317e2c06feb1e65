"""What one capture has coming: its first mail within the limits of the mailbox, its letters, its download grants."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from handsel.db import instant_text
from handsel.leads.models import Grant
from handsel.leads.plan import A_DAY, Mailed, Plan, slot, standing
from handsel.leads.rows import Pen, Row, instant, shaped
from handsel.mail import queue
from handsel.mail.models import Message
from handsel.offers.library import Offer

_MAILED = ("SELECT offer, first_due_at FROM message WHERE lead_id = :lead AND kind IN ('delivery', 'confirm') "
           "AND first_due_at > :since AND state NOT IN ('cancelled', 'failed', 'suppressed')")
_LETTERS = ("SELECT step FROM message WHERE lead_id = :lead AND offer = :offer AND kind = 'letter' "
            "AND state NOT IN ('cancelled', 'suppressed', 'failed')")


def random_key() -> str:
    """22 characters that nobody can guess: 128 random bits."""
    return secrets.token_urlsafe(16)


@dataclass(frozen=True)
class Due:
    """What ``plan`` promises for one capture of ``offer``; the rows are written into the caller's transaction."""

    offer: Offer
    plan: Plan
    lead_id: int
    capture_id: int
    capture_key: str
    at: datetime

    def send(self, pen: Pen, *, is_new: bool = False) -> None:
        """Queue the first mail, if the mailbox may have one, and the letters that its lead does not have yet."""
        if self.plan.instant:
            pen.add(Grant, self._grant(self.at, proves=False))
        if self.plan.mail:
            self._first_mail(pen, is_new)
        known: set[str] = set()
        if self.plan.letters and not is_new:
            known = {row[0] for row in pen.run(_LETTERS, {"lead": self.lead_id, "offer": self.offer.slug})}
        pen.add_all(Message, [
            self._message("letter", f"letter:{self.capture_key}:{letter.step}", self.at + letter.due_after,
                          step=letter.step, topic=letter.topic)
            for letter in self.plan.letters if letter.step not in known])

    def _first_mail(self, pen: Pen, is_new: bool) -> None:
        mails = [] if is_new else earlier(pen, self.lead_id, self.at)
        due_at = slot(mails, self.at)
        if due_at is not None and not standing(mails, self.offer.slug, self.at):
            self.mail(pen, due_at, number=0)

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
                      created_at=at, expires_at=at + timedelta(days=self.offer.meta.link_days),
                      uses_left=self.offer.meta.downloads, proves=proves)


def earlier(pen: Pen, lead_id: int, at: datetime) -> list[Mailed]:
    """The mails of the last day, sent or waiting, that forms triggered for a lead."""
    found = pen.run(_MAILED, {"lead": lead_id, "since": instant_text(at - A_DAY)})
    return [Mailed(offer, due) for offer, text in found if (due := instant(text))]
