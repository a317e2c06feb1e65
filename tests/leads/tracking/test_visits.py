"""What a lead looks at is known with its consent alone, once the mailbox is proven, and no longer than that."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from factories import NOON
from handsel.db import db, writing
from handsel.leads.confirm import prove
from handsel.leads.consents import Way
from handsel.leads.models import Capture, Lead, LeadFact
from handsel.leads.qualify.looking import look
from handsel.leads.tracking.models import PageVisit
from handsel.leads.unsubscribe import unsubscribe
from handsel.offers.live import current
from support.clock import Clock
from support.funnel import CHROME

PERSON = {"User-Agent": CHROME}


@pytest.fixture
def project(project: Path) -> Path:
    """The sample whose form asks whether one may be recognised."""
    form = project / "forms" / "short.yml"
    form.write_text(form.read_text().replace(
        "consents:\n", "consents:\n  - {purpose: recognition, wording: wording/recognition.md}\n"))
    (project / "forms" / "wording" / "recognition.md").write_text("Know me when I come back, by a cookie.\n")
    return project


def agree(client: FlaskClient, *, proven: bool = True) -> Lead:
    """Fill in the form with the box ticked."""
    page = client.get("/offers/guide/", headers=PERSON).text
    token = re.search(r'name="form-token"[^>]*value="([^"]+)"', page)
    assert token
    data = {"form-token": token[1], "email": "ann@example.org", "consent-recognition": "yes"}
    assert client.post("/offers/guide/", data=data, headers=PERSON).status_code == 303
    capture = db.session.scalars(select(Capture)).one()
    if proven:
        with writing() as session:
            prove(session, session.get_one(Capture, capture.id), Way("download"), NOON)
    return db.session.get_one(Lead, capture.lead_id)


def visited(app: Flask) -> list[tuple[int, str, str]]:
    app.extensions["handsel.traffic"].flush()
    db.session.rollback()
    rows = db.session.execute(select(PageVisit.lead_id, PageVisit.path, PageVisit.offer).order_by(PageVisit.id))
    return [tuple(row) for row in rows]


def look_at(client: FlaskClient, path: str = "/blog/first-post/", **headers: str) -> None:
    assert client.get(path, headers=PERSON | headers).status_code == 200


def test_pages_that_a_recognised_lead_looks_at_are_its_visits(
        app: Flask, client: FlaskClient, clock: Clock) -> None:
    lead = agree(client)
    with writing() as session:
        look(session, current(), [lead.id], NOON)
    clock.move(days=3)

    look_at(client)
    look_at(client, "/offers/guide/")

    assert visited(app) == [(lead.id, "/blog/first-post/", ""), (lead.id, "/offers/guide/", "guide")]
    db.session.refresh(lead)
    assert lead.look_at == clock.now
    with writing() as session:
        look(session, current(), [lead.id], clock.now)
    facts = db.session.execute(select(LeadFact.name).where(LeadFact.kind == "visited").order_by(LeadFact.name))
    assert facts.scalars().all() == ["/blog/first-post/", "/offers/guide/"]
    assert db.session.get_one(Lead, lead.id, populate_existing=True).acted_at == clock.now


def test_before_the_mailbox_is_proven_nothing_is_known(app: Flask, client: FlaskClient, clock: Clock) -> None:
    agree(client, proven=False)

    look_at(client)

    assert visited(app) == []


@pytest.mark.parametrize("headers", [
    {"Sec-GPC": "1"}, {"DNT": "1"}, {"User-Agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"},
    {"Sec-Purpose": "prefetch"}])
def test_who_asks_not_to_be_followed_and_robots_are_left_out(
        app: Flask, client: FlaskClient, clock: Clock, headers: dict[str, str]) -> None:
    agree(client)

    look_at(client, **headers)

    assert visited(app) == []


def test_without_a_cookie_nobody_is_known(app: Flask, client: FlaskClient, clock: Clock) -> None:
    agree(client)

    look_at(app.test_client())

    assert visited(app) == []


def test_what_was_looked_at_goes_with_the_consent(app: Flask, client: FlaskClient, clock: Clock) -> None:
    lead = agree(client)
    look_at(client)
    assert len(visited(app)) == 1

    with writing() as session:
        unsubscribe(session, session.get_one(Lead, lead.id), "recognition", Way("preferences"), clock.now)
    look_at(client)

    assert visited(app) == []
