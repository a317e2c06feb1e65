"""Goals beyond the form: a proven mailbox, an MQL, an SQL that a seller accepted, and money."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import select

from handsel import clock as handsel_clock
from handsel.accounts.audit import Actor
from handsel.cli import group
from handsel.db import db, writing
from handsel.errors import HandselError
from handsel.experiments.models import Arm, Conversion
from handsel.leads import goals
from handsel.leads.confirm import prove
from handsel.leads.consents import Way
from handsel.leads.models import Capture, Lead, Sale
from handsel.leads.stages.models import StageChange
from handsel.worker.qualifying import qualify_now
from support.clock import Clock
from support.desk import AtDesk
from support.funnel import make_ticket, make_visit, take
from support.trial import count, numbers, start

ANN = Actor("ann@example.org")


def come(app: Flask, number: int, variant: str, mail: str) -> int:
    """One visitor who sends the form; the number of their lead."""
    seen = make_visit(f"10.0.{number}.1")
    key = take(app, mail, seen=seen, ticket=make_ticket(seen, variant=variant)).key
    db.session.rollback()
    return db.session.scalars(select(Capture.lead_id).where(Capture.key == key)).one()


def confirm(app: Flask, lead_id: int) -> None:
    with writing() as session:
        capture = session.scalars(select(Capture).where(Capture.lead_id == lead_id)).one()
        prove(session, capture, Way("download"), handsel_clock.now())
    qualify_now(app)


def let_the_guide_make(project: Path, app: Flask, stage: str) -> None:
    """The sample's e-book makes leads of that stage from now on."""
    file = project / "offers/guide/offer.md"
    file.write_text(file.read_text().replace("stage: iql", f"stage: {stage}"))
    app.extensions["handsel.offers"].refresh()


def decide(lead_id: int, stage: str, reason: str = "") -> None:
    with writing() as session:
        goals.decide(session, lead_id, stage, reason, actor=ANN, at=handsel_clock.now())


def sell(lead_id: int, amount: str) -> None:
    with writing() as session:
        goals.sell(session, lead_id, Decimal(amount), "EUR", actor=ANN, at=handsel_clock.now())


def test_a_proven_mailbox_reaches_confirmed_and_mql_where_the_offer_says_so(
        project: Path, app: Flask, clock: Clock) -> None:
    let_the_guide_make(project, app, "sql")
    start(app, clock, goal="confirmed")
    lead_id = come(app, 1, "b", "ann@example.org")
    come(app, 2, "b", "bob@example.org")
    count()
    assert numbers() == {"a": (0, 0), "b": (2, 0)}
    clock.move(hours=1)
    confirm(app, lead_id)
    count()
    assert numbers() == {"a": (0, 0), "b": (2, 1)}
    assert set(db.session.scalars(select(Conversion.goal).where(Conversion.capture_id.is_not(None)))) == {
        "capture", "confirmed", "mql"}


def test_an_sql_is_what_a_seller_accepts(project: Path, app: Flask, clock: Clock) -> None:
    let_the_guide_make(project, app, "sql")
    start(app, clock, goal="sql")
    lead_id, other = come(app, 1, "b", "ann@example.org"), come(app, 2, "a", "bob@example.org")
    confirm(app, lead_id)
    count()
    assert numbers() == {"a": (1, 0), "b": (1, 0)}
    clock.move(hours=1)
    decide(lead_id, "sql", "Asked for a visit")
    decide(other, "mql")
    count()
    assert numbers() == {"a": (1, 0), "b": (1, 1)}
    by_rule, told = db.session.scalars(
        select(StageChange).where(StageChange.lead_id == lead_id).order_by(StageChange.id)).all()
    assert (by_rule.was, by_rule.stage, by_rule.way, by_rule.rule, by_rule.hands_over) == (
        "iql", "mql", "rule", "offer:guide", True)
    assert (told.was, told.stage, told.way, told.reason, told.actor) == (
        "mql", "sql", "person", "Asked for a visit", "ann@example.org")
    assert db.session.get_one(Lead, lead_id).stage == "sql"


def test_a_sale_is_worth_its_amount_up_to_the_plans_cap_and_the_first_one_counts(app: Flask, clock: Clock) -> None:
    plan = {"baseline": 0.03, "mde": 0.2, "alpha": 0.05, "power": 0.8, "value_cap": 500.0}
    start(app, clock, goal="value", plan=plan)
    one, two, three = (come(app, number, "b", f"p{number}@example.org") for number in range(3))
    clock.move(days=1)
    sell(one, "120.50")
    sell(one, "300")
    sell(two, "9000")
    count()
    with db.engine.connect() as connection:
        (arm,) = connection.execute(select(*Arm.__table__.columns)).all()
    assert (arm.visitors, arm.conversions, arm.total, arm.squares) == (3, 2, 620.5, 120.5 ** 2 + 500 ** 2)
    assert db.session.scalars(select(Sale.cents).where(Sale.lead_id == one).order_by(Sale.id)).all() == [12050, 30000]
    assert (db.session.get_one(Lead, one).stage, db.session.get_one(Lead, three).stage) == ("customer", "iql")


def test_of_each_offer_the_last_capture_of_a_lead_counts(app: Flask, clock: Clock) -> None:
    start(app, clock, goal="sql")
    come(app, 1, "a", "ann@example.org")
    clock.move(hours=1)
    lead_id = come(app, 2, "b", "ann@example.org")
    decide(lead_id, "sql")
    count()
    assert numbers() == {"a": (1, 0), "b": (1, 1)}


@pytest.mark.parametrize(("typed", "amount"), [("249.9", "249.90"), (" 1 200,50 ", "1200.50"), ("0.005", "0.01")])
def test_amounts_are_read_as_people_write_them(typed: str, amount: str) -> None:
    assert str(goals.money(typed)) == amount


@pytest.mark.parametrize("typed", ["", "0", "-5", "1e12", "nan", "Infinity", "12 EUR", "1,200.50"])
def test_what_is_no_amount_is_refused(typed: str) -> None:
    with pytest.raises(HandselError) as error:
        goals.money(typed)
    assert error.value.do == "Write a number of more than 0, such as 249.90."


def test_sellers_set_the_stage_and_put_down_sales_on_the_leads_page(app: Flask) -> None:
    lead_id = come(app, 1, "b", "ann@example.org")
    seller = AtDesk(app, "sales")
    assert seller.post(f"/desk/leads/{lead_id}/stage", stage="sql", reason="Has a budget").status_code == 303
    assert seller.post(f"/desk/leads/{lead_id}/sales", amount="99").status_code == 303
    page = seller.get(f"/desk/leads/{lead_id}").text
    assert "set the stage to sql" in page
    assert "Has a budget" in page
    assert "put down a sale: 99.00 GBP" in page
    seller.post(f"/desk/leads/{lead_id}/sales", amount="lots")
    assert "That is not an amount." in seller.get(f"/desk/leads/{lead_id}").text
    marketer = AtDesk(app, "marketer")
    assert marketer.post(f"/desk/leads/{lead_id}/sales", amount="99").status_code == 403
    assert "Put it down" not in marketer.get(f"/desk/leads/{lead_id}").text


def test_the_command_line_sets_stages_and_puts_down_sales(project: Path, app: Flask, engine_url: str) -> None:
    lead_id = come(app, 1, "b", "ann@example.org")
    settings = {"HANDSEL_DATABASE_URL": engine_url}
    ask = ["--project", str(project), "leads"]
    said = CliRunner().invoke(group, [*ask, "stage", "ann@example.org", "sql", "--reason", "Called"], env=settings)
    assert (said.exit_code, said.output) == (0, "ann@example.org is at the stage sql.\n")
    said = CliRunner().invoke(group, [*ask, "sale", "ann@example.org", "--amount", "250"], env=settings)
    assert (said.exit_code, said.output) == (0, "ann@example.org brought 250.00 GBP.\n")
    wrong = CliRunner().invoke(group, [*ask, "stage", "ann@example.org", "hot"], env=settings)
    assert (wrong.exit_code, "There is no stage 'hot'." in wrong.output) == (1, True)
    told = CliRunner().invoke(group, [*ask, "show", "ann@example.org"], env=settings).output
    assert "stage sql by command line: Called" in told
    assert "sale of 250.00 GBP" in told
    db.session.rollback()
    assert db.session.get_one(Lead, lead_id).stage == "customer"
