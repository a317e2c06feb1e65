"""The values an evaluation works on: the plan, the periods of one split each, and what was counted in them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple


class Plan(NamedTuple):
    """What was declared before the start.

    ``baseline`` is the control's expected rate, over 0 and under 1. ``mde`` is the smallest lift worth finding,
    relative (.2 is +20 %). ``alpha`` is the share of tests without a difference that may end in a verdict, ``power``
    the share of tests with a lift of ``mde`` that should. ``weights`` is the planned split. ``value_cap`` is the
    largest value one visitor may bring, in the unit of the values, or None where visitors are only counted.
    """

    baseline: float
    mde: float
    alpha: float = 0.05
    power: float = 0.8
    weights: tuple[float, ...] = (0.5, 0.5)
    value_cap: float | None = None


class Period(NamedTuple):
    """A stretch of time with one split. ``weights`` need not add up to 1; times are None where nobody kept them."""

    weights: tuple[float, ...]
    begins_at: datetime | None = None
    ends_at: datetime | None = None


class Cell(NamedTuple):
    """What one variant brought in one period: visitors, those who converted, their values' sum and sum of squares."""

    visitors: float = 0
    conversions: float = 0
    total: float = 0.0
    squares: float = 0.0


NOTHING = Cell()


class Pair(NamedTuple):
    """Two variants under one split: ``share`` is the probability that a visitor of the two was given the second one."""

    share: float
    first: Cell
    second: Cell

    @property
    def visitors(self) -> float:
        return self.first.visitors + self.second.visitors

    @property
    def conversions(self) -> float:
        return self.first.conversions + self.second.conversions


def add(one: Cell, other: Cell) -> Cell:
    """Both cells together."""
    return Cell(one[0] + other[0], one[1] + other[1], one[2] + other[2], one[3] + other[3])


def pairs(periods: Sequence[Period], cells: Sequence[Sequence[Cell]], first: int, second: int) -> list[Pair]:
    """The variants ``first`` and ``second``, one Pair for each different share among the periods.

    ``cells`` holds a row per period and in it a cell per variant. Visitors of the other variants are left out: given
    that a visitor was assigned to one of the two, the split between them is still random with the ratio of their
    weights. A period in which one of them was switched off compares nothing and is left out. Never empty: before the
    first visitor it is one empty pair.
    """
    found: dict[float, Pair] = {}
    for period, row in zip(periods, cells, strict=True):
        one, two = period.weights[first], period.weights[second]
        if one <= 0 or two <= 0:
            continue
        share = round(two / (one + two), 12)  # 1/3 of 3 and .2 of .6 are one split
        known = found.get(share)
        found[share] = (Pair(share, row[first], row[second]) if known is None
                        else Pair(share, add(known.first, row[first]), add(known.second, row[second])))
    return list(found.values()) or [Pair(0.5, NOTHING, NOTHING)]


def variant_total(cells: Sequence[Sequence[Cell]], variant: int) -> Cell:
    """All that one variant brought, over all periods."""
    total = cells[0][variant]
    for row in cells[1:]:
        total = add(total, row[variant])
    return total

