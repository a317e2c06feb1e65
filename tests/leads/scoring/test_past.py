"""People as they were known earlier: nothing that came later shows."""

from __future__ import annotations

from datetime import timedelta

from flask import Flask

from factories import NOON, make_capture, make_consent, make_lead
from handsel.db import db, writing
from handsel.leads.models import Company, Download, Lead, LeadTag
from handsel.leads.qualify.looking import look
from handsel.leads.qualify.people import people
from handsel.leads.scoring.past import Past, pasts
from handsel.leads.stages.models import ProductEvent
from handsel.leads.tracking.models import PageVisit
from handsel.offers.live import current
from handsel.rules.person import Fact
from handsel.rules.scoring import LATER
from support.clock import Clock

DAY = timedelta(days=1)


def past(lead: Lead) -> Past:
    return pasts(db.session(), [db.session.get_one(Lead, lead.id)])[lead.id]


def lived(clock: Clock) -> Lead:
    """A lead with something of everything, each on a day of its own."""
    lead = make_lead(email="ann@acme.example", captured_at=NOON, tags=("energy",), offers=("guide",),
                     consent_text="advice")
    first = make_capture(lead, at=NOON, proven_at=NOON + 3 * DAY, source="fair", answers={
        "email": lead.email, "job_title": "Nurse", "heating": "gas"})
    make_capture(lead, at=NOON + 5 * DAY, proven_at=NOON + 5 * DAY, offer="webinar", answers={
        "email": lead.email, "job_title": "Energy manager"})
    make_capture(lead, at=NOON + 6 * DAY, proven_at=None, answers={"email": lead.email, "job_title": "A stranger"})
    make_consent(lead, at=NOON + 3 * DAY, capture_id=first.id)
    with writing() as session:
        company = Company(domain="acme.example", name="Acme", size=80, at=NOON + 8 * DAY, source="at the desk: Ines")
        session.add(company)
        session.flush()
        session.get_one(Lead, lead.id).company_id = company.id
        session.add_all([
            Download(key="instant", lead_id=lead.id, offer="guide", at=NOON + timedelta(minutes=1)),
            PageVisit(lead_id=lead.id, path="/pricing/", at=NOON + 7 * DAY, offer=""),
            LeadTag(lead_id=lead.id, tag="hot", at=NOON + 9 * DAY, source="by hand"),
            ProductEvent(once="e1", lead_id=lead.id, name="login", at=NOON + 4 * DAY, received_at=NOON + 10 * DAY)])
    clock.set(NOON + 20 * DAY)
    with writing() as session:
        look(session, current(), [lead.id], clock.now)
    return lead


def test_the_person_of_today_by_way_of_the_past_is_the_person_of_today(app: Flask, clock: Clock) -> None:
    lead = lived(clock)
    today = people(db.session(), [db.session.get_one(Lead, lead.id)], clock.now)[lead.id]
    found = past(lead).person(clock.now)
    asked = {name: value for name, value in today.values.items() if name not in LATER}
    assert {name: found.values.get(name) for name in asked} == asked
    assert found.facts == today.facts


def test_a_claim_says_its_piece_only_until_a_mailbox_is_proven(app: Flask, clock: Clock) -> None:
    history = past(lived(clock))
    said = {day: history.person(NOON + day * DAY).values["job_title"] for day in (0, 3, 5, 6, 20)}
    assert said == {0: "Nurse", 3: "Nurse", 5: "Energy manager", 6: "Energy manager", 20: "Energy manager"}
    assert history.person(NOON - DAY).values["job_title"] == ""
    assert history.person(NOON).values["confirmed"] is None
    assert history.person(NOON + 4 * DAY).values["confirmed"] == NOON + 3 * DAY
    assert history.person(NOON + 4 * DAY).told["job_title"].at == NOON + 3 * DAY


def test_what_was_done_before_the_proof_is_unknown_until_then(app: Flask, clock: Clock) -> None:
    history = past(lived(clock))
    assert history.person(NOON + 2 * DAY).facts == ()
    assert [fact.kind for fact in history.person(NOON + 3 * DAY).facts] == ["downloaded", "asked"]


def test_what_reached_us_late_is_unknown_before(app: Flask, clock: Clock) -> None:
    history = past(lived(clock))
    kinds = {day: [fact.kind for fact in history.person(NOON + day * DAY).facts] for day in (9, 10)}
    assert "event" not in kinds[9]
    assert "event" in kinds[10]


def test_companies_tags_and_consents_are_known_from_their_day_on(app: Flask, clock: Clock) -> None:
    history = past(lived(clock))
    before, after = history.person(NOON + 7 * DAY), history.person(NOON + 9 * DAY)
    assert "company_size" not in before.values
    assert after.values["company_size"] == 80
    assert after.told["company_size"].at == NOON + 8 * DAY
    assert (before.values["tag"], after.values["tag"]) == ({"energy"}, {"energy", "hot"})
    assert history.person(NOON + 2 * DAY).values["consent"] == frozenset()
    assert before.values["consent"] == {"advice"}


def test_adding_later_facts_changes_nothing_of_before(app: Flask, clock: Clock) -> None:
    lead = lived(clock)
    moments = [NOON + day * DAY for day in range(12)]
    before = [past(lead).person(at) for at in moments]
    make_capture(lead, at=NOON + 15 * DAY, answers={"email": lead.email, "job_title": "Director", "phone": "1"})
    with writing() as session:
        session.add(PageVisit(lead_id=lead.id, path="/demo/", at=NOON + 16 * DAY, offer=""))
        session.add(LeadTag(lead_id=lead.id, tag="later", at=NOON + 16 * DAY, source="by hand"))
    assert [past(lead).person(at) for at in moments] == before


def test_moments_are_those_at_which_something_was_learned(app: Flask, clock: Clock) -> None:
    history = past(lived(clock))
    days = sorted({(at - NOON) / DAY for at in history.moments(NOON, NOON + 20 * DAY)})
    assert [day for day in days if day == int(day)] == [3, 5, 6, 7, 8, 9, 10]
    assert Fact("visited", "/pricing/", NOON + 7 * DAY, "visit:1")[:3] in [
        fact[:3] for fact in history.person(NOON + 7 * DAY).facts]
