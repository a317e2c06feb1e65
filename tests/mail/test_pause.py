"""A pause of the letters: they wait, and go on afterwards in their order and with the same days between them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from factories import NOON, make_consent, make_lead, make_message
from handsel.db import db, writing
from handsel.leads import pause
from handsel.leads.models import Grant, Lead
from handsel.leads.unsubscribe import unsubscribe
from handsel.mail.models import Message
from handsel.mail.queue import HELD
from handsel.offers.schema import LetterMeta
from handsel.public.doors import Way
from handsel.worker.deliver import deliver_due
from support.clock import Clock
from support.funnel import ADVICE, make_letter, make_offer, take


def due() -> dict[str, float]:
    """In how many days after NOON each letter is due, by step."""
    db.session.rollback()
    found = db.session.execute(select(Message.step, Message.due_at).where(Message.kind == "letter"))
    return {step: (due_at - NOON) / timedelta(days=1) for step, due_at in found}


def proven(app: Flask, client: FlaskClient) -> Lead:
    take(app, "ann@example.org", (ADVICE,))
    client.post(f"/get/{db.session.scalars(select(Grant.key)).one()}")
    return db.session.scalars(select(Lead)).one()


def test_letters_move_by_the_length_of_the_pause(app: Flask, client: FlaskClient, clock: Clock) -> None:
    lead = proven(app, client)
    assert due() == {"01-first": 2, "02-second": 5}

    client.post(f"/preferences/{lead.key}/pause", data={"days": "30"})

    assert due() == {"01-first": 32, "02-second": 35}
    lives = db.session.execute(select(Message.give_up_at, Message.first_due_at).where(Message.kind == "letter"))
    assert {give_up_at - first_due_at for give_up_at, first_due_at in lives} == {timedelta(hours=72)}


def test_ending_it_early_gives_back_the_days_that_are_left(app: Flask, client: FlaskClient, clock: Clock) -> None:
    lead = proven(app, client)
    where = f"/preferences/{lead.key}/pause"
    client.post(where, data={"days": "90"})
    clock.move(days=10)

    client.post(where, data={"days": "0"})

    assert due() == {"01-first": 12, "02-second": 15}
    db.session.refresh(lead)
    assert lead.paused_until is None


def test_another_length_takes_the_place_of_the_first(app: Flask, client: FlaskClient, clock: Clock) -> None:
    lead = proven(app, client)
    where = f"/preferences/{lead.key}/pause"
    for days in ("90", "30", "30", "7", "nonsense", ""):
        client.post(where, data={"days": days})

    assert due() == {"01-first": 32, "02-second": 35}


def test_the_page_says_how_it_stands(app: Flask, client: FlaskClient, clock: Clock) -> None:
    lead = proven(app, client)
    page = f"/preferences/{lead.key}"
    assert "Pause for 30 days" in client.get(page).text
    saved = client.post(f"{page}/pause", data={"days": "30"})
    assert (saved.status_code, saved.location) == (303, f"{page}?saved=1")

    told = client.get(page).text
    assert "Your letters pause until 1 April 2026." in told
    assert "Pause for" not in told
    clock.move(days=30)
    assert "Pause for 90 days" in client.get(page).text


def test_who_gets_no_letters_is_offered_no_pause(app: Flask, client: FlaskClient) -> None:
    lead = make_lead()

    assert "pause" not in client.get(f"/preferences/{lead.key}").text.partition("</style>")[2].lower()


def test_a_series_asked_for_in_a_pause_begins_after_it_but_its_file_comes_at_once(
        app: Flask, client: FlaskClient, clock: Clock) -> None:
    lead = make_lead(email="ann@example.org", paused_until=NOON + timedelta(days=30))

    take(app, "ann@example.org", (ADVICE,))

    assert due() == {"01-first": 32, "02-second": 35}
    first = db.session.scalars(select(Message).where(Message.kind == "delivery")).one()
    assert (first.lead_id, first.due_at) == (lead.id, NOON)


def test_a_letter_that_is_in_hand_when_the_pause_begins_waits_too(posting, smtp, clock: Clock) -> None:
    lead = make_lead(paused_until=NOON + timedelta(days=30))
    make_consent(lead)
    make_message(lead, step="01-begin", due_at=NOON)

    deliver_due(posting)
    assert (due(), smtp.received) == ({"01-begin": 30}, [])
    clock.move(days=30)
    deliver_due(posting)

    assert len(smtp.wait(1)) == 1


def test_what_waits_for_a_person_to_release_it_stays(app: Flask, clock: Clock) -> None:
    lead = make_lead()
    make_message(lead, due_at=HELD)
    with writing() as session:
        pause.pause(session, session.get(Lead, lead.id) or lead, 30, clock.now)

    assert db.session.scalars(select(Message.due_at)).one() == HELD


def test_a_reminder_of_an_event_does_not_wait_for_the_pause_to_end(app: Flask, clock: Clock) -> None:
    reminder = replace(make_letter("01-tomorrow"), meta=LetterMeta(subject="Tomorrow", before="1 day"))
    offer = make_offer(letters=(reminder, make_letter("02-second", 5)))
    lead = make_lead()
    for step in ("01-tomorrow", "02-second"):
        make_message(lead, step=step, due_at=NOON + timedelta(days=4))
    with writing() as session:
        found, tied = session.get_one(Lead, lead.id), pause.by_event([offer])
        pause.pause(session, found, 30, clock.now, tied)
    assert due() == {"01-tomorrow": 4, "02-second": 34}
    with writing() as session:
        pause.go_on(session, session.get_one(Lead, lead.id), clock.now, tied)
    assert due() == {"01-tomorrow": 4, "02-second": 4}


@pytest.mark.parametrize("days", pause.DAYS)
def test_leaving_everything_ends_the_pause(app: Flask, clock: Clock, days: int) -> None:
    lead = make_lead()
    with writing() as session:
        found = session.get(Lead, lead.id) or lead
        pause.pause(session, found, days, clock.now)
        unsubscribe(session, found, "", Way("preferences"), clock.now)

    db.session.refresh(lead)
    assert lead.paused_until is None
