"""The e-process: exact under no difference, equal to a plain computation in many digits, and closed testing."""

from __future__ import annotations

from itertools import combinations, product
from math import exp, log

import mpmath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handsel.experiments import eprocess
from handsel.experiments.trial import Cell, Pair, Plan

PLANS = [None, Plan(0.03, 0.2), Plan(0.3, 0.1), Plan(0.6, 0.5), Plan(0.006, 160.0)]
shares = st.floats(0.02, 0.98)
cells = st.integers(0, 100_000).flatmap(lambda n: st.integers(0, n).map(lambda c: Cell(n, c)))
pairs = st.builds(Pair, shares, cells, cells)


@pytest.mark.parametrize("plan", PLANS)
def test_the_weights_of_the_grid_add_up_to_one_and_lie_evenly_on_both_sides(plan: Plan | None) -> None:
    points = eprocess.alternatives(*(plan[:2] if plan else (None, None)))

    assert sum(point.weight for point in points) == pytest.approx(1)
    assert sum(point.weight for point in points if point.second > point.first) == pytest.approx(0.5)


@pytest.mark.parametrize("plan", PLANS)
@settings(deadline=None, max_examples=30)
@given(share=shares)
def test_each_factor_has_the_mean_one_over_the_assignment_for_converts_and_for_others(
    plan: Plan | None, share: float,
) -> None:
    for first_yes, first_no, second_yes, second_no in eprocess.factors(*(plan[:2] if plan else (None, None)), share):
        assert (1 - share) * exp(first_yes) + share * exp(second_yes) == pytest.approx(1)
        assert (1 - share) * exp(first_no) + share * exp(second_no) == pytest.approx(1)


@pytest.mark.parametrize("rates", [[0.5] * 6, [0.01, 0.9, 0.2, 0.7, 0.1, 0.4]])
def test_without_a_difference_the_expectation_is_one_whatever_the_rates_do(rates: list[float]) -> None:
    """All ways six visitors can be assigned and convert, weighed by their probability."""
    plan, share, expected = Plan(0.3, 0.5), 0.3, 0.0
    for given_second in product((0, 1), repeat=6):
        for converts in product((0, 1), repeat=6):
            arms = [[0, 0], [0, 0]]
            chance = 1.0
            for second, converted, rate in zip(given_second, converts, rates, strict=True):
                arms[second][0] += 1
                arms[second][1] += converted
                chance *= (share if second else 1 - share) * (rate if converted else 1 - rate)
            expected += chance * exp(eprocess.log_e([Pair(share, Cell(*arms[0]), Cell(*arms[1]))], plan))

    assert expected == pytest.approx(1)


@pytest.mark.parametrize("plan", PLANS)
@settings(deadline=None, max_examples=10)
@given(found=st.lists(pairs, min_size=1, max_size=3))
def test_it_equals_the_same_sum_in_fifty_digits(plan: Plan | None, found: list[Pair]) -> None:
    with mpmath.workdps(50):
        whole = mpmath.mpf(0)
        for point in eprocess.alternatives(*(plan[:2] if plan else (None, None))):
            ratio = mpmath.mpf(point.weight)
            for pair in found:
                first, second = (1 / (1 + mpmath.exp(-mpmath.mpf(each))) for each in point[:2])
                mixed = (1 - mpmath.mpf(pair.share)) * first + mpmath.mpf(pair.share) * second
                for cell, own in ((pair.first, first), (pair.second, second)):
                    ratio *= (own / mixed) ** cell.conversions
                    ratio *= ((1 - own) / (1 - mixed)) ** (cell.visitors - cell.conversions)
            whole += ratio
        expected = float(mpmath.log(whole))

    assert eprocess.log_e(found, plan) == pytest.approx(expected, rel=1e-9, abs=1e-7)


@settings(deadline=None)
@given(found=pairs)
def test_two_periods_of_one_split_are_one_period(found: Pair) -> None:
    twice = Pair(found.share, *(Cell(2 * cell.visitors, 2 * cell.conversions) for cell in (found.first, found.second)))

    assert eprocess.log_e([found, found], PLANS[1]) == pytest.approx(eprocess.log_e([twice], PLANS[1]), abs=1e-7)


def test_nothing_seen_is_no_evidence() -> None:
    assert eprocess.log_e([], None) == 0
    assert eprocess.log_e([Pair(0.5, Cell(), Cell())], PLANS[1]) == pytest.approx(0)


def test_a_plan_beyond_one_is_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        eprocess.alternatives(0.9, 0.5)


@settings(deadline=None)
@given(values=st.lists(st.floats(-20, 20), min_size=1, max_size=6))
def test_closed_testing_takes_the_least_mean_over_all_sets_with_the_hypothesis(values: list[float]) -> None:
    places = range(len(values))
    expected = [min(log(sum(exp(values[each]) for each in chosen) / len(chosen))
                    for size in range(1, len(values) + 1) for chosen in combinations(places, size) if place in chosen)
                for place in places]

    assert eprocess.closed(values) == pytest.approx(expected, abs=1e-9)
