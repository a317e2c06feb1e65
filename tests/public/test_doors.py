"""A person's own doors: leaving, choosing, seeing, mending, taking along, erasing."""

from __future__ import annotations

import html
import re
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import MetaData, func, select

from handsel import clock as handsel_clock
from handsel.db import db
from handsel.experiments.models import Conversion
from handsel.leads.models import Capture, Consent, Grant, Lead
from handsel.mail.models import Message, Suppression
from support.funnel import ADVICE, NEWS, take

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


def text(page: Any) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page.text.partition("</style>")[2])).split())


def subscribed(app: Flask, client: FlaskClient) -> Lead:
    """A proven lead that gets two kinds of letters."""
    take(app, "ann@example.org", (ADVICE, NEWS), first_name="Ann")
    client.post(f"/get/{db.session.scalars(select(Grant.key)).one()}")
    return db.session.scalars(select(Lead)).one()


def waiting() -> list[str]:
    db.session.rollback()
    return sorted(db.session.scalars(select(Message.step).where(Message.kind == "letter", Message.state == "queued")))


def test_one_click_leaves_a_topic_at_once_in_both_encodings(app: Flask, client: FlaskClient) -> None:
    lead = subscribed(app, client)
    assert (lead.consent_text, len(waiting())) == ("advice, newsletter", 3)
    for kind in ("application/x-www-form-urlencoded", "multipart/form-data"):
        answer = client.post(f"/u/{lead.key}.advice", data=ONE_CLICK, content_type=kind)
        assert (answer.status_code, answer.text) == (200, "You are unsubscribed.\n")
        assert "Set-Cookie" not in answer.headers
        assert waiting() == ["03-news"]
    db.session.refresh(lead)
    assert (lead.consent_text, lead.unsubscribed_at) == ("newsletter", None)
    withdrawn = db.session.scalars(select(Consent).where(Consent.state == "withdrawn")).all()
    assert [(event.purpose, event.way) for event in withdrawn] == [("advice", "one-click")]
    cancelled = db.session.scalars(select(Message).where(Message.state == "cancelled")).all()
    assert {message.reason for message in cancelled} == {"Unsubscribed."}


def test_a_bad_token_gets_the_same_answer(app: Flask, client: FlaskClient) -> None:
    lead = subscribed(app, client)
    good = client.post(f"/u/{lead.key}.advice", data=ONE_CLICK)
    for token in ("nobody.advice", "nobody", ".", "x" * 300, lead.key + "x"):
        bad = client.post(f"/u/{token}", data=ONE_CLICK)
        assert (bad.status_code, bad.text) == (good.status_code, good.text)
    assert client.get("/u/nobody.advice").text == client.get(f"/u/{lead.key}.advice").text.replace(lead.key, "nobody")


def test_leaving_everything_by_the_button(app: Flask, client: FlaskClient, clock: Any) -> None:
    lead = subscribed(app, client)
    page = client.get(f"/u/{lead.key}.advice")
    assert "Stop “" in text(page)
    assert "Stop all letters" in text(page)
    done = client.post(f"/u/{lead.key}.advice", data={"scope": "all"})
    assert "You will not get any letters from" in text(done)
    db.session.refresh(lead)
    assert (lead.unsubscribed_at, lead.consent_text, waiting()) == (clock.now, "", [])


def test_a_letter_in_a_workers_hands_is_cancelled_unless_it_goes_out_already(app: Flask, client: FlaskClient) -> None:
    lead = subscribed(app, client)
    letters = db.session.scalars(select(Message).where(Message.kind == "letter").order_by(Message.id)).all()
    letters[0].state = letters[1].state = "claimed"
    letters[1].begun_at = handsel_clock.now()
    db.session.commit()
    client.post(f"/u/{lead.key}", data=ONE_CLICK)
    db.session.rollback()
    assert [letter.state for letter in letters] == ["cancelled", "claimed", "cancelled"]


def test_leaving_before_the_mailbox_is_proven_holds_when_it_is(app: Flask, client: FlaskClient) -> None:
    take(app, "ann@example.org", (ADVICE,))
    lead = db.session.scalars(select(Lead)).one()
    client.post(f"/u/{lead.key}", data=ONE_CLICK)
    client.post(f"/get/{db.session.scalars(select(Grant.key)).one()}")
    db.session.rollback()
    assert (lead.consent_text, waiting()) == ("", [])
    assert lead.confirmed_at is not None


def test_coming_back_takes_a_new_box_and_a_proven_mailbox(app: Flask, client: FlaskClient, clock: Any) -> None:
    lead = subscribed(app, client)
    client.post(f"/u/{lead.key}", data=ONE_CLICK)
    clock.move(hours=1)
    take(app, "ann@example.org", (ADVICE,), first_name="Anna")
    db.session.rollback()
    assert (lead.unsubscribed_at is None, lead.consent_text) == (False, "")
    client.post(f"/get/{db.session.scalars(select(Grant.key).order_by(Grant.id.desc())).first()}")
    db.session.rollback()
    assert (lead.unsubscribed_at, lead.consent_text) == (None, "advice")
    assert waiting() == ["01-first", "02-second"]


def test_preferences_show_and_keep_what_is_chosen(app: Flask, client: FlaskClient) -> None:
    lead = subscribed(app, client)
    where = f"/preferences/{lead.key}"
    assert re.findall(r'value="(\w+)" checked', client.get(where).text) == ["advice", "newsletter"]
    saved = client.post(where, data={"topic": ["newsletter", "made-up"]})
    assert "Saved." in text(client.get(saved.location))
    assert re.findall(r'value="(\w+)" checked', client.get(where).text) == ["newsletter"]
    assert waiting() == ["03-news"]
    client.post(where, data={"topic": "advice"})
    db.session.refresh(lead)
    assert lead.consent_text == "advice"
    events = [(event.purpose, event.state, event.way) for event in db.session.scalars(
        select(Consent).where(Consent.way == "preferences").order_by(Consent.id))]
    assert events == [("advice", "withdrawn", "preferences"), ("advice", "given", "preferences"),
                      ("advice", "confirmed", "preferences"), ("newsletter", "withdrawn", "preferences")]


def test_leaving_all_by_preferences(app: Flask, client: FlaskClient) -> None:
    lead = subscribed(app, client)
    client.post(f"/preferences/{lead.key}", data={"topic": ["advice"], "leave": "all"})
    db.session.refresh(lead)
    assert (lead.unsubscribed_at is not None, lead.consent_text, waiting()) == (True, "", [])


def test_a_person_sees_and_mends_their_data(app: Flask, client: FlaskClient) -> None:
    lead = subscribed(app, client)
    where = f"/preferences/{lead.key}/data"
    assert 'value="Ann"' in client.get(where).text
    wrong = client.post(where, data={"first_name": "Anna", "phone": "call me"})
    assert (wrong.status_code, 'value="call me"' in wrong.text) == (422, True)
    client.post(where, data={"first_name": "", "company": "Small Press"})
    db.session.refresh(lead)
    assert (lead.first_name, lead.company) == ("", "Small Press")


def test_taking_data_along_holds_all_of_it_and_nobody_elses(app: Flask, client: FlaskClient) -> None:
    take(app, "other@example.org", first_name="Canary-of-another")
    lead = canary(app, client)
    answer = client.get(f"/preferences/{lead.key}/data.json")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="my-data.json"'
    told = answer.get_json()
    for number in range(5):
        assert f"canary-{number}" in answer.text
    assert "Canary-of-another" not in answer.text
    assert set(told) >= {"lead", "capture", "consent", "lead_tag", "lead_offer", "download", "download_grant",
                         "message", "attempt", "wording"}
    assert [row["text"] if isinstance(row, dict) else row for row in told["wording"].values()] == ["Send me tips."]


def canary(app: Flask, client: FlaskClient) -> Lead:
    """A lead whose every typed word can be found again."""
    from support.funnel import make_visit

    seen = make_visit("198.51.100.3", HTTP_REFERER="https://canary-4.example/canary-4",
                      QUERY_STRING="utm_campaign=canary-4")
    traffic = app.extensions["handsel.traffic"]
    traffic.record("view", "/offers/guide/", seen, "guide", "a")
    traffic.flush()
    take(app, "canary-0@example.org", (ADVICE,), seen=seen, first_name="canary-1", company="canary-2", wish="canary-3")
    lead = db.session.scalars(select(Lead).where(Lead.email == "canary-0@example.org")).one()
    client.post(f"/get/{db.session.scalars(select(Grant.key).where(Grant.lead_id == lead.id)).one()}")
    db.session.rollback()
    return lead


def everything() -> str:
    """Every row of every table, as text."""
    db.session.rollback()
    meta = MetaData()
    meta.reflect(db.engine)
    with db.engine.connect() as connection:
        return "\n".join(f"{table.name}: {tuple(row)}" for table in meta.sorted_tables
                         for row in connection.execute(select(table)))


def test_erasing_leaves_no_trace_in_any_table_but_counts_and_a_hash(app: Flask, client: FlaskClient) -> None:
    take(app, "other@example.org", (ADVICE,), first_name="Bob")
    lead = canary(app, client)
    key, visitor = lead.key, db.session.scalars(select(Capture.visitor).where(Capture.lead_id == lead.id)).one()
    assert everything().count("canary-") > 10
    page = client.get(f"/preferences/{key}/erase")
    assert "Erase everything about you?" in text(page)
    done = client.post(f"/preferences/{key}/erase")
    assert "Everything about you is erased" in text(done)

    left = everything()
    assert "canary-" not in left
    assert key not in left
    lines = [line for line in left.splitlines() if visitor in line]
    assert {line.split(":")[0] for line in lines} <= {"exposure", "conversion"}
    assert [row.reason for row in db.session.scalars(select(Suppression))] == ["erasure"]
    assert db.session.scalar(select(func.count()).select_from(Conversion)) == 3
    assert db.session.scalars(select(Lead.email)).one() == "other@example.org"
    if db.engine.dialect.name == "sqlite":
        path = db.engine.url.database
        db.session.remove()
        for suffix in ("", "-wal"):
            with open(f"{path}{suffix}", "rb") as file:
                assert b"canary-" not in file.read()
    assert client.get(f"/preferences/{key}").status_code == 404
    assert client.post(f"/u/{key}", data=ONE_CLICK).text == "You are unsubscribed.\n"


def test_links_of_nobody_say_nothing(client: FlaskClient) -> None:
    pages = {client.get(link).text for link in ("/preferences/nobody", "/preferences/nobody/data", "/get/nobody",
                                                "/confirm/nobody", "/preferences/nobody/erase")}
    assert len(pages) == 1
    for link in ("/preferences/nobody", "/preferences/nobody/erase", "/preferences/nobody/data", "/get/nobody",
                 "/get/nobody/renew", "/confirm/nobody"):
        assert client.post(link).status_code == 404
