"""Simulated intervals, values and splits: the product's bounds, mixtures and alarm over whole paths at once."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from paths import Array, Evidence, Path, Stop, planned, walk
from scipy.special import gammaln

from handsel.experiments import intervals, sequential, split, value
from handsel.experiments.state import State, fresh
from handsel.experiments.trial import Cell, Period, Plan
from handsel.experiments.verdict import ALPHA, BOUNDARY_PART, RARE, judge

EVEN = Period((1.0, 1.0))


@lru_cache(maxsize=64)
def _gammas(offset: float, most: int) -> Array:
    return gammaln(offset + np.arange(most + 1))


def _exact(a1: Array, b1: Array, ratio: float, alpha: float, conversions: float | None) -> tuple[Array, Array]:
    """Whether ``ratio`` (ln) lies under, and over, the exact conversion sequence of an even split."""
    prior = max(2.0, (conversions or intervals.UNPLANNED_CONVERSIONS) / intervals.AWAKE)
    count = a1 + b1
    most = 1 << int(count[-1]).bit_length()
    half, both = _gammas(prior / 2, most), _gammas(prior, most)
    marginal = half[b1] + half[a1] - both[count] - 2 * half[0] + both[0]
    outside = b1 * ratio - count * np.log1p(np.exp(ratio)) < marginal + np.log(alpha)
    over = np.log(np.maximum(b1, 1e-9)) - np.log(np.maximum(a1, 1e-9)) > ratio
    return outside & over, outside & ~over


def _asymptotic(path: Path, ratio: float, plan: Plan) -> tuple[Array, Array]:
    """The same of ``rate_bounds``."""
    a1, a0, b1, b0 = path.counts[:, 1:]
    conversions = planned(plan) * plan.baseline
    under, over = _exact(a1, b1, ratio, plan.alpha * intervals.EARLY, conversions)
    early = np.minimum(a1, b1) < intervals.BURN_IN
    rho = conversions / 4 / (1 - plan.baseline) / intervals.AWAKE
    with np.errstate(all="ignore"):
        information = 1 / (1 / a1 - 1 / (a1 + a0) + 1 / b1 - 1 / (b1 + b0))
        middle = np.log(b1 / (b1 + b0)) - np.log(a1 / (a1 + a0))
        whole, alpha = information + rho, plan.alpha * (1 - intervals.EARLY)
        half = np.sqrt(whole * np.log(whole / (rho * alpha * alpha))) / information
        return np.where(early, under, ratio < middle - half), np.where(early, over, ratio > middle + half)


def misses(evidence: Evidence, stopped: Stop | None, lift: float) -> Array:
    """For each visitor whether the interval shown then leaves out the true ``lift``; two variants, one even split."""
    path, plan = evidence.path, evidence.plan
    a1, a0, b1, b0 = path.counts[:, 1:]
    ratio = float(np.log1p(lift))
    if plan is None or plan.baseline < RARE:
        conversions = planned(plan) * plan.baseline if plan else None
        under, over = _exact(a1, b1, ratio, plan.alpha if plan else ALPHA, conversions)
    else:
        under, over = _asymptotic(path, ratio, plan)
    n_a, n_b = a1 + a0, b1 + b0
    n = n_a + n_b
    with np.errstate(all="ignore"):
        shown = (b1 * n_a / n) / (a1 * n_b / n) - 1
    under = under & ~(lift >= shown)  # an interval holds the lift that is shown, where there is one
    over = over & ~(lift <= shown)
    sign = np.zeros(path.visitors, int)
    if stopped:
        sign[stopped.row - 1:] = stopped.signs[0]
    least = intervals.NARROWEST
    return np.where(sign == 0, (under & (lift < 0)) | (over & (lift > 0)),
                    under | over | np.where(sign > 0, lift < least, lift > -least))


def compare(rng: np.random.Generator, evidence: Evidence, stopped: Stop | None, lift: float, missed: Array) -> bool:
    """Whether an interval disagrees with the verdict at any of ten looks of the product's ``judge``.

    Raises AssertionError where it holds or misses ``lift`` otherwise than ``missed`` has it.
    """
    path = evidence.path
    rows = set(rng.integers(1, path.visitors + 1, 8).tolist()) | {int(missed.argmax()) + 1}
    if evidence.plan:
        rows.add(min(path.visitors, int(np.ceil(planned(evidence.plan)))))
    if stopped:
        rows.add(stopped.row)
    order, disagreed = sorted(rows), False
    for row, found in zip(order, walk(path, evidence.plan, "visitor", order), strict=True):
        if found.alarm:
            break
        arm = found.arms[1]
        high = np.inf if arm.high is None else arm.high
        assert (not arm.low <= lift <= high) == bool(missed[row - 1])
        disagreed |= (arm.low > 0 or high < 0) != (found.verdict in ("winner", "loser"))
    return disagreed


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

    def follow(self, rng: np.random.Generator, stopped: Stop | None) -> int:
        """Walk with the product's ``judge`` as ``paths.follow`` does."""
        whole, visitors = planned(self.plan) * value.inflation(self.plan.mde), len(self.given[0])
        rows = set(rng.integers(1, visitors + 1, 6).tolist()) | {min(visitors, int(np.ceil(whole)))}
        rows |= {max(1, stopped.row - 1), stopped.row} if stopped else set()
        state: State = fresh("visitor", 1)
        for row in sorted(rows):
            found = judge(self.plan, [EVEN], [self.cells(row)], look="visitor", state=state)
            state = found.state
            if found.alarm:
                break
            assert any(state.decided) == (stopped is not None and row >= stopped.row)
            assert not stopped or row != stopped.row or state.decided == stopped.signs
        return len(rows)
