"""The words by which leads are found."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from factories import NOON, make_capture, make_lead
from handsel.db import db, writing
from handsel.leads import finding
from handsel.leads.listing import words
from handsel.leads.listing.models import LeadWord
from handsel.leads.models import Lead
from handsel.leads.qualify.looking import look
from handsel.offers.live import current


def kept(lead: Lead) -> set[str]:
    return set(db.session.scalars(select(LeadWord.word).where(LeadWord.lead_id == lead.id)))


def found(search: str) -> list[int]:
    asked = finding.Wanted(words=words.asked_words(search))
    return sorted(db.session.scalars(finding.find([Lead.id], asked).query))


def test_an_address_is_found_whole_by_its_domain_and_by_its_pieces():
    assert words.words_of(["Ada.Marsh+x@Acme.co.uk"], []) == {
        "ada.marsh+x@acme.co.uk", "acme.co.uk", "ada", "marsh", "x", "acme", "co"}


def test_a_name_is_found_by_each_word_whatever_its_case_accents_and_signs():
    assert words.words_of([], ["Chloé O’Neill", "(Harbour & Søns)"]) == {
        "chloe", "o'neill", "o", "neill", "harbour", "søns"}


@pytest.mark.parametrize(("search", "asked"), [
    ("  Chloé  CHLOE ", ("chloe",)), ("@acme.com", ("acme.com",)), ("O'Neill, Ada", ("o'neill", "ada")),
    ("& -- !", ()), ("ß", ("ss",)), ("x" * 70, ("x" * 60,))])
def test_a_search_asks_for_beginnings_of_words(search, asked):
    assert words.asked_words(search) == asked


def test_a_name_without_end_keeps_forty_words():
    assert len(words.words_of(["a@b.example"], [" ".join(f"w{n}" for n in range(100))])) == words.MOST


def test_a_look_keeps_the_words_and_writes_only_what_changed(app):
    lead = make_lead(email="ada@acme.example", name="Ada Marsh", company="Northlight")
    assert found("mar") == [lead.id]
    make_capture(lead, answers={"name": "Ada Marsh", "company": "Südwind"})
    with writing() as session:
        look(session, current(), [lead.id], NOON)
    assert kept(lead) >= {"ada", "acme.example", "sudwind"}
    assert "northlight" not in kept(lead)
    assert (found("north"), found("SÜD ada"), found("süd bea")) == ([], [lead.id], [])


def test_the_words_of_a_merged_mailbox_find_the_lead_that_it_belongs_to(app):
    head = make_lead(email="ada@acme.example")
    other = make_lead(email="private@elsewhere.example")
    with writing() as session:
        session.get_one(Lead, other.id).merged_into_id = head.id
        look(session, current(), [head.id, other.id], NOON)
    assert found("private@else") == [head.id]
    with writing() as session:
        session.get_one(Lead, other.id).merged_into_id = None
        look(session, current(), [head.id, other.id], NOON)
    assert found("private@else") == [other.id]
    assert found("ada") == [head.id]


@pytest.mark.parametrize("search", ["100%", "_", "\\", "a_a", "😀", "ａｄａ"])
def test_signs_that_mean_something_to_a_database_mean_nothing_in_a_search(app, search):
    make_lead(email="ada@acme.example", name="Ada Marsh")
    assert len(found(search)) == (1 if search == "ａｄａ" else 0) or not words.asked_words(search)
