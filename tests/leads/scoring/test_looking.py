"""Scores as they are kept: equal to what the facts say at every moment, and the same when made anew."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from factories import NOON, make_capture, make_lead
from handsel.db import db, writing
from handsel.leads.models import Capture, Download, Lead
from handsel.leads.qualify.looking import ask, look
from handsel.leads.qualify.people import people
from handsel.leads.scoring.past import pasts
from handsel.leads.scoring.points import points
from handsel.leads.tracking.models import PageVisit
from handsel.offers.live import current
from handsel.worker.qualifying import qualify_now
from support.clock import Clock

RULES = """
fit:
  cap: 30
  rules:
    Runs things: {when: {job_title: {contains: manager}}, points: 20}
    Bigger company: {when: {company_size: {at_least: 50}}, points: 15}
interest:
  half_life: 10 days
  rules:
    Asked for the guide: {on: {asked: guide}, points: 10, once: true}
    Fetched the guide: {on: {downloaded: guide}, points: 20, once: true}
    Came back: {on: {visited: true}, points: 3, cap: 6}
    Silent: {when: {last_act: {older_than: 25 days}}, points: -4}
"""


@pytest.fixture
def project(project: Path) -> Path:
    (project / "content" / "_scoring.yml").write_text(RULES)
    return project


def visit(lead: Lead, path: str, at: object) -> None:
    with writing() as session:
        session.add(PageVisit(lead_id=lead.id, path=path, at=at, offer=""))
        ask(session, lead.id, at)


def fetched(lead: Lead, at: object) -> None:
    with writing() as session:
        session.add(Download(key=f"press-{at:%j%H%M%S}"[:22], lead_id=lead.id, offer="guide", at=at))
        ask(session, lead.id, at)


def told(lead: Lead) -> tuple[int, int, int]:
    db.session.rollback()
    found = db.session.get_one(Lead, lead.id, populate_existing=True)
    return found.fit, found.interest, found.score


def test_the_score_that_is_kept_is_the_one_of_the_facts_on_every_day(app: Flask, clock: Clock) -> None:
    lead = make_lead(look_at=NOON)
    make_capture(lead, answers={"email": lead.email, "job_title": "Facilities manager", "company_size": "120"})
    fetched(lead, NOON)
    seen = []
    for day in range(0, 60, 5):
        clock.set(NOON + timedelta(days=day))
        if day in (5, 10, 15):
            visit(lead, "/pricing/", clock.now)
        qualify_now(app)
        person = people(db.session(), [db.session.get_one(Lead, lead.id)], clock.now)[lead.id]
        found = points(current().rules.scoring, person, clock.now)
        assert told(lead) == (found.fit, found.interest, found.score)
        assert sum(reason.points for reason in found.reasons) == found.score
        seen.append(found.interest)
    assert told(lead)[0] == 30  # 20 and 15, and no more than the cap
    assert seen == [30, 24, 20, 17, 13, 10, 7, 5, 3, -3, -3, -4]


def test_scores_made_anew_from_all_facts_are_the_ones_that_were_kept(app: Flask, clock: Clock) -> None:
    leads = [make_lead(look_at=NOON) for _ in range(6)]
    for number, lead in enumerate(leads):
        make_capture(lead, answers={"email": lead.email, "job_title": "Energy manager" if number % 2 else ""},
                     at=NOON + timedelta(hours=number))
    for day in range(0, 40):
        clock.set(NOON + timedelta(days=day, minutes=7))
        lead = leads[day * day % 6]
        if day % 7 == 3:
            fetched(lead, clock.now)
        else:
            visit(lead, f"/page-{day % 3}/", clock.now)
        qualify_now(app)
    kept = {lead.id: told(lead) for lead in leads}
    with writing() as session:
        for lead in session.scalars(select(Lead)):
            lead.fit = lead.interest = lead.score = -1
        look(session, current(), list(kept), clock.now)
    assert {lead.id: told(lead) for lead in leads} == kept
    assert len(set(kept.values())) > 3


def test_a_claim_gives_no_points(app: Flask, clock: Clock) -> None:
    lead = make_lead(look_at=NOON, confirmed_at=None)
    make_capture(lead, proven_at=None, answers={"email": lead.email})
    with writing() as session:
        session.add(Download(key="instant", lead_id=lead.id, offer="guide", at=NOON))
    qualify_now(app)
    assert told(lead) == (0, 0, 0)


@pytest.mark.parametrize(("form", "points_of_fit"), [("short", 0), ("import", 30), ("hand", 30)])
def test_what_anybody_could_have_typed_gives_no_points_until_the_mailbox_is_proven(
        app: Flask, clock: Clock, form: str, points_of_fit: int) -> None:
    """What we put down ourselves, or brought with a file, is nobody's claim."""
    lead = make_lead(confirmed_at=None, look_at=NOON)
    capture = make_capture(lead, form=form, proven_at=None, offer="",
                           answers={"email": lead.email, "job_title": "Facilities manager", "company_size": "120"})
    qualify_now(app)
    assert told(lead)[0] == points_of_fit
    past = pasts(db.session(), [db.session.get_one(Lead, lead.id)])[lead.id]
    assert points(current().rules.scoring, past.person(clock.now), clock.now).fit == points_of_fit

    with writing() as session:
        session.get_one(Capture, capture.id).proven_at = clock.now
        session.get_one(Lead, lead.id).confirmed_at = clock.now
        ask(session, lead.id, clock.now)
    qualify_now(app)
    assert told(lead)[0] == 30
