"""The two links of an alert: looking decides nothing, a press decides once, and what a rejection sets going."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from factories import NOON, make_account, make_lead, make_message
from handsel.accounts.models import Account, AuditEntry
from handsel.db import db, writing
from handsel.leads.handoff import links
from handsel.leads.handoff.links import Link
from handsel.leads.handoff.models import Handoff
from handsel.leads.handoff.owners import assign
from handsel.leads.models import Lead
from handsel.leads.stages.models import StageChange
from handsel.mail.models import Message
from support.clock import Clock
from support.desk import contents
from support.handoff import MARKETER, hand_over, press_of, work


def link(app: Flask, handoff: Handoff, answer: Any = "accept", account_id: int | None = None) -> str:
    """The path of a link as the alert carries it."""
    mine = account_id or handoff.owner_id
    assert mine is not None
    return "/hand-off/" + links.mint(app.config["SECRET_KEY"],
                                     Link(handoff.key, mine, answer, handoff.at + timedelta(days=7)))


def press(client: FlaskClient, path: str, **fields: str) -> Any:
    return client.post(path, data={"press": press_of(client.get(path).text)} | fields)


def state(handoff: Handoff) -> tuple[str, str, str]:
    db.session.rollback()
    fresh = db.session.get_one(Handoff, handoff.id)
    return fresh.state, fresh.actor, fresh.way


@pytest.fixture
def sara(app: Flask, clock: Clock) -> Account:
    return make_account("sales", email="sara@example.org", name="Sara Seller")


def test_accepting_makes_the_lead_an_sql_of_whoever_pressed(app: Flask, sara: Account, client: FlaskClient) -> None:
    handoff = hand_over(app)
    page = client.get(link(app, handoff))
    assert "Ada Marsh (Marsh &amp; Sons)" in page.text
    assert "Wrote that they want to begin." in page.text
    answer = press(client, link(app, handoff))
    assert (answer.status_code, answer.headers["Location"]) == (303, link(app, handoff))
    assert state(handoff) == ("accepted", "sara@example.org", "mail")
    lead = db.session.get_one(Lead, handoff.lead_id)
    assert (lead.stage, lead.owner_id) == ("sql", sara.id)
    change = db.session.scalars(select(StageChange).order_by(StageChange.id.desc())).first()
    assert change is not None
    assert (change.was, change.stage, change.way, change.actor) == ("mql", "sql", "accepted", "sara@example.org")
    assert "This lead is yours" in client.get(link(app, handoff)).text
    assert 'href="tel:+442079460018"' in client.get(link(app, handoff)).text


def test_looking_at_the_links_decides_nothing_whoever_looks(app: Flask, sara: Account, client: FlaskClient) -> None:
    handoff = hand_over(app)
    before = contents()
    for answer in ("accept", "reject"):
        for method in ("GET", "HEAD", "OPTIONS"):
            assert client.open(link(app, handoff, answer), method=method).status_code == 200
    assert contents() == before


@pytest.mark.parametrize("mark", ["", "1.x", "99999999999.aaaaaaaaaaaaaaaaaaaaaa", "é.é"])
def test_a_post_that_did_not_come_from_the_page_decides_nothing(app: Flask, sara: Account, client: FlaskClient,
                                                                mark: str) -> None:
    handoff = hand_over(app)
    answer = client.post(link(app, handoff), data={"press": mark})
    assert answer.status_code == 422
    assert state(handoff)[0] == "open"


def test_the_page_of_one_link_presses_no_other(app: Flask, sara: Account, client: FlaskClient) -> None:
    handoff = hand_over(app)
    mark = press_of(client.get(link(app, handoff, "accept")).text)
    assert client.post(link(app, handoff, "reject"), data={"press": mark, "reason": "no-budget"}).status_code == 422
    assert state(handoff)[0] == "open"


def test_a_second_press_tells_who_decided_and_changes_nothing(app: Flask, sara: Account, client: FlaskClient,
                                                              clock: Clock) -> None:
    handoff = hand_over(app)
    accepting, rejecting = link(app, handoff), link(app, handoff, "reject")
    late = press_of(client.get(rejecting).text)
    press(client, accepting)
    before = contents()
    clock.move(minutes=5)
    answer = client.post(rejecting, data={"press": late, "reason": "no-budget"}, follow_redirects=True)
    assert "You accepted Ada Marsh (Marsh &amp; Sons) at 12:00." in answer.text
    assert contents() == before


def test_two_presses_at_once_decide_once(app: Flask, sara: Account) -> None:
    handoff = hand_over(app)
    client = app.test_client()
    paths = [link(app, handoff, "accept"), link(app, handoff, "reject")] * 4
    marks = [press_of(client.get(path).text) for path in paths]
    together = threading.Barrier(len(paths))

    def act(path: str, mark: str) -> None:
        together.wait()
        app.test_client().post(path, data={"press": mark, "reason": "no-need"})

    threads = [threading.Thread(target=act, args=pair) for pair in zip(paths, marks, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    decided, _, _ = state(handoff)
    assert decided in {"accepted", "rejected"}
    entries = [entry.action for entry in db.session.scalars(select(AuditEntry))
               if entry.action in {"accepted a lead", "rejected a lead"}]
    assert entries == [f"{decided} a lead"]
    assert db.session.get_one(Lead, handoff.lead_id).stage == {"accepted": "sql", "rejected": "iql"}[decided]


def test_rejecting_needs_a_reason_that_there_is(app: Flask, sara: Account, client: FlaskClient) -> None:
    handoff = hand_over(app)
    for reason in ("", "because"):
        answer = press(client, link(app, handoff, "reject"), reason=reason)
        assert answer.status_code == 422
        assert "Say why you reject the lead." in answer.text
    assert state(handoff)[0] == "open"


def test_a_rejected_lead_goes_back_to_nurture_with_the_reason(app: Flask, sara: Account, client: FlaskClient) -> None:
    handoff = hand_over(app)
    press(client, link(app, handoff, "reject"), reason="no-budget", note=" Next year, perhaps. ")
    db.session.rollback()
    lead, fresh = db.session.get_one(Lead, handoff.lead_id), db.session.get_one(Handoff, handoff.id)
    assert (lead.stage, lead.owner_id) == ("iql", None)
    assert (fresh.state, fresh.reason, fresh.note, fresh.offer) == (
        "rejected", "no-budget", "Next year, perhaps.", "guide")
    change = db.session.scalars(select(StageChange).order_by(StageChange.id.desc())).first()
    assert change is not None
    assert (change.way, change.reason) == ("rejected", "They have no budget for it: Next year, perhaps.")
    work(app)  # the rules do not hand it over again by what they knew
    assert len(list(db.session.scalars(select(Handoff)))) == 1
    assert "You rejected this lead at 12:00: They have no budget for it." in client.get(link(app, handoff)).text


def test_letters_go_on_after_a_rejection_with_the_same_days_between(app: Flask, sara: Account, client: FlaskClient,
                                                                    clock: Clock) -> None:
    lead = make_lead()
    first = make_message(lead, due_at=NOON + timedelta(days=1))
    second = make_message(lead, due_at=NOON + timedelta(days=4), step="02-second")
    handoff = hand_over(app, lead)
    clock.move(days=3)
    press(client, link(app, handoff, "reject"), reason="too-early")
    db.session.rollback()
    due = [db.session.get_one(Message, message.id).due_at for message in (first, second)]
    assert due == [NOON + timedelta(days=4), NOON + timedelta(days=7)]


def test_letters_stay_back_after_acceptance_and_go_on_when_the_lead_is_put_back(
        app: Flask, sara: Account, client: FlaskClient, clock: Clock) -> None:
    from handsel.leads.stages.moving import move

    lead = make_lead()
    letter = make_message(lead, due_at=NOON + timedelta(days=1))
    handoff = hand_over(app, lead)
    press(client, link(app, handoff))
    clock.move(days=10)
    work(app)
    assert db.session.get_one(Message, letter.id).due_at.year == 9500
    with writing() as session:
        move(session, session.get_one(Lead, lead.id), "iql", way="person", reason="Gone quiet.", actor=MARKETER,
             at=clock.now)
    work(app)
    assert db.session.get_one(Message, letter.id).due_at == NOON + timedelta(days=11)
    assert db.session.get_one(Handoff, handoff.id).ended_at == clock.now


def test_a_link_runs_out(app: Flask, sara: Account, client: FlaskClient, clock: Clock) -> None:
    handoff = hand_over(app)
    mark = press_of(client.get(link(app, handoff)).text)
    clock.move(days=7)
    page = client.get(link(app, handoff))
    assert "This link has run out" in page.text
    assert "Ada Marsh" not in page.text
    client.post(link(app, handoff), data={"press": mark})
    assert state(handoff)[0] == "open"


def test_a_page_that_stood_open_for_hours_asks_to_be_pressed_again(app: Flask, sara: Account, client: FlaskClient,
                                                                   clock: Clock) -> None:
    handoff = hand_over(app)
    mark = press_of(client.get(link(app, handoff)).text)
    clock.move(hours=3)
    answer = client.post(link(app, handoff), data={"press": mark})
    assert (answer.status_code, "Press the button once more." in answer.text) == (422, True)
    assert client.post(link(app, handoff), data={"press": press_of(answer.text)}).status_code == 303
    assert state(handoff)[0] == "accepted"


def test_the_links_of_whoever_had_the_lead_before_decide_nothing(app: Flask, sara: Account,
                                                                 client: FlaskClient) -> None:
    handoff = hand_over(app)
    old = link(app, handoff)
    mark = press_of(client.get(old).text)
    ben = make_account("sales")
    with writing() as session:
        assign(session, session.get_one(Lead, handoff.lead_id), ben.id, actor=MARKETER, at=NOON)
    answer = client.post(old, data={"press": mark}, follow_redirects=True)
    assert "This lead is with somebody else now" in answer.text
    assert "Ada Marsh" not in answer.text
    assert state(handoff)[0] == "open"


def test_the_links_of_somebody_who_has_left_open_nothing(app: Flask, sara: Account, client: FlaskClient) -> None:
    handoff = hand_over(app)
    with writing() as session:
        session.execute(update(Account).where(Account.id == sara.id).values(active=False))
    assert client.get(link(app, handoff)).status_code == 404


def test_the_links_of_somebody_who_is_in_sales_no_more_open_nothing(app: Flask, sara: Account,
                                                                    client: FlaskClient) -> None:
    handoff = hand_over(app)
    with writing() as session:
        session.execute(update(Account).where(Account.id == sara.id).values(role="marketer"))
    assert client.get(link(app, handoff)).status_code == 404


def test_a_link_that_was_tampered_with_opens_nothing(app: Flask, sara: Account, client: FlaskClient) -> None:
    handoff = hand_over(app)
    good = link(app, handoff).removeprefix("/hand-off/")
    key, account, answer, until, mark = good.split(".")
    other = make_account("sales").id
    for wrong in (f"{key}.{other}.{answer}.{until}.{mark}", f"{key}.{account}.r.{until}.{mark}",
                  f"{key}.{account}.{answer}.{int(until) + 1}.{mark}", f"{key}.{account}.{answer}.{until}.{'a' * 22}",
                  good[:-1], "x", "a" * 300):
        answer_ = client.get(f"/hand-off/{wrong}")
        assert answer_.status_code == 404, wrong
        assert client.post(f"/hand-off/{wrong}", data={"press": "x"}).status_code == 404


def test_an_erased_lead_takes_its_links_along(app: Flask, sara: Account, client: FlaskClient) -> None:
    handoff = hand_over(app)
    path = link(app, handoff)
    with writing() as session:
        session.delete(session.get_one(Lead, handoff.lead_id))
    assert client.get(path).status_code == 404
