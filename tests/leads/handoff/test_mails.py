"""The mails of a hand-over as they read: a change to one shows in tests/emails/."""

from __future__ import annotations

import email
import email.policy
import re
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, update

from factories import NOON, make_account
from handsel.accounts.audit import Actor
from handsel.db import db, writing
from handsel.leads.handoff import activities, correspondence, ending, tasks
from handsel.leads.handoff.activities import Entry
from handsel.leads.handoff.models import Activity
from handsel.leads.handoff.owners import assign
from handsel.leads.models import Lead
from handsel.mail import suppress
from handsel.mail.models import Message
from handsel.worker.deliver import deliver_due
from support.clock import Clock
from support.handoff import hand_over, links_in, work
from support.smtp import FaultyServer, Received

EMAILS = Path(__file__).parent.parent.parent / "emails"


def as_it_reads(mail: Received) -> str:
    """The headers as they were decoded, and the plain text, without what differs from run to run."""
    parsed = email.message_from_bytes(mail.data, policy=email.policy.default.clone(raise_on_defect=True))
    headers = [f"{name}: {value}" for name, value in parsed.items() if name not in ("Message-ID", "Content-Type")]
    part = parsed.get_body(("plain",))
    assert part is not None
    text = part.get_content().replace("\r\n", "\n")
    text = re.sub(r"/hand-off/\S+", lambda found: "/hand-off/" + ("accept" if ".a." in found[0] else "reject"), text)
    text = re.sub(r"/(u|preferences)/[\w-]+", r"/\1/KEY", re.sub(r"/desk/leads/\d+", "/desk/leads/1", text))
    return re.sub(r"lead\d+@", "lead@", "\n".join(headers) + "\n\n" + text)


def sent(app: Flask, smtp: FaultyServer, number: int) -> Received:
    """The newest mail, once so many have arrived."""
    deliver_due(app)
    return smtp.wait(number)[-1]


@pytest.fixture
def sara(posting: Flask) -> Actor:
    account = make_account("sales", email="sara@example.org", name="Sara Seller")
    return Actor(account.email, account.id)


def test_an_alert_says_who_why_and_what_they_did(posting: Flask, smtp: FaultyServer, sara: Actor) -> None:
    hand_over(posting)
    mail = sent(posting, smtp, 1)
    assert as_it_reads(mail) == (EMAILS / "hand-off.txt").read_text()
    assert set(links_in(mail.text)) == {"accept", "reject"}
    assert links_in(mail.html) == links_in(mail.text)
    for words in ("Ada Marsh (Marsh &amp; Sons)", "Head of facilities", "Accept this lead", 'href="tel:+442079460018"'):
        assert words in mail.html


def test_a_lead_given_by_hand_says_by_whom(posting: Flask, smtp: FaultyServer, sara: Actor) -> None:
    handoff = hand_over(posting)
    ben = make_account("sales", email="ben@example.org", name="Ben")
    sent(posting, smtp, 1)
    with writing() as session:
        assign(session, session.get_one(Lead, handoff.lead_id), ben.id, actor=sara, at=NOON)
    mail = sent(posting, smtp, 2)
    assert mail.recipient == "ben@example.org"
    assert "sara@example.org gave you Ada Marsh (Marsh & Sons): Wrote that they want to begin." in mail.text


def test_an_escalation_says_how_long_and_what_was_tried(posting: Flask, smtp: FaultyServer, sara: Actor,
                                                        clock: Clock) -> None:
    make_account("owner", email="boss@example.org", name="Bo Boss")
    handoff = hand_over(posting)
    sent(posting, smtp, 1)
    with writing() as session:
        activities.put_down(session, session.get_one(Lead, handoff.lead_id),
                            Entry("call", "n" * 22, "", "no-answer"), actor=sara, at=NOON)
    clock.move(days=1)
    work(posting)
    deliver_due(posting)
    (mail,) = [mail for mail in smtp.wait(3) if mail.recipient == "boss@example.org"]
    assert as_it_reads(mail) == (EMAILS / "late.txt").read_text()
    assert links_in(mail.text) == {}


def test_a_reminder_says_what_and_about_whom(posting: Flask, smtp: FaultyServer, sara: Actor, clock: Clock) -> None:
    handoff = hand_over(posting)
    sent(posting, smtp, 1)
    with writing() as session:
        tasks.add(session, session.get_one(Lead, handoff.lead_id), "Send the case study", NOON + timedelta(hours=1),
                  once="t" * 22, actor=sara, at=NOON, owner_id=sara.account_id)
    clock.move(hours=1)
    work(posting)
    work(posting)
    assert as_it_reads(sent(posting, smtp, 2)) == (EMAILS / "reminder.txt").read_text()


def test_a_sellers_mail_reads_as_typed_and_is_answered_to_the_seller(posting: Flask, smtp: FaultyServer,
                                                                    sara: Actor) -> None:
    handoff = hand_over(posting)
    sent(posting, smtp, 1)
    typed = "Hello Ada,\r\n\r\nthank you for writing. <b>Shall</b> we talk {{ email }}\r\non Thursday?\r\n\r\nSara"
    for _ in range(3):  # a double click, and a third
        with writing() as session:
            correspondence.write(session, session.get_one(Lead, handoff.lead_id), " Our  talk ", typed,
                                 once="m" * 22, actor=sara, at=NOON)
    mail = sent(posting, smtp, 2)
    assert as_it_reads(mail) == (EMAILS / "personal.txt").read_text()
    assert "&lt;b&gt;Shall&lt;/b&gt; we talk {{ email }}<br>on Thursday?" in mail.html
    assert len(smtp.wait(2)) == 2
    assert [activity.kind for activity in db.session.scalars(select(Activity))] == ["mail"]


def write_to(handoff_lead: int, sara: Actor) -> str:
    """What a seller is told who writes to the lead; empty when the mail is on its way."""
    from handsel.errors import HandselError

    try:
        with writing() as session:
            correspondence.write(session, session.get_one(Lead, handoff_lead), "Hello", "Shall we talk?",
                                 once="q" * 22, actor=sara, at=NOON)
    except HandselError as error:
        return error.what
    return ""


def test_whoever_left_bounced_or_never_proved_their_mailbox_is_not_written_to(posting: Flask, sara: Actor) -> None:
    lead_id = hand_over(posting).lead_id
    address = db.session.get_one(Lead, lead_id).address

    def with_values(**values: object) -> str:
        with writing() as session:
            session.execute(update(Lead).where(Lead.id == lead_id).values(**values))
        return write_to(lead_id, sara)

    no = "This person may not be written to. "
    assert with_values(unsubscribed_at=NOON) == no + "The person left all marketing mail."
    assert with_values(unsubscribed_at=None, confirmed_at=None) == no + correspondence.UNPROVEN
    for reason in ("bounce", "complaint", "manual"):
        with writing() as session:
            suppress.add(session, address, reason, NOON)
        assert with_values(confirmed_at=NOON) == no + suppress.WORDS[reason]
        with writing() as session:
            suppress.lift(session, address, reason, NOON)
    assert write_to(lead_id, sara) == ""
    assert [message.kind for message in db.session.scalars(select(Message).where(Message.kind == "personal"))] == [
        "personal"]


def test_whoever_leaves_while_the_mail_waits_is_not_written_to(posting: Flask, smtp: FaultyServer,
                                                              sara: Actor) -> None:
    lead_id = hand_over(posting).lead_id
    sent(posting, smtp, 1)
    assert write_to(lead_id, sara) == ""
    with writing() as session:
        session.execute(update(Lead).where(Lead.id == lead_id).values(unsubscribed_at=NOON))
    deliver_due(posting)
    message = db.session.scalars(select(Message).where(Message.kind == "personal")).one()
    assert (message.state, message.reason) == ("suppressed", "The person left all marketing mail.")
    assert len(smtp.wait(1)) == 1


def test_nothing_is_told_of_what_is_over_by_then(posting: Flask, smtp: FaultyServer, sara: Actor,
                                                 clock: Clock) -> None:
    handoff = hand_over(posting)
    with writing() as session:
        ending.accept(session, handoff.id, actor=sara, at=NOON, way="desk")
    deliver_due(posting)
    message = db.session.scalars(select(Message).where(Message.kind == "notice")).one()
    assert message.state == "cancelled"
    other = hand_over(posting, name="Bea Hill")
    with writing() as session:
        session.delete(session.get_one(Lead, other.lead_id))
    deliver_due(posting)
    db.session.rollback()
    assert [message.state for message in db.session.scalars(select(Message).where(Message.kind == "notice"))] == [
        "cancelled", "cancelled"]


@pytest.mark.parametrize("evil", ["\r\nBcc: all@example.org", "<img src=x onerror=alert(1)>", "=?utf-8?q?x?=",
                                  "{{ unsubscribe_url }}", "\u202egnp.exe", "🦩" * 60, 'a"b,c<d>'])
def test_what_a_lead_typed_stays_what_it_is_in_an_alert(posting: Flask, smtp: FaultyServer, sara: Actor,
                                                        evil: str) -> None:
    hand_over(posting, name=f"Ada {evil}", company=evil, job_title=evil)
    mail = sent(posting, smtp, 1)
    assert as_it_reads(mail)  # the parser forgives nothing
    assert mail.recipient == "sara@example.org"
    assert "<img" not in mail.html.split("<body")[1].split("</body>")[0]
    assert b"\nBcc:" not in mail.data.partition(b"\r\n\r\n")[0]
