"""From hand-overs in the database to a prediction on each lead: without hindsight, and off until it can be trusted."""

from __future__ import annotations

from datetime import timedelta
from itertools import count as numbers
from random import Random
from threading import Thread

from flask import Flask

from factories import NOON, make_capture, make_lead
from handsel.db import db, writing
from handsel.leads.handoff.models import Handoff
from handsel.leads.models import Lead, Sale
from handsel.leads.quality.models import QualityModel
from handsel.leads.quality.predicting import learned_of, newest
from handsel.leads.quality.properties import PROPERTIES, row
from handsel.leads.quality.training import judged, outcomes
from handsel.leads.tracking.models import PageVisit
from handsel.offers.live import current
from handsel.worker.learning import learn_now
from handsel.worker.qualifying import qualify_now
from support import on_sqlite
from support.clock import Clock

DAY = timedelta(days=1)
_number = numbers(1)


def handed(lead_id: int, at: object, state: str, **more: object) -> Handoff:
    number = next(_number)
    return Handoff(key=f"hand{number}", once=f"test:{number}", lead_id=lead_id, at=at, stage="mql", state=state,
                   decided_at=None if state == "open" else at, **more)


def lead(job_title: str = "Manager", days_ago: int = 20) -> Lead:
    at = NOON - days_ago * DAY
    made = make_lead(captured_at=at, look_at=NOON)
    make_capture(made, at=at, proven_at=at, answers={"email": made.email, "job_title": job_title})
    return made


def crowd(number: int) -> list[Lead]:
    """Leads that were handed over: sales takes managers, mostly."""
    random = Random(7)
    made = []
    for _ in range(number):
        manager = random.random() < 0.5
        made.append(lead("Manager" if manager else "Student"))
        taken = random.random() < (0.85 if manager else 0.15)
        with writing() as session:
            session.add(handed(made[-1].id, NOON - 15 * DAY, "accepted" if taken else "rejected"))
    return made


def test_outcomes_are_what_sales_said_unless_a_sale_says_more(app: Flask, clock: Clock) -> None:
    accepted, rejected, waits, won, back = (lead() for _ in range(5))
    with writing() as session:
        session.add_all([
            handed(accepted.id, NOON - 9 * DAY, "accepted"), handed(rejected.id, NOON - 8 * DAY, "rejected"),
            handed(waits.id, NOON - 7 * DAY, "open"), handed(won.id, NOON - 6 * DAY, "open"),
            handed(back.id, NOON - 5 * DAY, "rejected"), handed(back.id, NOON - 2 * DAY, "accepted"),
            *(Sale(lead_id=who.id, at=NOON - DAY, cents=100, currency="EUR") for who in (won, back))])
    found = [(one.lead_id, (NOON - one.at) / DAY, one.accepted) for one in outcomes(db.session())]
    assert found == [(back.id, 2, True), (back.id, 5, False), (won.id, 6, True), (rejected.id, 8, False),
                     (accepted.id, 9, True)]


def test_a_lead_is_judged_by_what_was_known_when_it_was_handed_over(app: Flask, clock: Clock) -> None:
    who = lead("Nurse")
    with writing() as session:
        session.add(handed(who.id, NOON - 10 * DAY, "accepted"))
    scoring = current().rules.scoring
    before = [row(PROPERTIES, seen) for seen in judged(db.session(), scoring, outcomes(db.session()))]
    make_capture(who, at=NOON - 5 * DAY, answers={"email": who.email, "job_title": "Director", "phone": "12"})
    with writing() as session:
        session.add(PageVisit(lead_id=who.id, path="/pricing/", at=NOON - 10 * DAY + timedelta(minutes=1), offer=""))
        session.add(Sale(lead_id=who.id, at=NOON - DAY, cents=100, currency="EUR"))
        session.get_one(Lead, who.id).stage = "customer"
    qualify_now(app)
    after = [row(PROPERTIES, seen) for seen in judged(db.session(), scoring, outcomes(db.session()))]
    assert after == before


def test_it_is_off_and_says_what_is_missing_until_there_are_enough(app: Flask, clock: Clock) -> None:
    leads = crowd(20)
    assert learn_now(app)
    qualify_now(app)
    model = newest(db.session())
    assert model is not None
    assert (model.accepted + model.rejected, model.shown, model.learned) == (20, False, {})
    assert {db.session.get_one(Lead, one.id).quality for one in leads} == {None}


@on_sqlite
def test_with_enough_outcomes_each_lead_has_a_prediction(app: Flask, clock: Clock) -> None:
    crowd(160)
    new, other, claim, old = lead("Manager"), lead("Student"), make_lead(confirmed_at=None), lead("Manager", 400)
    make_capture(claim, at=NOON, proven_at=None, answers={"email": claim.email, "job_title": "Manager"})
    assert learn_now(app)
    assert not learn_now(app)
    qualify_now(app)
    model = newest(db.session())
    assert model is not None
    assert model.shown
    chance = {who.id: db.session.get_one(Lead, who.id).quality for who in (new, other, claim, old)}
    assert chance[new.id] > 700
    assert chance[other.id] < 300
    assert chance[claim.id] is None
    assert chance[old.id] is None
    figures = model.learned["figures"]
    assert figures["auc"] > 0.75
    assert figures["brier"] < figures["brier_of_guessing"]
    assert sum(group["number"] for group in figures["groups"]) == 160
    clock.set(NOON + 170 * DAY)
    qualify_now(app)
    assert db.session.get_one(Lead, new.id).quality is None  # nothing happened for half a year


@on_sqlite
def test_a_day_later_it_learns_anew_and_under_other_rules_at_once(app: Flask, clock: Clock, project) -> None:
    crowd(5)
    assert learn_now(app)
    clock.move(hours=23)
    assert not learn_now(app)
    clock.move(hours=1)
    assert learn_now(app)
    assert not learn_now(app)
    (project / "content" / "_scoring.yml").write_text(
        "interest: {rules: {Came: {on: {visited: true}, points: 3}}}\n")
    app.extensions["handsel.offers"].refresh()
    assert learned_of(newest(db.session()), current().rules.scoring) is None
    assert learn_now(app)
    assert db.session.query(QualityModel).count() == 3


def test_two_workers_at_once_keep_one_model(app: Flask, clock: Clock) -> None:
    crowd(3)
    learned = []

    def work() -> None:
        with app.app_context():
            learned.append(learn_now(app))
            db.session.remove()

    workers = [Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(learned) == [False, True]
    assert db.session.query(QualityModel).count() == 1
