"""Values per visitor: the mixture against mpmath, and its expectation over all signs."""

from __future__ import annotations

from itertools import product
from math import exp

import mpmath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handsel.experiments import value
from handsel.experiments.trial import Cell, Pair, Plan


@settings(deadline=None, max_examples=15)
@given(first=st.floats(0, 30), second=st.floats(0, 30), squares=st.floats(1, 60), rho=st.floats(0.5, 50))
def test_it_is_the_mixture_over_a_normal_slope(first: float, second: float, squares: float, rho: float) -> None:
    pair = Pair(0.5, Cell(9, 9, first, squares), Cell(9, 9, second, 0.0))
    shift = second - first
    with mpmath.workdps(30):
        centre, spread = shift / (squares + rho), (squares + rho) ** -0.5
        mixed = mpmath.quad(
            lambda slope: mpmath.sqrt(rho / (2 * mpmath.pi)) * mpmath.exp(
                slope * shift - slope ** 2 * (squares + rho) / 2),
            [centre - 12 * spread, centre, centre + 12 * spread])

    assert value.log_e(pair, rho) == pytest.approx(float(mpmath.log(mixed)), abs=1e-7)


@settings(deadline=None, max_examples=40)
@given(values=st.lists(st.floats(0, 100), min_size=1, max_size=8), rho=st.floats(0.1, 1000))
def test_over_all_assignments_of_the_same_values_the_mean_is_at_most_one(values: list[float], rho: float) -> None:
    squares = sum(each * each for each in values)
    whole = 0.0
    for signs in product((0, 1), repeat=len(values)):
        second = sum(each for each, sign in zip(values, signs, strict=True) if sign)
        whole += exp(value.log_e(Pair(0.5, Cell(9, 9, sum(values) - second, squares), Cell(9, 9, second)), rho))

    assert whole / 2 ** len(values) <= 1 + 1e-9


def test_the_scale_comes_from_the_plan_and_needs_a_cap() -> None:
    assert value.scale(Plan(0.03, 0.2, value_cap=40.0), 9000) == pytest.approx(9000 * 0.03 * 100 / 9)
    with pytest.raises(ValueError, match="value_cap"):
        value.scale(Plan(0.03, 0.2), 9000)


def test_a_lift_of_values_takes_so_many_more_visitors_than_one_of_the_rate() -> None:
    assert value.inflation(0.5) == pytest.approx(4 * 3.25 / 2.5)
