"""Simulated intervals, values and splits: the product's bounds, mixtures and alarm over whole paths at once."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.special import gammaln

from bench.experiments.paths import Array, Evidence, Path, Stop, decided, planned
from handsel.experiments import intervals, sequential, split, value
from handsel.experiments.trial import Cell, Plan
from handsel.experiments.verdict import ALPHA, BOUNDARY_PART, RARE


@lru_cache(maxsize=64)
def _gammas(offset: float, most: int) -> Array:
    return gammaln(offset + np.arange(most + 1))


class Bounds:
    """The interval shown for one challenger of ``path`` after each of ``rows`` visitors."""

    def __init__(self, path: Path, plan: Plan | None, challenger: int, rows: Array) -> None:
        self.path, self.plan, self.challenger, self.rows = path, plan, challenger, rows
        self.shares = path.shares(challenger)
        self.alpha = (plan.alpha if plan else ALPHA) / path.challengers
        whole = planned(plan, self.shares[0][2], path.challengers) if plan else 0.0
        self.conversions = whole * plan.baseline if plan else None

    def leaves_out(self, lift: float) -> tuple[Array, Array]:
        """Whether ``lift`` lies under, and over, the interval where there is no verdict: it holds the lift shown."""
        ratio, plan, number = float(np.log1p(lift)), self.plan, len(self.rows)
        one = int(np.searchsorted(self.rows, self.path.one_split(self.challenger), side="right"))
        under, over = np.zeros(number, bool), np.zeros(number, bool)
        early = self._exact if plan is None or plan.baseline < RARE else self._asymptotic
        if one:
            under[:one], over[:one] = early(self.rows[:one], ratio, self.alpha)
        if one < number:
            won = self.path.pair(self.challenger, self.rows[one:])[[0, 2]].sum(axis=0)
            _, first, again = np.unique(won, return_index=True, return_inverse=True)  # only conversions move them
            under[one:], over[one:] = (each[again] for each in self._several(self.rows[one:][first], ratio))
        above, below = self._sums()
        with np.errstate(all="ignore"):
            shown = above / below - 1
        return under & ~(lift >= shown), over & ~(lift <= shown)

    def _sums(self) -> tuple[Array, Array]:
        above, below = np.zeros(len(self.rows)), np.zeros(len(self.rows))
        for begin, end, _ in self.shares:
            a1, a0, b1, b0 = self._seen(self.rows, begin, end)
            n = np.maximum(1, a1 + a0 + b1 + b0)
            above, below = above + b1 * (a1 + a0) / n, below + a1 * (b1 + b0) / n
        return above, below

    def _all(self, rows: Array) -> Array:
        together = rows[-1] - rows[0] == len(rows) - 1
        return self.path.pair(self.challenger, slice(rows[0], rows[-1] + 1) if together else rows)

    def _seen(self, rows: Array, begin: int, end: int) -> Array:
        if len(self.shares) == 1:
            return self._all(rows)
        return self.path.pair(self.challenger, np.clip(rows, begin, end)) - self.path.pair(self.challenger,
                                                                                         begin)[:, None]

    def _exact(self, rows: Array, ratio: float, alpha: float) -> tuple[Array, Array]:
        """The exact conversion sequence of one split."""
        a1, _, b1, _ = self._all(rows)
        share, count = self.shares[0][2], a1 + b1
        prior = max(2.0, (self.conversions or intervals.UNPLANNED_CONVERSIONS) / intervals.AWAKE)
        most, at = 1 << int(count[-1]).bit_length(), ratio + np.log(share / (1 - share))
        first, second, both = (_gammas(part, most) for part in (prior * (1 - share), prior * share, prior))
        marginal = second[b1] + first[a1] - both[count] - second[0] - first[0] + both[0]
        outside = b1 * at - count * np.log1p(np.exp(at)) < marginal + np.log(alpha)
        over = np.log(np.maximum(b1, 1e-9)) - np.log(np.maximum(a1, 1e-9)) > at
        return outside & over, outside & ~over

    def _asymptotic(self, rows: Array, ratio: float, alpha: float) -> tuple[Array, Array]:
        """The same of ``rate_bounds``."""
        assert self.plan is not None
        assert self.conversions is not None
        a1, a0, b1, b0 = self._all(rows)
        under, over = self._exact(rows, ratio, alpha * intervals.EARLY)
        early, share = np.minimum(a1, b1) < intervals.BURN_IN, self.shares[0][2]
        rho = self.conversions * share * (1 - share) / (1 - self.plan.baseline) / intervals.AWAKE
        rest = alpha * (1 - intervals.EARLY)
        with np.errstate(all="ignore"):
            information = 1 / (1 / a1 - 1 / (a1 + a0) + 1 / b1 - 1 / (b1 + b0))
            middle = np.log(b1 / (b1 + b0)) - np.log(a1 / (a1 + a0))
            whole = information + rho
            half = np.sqrt(whole * np.log(whole / (rho * rest * rest))) / information
            return np.where(early, under, ratio < middle - half), np.where(early, over, ratio > middle + half)

    def _several(self, rows: Array, ratio: float) -> tuple[Array, Array]:
        """The exact sequence over several splits, with its prior on a grid."""
        prior = max(2.0, (self.conversions or intervals.UNPLANNED_CONVERSIONS) / intervals.AWAKE)
        points, weights = (np.array(each) for each in zip(*intervals._prior(prior), strict=True))
        averaged: Array | float = 0.0
        own: Array | float = 0.0
        slope: Array | float = 0.0
        for begin, end, share in self.shares:
            a1, _, b1, _ = self._seen(rows, begin, end)
            offset, count = np.log(share / (1 - share)), a1 + b1
            averaged = averaged + np.outer(b1, points + offset) - np.outer(count, np.logaddexp(0, points + offset))
            at = ratio + offset
            own = own + b1 * at - count * np.logaddexp(0, at)
            slope = slope + b1 - count / (1 + np.exp(-at))
        top = np.max(averaged, axis=1)
        marginal = top + np.log(np.exp(averaged - top[:, None]) @ weights)
        outside = own < marginal + np.log(self.alpha)
        return outside & (np.asarray(slope) > 0), outside & (np.asarray(slope) <= 0)


def quiet(path: Path, plan: Plan | None) -> int | None:
    """The first visitor after whom the plan is done and the interval lies inside the smallest lift worth finding.

    Of two variants only: of more, tests that end so go on here, and may still be called different.
    """
    if plan is None or path.challengers > 1:
        return None
    progress = np.zeros(path.visitors + 1)
    seen = path.counts.sum(axis=0)
    for begin, end, share in path.shares(1):
        progress[begin:] += (np.minimum(seen[begin:], end) - begin) / planned(plan, share)
    rows = np.arange(int(np.searchsorted(progress, 1.0)), path.visitors + 1)
    if not len(rows):
        return None
    shown = Bounds(path, plan, 1, rows)
    inside = shown.leaves_out(-plan.mde)[0]
    if inside.any():
        inside &= shown.leaves_out(plan.mde)[1]
    return int(rows[inside.argmax()]) if inside.any() else None


def verdict(evidence: Evidence, look: str, silence: int | None) -> Stop | None:
    """The verdict of a path; ``silence`` is what ``quiet`` gives for it."""
    stopped = decided(evidence, look)
    if silence is not None and (stopped is None or silence < stopped.row):
        return Stop(silence, (0,) * evidence.path.challengers)
    return stopped


def misses(evidence: Evidence, stopped: Stop | None, lift: float) -> Array:
    """For each visitor whether the interval shown then leaves out the true ``lift`` of the first challenger."""
    path = evidence.path
    under, over = Bounds(path, evidence.plan, 1, np.arange(1, path.visitors + 1)).leaves_out(lift)
    sign = np.zeros(path.visitors, int)
    if stopped:
        sign[stopped.row - 1:] = stopped.signs[0]
    least = intervals.NARROWEST
    return np.where(sign == 0, (under & (lift < 0)) | (over & (lift > 0)),
                    under | over | np.where(sign > 0, lift < least, lift > -least))


def split_log_e(first: Array) -> Array:
    """ln e of the even split after each visitor, given how many of them were the first variant's."""
    n = np.arange(1, len(first) + 1)
    logs = []
    for strength in split.CONCENTRATIONS:
        half = _gammas(strength / 2, len(first))
        logs.append(_whole(strength, len(first)) + half[first] + half[n - first])
    return np.logaddexp(*logs) - np.log(2)


@lru_cache(maxsize=16)
def _whole(strength: float, visitors: int) -> Array:
    """The part of the alarm's ln e that depends on the number of visitors alone."""
    both = _gammas(strength, visitors)
    return both[0] - both[1:] + np.arange(1, visitors + 1) * np.log(2) - 2 * _gammas(strength / 2, visitors)[0]


class Values:
    """A test of values per visitor: 3 % of an even split convert and bring lognormal values, capped by the plan."""

    def __init__(self, rng: np.random.Generator, plan: Plan, visitors: int, sigma: float, lift: float) -> None:
        self.plan = plan
        given = rng.random(visitors) < 0.5
        converted = rng.random(visitors) < plan.baseline
        worth = np.where(given, 1 + lift, 1.0)[converted] * rng.lognormal(0, sigma, int(converted.sum()))
        each = np.zeros(visitors)
        each[converted] = np.minimum(plan.value_cap or 0.0, worth)
        self.given = [np.cumsum(one) for one in (~given, given)]
        self.converted = [np.cumsum(one & converted) for one in (~given, given)]
        self.total = [np.cumsum(np.where(one, each, 0.0)) for one in (~given, given)]
        self.squares = [np.cumsum(np.where(one, each * each, 0.0)) for one in (~given, given)]

    def cells(self, row: int) -> list[Cell]:
        at = row - 1
        return [Cell(int(self.given[arm][at]), int(self.converted[arm][at]), float(self.total[arm][at]),
                     float(self.squares[arm][at])) for arm in (0, 1)]

    def stop(self) -> Stop | None:
        """The first verdict with a look after every visitor."""
        plan, visitors = self.plan, len(self.given[0])
        whole = planned(plan) * value.inflation(plan.mde)
        rho, squares = value.scale(plan, whole), self.squares[0] + self.squares[1]
        shift = self.total[1] - self.total[0]
        part = BOUNDARY_PART["visitor"]
        n = np.arange(1, visitors + 1)
        with np.errstate(all="ignore"):
            z = np.where(squares > 0, shift / np.sqrt(squares), 0.0)
        held = np.abs(z) * np.sqrt(np.minimum(1.0, n / whole))
        held[int(np.ceil(whole)):] = 0.0
        logs = 0.5 * np.log(rho / (rho + squares)) + shift * shift / (2 * (rho + squares))
        sign = np.sign(self.total[1] * self.given[0] - self.total[0] * self.given[1])
        hit = (held >= sequential.boundary(plan.alpha * part)) | (logs >= -np.log(plan.alpha * (1 - part)))
        hit &= (sign != 0) & (self.total[0] > 0)
        crossed = int(hit.argmax())
        enough = self.converted[0] + self.converted[1] >= value.FEWEST
        if not hit[crossed] or not enough[-1]:
            return None
        return Stop(max(crossed, int(enough.argmax())) + 1, (int(sign[crossed]),))
