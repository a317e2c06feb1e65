"""The interval of one rate."""

from __future__ import annotations

from random import Random

import mpmath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handsel.experiments.rates import ALPHA, rate_interval


def e_value(visitors: int, conversions: int, rate: float) -> float:
    """The likelihood averaged over the prior, against that of ``rate``."""
    half = mpmath.mpf("0.5")
    averaged = mpmath.beta(half + conversions, half + visitors - conversions) / mpmath.beta(half, half)
    return float(averaged / (mpmath.mpf(rate) ** conversions * (1 - mpmath.mpf(rate)) ** (visitors - conversions)))


@given(st.integers(1, 5000), st.data())
def test_the_bounds_are_where_the_evidence_reaches_one_in_twenty(visitors, data):
    conversions = data.draw(st.integers(0, visitors))
    low, high = rate_interval(visitors, conversions)
    assert 0 <= low <= conversions / visitors <= high <= 1
    for bound in (low, high):
        if 0 < bound < 1:
            assert e_value(visitors, conversions, bound) == pytest.approx(1 / ALPHA, rel=1e-6)


def test_without_visitors_every_rate_is_possible():
    assert rate_interval(0, 0) == (0.0, 1.0)
    assert rate_interval(10, 0)[0] == 0
    assert rate_interval(10, 10)[1] == 1


def test_counts_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="between 0 and the visitors"):
        rate_interval(3, 4)


def test_the_true_rate_is_missed_at_any_of_two_thousand_looks_in_at_most_one_of_twenty_runs():
    """300 runs at 3 %: up to 26 misses have a probability of over .99 if each run misses with one of .05."""
    chance, runs, missed = Random(7), 300, 0
    for _ in range(runs):
        conversions = 0
        for visitor in range(1, 2001):
            conversions += chance.random() < 0.03
            if visitor % 40 == 0:
                low, high = rate_interval(visitor, conversions)
                if not low <= 0.03 <= high:
                    missed += 1
                    break
    assert missed <= 26


def test_ten_thousand_visitors_at_three_percent_leave_a_narrow_stretch():
    low, high = rate_interval(10_000, 300)
    assert (round(low, 4), round(high, 4)) == (.0237, .0372)
