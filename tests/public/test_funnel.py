"""From the form to the file, over HTTP and without a script, as a visitor walks."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from handsel.db import db
from handsel.leads.models import Capture, Consent, Grant, Lead
from handsel.mail.models import Message
from support.walk import PERSON, fingerprint, grant_key, land, press, send, text


def test_a_visitor_becomes_a_lead_and_gets_the_file(client: FlaskClient, clock: Any) -> None:
    answer = send(client, first_name="Ann", consent__advice="yes")
    assert answer.status_code == 303
    thanks = client.get(answer.location, headers=PERSON)
    assert "We are sending an e-mail to ann@example.org now." in text(thanks)

    page = client.get(f"/get/{grant_key()}", headers=PERSON)
    assert "PDF" in text(page)
    assert "It works until 9 March 2026 and for 5 more downloads." in text(page)
    file = client.get(press(client, grant_key()).location, headers=PERSON)
    assert file.data.startswith(b"%PDF")

    lead = db.session.scalars(select(Lead)).one()
    assert (lead.first_name, lead.confirmed_at, lead.consent_text) == ("Ann", clock.now, "advice")
    assert [(c.purpose, c.state, c.way) for c in db.session.scalars(select(Consent).order_by(Consent.id))] == [
        ("advice", "given", "form"), ("advice", "confirmed", "download")]
    assert "Your address is confirmed." in text(client.get(answer.location))


def test_looking_changes_nothing_whoever_looks(app: Flask, client: FlaskClient) -> None:
    thanks = send(client, consent__advice="yes").location
    lead = db.session.scalars(select(Lead.key)).one()
    key = grant_key()
    file = press(client, key).location
    before = fingerprint()
    links = [thanks, f"/get/{key}", file, f"/confirm/{key}", f"/u/{lead}", f"/u/{lead}.advice", f"/preferences/{lead}",
             f"/preferences/{lead}/data", f"/preferences/{lead}/data.json", f"/preferences/{lead}/erase",
             "/get/nonsense", "/u/nonsense", "/offers/guide/", "/offers/guide/thanks/nonsense"]
    for link in links:
        for method in ("GET", "HEAD", "OPTIONS"):
            client.open(link, method=method, headers={"User-Agent": "Barracuda Sentinel (EE)"})
    assert fingerprint() == before


def test_no_public_page_sets_a_cookie(client: FlaskClient) -> None:
    answer = send(client)
    lead = db.session.scalars(select(Lead.key)).one()
    for link in (answer.location, f"/get/{grant_key()}", f"/u/{lead}", f"/preferences/{lead}", "/offers/guide/"):
        assert "Set-Cookie" not in client.get(link).headers, link
    assert "Set-Cookie" not in answer.headers


def test_a_missed_field_is_told_and_every_value_kept(client: FlaskClient) -> None:
    answer = send(client, "not an address", "demo", name="Ann", team_size="small", consent__advice="yes")
    assert answer.status_code == 422
    assert "<title>Error: " in answer.text
    assert "There is a problem" in answer.text
    assert "An e-mail address has an @ in it" in text(answer)
    assert 'value="not an address"' in answer.text
    assert 'value="Ann"' in answer.text
    assert re.search(r'value="small"[^>]* selected', answer.text)
    assert re.search(r'name="consent-advice"[^>]* checked', answer.text)
    assert db.session.scalar(select(func.count()).select_from(Lead)) == 0


def test_mending_a_mistake_is_still_the_same_submission(client: FlaskClient) -> None:
    token = land(client)
    wrong = send(client, "", token=token)
    assert token in wrong.text
    assert send(client, token=token).location == send(client, token=token).location


@pytest.mark.parametrize("token", ["", "forged", "A" * 200])
def test_a_form_without_a_genuine_token_comes_back_with_a_new_one(client: FlaskClient, token: str) -> None:
    answer = send(client, token=token, first_name="Ann")
    assert answer.status_code == 422
    assert "Your answers are still here: check them and press the button again." in text(answer)
    fresh = re.search(r'name="form-token"[^>]*value="([^"]+)"', answer.text)
    assert fresh
    assert 'value="Ann"' in answer.text
    assert send(client, token=fresh[1]).status_code == 303


def test_a_form_left_open_over_a_day_runs_out_and_goes_on(client: FlaskClient, clock: Any) -> None:
    token = land(client)
    clock.move(hours=24)
    answer = send(client, token=token)
    assert "This page was open for a long time" in text(answer)
    fresh = re.search(r'name="form-token"[^>]*value="([^"]+)"', answer.text)
    assert fresh
    assert fresh[1] != token
    assert send(client, token=fresh[1]).status_code == 303


def test_a_token_of_one_offer_opens_no_other(client: FlaskClient) -> None:
    assert send(client, slug="demo", token=land(client), name="Ann", team_size="small").status_code == 422


def test_nobody_types_that_fast(client: FlaskClient, clock: Any, project: Path) -> None:
    form = project / "forms" / "short.yml"
    form.write_text(form.read_text().replace("min_seconds: 0", "min_seconds: 2"))
    token = land(client)
    clock.move(seconds=1)
    answer = send(client, token=token)
    assert (answer.status_code, "faster than people usually type" in text(answer)) == (422, True)
    clock.move(seconds=1)
    assert send(client, token=token).status_code == 303


def test_a_filled_honeypot_waits_for_a_person(client: FlaskClient) -> None:
    answer = send(client, **{"your-website": "http://spam.example"})
    assert "a person here looks at your request" in text(client.get(answer.location))
    assert db.session.scalars(select(Capture.quarantine)).one() == "honeypot"
    assert db.session.scalar(select(func.count()).select_from(Message)) == 0


def test_a_throw_away_address_is_quarantined_as_the_form_says(client: FlaskClient) -> None:
    send(client, "ann@mailinator.com")
    assert db.session.scalars(select(Capture.quarantine)).one() == "disposable"


def test_a_crowd_behind_one_address_is_asked_to_wait_with_its_values_kept(make_app: Any) -> None:
    app = make_app(RATE_LIMITS="on")
    client = app.test_client()
    tokens = [land(client) for _ in range(42)]
    answers = [send(client, f"p{number}@example.org", token=token) for number, token in enumerate(tokens)]
    assert [answer.status_code for answer in answers[:40]] == [303] * 40
    assert (answers[41].status_code, answers[41].headers["Retry-After"]) == (429, "60")
    assert "please wait a minute, then press the button again" in text(answers[41])
    assert 'value="p41@example.org"' in answers[41].text


@pytest.mark.parametrize("email", ["ann@example.org", "ann+guide@example.org"])
def test_fifty_equal_forms_at_once_are_one_however_strict_the_limits(make_app: Any, email: str) -> None:
    app = make_app(RATE_LIMITS="on")
    token = land(app.test_client())
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: send(app.test_client(), email, token=token), range(50)))
    assert {(answer.status_code, answer.location) for answer in answers} == {(303, answers[0].location)}
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Capture)) == 1


def test_a_newsletter_with_a_box_needs_it_ticked(client: FlaskClient, project: Path) -> None:
    form = project / "forms" / "newsletter.yml"
    form.write_text(form.read_text().replace("wording/newsletter-button.md, by: button", "wording/newsletter.md"))
    answer = send(client, slug="newsletter")
    assert (answer.status_code, "Tick the box if you want the letter" in text(answer)) == (422, True)
    send(client, slug="newsletter", consent__newsletter="yes")
    assert [message.kind for message in db.session.scalars(select(Message))] == ["confirm"]


def test_the_newsletter_needs_a_proven_mailbox(client: FlaskClient, clock: Any) -> None:
    send(client, slug="newsletter")
    key = grant_key()
    page = client.get(f"/confirm/{key}")
    assert "Is this your address?" in text(page)
    assert db.session.scalars(select(Lead.consent_text)).one() == ""
    done = client.get(client.post(f"/confirm/{key}").location)
    assert "Your address is confirmed" in text(done)
    lead = db.session.scalars(select(Lead)).one()
    assert (lead.consent_text, lead.confirmed_at) == ("newsletter", clock.now)


def test_a_question_for_some_says_whom_it_is_for_and_takes_no_answer_of_others(client: FlaskClient) -> None:
    page = client.get("/offers/demo/", headers=PERSON)
    assert "Only if “How many readers?” is “More than 10”. Optional." in text(page)
    send(client, "small@example.org", slug="demo", name="Ann", team_size="small", seats="20", company="Real Books")
    send(client, "large@example.org", slug="demo", name="Bea", team_size="large", seats="20", company="Real Books")
    seats = {capture.email: capture.answers.get("seats") for capture in db.session.scalars(select(Capture))}
    assert seats == {"small@example.org": None, "large@example.org": 20}


def test_a_proven_answer_is_never_overwritten_by_a_claim(client: FlaskClient, clock: Any) -> None:
    send(client, slug="demo", name="Ann", team_size="small", company="Real Books")
    client.post(f"/confirm/{grant_key()}")
    clock.move(minutes=11)
    send(client, slug="demo", name="Mallory", team_size="small", company="Fake Books", phone="0113 496 0000")
    lead = db.session.scalars(select(Lead)).one()
    assert (lead.name, lead.company, lead.phone) == ("Ann", "Real Books", "")
    first = db.session.scalars(select(Grant.key).order_by(Grant.id)).first()
    client.post(f"/confirm/{first}")
    db.session.rollback()
    assert (lead.name, lead.company) == ("Ann", "Real Books")
    client.post(f"/confirm/{grant_key()}")
    db.session.rollback()
    assert (lead.name, lead.company, lead.phone) == ("Mallory", "Fake Books", "0113 496 0000")


def test_a_quarantined_capture_goes_on_its_way_when_a_person_lets_it(client: FlaskClient, clock: Any) -> None:
    from handsel.db import writing
    from handsel.leads.held import release

    send(client, consent__advice="yes", **{"your-website": "x"})
    clock.move(hours=2)
    for expected in (True, False):
        with writing() as session:
            assert release(session, session.scalars(select(Capture)).one(), clock.now) is expected
    due = {message.step: message.due_at for message in db.session.scalars(select(Message))}
    assert due["00-delivery"] == clock.now
    press(client, grant_key())
    assert db.session.scalars(select(Lead.consent_text)).one() == "advice"
