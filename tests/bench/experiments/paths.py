"""Simulated tests, looked at after every visitor: the product's own tables and bounds over whole paths at once.

numpy only adds and takes exponentials here. Every constant, grid and weight is the product's, and each path's evidence
is held against the product's own function at one look drawn at random.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln

from handsel.experiments import eprocess, sequential, split
from handsel.experiments.plan import HYBRID, pair_size
from handsel.experiments.trial import Cell, Pair, Plan

Array = np.ndarray
CHUNK = 20_000  # looks at a time, so that a path fits the processor's cache


@dataclass(frozen=True)
class Path:
    """One test of two variants. Cumulated counts: a row per visitor, a column for each of a converted, a not, b
    converted, b not, one such table per share of b."""

    tables: tuple[tuple[float, Array], ...]

    @property
    def visitors(self) -> int:
        return len(self.tables[0][1])

    def pairs(self, look: int) -> list[Pair]:
        """The product's values after ``look`` visitors."""
        found = []
        for share, table in self.tables:
            a1, a0, b1, b0 = map(int, table[look - 1])
            found.append(Pair(share, Cell(a1 + a0, a1), Cell(b1 + b0, b1)))
        return found


def draw(rng: np.random.Generator, first: Array, second: Array, shares: Array) -> Path:
    """A path of visitors who convert with the rates ``first`` and ``second`` and are given b with ``shares``."""
    given = rng.random(len(first)) < shares
    converted = rng.random(len(first)) < np.where(given, second, first)
    columns = np.stack([~given & converted, ~given & ~converted, given & converted, given & ~converted], axis=1)
    return Path(tuple((float(share), np.cumsum(columns & (shares == share)[:, None], axis=0, dtype=np.int64))
                      for share in np.unique(shares)))


def log_e(path: Path, plan: Plan | None) -> Array:
    """ln e after each visitor."""
    baseline, mde = (plan.baseline, plan.mde) if plan else (None, None)
    weights = np.array([point.weight for point in eprocess.alternatives(baseline, mde)])
    tables = [(np.array(eprocess.factors(baseline, mde, share)).T, table) for share, table in path.tables]
    parts = []
    for start in range(0, path.visitors, CHUNK):
        logs = sum(table[start:start + CHUNK] @ factors for factors, table in tables)
        top = logs.max(axis=1)
        parts.append(top + np.log(np.exp(logs - top[:, None]) @ weights))
    return np.concatenate(parts)


def compare(rng: np.random.Generator, path: Path, plan: Plan | None, evidence: Array) -> None:
    """Hold ``evidence`` against the product's own function at one look; raises AssertionError where they differ."""
    look = int(rng.integers(1, path.visitors + 1))
    assert abs(eprocess.log_e(path.pairs(look), plan) - evidence[look - 1]) < 1e-8


def z_scores(table: Array) -> Array:
    """Z of the two proportions after each visitor, 0 while the product's own waits."""
    a1, a0, b1, b0 = table.T.astype(float)
    n_a, n_b, ones = a1 + a0, b1 + b0, a1 + b1
    n = n_a + n_b
    ready = (np.minimum(n_a, n_b) > 0) & (np.minimum(ones, n - ones) >= sequential.FEWEST)
    with np.errstate(all="ignore"):
        pooled = ones / n
        z = (b1 / n_b - a1 / n_a) / np.sqrt(pooled * (1 - pooled) * (1 / n_a + 1 / n_b))
    return np.where(ready, z, 0.0)


def planned(plan: Plan, share: float = 0.5) -> float:
    """The planned visitors of both variants."""
    return HYBRID * pair_size(plan.baseline, plan.mde, plan.alpha, plan.power, share)


def first_at(hit: Array) -> int | None:
    """The visitor (from 1) after whom ``hit`` is first true."""
    place = int(hit.argmax())
    return place + 1 if hit[place] else None


def stop(path: Path, plan: Plan | None, look: str, evidence: Array | None = None) -> tuple[int, int] | None:
    """When a verdict is reached and its sign, as (visitors, 1 or -1), or None.

    ``look`` is "visitor" (after every one) or "daily" (sixty looks up to the planned sample, then on).
    """
    evidence = log_e(path, plan) if evidence is None else evidence
    alpha = plan.alpha if plan else 0.05
    part = {"visitor": 0.8, "daily": 0.9}[look] if plan else 0.0
    hit = evidence >= -np.log(alpha * (1 - part))
    if plan and len(path.tables) == 1:
        share, table = path.tables[0]
        whole = planned(plan, share)
        t = np.minimum(np.arange(1, path.visitors + 1) / whole, 1)
        last = min(int(np.ceil(whole)), path.visitors)
        crossed = np.abs(z_scores(table)) * np.sqrt(t) >= sequential.boundary(alpha * part)
        crossed[last:] = False
        hit |= crossed
    if look == "daily" and plan:
        looks = np.ceil(np.arange(1, 1000) * planned(plan, path.tables[0][0]) / 60).astype(int)
        seen = np.zeros(path.visitors, bool)
        seen[looks[looks <= path.visitors] - 1] = True
        hit &= seen
    at = first_at(hit)
    if at is None:
        return None
    above = below = 0.0
    for pair in path.pairs(at):
        if pair.visitors:
            above += pair.second.conversions * pair.first.visitors / pair.visitors
            below += pair.first.conversions * pair.second.visitors / pair.visitors
    return at, 1 if above > below else -1


def fixed_look(path: Path, plan: Plan, at: int) -> bool:
    """Whether one single look after ``at`` visitors finds a difference at the plan's alpha."""
    z = float(z_scores(path.tables[0][1][at - 1:at])[0])
    return abs(z) >= sequential.normal_quantile(1 - plan.alpha / 2)


def split_log_e(first: Array) -> Array:
    """ln e of the even split after each visitor, given how many of them were the first variant's."""
    n = np.arange(1, len(first) + 1)
    logs = [gammaln(c) - gammaln(c + n) + gammaln(c / 2 + first) + gammaln(c / 2 + n - first) - 2 * gammaln(c / 2)
            + n * np.log(2) for c in split.CONCENTRATIONS]
    return np.logaddexp(*logs) - np.log(2)
