"""The verdict: when it is given, withheld and kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handsel.experiments.state import State
from handsel.experiments.trial import Cell, Period, Plan
from handsel.experiments.verdict import Judgement, judge

PLAN = Plan(0.1, 0.3)  # 3,552 visitors of both
START = datetime(2026, 3, 2, tzinfo=UTC)
EVEN = Period((1, 1))


def look(*arms: tuple[int, int], plan: Plan | None = PLAN, days: float | None = None, at: str = "daily",
         state: State | None = None) -> Judgement:
    """A judgement of one period with (visitors, conversions) of each variant, after ``days`` or without times."""
    period = Period((1,) * len(arms), START if days is not None else None)
    now = None if days is None else START + timedelta(days=days)
    return judge(plan, [period], [[Cell(*arm) for arm in arms]], look=at, state=state, now=now)


def test_a_clear_lift_wins_and_its_interval_excludes_zero() -> None:
    found = look((1700, 150), (1700, 240))

    assert (found.verdict, found.variant, found.reasons) == ("winner", 1, ())
    assert found.arms[1].lift == pytest.approx(0.6)
    assert found.arms[1].low > 0


def test_no_difference_in_sight_is_no_verdict() -> None:
    found = look((900, 90), (900, 95))

    assert (found.verdict, found.arms[1].low < 0, found.state.latch) == ("none", True, None)


def test_a_clear_drop_loses() -> None:
    found = look((1700, 240), (1700, 150))

    assert found.verdict == "loser"
    assert found.arms[1].high is not None
    assert found.arms[1].high < 0


def test_the_planned_boundary_belongs_to_the_looks_of_the_kind_that_began() -> None:
    strong = (1750, 150), (1750, 205)  # enough for the boundary, not for the e-process alone
    began = look((100, 10), (100, 11)).state

    assert look(*strong, state=began, at="daily").verdict == "winner"
    assert look(*strong, state=began, at="visitor").verdict == "none"
    assert look(*strong, plan=None).verdict == "none"


def test_after_the_planned_sample_only_the_e_process_goes_on() -> None:
    ended = look((1800, 180), (1800, 190)).state

    assert ended.finished == (True,)
    assert look((2000, 200), (2000, 260), state=ended).verdict == "none"
    assert look((4000, 400), (4000, 560), state=ended).verdict == "winner"


def test_a_winner_waits_for_seven_full_days() -> None:
    early = look((1700, 150), (1700, 240), days=6.9)
    late = look((1900, 190), (1900, 215), days=7, state=early.state)

    assert (early.verdict, early.reasons, early.arms[1].low) == ("withheld", ("7 full days",), 0.0)
    assert late.verdict == "winner"  # the evidence was there: gates only delay
    assert late.arms[1].low > 0


def test_a_winner_waits_for_twenty_five_conversions_a_variant() -> None:
    found = look((900, 10), (900, 90), days=8)

    assert (found.verdict, found.reasons) == (
        "withheld", ("25 conversions of the control", "25 conversions a variant"))
    assert look((900, 10), (900, 90)).verdict == "winner"


def test_harm_is_stopped_before_seven_days_even_where_nobody_converts() -> None:
    assert look((700, 70), (700, 0), days=1.5).verdict == "loser"


def test_a_verdict_stays_with_its_time_and_counts() -> None:
    given = look((1700, 150), (1700, 240), days=9)
    later = look((3400, 390), (3400, 392), days=30, state=given.state)

    assert given.state.latch is not None
    assert given.state.latch.at == START + timedelta(days=9)
    assert given.state.latch.counts == ((1700, 150), (1700, 240))
    assert later.state.latch == given.state.latch
    assert (later.verdict, later.arms[1].low > 0) == ("winner", True)


def test_the_smallest_p_is_remembered() -> None:
    first = look((1000, 90), (1000, 125))
    second = look((2000, 200), (2000, 200), state=first.state)

    assert first.arms[1].p_anytime < 1
    assert second.arms[1].p_anytime == first.arms[1].p_anytime


def test_no_difference_needs_the_planned_end_and_a_narrow_interval() -> None:
    assert look((1900, 190), (1900, 190)).verdict == "none"
    found = look((9000, 900), (9000, 905))

    assert found.verdict == "no_difference"
    assert look((30_000, 3000), (30_000, 3600), state=found.state).verdict == "no_difference"


def test_the_planned_end_is_the_end_of_a_full_week() -> None:
    reached = look((9000, 900), (9000, 905), days=9)

    assert (reached.verdict, reached.reasons) == ("none", ("full weeks",))
    assert look((9100, 910), (9100, 915), days=13.9, state=reached.state).verdict == "none"
    assert look((9100, 910), (9100, 915), days=14, state=reached.state).verdict == "no_difference"


def test_a_long_test_is_warned_of() -> None:
    assert look((900, 90), (900, 95), days=57).reasons == ("more than 8 weeks",)


def test_a_wrong_split_withholds_even_a_verdict_that_was_given() -> None:
    given = look((1700, 150), (1700, 240))
    alarmed = look((3700, 350), (2700, 380), state=given.state)

    assert (alarmed.verdict, alarmed.alarm, alarmed.arms[1].low) == ("withheld", True, 0.0)
    assert alarmed.reasons[0].startswith("wrong split")
    assert alarmed.state.latch == given.state.latch
    assert look((4000, 350), (4000, 380), state=alarmed.state).alarm  # an alarm stays


def test_a_change_of_split_leaves_the_verdict_to_the_e_process() -> None:
    periods = [Period((9, 1)), EVEN]
    weak = [[Cell(900, 90), Cell(100, 13)], [Cell(1600, 130), Cell(1600, 180)]]
    strong = [[Cell(900, 90), Cell(100, 13)], [Cell(3600, 330), Cell(3600, 480)]]

    assert judge(PLAN, periods, weak).verdict == "none"
    assert judge(PLAN, periods, strong).verdict == "winner"


def test_the_best_of_several_must_also_beat_the_runner_up() -> None:
    close = look((3000, 300), (3000, 450), (3000, 455))
    clear = look((3000, 300), (3000, 310), (3000, 500))

    assert (close.verdict, close.variant) == ("winner", 2)
    assert close.reasons == ("better than the control, not yet better than variant 1",)
    assert close.state.latch is not None
    assert not close.state.latch.best
    assert (clear.verdict, clear.variant, clear.reasons) == ("winner", 2, ())


def test_all_must_be_worse_for_a_loser_among_several() -> None:
    assert look((1500, 225), (1500, 130), (1500, 220)).verdict == "none"
    assert look((3000, 450), (3000, 300), (3000, 440)).verdict == "no_difference"
    assert look((3000, 450), (3000, 300), (3000, 310)).verdict == "loser"


def value_arm(conversions: int, each: float) -> Cell:
    return Cell(20_000, conversions, conversions * each, conversions * each * each)


def test_values_are_judged_by_their_sum() -> None:
    plan = Plan(0.03, 0.5, value_cap=50.0)
    found = judge(plan, [EVEN], [[value_arm(500, 10.0), value_arm(500, 16.0)]])

    assert found.verdict == "winner"
    assert found.arms[1].rate == pytest.approx(0.4)
    assert found.arms[1].lift == pytest.approx(0.6)


def test_values_wait_for_a_hundred_conversions_and_an_even_split() -> None:
    plan = Plan(0.03, 0.5, value_cap=50.0)
    few = judge(plan, [EVEN], [[value_arm(20, 10.0), value_arm(60, 16.0)]])
    uneven = judge(plan, [Period((2, 1))], [[value_arm(500, 10.0), value_arm(500, 16.0)]])

    assert few.reasons == ("100 conversions",)
    assert few.verdict in ("none", "withheld")
    assert "values need an even split that never changes" in uneven.reasons


arm = st.integers(0, 3000).flatmap(lambda n: st.integers(0, n).map(lambda c: (n, c)))


@settings(deadline=None, max_examples=60)
@given(looks=st.lists(st.lists(arm, min_size=3, max_size=3), min_size=1, max_size=5),
       plan=st.sampled_from([None, PLAN, Plan(0.03, 0.2)]), days=st.sampled_from([None, 1.0, 5.0]),
       at=st.sampled_from(["daily", "visitor"]))
def test_whatever_comes_the_interval_excludes_zero_exactly_with_a_verdict_and_verdicts_stay(
    looks: list[list[tuple[int, int]]], plan: Plan | None, days: float | None, at: str,
) -> None:
    counts, state, seen = [(0, 0)] * 2, None, []
    for number, more in enumerate(looks, start=1):
        counts = [(n + extra, c + won) for (n, c), (extra, won) in zip(counts, more, strict=False)]
        found = look(*counts, plan=plan, days=None if days is None else days * number, at=at, state=state)
        state = found.state
        low, high = found.arms[1].low, found.arms[1].high
        excludes = low > 0 or (high is not None and high < 0)
        assert excludes == (found.verdict in ("winner", "loser"))
        assert high is None or low <= high
        seen.append(found.verdict)
    for before, after in pairwise(seen):
        if before in ("winner", "loser", "no_difference"):
            assert after in (before, "withheld")


@settings(deadline=None, max_examples=60)
@given(first=arm, second=arm)
def test_the_same_counts_and_state_give_the_same_verdict(first: tuple[int, int], second: tuple[int, int]) -> None:
    once = look(first, second)

    assert look(first, second) == once
    assert look(first, second, state=once.state).verdict in (once.verdict, "none")
