"""The verdict at one look: what the counts say, what the gates still hold back, and what was said before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import combinations
from math import exp, inf, log
from typing import NamedTuple

from handsel.experiments import eprocess, sequential, split, value
from handsel.experiments.intervals import as_lift, clip, conversion_bounds, lift, rate_bounds, value_bounds
from handsel.experiments.plan import HYBRID, LONGEST_WEEKS, pair_size
from handsel.experiments.state import Latch, State, fresh
from handsel.experiments.trial import Cell, Pair, Period, Plan, pairs, variant_total

ALPHA = 0.05  # without a plan
# How alpha is shared between the planned boundary and the e-process. A look after every visitor uses the boundary to
# the full, so it gets less.
BOUNDARY_PART = {"daily": 0.9, "visitor": 0.8}
FEWEST_DAYS = 7  # people of a Sunday are not those of a Tuesday
FEWEST_CONVERSIONS = 25
RARE = 0.1  # base rates under it get the exact conversion sequence, others the narrower asymptotic one
DAYS_WAIT = f"{FEWEST_DAYS} full days"
CONVERSIONS_WAIT = f"{FEWEST_CONVERSIONS} conversions a variant"
CONTROL_WAIT = f"{FEWEST_CONVERSIONS} conversions of the control"
VERDICTS = ("winner", "loser", "no_difference")
HIGHEST_LOG = 1e6  # in place of infinity, which JSON cannot write
WEEK = timedelta(weeks=1)


class Arm(NamedTuple):
    """One variant at this look; the control's ``p_anytime`` is 1 and its lift and bounds are 0.

    ``lift``, ``low`` and ``high`` are relative. ``lift`` is None while the control's rate is 0, ``high`` while there is
    no upper limit.
    """

    rate: float
    p_anytime: float
    lift: float | None
    low: float
    high: float | None


class Judgement(NamedTuple):
    """The answer: ``verdict`` on ``variant``, an Arm per variant, the alarm, what is waited for, the new state."""

    verdict: str
    variant: int
    arms: tuple[Arm, ...]
    split_p: float
    alarm: bool
    reasons: tuple[str, ...]
    state: State


class Challenge(NamedTuple):
    """One challenger against the control: ``planned`` is the visitors of both that the plan asks for, per split."""

    found: tuple[Pair, ...]
    planned: tuple[float, ...]
    z: float
    log_e: float
    lift: float | None

    @property
    def progress(self) -> float:
        """The part of the planned sample that is there; over 1 beyond it, 0 without a plan."""
        return sum(pair.visitors / planned for pair, planned in zip(self.found, self.planned, strict=True)
                   ) if self.planned else 0.0


def judge(plan: Plan | None, periods: Sequence[Period], cells: Sequence[Sequence[Cell]], *, look: str = "daily",
          state: State | None = None, now: datetime | None = None) -> Judgement:
    """The verdict at these counts, given the state of the look before.

    ``cells`` holds a row per period and in it a Cell per variant; variant 0 is the control. ``look`` is "daily" for the
    system's own job and "visitor" for a look at any other moment; the first look settles which of the two shares of
    alpha holds from then on, and only looks of that kind use the planned boundary. Gates apply where the first period
    and ``now`` carry times. Same counts and state, same answer. Raises ValueError for a plan that describes no test.
    """
    variants = len(periods[0].weights)
    values = plan is not None and plan.value_cap is not None
    challenges = [_challenge(plan, pairs(periods, cells, 0, index), variants - 1) for index in range(1, variants)]
    totals = [variant_total(cells, index) for index in range(variants)]
    full = plan is not None and all(challenge.progress >= 1 for challenge in challenges)
    state = _weigh(plan, challenges, state or fresh(look, variants - 1), look)
    state = state._replace(log_split=max(state.log_split, min(HIGHEST_LOG, split.log_e(periods, cells))),
                           full_at=state.full_at or (now if full else None))
    alarm = state.log_split >= split.ALARM
    waits = _waits(periods, totals, now)
    blocked = _blocked(challenges, totals, values=values, alarm=alarm)
    if not blocked and (state.latch is None or state.latch.verdict != "no_difference"):
        shut = {1: bool(waits), -1: CONTROL_WAIT in waits, 0: True}
        state = state._replace(decided=tuple(
            old or (0 if shut[sign] else sign) for old, sign in zip(state.decided, state.crossed, strict=True)))
    arms = _arms(plan, challenges, totals, state, alarm=alarm)
    overdue, pause = _ending(periods, state, full, now)
    verdict, variant = _say(plan, state, arms, ended=full and not pause and not blocked)
    reasons = [*blocked, *(waits if verdict in ("none", "withheld") else ()), *pause, *overdue]
    if verdict in VERDICTS:
        runner = None if verdict != "winner" else _ahead_of(plan, periods, cells, variant, arms)
        best = runner is None or (state.latch is not None and state.latch.best)
        if not best:
            reasons.append(f"better than the control, not yet better than variant {runner}")
        if state.latch is not None:
            state = state._replace(latch=state.latch._replace(best=best))
        elif not alarm:
            counts = tuple((total.visitors, total.conversions) for total in totals)
            state = state._replace(latch=Latch(verdict, variant, now, counts, best))
    return Judgement("withheld" if alarm else verdict, variant, arms, exp(-state.log_split), alarm, tuple(reasons),
                     state)


def _weigh(plan: Plan | None, challenges: Sequence[Challenge], state: State, look: str) -> State:
    """The state with the evidence of this look."""
    logs = [challenge.log_e for challenge in challenges]
    adjusted = eprocess.closed(logs) if len(logs) > 1 else logs
    return state._replace(
        log_e=tuple(max(pair) for pair in zip(state.log_e, adjusted, strict=True)),
        crossed=_crossed(plan, challenges, state, look),
        finished=tuple(old or (look == state.look and challenge.progress >= 1)
                       for old, challenge in zip(state.finished, challenges, strict=True)))


def _arms(plan: Plan | None, challenges: Sequence[Challenge], totals: Sequence[Cell], state: State, *,
          alarm: bool) -> tuple[Arm, ...]:
    """All variants as they are shown; an alarm takes back that an interval excludes 0."""
    values = plan is not None and plan.value_cap is not None
    arms = [Arm(_rate(totals[0], values), 1.0, 0.0, 0.0, 0.0)]
    for index, challenge in enumerate(challenges):
        lower, upper = _bounds(plan, challenge, len(challenges), values=values)
        low, high = clip(as_lift(lower), as_lift(upper), challenge.lift, 0 if alarm else state.decided[index])
        lowest_p = min(1.0, exp(-state.log_e[index]))
        arms.append(Arm(_rate(totals[index + 1], values), lowest_p, challenge.lift, low, high))
    return tuple(arms)


def _challenge(plan: Plan | None, found: list[Pair], comparisons: int) -> Challenge:
    if plan is None:
        return Challenge(tuple(found), (), 0.0, eprocess.log_e(found, None), lift(found))
    values = plan.value_cap is not None
    planned = tuple(
        HYBRID * pair_size(plan.baseline, plan.mde, plan.alpha / comparisons, plan.power, pair.share)
        * (value.inflation(plan.mde) if values else 1) for pair in found)
    if not values:
        return Challenge(tuple(found), planned, sequential.z_score(found[0]), eprocess.log_e(found, plan), lift(found))
    log_e = value.log_e(found[0], value.scale(plan, planned[0])) if len(found) == 1 and value.even(found[0]) else 0.0
    return Challenge(tuple(found), planned, value.z_score(found[0]), log_e, lift(found, values=True))


@lru_cache(maxsize=16)
def _subsets(number: int) -> tuple[tuple[int, ...], ...]:
    """All sets of one or more of ``number`` challengers."""
    return tuple(chosen for size in range(1, number + 1) for chosen in combinations(range(number), size))


def _crossed(plan: Plan | None, challenges: Sequence[Challenge], state: State, look: str) -> tuple[int, ...]:
    """The sign of each challenger against which "no difference" is or was rejected, else 0.

    Closed testing: a challenger is rejected when each set of challengers with it is. A set is rejected when the mean of
    its e-values reaches 1 / its part of alpha, or a boundary of the other part, divided by the set's size, is crossed.
    """
    alpha = plan.alpha if plan is not None else ALPHA
    part = BOUNDARY_PART[state.look] if plan is not None else 0.0
    needed = -log(alpha * (1 - part))
    # The boundary speaks of one split; after a change of split the e-process alone goes on.
    held = [sequential.statistic(challenge.z, challenge.found[0], challenge.planned[0])
            if part and look == state.look and not finished and len(challenge.found) == 1 else 0.0
            for challenge, finished in zip(challenges, state.finished, strict=True)]
    standing: set[int] = set()
    for chosen in _subsets(len(challenges)):
        top = max(challenges[index].log_e for index in chosen)
        mean = top + log(sum(exp(challenges[index].log_e - top) for index in chosen) / len(chosen))
        reached = bool(part) and max(held[index] for index in chosen) >= sequential.boundary(alpha * part / len(chosen))
        if mean < needed and not reached:
            standing.update(chosen)
    return tuple(old or (0 if index in standing or not challenge.lift else (1 if challenge.lift > 0 else -1))
                 for index, (old, challenge) in enumerate(zip(state.crossed, challenges, strict=True)))


def _waits(periods: Sequence[Period], totals: Sequence[Cell], now: datetime | None) -> list[str]:
    """The gates that are still shut for a winner. A loser waits only for the control: a broken page never converts."""
    begun = periods[0].begins_at
    if begun is None or now is None:
        return []
    waits = [DAYS_WAIT] if now - begun < timedelta(days=FEWEST_DAYS) else []
    if totals[0].conversions < FEWEST_CONVERSIONS:
        waits.append(CONTROL_WAIT)
    if min(total.conversions for total in totals) < FEWEST_CONVERSIONS:
        waits.append(CONVERSIONS_WAIT)
    return waits


def _blocked(challenges: Sequence[Challenge], totals: Sequence[Cell], *, values: bool, alarm: bool) -> list[str]:
    """Why no verdict at all may be given."""
    reasons = []
    if alarm:
        reasons.append("wrong split: visitors are not shared out as planned; look at redirects, caches and robots that "
                       "reach one variant only")
    if values and any(len(challenge.found) > 1 or not value.even(challenge.found[0]) for challenge in challenges):
        reasons.append("values need an even split that never changes")
    elif values and sum(total.conversions for total in totals) < value.FEWEST:
        reasons.append(f"{value.FEWEST} conversions")
    return reasons


def _bounds(plan: Plan | None, challenge: Challenge, comparisons: int, *, values: bool) -> tuple[float, float]:
    """The anytime interval of ln of the ratio, at alpha divided by the number of comparisons."""
    pair = challenge.found[0]
    alpha = (plan.alpha if plan is not None else ALPHA) / comparisons
    if plan is None:
        return conversion_bounds(challenge.found, alpha)
    conversions = challenge.planned[0] * plan.baseline
    if values:
        single = len(challenge.found) == 1
        return value_bounds(pair, alpha, conversions / (4 * value.SKEW)) if single else (-inf, inf)
    if len(challenge.found) > 1 or plan.baseline < RARE:
        return conversion_bounds(challenge.found, alpha, conversions)
    information = conversions * pair.share * (1 - pair.share) / (1 - plan.baseline)
    return rate_bounds(pair, alpha, conversions, information)


def _rate(total: Cell, values: bool) -> float:
    return (total.total if values else total.conversions) / total.visitors if total.visitors else 0.0


def _ending(periods: Sequence[Period], state: State, full: bool,
            now: datetime | None) -> tuple[list[str], list[str]]:
    """A warning where the test is too long, and what the planned end still waits for: the end of a full week."""
    begun = periods[0].begins_at
    if begun is None or now is None:
        return [], []
    overdue = [f"more than {LONGEST_WEEKS} weeks"] if now - begun > LONGEST_WEEKS * WEEK else []
    if not full or state.full_at is None:
        return overdue, []
    weeks = max(1, -((begun - state.full_at) // WEEK))
    return overdue, ["full weeks"] if now - begun < weeks * WEEK else []


def _say(plan: Plan | None, state: State, arms: Sequence[Arm], *, ended: bool) -> tuple[str, int]:
    """The verdict and the variant it is about; the leader where there is none."""
    if state.latch is not None:
        return state.latch.verdict, state.latch.variant
    order = sorted(range(1, len(arms)), key=lambda index: arms[index].rate, reverse=True)
    winners = [index for index in order if state.decided[index - 1] > 0]
    if winners:
        return "winner", winners[0]
    if all(sign < 0 for sign in state.decided):
        return "loser", order[0]
    open_ones = [index for index in order if not state.decided[index - 1]]
    if any(state.crossed[index - 1] for index in open_ones):
        return "withheld", next(index for index in open_ones if state.crossed[index - 1])
    if plan is not None and ended and all(_inside(arms[index], plan.mde) for index in open_ones):
        return "no_difference", open_ones[0]
    return "none", open_ones[0]


def _inside(arm: Arm, mde: float) -> bool:
    return arm.low > -mde and arm.high is not None and arm.high < mde


def _ahead_of(plan: Plan | None, periods: Sequence[Period], cells: Sequence[Sequence[Cell]], variant: int,
              arms: Sequence[Arm]) -> int | None:
    """The runner-up that the winner is not yet ahead of by an e-value of its own; None where it is the best."""
    if len(arms) == 2:
        return None
    runner = max((index for index in range(1, len(arms)) if index != variant), key=lambda index: arms[index].rate)
    challenge = _challenge(plan, pairs(periods, cells, runner, variant), len(arms) - 1)
    ahead = challenge.lift is None or challenge.lift > 0
    return None if ahead and challenge.log_e >= -log(plan.alpha if plan is not None else ALPHA) else runner
