"""Claims and proofs in any order: what a lead shows is what its proven captures say, kept up or made anew."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from factories import make_capture, make_lead
from handsel import clock as handsel_clock
from handsel.accounts.audit import Actor
from handsel.db import db, writing
from handsel.leads import merging
from handsel.leads.confirm import prove
from handsel.leads.consents import Way
from handsel.leads.handoff.models import Handoff
from handsel.leads.models import Capture, Consent, Grant, Lead, LeadTag
from handsel.leads.profile import Said, profile, refresh
from handsel.leads.segments.sql import where
from handsel.leads.unsubscribe import unsubscribe
from handsel.offers.live import current
from handsel.rules.catalogue import BUILT_IN
from handsel.rules.conditions import Holds
from handsel.worker.qualifying import qualify_now
from support.funnel import ADVICE, NEWS, make_offer, make_visit, take

VIEW = [column.name for column in Lead.__table__.columns if column.name not in {"id", "key", "score", "owner_id"}]
ANSWERS = st.dictionaries(st.sampled_from(["email", "name", "company", "team", "seats"]),
                          st.sampled_from(["", "x", "y", 3]), max_size=4)


@given(st.lists(st.tuples(ANSWERS, st.booleans()), max_size=8))
def test_claims_change_nothing_once_anything_is_proven(said: list[tuple[dict[str, Any], bool]]) -> None:
    captures = [Said(answers, proven) for answers, proven in said]
    proven = [capture for capture in captures if capture.proven]
    if proven:
        assert profile(captures) == profile(proven)
    newest = {name: str(value) for capture in (proven or captures) for name, value in capture.answers.items() if value}
    shown = profile(captures)
    assert (shown["name"], shown["company"]) == (newest.get("name", ""), newest.get("company", ""))


def act(session: Any, chance: random.Random) -> None:
    """Prove one capture, or leave."""
    captures = session.scalars(select(Capture)).all()
    if not captures:
        return
    if chance.random() < .25:
        unsubscribe(session, session.get(Lead, captures[0].lead_id), chance.choice(["", "advice"]), Way("test"),
                    handsel_clock.now())
    else:
        prove(session, chance.choice(captures), Way("test"), handsel_clock.now())


@pytest.mark.parametrize("seed", range(6))
def test_a_lead_made_anew_is_the_lead_kept_up(app: Flask, clock: Any, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(25):
        clock.move(minutes=chance.randrange(30))
        if chance.random() < .5:
            consents = chance.choice([(), (ADVICE,), (ADVICE, NEWS)])
            take(app, chance.choice(["ann@example.org", "ANN@example.org"]), consents,
                 offer=make_offer(chance.choice(["guide", "demo"]), tags=(chance.choice("pqr"),)),
                 name=chance.choice(["Ann", "=Mallory", ""]), company=chance.choice(["", "A, B", "C"]),
                 team=chance.choice(["", "x"]), seats=chance.randrange(3))
        else:
            with writing() as session:
                act(session, chance)
    with writing() as session:
        lead = session.scalars(select(Lead)).one()
        before = {name: getattr(lead, name) for name in VIEW}
        refresh(session, lead)
        after = {name: getattr(lead, name) for name in VIEW}
    assert after == before


def test_a_hundred_claims_while_the_owner_proves_change_nothing_that_is_proven(app: Flask) -> None:
    take(app, name="Ann", company="Real Books")

    def claim(number: int) -> None:
        with app.app_context():
            take(app, name="Mallory", company=f"Fake {number}", seen=make_visit(f"10.0.{number}.1"))

    def own(_: int) -> None:
        with app.app_context():
            with writing() as session:
                capture = session.scalars(select(Capture).order_by(Capture.id)).first()
                assert capture is not None
                prove(session, capture, Way("download"), handsel_clock.now())
            db.session.remove()

    with ThreadPoolExecutor(12) as pool:
        jobs = [pool.submit(own if number == 50 else claim, number) for number in range(100)]
        for job in jobs:
            job.result()
    db.session.rollback()
    lead = db.session.scalars(select(Lead)).one()
    assert (lead.name, lead.company) == ("Ann", "Real Books")
    claim(101)
    db.session.rollback()
    assert (lead.name, lead.company) == ("Ann", "Real Books")


def test_proving_one_claim_confirms_only_what_was_ticked_in_it(app: Flask, clock: Any) -> None:
    take(app, consents=(ADVICE,))
    clock.move(hours=1)
    take(app, consents=(NEWS,), seen=make_visit("10.9.9.9"), name="Mallory")
    first = db.session.scalars(select(Capture).order_by(Capture.id)).first()
    assert first is not None
    with writing() as session:
        prove(session, session.merge(first), Way("download"), clock.now)
    confirmed = db.session.scalars(select(Consent.purpose).where(Consent.state == "confirmed")).all()
    assert confirmed == ["advice"]


def test_the_same_form_sent_twice_by_one_person_is_proven_by_one_mail(app: Flask, clock: Any) -> None:
    take(app, consents=(ADVICE,), name="Ann")
    clock.move(minutes=1)
    take(app, consents=(ADVICE,), name="Ann")
    assert len(db.session.scalars(select(Grant)).all()) == 1
    first = db.session.scalars(select(Capture).order_by(Capture.id)).first()
    assert first is not None
    with writing() as session:
        prove(session, session.merge(first), Way("download"), clock.now)
    assert all(db.session.scalars(select(Capture.proven_at)))


STAGES_BY_TAG = """
rules:
  - {name: Has the tag, stage: mql, when: {tag: reading}}
  - {name: Asked for it, stage: sql, when: {offer: guide}}
"""


def test_what_a_stranger_types_qualifies_nobody_until_it_is_proven(
        project: Path, make_app: Callable[..., Flask], clock: Any) -> None:
    (project / "content/_stages.yml").write_text(STAGES_BY_TAG)
    (project / "content/_scoring.yml").write_text(
        "fit:\n  rules:\n    Asked: {when: {offer: guide}, points: 20}\n    Reads: {when: {tag: reading}, points: 5}\n")
    app = make_app()
    with app.app_context():
        known = make_lead(email="ann@example.org")
        make_capture(known, offer="gone")
        taken = take(app, "ann@example.org")
        take(app, "new@example.org")
        qualify_now(app)
        found = {lead.email: lead for lead in db.session.scalars(select(Lead))}
        assert {email: (lead.stage, lead.score, lead.tags_text, lead.offers_text) for email, lead in found.items()} == {
            "ann@example.org": ("iql", 0, "reading", "guide"), "new@example.org": ("iql", 0, "reading", "guide")}
        assert db.session.scalars(select(Handoff)).all() == []
        of_rule = Holds(BUILT_IN["offer"], ("guide",), ("guide",))
        assert db.session.scalars(select(Lead.id).where(where(of_rule, clock()))).all() == []
        with writing() as session:
            prove(session, session.scalars(select(Capture).where(Capture.key == taken.key)).one(), Way("test"), clock())
        qualify_now(app)
        db.session.rollback()
        lead = db.session.get_one(Lead, known.id)
        assert (lead.stage, lead.score) == ("mql", 25)
        assert db.session.scalars(select(Lead.id).where(where(of_rule, clock()))).all() == [known.id]
        assert [handoff.lead_id for handoff in db.session.scalars(select(Handoff))] == [known.id]


def test_a_claimed_tag_lends_itself_to_nobody(app: Flask, clock: Any) -> None:
    head = make_lead()
    taken = take(app, "ann@example.org")
    joins = db.session.scalars(select(Lead).where(Lead.email == "ann@example.org")).one()
    with writing() as session:
        merging.merge(session, current(), head.id, joins.id, actor=Actor("sara"), at=clock())
    assert tags_of(head.id) == []
    with writing() as session:
        prove(session, session.scalars(select(Capture).where(Capture.key == taken.key)).one(), Way("test"), clock())
    qualify_now(app)
    assert tags_of(head.id) == ["reading"]


def tags_of(lead_id: int) -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(select(LeadTag.tag).where(LeadTag.lead_id == lead_id)))
