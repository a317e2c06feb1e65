"""Traffic shifting: the shares against scipy, their floor, and rates that drift."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from handsel.experiments.shifting import FLOOR, best, percents, shift, standardized
from handsel.experiments.trial import Cell, Period

EVEN = Period((1, 1))
counts = st.integers(0, 5000).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n)))


@settings(deadline=None, max_examples=40)
@given(first=counts, second=counts)
def test_the_chance_of_being_best_is_the_integral_of_scipys_betas(
    first: tuple[int, int], second: tuple[int, int],
) -> None:
    one, two = (stats.beta(1 + won, 1 + seen - won) for seen, won in (first, second))
    edges = sorted({0.0, 1.0, *one.ppf([1e-9, 0.5, 1 - 1e-9]), *two.ppf([1e-9, 0.5, 1 - 1e-9])})
    expected = sum(integrate.quad(lambda at: two.pdf(at) * one.cdf(at), low, high)[0]
                   for low, high in pairwise(edges))

    assert best([first, second])[1] == pytest.approx(expected, abs=2e-3)


@settings(deadline=None, max_examples=100)
@given(found=st.lists(st.integers(0, 10**12).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))),
                      min_size=2, max_size=12))
def test_chances_add_up_to_one_whatever_was_counted(found: list[tuple[int, int]]) -> None:
    chances = best(found)

    assert sum(chances) == pytest.approx(1)
    assert min(chances) >= 0


def test_equal_counts_have_equal_chances() -> None:
    assert best([(900, 90)] * 3) == pytest.approx([1 / 3] * 3)


@settings(deadline=None, max_examples=100)
@given(data=st.data(), number=st.integers(2, 12))
def test_the_split_is_in_whole_percents_and_leaves_everybody_the_floor(data: st.DataObject, number: int) -> None:
    current = data.draw(st.lists(st.sampled_from([0, 1, 5, 50]), min_size=number, max_size=number).filter(any))
    row = [Cell(*each) for each in data.draw(st.lists(counts, min_size=number, max_size=number))]
    split = shift(current, [Period((1,) * number)], [row])
    floor = min(FLOOR, 100 // sum(weight > 0 for weight in current))

    assert sum(split) == 100
    assert [share > 0 for share in split] == [weight > 0 for weight in current]
    assert split == percents(current) or all(share >= floor for share in split if share)
    assert shift(current, [Period((1,) * number)], [row]) == split


def test_traffic_goes_to_the_better_and_never_leaves_the_other() -> None:
    assert shift((50, 50), [EVEN], [[Cell(500, 50), Cell(500, 53)]]) == (40, 60)
    assert shift((50, 50), [EVEN], [[Cell(5000, 500), Cell(5000, 900)]]) == (10, 90)
    assert shift((1, 1, 1), [Period((1, 1, 1))], [[Cell(5000, 900), Cell(5000, 500), Cell(5000, 500)]]) == (80, 10, 10)


def test_a_small_move_is_none() -> None:
    assert shift((50, 50), [EVEN], [[Cell(500, 50), Cell(500, 51)]]) == (50, 50)
    assert shift((0.5, 0.5), [EVEN], [[Cell(), Cell()]]) == (50, 50)


def test_a_rate_that_fell_while_the_shares_moved_is_no_difference() -> None:
    """Both variants convert alike in each period; pooled, the second would look worse."""
    found = standardized([EVEN, Period((1, 9))], [[Cell(5000, 1000), Cell(5000, 1000)], [Cell(1000, 100),
                                                                                         Cell(9000, 900)]], [0, 1])
    (seen, won), (other_seen, other_won) = found

    assert won / seen == pytest.approx(other_won / other_seen)


def test_a_split_without_weight_is_refused() -> None:
    with pytest.raises(ValueError, match="weight"):
        shift((0, 0), [EVEN], [[Cell(), Cell()]])


@given(weights=st.lists(st.just(0.0) | st.floats(1e-6, 1e6), min_size=2, max_size=12).filter(any))
def test_percents_add_up_to_a_hundred(weights: list[float]) -> None:
    found = percents(weights)

    assert sum(found) == 100
    assert all((share > 0) == (weight > 0) for share, weight in zip(found, weights, strict=True))
