"""Visitors and variants: the same one for the same visitor, in the shares that the marketer wrote."""

from __future__ import annotations

from math import sqrt

import pytest

from handsel.experiments.assign import choose

VISITORS = [f"{number:032x}" for number in range(40_000)]


@pytest.mark.parametrize("split", [
    {"a": 50, "b": 50}, {"a": 90, "b": 10}, {"a": 34, "b": 33, "c": 33}, {"a": 0, "b": 100},
])
def test_shares_are_kept_within_three_sigma(split: dict[str, int]) -> None:
    chosen = [choose(visitor, "guide", split) for visitor in VISITORS]
    for variant, share in split.items():
        expected = len(VISITORS) * share / 100
        assert abs(chosen.count(variant) - expected) <= 3 * sqrt(expected * (1 - share / 100))


def test_a_visitor_sees_the_same_variant_again() -> None:
    split = {"a": 50, "b": 50}
    assert [choose(visitor, "guide", split) for visitor in VISITORS] == [
        choose(visitor, "guide", dict(split)) for visitor in VISITORS]


def test_two_experiments_share_visitors_out_independently() -> None:
    split = {"a": 50, "b": 50}
    both = sum(choose(visitor, "guide", split) == choose(visitor, "paper", split) == "a" for visitor in VISITORS)
    assert abs(both - len(VISITORS) / 4) <= 3 * sqrt(len(VISITORS) * 3 / 16)


def test_a_change_of_shares_moves_only_those_it_must() -> None:
    before = {visitor: choose(visitor, "guide", {"a": 50, "b": 50}) for visitor in VISITORS}
    after = {visitor: choose(visitor, "guide", {"a": 60, "b": 40}) for visitor in VISITORS}
    moved = [visitor for visitor in VISITORS if before[visitor] != after[visitor]]
    assert {before[visitor] for visitor in moved} == {"b"}
    assert abs(len(moved) - len(VISITORS) / 10) <= 3 * sqrt(len(VISITORS) * .09)


def test_one_variant_or_no_shares_is_the_control() -> None:
    assert choose("x", "guide", {"a": 100}) == "a"
    assert choose("x", "guide", {"a": 0, "b": 0}) == "a"
