"""Anytime intervals: against scipy and mpmath, and as the inverse of their own test."""

from __future__ import annotations

from math import exp, inf, log

import mpmath
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from handsel.experiments import intervals
from handsel.experiments.trial import Cell, Pair

shares = st.floats(0.05, 0.95)
counts = st.integers(1, 20_000)


def e_value(pair: Pair, log_ratio: float, prior: float) -> float:
    """ln of the beta-binomial over the binomial whose odds are those of ``log_ratio``, in thirty digits."""
    first, second = pair.first.conversions, pair.second.conversions
    with mpmath.workdps(30):
        share = mpmath.mpf(pair.share)
        odds = share / (1 - share) * mpmath.exp(log_ratio)
        mixed = mpmath.beta(prior * share + second, prior * (1 - share) + first)
        mixed /= mpmath.beta(prior * share, prior * (1 - share))
        return float(mpmath.log(mixed) - second * mpmath.log(odds) + (first + second) * mpmath.log(1 + odds))


@settings(deadline=None, max_examples=40)
@given(share=shares, first=counts, second=counts, alpha=st.sampled_from([0.05, 0.01]))
def test_the_ends_of_the_exact_sequence_are_where_its_test_rejects(
    share: float, first: int, second: int, alpha: float,
) -> None:
    pair = Pair(share, Cell(10**6, first), Cell(10**6, second))
    low, high = intervals.conversion_bounds([pair], alpha, 900.0)

    assert low < log(second / first) - log(share / (1 - share)) < high
    for end in (low, high):
        assert e_value(pair, end, 100.0) == pytest.approx(-log(alpha), abs=1e-5)


@pytest.mark.parametrize(("first", "second", "expected"), [
    (0, 0, (-inf, inf)), (0, 9, (None, inf)), (9, 0, (-inf, None)),
])
def test_variants_without_conversions_leave_one_side_open(
    first: int, second: int, expected: tuple[float | None, float | None],
) -> None:
    pair = Pair(0.5, Cell(100, first), Cell(100, second))
    found = intervals.conversion_bounds([pair], 0.05)

    for end, wanted in zip(found, expected, strict=True):
        if wanted is None:
            assert e_value(pair, end, intervals.UNPLANNED_CONVERSIONS / 9) == pytest.approx(log(20), abs=1e-6)
        else:
            assert end == wanted


def test_the_exact_sequence_rarely_misses_by_exact_enumeration() -> None:
    """All paths of 300 conversions at once: the chance of ever leaving the bounds of the true ratio is under alpha."""
    share, log_ratio, alpha = 0.4, 0.3, 0.05
    odds = share / (1 - share) * exp(log_ratio)
    rate, inside, missed = odds / (1 + odds), {0: 1.0}, 0.0
    for number in range(1, 301):
        following: dict[int, float] = {}
        for second, chance in inside.items():
            following[second] = following.get(second, 0.0) + chance * (1 - rate)
            following[second + 1] = following.get(second + 1, 0.0) + chance * rate
        inside = {}
        for second, chance in following.items():
            pair = Pair(share, Cell(number, number - second), Cell(number, second))
            if e_value_fast(pair, log_ratio, 20.0) >= -log(alpha):
                missed += chance
            else:
                inside[second] = chance

    assert 0.01 < missed < alpha


def e_value_fast(pair: Pair, log_ratio: float, prior: float) -> float:
    offsets = [log(pair.share / (1 - pair.share))]
    return intervals._marginal([pair], offsets, prior) - intervals._slope([pair], offsets, log_ratio)[0]


@settings(deadline=None, max_examples=40)
@given(first=st.integers(1, 2000), second=st.integers(1, 2000), other=st.integers(1, 2000), more=st.integers(1, 2000))
def test_two_splits_together_say_no_less_than_their_own_test(first: int, second: int, other: int, more: int) -> None:
    found = [Pair(0.1, Cell(10**5, first), Cell(10**5, second)), Pair(0.5, Cell(10**5, other), Cell(10**5, more))]
    low, high = intervals.conversion_bounds(found, 0.05, 900.0)
    offsets = [log(pair.share / (1 - pair.share)) for pair in found]

    assert low < high
    level = intervals._marginal(found, offsets, 100.0) + log(0.05)
    for end in (low, high):
        assert intervals._slope(found, offsets, end)[0] == pytest.approx(level, rel=1e-7, abs=1e-5)


def test_the_prior_over_several_splits_is_a_probability() -> None:
    assert sum(weight for _, weight in intervals._prior(100.0)) == pytest.approx(1)


@given(information=st.floats(0.1, 1e7), rho=st.floats(0.01, 1e5), alpha=st.floats(0.001, 0.2))
def test_the_asymptotic_half_width_is_where_the_normal_mixture_reaches_one_over_alpha(
    information: float, rho: float, alpha: float,
) -> None:
    """e = integral of exp(l S - l^2 V / 2) over l ~ N(0, 1 / rho), with S = V times the half width."""
    score = information * intervals.half_width(information, rho, alpha)
    closed_form = 0.5 * log(rho / (rho + information)) + score ** 2 / (2 * (rho + information))

    assert closed_form == pytest.approx(-log(alpha))


# What gbstats 0.8.0 (GrowthBook) gives as the sequential interval of the difference of two proportions: the variance of
# the difference, visitors of both, its tuning parameter rho, alpha, and half the interval's width. Its formula is that
# of Waudby-Smith et al. too, written in sample sizes.
@pytest.mark.parametrize(("variance", "visitors", "tuning", "alpha", "published"), [
    (0.0002031, 2000, 0.03984006677137368, 0.05, (0.07451796210226778 + 0.014517962102267787) / 2),
    (1.356136644277088e-05, 10_100, 0.03984006677137368, 0.05, (0.022453267804807962 + 0.00010032662833737299) / 2),
    (3.1437499999999998e-06, 40_000, 0.02817118137696317, 0.05, (0.010544568266798206 + 0.000544568266798196) / 2),
    (0.00014790397310262822, 5900, 0.07593991486930711, 0.01, (0.08891494184118676 - 0.0007402305726064082) / 2),
    (0.0005587884994689729, 790, 0.11250652963536148, 0.1, (0.11945521537219697 + 0.011762907679889273) / 2),
])
def test_the_asymptotic_half_width_is_that_of_a_published_engine(
    variance: float, visitors: int, tuning: float, alpha: float, published: float,
) -> None:
    rho = 1 / variance / (visitors * tuning * tuning)

    assert intervals.half_width(1 / variance, rho, alpha) == pytest.approx(published, rel=1e-9)


def test_the_normal_mixture_is_the_integral_that_it_claims_to_be() -> None:
    information, rho, alpha = 40.0, 5.0, 0.05
    score = information * intervals.half_width(information, rho, alpha)
    with mpmath.workdps(30):
        density = mpmath.sqrt(rho / (2 * mpmath.pi))
        mixed = mpmath.quad(lambda slope: density * mpmath.exp(
            slope * score - slope ** 2 * information / 2 - rho * slope ** 2 / 2), [-10, 0, 2, 10])

    assert float(mixed) == pytest.approx(1 / alpha)


@given(first=st.integers(25, 5000), second=st.integers(25, 5000))
def test_an_anytime_interval_is_wider_than_the_one_of_a_single_look(first: int, second: int) -> None:
    pair = Pair(0.5, Cell(10_000, first), Cell(10_000, second))
    low, high = intervals.rate_bounds(pair, 0.05, 900.0, 300.0)
    middle = log(second / first)
    single = stats.norm.ppf(0.975) * (1 / first + 1 / second - 2 / 10_000) ** 0.5

    assert low < middle - single
    assert high > middle + single


def test_few_conversions_are_left_to_the_exact_sequence() -> None:
    pair = Pair(0.5, Cell(100, 24), Cell(100, 60))

    assert intervals.rate_bounds(pair, 0.05, 900.0, 300.0) == intervals.conversion_bounds([pair], 0.005, 900.0)


def test_a_falling_rate_and_a_growing_share_make_no_lift() -> None:
    """Both variants convert alike in each period; pooled, the second would look worse."""
    found = [Pair(0.1, Cell(9000, 1800), Cell(1000, 200)), Pair(0.5, Cell(5000, 500), Cell(5000, 500))]

    assert intervals.lift(found) == pytest.approx(0)
    assert intervals.lift([Pair(0.5, Cell(10, 0), Cell(10, 3))]) is None


@given(low=st.floats(-1, 5), width=st.floats(0, 5), middle=st.floats(-1, 8), sign=st.sampled_from([-1, 0, 1]))
def test_a_clipped_interval_excludes_zero_exactly_with_a_verdict(
    low: float, width: float, middle: float, sign: int,
) -> None:
    assume(sign * middle >= 0)
    lower, upper = intervals.clip(low, low + width, middle, sign)
    assert upper is not None

    assert lower <= upper
    assert (lower > 0) == (sign > 0)
    assert (upper < 0) == (sign < 0)


def test_a_bound_becomes_a_lift() -> None:
    assert intervals.as_lift(log(1.25)) == pytest.approx(0.25)
    assert (intervals.as_lift(-inf), intervals.as_lift(inf)) == (-1, None)
