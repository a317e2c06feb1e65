"""The wrong-split alarm against scipy, a chi-square test and its own promise."""

from __future__ import annotations

from math import exp, inf, log

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from handsel.experiments import split
from handsel.experiments.trial import Cell, Period

visitors = st.integers(0, 10**6)


@settings(deadline=None, max_examples=60)
@given(counts=st.lists(visitors, min_size=2, max_size=6), data=st.data())
def test_it_is_scipys_dirichlet_multinomial_over_its_multinomial(counts: list[int], data: st.DataObject) -> None:
    weights = data.draw(st.lists(st.floats(0.1, 10), min_size=len(counts), max_size=len(counts)))
    if not sum(counts):
        return
    shares = [weight / sum(weights) for weight in weights]
    logs = [stats.dirichlet_multinomial.logpmf(counts, [c * share for share in shares], sum(counts))
            - stats.multinomial.logpmf(counts, sum(counts), shares) for c in split.CONCENTRATIONS]
    expected = max(logs) + log(sum(2.718281828459045 ** (value - max(logs)) for value in logs) / 2)

    found = split.log_e([Period(tuple(weights))], [[Cell(number) for number in counts]])

    assert found == pytest.approx(expected, rel=1e-6, abs=1e-4)


# What ssrm_test (Optimizely, of the authors of the method) gives as ln of its Bayes factor with a concentration of 100
# and of 1,000.
@pytest.mark.parametrize(("counts", "weights", "published"), [
    ((520, 480), (0.5, 0.5), (-0.473125234, 0.053528187)),
    ((560, 440), (0.5, 0.5), (5.363268896, 3.257268376)),
    ((3000, 1000), (0.7, 0.3), (22.228366351, 18.816155546)),
    ((340, 330, 330), (1, 1, 1), (-2.313194983, -0.64352583)),
    ((9000, 500, 520), (0.9, 0.05, 0.05), (-4.295485039, -2.076753753)),
    ((0, 12), (0.5, 0.5), (0.59296815, 0.065251016)),
])
def test_it_is_the_mean_of_two_published_tests(
    counts: tuple[int, ...], weights: tuple[float, ...], published: tuple[float, float],
) -> None:
    found = split.log_e([Period(weights)], [[Cell(number) for number in counts]])

    assert found == pytest.approx(log(sum(exp(each) for each in published) / 2), abs=1e-7)


def test_periods_multiply() -> None:
    even, skewed = Period((1, 1)), Period((9, 1))
    rows = [[Cell(520), Cell(480)], [Cell(900), Cell(90)]]
    both = split.log_e([even, skewed], rows)

    assert both < split.ALARM
    assert split.log_e([even], [[Cell(), Cell()]]) == 0


def test_a_variant_without_weight_that_was_seen_is_a_wrong_split() -> None:
    assert split.log_e([Period((1, 0))], [[Cell(10), Cell(1)]]) == inf


# Fabijan et al. (2019), "Diagnosing sample ratio mismatch": 821,588 against 815,482 users of an even split.
def test_a_published_mismatch_is_found_as_by_the_chi_square_test() -> None:
    counts = (821_588, 815_482)

    assert stats.chisquare(counts).pvalue < 1e-5
    assert split.log_e([Period((1, 1))], [[Cell(number) for number in counts]]) > log(20)


def test_the_chance_of_an_alarm_under_the_right_split_is_under_one_in_a_thousand() -> None:
    """All paths of 1,500 visitors at once, until the alarm."""
    inside, alarmed = {0: 1.0}, 0.0
    for number in range(1, 1501):
        following: dict[int, float] = {}
        for first, chance in inside.items():
            if chance > 1e-12:
                following[first] = following.get(first, 0.0) + chance / 2
                following[first + 1] = following.get(first + 1, 0.0) + chance / 2
        inside = following
        if number % 10 == 0:
            inside = {}
            for first, chance in following.items():
                if split.log_e([Period((1, 1))], [[Cell(first), Cell(number - first)]]) >= split.ALARM:
                    alarmed += chance
                else:
                    inside[first] = chance

    assert 0 < alarmed < 0.001
