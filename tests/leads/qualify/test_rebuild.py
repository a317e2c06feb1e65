"""Whatever happened to leads, in any order: what is kept up as it happens is what the facts give, made anew."""

from __future__ import annotations

import random
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, select, update

from handsel.accounts.audit import Actor
from handsel.db import db, writing
from handsel.errors import HandselError
from handsel.leads import goals, merging, profile, rebuild
from handsel.leads.attending import attend
from handsel.leads.confirm import prove
from handsel.leads.consents import Way
from handsel.leads.download import press
from handsel.leads.models import Capture, Company, Grant, Lead, LeadFact, LeadOffer, LeadTag
from handsel.leads.qualify.looking import ask
from handsel.leads.stages import bant, product
from handsel.leads.stages.models import LeadBant
from handsel.leads.tracking.models import PageVisit
from handsel.leads.unsubscribe import unsubscribe
from handsel.worker.qualifying import qualify_now
from support.clock import Clock
from support.funnel import ADVICE, make_offer, take

ANN = Actor("ann@example.org")
FIELDS = """fields:
  funds: {label: Money set aside, type: choice, choices: {none: Not yet, some: Some}, bant: budget, bant_no: [none]}
  team: {label: Team, type: text}
"""
SEGMENTS = """segments:
  warm: {label: Warm, tag: warm, when: {any: [{downloaded: true}, {event: {times: 2}}]}}
"""
VIEWS: tuple[Any, ...] = (LeadFact, LeadBant)
MADE = [column.name for column in Lead.__table__.columns if column.name not in {"id", "key", "merged_into_id"}]


class History:
    """A few people and what befalls them."""

    def __init__(self, app: Flask, clock: Clock, seed: int) -> None:
        self.app, self.clock, self.chance = app, clock, random.Random(seed)
        self.acts: tuple[Callable[[], None], ...] = (
            self.ask, self.ask, self.ask, self.prove, self.prove, self.prove, self.fetch, self.fetch, self.visit,
            self.visit, self.use, self.use, self.learn, self.decide, self.sell, self.leave, self.tag, self.merge,
            self.part, self.attend)
        self.number = 0

    def one(self, session: Any, model: Any) -> Any:
        rows = session.scalars(select(model).order_by(model.id)).all()
        return self.chance.choice(rows) if rows else None

    def run(self, steps: int) -> None:
        for _ in range(steps):
            self.clock.move(hours=self.chance.randrange(1, 60))
            self.chance.choice(self.acts)()
            if self.chance.random() < .6:
                qualify_now(self.app)
        self.clock.move(days=self.chance.randrange(20))
        qualify_now(self.app)

    def lead(self, act: Callable[[Any, Lead], object]) -> None:
        try:
            with writing() as session:
                lead = self.one(session, Lead)
                if lead is not None:
                    act(session, lead)
        except HandselError:
            pass  # what may not be, such as a merge of one with itself, changes nothing

    def ask(self) -> None:
        who = self.chance.choice(["ann", "bob", "cy", "dee", "eve"])
        house = self.chance.choice(["mill.example", "forge.example", "gmail.com"])
        take(self.app, f"{who}@{house}", (ADVICE,) if self.chance.random() < .5 else (),
             offer=make_offer(self.chance.choice(["guide", "demo", "newsletter"]), tags=(self.chance.choice("pqr"),)),
             first_name=self.chance.choice(["Ann", "Bob", ""]), company=self.chance.choice(["Mill", ""]),
             job_title=self.chance.choice(["Manager", "Head of energy", ""]), team=self.chance.choice(["", "x"]),
             funds=self.chance.choice(["none", "some", ""]))

    def prove(self) -> None:
        with writing() as session:
            capture = self.one(session, Capture)
            if capture is not None:
                prove(session, capture, Way("test"), self.clock.now)

    def fetch(self) -> None:
        with writing() as session:
            grant = self.one(session, Grant)
            if grant is not None:
                press(session, grant, Way("test"), self.clock.now)

    def visit(self) -> None:
        path = self.chance.choice(["/", "/pricing/", "/products/a/"])

        def seen(session: Any, lead: Lead) -> None:
            session.add(PageVisit(lead_id=lead.id, at=self.clock.now, path=path))
            ask(session, lead.id, self.clock.now)

        self.lead(seen)

    def use(self) -> None:
        self.number += 1
        told = product.Told(f"e{self.number}", "", self.chance.choice(["opened", "service-enquiry"]), None, 0.0)
        self.lead(lambda session, lead: product.take(session, [told._replace(email=lead.email)], "app",
                                                     self.clock.now))

    def learn(self) -> None:
        question, met = self.chance.choice(["budget", "need"]), self.chance.choice([True, False, None])
        self.lead(lambda session, lead: bant.answer(session, lead, question, met=met, value="So they said",
                                                    evidence="", actor=ANN, at=self.clock.now))

    def decide(self) -> None:
        stage = self.chance.choice(["iql", "mql", "sql"])
        self.lead(lambda session, lead: goals.decide(session, lead.id, stage, "Because", actor=ANN, at=self.clock.now))

    def sell(self) -> None:
        if self.chance.random() < .3:
            self.lead(lambda session, lead: goals.sell(session, lead.id, Decimal(100), "GBP", actor=ANN,
                                                       at=self.clock.now))

    def leave(self) -> None:
        self.lead(lambda session, lead: unsubscribe(session, lead, "", Way("test"), self.clock.now))

    def tag(self) -> None:
        self.lead(lambda session, lead: profile.add_tag(session, lead, "vip", self.clock.now, "by hand"))

    def attend(self) -> None:
        offer = make_offer("guide")
        offer.meta.__dict__["event"] = type("Event", (), {"starts_at": self.clock.now})()
        self.lead(lambda session, lead: attend(session, lead, offer, self.clock.now))

    def merge(self) -> None:
        project = self.app.extensions["handsel.offers"].project

        def act(session: Any, lead: Lead) -> None:
            other = self.one(session, Lead)
            merging.merge(session, project, lead.id, other.id, actor=ANN, at=self.clock.now)

        self.lead(act)

    def part(self) -> None:
        project = self.app.extensions["handsel.offers"].project
        self.lead(lambda session, lead: merging.part(session, project, lead.id, actor=ANN, at=self.clock.now))


def held() -> dict[str, list[Any]]:
    """All that is believed."""
    db.session.rollback()
    told = {view.__tablename__: sorted(map(tuple, db.session.execute(select(view.__table__)))) for view in VIEWS}
    # A merged mailbox stands in no list; what it has of its own is judged again when the two part.
    for name, columns in (("lead", [Lead.id, *(getattr(Lead, name) for name in MADE)]),
                          ("lead_tag", [LeadTag.lead_id, LeadTag.tag, LeadTag.source]),
                          ("lead_offer", [LeadOffer.lead_id, LeadOffer.offer]),
                          ("company", [Company.domain, Company.name])):
        query = select(*columns)
        if name == "lead":
            query = query.where(Lead.merged_into_id.is_(None))
        elif name == "lead_tag":
            query = query.join(Lead, Lead.id == LeadTag.lead_id).where(Lead.merged_into_id.is_(None))
        told[name] = sorted((tuple(row) for row in db.session.execute(query)), key=repr)
    return told


def throw_away() -> None:
    """Every view of leads, as far as it is made of other rows."""
    with writing() as session:
        for view in VIEWS:
            session.execute(delete(view))
        session.execute(delete(LeadTag).where(LeadTag.source.like("rule:%")))
        session.execute(update(Lead).values(
            first_name="Somebody", company="", job_title="", custom={}, stage="customer", stage_at=None, score=999,
            fit=1, interest=1, tags_text="none", offers_text="none", consent_text="all", source="nowhere",
            confirmed_at=None, look_at=None, acted_at=None))


@pytest.mark.parametrize("seed", range(4))
def test_leads_made_anew_are_the_leads_kept_up(project: Path, app: Flask, clock: Clock, seed: int) -> None:
    (project / "content/_fields.yml").write_text(FIELDS)
    (project / "content/_segments.yml").write_text(SEGMENTS)
    assert app.extensions["handsel.offers"].refresh().faults == ()
    History(app, clock, seed).run(90)
    kept = held()
    assert len(kept["lead_fact"]) > 20
    throw_away()
    list(rebuild.rebuild())
    made = held()
    for name, rows in kept.items():
        assert made[name] == rows, name
