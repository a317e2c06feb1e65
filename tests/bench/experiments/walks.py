"""Simulated tests are walked with the product's own ``judge``: where it differs, an AssertionError is raised."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bench.experiments.bounds import Values
from bench.experiments.paths import Array, Evidence, Path, Stop, common_days, planned
from handsel.experiments import eprocess, value
from handsel.experiments.state import State, fresh
from handsel.experiments.trial import Period, Plan, pairs
from handsel.experiments.verdict import Judgement, judge

EVEN = Period((1.0, 1.0))


def walk(path: Path, plan: Plan | None, look: str, rows: Sequence[int]) -> list[Judgement]:
    """The product's own judgements after each of ``rows`` visitors, with the state handed on."""
    state: State | None = fresh(look, path.challengers) if plan else None
    daily = set(common_days(path, plan).tolist()) if plan and look == "daily" else set()
    found = []
    for row in rows:
        judgement = judge(plan, *path.at(row), look="daily" if row in daily else "visitor", state=state)
        state = judgement.state
        found.append(judgement)
    return found


def _last_of_the_boundary(path: Path, plan: Plan | None, look: str) -> set[int]:
    """The looks after which the planned boundary of each challenger is used no more."""
    if plan is None:
        return set()
    ends = common_days(path, plan) if look == "daily" else np.arange(1, path.visitors + 1)
    found = set()
    for challenger in range(1, path.challengers + 1):
        seen = path.pair(challenger, ends).sum(axis=0)
        past = np.flatnonzero(seen >= planned(plan, path.shares(challenger)[0][2], path.challengers))
        found |= {int(ends[past[0]])} if len(past) else set()
    return found


def follow(rng: np.random.Generator, evidence: Evidence, look: str, stopped: Stop | None, looks: int = 6) -> int:
    """Walk a path; returns the number of looks.

    It is asked at random visitors, where the planned boundary ends, and before, at and after the stop.
    """
    path, plan = evidence.path, evidence.plan
    rows = set(rng.integers(1, path.visitors + 1, looks).tolist()) | _last_of_the_boundary(path, plan, look)
    if stopped:
        rows |= {max(1, stopped.row - 1), stopped.row}
    order = sorted(rows)
    for row, judgement in zip(order, walk(path, plan, look, order), strict=True):
        decided, latch = judgement.state.decided, judgement.state.latch
        if judgement.alarm:  # one right split in a thousand; it withholds what was decided
            break
        if path.challengers > 1 and latch and latch.verdict == "no_difference":
            break
        if stopped is None or row < stopped.row:
            assert not any(decided), f"judge decides {decided} after {row} visitors, the path {stopped}"
            assert latch is None, f"judge says {latch} after {row} visitors, the path {stopped}"
        elif row == stopped.row:
            assert decided == stopped.signs, f"judge decides {decided}, the path {stopped}"
            assert any(decided) or (latch and latch.verdict == "no_difference"), f"{judgement} for {stopped}"
        else:
            assert any(decided) == any(stopped.signs)
    last = order[-1]
    periods, cells = path.at(last)
    own = [eprocess.log_e(pairs(periods, cells, 0, each), plan) for each in range(1, path.challengers + 1)]
    assert np.allclose(evidence.exact(np.array([last]))[0], own, rtol=1e-9, atol=1e-8)
    return len(order)


def compare(rng: np.random.Generator, evidence: Evidence, stopped: Stop | None, lift: float, missed: Array) -> bool:
    """Whether an interval disagrees with the verdict at any of ten looks; it misses ``lift`` where ``missed`` says."""
    path = evidence.path
    rows = set(rng.integers(1, path.visitors + 1, 8).tolist()) | {int(missed.argmax()) + 1}
    rows |= _last_of_the_boundary(path, evidence.plan, "visitor") | ({stopped.row} if stopped else set())
    order, disagreed = sorted(rows), False
    for row, found in zip(order, walk(path, evidence.plan, "visitor", order), strict=True):
        if found.alarm:
            break
        arm = found.arms[1]
        high = np.inf if arm.high is None else arm.high
        assert (not arm.low <= lift <= high) == bool(missed[row - 1])
        disagreed |= (arm.low > 0 or high < 0) != (found.verdict in ("winner", "loser"))
    return disagreed


def follow_values(rng: np.random.Generator, drawn: Values, stopped: Stop | None) -> int:
    """The same for a test of values. There the end without a difference is not simulated, and ends the walk."""
    whole, visitors = planned(drawn.plan) * value.inflation(drawn.plan.mde), len(drawn.given[0])
    rows = set(rng.integers(1, visitors + 1, 6).tolist()) | {min(visitors, int(np.ceil(whole)))}
    rows |= {max(1, stopped.row - 1), stopped.row} if stopped else set()
    state: State = fresh("visitor", 1)
    for row in sorted(rows):
        found = judge(drawn.plan, [EVEN], [drawn.cells(row)], look="visitor", state=state)
        state = found.state
        if found.alarm or (state.latch and state.latch.verdict == "no_difference"):
            break
        assert any(state.decided) == (stopped is not None and row >= stopped.row)
        assert not stopped or row != stopped.row or state.decided == stopped.signs
    return len(rows)
