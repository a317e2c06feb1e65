"""What rules would have said of the past: counted by what was known at the time, and by what sales said since."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count as numbers
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from factories import NOON, make_capture, make_lead
from handsel.db import db, writing
from handsel.leads.handoff.models import Handoff
from handsel.leads.models import Lead
from handsel.leads.scoring import simulate as simulating
from handsel.leads.scoring.past import Past
from handsel.leads.scoring.points import points
from handsel.leads.scoring.simulate import Outcome, last_quarter, sentence, trace
from handsel.leads.stages.models import ProductEvent
from handsel.leads.tracking.models import PageVisit
from handsel.rules.catalogue import BUILT_IN
from handsel.rules.conditions import Behaviour, Date, Text
from handsel.rules.person import Fact
from handsel.rules.scoring import Rule, Scoring
from support.clock import Clock

DAY = timedelta(days=1)
SINCE, UNTIL = NOON, NOON + 90 * DAY
SCORING = Scoring((
    Rule("fit", "Runs things", 20, Text(BUILT_IN["job_title"], "contains", ("manager",))),
    Rule("interest", "Asked", 10, None, Behaviour("asked"), 30 * DAY, None, "each"),
    Rule("interest", "Came back", 10, None, Behaviour("visited"), 30 * DAY)))
_number = numbers(1)


def manager(at: datetime, **answers: str) -> Lead:
    """A lead who asked for the guide as a manager: 30 points from then on."""
    lead = make_lead(captured_at=at)
    make_capture(lead, at=at, proven_at=at, answers={"email": lead.email, "job_title": "Manager"} | answers)
    return lead


def visit(lead: Lead, at: datetime) -> None:
    with writing() as session:
        session.add(PageVisit(lead_id=lead.id, path="/pricing/", at=at, offer=""))


def handed(lead: Lead, at: datetime, state: str, decided_at: datetime | None = None) -> None:
    number = next(_number)
    with writing() as session:
        session.add(Handoff(key=f"hand{number}", once=f"test:{number}", lead_id=lead.id, at=at, stage="mql",
                            state=state, decided_at=decided_at))


def simulated(threshold: int, **more: object) -> Outcome:
    db.session.rollback()
    *_, last = simulating.simulate(db.session(), SCORING, threshold, since=SINCE, until=UNTIL, **more)
    return last.of(threshold)


def test_each_lead_is_counted_once_by_what_became_of_it(app: Flask, clock: Clock) -> None:
    accepted, rejected, waits, never, early, late, poor, old = (manager(SINCE + n * DAY) for n in range(1, 9))
    for number, lead in enumerate((accepted, rejected, waits, never, early)):
        visit(lead, SINCE + (20 + number) * DAY)
    visit(late, UNTIL + DAY)
    handed(accepted, SINCE + 30 * DAY, "accepted", SINCE + 31 * DAY)
    handed(rejected, SINCE + 30 * DAY, "rejected", UNTIL + 5 * DAY)
    handed(waits, SINCE + 30 * DAY, "open")
    handed(early, SINCE + 10 * DAY, "accepted", SINCE + 11 * DAY)
    handed(late, SINCE + 40 * DAY, "accepted", SINCE + 41 * DAY)
    handed(poor, SINCE + 40 * DAY, "rejected", SINCE + 41 * DAY)
    with writing() as session:
        session.get_one(Lead, old.id).merged_into_id = poor.id
    before = manager(SINCE - 3 * DAY)
    visit(before, SINCE - 2 * DAY)
    visit(before, SINCE - DAY)
    handed(before, SINCE + 2 * DAY, "accepted", SINCE + 3 * DAY)
    clock.set(UNTIL + 30 * DAY)
    assert simulated(35) == Outcome(35, passed=5, accepted=1, rejected=1, open=1, never=1, decided=1, before=1,
                                    missed=1)
    assert simulated(1000) == Outcome(1000, missed=4)


def test_what_was_learned_later_lets_nobody_pass(app: Flask, clock: Clock) -> None:
    lead = make_lead(captured_at=SINCE + DAY)
    make_capture(lead, at=SINCE + DAY, proven_at=SINCE + 2 * DAY, answers={"email": lead.email, "job_title": "Nurse"})
    visit(lead, SINCE + 3 * DAY)
    assert simulated(25).passed == 0
    make_capture(lead, at=UNTIL + DAY, answers={"email": lead.email, "job_title": "Manager"})
    assert simulated(25).passed == 0
    with writing() as session:
        session.add(ProductEvent(once="x", lead_id=lead.id, name="login", at=SINCE + 4 * DAY, received_at=UNTIL + DAY))
    assert simulated(25).passed == 0
    make_capture(lead, at=SINCE + 4 * DAY, answers={"email": lead.email, "job_title": "Manager"})
    assert simulated(25).passed == 1


def test_a_mailbox_that_was_proven_after_the_quarter_passed_nothing_in_it(app: Flask, clock: Clock) -> None:
    lead = make_lead(captured_at=SINCE + DAY)
    make_capture(lead, at=SINCE + DAY, proven_at=UNTIL + DAY, answers={"email": lead.email, "job_title": "Manager"})
    assert simulated(25).passed == 0


def test_a_part_of_the_leads_is_taken_evenly_and_said_to_be_a_part(app: Flask, clock: Clock) -> None:
    for number in range(30):
        manager(SINCE + DAY + number * timedelta(hours=1))
    *_, part = simulating.simulate(db.session(), SCORING, 25, since=SINCE, until=UNTIL, most=10)
    assert (part.leads, part.total, part.whole, part.of(25).passed) == (10, 30, False, 10)
    *_, whole = simulating.simulate(db.session(), SCORING, 25, since=SINCE, until=UNTIL)
    assert (whole.leads, whole.total, whole.whole, whole.of(25).passed) == (30, 30, True, 30)
    assert [outcome.threshold for outcome in whole.outcomes] == [5, 15, 25, 35, 45]


def test_simulating_changes_nothing(app: Flask, clock: Clock) -> None:
    lead = manager(SINCE + DAY)
    kept = (lead.score, lead.look_at)
    simulated(25)
    db.session.rollback()
    found = db.session.get_one(Lead, lead.id)
    assert (found.score, found.look_at) == kept


# --- one lead's trace, by hand and against the slow way ---------------------------------------------------------------


def test_a_score_that_rises_by_time_alone_is_followed_between_the_facts() -> None:
    left = Rule("interest", "Left", -20, None, Behaviour("left"), 10 * DAY)
    came = Rule("interest", "Came", 10, None, Behaviour("visited"))
    past = Past(1, "a@example.org", None, facts=[(NOON - DAY, Fact("left", "", NOON - DAY, "consent:1")),
                                                 (NOON - DAY, Fact("visited", "/", NOON - DAY, "visit:1"))])
    found = trace(Scoring((left, came)), past, NOON, NOON + 40 * DAY)
    assert found[0][1] == 10 - 19
    assert max(score for _, score in found) == 10 - 1
    first = next(at for at, score in found if score >= 0)
    assert (first - (NOON - DAY)) / (10 * DAY) == pytest.approx(0.9297, abs=0.001)  # where 20 has become 10.5


RULES = st.lists(st.one_of(
    st.builds(lambda worth, kind, half: Rule("interest", f"{kind} {worth} {half}", worth, None, Behaviour(kind),
                                             half and half * DAY),
              st.integers(-30, 30).filter(bool), st.sampled_from(("visited", "left")), st.none() | st.integers(2, 20)),
    st.builds(lambda worth, days: Rule("interest", f"silent {worth} {days}", worth, Date(
        BUILT_IN["last_act"], "older_than", length=days * DAY)), st.integers(-20, 20).filter(bool),
              st.integers(1, 20))), max_size=3, unique_by=lambda rule: rule.name)
FACTS = st.lists(st.tuples(st.sampled_from(("visited", "left")), st.integers(-10, 12), st.integers(0, 23)), max_size=6)


@given(RULES, FACTS, st.integers(1, 40))
def test_the_first_passing_is_the_one_that_looking_every_hour_finds(rules, facts, threshold):
    scoring, until = Scoring(tuple(rules)), NOON + 10 * DAY
    known = [(at, Fact(kind, "/", at, f"row:{number}")) for number, (kind, day, hour) in enumerate(facts)
             for at in (NOON + day * DAY + timedelta(hours=hour),)]
    past = Past(1, "a@example.org", None, facts=known)
    seen = trace(scoring, past, NOON, until)
    hours = [(at, points(scoring, past.person(at), at).score) for at in (
        NOON + timedelta(hours=number) for number in range(241))]
    first = next((at for at, score in seen if score >= threshold), None)
    by_hour = next((at for at, score in hours if score >= threshold), None)
    if by_hour is not None:
        assert first is not None
        assert first <= by_hour < first + timedelta(hours=1)
    if first is not None:
        assert points(scoring, past.person(first), first).score >= threshold


# --- in words ---------------------------------------------------------------------------------------------------------


def test_it_is_said_in_a_sentence() -> None:
    assert sentence(Outcome(60, passed=42, accepted=12)) == (
        "Last quarter 42 leads would have passed 60 points; sales accepted 12 of them.")
    assert sentence(Outcome(60, passed=42, accepted=12, rejected=3), "In March") == (
        "In March 42 leads would have passed 60 points; sales accepted 12 of them and rejected 3.")
    assert sentence(Outcome(60, passed=1, accepted=1)) == (
        "Last quarter 1 lead would have passed 60 points; sales accepted it.")
    assert sentence(Outcome(60)) == "Last quarter no lead would have passed 60 points."
    assert sentence(Outcome(60, passed=2)) == (
        "Last quarter 2 leads would have passed 60 points; sales has decided on none of them since.")


def test_the_last_quarter_is_the_one_before_this_in_the_zone_of_the_site() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert last_quarter(datetime(2026, 11, 22, tzinfo=UTC), berlin) == (
        datetime(2026, 6, 30, 22, tzinfo=UTC), datetime(2026, 9, 30, 22, tzinfo=UTC))
    assert last_quarter(datetime(2026, 2, 1, tzinfo=UTC), ZoneInfo("UTC")) == (
        datetime(2025, 10, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC))
