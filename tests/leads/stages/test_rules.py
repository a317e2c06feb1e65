"""How leads go from stage to stage: by the shipped rules, by the offers', by people, and back."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from factories import make_capture, make_lead, make_message
from handsel import clock as handsel_clock
from handsel.accounts.audit import Actor
from handsel.db import db, writing
from handsel.errors import HandselError
from handsel.leads import goals
from handsel.leads.models import Attendance, Lead, LeadFact, Sale
from handsel.leads.qualify.looking import ask
from handsel.leads.stages import bant
from handsel.leads.stages.models import LeadBant, ProductEvent, StageChange
from handsel.leads.stages.moving import move
from handsel.leads.tracking.models import PageVisit
from handsel.mail.models import Attempt
from handsel.offers.project import check
from handsel.worker.qualifying import qualify_now
from support.clock import Clock

ANN = Actor("ann@example.org")


def look(app: Flask, lead: Lead) -> None:
    with writing() as session:
        ask(session, lead.id, handsel_clock.now())
    qualify_now(app)
    db.session.rollback()


def changes(lead: Lead) -> list[tuple[str, str, str, str]]:
    db.session.rollback()
    return [(row.was, row.stage, row.way, row.rule) for row in db.session.scalars(
        select(StageChange).where(StageChange.lead_id == lead.id).order_by(StageChange.id))]


def kind(project: Path, slug: str, name: str, stage: str = "iql") -> None:
    """Make an offer of the sample one of that kind, whose own stage says nothing."""
    file = project / "offers" / slug / "offer.md"
    text = file.read_text()
    for line in text.splitlines():
        if line.startswith("kind:"):
            text = text.replace(line, f"kind: {name}")
        if line.startswith("stage:"):
            text = text.replace(line, f"stage: {stage}")
    file.write_text(text)


def as_webinar(project: Path) -> None:
    """Make the sample's e-book a webinar."""
    file = project / "offers/guide/offer.md"
    event = 'event: {starts_at: 2026-03-10 18:00, duration: 90 minutes, url: "https://meet.example/r"}'
    file.write_text(file.read_text().replace("kind: ebook", "kind: webinar").replace("asset: guide.pdf", event))


def test_an_e_book_makes_an_iql_and_a_claim_nothing_more(app: Flask, clock: Clock) -> None:
    lead = make_lead()
    make_capture(lead)
    claimed = make_lead(confirmed_at=None)
    make_capture(claimed, offer="demo", proven_at=None)
    look(app, lead)
    look(app, claimed)
    assert (changes(lead), changes(claimed)) == ([], [])
    assert db.session.get_one(Lead, lead.id).stage == db.session.get_one(Lead, claimed.id).stage == "iql"


def test_a_mail_that_came_back_makes_nobody_of_a_claim(project: Path, app: Flask, clock: Clock) -> None:
    (project / "content" / "_stages.yml").write_text(
        "rules:\n  - {name: Directs, stage: mql, when: {job_title: {contains: director}}}\n")
    app.extensions["handsel.offers"].refresh()
    lead = make_lead(confirmed_at=None, job_title="Director")
    make_capture(lead, proven_at=None, answers={"email": lead.email, "job_title": "Director"})
    message = make_message(lead, state="failed")
    with writing() as session:
        session.add(Attempt(message_id=message.id, at=clock.now, outcome="failed"))
    look(app, lead)
    assert [fact.kind for fact in db.session.scalars(select(LeadFact).where(LeadFact.lead_id == lead.id))] == [
        "bounced"]
    assert changes(lead) == []


def test_a_product_whitepaper_makes_an_mql_with_reason_version_and_evidence(
        project: Path, app: Flask, clock: Clock) -> None:
    kind(project, "guide", "whitepaper")
    app.extensions["handsel.offers"].refresh()
    lead = make_lead()
    capture = make_capture(lead)
    clock.move(minutes=1)
    look(app, lead)
    row = db.session.scalars(select(StageChange)).one()
    assert (row.was, row.stage, row.way, row.rule, row.hands_over, row.at) == (
        "iql", "mql", "rule", "Asked for a product whitepaper", False, clock.now)
    assert row.evidence == [{"words": "asked for guide", "ref": f"capture:{capture.id}",
                             "at": "2026-03-02T12:00:00.000Z"}]
    assert len(row.version) == 12
    found = db.session.get_one(Lead, lead.id)
    assert (found.stage, found.stage_at) == ("mql", clock.now)
    look(app, lead)
    assert len(changes(lead)) == 1


def test_each_shipped_rule_moves_whom_it_says(project: Path, app: Flask, clock: Clock) -> None:
    as_webinar(project)
    kind(project, "demo", "demo")
    app.extensions["handsel.offers"].refresh()
    at = clock.move(days=1)
    people = {name: make_lead() for name in ("webinar", "pages", "prices", "product", "service", "demo", "few")}
    with writing() as session:
        session.add(Attendance(offer="guide", starts_at=at, lead_id=people["webinar"].id, at=at))
        session.add_all(PageVisit(lead_id=people["pages"].id, at=at, path=f"/products/{number}/")
                        for number in range(3))
        session.add_all(PageVisit(lead_id=people["prices"].id, at=at, path="/pricing/") for _ in range(2))
        session.add_all(PageVisit(lead_id=people["few"].id, at=at, path="/products/1/") for _ in range(2))
        session.add_all(ProductEvent(once=f"p{number}", lead_id=people["product"].id, name="opened", at=at,
                                     received_at=at) for number in range(3))
        session.add(ProductEvent(once="s", lead_id=people["service"].id, name="service-enquiry", at=at,
                                 received_at=at))
    make_capture(people["demo"], offer="demo")
    for lead in people.values():
        look(app, lead)
    assert {name: changes(lead) for name, lead in people.items()} == {
        "webinar": [("iql", "mql", "rule", "Attended a webinar")],
        "pages": [("iql", "mql", "rule", "Came back to the product pages")],
        "prices": [("iql", "mql", "rule", "Came back to the product pages")],
        "product": [("iql", "pql", "rule", "Uses the product")],
        "service": [("iql", "service", "rule", "Asked for service")],
        "demo": [("iql", "mql", "rule", "Asked for a demo or a consultation")],
        "few": [],
    }
    asked = db.session.scalars(select(StageChange).where(StageChange.hands_over)).one()
    assert asked.lead_id == people["demo"].id


def test_an_mql_who_asks_for_a_demo_is_found_ready_for_sales_once(project: Path, app: Flask, clock: Clock) -> None:
    kind(project, "guide", "whitepaper")
    app.extensions["handsel.offers"].refresh()
    lead = make_lead()
    make_capture(lead)
    look(app, lead)
    clock.move(days=1)
    make_capture(lead, offer="demo")
    look(app, lead)
    look(app, lead)
    assert changes(lead) == [("iql", "mql", "rule", "Asked for a product whitepaper"),
                             ("mql", "mql", "rule", "Asked for a demo or a consultation")]


def test_a_step_back_needs_a_reason_and_holds_until_something_new_happens(
        project: Path, app: Flask, clock: Clock) -> None:
    kind(project, "guide", "whitepaper")
    app.extensions["handsel.offers"].refresh()
    lead = make_lead()
    make_capture(lead)
    look(app, lead)
    clock.move(hours=1)
    with pytest.raises(HandselError, match="only with a reason"), writing() as session:
        goals.decide(session, lead.id, "iql", " ", actor=ANN, at=clock.now)
    with writing() as session:
        goals.decide(session, lead.id, "iql", "A student", actor=ANN, at=clock.now)
    look(app, lead)
    clock.move(days=1)
    make_capture(lead, offer="newsletter")
    look(app, lead)
    assert changes(lead)[1:] == [("mql", "iql", "person", "")]
    clock.move(days=1)
    make_capture(lead)
    look(app, lead)
    assert changes(lead)[2:] == [("iql", "mql", "rule", "Asked for a product whitepaper")]


def test_a_rejection_is_a_step_back_even_where_the_stage_stays(app: Flask, clock: Clock) -> None:
    lead = make_lead()
    with writing() as session:
        row = move(session, session.get_one(Lead, lead.id), "iql", way="rejected", reason="Too early", at=clock.now)
        assert row is not None
    make_capture(lead, offer="demo", at=clock.now - timedelta(days=1), proven_at=clock.now - timedelta(days=1))
    look(app, lead)
    assert changes(lead) == [("iql", "iql", "rejected", "")]


def test_rules_never_lead_back_and_a_customer_stays_one(app: Flask, clock: Clock) -> None:
    lead = make_lead()
    with writing() as session:
        session.add(Sale(lead_id=lead.id, at=clock.now, cents=100, currency="GBP"))
        goals.decide(session, lead.id, "customer", "", actor=ANN, at=clock.now)
    clock.move(days=1)
    make_capture(lead, offer="demo")
    look(app, lead)
    assert changes(lead) == [("iql", "customer", "person", "")]


def test_two_merged_mailboxes_stand_where_the_further_one_stood_and_part_again(app: Flask, clock: Clock) -> None:
    head, other = make_lead(), make_lead()
    with writing() as session:
        goals.decide(session, other.id, "sql", "", actor=ANN, at=clock.now)
    at = clock.move(hours=1)
    with writing() as session:
        session.get_one(Lead, other.id).merged_into_id = head.id
    look(app, head)
    found = db.session.get_one(Lead, head.id)
    assert (found.stage, found.stage_at) == ("sql", at - timedelta(hours=1))
    with writing() as session:
        session.get_one(Lead, other.id).merged_into_id = None
    look(app, head)
    assert db.session.get_one(Lead, head.id).stage == "iql"
    assert changes(head) == []


BANT_FIELDS = """fields:
  funds:
    label: Money set aside
    type: choice
    choices: {none: Not yet, some: Up to 5000}
    bant: budget
    bant_no: [none]
  decides: {label: Decides alone, type: yes-no, bant: authority}
"""


def test_bant_is_answered_by_forms_and_sellers_and_four_answers_ask_sales(
        project: Path, app: Flask, clock: Clock) -> None:
    (project / "content/_fields.yml").write_text(BANT_FIELDS)
    app.extensions["handsel.offers"].refresh()
    lead = make_lead()
    said = {"email": lead.email, "funds": "some", "decides": "no"}
    capture = make_capture(lead, answers=said)
    look(app, lead)

    def answers() -> dict[str, tuple[bool, str, str, str, str]]:
        db.session.rollback()
        return {row.question: (row.met, row.value, row.evidence, row.source, row.actor)
                for row in db.session.scalars(select(LeadBant).where(LeadBant.lead_id == lead.id))}

    assert answers() == {"budget": (True, "Up to 5000", "Money set aside", "form:short", ""),
                         "authority": (False, "No", "Decides alone", "form:short", "")}
    clock.move(days=1)
    with writing() as session:
        for question, value in (("authority", "Signs herself"), ("need", "New boiler"), ("timeline", "By May")):
            bant.answer(session, session.get_one(Lead, lead.id), question, met=True, value=value,
                        evidence="In a call", actor=ANN, at=clock.now)
    look(app, lead)
    assert answers()["authority"] == (True, "Signs herself", "In a call", "seller", "ann@example.org")
    assert db.session.get_one(LeadBant, (lead.id, "budget")).ref == f"capture:{capture.id}"
    assert changes(lead) == [("iql", "mql", "rule", "All four BANT questions are answered")]
    assert db.session.scalars(select(StageChange.hands_over)).all() == [True]
    clock.move(days=1)
    with writing() as session:
        bant.answer(session, session.get_one(Lead, lead.id), "need", met=None, value="", evidence="", actor=ANN,
                    at=clock.now)
    look(app, lead)
    assert sorted(answers()) == ["authority", "budget", "timeline"]


@pytest.mark.parametrize(("text", "told"), [
    ("rules:\n  - name: A\n    stage: customer\n    when: {score: {at_least: 5}}\n", "content/_stages.yml:3"),
    ("rules:\n  - name: A\n    stage: mql\n    when: {downloaded: nothing-here}\n", "content/_stages.yml:4"),
    ("rules:\n  - name: A\n    stage: mql\n    when: {job_titel: {contains: boss}}\n", "Did you mean"),
    ("rules:\n  - name: A\n    stage: mql\n", "The rule says not when."),
    ("rules:\n  - {name: A, stage: mql, when: {stage: iql}}\n  - {name: A, stage: sql, when: {stage: iql}}\n",
     "There are two rules called 'A'."),
])
def test_a_rule_that_means_nothing_is_a_named_fault(project: Path, text: str, told: str) -> None:
    (project / "content/_stages.yml").write_text(text)
    assert told in "\n".join(map(str, check(project)))


def test_time_alone_leads_further_where_a_rule_says_so(project: Path, app: Flask, clock: Clock) -> None:
    (project / "content/_stages.yml").write_text("""rules:
  - name: Still here after a month
    stage: mql
    when:
      asked: guide
      captured: {older_than: 30 days}
  - name: Silent for a week
    stage: mql
    when:
      asked: newsletter
      not: {visited: {within: 7 days}}
""")
    app.extensions["handsel.offers"].refresh()
    month, week, other = make_lead(), make_lead(), make_lead()
    make_capture(month)
    make_capture(week, offer="newsletter")
    with writing() as session:
        session.add(PageVisit(lead_id=week.id, at=clock.now, path="/"))
    for lead in (month, week, other):
        look(app, lead)
    assert (changes(month), changes(week)) == ([], [])
    clock.move(days=7, minutes=2)
    qualify_now(app)
    assert changes(week) == [("iql", "mql", "rule", "Silent for a week")]
    clock.move(days=23)
    qualify_now(app)
    assert changes(month) == [("iql", "mql", "rule", "Still here after a month")]
    assert changes(other) == []
