"""The two readings of a condition agree: what holds for a person holds for their row, on both engines."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from factories import NOON, make_account, make_lead
from handsel.content.parse import Parsed
from handsel.db import db, writing
from handsel.leads.models import Company, Lead, LeadFact
from handsel.leads.qualify.people import people
from handsel.leads.segments.sql import conjuncts, parts, where
from handsel.leads.stages.models import LeadBant
from handsel.rules.catalogue import BUILT_IN, STAGES, Attribute, Vocabulary
from handsel.rules.conditions import (
    All,
    Any_,
    Behaviour,
    Condition,
    Date,
    Did,
    Holds,
    InSegment,
    Known,
    Not,
    Number,
    Text,
    Yes,
)
from handsel.rules.evaluate import holds, next_change
from handsel.rules.person import FACT_KINDS, Fact, Person
from handsel.rules.reading import WIDEST, read_condition

DAY = timedelta(days=1)
TICK = timedelta(milliseconds=1)
CUSTOM = (
    Attribute("heating", "text", "heating", custom=True), Attribute("rooms", "number", "rooms", custom=True),
    Attribute("moved", "date", "moved", custom=True, day=True), Attribute("plans", "set", "plans", custom=True),
    Attribute("tenant", "switch", "tenant", custom=True))
WORDS = ("", "Head of sales", "head", "GESCHÄFTSFÜHRER", "Geschäftsführer", "100 % of_it", "a\\b", "İstanbul", "Müller")
TAGS = ("energy", "hot", "100_%", "energ")
OFFERS = ("guide", "old-guide", "webinar")
TOPICS = ("advice", "advice_weekly", "news")
PATHS = ("/", "/pricing/", "/Pricing/", "/pricing/plans/", "guide", "webinar", "EUR", "")
ANSWERS: dict[str, tuple[Any, ...]] = {
    "heating": (*WORDS, 7, True, ["gas"], None),
    "rooms": (3, 3.5, "4", " 4.5 ", "-2", "1e3", "007", "four", "4 rooms", True, "", "9" * 26, ["3"], None),
    "moved": ("2026-02-01", "2026-03-02", "2025-12-31", "1.2.2026", "soon", "", 20260201, None),
    "plans": ([], ["roof"], ["roof", "walls"], "roof", ["", 3], 3, True, None),
    "tenant": (True, False, "yes", "no", "true", "Yes", 1, None),
    "industry": ("Building", "", 3, None), "company_size": ("250", 12, "many", None)}
AGES = (-DAY, timedelta(), TICK, DAY, 30 * DAY - TICK, 30 * DAY, 30 * DAY + TICK, 400 * DAY)


def moments(chance: random.Random) -> Any:
    return NOON - chance.choice(AGES)


class Crowd(dict[int, Person]):
    """People by number, without telling them all when a test fails."""

    def __repr__(self) -> str:
        return f"{len(self)} people"


@pytest.fixture
def crowd(app: Flask) -> Iterator[Crowd]:
    """Sixty leads with whatever people, forms and files may leave behind, and what the rules see of them."""
    chance = random.Random(4)
    owners = [make_account("sales").id, make_account("sales", email="Ann.Sales@example.org").id, None]
    with writing() as session:
        firms = [Company(domain=f"firm{number}.example", at=NOON, size=size, industry=industry, revenue=revenue,
                         country=country) for number, (size, industry, revenue, country) in enumerate(
                     [(None, "", None, ""), (0, "Building", 0, "DE"), (250, "BUILDING trade", 5_000_000_000, "FR")])]
        session.add_all(firms)
        session.flush()
        companies = [None, *(firm.id for firm in firms)]
    for _ in range(60):
        custom = {name: chance.choice(values) for name, values in ANSWERS.items() if chance.random() < 0.8}
        lead = make_lead(
            tags=tuple(chance.sample(TAGS, chance.randrange(3))),
            offers=tuple(chance.sample(OFFERS, chance.randrange(3))), custom=custom,
            job_title=chance.choice(WORDS), company=chance.choice(WORDS), name=chance.choice(WORDS),
            stage=chance.choice(STAGES), stage_at=chance.choice([None, moments(chance)]), score=chance.randrange(-5, 9),
            quality=chance.choice([None, 403, 999, 0]), owner_id=chance.choice(owners),
            company_id=chance.choice(companies),
            consent_text=", ".join(sorted(chance.sample(TOPICS, chance.randrange(3)))),
            unsubscribed_at=chance.choice([None, NOON]), confirmed_at=chance.choice([None, moments(chance)]),
            captured_at=moments(chance), source=chance.choice(WORDS))
        with writing() as session:
            session.add_all([LeadFact(lead_id=lead.id, ref=f"row:{number}", kind=chance.choice(FACT_KINDS),
                                      name=chance.choice(PATHS), at=moments(chance)) for number in range(12)])
            session.add_all([LeadBant(lead_id=lead.id, question=question, met=chance.choice([True, False]), at=NOON)
                             for question in chance.sample(("budget", "authority", "need", "timeline"), 2)])
    session = db.session()
    leads = list(session.scalars(select(Lead)))
    facts: dict[int, list[Fact]] = {lead.id: [] for lead in leads}
    for row in session.scalars(select(LeadFact).order_by(LeadFact.at)):
        facts[row.lead_id].append(Fact(row.kind, row.name, row.at, row.ref, row.value))
    seen = people(session, leads, NOON)
    yield Crowd({id_: Person(id_, person.values, tuple(facts[id_])) for id_, person in seen.items()})
    session.rollback()


BY_TYPE = {type_: [one for one in (*BUILT_IN.values(), *CUSTOM) if one.type == type_]
           for type_ in ("text", "number", "date", "set", "switch")}
NAMES = {"tag": TAGS, "offer": OFFERS, "consent": TOPICS, "plans": ("roof", "walls", "3")}
SPANS = st.sampled_from([DAY, 30 * DAY, 400 * DAY])
INSTANTS = st.sampled_from([NOON - age for age in AGES])


def a_set(attribute: Attribute) -> st.SearchStrategy[Condition]:
    return st.lists(st.sampled_from(NAMES[attribute.name]), min_size=1, max_size=2).map(
        lambda names: Holds(attribute, tuple(names), tuple(names)))


VALUES = st.sampled_from([word for word in WORDS if word] + ["sales", "MÜLLER", "müller", "mql", "building", "DE",
                                                            "example.org", "lead", "ann.sales@example.org", "%", "_"])
LEAVES: st.SearchStrategy[Condition] = st.one_of(
    st.builds(Text, st.sampled_from(BY_TYPE["text"]), st.sampled_from(["is", "contains", "starts_with"]),
              st.lists(VALUES, min_size=1, max_size=2).map(tuple)),
    st.builds(Number, st.sampled_from(BY_TYPE["number"]),
              st.sampled_from(["at_least", "at_most", "more_than", "less_than", "is"]),
              st.sampled_from([-2.0, 0.0, 2.0, 3.5, 4.5, 12.0, 40.3, 250.0, 5e9])),
    st.builds(Date, st.sampled_from(BY_TYPE["date"]), st.sampled_from(["since", "before"]), moment=INSTANTS),
    st.builds(Date, st.sampled_from(BY_TYPE["date"]), st.sampled_from(["within", "older_than"]), length=SPANS),
    st.sampled_from(BY_TYPE["set"]).flatmap(a_set),
    st.builds(Known, st.sampled_from([one for of in ("text", "number", "date", "set") for one in BY_TYPE[of]])),
    st.builds(Yes, st.sampled_from(BY_TYPE["switch"])),
    st.builds(Did, st.builds(Behaviour, st.sampled_from(FACT_KINDS),
                             st.none() | st.lists(st.sampled_from(PATHS), max_size=2).map(tuple),
                             st.lists(st.sampled_from(["/pricing/", "/", "E"]), max_size=1).map(tuple)),
              times=st.integers(1, 3), within=st.none() | SPANS, since=st.none() | INSTANTS,
              before=st.none() | INSTANTS))
CONDITIONS = st.recursive(LEAVES, lambda parts: st.one_of(
    st.lists(parts, min_size=1, max_size=3).map(lambda found: All(tuple(found))),
    st.lists(parts, min_size=1, max_size=3).map(lambda found: Any_(tuple(found))),
    parts.map(Not), parts.map(lambda part: InSegment("one", part))), max_leaves=6)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(condition=CONDITIONS, at=st.sampled_from([NOON, NOON + 30 * DAY, NOON + timedelta(microseconds=700)]))
def test_a_person_is_in_a_segment_when_their_row_is(crowd, condition, at):
    session = db.session()
    expected = {id_ for id_, person in crowd.items() if holds(condition, person, at)}
    assert set(session.scalars(select(Lead.id).where(where(condition, at)))) == expected
    assert set(session.scalars(select(Lead.id).where(where(condition, at, probing=True)))) == expected
    for part, (numbers, probe) in zip(conjuncts(condition), parts(condition, at), strict=True):
        fit = {id_ for id_, person in crowd.items() if holds(part, person, at)}
        assert set(session.scalars(select(Lead.id).where(probe))) == fit
        assert numbers is None or set(session.scalars(numbers)) == fit


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(condition=CONDITIONS)
def test_what_does_not_hold_holds_for_all_others(crowd, condition):
    found = set(db.session().scalars(select(Lead.id).where(where(condition, NOON))))
    others = set(db.session().scalars(select(Lead.id).where(where(Not(condition), NOON))))
    assert found | others == set(crowd)
    assert not found & others


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(condition=CONDITIONS, hours=st.integers(1, 24 * 450))
def test_nothing_changes_by_itself_before_the_moment_that_was_named(crowd, condition, hours):
    later = NOON + timedelta(hours=hours)
    for person in list(crowd.values())[:10]:
        turn = next_change(condition, person, NOON)
        if turn is None or turn > later:
            assert holds(condition, person, later) == holds(condition, person, NOON)
        else:
            assert holds(condition, person, turn - TICK) == holds(condition, person, NOON)


def test_the_largest_rule_there_can_be_is_read_alike_on_both_engines(app: Flask) -> None:
    make_lead(name="Ada 399")
    texts = [f"{number}" for number in range(1000, 1000 + WIDEST - 1)]
    rules: list[Any] = [
        {"name": {"contains": [*texts, "399"]}}, {"name": {"starts_with": [*texts, "Ada"]}},
        {"visited": {"starts_with": [f"/{text}" for text in texts]}}, {"consent": [*texts, "news"]},
        {"any": [{"not": {"score": {"at_least": str(number)}}} for number in range(1, WIDEST + 1)]},
        {"any": [{"visited": {"path": f"/{text}", "times": "2"}} for text in texts[:200]]}]
    deep: Any = {"name": {"contains": "ada"}}
    for _ in range(8):
        deep = {"not": {"any": [deep, {"name": "nobody"}]}}
    for rule in (*rules, deep):
        condition, faults = read_condition(rule, Parsed("rule", {}), (), Vocabulary(tuple(BUILT_IN.values())))
        assert not faults
        assert condition is not None
        person = people(db.session(), db.session.scalars(select(Lead)).all(), NOON)
        found = set(db.session.scalars(select(Lead.id).where(where(condition, NOON))))
        assert found == {id_ for id_, one in person.items() if holds(condition, one, NOON)}
