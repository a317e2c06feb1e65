"""Anytime intervals for the lift: right at every look at once, not only at one.

All bounds here are ln of the ratio of the second variant's rate to the first one's; ``as_lift`` turns them into lifts.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import cosh, exp, expm1, inf, lgamma, log, log1p, sqrt

from handsel.experiments.trial import Pair

AWAKE = 9.0  # a mixture is narrowest where the information is about nine times its prior's (Howard et al. 2021)
BURN_IN = 25  # conversions a variant before the asymptotic interval is believed
EARLY = 0.1  # the part of alpha that the exact sequence gets until then
UNPLANNED_CONVERSIONS = 500.0  # where the exact sequence is narrowest when nobody planned
GRID = 161  # points of the prior on ln of the ratio, where splits differ between the periods
NARROWEST = 1e-9  # how far a clipped bound keeps from 0, as a lift

Bounds = tuple[float, float]


def _slope(found: Sequence[Pair], offsets: Sequence[float], at: float) -> tuple[float, float, float]:
    """ln likelihood of the conversions' variants at a log-ratio, with its first and second derivative."""
    value = first = second = 0.0
    for pair, offset in zip(found, offsets, strict=True):
        log_odds, count = at + offset, pair.conversions
        rate = 1 / (1 + exp(-log_odds)) if log_odds > -700 else 0.0
        softplus = log1p(exp(log_odds)) if log_odds < 30 else log_odds
        value += pair.second.conversions * log_odds - count * softplus
        first += pair.second.conversions - count * rate
        second -= count * rate * (1 - rate)
    return value, first, second


def _root(found: Sequence[Pair], offsets: Sequence[float], start: float, level: float) -> float:
    """Where the concave ln likelihood falls to ``level``, on ``start``'s side of its top, by Newton's method.

    A tangent of a concave function lies above it, so each step after the first comes from the outer side: what is left
    of the error makes the interval wider, never narrower.
    """
    at = start
    for _ in range(80):
        value, slope, _ = _slope(found, offsets, at)
        step = (level - value) / slope if slope else 0.0
        at += step
        if abs(step) < 1e-10 * (1 + abs(at)):
            break
    return at


def _marginal(found: Sequence[Pair], offsets: Sequence[float], prior: float) -> float:
    """ln of the conversions' likelihood averaged over the prior, up to the factor that ``_slope`` leaves out too."""
    if len(found) == 1:
        pair = found[0]
        first, second = prior * (1 - pair.share), prior * pair.share
        return (lgamma(second + pair.second.conversions) + lgamma(first + pair.first.conversions)
                - lgamma(prior + pair.conversions) - lgamma(second) - lgamma(first) + lgamma(prior))
    values = [_slope(found, offsets, point)[0] for point, _ in _prior(prior)]
    top = max(values)
    return top + log(sum(weight * exp(value - top)
                         for (_, weight), value in zip(_prior(prior), values, strict=True)))


@lru_cache(maxsize=64)
def _prior(strength: float) -> tuple[tuple[float, float], ...]:
    """Points and weights on ln of the ratio: dense around 0, with long tails, as wide as the beta's."""
    width = 2 / sqrt(strength + 1)
    points = [16 * width * (2 * step / (GRID - 1) - 1) ** 3 for step in range(GRID)]
    weights = [((step - (GRID - 1) / 2) ** 2 + 1) / cosh(points[step] / width) + 1e-6 for step in range(GRID)]
    total = sum(weights)
    return tuple((point, weight / total) for point, weight in zip(points, weights, strict=True))


def conversion_bounds(found: Sequence[Pair], alpha: float, planned_conversions: float | None = None) -> Bounds:
    """The exact conversion sequence: bounds of ln(second rate / first rate).

    Of each visitor who converts we ask only which variant it saw: the second with the odds share / (1 - share) times
    the ratio of the rates, exactly, whatever the rates are at that moment. The bounds hold the ratios whose likelihood,
    against one averaged over a beta prior (a grid where the split changed), stays above ``alpha``. They miss a constant
    ratio at any look with a probability of at most ``alpha``. Sources: Robbins (1970); Lindon & Malek (2022); Howard et
    al. (2021).

    ``planned_conversions`` of the two variants together says where the bounds should be narrowest. Infinite where the
    conversions do not limit them.
    """
    converted_a = sum(pair.first.conversions for pair in found)
    converted_b = sum(pair.second.conversions for pair in found)
    if not converted_a + converted_b:
        return -inf, inf
    offsets = [log(pair.share / (1 - pair.share)) for pair in found]
    prior = max(2.0, (planned_conversions or UNPLANNED_CONVERSIONS) / AWAKE)
    level = _marginal(found, offsets, prior) + log(alpha)
    if not (converted_a and converted_b):
        edge = _root(found, offsets, 0.0, level)
        return (-inf, edge) if converted_a else (edge, inf)
    top = log(converted_b / converted_a) - offsets[0] if len(found) == 1 else _highest(found, offsets)
    value, _, curve = _slope(found, offsets, top)
    width = sqrt(2 * max(value - level, 1e-12) / -curve)
    return _root(found, offsets, top - width, level), _root(found, offsets, top + width, level)


def _highest(found: Sequence[Pair], offsets: Sequence[float]) -> float:
    """Where the ln likelihood is highest, by bisecting its slope; both variants have conversions."""
    low, high = -40.0, 40.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _slope(found, offsets, middle)[1] > 0 else (low, middle)
    return (low + high) / 2


def half_width(information: float, rho: float, alpha: float) -> float:
    """Half the width of an asymptotic confidence sequence for an estimate whose variance is 1 / ``information``.

    sqrt((V + rho) ln((V + rho) / (rho alpha^2))) / V with V = ``information``: Robbins' normal mixture. Source:
    Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas, "Time-uniform central limit theory and asymptotic confidence
    sequences" (2024). ``rho`` > 0 in the same unit; narrowest where V is about nine times rho. Infinite at V = 0.
    """
    if information <= 0:
        return inf
    whole = information + rho
    return sqrt(whole * log(whole / (rho * alpha * alpha))) / information


def rate_bounds(pair: Pair, alpha: float, planned_conversions: float, planned_information: float) -> Bounds:
    """The log-ratio asymptotic confidence sequence, for one split and base rates of 10 % and more.

    The variance of ln of the ratio is (1 - p_a) / conversions_a + (1 - p_b) / conversions_b. Until both variants have
    ``BURN_IN`` conversions the exact sequence answers, with its own tenth of ``alpha``.
    """
    first, second = pair.first, pair.second
    if min(first.conversions, second.conversions) < BURN_IN:
        return conversion_bounds([pair], alpha * EARLY, planned_conversions)
    variance = 1 / first.conversions - 1 / first.visitors + 1 / second.conversions - 1 / second.visitors
    if variance <= 0:  # everybody converted
        return -inf, inf
    middle = log(second.conversions / second.visitors) - log(first.conversions / first.visitors)
    half = half_width(1 / variance, planned_information / AWAKE, alpha * (1 - EARLY))
    return middle - half, middle + half


def value_bounds(pair: Pair, alpha: float, planned_information: float) -> Bounds:
    """The log-ratio asymptotic confidence sequence for the mean value per visitor of one split.

    The variance of ln of a mean is squares / total^2 - 1 / visitors. Infinite until both have ``BURN_IN`` conversions.
    """
    first, second = pair.first, pair.second
    if min(first.conversions, second.conversions) < BURN_IN or min(first.total, second.total) <= 0:
        return -inf, inf
    variance = (first.squares / first.total ** 2 - 1 / first.visitors
                + second.squares / second.total ** 2 - 1 / second.visitors)
    if variance <= 0:
        return -inf, inf
    middle = log(second.total / second.visitors) - log(first.total / first.visitors)
    half = half_width(1 / variance, planned_information / AWAKE, alpha)
    return middle - half, middle + half


def lift(found: Sequence[Pair], *, values: bool = False) -> float | None:
    """The second variant's rate (or mean value) over the first one's, less 1; None while the first one's is 0.

    Where the split changed, the Mantel-Haenszel ratio over the splits, so that a rate that drifted while traffic was
    shifted is no lift. Source: Rothman, Greenland & Lash, "Modern Epidemiology".
    """
    above = below = 0.0
    for pair in found:
        visitors = pair.visitors
        if visitors:
            above += (pair.second.total if values else pair.second.conversions) * pair.first.visitors / visitors
            below += (pair.first.total if values else pair.first.conversions) * pair.second.visitors / visitors
    return above / below - 1 if below > 0 else None


def as_lift(log_ratio: float) -> float | None:
    """A bound as a relative lift: -1 for minus infinity, None where there is no upper limit that a float can hold."""
    if log_ratio == -inf:
        return -1.0
    return expm1(log_ratio) if log_ratio < 700 else None


def clip(lower: float | None, upper: float | None, middle: float | None, sign: int) -> tuple[float, float | None]:
    """The interval so that it excludes 0 exactly when there is a verdict, and holds the lift shown where it may.

    ``sign`` is 1 for a winner, -1 for a loser and 0 without a verdict. None stands for no upper limit.
    """
    low, high = -1.0 if lower is None else lower, upper
    if middle is not None:
        low, high = min(low, middle), None if high is None else max(high, middle)
    if sign == 0:
        return min(low, 0.0), None if high is None else max(high, 0.0)
    if sign > 0:
        low = max(low, NARROWEST)
        return low, None if high is None else max(high, low)
    high = -NARROWEST if high is None else min(high, -NARROWEST)
    return min(low, high), high

