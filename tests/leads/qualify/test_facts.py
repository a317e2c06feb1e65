"""What leads did, kept in one shape from the tables where it happened."""

from __future__ import annotations

from datetime import timedelta

from flask import Flask
from sqlalchemy import select

from factories import make_capture, make_lead
from handsel.db import db, writing
from handsel.leads.models import Attendance, Download, Lead, LeadFact, Sale
from handsel.leads.stages.models import ProductEvent
from handsel.worker.qualifying import qualify_now
from support.clock import Clock


def ask_all() -> None:
    with writing() as session:
        for lead in session.scalars(select(Lead)):
            lead.look_at = lead.captured_at


def kept(lead_id: int) -> list[tuple[str, str, float]]:
    db.session.rollback()
    return [(fact.kind, fact.name, fact.value) for fact in db.session.scalars(
        select(LeadFact).where(LeadFact.lead_id == lead_id).order_by(LeadFact.at, LeadFact.ref))]


def test_claims_are_no_facts_and_a_proven_capture_brings_its_downloads_along(app: Flask, clock: Clock) -> None:
    lead = make_lead(confirmed_at=None)
    capture = make_capture(lead, proven_at=None)
    at = clock.move(minutes=5)
    with writing() as session:
        session.add(Download(key="k" * 22, lead_id=lead.id, offer="guide", at=at))
    ask_all()
    assert qualify_now(app) == 1
    assert kept(lead.id) == []
    with writing() as session:
        session.get_one(type(capture), capture.id).proven_at = clock.move(hours=1)
    ask_all()
    qualify_now(app)
    assert kept(lead.id) == [("downloaded", "guide", 0.0), ("asked", "guide", 0.0)]
    assert db.session.get_one(Lead, lead.id).acted_at == clock.now


def test_a_lead_has_the_facts_of_all_mailboxes_that_were_merged_into_it(app: Flask, clock: Clock) -> None:
    head, other = make_lead(), make_lead()
    make_capture(head)
    make_capture(other, offer="demo")
    at = clock.move(days=1)
    with writing() as session:
        session.get_one(Lead, other.id).merged_into_id = head.id
        session.add(Attendance(offer="webinar", starts_at=at, lead_id=other.id, at=at))
        session.add(Sale(lead_id=head.id, at=at + timedelta(hours=1), cents=12050, currency="GBP"))
        session.add(ProductEvent(once="e1", lead_id=other.id, name="invited", at=at + timedelta(hours=2), value=3,
                                 received_at=at))
    ask_all()
    qualify_now(app)
    assert sorted(kept(head.id)[:2]) == [("asked", "demo", 0.0), ("asked", "guide", 0.0)]
    assert kept(head.id)[2:] == [("attended", "webinar", 0.0), ("bought", "GBP", 120.5), ("event", "invited", 3.0)]
    assert kept(other.id) == []
    with writing() as session:
        session.get_one(Lead, other.id).merged_into_id = None
    ask_all()
    qualify_now(app)
    assert kept(head.id) == [("asked", "guide", 0.0), ("bought", "GBP", 120.5)]
    assert [kind for kind, _, _ in kept(other.id)] == ["asked", "attended", "event"]
