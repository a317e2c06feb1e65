"""What sellers do at the desk with a lead that was handed over: answer, give on, put down, write, set the next step."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
from flask import Flask
from sqlalchemy import select

from factories import NOON, make_account, make_lead
from handsel.accounts.models import Account, AuditEntry
from handsel.db import db
from handsel.leads.handoff.models import Activity, Handoff, Task
from handsel.leads.models import Lead
from handsel.mail.models import Message
from support.clock import Clock
from support.desk import AtDesk
from support.handoff import hand_over, work

ONCE = "o" * 22


@pytest.fixture
def sara(app: Flask, clock: Clock) -> Account:
    return make_account("sales", email="sara@example.org", name="Sara Seller")


def text_of(page: str) -> str:
    """What a person reads: the main part without its marks."""
    main = page[page.index("<main"):page.index("</main>")]
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", main)))


def actions() -> list[str]:
    db.session.rollback()
    return [entry.action for entry in db.session.scalars(select(AuditEntry).order_by(AuditEntry.id))
            if entry.subject.startswith("lead:")]


def test_a_seller_sees_whom_to_call_first_and_why(app: Flask, sara: Account, clock: Clock) -> None:
    hand_over(app, name="Ada Marsh")
    clock.move(hours=1)
    hand_over(app, name="Bea Hill", phone="")
    desk = AtDesk(app, account=sara)
    for path in ("/desk/tasks", "/desk/"):
        page = desk.get(path).text
        read = text_of(page)
        assert read.index("Ada Marsh") < read.index("Bea Hill")
        assert "Wrote that they want to begin." in read
        assert page.count('href="tel:+442079460018"') == 1
    clock.move(days=2)
    assert text_of(AtDesk(app, account=sara).get("/desk/tasks").text).count("Late since") == 2


def test_each_seller_sees_their_own_and_what_nobody_has(app: Flask, sara: Account, clock: Clock) -> None:
    ben = make_account("sales", name="Ben")
    hand_over(app, name="Ada Marsh")
    hand_over(app, name="Bea Hill")
    pages = {name: text_of(AtDesk(app, account=account).get("/desk/tasks").text)
             for name, account in (("Ada", sara), ("Bea", ben))}
    assert [("Ada Marsh" in page, "Bea Hill" in page) for page in pages.values()] == [(True, False), (False, True)]
    everybody = text_of(AtDesk(app, "owner").get("/desk/tasks?of=all").text)
    assert "Ada Marsh" in everybody
    assert "Bea Hill" in everybody


def test_a_lead_is_accepted_at_the_desk_and_the_act_is_in_the_log(app: Flask, sara: Account) -> None:
    handoff = hand_over(app)
    desk = AtDesk(app, account=sara)
    desk.post(f"/desk/leads/{handoff.lead_id}/hand-off/acceptance", handoff=str(handoff.id))
    desk.post(f"/desk/leads/{handoff.lead_id}/hand-off/acceptance", handoff=str(handoff.id))
    assert actions() == ["accepted a lead"]
    assert db.session.get_one(Lead, handoff.lead_id).stage == "sql"
    read = text_of(desk.get(f"/desk/leads/{handoff.lead_id}").text)
    assert "Sara Seller accepted the lead" in read


def test_a_hand_over_of_another_lead_is_not_answered(app: Flask, sara: Account) -> None:
    handoff, other = hand_over(app), make_lead()
    desk = AtDesk(app, account=sara)
    for typed in (str(handoff.id), "", "x", "9" * 40):
        desk.post(f"/desk/leads/{other.id}/hand-off/acceptance", handoff=typed)
    assert actions() == []
    assert db.session.get_one(Handoff, handoff.id).state == "open"


def test_a_lead_is_rejected_with_a_reason_and_one_that_was_accepted_given_back(app: Flask, sara: Account) -> None:
    handoff = hand_over(app)
    desk = AtDesk(app, account=sara)
    there = f"/desk/leads/{handoff.lead_id}"
    desk.post(f"{there}/hand-off/rejection", handoff=str(handoff.id))
    assert db.session.get_one(Handoff, handoff.id).state == "open"
    desk.post(f"{there}/hand-off/acceptance", handoff=str(handoff.id))
    desk.post(f"{there}/hand-off/rejection", handoff=str(handoff.id), reason="no-need", note="Wanted a job.")
    fresh = db.session.get_one(Handoff, handoff.id)
    assert (fresh.state, fresh.reason, fresh.note) == ("rejected", "no-need", "Wanted a job.")
    assert db.session.get_one(Lead, handoff.lead_id).stage == "iql"
    assert "rejected the lead" in text_of(desk.get(there).text)
    assert "Wanted a job." in text_of(desk.get(there).text)


def test_a_lead_is_given_on_by_hand_and_whoever_gets_it_is_told(app: Flask, sara: Account) -> None:
    ben = make_account("sales", email="ben@example.org")
    lead = make_lead()
    desk = AtDesk(app, account=sara)
    desk.post(f"/desk/leads/{lead.id}/owner", owner=str(ben.id))
    desk.post(f"/desk/leads/{lead.id}/owner", owner=str(make_account("marketer").id))
    assert db.session.get_one(Lead, lead.id).owner_id == ben.id
    assert [(message.step, message.account_id) for message in db.session.scalars(
        select(Message).where(Message.kind == "notice"))] == [("given", ben.id)]
    desk.post(f"/desk/leads/{lead.id}/owner", owner="")
    assert db.session.get_one(Lead, lead.id).owner_id is None


def test_notes_calls_and_meetings_are_facts_put_down_once(app: Flask, sara: Account, clock: Clock) -> None:
    handoff = hand_over(app)
    desk = AtDesk(app, account=sara)
    there = f"/desk/leads/{handoff.lead_id}"
    for _ in range(2):
        desk.post(f"{there}/activities", kind="note", once="n" * 22, text="Wants <b>three</b> flats.\nIn spring.")
        desk.post(f"{there}/activities", kind="call", once="c" * 22, outcome="spoke", text="Ring again.",
                  at="2026-03-02T11:30")
    rows = [(row.kind, row.outcome, row.text, row.at, row.actor)
            for row in db.session.scalars(select(Activity).order_by(Activity.id))]
    assert rows == [("note", "", "Wants <b>three</b> flats.\nIn spring.", NOON, "sara@example.org"),
                    ("call", "spoke", "Ring again.", NOON - timedelta(minutes=30), "sara@example.org")]
    page = desk.get(there).text
    assert "Wants &lt;b&gt;three&lt;/b&gt; flats." in page
    assert "Call : We spoke" in text_of(page)
    assert desk.post(f"{there}/activities", kind="note", once="short", text="x").status_code == 400
    desk.post(f"{there}/activities", kind="call", once="d" * 22, outcome="spoke", at="soon")
    assert "That is no date with a time." in text_of(desk.get(there).text)


def test_a_mail_is_sent_once_however_often_the_button_is_pressed(app: Flask, sara: Account) -> None:
    handoff = hand_over(app)
    desk = AtDesk(app, account=sara)
    for _ in range(3):
        desk.post(f"/desk/leads/{handoff.lead_id}/mails", once=ONCE, subject="Our talk", text="Shall we?")
    assert [message.values["subject"] for message in db.session.scalars(
        select(Message).where(Message.kind == "personal"))] == ["Our talk"]
    read = text_of(desk.get(f"/desk/leads/{handoff.lead_id}").text)
    assert "Mail of Sara Seller" in read
    assert "Our talk" in read


def test_whoever_left_is_shown_to_be_unwritable(app: Flask, sara: Account) -> None:
    lead = make_lead(unsubscribed_at=NOON)
    desk = AtDesk(app, account=sara)
    page = desk.get(f"/desk/leads/{lead.id}").text
    assert "This person may not be written to. The person left all marketing mail." in text_of(page)
    assert "/mails" not in page
    desk.post(f"/desk/leads/{lead.id}/mails", once=ONCE, subject="Hello", text="Hello")
    assert list(db.session.scalars(select(Message))) == []


def test_the_next_step_is_set_ticked_off_taken_back_and_put_off(app: Flask, sara: Account, clock: Clock) -> None:
    lead = make_lead(name="Ada Marsh", owner_id=sara.id)
    desk = AtDesk(app, account=sara)
    for _ in range(2):
        desk.post(f"/desk/leads/{lead.id}/tasks", once=ONCE, title="Call about the survey", due="2026-03-02T15:00",
                  owner=str(sara.id))
    (task,) = db.session.scalars(select(Task))
    assert (task.title, task.due_at, task.owner_id) == ("Call about the survey", NOON + timedelta(hours=3), sara.id)
    assert "Today Done: Call about the survey Call about the survey lead" in text_of(desk.get("/desk/tasks").text)
    desk.post(f"/desk/tasks/{task.id}/done", next="/desk/tasks")
    page = desk.get("/desk/tasks").text
    assert "Take it back" in page
    desk.post(f"/desk/tasks/{task.id}/undone", next="/desk/tasks")
    desk.post(f"/desk/tasks/{task.id}/time", next="/desk/tasks")
    fresh = db.session.get_one(Task, task.id, populate_existing=True)
    assert (fresh.done_at, fresh.due_at) == (None, NOON + timedelta(days=1, hours=-3))  # nine o'clock tomorrow
    assert actions() == ["set a task", "did a task", "took the tick of a task back", "put a task off"]


def test_a_task_reminds_once_each_time_it_is_due(app: Flask, sara: Account, clock: Clock) -> None:
    lead = make_lead(owner_id=sara.id)
    desk = AtDesk(app, account=sara)
    desk.post(f"/desk/leads/{lead.id}/tasks", once=ONCE, title="Call", due="2026-03-02T13:00")
    for _ in range(3):
        clock.move(hours=1)
        work(app)
    (task,) = db.session.scalars(select(Task))
    desk.post(f"/desk/tasks/{task.id}/time", due="2026-03-03T09:00")
    clock.move(days=1)
    work(app)
    reminders = [message.created_at for message in db.session.scalars(
        select(Message).where(Message.step == "reminder").order_by(Message.id))]
    assert reminders == [NOON + timedelta(hours=1), NOON + timedelta(days=1, hours=3)]


def test_what_is_ticked_off_in_time_reminds_nobody(app: Flask, sara: Account, clock: Clock) -> None:
    lead = make_lead(owner_id=sara.id)
    desk = AtDesk(app, account=sara)
    desk.post(f"/desk/leads/{lead.id}/tasks", once=ONCE, title="Call", due="2026-03-02T13:00")
    (task,) = db.session.scalars(select(Task))
    desk.post(f"/desk/tasks/{task.id}/done")
    clock.move(days=1)
    work(app)
    assert list(db.session.scalars(select(Message))) == []


def test_a_marketer_sees_the_hand_over_and_answers_nothing(app: Flask, sara: Account) -> None:
    handoff = hand_over(app)
    marketer = AtDesk(app, "marketer")
    page = marketer.get(f"/desk/leads/{handoff.lead_id}").text
    assert "Handed over to Sara Seller" in text_of(page)
    assert "hand-off/acceptance" not in page
    assert "/activities" not in page


def test_a_person_who_moves_the_lead_on_answers_its_hand_over(app: Flask, sara: Account) -> None:
    first, second = hand_over(app), hand_over(app)
    desk = AtDesk(app, account=sara)
    desk.post(f"/desk/leads/{first.lead_id}/stage", stage="sql", reason="They rang us.")
    desk.post(f"/desk/leads/{second.lead_id}/stage", stage="iql", reason="Mistaken.")
    work(app)
    db.session.rollback()
    states = [(row.state, row.way, row.actor) for row in db.session.scalars(select(Handoff).order_by(Handoff.id))]
    assert states == [("accepted", "stage", "sara@example.org"), ("withdrawn", "stage", "sara@example.org")]
