"""Simulated tests, looked at after every visitor: what the product's verdict gives over whole paths at once.

numpy counts, adds, multiplies and takes exponentials here; every constant, grid, weight and share is the product's. The
evidence is worked out at the first of every ``BLOCK`` visitors together with the most that the block's visitors could
make of it, and at every visitor only where that would suffice for a verdict. ``walks`` follows paths with the product's
``judge`` and raises where the two differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import combinations
from typing import NamedTuple

import numpy as np

from handsel.experiments import eprocess, sequential
from handsel.experiments.plan import HYBRID, pair_size
from handsel.experiments.trial import Cell, Period, Plan, pairs
from handsel.experiments.verdict import ALPHA, BOUNDARY_PART

Array = np.ndarray
BLOCK = 32
DAYS = 60  # daily looks up to the planned sample


class Stop(NamedTuple):
    """A verdict: the visitor after whom it is reached, and for each challenger 1, -1, or 0 where it is not decided.

    With nothing but 0 it is the verdict that there is no difference.
    """

    row: int
    signs: tuple[int, ...]


@dataclass(frozen=True)
class Path:
    """One test. ``counts`` has two rows per variant, converted and not, cumulated over the visitors: column 0 is before
    the first. ``periods`` holds the column before each period's first visitor and the period's weights."""

    counts: Array
    periods: tuple[tuple[int, tuple[float, ...]], ...]

    @property
    def visitors(self) -> int:
        return self.counts.shape[1] - 1

    @property
    def challengers(self) -> int:
        return len(self.counts) // 2 - 1

    @cached_property
    def ends(self) -> list[int]:
        return [begin for begin, _ in self.periods[1:]] + [self.visitors]

    def at(self, row: int) -> tuple[list[Period], list[list[Cell]]]:
        """The product's periods and cells after ``row`` visitors."""
        periods, cells = [], []
        for (begin, weights), end in zip(self.periods, self.ends, strict=True):
            if begin < row or not periods:
                periods.append(Period(weights))
                won, lost = (self.counts[:, min(row, end)] - self.counts[:, begin]).reshape(-1, 2).T
                cells.append([Cell(int(one + two), int(one)) for one, two in zip(won, lost, strict=True)])
        return periods, cells

    def pair(self, challenger: int, columns: Array | slice | int = slice(None)) -> Array:
        """The counts of the control and ``challenger`` alone: a converted, a not, b converted, b not."""
        return np.stack([self.counts[row, columns] for row in (0, 1, 2 * challenger, 2 * challenger + 1)])

    def shares(self, challenger: int) -> list[tuple[int, int, float]]:
        """Begin, end and share of ``challenger`` against the control, per period."""
        nothing = [[Cell()] * (self.challengers + 1)]
        return [(begin, end, pairs([Period(weights)], nothing, 0, challenger)[0].share)
                for (begin, weights), end in zip(self.periods, self.ends, strict=True)]

    def one_split(self, challenger: int) -> int:
        """The last visitor until whom the share of ``challenger`` has not changed."""
        shares = self.shares(challenger)
        return next((begin for begin, _, share in shares if share != shares[0][2]), self.visitors)


def draw(rng: np.random.Generator, rates: Sequence[Array | float], periods: Sequence[tuple[int, tuple[float, ...]]],
         visitors: int) -> Path:
    """A path of ``visitors`` who are given a variant by the periods' weights and convert with its rate."""
    chance, given = rng.random(visitors, dtype=np.float32), np.zeros(visitors, np.int8)
    ends = [begin for begin, _ in periods[1:]] + [visitors]
    for (begin, weights), end in zip(periods, ends, strict=True):
        for edge in np.cumsum(weights)[:-1] / sum(weights):
            given[begin:end] += chance[begin:end] >= edge
    rate: Array | float = rates[0]
    for variant, other in enumerate(rates[1:], start=1):
        if other is not rates[0]:
            rate = np.where(given == variant, other, rate)
    lost = rng.random(visitors, dtype=np.float32) >= rate
    return Path(cumulated(2 * given + lost, len(rates)), tuple(periods))


def cumulated(kinds: Array, variants: int) -> Array:
    """Counts of each kind of visitor (twice the variant, plus 1 where it did not convert) after each of them."""
    counts = np.zeros((2 * variants, len(kinds) + 1), np.int32)
    np.cumsum(kinds == np.arange(2 * variants, dtype=np.int8)[:, None], axis=1, out=counts[:, 1:])
    return counts


def planned(plan: Plan, share: float = 0.5, comparisons: int = 1) -> float:
    """The planned visitors of two variants."""
    return HYBRID * pair_size(plan.baseline, plan.mde, plan.alpha / comparisons, plan.power, share)


def days(plan: Plan, visitors: int, share: float = 0.5, comparisons: int = 1) -> Array:
    """The visitors after whom the daily look falls."""
    found = np.ceil(np.arange(1, 1 + DAYS * 8) * planned(plan, share, comparisons) / DAYS).astype(int)
    return found[found <= visitors]


@lru_cache(maxsize=4096)
def _factors(plan: Plan | None, share: float) -> Array:
    return np.array(eprocess.factors(*(plan[:2] if plan else (None, None)), share)).T


@lru_cache(maxsize=64)
def _weights(plan: Plan | None) -> Array:
    return np.array([point.weight for point in eprocess.alternatives(*(plan[:2] if plan else (None, None)))])


def _mean(logs: Array, weights: Array) -> Array:
    top = logs.max(axis=1)
    return top + np.log(np.exp(logs - top[:, None]) @ weights)


class Evidence:
    """ln e of each challenger of ``path`` against the control."""

    def __init__(self, path: Path, plan: Plan | None) -> None:
        self.path, self.plan = path, plan

    def _logs(self, challenger: int, rows: Array) -> Array:
        logs: Array | float = 0.0
        for begin, end, share in self.path.shares(challenger):
            seen = self.path.pair(challenger, np.clip(rows, begin, end)) - self.path.pair(challenger, begin)[:, None]
            logs = logs + seen.T @ _factors(self.plan, share)
        return np.asarray(logs)

    def exact(self, rows: Array) -> Array:
        """A row per row asked for, a column per challenger."""
        return np.stack([_mean(self._logs(each, rows), _weights(self.plan))
                         for each in range(1, self.path.challengers + 1)], axis=1)

    @cached_property
    def most(self) -> Array:
        """Per block and challenger, what ln e cannot exceed at any visitor of the block."""
        edges = np.append(np.arange(0, self.path.visitors, BLOCK), self.path.visitors)
        columns = []
        for challenger in range(1, self.path.challengers + 1):
            gains = np.maximum(0, np.max([_factors(self.plan, share) for *_, share in self.path.shares(challenger)],
                                         axis=0))
            new = np.diff(self.path.pair(challenger, edges), axis=1)
            columns.append(_mean(self._logs(challenger, edges[:-1]) + new.T @ gains, _weights(self.plan)))
        return np.stack(columns, axis=1)

    def may_reach(self, level: float) -> Array:
        """The blocks in which the mean of all challengers' e may reach ``level`` (ln)."""
        top = self.most.max(axis=1)
        mean = top + np.log(np.exp(self.most - top[:, None]).mean(axis=1))
        return np.flatnonzero(mean >= level - 1e-9)


def held(path: Path, plan: Plan, challenger: int, rows: Array) -> Array:
    """What is held against the planned boundary at looks after ``rows`` visitors; 0 where it is not used."""
    whole = planned(plan, path.shares(challenger)[0][2], path.challengers)
    statistic = np.zeros(len(rows))
    one = rows[:int(np.searchsorted(rows, path.one_split(challenger), side="right"))]
    # The first look at or after the planned sample is the last.
    one = one[:int(np.searchsorted(path.pair(challenger, one).sum(axis=0), whole)) + 1]
    every = len(one) > 0 and one[-1] == len(one)
    a1, a0, b1, b0 = path.pair(challenger, slice(1, len(one) + 1) if every else one).astype(float)
    n_a, n_b = a1 + a0, b1 + b0
    won, n = a1 + b1, n_a + n_b
    ready = (np.minimum(n_a, n_b) > 0) & (np.minimum(won, n - won) >= sequential.FEWEST)
    with np.errstate(all="ignore"):
        pooled = won / n
        z = (b1 / n_b - a1 / n_a) / np.sqrt(pooled * (1 - pooled) * (1 / n_a + 1 / n_b))
    statistic[:len(one)] = np.where(ready, np.abs(z) * np.sqrt(np.minimum(1.0, n / whole)), 0.0)
    return statistic


def rejected(logs: Array, held_: Array, alpha: float, part: float) -> Array:
    """Closed testing at each row: which challengers are rejected in each set of challengers that they belong to."""
    number = logs.shape[1]
    standing = np.zeros(logs.shape, bool)
    needed = -np.log(alpha * (1 - part))
    top = logs.max(axis=1)
    shares = np.exp(logs - top[:, None])
    for size in range(1, number + 1):
        bound = sequential.boundary(alpha * part / size) if part else np.inf
        for chosen in map(list, combinations(range(number), size)):
            with np.errstate(divide="ignore"):
                mean = top + np.log(shares[:, chosen].sum(axis=1) / size)
            standing[:, chosen] |= ((mean < needed) & (held_[:, chosen].max(axis=1) < bound))[:, None]
    return ~standing


def signs(path: Path, challenger: int, rows: Array) -> Array:
    """The sign of the challenger's lift (Mantel-Haenszel), 0 while the control has no conversion to compare with."""
    above: Array | float = 0.0
    below: Array | float = 0.0
    for begin, end, _ in path.shares(challenger):
        a1, a0, b1, b0 = (path.pair(challenger, np.clip(rows, begin, end))
                          - path.pair(challenger, begin)[:, None]).astype(float)
        visitors = np.maximum(1, a1 + a0 + b1 + b0)
        above, below = above + b1 * (a1 + a0) / visitors, below + a1 * (b1 + b0) / visitors
    return np.where(np.asarray(below) > 0, np.sign(above - below), 0).astype(int)


def decided(evidence: Evidence, look: str) -> Stop | None:
    """The first verdict for or against any challenger, with a look after every visitor, or None.

    ``look`` "visitor" uses the planned boundary at each of them, "daily" at sixty looks up to the planned sample, as
    the worker does it: the e-process has every visitor.
    """
    path, plan = evidence.path, evidence.plan
    alpha, part = (plan.alpha, BOUNDARY_PART[look]) if plan else (ALPHA, 0.0)
    rows = np.arange(1, path.visitors + 1)
    blocks = evidence.may_reach(-np.log(alpha * (1 - part)))
    strongest = np.zeros((path.challengers, path.visitors))
    if plan:
        looks = rows if look == "visitor" else common_days(path, plan)
        for place in range(path.challengers):
            strongest[place, looks - 1] = held(path, plan, place + 1, looks)
        hits = (strongest >= sequential.boundary(alpha * part / path.challengers)).any(axis=0)
        blocks = np.union1d(blocks, rows[hits] // BLOCK)
    for block in blocks:
        chosen = rows[max(0, block * BLOCK - 1):(block + 1) * BLOCK]
        found = rejected(evidence.exact(chosen), strongest[:, chosen - 1].T, alpha, part)
        if found.any():
            reached = found * np.stack([signs(path, each, chosen) for each in range(1, path.challengers + 1)], axis=1)
            if reached.any():
                place = int(reached.any(axis=1).argmax())
                return Stop(int(chosen[place]), tuple(reached[place].tolist()))
    return None


def common_days(path: Path, plan: Plan) -> Array:
    """The daily looks of a path with any number of variants, evenly split or by its first period's weights."""
    weights = path.periods[0][1]
    share = path.shares(1)[0][2]
    pair = planned(plan, share, path.challengers)
    whole = pair * sum(weights) / (weights[0] + weights[1])
    found = np.ceil(np.arange(1, 1 + DAYS * 8) * whole / DAYS).astype(int)
    return found[found <= path.visitors]


def fixed_look(path: Path, plan: Plan, at: int) -> bool:
    """Whether one single look after ``at`` visitors finds a difference at the plan's alpha."""
    periods, cells = path.at(at)
    z = sequential.z_score(pairs(periods, cells, 0, 1)[0])
    return abs(z) >= sequential.normal_quantile(1 - plan.alpha / 2)
