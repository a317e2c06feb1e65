"""Every state of an experiment has a sentence that says what is known and what to do."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from factories import NOON
from handsel.experiments.figures import lift_words, listed, rate_words, some, span_words
from handsel.experiments.results import ArmResult, EventResult, LookResult, PeriodResult, Results
from handsel.experiments.sentences import chance_words, pace, split_words, still_needed, tell, where_to_look
from handsel.experiments.trial import Cell

LONDON = ZoneInfo("Europe/London")
PLAN = {"baseline": .03, "mde": .2, "alpha": .05, "power": .8, "weights": [50, 50], "value_cap": None}


def plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ")


def arm(variant: str, visitors: int, conversions: int, **fields: Any) -> ArmResult:
    lift: dict[str, Any] = {"lift": 0.0, "lo": 0.0, "hi": 0.0, "p_anytime": 1.0}
    if variant != "a":
        lift = {"lift": .2, "lo": -.1, "hi": .5, "p_anytime": .3}
    return ArmResult(**{"variant": variant, "share": .5, "visitors": visitors, "conversions": conversions,
                        "total": 0.0, "rate": conversions / visitors if visitors else None} | lift | fields)


def told(arms: tuple[ArmResult, ...] = (), **fields: Any) -> Results:
    """A test without a plan that began ten days ago, with what is given."""
    arms = arms or (arm("a", 1000, 30), arm("b", 1000, 36))
    weights = (1.0,) * len(arms)
    start = NOON - timedelta(days=10)
    period = PeriodResult(weights, start, None, "", tuple(Cell(each.visitors, each.conversions) for each in arms))
    return Results(**{
        "id": 1, "offer": "guide", "goal": "capture", "hypothesis": "", "plan": None, "started_at": start,
        "ended_at": None, "ending": "", "shipped_variant": "", "learned": "", "paused_at": None, "arms": arms,
        "verdict": "none", "variant": "b", "best": True, "decided_at": None, "decided_counts": (), "reasons": (),
        "alarm": False, "alarm_p": 1.0, "excluded": {}, "planned": None, "periods": (period,), "events": (),
        "course": (), "looked_at": NOON, "asked": {}, "state": None} | fields)


def said(results: Results) -> list[str]:
    return [plain(line) for line in tell(results, NOON, LONDON).lines()]


NO_PLAN = "It has no plan, so it has no planned end: it goes on until the evidence is beyond doubt or you stop it."
LET_RUN = "Let it run. You may look as often as you like: looking decides nothing."


def test_before_the_first_visitor():
    assert said(told((arm("a", 0, 0), arm("b", 0, 0, lift=None, lo=-1.0, hi=None))))[:2] == [
        "It runs. Nobody has seen a variant yet.", "The first visit shows here within a second."]


def test_on_the_way_it_says_who_is_ahead_and_what_is_still_possible():
    assert said(told()) == [
        "There is no verdict yet. Variant b is ahead by 20 % so far, and anything from −10 % to +50 % is still "
        "possible.", NO_PLAN, LET_RUN]
    behind = told((arm("a", 1000, 30), arm("b", 1000, 28, lift=-.066)))
    assert "Variant b is behind by 6.6 % so far" in said(behind)[0]
    level = told((arm("a", 1000, 30), arm("b", 1000, 30, lift=0.0)))
    assert "Variant b and the control are level so far" in said(level)[0]


def test_without_conversions_there_is_nothing_to_compare():
    none = told((arm("a", 40, 0), arm("b", 41, 0, lift=None, lo=-1.0, hi=None)))
    assert said(none)[0] == "There is no verdict yet. None of 81 visitors has reached the goal."
    one = told((arm("a", 40, 0), arm("b", 41, 2, lift=None, lo=-1.0, hi=None)))
    assert said(one)[0].endswith("Variant b cannot be compared before the control has reached the goal once.")
    few = told((arm("a", 40, 1), arm("b", 41, 2, lift=.9, lo=-.9, hi=None)))
    assert said(few)[0].endswith("is ahead by 90 % so far, which says little yet: there are too few conversions.")


def test_a_plan_tells_how_many_visitors_are_missing_and_when_they_will_be_there():
    planned = told(plan=PLAN, planned=9560)
    assert said(planned)[1] == ("7,560 visitors of the 9,560 planned are still to come: about 38 days at the present "
                                "200 a day, in full weeks until 10 April 2026.")


def test_the_pace_is_that_of_the_last_two_weeks():
    looks = tuple(LookResult(date(2026, 2, 1), NOON - timedelta(days=days), "none",
                             (arm("a", seen, 1), arm("b", seen, 1)), False) for days, seen in ((20, 100), (14, 300)))
    results = told(course=looks, started_at=NOON - timedelta(days=40))
    assert pace(results, NOON) == (2000 - 600) / 14
    assert pace(told(started_at=NOON), NOON) == 2000, "a first day is a whole day"


def test_gates_say_what_they_wait_for_and_until_when():
    waiting = told((arm("a", 500, 20), arm("b", 500, 44, lift=1.2, lo=.1, hi=2.0)), verdict="withheld",
                   started_at=NOON - timedelta(days=3),
                   reasons=("7 full days", "25 conversions of the control", "25 conversions a variant"))
    assert said(waiting) == [
        "Variant b is ahead of the control, and the verdict only waits.",
        "So far 8.8 % of its visitors sent the form, against 4.0 % of the control's: +120 %, within +10 % to +200 %.",
        NO_PLAN,
        "A full week, until 6 March 2026: Sunday's people are not Tuesday's.",
        "More conversions: 5 of a. Under 25 for each variant, chance looks like a rule.",
        "Let it run: what the verdict waits for keeps one odd day from deciding."]


def test_a_full_sample_waits_for_the_end_of_its_week():
    assert plain(*still_needed(told(plan=PLAN, planned=2000, reasons=("full weeks",)), NOON)) == (
        "The end of the week, on 6 March 2026: the sample is complete.")


def test_a_test_of_more_than_eight_weeks_is_to_be_stopped():
    long = told(started_at=NOON - timedelta(weeks=9), reasons=("more than 8 weeks",))
    assert said(long)[-1] == "Stop it and test a bolder change: this one is too small for your traffic to show."


WON = (arm("a", 10_000, 300), arm("b", 10_000, 363, lift=.21, lo=.03, hi=.44, p_anytime=.012))


def test_a_winner_is_told_with_both_rates_and_the_interval():
    assert said(told(WON, verdict="winner")) == [
        "Variant b wins: 3.6 % of its visitors sent the form, against 3.0 % of the control's.",
        "That is +21 %: at least +3.0 %, at most +44 %.",
        "Ship variant b. Letting the test run on makes the figures finer, not the verdict."]
    barely = told((WON[0], replace(WON[1], lo=1e-9)), verdict="winner")
    assert "more than 0 %, at most +44 %" in said(barely)[1]


def test_a_winner_that_may_not_be_the_best_says_so():
    three = told((*WON, arm("c", 10_000, 350, lift=.17, lo=.001, hi=.4)), verdict="winner", best=False)
    assert said(three)[2:] == ["It beats the control. Whether it also beats c is not certain yet.",
                               "Ship variant b now, or let the test run on to find the best of them."]


def test_a_loser_is_to_be_stopped():
    lost = told((arm("a", 10_000, 300), arm("b", 10_000, 210, lift=-.3, lo=-.45, hi=-.08)), verdict="loser")
    assert said(lost) == [
        "Variant b loses: 2.1 % of its visitors sent the form, against 3.0 % of the control's.",
        "That is −30 %: at best −8.0 %, at worst −45 %.",
        "Stop the test: each further visitor of a challenger costs you. Write down what you learned."]
    all_of_them = told((lost.arms[0], lost.arms[1], replace(lost.arms[1], variant="c")), verdict="loser")
    assert said(all_of_them)[0].startswith("Every challenger loses. The best of them is variant b: 2.1 %")


def test_one_that_loses_while_another_is_open_is_named():
    three = told((*WON[:1], replace(WON[1], lo=-.1), arm("c", 10_000, 200, lift=-.33, lo=-.5, hi=-.1)))
    assert said(three)[1] == "Variant c is worse than the control: −33 %, at best −10 %, at worst −50 %."


def test_no_difference_reminds_of_the_lift_that_was_asked_for():
    same = told((arm("a", 10_000, 300), arm("b", 10_000, 303, lift=.01, lo=-.06, hi=.09)), verdict="no_difference",
                plan=PLAN, planned=20_000)
    assert said(same) == [
        "There is no difference worth finding: 3.0 % of b's visitors sent the form, against 3.0 % of the control's.",
        "Whatever is left lies within −6.0 % to +9.0 %. You asked for +20 %.",
        "Stop the test, keep the page you like better, and test a bolder change."]


def test_values_are_told_as_values():
    paid = told((arm("a", 1000, 60, rate=3.1), arm("b", 1000, 70, rate=4.25, lift=.37, lo=.05, hi=.8)), goal="value",
                verdict="winner")
    assert said(paid)[0] == "Variant b wins: its visitors brought 4.25 each, against 3.10 of the control's."


def test_a_wrong_split_takes_the_verdict_back_and_says_where_to_look():
    wrong = told((arm("a", 5500, 160), arm("b", 4500, 140)), alarm=True, verdict="withheld")
    lines = said(wrong)
    assert lines[0] == "The verdict is withheld: visitors are not shared out as planned."
    assert lines[1] == "Planned are 50.0 % for a and 50.0 % for b; 55.0 % and 45.0 % have come."
    assert where_to_look(wrong)[0] == "Variant b has too few visitors (about 5,000 were due)."
    assert len(where_to_look(wrong)) == 5


def test_the_right_split_of_several_periods_is_their_sum():
    periods = (PeriodResult((90.0, 10.0), NOON, NOON, "", (Cell(900, 9), Cell(100, 1))),
               PeriodResult((50.0, 50.0), NOON, None, "", (Cell(500, 5), Cell(500, 5))))
    both = told((arm("a", 1400, 14), arm("b", 600, 6)), periods=periods)
    assert plain(split_words(both)) == "Planned are 70.0 % for a and 30.0 % for b; 70.0 % and 30.0 % have come."


def test_a_pause_says_why_and_what_brings_it_back():
    said_then = "landing.b.md is missing, so everybody sees the control."
    paused = told(paused_at=NOON, events=(EventResult(NOON, "paused", said_then, ""),))
    assert said(paused) == [
        "The test is paused since 2 March 2026: everybody sees the control.", "landing.b.md is missing.",
        "Until then 2,000 visitors were counted; they are kept.",
        "Put the missing page back, and the test goes on. Or stop it."]


@pytest.mark.parametrize(("fields", "headline"), [
    ({"ending": "stopped"}, "The test was stopped on 2 March 2026. There was no verdict by then."),
    ({"ending": "stopped", "verdict": "loser"}, "The test was stopped on 2 March 2026. The challenger had lost."),
    ({"ending": "shipped", "shipped_variant": "b", "verdict": "winner"},
     "Variant b was shipped on 2 March 2026. It had won."),
    ({"ending": "changed"}, "The test ended on 2 March 2026, because other variants took part from then on. "
                            "There was no verdict by then."),
    ({"ending": "stopped", "alarm": True},
     "The test was stopped on 2 March 2026. Its split was wrong, so it proved nothing."),
])
def test_an_end_is_told_with_what_was_known(fields, headline):
    assert said(told(ended_at=NOON, **fields))[0] == headline


def test_days_are_those_of_the_site():
    late = NOON + timedelta(hours=11, minutes=30)
    ended = told(ended_at=late, ending="stopped")
    assert "on 2 March" in tell(ended, late, LONDON).headline
    assert "on 3 March" in tell(ended, late, ZoneInfo("Europe/Berlin")).headline


def test_what_the_file_asks_for_meanwhile_is_told():
    assert ("offer.md now says something else of baseline and mde. A test keeps the plan that it began with."
            in said(told(asked={"mde": .3, "baseline": .1})))


def test_chances_are_words_without_a_threshold():
    assert chance_words(arm("b", 1, 1, p_anytime=.7)) == "Chance alone explains what is seen."
    assert chance_words(arm("b", 1, 1, p_anytime=.0311)) == (
        "Were both pages equally good, at most 4 in 100 such tests would ever show as much.")
    assert "fewer than 1 in 1,000" in chance_words(arm("b", 1, 1, p_anytime=1e-9))


def test_figures_are_written_as_people_read_them():
    assert [plain(rate_words(rate)) for rate in (None, 0.0, .0034, .034, .9996)] == [
        "–", "0.0 %", "0.34 %", "3.4 %", "100 %"]
    assert rate_words(1234.5, "value") == "1,234.50"
    assert [plain(lift_words(lift)) for lift in (None, 0, 1e-9, .042, -.042, .21, 12.5)] == [
        "–", "0 %", "0 %", "+4.2 %", "−4.2 %", "+21 %", "+1,250 %"]
    assert plain(span_words(-.9, None)) == "−90 % or more"
    assert (some(1, "day"), some(1200, "day"), listed(["a"]), listed(["a", "b", "c"])) == (
        "1 day", "1,200 days", "a", "a, b and c")
