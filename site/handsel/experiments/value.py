"""The e-process for values per visitor: revenue or score, capped, under an even split."""

from __future__ import annotations

from math import log, sqrt

from handsel.experiments.trial import Pair, Plan

FEWEST = 100  # conversions of the two variants together before a verdict on values
# The normal mixture is widest awake where V is about nine times its scale (Howard et al. 2021, section 3.5).
AWAKE = 9.0
SPREAD = 0.25  # the root mean square of capped values lies around a quarter of the cap, for skewed values
# The mean square of skewed values over their mean's square: 2.7 for lognormal values whose sigma is 1, and the tails of
# real ones are longer.
SKEW = 4.0



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


def inflation(mde: float) -> float:
    """How many times more visitors a lift ``mde`` of the values takes than the same lift of the rate.

    The variance of one visitor's value is about the mean square, which a lift of the values raises by its square.
    """
    return SKEW * (1 + (1 + mde) ** 2) / (2 + mde)


def z_score(pair: Pair) -> float:
    """S / sqrt(V), positive where the second brings more: what takes the place of Z in the planned boundary.

    S and V are those of ``log_e``. Signs that are fair coins keep it close to normal whatever the values are, and
    lighter in the tails where few values make up most of V (Efron 1969). 0.0 before the first value.
    """
    squares = pair.first.squares + pair.second.squares
    return (pair.second.total - pair.first.total) / sqrt(squares) if squares > 0 and even(pair) else 0.0


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
