"""A series of letters as the days go by, from the form on."""

from __future__ import annotations

import re
from datetime import timedelta

from sqlalchemy import select

from factories import NOON
from handsel.db import db, writing
from handsel.mail.models import Message
from handsel.mail.queue import HELD, release
from handsel.worker.deliver import Deliverer, deliver_due


def ask_for_the_guide(client, clock, email="ada@example.org", agree=True) -> None:
    landing = client.get("/offers/guide/").text
    token = re.search(r'name="?form-token"?[^>]*value="?([^"\s>]+)', landing) or re.search(
        r'value="?([^"\s>]+)"?[^>]*name="?form-token', landing)
    data = {"form-token": token[1], "email": email, "first_name": "Ada"} | ({"consent-advice": "yes"} if agree else {})
    clock.move(seconds=30)
    answer = client.post("/offers/guide/", data=data)
    assert answer.status_code == 303, answer.text


def press_the_button(client, mail) -> None:
    path = re.search(r"http://localhost(/get/[\w-]+)", mail.text)[1]
    page = client.get(path)
    assert page.status_code == 200
    form = dict(re.findall(r'<input[^>]*type="?hidden"?[^>]*name="?([\w-]+)"?[^>]*value="?([^"\s>]*)', page.text))
    assert client.post(path, data=form).status_code in (200, 303)


def test_the_letters_come_after_two_five_and_nine_days(posting, smtp, clock):
    client = posting.test_client()
    ask_for_the_guide(client, clock)
    asked_at = clock.now
    deliver_due(posting)
    (delivery,) = smtp.wait(1)
    press_the_button(client, delivery)

    came = []
    for hour in range(12 * 24):
        clock.set(asked_at + timedelta(hours=hour + 1))
        before = len(smtp.received)
        deliver_due(posting)
        came += [(round((clock.now - asked_at) / timedelta(days=1)), str(mail.message["Subject"]))
                 for mail in smtp.received[before:]]

    assert came == [(2, "Ada, have you begun?"), (5, "Stop at a full stop"), (9, "Leave the dull ones")]
    assert set(db.session.scalars(select(Message.state))) == {"sent"}


def test_without_a_tick_nothing_follows(posting, smtp, clock):
    client = posting.test_client()
    ask_for_the_guide(client, clock, agree=False)
    deliver_due(posting)
    press_the_button(client, smtp.wait(1)[0])

    for _ in range(12):
        clock.move(days=1)
        deliver_due(posting)

    assert len(smtp.received) == 1


def test_one_click_stops_the_series_at_once(posting, smtp, clock):
    client = posting.test_client()
    ask_for_the_guide(client, clock)
    deliver_due(posting)
    press_the_button(client, smtp.wait(1)[0])
    clock.move(days=2)
    deliver_due(posting)
    letter = smtp.wait(2)[1]

    leave = re.fullmatch(r"<http://localhost(/u/[\w.-]+)>", letter.message["List-Unsubscribe"])[1]
    for _ in range(3):
        assert client.get(leave).status_code == 200
    assert client.post(leave, data={"List-Unsubscribe": "One-Click"}).status_code == 200

    for _ in range(10):
        clock.move(days=1)
        deliver_due(posting)
    assert len(smtp.received) == 2
    assert set(db.session.scalars(select(Message.state).where(Message.step > "01-begin"))) == {"cancelled"}


def test_a_one_click_between_the_claim_and_the_text_is_in_time(posting, smtp, clock):
    client = posting.test_client()
    ask_for_the_guide(client, clock)
    deliver_due(posting)
    press_the_button(client, smtp.wait(1)[0])
    lead_key = re.search(r"/preferences/([\w-]+)", smtp.received[0].text)[1]
    clock.move(days=2)
    worker = Deliverer(posting)
    worker.letters.use(worker.project)
    genuine = worker.transport.hand_over

    def leave_first(mail, last_word):
        assert client.post(f"/u/{lead_key}.advice", data={"List-Unsubscribe": "One-Click"}).status_code == 200
        return genuine(mail, last_word)

    worker.transport.hand_over = leave_first
    worker.round()
    worker.close()

    assert len(smtp.received) == 1


def test_mail_due_today_is_not_sent_yesterday(posting, smtp, clock):
    client = posting.test_client()
    ask_for_the_guide(client, clock)
    deliver_due(posting)
    press_the_button(client, smtp.wait(1)[0])
    first = db.session.scalars(select(Message).where(Message.step == "01-begin")).one()
    assert first.due_at >= NOON + timedelta(days=2)

    clock.set(first.due_at - timedelta(milliseconds=1))
    assert deliver_due(posting).total == 0
    clock.move(milliseconds=1)
    assert deliver_due(posting).by_state == {"sent": 1}


def test_letters_that_fell_due_while_nobody_was_there_wait_for_a_person(posting, smtp, clock):
    client = posting.test_client()
    ask_for_the_guide(client, clock)
    deliver_due(posting)
    press_the_button(client, smtp.wait(1)[0])
    letters = select(Message).where(Message.kind == "letter").order_by(Message.step)

    for _ in range(3):  # more than the lifetime of the last letter, then days in which nobody looks
        clock.move(days=13)
        deliver_due(posting)
        db.session.rollback()
        assert [(letter.state, letter.due_at) for letter in db.session.scalars(letters)] == [("queued", HELD)] * 3
    assert len(smtp.received) == 1

    with writing() as session:
        assert release(session.connection(), clock.now) == 3
    for _ in range(4):
        deliver_due(posting)
        clock.move(minutes=6)

    assert [str(mail.message["Subject"]) for mail in smtp.wait(4)[1:]] == [
        "Ada, have you begun?", "Stop at a full stop", "Leave the dull ones"]
    db.session.rollback()
    assert {letter.state for letter in db.session.scalars(letters)} == {"sent"}


def test_a_clock_that_jumps_sends_nothing_twice(posting, smtp, clock):
    client = posting.test_client()
    ask_for_the_guide(client, clock)
    deliver_due(posting)
    press_the_button(client, smtp.wait(1)[0])

    for jump in (1, -1, 24, -1, 24, -24, 24, 1, 24, 24, -1, 24, 24, 24, 24, 1):
        clock.move(hours=jump)
        deliver_due(posting)
        deliver_due(posting)

    subjects = [str(mail.message["Subject"]) for mail in smtp.received]
    assert len(subjects) == len(set(subjects)) == 3
