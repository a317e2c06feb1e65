"""Who is known is asked the next question, and nobody is ever shown an old answer."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from handsel.db import db, writing
from handsel.forms.asking import for_known, for_strangers
from handsel.forms.library import CaptureForm, Field, Spam
from handsel.leads.confirm import prove
from handsel.leads.consents import Way
from handsel.leads.models import Capture, Lead
from handsel.leads.unsubscribe import unsubscribe
from support.clock import Clock
from support.funnel import CHROME

PERSON = {"User-Agent": CHROME}
AGREED = {"consent-recognition": "yes"}
FORM = """\
title: Get the guide
fields:
  - {name: email, label: E-mail, type: email, required: true}
  - {name: first_name, label: First name, type: given-name, required: true}
  - {name: company, label: Company, type: company}
  - {name: job_title, label: Job title, type: job-title, required: true, ask_later: true}
  - {name: readers, label: How many readers?, type: select, choices: {few: Few, many: Many}, ask_later: true}
  - {name: country, label: Country, type: country, ask_later: true}
consents:
  - {purpose: recognition, wording: wording/recognition.md}
  - {purpose: advice, wording: wording/advice.md}
submit: E-mail me the guide
spam: {min_seconds: 0, disposable: quarantine}
"""


@pytest.fixture
def project(project: Path) -> Path:
    """The sample with a form that asks more of those who come back."""
    (project / "forms" / "short.yml").write_text(FORM)
    (project / "forms" / "wording" / "recognition.md").write_text("Know me when I come back, by a cookie.\n")
    return project


def page(client: FlaskClient, **headers: str) -> str:
    return client.get("/offers/guide/", headers=PERSON | headers).text


def asked(html: str) -> list[str]:
    """The names of the questions on a page."""
    return [name for name in re.findall(r'<(?:input|select|textarea)[^>]* name="([a-z_]+)"', html)]


def token_of(html: str) -> str:
    found = re.search(r'name="form-token"[^>]*value="([^"]+)"', html)
    assert found
    return found[1]


def without_token(html: str) -> str:
    return re.sub(r'value="[\w-]{100,}"', "", html)


def send(client: FlaskClient, html: str = "", email: str = "ann@example.org", **fields: str) -> Any:
    data = {"form-token": token_of(html or page(client)), "email": email} | fields
    return client.post("/offers/guide/", data=data, headers=PERSON)


def prove_all() -> None:
    """Press the button in every mail that is out."""
    from handsel import clock as now

    with writing() as session:
        for capture in session.scalars(select(Capture).where(Capture.proven_at.is_(None))).all():
            prove(session, capture, Way("download"), now.now())


def come_back(client: FlaskClient, **fields: str) -> str:
    """Fill in the form with the box ticked, prove the mailbox, and look at the page again."""
    assert send(client, **{"first_name": "Ann"} | AGREED | fields).status_code == 303
    prove_all()
    return page(client)


def test_a_stranger_is_asked_the_first_questions_alone(app: Flask, client: FlaskClient) -> None:
    html = page(client)

    assert asked(html) == ["email", "first_name", "company"]
    assert "Job title" not in html
    assert "How many readers?" not in html


def test_who_is_known_is_asked_the_next_questions_in_place_of_those_answered(app: Flask, client: FlaskClient) -> None:
    html = come_back(client, company="Works")

    assert asked(html) == ["email", "job_title", "readers"]
    for word in ("Works", "Ann", "ann@", "First name"):
        assert word not in html


def test_a_question_that_was_not_answered_is_asked_again(app: Flask, client: FlaskClient) -> None:
    assert asked(come_back(client)) == ["email", "company", "job_title"]


def test_questions_follow_one_another_until_none_is_left(app: Flask, client: FlaskClient) -> None:
    html = come_back(client, company="Works")
    assert send(client, html, job_title="Buyer", readers="many").status_code == 303
    prove_all()
    html = page(client)
    assert asked(html) == ["email", "country"]
    assert send(client, html, country="France").status_code == 303
    prove_all()

    assert asked(page(client)) == ["email"]
    db.session.rollback()
    lead = db.session.scalars(select(Lead)).one()
    assert (lead.first_name, lead.company, lead.job_title, lead.country, lead.custom) == (
        "Ann", "Works", "Buyer", "France", {"readers": "many"})


def test_a_required_question_that_was_left_out_does_not_block(app: Flask, client: FlaskClient) -> None:
    html = come_back(client)
    client.delete_cookie("visitor")  # between the page and the press

    answer = send(client, html, job_title="Buyer")

    assert answer.status_code == 303


def test_a_required_later_question_is_required_of_who_was_asked(app: Flask, client: FlaskClient) -> None:
    html = come_back(client)

    answer = send(client, html, company="Mended Ltd")

    assert answer.status_code == 422
    assert asked(answer.text) == ["email", "company", "job_title"]
    assert "Mended Ltd" in answer.text  # what was just typed, and nothing older
    assert "Ann" not in answer.text
    assert "Fill in “Job title”." in answer.text


def test_a_form_that_ran_out_comes_back_with_the_same_questions(
        app: Flask, client: FlaskClient, clock: Clock) -> None:
    html = come_back(client, company="Works")
    clock.move(hours=30)

    answer = send(client, html, job_title="Buyer", readers="few")

    assert answer.status_code == 422
    assert asked(answer.text) == ["email", "job_title", "readers"]
    assert send(client, answer.text, job_title="Buyer", readers="few").status_code == 303


def test_a_strangers_form_takes_no_answers_that_it_did_not_ask_for(app: Flask, client: FlaskClient) -> None:
    assert send(client, first_name="Ann", job_title="Buyer", readers="many").status_code == 303

    db.session.rollback()
    assert db.session.scalars(select(Capture.answers)).one() == {"email": "ann@example.org", "first_name": "Ann"}


def test_nobody_learns_from_the_page_what_somebody_else_has_answered(app: Flask, client: FlaskClient) -> None:
    stranger = app.test_client()
    before = page(stranger)
    come_back(client, company="Works")
    attacker = app.test_client()
    # Whoever types the address and ticks the box has a cookie, and has proven nothing.
    assert send(attacker, first_name="X", **AGREED).status_code == 303
    assert attacker.get_cookie("visitor")

    pages = [page(stranger), page(attacker), page(client, **{"Sec-GPC": "1"})]

    assert {without_token(html) for html in pages} == {without_token(before)}
    assert len(pages[0]) == len(before)


def test_without_the_tick_the_next_visit_is_a_strangers(app: Flask, client: FlaskClient) -> None:
    before = page(client)
    send(client, first_name="Ann")
    prove_all()

    assert without_token(page(client)) == without_token(before)


def test_who_takes_the_consent_back_is_a_stranger_again(app: Flask, client: FlaskClient, clock: Clock) -> None:
    stranger = page(app.test_client())
    come_back(client)
    with writing() as session:
        unsubscribe(session, session.scalars(select(Lead)).one(), "recognition", Way("preferences"), clock.now)
    app.extensions["handsel.traffic"].known.forget()

    assert without_token(page(client)) == without_token(stranger)


def test_the_page_table_and_flask_give_strangers_and_who_has_answered_nothing_the_same_bytes(
        app: Flask, client: FlaskClient) -> None:
    table = app.extensions["handsel.pages"]
    page(client)  # compiled from here on
    from_table = client.get("/offers/guide/", headers=PERSON)
    from_flask = client.get("/offers/guide/?also=this", headers=PERSON)
    send(client, first_name="Ann", **AGREED)
    recognised = client.get("/offers/guide/", headers=PERSON)

    assert table.state().table["/offers/guide/"].asks_later
    assert {without_token(answer.text) for answer in (from_table, from_flask, recognised)} == {
        without_token(from_table.text)}
    for name in ("Content-Type", "Cache-Control", "Vary", "Content-Security-Policy"):
        assert from_table.headers.get(name) == from_flask.headers.get(name) == recognised.headers.get(name)


def test_the_page_of_who_is_known_is_kept_by_nobody_else(app: Flask, client: FlaskClient) -> None:
    come_back(client)
    answer = client.get("/offers/guide/", headers=PERSON)

    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert "style-src" in answer.headers["Content-Security-Policy"]


def form(*fields: Field) -> CaptureForm:
    return CaptureForm("f", "F", "", fields, (), "Go", "", Spam(0), "d")


EMAIL = Field("email", "email", "E-mail", required=True)
TEAM = Field("team", "select", "Team", choices=(("one", "One"), ("more", "More")))
SEATS = Field("seats", "number", "Seats", show_when=("team", "more"))
LATER = tuple(Field(name, "text", name, ask_later=True) for name in ("first", "second", "third"))


@pytest.mark.parametrize(("answered", "names"), [
    (set(), ["email", "team", "seats"]),
    ({"other"}, ["email", "team", "seats", "first"]),
    ({"seats"}, ["email", "team", "first"]),
    ({"team"}, ["email", "first", "second"]),  # seats goes with it, whatever the answer was
    ({"team", "first"}, ["email", "second", "third"]),
    ({"team", "first", "second", "third"}, ["email"]),
])
def test_as_many_questions_come_as_were_left_out(answered: set[str], names: list[str]) -> None:
    shown = for_known(form(EMAIL, TEAM, SEATS, *LATER), answered)

    assert [field.name for field in shown.fields] == names


def test_a_form_without_later_questions_is_the_same_for_everybody() -> None:
    whole = form(EMAIL, TEAM, SEATS)

    assert for_known(whole, {"email", "team", "seats"}) is for_strangers(whole) is whole
