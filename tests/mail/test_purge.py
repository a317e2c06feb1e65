"""What is thrown away when its time is over, and what is not."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from sqlalchemy import func, select, text

from factories import NOON, make_capture, make_consent, make_grant, make_hit, make_lead, make_message
from handsel.db import db, writing
from handsel.leads.models import Grant, Lead
from handsel.mail.inbox import Inbox
from handsel.mail.models import Message
from handsel.mail.transport import Handover
from handsel.traffic.models import DaySecret, Hit
from handsel.worker.purge import purge
from support import on_sqlite


def count(model) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(model))


def test_the_secret_of_a_past_day_is_gone_and_todays_stays(app, clock):
    with writing() as session:
        session.add_all([DaySecret(day=(NOON - timedelta(days=back)).date(), secret=b"x" * 32) for back in (0, 1, 30)])

    assert purge(app, NOON)["secrets of past days"] == 2
    assert db.session.scalars(select(DaySecret.day)).all() == [NOON.date()]


def test_a_request_that_was_never_confirmed_is_gone_after_fourteen_days(app, clock):
    old = NOON - timedelta(days=14, seconds=1)
    never = make_lead(confirmed_at=None, captured_at=old, last_capture_at=old)
    make_capture(never, proven_at=None, at=old)
    make_message(never, kind="delivery", state="sent")
    recent = make_lead(confirmed_at=None, captured_at=old, last_capture_at=NOON - timedelta(days=13))
    make_capture(recent, proven_at=None)
    proven = make_lead(captured_at=old, last_capture_at=old)
    make_capture(proven, at=old)
    instant = make_lead(confirmed_at=None, captured_at=old, last_capture_at=old)
    make_capture(instant, offer="gone", proven_at=None, at=old)
    theirs = make_lead(confirmed_at=None, captured_at=old, last_capture_at=old, stage="sql")
    make_capture(theirs, proven_at=None, at=old)
    kept = [lead.id for lead in (recent, proven, instant, theirs)]

    assert purge(app, NOON)["leads that never proved their mailbox"] == 1
    db.session.rollback()
    assert sorted(db.session.scalars(select(Lead.id))) == sorted(kept)
    assert count(Message) == 0


def test_a_lead_that_was_silent_for_years_is_gone(app, clock):
    old = {"captured_at": NOON - timedelta(days=733), "last_capture_at": NOON - timedelta(days=733)}
    make_lead(**old)
    reader = make_lead(**old, consent_text="advice")
    make_consent(reader, at=NOON - timedelta(days=733))
    left = make_lead(**old)
    make_consent(left, state="withdrawn", at=NOON - timedelta(days=700))
    customer = make_lead(**old, stage="customer")
    recent = make_lead(captured_at=NOON - timedelta(days=733), last_capture_at=NOON - timedelta(days=700))
    kept = [lead.id for lead in (reader, left, customer, recent)]

    assert purge(app, NOON) == {"leads that have been silent for years": 1}
    db.session.rollback()
    assert sorted(db.session.scalars(select(Lead.id))) == sorted(kept)


def test_visits_texts_links_and_caught_mails_go_in_their_time(app, clock):
    make_hit(at=NOON - timedelta(days=397))
    make_hit(at=NOON - timedelta(days=395))
    make_grant(expires_at=NOON - timedelta(days=31))
    make_grant(expires_at=NOON - timedelta(days=29))
    old = make_message(state="sent", created_at=NOON - timedelta(days=31), values={"secret": "text"})
    new = make_message(state="sent", created_at=NOON - timedelta(days=29), values={"secret": "text"})
    make_message(state="sent", created_at=NOON - timedelta(days=731))
    waiting = make_message(created_at=NOON - timedelta(days=731), values={"keep": "me"})
    inbox = Inbox(Path(app.instance_path) / "inbox")
    clock.move(days=-31)
    inbox.hand_over(Handover("b@press.example", "a@example.org", b"Subject: old\r\n\r\n"))
    clock.move(days=31)
    inbox.hand_over(Handover("b@press.example", "a@example.org", b"Subject: new\r\n\r\n"))
    expected = {"visits older than 13 months": 1, "download links": 1, "texts of messages": 1, "messages": 1,
                "caught mails": 1}

    assert purge(app, NOON) == expected
    db.session.rollback()
    assert [db.session.get(Message, message.id).values for message in (old, new, waiting)] == [
        {}, {"secret": "text"}, {"keep": "me"}]
    assert (count(Hit), count(Grant), len(inbox.names())) == (1, 1, 1)
    assert purge(app, NOON) == {}


@on_sqlite
def test_sqlite_knows_afterwards_how_its_tables_are_filled(app, clock):
    for _ in range(20):
        make_lead()
    purge(app, clock.now)
    known = text("SELECT stat FROM sqlite_stat1 WHERE tbl = 'lead' AND idx = 'ix_lead_captured_at_id'")
    assert db.session.scalar(known) == "20 20 1"
