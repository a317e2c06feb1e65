"""The points of a person: each with a reason, whole, and adding up at every moment."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factories import NOON
from handsel.leads.scoring.points import Reason, points
from handsel.rules.catalogue import BUILT_IN
from handsel.rules.conditions import All, Behaviour, Date, Did, Known, Not, Number, Text
from handsel.rules.person import Fact, Person, Told
from handsel.rules.scoring import Rule, Scoring

DAY = timedelta(days=1)
TICK = timedelta(milliseconds=1)
MANAGER = Text(BUILT_IN["job_title"], "contains", ("manager",))


def did(kind: str, name: str, days_ago: float, ref: str = "row:1") -> Fact:
    return Fact(kind, name, NOON - days_ago * DAY, ref)


def person(*facts: Fact, **values: object) -> Person:
    return Person(1, values, tuple(sorted(facts, key=lambda fact: fact.at)))


def interest(name: str, kind: str, worth: int, **more: object) -> Rule:
    return Rule("interest", name, worth, None, Behaviour(kind), **more)


def test_each_reason_names_the_rule_the_fact_its_date_and_the_points():
    scoring = Scoring((Rule("fit", "Runs the building", 20, MANAGER),
                       interest("Fetched it", "downloaded", 10, half_life=30 * DAY)))
    fetched = did("downloaded", "guide", 30, "download:7")
    who = Person(1, {"job_title": "Facilities manager"}, (fetched,), {"job_title": Told(NOON - 40 * DAY, "capture:3")})
    found = points(scoring, who, NOON)
    assert found.reasons == (
        Reason("fit", "Runs the building", 20, 20, NOON - 40 * DAY, None, ("job_title",)),
        Reason("interest", "Fetched it", 5, 5, NOON - 30 * DAY, fetched))
    assert (found.fit, found.interest, found.score) == (20, 5, 25)


def test_points_are_halved_for_every_half_life_to_the_nearest_whole():
    scoring = Scoring((interest("Fetched it", "downloaded", 10, half_life=30 * DAY),))
    worth = [points(scoring, person(did("downloaded", "guide", days)), NOON).score
             for days in (0, 15, 30, 60, 90, 129, 130)]
    assert worth == [10, 7, 5, 3, 1, 1, 0]  # 2.5 is 3; after 129.7 days less than a half is left


def test_points_that_were_taken_away_fade_alike():
    scoring = Scoring((interest("Left", "left", -10, half_life=30 * DAY),))
    assert [points(scoring, person(did("left", "", days)), NOON).score for days in (0, 30, 60, 130)] == [-10, -5, -3, 0]


def test_without_a_half_life_points_stay():
    found = points(Scoring((interest("Left", "left", -30),)), person(did("left", "", 3000)), NOON)
    assert (found.score, found.next_at) == (-30, None)


def test_once_counts_the_newest_and_each_the_newest_of_every_name():
    visits = [did("visited", path, days, f"visit:{days}") for path, days in
              (("/a/", 1), ("/a/", 2), ("/b/", 3), ("/b/", 4))]
    for once, refs in (("", [1, 2, 3, 4]), ("once", [1]), ("each", [1, 3])):
        found = points(Scoring((interest("Came", "visited", 3, once=once),)), person(*visits), NOON)
        assert [reason.fact.ref for reason in found.reasons] == [f"visit:{days}" for days in refs]


def test_a_cap_of_a_rule_is_filled_by_the_newest_facts_and_the_others_show_that_it_is_full():
    visits = [did("visited", "/", days) for days in (1, 2, 3)]
    found = points(Scoring((interest("Came", "visited", 4, cap=6),)), person(*visits), NOON)
    assert [(reason.points, reason.worth) for reason in found.reasons] == [(4, 4), (2, 4), (0, 4)]
    taken = points(Scoring((interest("Bounced", "visited", -4, cap=6),)), person(*visits), NOON)
    assert [(reason.points, reason.worth) for reason in taken.reasons] == [(-4, -4), (-2, -4), (0, -4)]


def test_the_cap_of_a_part_limits_what_is_gained_and_never_what_is_taken_away():
    rules = (interest("Came", "visited", 8), interest("Left", "left", -5))
    facts = [did("visited", "/", 1), did("visited", "/", 2), did("left", "", 3)]
    found = points(Scoring(rules, interest_cap=10), person(*facts), NOON)
    assert [(reason.rule, reason.points) for reason in found.reasons] == [("Came", 8), ("Came", 2), ("Left", -5)]
    assert found.interest == 5


def test_what_lies_ahead_counts_from_then_on():
    scoring = Scoring((interest("Came", "visited", 8),))
    who = person(did("visited", "/", -2))
    found = points(scoring, who, NOON)
    assert (found.score, found.next_at) == (0, NOON + 2 * DAY)
    assert points(scoring, who, NOON + 2 * DAY).score == 8


def test_a_rule_on_time_says_when_it_turns():
    silent = Rule("interest", "Silent", -5, Date(BUILT_IN["last_act"], "older_than", length=60 * DAY))
    who = person(last_act=NOON)
    found = points(Scoring((silent,)), who, NOON)
    assert found.score == 0
    assert found.next_at is not None
    assert points(Scoring((silent,)), who, found.next_at - TICK).score == 0
    assert points(Scoring((silent,)), who, found.next_at).score == -5


# --- what holds for all rules and all histories -----------------------------------------------------------------------

KINDS = ("visited", "downloaded", "left")
NAMES = ("/", "/pricing/", "guide")
BEHAVIOURS = st.builds(Behaviour, st.sampled_from(KINDS),
                       st.none() | st.lists(st.sampled_from(NAMES), min_size=1, max_size=2).map(tuple))
WORTH = st.integers(-60, 60).filter(bool)
CONDITIONS = st.one_of(
    st.just(MANAGER), st.just(Not(MANAGER)), st.just(Known(BUILT_IN["company"])),
    st.just(Number(BUILT_IN["company_size"], "at_least", 50.0)),
    st.builds(lambda days: Date(BUILT_IN["last_act"], "older_than", length=days * DAY), st.integers(1, 90)),
    st.builds(lambda on, times, days: Did(on, times, within=days * DAY), BEHAVIOURS, st.integers(1, 3),
              st.integers(1, 60)),
    st.builds(lambda days: All((MANAGER, Did(Behaviour("visited"), within=days * DAY))), st.integers(1, 60)))
CAPS = st.none() | st.integers(1, 80)


@st.composite
def scorings(draw):
    rules = []
    for number in range(draw(st.integers(0, 6))):
        name = f"rule {number}"
        if draw(st.booleans()):
            part = draw(st.sampled_from(("fit", "interest")))
            rules.append(Rule(part, name, draw(WORTH), draw(CONDITIONS)))
        else:
            half_life = draw(st.none() | st.integers(1, 60).map(lambda days: days * DAY))
            rules.append(Rule("interest", name, draw(WORTH), None, draw(BEHAVIOURS), half_life, draw(CAPS),
                              draw(st.sampled_from(("", "once", "each")))))
    return Scoring(tuple(rules), draw(CAPS), draw(CAPS))


@st.composite
def people(draw):
    facts = draw(st.lists(st.builds(Fact, st.sampled_from(KINDS), st.sampled_from(NAMES), st.integers(
        -200 * 86_400_000, 5 * 86_400_000).map(lambda ms: NOON + ms * TICK), st.integers(1, 99).map("row:{}".format)),
        max_size=12))
    facts = sorted(facts, key=lambda fact: (fact.at, fact.ref))
    past = [fact.at for fact in facts if fact.at <= NOON]
    return Person(1, {"job_title": draw(st.sampled_from(("Manager", "Nurse", ""))), "last_act": max(past, default=None),
                      "company": draw(st.sampled_from(("", "Acme"))), "company_size": draw(st.none() | st.just(80))},
                  tuple(facts))


@given(scorings(), people())
def test_the_reasons_always_add_up_to_the_score(scoring, who):
    found = points(scoring, who, NOON)
    assert sum(reason.points for reason in found.reasons if reason.part == "fit") == found.fit
    assert sum(reason.points for reason in found.reasons if reason.part == "interest") == found.interest
    assert found.score == found.fit + found.interest
    names = {rule.name for rule in scoring.rules}
    for reason in found.reasons:
        assert reason.rule in names
        assert isinstance(reason.points, int)
        assert isinstance(reason.worth, int)
        assert reason.worth
        assert abs(reason.points) <= abs(reason.worth)
        assert reason.points * reason.worth >= 0
        if reason.fact is not None:
            assert reason.fact in who.facts
            assert reason.at == reason.fact.at <= NOON


@given(scorings(), people())
def test_no_cap_is_ever_passed(scoring, who):
    found = points(scoring, who, NOON)
    for part, cap in (("fit", scoring.fit_cap), ("interest", scoring.interest_cap)):
        gained = sum(max(reason.points, 0) for reason in found.reasons if reason.part == part)
        assert cap is None or gained <= cap
    for rule in scoring.rules:
        of_rule = [reason for reason in found.reasons if reason.rule == rule.name]
        if rule.cap is not None:
            assert abs(sum(reason.points for reason in of_rule)) <= rule.cap
        if rule.once == "once":
            assert len(of_rule) <= 1
        if rule.once == "each":
            assert len({reason.fact.name for reason in of_rule}) == len(of_rule)


@given(scorings(), people(), st.data())
def test_nothing_changes_before_the_moment_that_was_named(scoring, who, data):
    found = points(scoring, who, NOON)
    until = found.next_at or NOON + 4000 * DAY
    assert until > NOON
    steps = (until - NOON) // TICK
    for at in (NOON + data.draw(st.integers(0, max(steps - 1, 0))) * TICK, until - TICK):
        between = points(scoring, who, at)
        assert (between.fit, between.interest, between.reasons) == (found.fit, found.interest, found.reasons)


@given(scorings(), people())
def test_looking_whenever_it_was_asked_for_comes_to_the_same_as_looking_once_at_the_end(scoring, who):
    end = NOON + 20 * DAY
    found, at, looks = points(scoring, who, NOON), NOON, 0
    while found.next_at is not None and found.next_at <= end:
        assert found.next_at > at
        at = found.next_at
        found = points(scoring, who, at)
        looks += 1
        assert looks < 3000
    last = points(scoring, who, end)
    assert (found.fit, found.interest, found.reasons) == (last.fit, last.interest, last.reasons)


@given(people(), st.integers(1, 60), WORTH)
def test_points_only_ever_fade(who, half_life, worth):
    scoring = Scoring((interest("Came", "visited", worth, half_life=half_life * DAY),))
    past = Person(1, who.values, tuple(fact for fact in who.facts if fact.at <= NOON))
    scores = [abs(points(scoring, past, NOON + days * DAY).score) for days in range(0, 200, 10)]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("worth", [1, 2, 3, 7, 40, 999, 1000, -1, -25])
def test_a_fact_goes_through_all_whole_numbers_down_to_nothing(worth):
    scoring = Scoring((interest("Came", "visited", worth, half_life=DAY),))
    who, at, seen = person(did("visited", "/", 0)), NOON, []
    while at is not None:
        found = points(scoring, who, at)
        seen.append(abs(found.score))
        at = found.next_at
    assert seen == list(range(abs(worth), -1, -1))
