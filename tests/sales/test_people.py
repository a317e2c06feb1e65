"""Who a lead is, as sellers see and mend it: answers with their sources, leads put down by hand, merges, companies."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from factories import NOON, make_capture, make_company, make_lead
from handsel.accounts.models import AuditEntry
from handsel.db import db, writing
from handsel.leads.forget import forget
from handsel.leads.models import Capture, Company, Lead
from handsel.leads.profile import refresh
from handsel.leads.qualify.looking import look
from handsel.leads.similar import similar
from handsel.leads.told import questions_of
from handsel.offers.live import current
from support.clock import Clock
from support.desk import AtDesk

FIELDS = """\
fields:
  readers: {label: Readers, type: number}
  shelf: {label: Kind of shelf, type: choice, choices: {oak: Oak, pine: Pine}}
  genres: {label: Genres, type: choices, choices: {crime: Crime, poetry: Poetry}}
  visits_on: {label: Visits us on, type: date}
  member: {label: Member, type: yes-no}
"""


@pytest.fixture
def project(project: Path) -> Path:
    """The sample with fields of its own."""
    (project / "content" / "_fields.yml").write_text(FIELDS)
    return project


def text_of(page: str) -> str:
    main = page[page.index("<main"):page.index("</main>")]
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", main)))


def said(lead: Lead, hours_ago: int, *, proven: bool = True, **answers: Any) -> Capture:
    at = NOON - timedelta(hours=hours_ago)
    return make_capture(lead, at=at, proven_at=at if proven else None, answers={"email": lead.email} | answers)


def of(lead: Lead) -> Lead:
    db.session.rollback()
    return db.session.get_one(Lead, lead.id, populate_existing=True)


def refreshed(*leads: Lead) -> None:
    with writing() as session:
        for lead in leads:
            refresh(session, session.get_one(Lead, lead.id))


@pytest.fixture
def ann(app: Flask, clock: Clock) -> Lead:
    """A lead of whom two forms and a stranger said different things."""
    lead = make_lead(email="ann@works.example")
    said(lead, 9, company="Works", job_title="Buyer")
    said(lead, 5, company="Works Ltd")
    said(lead, 1, proven=False, company="Evil & Sons", job_title="Thief")
    refreshed(lead)
    return of(lead)


def test_answers_that_differ_stand_on_the_page_with_their_sources(app: Flask, ann: Lead) -> None:
    page = text_of(AtDesk(app, "sales").get(f"/desk/leads/{ann.id}").text)

    told = page[page.index("Answers that differ"):]
    assert "Works Ltd Proven form for The small guide to finishing books" in told
    assert re.search(r"Evil & Sons Claim .*?Works Proven", told)
    assert "Thief Claim" in told
    assert (ann.company, ann.job_title) == ("Works Ltd", "Buyer")


def test_each_answer_is_told_once_with_the_one_that_stands_first(ann: Lead) -> None:
    said(ann, 0, company="Works Ltd")

    found = {question.field.name: question for question in questions_of(db.session(), current(), ann)}

    assert [(told.answer, told.standing, told.times, told.stands) for told in found["company"].told] == [
        ("Works Ltd", "proven", 2, True), ("Evil & Sons", "claim", 1, False), ("Works", "proven", 1, False)]
    assert found["company"].differs
    assert not found["country"].told


def test_a_correction_is_a_fact_that_stands_until_the_person_says_something_newer(
        app: Flask, ann: Lead, clock: Clock) -> None:
    sales = AtDesk(app, "sales")

    answer = sales.post(f"/desk/leads/{ann.id}/answers", **{"f-company": "Works Limited", "f-job_title": "Buyer"})

    assert answer.status_code == 303
    assert (of(ann).company, of(ann).job_title) == ("Works Limited", "Buyer")
    put = db.session.scalars(select(Capture).where(Capture.form == "hand")).one()
    assert put.answers == {"company": "Works Limited", "email": "ann@works.example"}
    assert (put.source, put.proven_at) == (f"by hand: {sales.email}", None)
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "corrected a lead")).one()
    assert (entry.actor, entry.detail) == (sales.email, {"fields": ["company"]})
    clock.move(hours=1)
    make_capture(ann, at=clock.now, answers={"email": ann.email, "company": "A claim"}, proven_at=None)
    refreshed(ann)
    assert of(ann).company == "Works Limited"
    clock.move(hours=1)
    make_capture(ann, at=clock.now, answers={"email": ann.email, "company": "The Works"})
    refreshed(ann)
    assert of(ann).company == "The Works"
    assert "Works Limited By hand" in text_of(sales.get(f"/desk/leads/{ann.id}/answers").text)


def test_nothing_is_put_down_when_nothing_was_changed(app: Flask, ann: Lead) -> None:
    sales = AtDesk(app, "sales")
    page = sales.get(f"/desk/leads/{ann.id}/answers").text
    shown = dict(re.findall(r'<input id="(f-[a-z_]+)" name="[^"]+" value="([^"]*)"', page))

    assert sales.post(f"/desk/leads/{ann.id}/answers", **shown).status_code == 303

    assert db.session.scalars(select(Capture).where(Capture.form == "hand")).all() == []


def test_an_answer_can_be_taken_away(app: Flask, ann: Lead) -> None:
    AtDesk(app, "sales").post(f"/desk/leads/{ann.id}/answers", **{"f-job_title": ""})

    assert of(ann).job_title == ""
    assert db.session.scalars(select(Capture.answers).where(Capture.form == "hand")).one()["job_title"] is None


def test_fields_of_ones_own_have_their_type_at_the_desk(app: Flask, ann: Lead) -> None:
    sales = AtDesk(app, "sales")

    sales.post(f"/desk/leads/{ann.id}/answers", **{
        "f-readers": "1,200", "f-shelf": "pine", "f-genres": ["", "crime", "poetry"], "f-visits_on": "2026-12-24",
        "f-member": "no"})

    assert of(ann).custom == {"readers": 1200, "shelf": "pine", "genres": ["crime", "poetry"],
                              "visits_on": "2026-12-24", "member": False}
    page = text_of(sales.get(f"/desk/leads/{ann.id}").text)
    for words in ("Readers 1200", "Kind of shelf Pine", "Genres Crime, Poetry", "Visits us on 2026-12-24", "Member no"):
        assert words in page


@pytest.mark.parametrize(("name", "typed", "words"), [
    ("readers", "many", "Write a number in digits"), ("shelf", "glass", "Choose one of the answers offered"),
    ("visits_on", "tomorrow", "Write the date as year-month-day"), ("phone", "call me", "Write the phone number"),
    ("name", "x" * 61, "Shorten the name")])
def test_what_cannot_be_read_comes_back_with_words_that_help(
        app: Flask, ann: Lead, name: str, typed: str, words: str) -> None:
    answer = AtDesk(app, "sales").post(f"/desk/leads/{ann.id}/answers", **{f"f-{name}": typed, "f-company": "Kept"})

    assert answer.status_code == 422
    assert words in unescape(answer.text)
    assert "<title>Error: " in answer.text
    assert 'value="Kept"' in answer.text
    assert of(ann).company == "Works Ltd"


def test_a_lead_can_be_put_down_by_hand(app: Flask, clock: Clock) -> None:
    sales = AtDesk(app, "sales")

    answer = sales.post("/desk/leads/new", **{"f-email": " Bob@Works.example ", "f-name": "Bob Rowe", "f-readers": "7"})

    lead = db.session.scalars(select(Lead).where(Lead.email == "bob@works.example")).one()
    assert answer.headers["Location"] == f"/desk/leads/{lead.id}"
    assert (lead.name, lead.custom, lead.stage, lead.confirmed_at, lead.consent_text, lead.source) == (
        "Bob Rowe", {"readers": 7}, "iql", None, "", f"by hand: {sales.email}")
    company = db.session.get(Company, lead.company_id)
    assert company is not None
    assert company.domain == "works.example"
    assert "Put down by hand" in text_of(sales.get(f"/desk/leads/{lead.id}").text)


def test_no_claim_covers_what_was_put_down_by_hand(app: Flask, clock: Clock) -> None:
    AtDesk(app, "sales").post("/desk/leads/new", **{"f-email": "bob@works.example", "f-name": "Bob Rowe"})
    lead = db.session.scalars(select(Lead)).one()
    clock.move(hours=1)
    make_capture(lead, at=clock.now, proven_at=None, answers={"email": lead.email, "name": "Mallory", "phone": "1"})

    with writing() as session:
        look(session, current(), [lead.id], clock.now)

    assert (of(lead).name, of(lead).phone) == ("Bob Rowe", "1")


def test_who_is_there_or_asked_to_be_erased_cannot_be_put_down_anew(app: Flask, ann: Lead, clock: Clock) -> None:
    sales, gone = AtDesk(app, "sales"), make_lead(email="gone@works.example")
    with writing() as session:
        forget(session, session.get_one(Lead, gone.id), clock.now, "the person")

    there = sales.post("/desk/leads/new", **{"f-email": "ANN@works.example"})
    erased = sales.post("/desk/leads/new", **{"f-email": "gone@works.example"})
    nobody = sales.post("/desk/leads/new", **{"f-email": "nobody"})

    assert [answer.status_code for answer in (there, erased, nobody)] == [422, 422, 422]
    assert "There is a lead with the address ann@works.example already." in there.text
    assert f'href="/desk/leads/{ann.id}"' in there.text
    assert "asked to be erased" in erased.text
    assert "That is not an e-mail address." in nobody.text
    assert len(db.session.scalars(select(Lead)).all()) == 1


def test_two_leads_are_merged_after_a_preview_and_parted_again(app: Flask, ann: Lead) -> None:
    home = make_lead(email="ann@home.example", name="Ann")
    said(home, 2, phone="+44 113 496 0000", company="Works Ltd")
    refreshed(home)
    sales = AtDesk(app, "sales")

    preview = sales.get(f"/desk/leads/{ann.id}/merge?with=Ann@home.example").text
    assert "Phone – +44 113 496 0000 +44 113 496 0000" in text_of(preview)
    assert of(home).merged_into_id is None
    answer = sales.post(f"/desk/leads/{ann.id}/merge/{home.id}")

    assert answer.headers["Location"] == f"/desk/leads/{ann.id}"
    assert (of(home).merged_into_id, of(ann).phone) == (ann.id, "+44 113 496 0000")
    page = sales.get(f"/desk/leads/{ann.id}").text
    assert "ann@home.example Proven May get: only what they ask for Part" in text_of(page)
    assert f'action="/desk/leads/{home.id}/parting"' in page
    assert "This mailbox belongs to" in sales.get(f"/desk/leads/{home.id}").text
    sales.post(f"/desk/leads/{home.id}/parting", back="head")
    assert (of(home).merged_into_id, of(ann).phone) == (None, "")


def test_a_merge_that_cannot_be_says_why(app: Flask, ann: Lead) -> None:
    sales, other, third = AtDesk(app, "sales"), make_lead(email="b@x.example"), make_lead(email="c@x.example")
    sales.post(f"/desk/leads/{ann.id}/merge/{other.id}")

    assert "There is no lead with the address" in sales.get(f"/desk/leads/{ann.id}/merge?with=no@x.example").text
    assert "cannot be merged with itself" in sales.get(f"/desk/leads/{ann.id}/merge?with={ann.email}").text
    refused = text_of(sales.get(f"/desk/leads/{third.id}/merge?with=b@x.example").text)
    assert "b@x.example was merged into ann@works.example." in refused
    assert "Merge the two" not in refused
    sales.post(f"/desk/leads/{third.id}/merge/{other.id}")
    assert of(other).merged_into_id == ann.id


def test_a_company_lists_its_leads_and_can_be_described(app: Flask, ann: Lead) -> None:
    bob = make_lead(email="bob@works.example", name="Bob")
    with writing() as session:
        look(session, current(), [ann.id, bob.id], NOON)
    sales, number = AtDesk(app, "sales"), of(ann).company_id
    page = sales.get(f"/desk/companies/{number}").text
    assert {f"/desk/leads/{ann.id}", f"/desk/leads/{bob.id}"} <= set(re.findall(r'href="([^"]+)"', page))
    assert ">Works</h1>" in page.replace("\n", "")

    sales.post(f"/desk/companies/{number}", name="Works Group", size="1,250", industry="Printing", revenue="30000000",
               country="France")

    company = db.session.get_one(Company, number, populate_existing=True)
    assert (company.name, company.size, company.industry, company.revenue, company.country, company.source) == (
        "Works Group", 1250, "Printing", 30_000_000, "France", f"at the desk: {sales.email}")
    assert "Works Group works.example People in the company 1,250 Industry Printing" in text_of(
        sales.get(f"/desk/leads/{ann.id}").text)
    found = text_of(sales.get("/desk/companies?search=group").text)
    assert "Works Group works.example 2 1,250 Printing France" in found
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "described a company")).one()
    assert entry.subject == f"company:{number}"


@pytest.mark.parametrize("typed", ["many", "-1", "99999999999", "1" * 400])
def test_a_companys_size_is_a_number_that_can_be(app: Flask, typed: str) -> None:
    company = make_company(size=3)

    answer = AtDesk(app, "sales").post(f"/desk/companies/{company.id}", size=typed)

    assert answer.status_code == 422
    db.session.rollback()
    assert db.session.get_one(Company, company.id, populate_existing=True).size == 3


def test_similar_leads_are_colleagues_first_and_then_those_who_want_the_same(app: Flask, ann: Lead) -> None:
    bob = make_lead(email="bob@works.example")
    with writing() as session:
        look(session, current(), [ann.id, bob.id], NOON)
    eve = make_lead(email="eve@x.example", offers=("guide", "demo"))
    only = make_lead(email="only@x.example", offers=("guide",))
    carl = make_lead(offers=("guide", "demo"))

    found = similar(db.session(), of(carl))
    assert [(one.lead.id, one.same_company, one.offers) for one in found] == [(eve.id, False, ("demo", "guide"))]
    assert [one.lead.id for one in similar(db.session(), of(only))] == [carl.id, eve.id]
    assert [(one.lead.id, one.same_company) for one in similar(db.session(), of(ann))] == [(bob.id, True)]
    sales = AtDesk(app, "sales")
    sales.post(f"/desk/leads/{carl.id}/merge/{eve.id}")
    assert similar(db.session(), of(carl)) == []


def test_marketers_read_and_change_nothing(app: Flask, ann: Lead) -> None:
    marketer = AtDesk(app, "marketer")
    page = marketer.get(f"/desk/leads/{ann.id}/answers")

    assert page.status_code == 200
    assert "Correct by hand" not in page.text
    assert marketer.post(f"/desk/leads/{ann.id}/answers", **{"f-company": "X"}).status_code == 403
    assert marketer.get("/desk/leads/new").status_code == 403
