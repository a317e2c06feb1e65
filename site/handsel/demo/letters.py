"""What becomes of the sample's mails: handed over, opened by some, left by a few. No mail goes anywhere."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from handsel.db import writing
from handsel.demo import returning
from handsel.leads.confirm import prove
from handsel.leads.consents import Way
from handsel.leads.download import press
from handsel.leads.models import Capture, Grant, Lead
from handsel.leads.unsubscribe import unsubscribe
from handsel.mail.models import Attempt, Message
from handsel.offers.project import Project

OPENED = 0.64  # of the first mails have their button pressed
LEFT = 0.02  # of the letters make somebody leave
ANSWER = "250 2.0.0 Ok: invented for the sample history"


def go_out(project: Project, random: Random, evening: datetime) -> None:
    """Let every mail that fell due by ``evening`` have its fate, as if a worker had been there all day."""
    with writing() as session:
        ripe = or_(Message.kind != "letter", Capture.proven_at.is_not(None), Message.give_up_at <= evening)
        due = session.execute(
            select(Message, Capture).join(Capture, Capture.id == Message.capture_id)
            .where(Message.state == "queued", Message.due_at <= evening, ripe)
            .order_by(Message.due_at, Message.id)).all()
        read: list[Message] = []
        for message, capture in due:
            if message.kind != "letter":
                _sent(session, message)
                if random.random() < OPENED:
                    _opened(session, message, capture, _later(random, message.due_at, evening))
            elif capture.proven_at is None:
                message.state, message.reason = "cancelled", "The mailbox was not proven in time."
            else:
                _sent(session, message)
                read.append(message)
                if random.random() < LEFT:
                    lead = session.get_one(Lead, message.lead_id)
                    unsubscribe(session, lead, "", _way(capture, "link"), _later(random, message.due_at, evening))
        returning.follow(session, random, read, project, evening)


def notices_go_out(evening: datetime) -> None:
    """Let the mails to sellers that fell due by ``evening`` have arrived; younger ones are left for the worker."""
    with writing() as session:
        for message in session.scalars(select(Message).where(
                Message.account_id.is_not(None), Message.state == "queued", Message.due_at <= evening)):
            _sent(session, message)


def _sent(session: Session, message: Message) -> None:
    message.state, message.sent_at, message.attempts = "sent", message.due_at, 1
    session.add(Attempt(message_id=message.id, at=message.due_at, outcome="sent", answer=ANSWER))


def _opened(session: Session, message: Message, capture: Capture, at: datetime) -> None:
    """The button in the mail is pressed, which proves the mailbox."""
    grant = session.get(Grant, message.grant_id) if message.grant_id and message.kind == "delivery" else None
    if grant is not None:
        press(session, grant, _way(capture, "download"), at)
    else:
        prove(session, capture, _way(capture, "confirmation"), at)


def _way(capture: Capture, name: str) -> Way:
    return Way(name, capture.address_prefix, capture.browser)


def _later(random: Random, since: datetime, evening: datetime) -> datetime:
    return min(since + timedelta(minutes=1 + random.expovariate(1 / 40)), max(evening, since))
