"""Merging two leads is a link: one person in every list, and each mailbox as it was."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from factories import NOON, make_capture, make_consent, make_lead, make_message
from handsel.accounts import audit
from handsel.accounts.audit import Actor
from handsel.accounts.models import AuditEntry
from handsel.db import db, writing
from handsel.errors import HandselError
from handsel.leads import finding, merging, profile
from handsel.leads.consents import Way
from handsel.leads.models import Capture, Lead
from handsel.leads.unsubscribe import unsubscribe
from handsel.mail import suppress
from handsel.offers.live import current
from support.clock import Clock

SELLER = Actor("seller@example.org")


def merge(kept: Lead, joins: Lead) -> None:
    with writing() as session:
        merging.merge(session, current(), kept.id, joins.id, actor=SELLER, at=NOON)


def part(lead: Lead) -> None:
    with writing() as session:
        merging.part(session, current(), lead.id, actor=SELLER, at=NOON)


def of(lead: Lead) -> Lead:
    db.session.rollback()
    return db.session.get_one(Lead, lead.id, populate_existing=True)


def told(lead: Lead) -> dict[str, Any]:
    """All that is believed of a lead, as a plain value."""
    row = of(lead)
    return {column.name: getattr(row, column.name) for column in Lead.__table__.columns
            if column.name not in {"look_at", "acted_at"}}


def said(lead: Lead, hours_ago: int, **answers: Any) -> Capture:
    return make_capture(lead, at=NOON - timedelta(hours=hours_ago), answers={"email": lead.email} | answers)


@pytest.fixture
def pair(app: Flask, clock: Clock) -> tuple[Lead, Lead]:
    """One person at work and at home: each mailbox with a proven capture, tags and offers of its own."""
    work = make_lead(email="ann@works.example", tags=("energy",), offers=("guide",))
    home = make_lead(email="ann@home.example", tags=("webinar",), offers=("demo",))
    said(work, 3, name="Ann Lee", company="Works")
    said(home, 2, job_title="Head of buying", company="Works Ltd", budget="10k")
    with writing() as session:
        for lead in (work, home):
            profile.refresh(session, session.get_one(Lead, lead.id))
    return work, home


def test_a_merged_lead_says_what_all_its_mailboxes_said_and_stands_in_lists_once(pair: tuple[Lead, Lead]) -> None:
    work, home = pair

    merge(work, home)

    one = of(work)
    assert (one.name, one.company, one.job_title, one.custom) == ("Ann Lee", "Works Ltd", "Head of buying",
                                                                  {"budget": "10k"})
    assert (one.tags_text, one.offers_text) == ("energy, webinar", "demo, guide")
    session = db.session()
    listed = session.execute(finding.find([Lead.id], finding.Wanted()).query).scalars().all()
    assert listed == [work.id]
    assert finding.count(session, finding.Wanted(tag="webinar")) == 1
    assert finding.count(session, finding.Wanted(offer="demo")) == 1
    by_words = finding.find([Lead.id], finding.Wanted(words=("home.example",))).query
    assert session.execute(by_words).scalars().all() in ([], [work.id])


def test_parting_gives_both_leads_back_as_they_were(pair: tuple[Lead, Lead]) -> None:
    work, home = pair
    merge(work, home)  # a look has been taken at both from here on
    part(home)
    before = told(work), told(home)

    merge(work, home)
    assert told(work) != before[0]
    part(home)

    assert (told(work), told(home)) == before


def test_each_mailbox_keeps_its_own_consents_blocks_and_letters(pair: tuple[Lead, Lead]) -> None:
    work, home = pair
    make_consent(work)
    make_consent(home)
    letters = make_message(work), make_message(home)
    merge(work, home)

    with writing() as session:
        unsubscribe(session, session.get_one(Lead, home.id), None, Way("unsubscribe page"), NOON)

    assert of(home).unsubscribed_at == NOON
    assert of(work).unsubscribed_at is None
    db.session.expire_all()
    assert [message.state for message in letters] == ["queued", "cancelled"]
    assert [message.lead_id for message in letters] == [work.id, home.id]
    session = db.session()
    assert suppress.blocks(session, [suppress.address_hash(work.email)], NOON) == {}


def test_what_a_merged_mailbox_says_later_reaches_the_lead(pair: tuple[Lead, Lead]) -> None:
    from handsel.leads.qualify.looking import look

    work, home = pair
    merge(work, home)
    said(home, 1, phone="+44 113 496 0000")
    with writing() as session:
        profile.refresh(session, session.get_one(Lead, home.id))
    assert of(home).look_at == NOON

    with writing() as session:
        look(session, current(), [home.id], NOON)

    assert of(work).phone == "+44 113 496 0000"
    assert of(home).look_at is None


def test_chains_and_cycles_are_refused(app: Flask, clock: Clock) -> None:
    one, two, three = make_lead(), make_lead(), make_lead()
    merge(one, two)
    before = [told(lead) for lead in (one, two, three)]

    for kept, joins in ((one, one), (two, one), (three, one), (three, two), (two, three), (one, two)):
        with pytest.raises(HandselError):
            merge(kept, joins)

    assert [told(lead) for lead in (one, two, three)] == before


def test_several_mailboxes_can_belong_to_one_person(app: Flask) -> None:
    one, two, three = make_lead(), make_lead(), make_lead()

    merge(one, two)
    merge(one, three)

    assert (of(two).merged_into_id, of(three).merged_into_id) == (one.id, one.id)


def test_a_preview_says_what_will_stand_and_changes_nothing(pair: tuple[Lead, Lead]) -> None:
    work, home = pair
    before = told(work), told(home)

    shown = merging.preview(db.session(), of(work), of(home))

    assert shown.why_not is None
    assert {each.name: (each.kept, each.joins, each.stands) for each in shown.differences} == {
        "company": ("Works", "Works Ltd", "Works Ltd"), "job_title": ("", "Head of buying", "Head of buying"),
        "budget": (None, "10k", "10k")}
    assert (shown.tags, shown.offers) == (("webinar",), ("demo",))
    assert (told(work), told(home)) == before
    merge(work, home)
    assert {each.name: each.stands for each in shown.differences} == {
        name: getattr(of(work), name, None) or of(work).custom.get(name) for name in ("company", "job_title", "budget")}


def test_both_acts_stand_in_the_log_of_both_leads(pair: tuple[Lead, Lead]) -> None:
    work, home = pair
    merge(work, home)
    part(home)

    entries = db.session().execute(select(AuditEntry.subject, AuditEntry.action).order_by(AuditEntry.id)).all()
    assert [tuple(entry) for entry in entries] == [
        (audit.of_lead(work.key), "merged another lead into it"),
        (audit.of_lead(home.key), "was merged into another lead"),
        (audit.of_lead(work.key), "parted another lead from it"),
        (audit.of_lead(home.key), "was parted from another lead")]


def test_a_mailbox_is_a_lead_of_its_own_again_when_the_one_it_belonged_to_is_gone(pair: tuple[Lead, Lead]) -> None:
    work, home = pair
    merge(work, home)

    with writing() as session:
        session.delete(session.get_one(Lead, work.id))

    assert of(home).merged_into_id is None
    assert finding.count(db.session(), finding.Wanted()) == 1
