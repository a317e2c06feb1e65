"""The anytime interval of one variant's rate: where the rate itself may be, whatever the other variants do."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import lgamma, log

ALPHA = 0.05
PRIOR = 0.5  # of both parameters: Jeffreys' prior, which is nearly as narrow at 1 % as at 30 %
STEPS = 60  # halvings: the bounds are right to the last digit that anybody reads


@lru_cache(maxsize=1024)
def rate_interval(visitors: int, conversions: int, alpha: float = ALPHA) -> tuple[float, float]:
    """Bounds of a rate, 0 to 1, that miss a constant rate at any look with a probability of at most ``alpha``.

    They hold the rates whose likelihood stays above ``alpha`` times the one averaged over a beta prior. Source: Robbins
    (1970); Howard et al. (2021), section 3.2. (0, 1) while there are no visitors. Raises ValueError for counts that
    cannot be.
    """
    if not 0 <= conversions <= visitors:
        raise ValueError("conversions lie between 0 and the visitors")
    if not visitors:
        return 0.0, 1.0
    misses = visitors - conversions
    level = log(alpha) + (_ln_beta(PRIOR + conversions, PRIOR + misses) - _ln_beta(PRIOR, PRIOR))

    def likely(rate: float) -> bool:
        value = conversions * log(rate) if conversions else 0.0
        return value + (misses * log(1 - rate) if misses else 0.0) > level

    top = conversions / visitors
    return _edge(0.0, top, likely) if conversions else 0.0, _edge(1.0, top, likely) if misses else 1.0


def _edge(outside: float, inside: float, likely: Callable[[float], bool]) -> float:
    """Where ``likely`` begins between the two, from the outer side."""
    for _ in range(STEPS):
        middle = (outside + inside) / 2
        if 0 < middle < 1 and likely(middle):
            inside = middle
        else:
            outside = middle
    return outside


def _ln_beta(one: float, other: float) -> float:
    return lgamma(one) + lgamma(other) - lgamma(one + other)
