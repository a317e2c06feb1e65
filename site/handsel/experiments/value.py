"""The e-process for values per visitor: revenue or score, capped, under an even split."""

from __future__ import annotations

from math import log

from handsel.experiments.trial import Pair, Plan

FEWEST = 100  # conversions of the two variants together before a verdict on values
# The normal mixture is widest awake where V is about nine times its scale (Howard et al. 2021, section 3.5).
AWAKE = 9.0
SPREAD = 0.25  # the root mean square of capped values lies around a quarter of the cap, for skewed values


def even(pair: Pair) -> bool:
    """Whether the two variants share their visitors equally, as the mixture needs."""
    return abs(pair.share - 0.5) < 1e-9


def scale(plan: Plan, planned: float) -> float:
    """The mixture's variance parameter, in squared units of the values, from the plan alone.

    ``planned`` is the planned number of visitors of the two variants. Raises ValueError for a plan without a cap.
    """
    if plan.value_cap is None:
        raise ValueError("the plan has no value_cap")
    return planned * plan.baseline * (SPREAD * plan.value_cap) ** 2 / AWAKE


def log_e(pair: Pair, rho: float) -> float:
    """ln e against "values do not depend on the variant", from sums and sums of squares.

    With S = sum of the second's values less the first's and V = the sum of all squares,
    e = sqrt(rho / (rho + V)) exp(S^2 / (2 (rho + V))), the mixture of exp(l S - l^2 V / 2) over l ~ N(0, 1 / rho).
    Under an even split each value's sign is a fair coin, and cosh(x) <= exp(x^2 / 2) makes e a supermartingale that
    starts at 1. Sources: de la Peña, Klass & Lai (2004); Howard, Ramdas, McAuliffe & Sekhon (2021), "Time-uniform,
    nonparametric, nonasymptotic confidence sequences". ``rho`` > 0 in squared units of the values.
    """
    shift = pair.second.total - pair.first.total
    variance = rho + pair.first.squares + pair.second.squares
    return 0.5 * log(rho / variance) + shift * shift / (2 * variance)
