"""The calculator against published sample sizes and statsmodels."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from statsmodels.stats.power import NormalIndPower

from handsel.experiments import value
from handsel.experiments.plan import HYBRID, check, findable, forecast, pair_size, sample_size


# Evan Miller's calculator, its own example and settings: 1,030 visitors a variant for 20 % and 5 points more.
def test_it_gives_the_published_sample_size() -> None:
    assert round(sample_size(0.2, 0.25)) == 1030


@settings(deadline=None, max_examples=60)
@given(baseline=st.floats(0.001, 0.6), mde=st.floats(0.02, 0.6), alpha=st.floats(0.001, 0.1),
       power=st.floats(0.7, 0.99))
def test_it_lies_close_to_the_normal_power_of_statsmodels(
    baseline: float, mde: float, alpha: float, power: float,
) -> None:
    """Theirs has one variance for both hypotheses: ours lies between their sizes with either rate's."""
    lifted = baseline * (1 + mde)
    assume(lifted < 0.95)
    sizes = [NormalIndPower().solve_power((lifted - baseline) / (rate * (1 - rate)) ** 0.5, alpha=alpha, power=power)
             for rate in (baseline, lifted)]

    assert min(sizes) * 0.98 <= sample_size(baseline, mde, alpha, power) <= max(sizes) * 1.02


def test_an_even_split_needs_the_fewest_visitors() -> None:
    assert pair_size(0.03, 0.2, 0.05, 0.8, 0.5) == 2 * sample_size(0.03, 0.2)
    assert pair_size(0.03, 0.2, 0.05, 0.8, 0.1) > pair_size(0.03, 0.2, 0.05, 0.8, 0.3) > 2 * sample_size(0.03, 0.2)


def test_a_forecast_is_in_full_weeks() -> None:
    found = forecast(0.1, 0.3, 2000)

    assert found.visitors == (-int(-sample_size(0.1, 0.3) * HYBRID // 1),) * 2
    assert (found.total, found.days, found.weeks) == (3552, 13, 2)
    assert found.advice == "Run it for 2 full weeks, whatever you see on the way."


def test_too_little_traffic_is_said_in_plain_words() -> None:
    assert forecast(0.03, 0.2, 2000).advice == (
        "Your traffic is too low for this: test a bolder change. In 8 weeks you can find a lift of "
        "+27\N{NO-BREAK SPACE}% or more, and you ask for +20\N{NO-BREAK SPACE}%.")
    assert forecast(0.03, 0.2, 20).advice.startswith("Your traffic is too low for this: not even a doubled rate")


def test_more_variants_and_values_need_more_visitors() -> None:
    two = forecast(0.05, 0.2, 10_000)

    assert forecast(0.05, 0.2, 10_000, weights=(1, 1, 1)).visitors[0] > two.visitors[0]
    assert forecast(0.05, 0.2, 10_000, values=True).total == pytest.approx(value.inflation(0.2) * two.total, rel=1e-3)


@settings(deadline=None, max_examples=60)
@given(visitors=st.integers(500, 10**6))
def test_the_lift_that_can_be_found_fits_the_visitors_and_a_smaller_one_does_not(visitors: int) -> None:
    lift = findable(0.05, visitors)
    if lift is None:
        assert pair_size(0.05, 1.0, 0.05, 0.8, 0.5) * HYBRID > visitors
    else:
        assert pair_size(0.05, lift, 0.05, 0.8, 0.5) * HYBRID <= visitors
        assert lift == 0.01 or pair_size(0.05, lift - 0.01, 0.05, 0.8, 0.5) * HYBRID > visitors


@pytest.mark.parametrize(("numbers", "reason"), [
    ((0, 0.2), "baseline"), ((1, 0.2), "baseline"), ((0.1, 0), "smallest lift"), ((0.6, 0.9), "under 1"),
    ((0.1, 0.2, 0), "alpha"), ((0.1, 0.2, 0.05, 1), "power"), ((float("nan"), 0.2), "baseline"),
])
def test_numbers_that_are_no_test_are_refused(numbers: tuple[float, ...], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        check(*numbers)
