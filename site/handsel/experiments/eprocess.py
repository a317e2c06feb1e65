"""The e-process for two variants: evidence that may be looked at after every visitor.

Source: Turner, Ly & Grünwald, "Generic E-variables for exact sequential k-sample tests that allow for optional
stopping" (2021), with a fixed grid of alternatives in place of their prior. Ville's inequality turns it into a test at
every look.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import exp, expm1, log, log1p
from typing import NamedTuple

from handsel.experiments.trial import Pair, Plan

# How far the alternatives lie from no difference, as multiples of the plan's log-odds-ratio, with their weights: mostly
# around the plan, something for half of it (found late otherwise) and for a surprise (found at once).
SCALES = ((0.5, 0.15), (0.75, 0.25), (1.0, 0.3), (1.5, 0.2), (2.5, 0.1))
# Where the control may really lie, as shifts of the plan's log-odds. It matters little: the rates' level cancels out
# but for the chance imbalance of visitors.
SHIFTS = ((-0.35, 0.25), (0.0, 0.5), (0.35, 0.25))
# Without a plan: log-odds-ratios of about +-5 % to +-120 %, and controls from a shop's checkout to a newsletter's form.
UNPLANNED_RATIOS = ((0.05, 0.1), (0.1, 0.2), (0.2, 0.3), (0.4, 0.25), (0.8, 0.15))
UNPLANNED_BASELINES = ((0.005, 0.2), (0.02, 0.2), (0.05, 0.2), (0.15, 0.2), (0.4, 0.2))


class Alternative(NamedTuple):
    """One point of the grid: the log-odds of the first and the second variant's rates, and its weight in the mean."""

    first: float
    second: float
    weight: float


def _logit(rate: float) -> float:
    return log(rate) - log1p(-rate)


def _logs(log_odds: float) -> tuple[float, float]:
    """ln of a rate and of 1 less it: a rate that rounds to 1 still leaves something over."""
    if log_odds < 0:
        rest = -log1p(exp(log_odds))
        return rest + log_odds, rest
    rate = -log1p(exp(-log_odds))
    return rate, rate - log_odds


@lru_cache(maxsize=256)
def alternatives(baseline: float | None, mde: float | None) -> tuple[Alternative, ...]:
    """The grid, fixed by the plan's ``baseline`` (a rate) and ``mde`` (relative), both None without a plan.

    Half of the weight lies on either side of no difference; the weights add up to 1. Raises ValueError where the
    baseline or the rate it would be lifted to is not between 0 and 1.
    """
    if baseline is None or mde is None:
        levels = [(_logit(rate), weight) for rate, weight in UNPLANNED_BASELINES]
        steps = list(UNPLANNED_RATIOS)
    else:
        if not (0 < baseline < 1 and 0 < baseline * (1 + mde) < 1 and mde > 0):
            raise ValueError("the baseline and the rate it would be lifted to must lie between 0 and 1")
        planned = _logit(baseline * (1 + mde)) - _logit(baseline)
        levels = [(_logit(baseline) + shift, weight) for shift, weight in SHIFTS]
        steps = [(scale * planned, weight) for scale, weight in SCALES]
    return tuple(Alternative(level, level + sign * step, weight * part / 2)
                 for level, weight in levels for step, part in steps for sign in (1, -1))


Factors = tuple[float, float, float, float]


@lru_cache(maxsize=1024)
def factors(baseline: float | None, mde: float | None, share: float) -> tuple[Factors, ...]:
    """ln of what one visitor multiplies e by, for each alternative.

    The four numbers are for a visitor of the first variant who converts, one of it who does not, and the same of the
    second. ``share`` is the probability of the second variant. The denominator is the rate of the two mixed,
    p_0 = (1 - share) p_first + share p_second: with it the factor's mean over the assignment is exactly 1 for a visitor
    who converts and for one who does not, whatever the rate is at that moment.
    """
    rows = []
    for point in alternatives(baseline, mde):
        (yes_a, no_a), (yes_b, no_b) = _logs(point.first), _logs(point.second)
        # ln(p_first / p_0) = -ln(1 + share (p_second / p_first - 1)), and likewise the others.
        rows.append((-log1p(share * expm1(yes_b - yes_a)), -log1p(share * expm1(no_b - no_a)),
                     -log1p((1 - share) * expm1(yes_a - yes_b)), -log1p((1 - share) * expm1(no_a - no_b))))
    return tuple(rows)


@lru_cache(maxsize=256)
def _weights(baseline: float | None, mde: float | None) -> tuple[float, ...]:
    return tuple(point.weight for point in alternatives(baseline, mde))


def log_e(found: Sequence[Pair], plan: Plan | None) -> float:
    """ln e of the two variants in ``found``, against "no difference", from conversions.

    e is a weighted mean over the grid; each alternative's likelihood ratio runs on from period to period. Without a
    difference e has the expectation 1 at every sample size and every look, under any drift of the rates, as long as the
    assignment is random with the shares given. Needs 0 <= conversions <= visitors; 0.0 before the first visitor.
    """
    baseline, mde = (plan.baseline, plan.mde) if plan is not None else (None, None)
    sums: list[float] | None = None
    for pair in found:
        converted_a, converted_b = pair.first.conversions, pair.second.conversions
        rest_a, rest_b = pair.first.visitors - converted_a, pair.second.visitors - converted_b
        row = [converted_a * one + rest_a * two + converted_b * three + rest_b * four
               for one, two, three, four in factors(baseline, mde, pair.share)]
        sums = row if sums is None else [old + new for old, new in zip(sums, row, strict=True)]
    if not sums:
        return 0.0
    top = max(sums)
    weights = _weights(baseline, mde)
    return top + log(sum(weight * exp(value - top) for weight, value in zip(weights, sums, strict=True)))


def closed(values: Sequence[float]) -> list[float]:
    """The e-value of each hypothesis after closed testing: its smallest mean with any of the others.

    Source: Vovk & Wang, "E-values: calibration, combination and applications" (2021), procedure of averages. ``values``
    are logarithms, and so is the answer. Rejecting each hypothesis at e >= 1 / alpha makes one false rejection or more
    with a probability of at most alpha, whatever the dependence.
    """
    answer = []
    for index, own in enumerate(values):
        others = sorted(value for place, value in enumerate(values) if place != index)
        top = max(values)
        summed, least = exp(own - top), own
        for count, value in enumerate(others, start=2):
            summed += exp(value - top)
            least = min(least, top + log(summed) - log(count)) if summed > 0 else least
        answer.append(least)
    return answer
