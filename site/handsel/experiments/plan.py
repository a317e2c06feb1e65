"""The calculator before the start: how many visitors, how many weeks, and whether it is worth it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import ceil, inf, sqrt
from typing import NamedTuple

from handsel.experiments.figures import lift_words
from handsel.experiments.sequential import normal_quantile
from handsel.experiments.value import inflation

HYBRID = 1.09  # what looking at every hour costs in visitors, against one single look at the end
LONGEST_WEEKS = 8  # beyond it people, prices and browsers have changed, and the test answers another question


class Forecast(NamedTuple):
    """What a test would take. ``visitors`` holds the planned number of each variant; times are None without traffic."""

    visitors: tuple[int, ...]
    days: int | None
    weeks: int | None
    advice: str

    @property
    def total(self) -> int:
        return sum(self.visitors)


LEAST_BASELINE = 1e-6  # one in a million: below it no site has the visitors, and differences vanish in rounding
LEAST_LIFT = 1e-4  # +0.01 %: the same
LEAST_ALPHA = 1e-9  # one in a billion: nobody means less, and quantiles beyond vanish in rounding


class PlanError(ValueError):
    """A number that describes no test: ``name`` is the argument of ``check`` to change, the text a sentence."""

    def __init__(self, name: str, sentence: str) -> None:
        super().__init__(sentence)
        self.name = name


def check(baseline: float, mde: float, alpha: float = 0.05, power: float = 0.8) -> None:
    """Raise PlanError where the numbers describe no test."""
    if not LEAST_BASELINE <= baseline < 1:
        raise PlanError("baseline", "the baseline must lie between 0 and 1, and be .000001 at least: .03 is 3 %")
    if mde < LEAST_LIFT:
        raise PlanError("mde", "the smallest lift must be more than 0, .0001 at least: .2 is +20 %")
    if not baseline * (1 + mde) < 1:
        raise PlanError("mde", "the lifted rate must stay under 1: choose a smaller lift")
    if not LEAST_ALPHA <= alpha <= 0.5:
        raise PlanError("alpha", "alpha must be more than 0, .000000001 at least, and at most .5")
    if not alpha < power < 1:
        raise PlanError("power", "power must lie between alpha and 1")


def sample_size(baseline: float, mde: float, alpha: float = 0.05, power: float = 0.8) -> float:
    """Visitors per variant of an even split, for one single look, not rounded.

    n = (z_a sqrt(2 p (1-p)) + z_b sqrt(p (1-p) + q (1-q)))^2 / d^2 with q = p (1 + mde) and d = q - p: two-sided z-test
    with the null variance at the baseline, as in Evan Miller's sample size calculator. Raises ValueError as ``check``.
    """
    return pair_size(baseline, mde, alpha, power, 0.5) / 2


@lru_cache(maxsize=256)
def pair_size(baseline: float, mde: float, alpha: float, power: float, share: float) -> float:
    """Visitors of two variants together, the second with the probability ``share``; at .5 twice ``sample_size``.

    Raises ValueError as ``check``, and for a ``share`` that is not between 0 and 1.
    """
    check(baseline, mde, max(alpha, LEAST_ALPHA), power)  # shared out among many challengers it may be less
    if not 0 < share < 1:
        raise ValueError("a share must lie between 0 and 1")
    lifted = baseline * (1 + mde)
    null = baseline * (1 - baseline) * (1 / (1 - share) + 1 / share)
    real = baseline * (1 - baseline) / (1 - share) + lifted * (1 - lifted) / share
    root = normal_quantile(power) * sqrt(real) - normal_quantile(alpha / 2) * sqrt(null)
    return (root / (lifted - baseline)) ** 2


def forecast(baseline: float, mde: float, weekly_visitors: float | None = None, *, alpha: float = 0.05,
             power: float = 0.8, weights: Sequence[float] = (0.5, 0.5), values: bool = False) -> Forecast:
    """What a test takes with the looks of ours: visitors per variant, days, full weeks and a sentence of advice.

    With several challengers each is compared with the control at ``alpha`` divided by their number. ``weekly_visitors``
    counts those of the offer as a whole. ``values`` asks for a lift of the value per visitor instead of the rate.
    Raises ValueError as ``check``, or for a split with fewer than two variants, a weight of 0 or less, or no
    countable visitors.
    """
    if len(weights) < 2 or min(weights) <= 0:
        raise ValueError("a split needs two variants or more, each with a weight over 0")
    if weekly_visitors is not None and not 0 < weekly_visitors < inf:
        raise ValueError("the weekly visitors must be a number of more than 0")
    check(baseline, mde, alpha, power)
    # The weakest comparison decides how long all of them take.
    more = inflation(mde) if values else 1.0
    total = max(pair_size(baseline, mde, alpha / (len(weights) - 1), power, weight / (weights[0] + weight))
                * HYBRID / (weights[0] + weight) for weight in weights[1:]) * sum(weights) * more
    visitors = tuple(ceil(total * weight / sum(weights)) for weight in weights)
    if weekly_visitors is None:
        return Forecast(visitors, None, None, "")
    days = ceil(sum(visitors) / weekly_visitors * 7)
    weeks = max(1, ceil(days / 7))
    if weeks <= LONGEST_WEEKS:
        return Forecast(visitors, days, weeks,
                        f"Run it for {weeks} full week{'s' if weeks > 1 else ''}, whatever you see on the way.")
    reachable = findable(baseline, weekly_visitors * LONGEST_WEEKS * 2 / len(weights) / more,
                         alpha=alpha / (len(weights) - 1), power=power)
    return Forecast(visitors, days, weeks, too_long(reachable, mde))


def too_long(bolder: float | None, mde: float) -> str:
    """What to say of a test beyond the longest: ``bolder`` is the lift that can be found by then, if any."""
    if bolder is None:
        return ("Your traffic is too low for this: not even a doubled rate would show in "
                f"{LONGEST_WEEKS} weeks. Ask people what holds them back instead.")
    return (f"Your traffic is too low for this: test a bolder change. In {LONGEST_WEEKS} weeks you can find a lift of "
            f"{lift_words(bolder)} or more, and you ask for {lift_words(mde)}.")


def findable(baseline: float, visitors: float, *, alpha: float = 0.05, power: float = 0.8) -> float | None:
    """The smallest relative lift, in whole percents up to 100, that ``visitors`` of an even split can find, or None."""
    for percent in range(1, 101):
        lift = percent / 100
        if baseline * (1 + lift) < 1 and pair_size(baseline, lift, alpha, power, 0.5) * HYBRID <= visitors:
            return lift
    return None
