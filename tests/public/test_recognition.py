"""Being recognised after midnight: only who ticked the box for it has a cookie, and it ends when they say so."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from factories import NOON
from handsel import assembly
from handsel.db import db, writing
from handsel.experiments.assign import choose
from handsel.experiments.models import Conversion, Exposure
from handsel.leads.models import Capture, Consent, Grant, Lead
from handsel.leads.unsubscribe import unsubscribe
from handsel.mail.models import Message
from handsel.public import doors
from handsel.traffic.models import Hit, KnownVisitor, Visitor
from support.clock import Clock
from support.funnel import CHROME

PERSON = {"User-Agent": CHROME}
AGREED = {"consent-recognition": "yes"}


@pytest.fixture
def project(project: Path) -> Path:
    """The sample whose forms ask whether one may be recognised."""
    form = project / "forms" / "short.yml"
    form.write_text(form.read_text().replace(
        "consents:\n", "consents:\n  - {purpose: recognition, wording: wording/recognition.md}\n"))
    (project / "forms" / "wording" / "recognition.md").write_text("Know me when I come back, by a cookie.\n")
    newsletter = project / "forms" / "newsletter.yml"
    newsletter.write_text(form.read_text().replace("advice", "newsletter", 1).replace("wording/newsletter.md",
                                                                                    "wording/advice.md"))
    return project


def land(client: FlaskClient, slug: str = "guide", **headers: str) -> str:
    page = client.get(f"/offers/{slug}/", headers=PERSON | headers)
    found = re.search(r'name="form-token"[^>]*value="([^"]+)"', page.text)
    assert found, page.text[-600:]
    return found[1]


def send(client: FlaskClient, email: str = "ann@example.org", slug: str = "guide", token: str = "",
         headers: dict[str, str] | None = None, **fields: str) -> Any:
    data = {"form-token": token or land(client, slug, **(headers or {})), "email": email} | fields
    return client.post(f"/offers/{slug}/", data=data, headers=PERSON | (headers or {}))


def cookie(client: FlaskClient) -> str:
    found = client.get_cookie("visitor")
    return found.value if found else ""


def count(model: Any) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def flush(app: Flask) -> None:
    app.extensions["handsel.traffic"].flush()
    db.session.rollback()


def test_without_the_tick_there_is_no_cookie(app: Flask, client: FlaskClient) -> None:
    answer = send(client, **{"consent-advice": "yes"})

    assert (answer.status_code, "Set-Cookie" in answer.headers, cookie(client)) == (303, False, "")
    assert count(KnownVisitor) == 0


def test_with_the_tick_there_is_one_that_says_nothing(app: Flask, client: FlaskClient, clock: Clock) -> None:
    answer = send(client, **AGREED)

    said = answer.headers["Set-Cookie"]
    assert re.fullmatch(r"visitor=[0-9a-f]{32}; Expires=.*; Max-Age=15552000; HttpOnly; Path=/; SameSite=Lax", said)
    known = db.session.scalars(select(KnownVisitor)).one()
    capture = db.session.scalars(select(Capture)).one()
    assert (known.visitor, known.unit, known.lead_id) == (cookie(client), capture.visitor, capture.lead_id)
    assert known.visitor != known.unit
    ticks = db.session.execute(select(Consent.purpose, Consent.state, Consent.way)).all()
    assert [tuple(tick) for tick in ticks] == [("recognition", "given", "form")]


def test_over_https_the_cookie_is_bound_to_the_host(make_app: Callable[..., Flask]) -> None:
    app = make_app(SITE_URL="https://example.org")
    with app.app_context():
        client = app.test_client()
        answer = client.post("/offers/guide/", base_url="https://example.org", headers=PERSON, data={
            "form-token": land(client), "email": "ann@example.org"} | AGREED)
        db.session.remove()
    assert answer.headers["Set-Cookie"].startswith("__Host-visitor=")
    assert "; Secure; HttpOnly; Path=/; SameSite=Lax" in answer.headers["Set-Cookie"]
    assembly.close(app)


def test_the_same_form_sent_twice_gives_the_same_cookie(app: Flask, client: FlaskClient) -> None:
    token = land(client)
    numbers = set()
    for _ in range(3):
        send(client, token=token, **AGREED)
        numbers.add(cookie(client))

    assert (len(numbers), count(KnownVisitor)) == (1, 1)


def test_days_later_the_same_person_is_one_visitor_who_sees_the_same_page(
        app: Flask, client: FlaskClient, clock: Clock) -> None:
    send(client, **AGREED)
    number = cookie(client)
    capture = db.session.scalars(select(Capture)).one()
    unit, variant = capture.visitor, capture.variant
    split = doors_split(app)
    pages = set()
    for day in range(1, 9):
        clock.set(NOON)
        clock.move(days=day)
        other = {"REMOTE_ADDR": f"198.51.{day}.7"}  # at home, in a train, in a café
        page = client.get("/offers/guide/", headers=PERSON, environ_overrides=other)
        pages.add(re.sub(r'value="[^"]+"', "", page.text))
    flush(app)

    assert len(pages) == 1
    assert choose(unit, "guide", split) == variant
    assert set(db.session.scalars(select(Exposure.visitor))) == {unit}
    assert set(db.session.scalars(select(Exposure.variant))) == {variant}
    views = db.session.scalars(select(Hit.visitor).where(Hit.kind == "view", Hit.at > NOON.replace(hour=23))).all()
    assert set(views) == {number}
    send(client, "ann@example.org", **{"consent-advice": "yes"})
    assert set(db.session.scalars(select(Conversion.visitor))) == {unit}


def doors_split(app: Flask) -> dict[str, int]:
    with app.test_request_context():
        offer = doors.project().offer("guide")
        assert offer
        return dict(offer.split)


def test_the_journey_goes_on_past_midnight(app: Flask, client: FlaskClient, clock: Clock) -> None:
    client.get("/blog/first-post/?utm_source=Letter", headers=PERSON)
    flush(app)
    send(client, **AGREED)
    for _ in range(3):
        clock.move(days=1)
        client.get("/", headers=PERSON)
        flush(app)
    send(client, "ann@work.example.org")

    last = db.session.scalars(select(Capture).order_by(Capture.id.desc())).first()
    assert last
    assert (last.visitor, last.first_page, last.utm_source) == (cookie(client), "/blog/first-post/", "Letter")
    assert count(Visitor) >= 1


def test_a_page_for_a_known_visitor_comes_from_the_table(app: Flask, client: FlaskClient, clock: Clock) -> None:
    send(client, **AGREED)
    client.get("/offers/guide/", headers=PERSON)
    inner: list[str] = []
    table = app.extensions["handsel.pages"]
    files = table.files
    table.files = lambda environ, start: inner.append(environ["PATH_INFO"]) or files(environ, start)
    client.get("/offers/guide/", headers=PERSON)
    client.set_cookie("other", "cookie")
    client.get("/offers/guide/", headers=PERSON)
    table.files = files

    assert inner == ["/offers/guide/"]


def test_leaving_it_in_the_preferences_takes_the_cookie_back_here_and_elsewhere(
        app: Flask, client: FlaskClient, clock: Clock) -> None:
    send(client, **AGREED, **{"consent-advice": "yes"})
    phone = app.test_client()
    phone.set_cookie("visitor", cookie(client))
    lead = db.session.scalars(select(Lead)).one()
    where = f"/preferences/{lead.key}"
    assert 'value="recognition" checked' in client.get(where).text

    client.post(where, data={"topic": ["advice"]}, headers=PERSON)

    assert (cookie(client), count(KnownVisitor)) == ("", 0)
    assert 'value="recognition"' not in client.get(where).text
    assert phone.get("/", headers=PERSON).status_code == 200
    assert cookie(phone) == ""
    newest = db.session.scalars(select(Consent).order_by(Consent.id.desc())).first()
    assert newest
    assert (newest.purpose, newest.state) == ("recognition", "withdrawn")
    assert db.session.scalars(select(Message.state).where(Message.kind == "letter")).first() == "queued"


def test_unsubscribing_from_all_ends_it_too(app: Flask, client: FlaskClient, clock: Clock) -> None:
    send(client, **AGREED)
    with writing() as session:
        lead = session.scalars(select(Lead)).one()
        unsubscribe(session, lead, "", doors.Way("unsubscribe page"), clock.now)

    assert count(KnownVisitor) == 0


def test_erasing_leaves_no_number_of_the_person_in_any_table(app: Flask, client: FlaskClient, clock: Clock) -> None:
    send(client, **AGREED)
    number = cookie(client)
    clock.move(days=3)
    client.get("/blog/first-post/", headers=PERSON)
    flush(app)
    assert db.session.scalar(select(func.count()).where(Hit.visitor == number)) == 1
    lead = db.session.scalars(select(Lead)).one()

    client.post(f"/preferences/{lead.key}/erase", headers=PERSON)

    assert (cookie(client), count(KnownVisitor), count(Hit) >= 2) == ("", 0, True)
    with db.engine.connect() as connection:
        for table in db.metadata.sorted_tables:
            assert number not in str(connection.execute(select(table)).all())


def test_a_browser_that_asks_not_to_be_followed_gets_none_and_loses_one(
        app: Flask, client: FlaskClient, clock: Clock) -> None:
    send(client, headers={"Sec-GPC": "1"}, **AGREED)
    assert (cookie(client), count(KnownVisitor), count(Capture)) == ("", 0, 1)

    clock.move(seconds=30)
    send(client, "bob@example.org", **AGREED)
    assert cookie(client)
    client.get("/", headers=PERSON | {"DNT": "1"})
    assert cookie(client) == ""


@pytest.mark.parametrize("number", ["", "x", "0" * 32, "' OR 1=1 --", "f" * 4000])
def test_a_number_that_we_did_not_give_means_nobody(app: Flask, client: FlaskClient, number: str) -> None:
    client.set_cookie("visitor", number)
    assert client.get("/", headers=PERSON).status_code == 200
    flush(app)

    assert cookie(client) == ""
    assert set(db.session.scalars(select(Hit.visitor))) & {number} == set()


def test_it_ends_by_itself(app: Flask, client: FlaskClient, clock: Clock) -> None:
    send(client, **AGREED)
    number = cookie(client)
    clock.move(days=180)
    again = app.test_client()
    again.set_cookie("visitor", number)
    again.get("/", headers=PERSON)
    flush(app)

    assert cookie(again) == ""
    assert db.session.scalars(select(Hit.visitor).where(Hit.visitor == number)).all() == []


def test_ticking_only_this_box_asks_for_no_mail_and_is_no_subscription(
        app: Flask, client: FlaskClient, clock: Clock) -> None:
    refused = send(client, slug="newsletter", **AGREED)

    assert (refused.status_code, "Tick the box if you want the letter" in refused.text) == (422, True)
    send(client, **AGREED)
    assert db.session.scalars(select(Message.kind)).all() == ["delivery"]


def test_who_left_all_letters_has_still_left_them_after_ticking_only_this_box(
        app: Flask, client: FlaskClient, clock: Clock) -> None:
    send(client, **{"consent-advice": "yes"})
    client.post(f"/get/{db.session.scalars(select(Grant.key)).one()}", headers=PERSON)
    with writing() as session:
        unsubscribe(session, session.scalars(select(Lead)).one(), "", doors.Way("unsubscribe page"), clock.now)
    clock.move(days=1)

    send(client, **AGREED)
    client.post(f"/get/{db.session.scalars(select(Grant.key).order_by(Grant.id.desc())).first()}", headers=PERSON)

    lead = db.session.scalars(select(Lead)).one()
    assert (lead.unsubscribed_at, lead.consent_text) == (NOON, "")
    newest = db.session.scalars(select(Consent).order_by(Consent.id.desc())).first()
    assert newest
    assert (newest.purpose, newest.state) == ("recognition", "confirmed")


def test_a_corrected_address_takes_its_cookie_along(app: Flask, client: FlaskClient, clock: Clock) -> None:
    answer = send(client, email="anne@example.org", **AGREED)
    number = cookie(client)

    client.post(f"{answer.headers['Location']}/address", data={"email": "ann@example.org"}, headers=PERSON)

    db.session.rollback()
    known = db.session.scalars(select(KnownVisitor)).one()
    assert (known.visitor, db.session.get_one(Lead, known.lead_id).email) == (number, "ann@example.org")
