"""Companies are found by mail domain, and learn what their people say of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from factories import NOON, make_capture, make_lead
from handsel.accounts.audit import Actor
from handsel.db import db, writing
from handsel.leads import merging
from handsel.leads.companies.domains import company_domain
from handsel.leads.companies.looking import edit
from handsel.leads.models import Company, Lead
from handsel.leads.qualify.looking import look
from handsel.offers.live import current
from support.clock import Clock


def looked_at(*leads: Lead) -> None:
    with writing() as session:
        look(session, current(), [lead.id for lead in leads], NOON)
    db.session.rollback()
    db.session.expire_all()


def company_of(lead: Lead) -> Company | None:
    return lead.company_id and db.session.get_one(Company, lead.company_id)


def said(lead: Lead, hours_ago: int, **fields: Any) -> None:
    answers = {"email": lead.email} | fields.pop("answers")
    make_capture(lead, at=NOON - timedelta(hours=hours_ago), answers=answers, **fields)


@pytest.mark.parametrize(("email", "domain"), [
    ("ann@works.example", "works.example"), ("ann@mail.works.example", "mail.works.example"),
    ("ann@gmail.com", ""), ("ann@googlemail.com", ""), ("ann@web.de", ""), ("ann@t-online.de", ""),
    ("ann@yahoo.co.uk", ""), ("ann@mailbox.org", ""), ("ann@proton.me", ""), ("ann@mailinator.com", ""),
    ("ann@siemens.com", "siemens.com"), ("ann@localhost", ""), ("ann@xn--mller-kva.example", "xn--mller-kva.example"),
])
def test_a_company_is_behind_a_domain_unless_anybody_can_have_a_mailbox_there(email: str, domain: str) -> None:
    assert company_domain(email) == domain


def test_leads_of_one_domain_have_one_company(app: Flask, clock: Clock) -> None:
    ann, bob, carl = (make_lead(email=f"{name}@{at}") for name, at in (
        ("ann", "works.example"), ("bob", "works.example"), ("carl", "gmail.com")))

    looked_at(ann, bob, carl)

    assert ann.company_id == bob.company_id is not None
    assert carl.company_id is None
    assert db.session.scalars(select(Company.domain)).all() == ["works.example"]


def test_a_company_learns_what_was_proven_and_what_a_file_says_but_no_claim(app: Flask, clock: Clock) -> None:
    ann = make_lead(email="ann@works.example")
    said(ann, 5, answers={"company": "Works Ltd", "company_size": 12}, form="short")
    said(ann, 4, answers={"industry": "Building", "revenue": "1500000"}, form="import", source="import:3",
         proven_at=None)
    said(ann, 3, answers={"company": "Evil", "company_size": 99999, "industry": "Crime"}, proven_at=None)

    looked_at(ann)

    company = company_of(ann)
    assert company is not None
    assert (company.name, company.size, company.industry, company.revenue, company.source) == (
        "Works Ltd", 12, "Building", 1_500_000, "import:3")


def test_what_is_put_down_about_one_person_does_not_keep_the_others_from_saying_more(
        app: Flask, clock: Clock) -> None:
    ann, bob = make_lead(email="ann@works.example"), make_lead(email="bob@works.example")
    said(ann, 3, answers={"company": "Works"}, form="hand", source="by hand: seller@example.org", proven_at=None)
    said(bob, 2, answers={"company_size": 140}, form="hand", source="by hand: seller@example.org", proven_at=None)

    looked_at(ann)
    looked_at(bob)

    company = company_of(ann)
    assert company is not None
    assert (company.name, company.size) == ("Works", 140)


def test_the_newest_word_stands_and_one_put_down_by_hand_is_the_last(app: Flask, clock: Clock) -> None:
    ann, bob = make_lead(email="ann@works.example"), make_lead(email="bob@works.example")
    said(ann, 2, answers={"company_size": 20})
    said(bob, 5, answers={"company_size": 10})
    looked_at(ann)
    looked_at(bob)
    company = company_of(ann)
    assert company is not None
    assert company.size == 20

    with writing() as session:
        found = session.get_one(Company, company.id)
        assert edit(found, {"size": 35, "industry": ""}, "seller@example.org", NOON) == ["size"]
    said(bob, 0, answers={"company_size": 10})
    looked_at(ann, bob)

    assert (company.size, company.source) == (35, "at the desk: seller@example.org")


@pytest.mark.parametrize("answer", ["many", True, ["1"], -5, float("inf"), 10**30, None, ""])
def test_what_is_no_number_of_people_is_not_learned(app: Flask, clock: Clock, answer: Any) -> None:
    ann = make_lead(email="ann@works.example")
    said(ann, 1, answers={"company_size": answer} if answer != float("inf") else {"company_size": "inf"})

    looked_at(ann)

    company = company_of(ann)
    assert company is not None
    assert company.size is None


def test_a_private_mailbox_has_the_company_of_the_work_one_that_was_merged_into_it(app: Flask, clock: Clock) -> None:
    private, work = make_lead(email="ann@gmail.com"), make_lead(email="ann@works.example")

    with writing() as session:
        merging.merge(session, current(), private.id, work.id, actor=Actor("seller"), at=NOON)
    db.session.expire_all()

    company = company_of(private)
    assert company is not None
    assert company.domain == "works.example"
    with writing() as session:
        merging.part(session, current(), work.id, actor=Actor("seller"), at=NOON)
    db.session.expire_all()
    assert private.company_id is None
