"""The clock to first contact: when somebody is told that nobody called, and what stops it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from factories import make_account
from handsel.accounts.audit import Actor
from handsel.db import db, writing
from handsel.errors import HandselError
from handsel.leads.handoff import activities
from handsel.leads.handoff.activities import Entry
from handsel.leads.handoff.models import Activity, Handoff
from handsel.leads.models import Lead, LeadFact
from handsel.mail.models import Message
from support.clock import Clock
from support.handoff import hand_over, london, work, write_rules

SARA = Actor("sara@example.org")


def told(step: str = "late") -> list[tuple[str, datetime]]:
    """Who was told, and when."""
    from handsel.accounts.models import Account

    db.session.rollback()
    return [(db.session.get_one(Account, message.account_id or 0).email, message.created_at)
            for message in db.session.scalars(select(Message).where(Message.step == step).order_by(Message.id))]


def at_work(project: Path, make_app: Callable[..., Flask], rules: str) -> Flask:
    write_rules(project, "hours: {timezone: Europe/London, weekdays: 09:00-17:00}\n" + rules)
    return make_app()


@pytest.mark.parametrize(("handed", "due"), [
    ("2026-03-02 12:00", "2026-03-02 16:00"),
    ("2026-03-06 16:00", "2026-03-09 12:00"),  # over a weekend
    ("2026-03-27 16:00", "2026-03-30 12:00"),  # over the night in which the clocks go forward
    ("2026-10-23 16:00", "2026-10-26 12:00"),  # and back
    ("2026-03-07 23:30", "2026-03-09 13:00"),  # in the middle of a weekend
])
def test_owners_hear_of_a_lead_that_nobody_called_when_its_working_hours_are_over_and_not_a_second_before(
        project: Path, make_app: Callable[..., Flask], clock: Clock, handed: str, due: str) -> None:
    app = at_work(project, make_app, "first_contact: 4 hours")
    with app.app_context():
        clock.set(london(handed))
        make_account("owner", email="boss@example.org")
        make_account("sales", email="sara@example.org")
        handoff = hand_over(app)
        assert handoff.due_at == london(due)
        clock.set(london(due))
        clock.move(seconds=-1)
        work(app)
        assert told() == []
        clock.move(seconds=1)
        work(app)
        assert told() == [("boss@example.org", london(due)), ("sara@example.org", london(due))]
        fresh = db.session.get_one(Handoff, handoff.id)
        assert (fresh.escalations, fresh.escalated_at) == (1, london(due))


def test_it_is_told_again_after_so_much_working_time_and_five_times_at_most(
        project: Path, make_app: Callable[..., Flask], clock: Clock) -> None:
    app = at_work(project, make_app, "first_contact: 4 hours\nescalation: {to: boss@example.org, again_after: 8 hours}")
    with app.app_context():
        clock.set(london("2026-03-05 10:00"))
        make_account("sales", email="boss@example.org")
        make_account("sales", email="sara@example.org", active=False)
        hand_over(app)
        for _ in range(30 * 24):
            clock.move(hours=1)
            work(app)
        times = ("2026-03-05 14:00", "2026-03-06 14:00", "2026-03-09 14:00", "2026-03-10 14:00", "2026-03-11 14:00")
        assert [at for _, at in told()] == [london(text) for text in times]


def test_without_again_it_is_told_once(project: Path, make_app: Callable[..., Flask], clock: Clock) -> None:
    app = at_work(project, make_app, "first_contact: 1 hour\nescalation: {to: owners}")
    with app.app_context():
        make_account("owner", email="boss@example.org")
        make_account("sales")
        hand_over(app)
        for _ in range(20):
            clock.move(days=1)
            work(app)
        assert len(told()) == 2  # the owner and the seller


@pytest.mark.parametrize(("kind", "outcome", "stops"), [
    ("call", "spoke", True), ("call", "message", True), ("call", "no-answer", False), ("meeting", "held", True),
    ("meeting", "no-show", False), ("note", "", False)])
def test_what_stops_the_clock(app: Flask, clock: Clock, kind: str, outcome: str, stops: bool) -> None:
    make_account("owner")
    make_account("sales")
    handoff = hand_over(app)
    clock.move(hours=1)
    with writing() as session:
        activities.put_down(session, session.get_one(Lead, handoff.lead_id),
                            Entry(kind, "x" * 22, "We talked.", outcome), actor=SARA, at=clock.now)
    clock.move(days=3)
    work(app)
    fresh = db.session.get_one(Handoff, handoff.id)
    assert (fresh.contact_at is not None, told() == []) == (stops, stops)


def test_a_call_of_before_the_hand_over_does_not_stop_its_clock(app: Flask, clock: Clock) -> None:
    make_account("sales")
    handoff = hand_over(app)
    with writing() as session:
        activities.put_down(session, session.get_one(Lead, handoff.lead_id),
                            Entry("call", "x" * 22, "", "spoke", at=london("2026-03-01 10:00")), actor=SARA,
                            at=clock.now)
    assert db.session.get_one(Handoff, handoff.id).contact_at is None


def test_a_call_is_a_fact_for_rules_and_one_that_nobody_took_is_none(app: Flask, clock: Clock) -> None:
    make_account("sales")
    handoff = hand_over(app)
    with writing() as session:
        lead = session.get_one(Lead, handoff.lead_id)
        for number, outcome in enumerate(("spoke", "no-answer")):
            activities.put_down(session, lead, Entry("call", f"{number}" * 22, "", outcome), actor=SARA, at=clock.now)
    work(app)
    facts = [(fact.kind, fact.ref) for fact in db.session.scalars(
        select(LeadFact).where(LeadFact.lead_id == handoff.lead_id, LeadFact.kind == "called"))]
    first = db.session.scalars(select(Activity).order_by(Activity.id)).first()
    assert first is not None
    assert facts == [("called", f"activity:{first.id}")]


def test_what_says_nothing_or_lies_ahead_is_not_put_down(app: Flask, clock: Clock) -> None:
    handoff = hand_over(app)
    for entry, words in ((Entry("note", "a" * 22, "  "), "The note is empty."),
                         (Entry("call", "b" * 22), "Say what came of it."),
                         (Entry("lunch", "c" * 22), "That is nothing that can be put down."),
                         (Entry("call", "d" * 22, "", "spoke", at=london("2026-03-03 10:00")), "That is yet to come.")):
        with pytest.raises(HandselError, match=words), writing() as session:
            activities.put_down(session, session.get_one(Lead, handoff.lead_id), entry, actor=SARA, at=clock.now)
    assert list(db.session.scalars(select(Activity))) == []
