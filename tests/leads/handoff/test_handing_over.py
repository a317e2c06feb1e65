"""Who is handed over to whom, and that it happens once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flask import Flask
from sqlalchemy import select

from factories import NOON, make_account, make_capture, make_lead, make_message
from handsel import clock as handsel_clock
from handsel.accounts.audit import Actor
from handsel.accounts.models import Account
from handsel.db import db, write_connection, writing
from handsel.leads.handoff import ending, worklist
from handsel.leads.handoff.models import Assignment, Handoff, Task
from handsel.leads.handoff.owners import assign, strangers
from handsel.leads.models import Lead
from handsel.leads.qualify.looking import ask
from handsel.leads.stages.moving import move
from handsel.mail import queue
from handsel.mail.models import Message
from handsel.mail.queue import PARKED
from handsel.worker.qualifying import qualify_now
from support.clock import Clock
from support.handoff import MARKETER, hand_over, handoffs, work, write_rules


def alerts(account: Account | None = None) -> list[Message]:
    db.session.rollback()
    query = select(Message).where(Message.kind == "notice").order_by(Message.id)
    return list(db.session.scalars(query.where(Message.account_id == account.id) if account else query))


def test_a_lead_that_becomes_ready_is_handed_over_and_its_owner_told_in_the_same_moment(
        app: Flask, clock: Clock) -> None:
    sara = make_account("sales", name="Sara Seller")
    handoff = hand_over(app)
    lead = db.session.get_one(Lead, handoff.lead_id)
    assert (handoff.state, handoff.stage, handoff.offer, handoff.owner_id) == ("open", "mql", "guide", sara.id)
    assert lead.owner_id == sara.id
    assert handoff.due_at == datetime(2026, 3, 3, 12, 0, tzinfo=UTC)  # eight working hours after Monday noon
    assert [(message.step, message.values["handoff"], message.state) for message in alerts(sara)] == [
        ("hand-off", handoff.id, "queued")]
    assert handoff.context["why"] == [{"words": "Wrote that they want to begin."}]
    assert [(row["kind"], row["name"]) for row in handoff.context["did"]] == [("asked", "guide")]


def test_looking_again_and_again_hands_nobody_over_twice(app: Flask, clock: Clock) -> None:
    sara = make_account("sales")
    handoff = hand_over(app)
    for _ in range(5):
        with writing() as session:
            ask(session, handoff.lead_id, handsel_clock.now())
        work(app)
        clock.move(minutes=1)
    assert len(handoffs(db.session.get_one(Lead, handoff.lead_id))) == 1
    assert len(alerts(sara)) == 1


def test_an_offer_that_asks_for_sales_hands_over_at_once(app: Flask, clock: Clock) -> None:
    make_account("sales")
    lead = make_lead()
    make_capture(lead, offer="demo", page="/offers/demo/")
    with writing() as session:
        ask(session, lead.id, NOON)
    work(app)
    (handoff,) = handoffs(lead)
    assert (handoff.stage, handoff.offer, db.session.get_one(Lead, lead.id).stage) == ("sql", "demo", "mql")


def test_a_claim_that_nobody_proved_is_not_handed_over(app: Flask, clock: Clock) -> None:
    make_account("sales")
    lead = make_lead(confirmed_at=None)
    make_capture(lead, offer="demo", proven_at=None)
    with writing() as session:
        ask(session, lead.id, NOON)
    work(app)
    assert handoffs(lead) == []
    assert alerts() == []


def test_sellers_take_turns_evenly(app: Flask, clock: Clock) -> None:
    sellers = [make_account("sales") for _ in range(3)]
    for _ in range(9):
        hand_over(app)
        clock.move(minutes=1)
    owners = list(db.session.scalars(select(Handoff.owner_id).order_by(Handoff.id)))
    assert owners[:3] == owners[3:6] == owners[6:]
    assert Counter(owners) == {seller.id: 3 for seller in sellers}


def test_the_first_rule_that_fits_chooses_and_a_rule_named_for_nobody_is_passed_over(
        project: Path, make_app: Callable[..., Flask], clock: Clock) -> None:
    write_rules(project, """
owners:
  - {name: Schools, when: {company: {contains: school}}, to: [gone@example.org, ben@example.org]}
  - {name: Abroad, when: {not: {country: [GB, IE]}}, to: nobody@example.org}
  - {name: All others, to: [sara@example.org]}
""")
    app = make_app()
    with app.app_context():
        assert app.extensions["handsel.offers"].project.faults == ()
        sara, ben = make_account("sales", email="sara@example.org"), make_account("sales", email="ben@example.org")
        make_account("sales", email="gone@example.org", active=False)
        assert hand_over(app, company="Hill School").owner_id == ben.id
        assert hand_over(app, company="Marsh", country="GB").owner_id == sara.id
        handoff = hand_over(app, company="Marsh", country="FR")
        assert (handoff.owner_id, handoff.rule) == (sara.id, "All others")


def test_who_is_away_gets_nothing_unless_everybody_is(
        project: Path, make_app: Callable[..., Flask], clock: Clock) -> None:
    write_rules(project, """
owners: [{name: Turn, to: [sara@example.org, ben@example.org]}]
away:
  sara@example.org: [2026-03-02]
  Ben@Example.org: [2026-03-03..2026-03-04]
""")
    app = make_app()
    with app.app_context():
        sara, ben = make_account("sales", email="sara@example.org"), make_account("sales", email="ben@example.org")
        assert [hand_over(app).owner_id for _ in range(2)] == [ben.id, ben.id]
        clock.move(days=1)
        assert [hand_over(app).owner_id for _ in range(2)] == [sara.id, sara.id]


def test_without_anybody_at_the_desk_a_lead_is_handed_over_to_nobody_and_keeps_its_letters(
        app: Flask, clock: Clock) -> None:
    lead = make_lead()
    letter = make_message(lead, due_at=NOON + timedelta(days=2))
    handoff = hand_over(app, lead)
    assert (handoff.state, handoff.owner_id, alerts()) == ("open", None, [])
    assert db.session.get_one(Message, letter.id).due_at == NOON + timedelta(days=2)


def test_letters_wait_while_sales_has_the_lead(app: Flask, clock: Clock) -> None:
    make_account("sales")
    lead = make_lead()
    letter = make_message(lead, due_at=NOON + timedelta(days=2))
    hand_over(app, lead)
    assert db.session.get_one(Message, letter.id).due_at == PARKED
    with write_connection() as connection:  # they are no letters whose moment may have passed
        assert (queue.held(connection), queue.release(connection, NOON)) == (0, 0)
        queue.wake(connection, lead.id, NOON + timedelta(days=3))
        queue.shift(connection, lead.id, timedelta(days=3))
    db.session.rollback()
    assert db.session.get_one(Message, letter.id).due_at == PARKED


def test_whoever_sales_works_with_and_asks_again_is_a_call_to_make_and_no_new_lead(app: Flask, clock: Clock) -> None:
    sara = make_account("sales")
    lead = make_lead(stage="sql", owner_id=sara.id)
    with writing() as session:
        move(session, session.get_one(Lead, lead.id), "sql", way="rule", rule="offer:demo", hands_over=True,
             at=NOON)
        ask(session, lead.id, NOON)
    work(app)
    assert handoffs(lead) == []
    (task,) = db.session.scalars(select(Task))
    assert (task.lead_id, task.owner_id, task.title) == (lead.id, sara.id, "Get in touch: They asked for sales again")


def test_giving_a_lead_to_somebody_by_hand_takes_the_open_hand_over_along(app: Flask, clock: Clock) -> None:
    sara, ben = make_account("sales"), make_account("sales")
    handoff = hand_over(app)
    assert handoff.owner_id == sara.id
    with writing() as session:
        assign(session, session.get_one(Lead, handoff.lead_id), ben.id, actor=MARKETER, at=NOON)
    db.session.rollback()
    assert db.session.get_one(Handoff, handoff.id).owner_id == ben.id
    assert [(message.step, message.values["by"]) for message in alerts(ben)] == [("hand-off", "mara@example.org")]
    assert [row.owner_id for row in db.session.scalars(select(Assignment).order_by(Assignment.id))] == [sara.id, ben.id]


def test_old_changes_of_stage_are_left_alone_when_the_rules_change(
        project: Path, make_app: Callable[..., Flask], clock: Clock) -> None:
    write_rules(project, "stages: [pql]")
    app = make_app()
    with app.app_context():
        make_account("sales")
        lead = make_lead()
        with writing() as session:
            move(session, session.get_one(Lead, lead.id), "mql", way="person", at=NOON, actor=MARKETER)
        work(app)
        clock.move(days=8)
        write_rules(project, "stages: [mql, pql]")
        app.extensions["handsel.offers"].refresh()
        with writing() as session:
            ask(session, lead.id, handsel_clock.now())
        qualify_now(app)
        assert handoffs(lead) == []


def test_a_merged_mailbox_takes_its_open_hand_over_along(app: Flask, clock: Clock) -> None:
    sara = make_account("sales", name="Sara")
    handoff = hand_over(app)
    head = make_lead(name="Ada at home")
    make_capture(head, answers={"email": head.email, "name": "Ada at home"})
    with writing() as session:
        session.get_one(Lead, handoff.lead_id).merged_into_id = head.id
        move(session, session.get_one(Lead, head.id), "mql", way="person", reason="Ready.", actor=MARKETER, at=NOON)
        ask(session, head.id, NOON)
    work(app)
    assert handoffs(head) == []  # one person is handed over once
    (call,) = worklist.calls(db.session(), app.extensions["handsel.offers"].project, sara.id)
    assert (call.lead.id, call.handoff.id) == (head.id, handoff.id)
    with writing() as session:
        ending.accept(session, handoff.id, actor=Actor(sara.email, sara.id), at=NOON, way="desk")
    db.session.rollback()
    assert (db.session.get_one(Lead, head.id).stage, db.session.get_one(Lead, head.id).owner_id) == ("sql", sara.id)


def test_a_sale_ends_the_clock(app: Flask, clock: Clock) -> None:
    make_account("sales")
    handoff = hand_over(app)
    with writing() as session:
        move(session, session.get_one(Lead, handoff.lead_id), "customer", way="sale", actor=MARKETER, at=NOON)
        ask(session, handoff.lead_id, NOON)
    work(app)
    clock.move(days=5)
    work(app)
    fresh = db.session.get_one(Handoff, handoff.id)
    assert (fresh.state, fresh.ended_at, fresh.escalations) == ("accepted", NOON, 0)


def test_whoever_puts_a_lead_back_to_an_earlier_stage_hands_it_over_to_nobody(app: Flask, clock: Clock) -> None:
    make_account("sales")
    lead = make_lead(stage="sql")
    with writing() as session:
        move(session, session.get_one(Lead, lead.id), "mql", way="person", reason="Not yet.", actor=MARKETER, at=NOON)
        ask(session, lead.id, NOON)
    work(app)
    assert handoffs(lead) == []


def test_addresses_in_the_rules_that_nobody_has_are_named(project: Path, make_app: Callable[..., Flask],
                                                          clock: Clock) -> None:
    write_rules(project, """
owners: [{name: Turn, to: [Sara@example.org, ghost@example.org]}]
escalation: {to: boss@example.org}
""")
    app = make_app()
    with app.app_context():
        make_account("sales", email="sara@example.org")
        make_account("marketer", email="boss@example.org")
        rules = app.extensions["handsel.offers"].project.rules.handoff
        assert strangers(db.session(), rules) == ["boss@example.org", "ghost@example.org"]
