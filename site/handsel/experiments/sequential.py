"""The planned half of the verdict: a z-test whose boundary allows for looks up to the planned sample."""

from __future__ import annotations

from functools import lru_cache
from math import sqrt

from handsel.experiments.trial import Pair

# The boundary speaks of a normal distribution; with fewer conversions (or fewer visitors without one) it waits.
FEWEST = 10


@lru_cache(maxsize=256)
def normal_quantile(probability: float) -> float:
    """The standard normal quantile; raises statistics.StatisticsError unless 0 < ``probability`` < 1."""
    from statistics import NormalDist  # takes a while to load, and a served page never asks

    return NormalDist().inv_cdf(probability)


@lru_cache(maxsize=256)
def boundary(alpha: float) -> float:
    """The O'Brien-Fleming constant c: |Z| sqrt(t) >= c at any t up to 1 happens with probability ``alpha``, two-sided.

    Source: O'Brien & Fleming (1979) in the limit of continuous looks, Jennison & Turnbull, "Group Sequential Methods"
    (2000); by the reflection principle it is 4 (1 - Phi(c)) = alpha but for a term of 4 (1 - Phi(3c)), under 1e-9 here.
    Fewer looks only make it safer. ``alpha`` lies between 0 and 1, otherwise StatisticsError is raised.
    """
    return -normal_quantile(alpha / 4)


def z_score(pair: Pair) -> float:
    """Z of the two proportions with pooled variance, positive where the second is higher.

    0.0 while there is nothing to judge: a variant without visitors, or fewer than ``FEWEST`` conversions or
    non-conversions in the two together.
    """
    conversions, visitors = pair.conversions, pair.visitors
    if min(pair.first.visitors, pair.second.visitors) <= 0 or min(conversions, visitors - conversions) < FEWEST:
        return 0.0
    pooled = conversions / visitors
    error = sqrt(pooled * (1 - pooled) * (1 / pair.first.visitors + 1 / pair.second.visitors))
    return (pair.second.conversions / pair.second.visitors - pair.first.conversions / pair.first.visitors) / error


def progress(pair: Pair, planned: float) -> float:
    """How much of the planned visitors of the two variants is there, 0 to 1; what exceeds the plan counts as 1."""
    return min(1.0, pair.visitors / planned)


def statistic(z: float, pair: Pair, planned: float) -> float:
    """|Z| sqrt(n / n_plan): what is held against ``boundary``.

    The first look at or after the planned sample is the last one that may be used; the caller keeps count of that.
    """
    return abs(z) * sqrt(progress(pair, planned))
