"""Traffic shifting: more visitors for the variant that is likely the best, by Thompson sampling in batches.

Off by default. What it gives is the split of the next batch, so every visitor's probability is known and kept with its
period, and the e-process holds as it does for any change of split. Sources: Thompson (1933); Perchet, Rigollet,
Chassang & Snowberg, "Batched bandit problems" (2016).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise
from math import exp, lgamma, log, log1p, sqrt

from handsel.experiments.trial import Cell, Period

FLOOR = 10  # percent that each variant keeps, so that the test goes on and a wrong start can be mended
STEP = 5  # percent points: a smaller move is not worth a new period, after which the planned boundary is lost
POINTS = 50  # of the grid on either side of each variant's rate
REACH = 7.0  # standard deviations that they span


def shift(current: Sequence[float], periods: Sequence[Period], cells: Sequence[Sequence[Cell]]) -> tuple[int, ...]:
    """The split of the next batch, whole percents that add up to 100.

    Each variant's share is the probability that its rate is the highest, but ``FLOOR`` at least (less where more than
    ten share the traffic). ``current`` is the split now: it comes back, as percents, unless a share would move by
    ``STEP`` points or more, and a variant without weight in it stays without. ``cells`` holds a row per period and in
    it a Cell per variant, variant 0 being the control. No random numbers: the same counts give the same split
    everywhere. Raises ValueError where no variant has weight.
    """
    shown = [index for index, weight in enumerate(current) if weight > 0]
    if not shown:
        raise ValueError("a split needs a variant with weight")
    chances = best(standardized(periods, cells, shown))
    floor = min(FLOOR, 100 // len(shown))
    following = [0.0] * len(current)
    for index, chance in zip(shown, chances, strict=True):
        following[index] = floor + (100 - floor * len(shown)) * chance
    now, new = percents(current), percents(following)
    return new if max(abs(after - before) for before, after in zip(now, new, strict=True)) >= STEP else now


def standardized(periods: Sequence[Period], cells: Sequence[Sequence[Cell]],
                 shown: Sequence[int]) -> list[tuple[float, float]]:
    """Visitors and conversions of the variants ``shown`` as if the rates had not drifted from period to period.

    A variant that had more of its visitors on good days looks better than it is. So its conversions are held against
    those that the periods' own rates would have given it: indirect standardization (Breslow & Day 1987).
    """
    visitors, won, expected = ([0.0] * len(shown) for _ in range(3))
    for period, row in zip(periods, cells, strict=True):
        taken = [(place, row[index]) for place, index in enumerate(shown) if period.weights[index] > 0]
        crowd = sum(cell.visitors for _, cell in taken)
        rate = sum(cell.conversions for _, cell in taken) / crowd if crowd else 0.0
        for place, cell in taken:
            visitors[place] += cell.visitors
            won[place] += cell.conversions
            expected[place] += cell.visitors * rate
    overall = sum(won) / sum(visitors) if sum(visitors) else 0.0
    return [(seen, min(seen, seen * overall * got / due) if due else 0.0)
            for seen, got, due in zip(visitors, won, expected, strict=True)]


def best(counts: Sequence[tuple[float, float]]) -> list[float]:
    """For each (visitors, conversions) the probability that its rate is the highest; they add up to 1.

    Beta posteriors under even priors, integrated over log-odds by the trapezoidal rule: P(i) = the integral of f_i
    times the product of the others' F. Needs 0 <= conversions <= visitors.
    """
    posteriors = [(1 + won, 1 + visitors - won) for visitors, won in counts]
    grid = sorted({log(a / b) + step * REACH / POINTS * sqrt(1 / a + 1 / b)
                   for a, b in posteriors for step in range(-POINTS, POINTS + 1)})
    widths = [(after - before) / 2 for before, after in pairwise(grid)]
    weights = [one + two for one, two in zip([0.0, *widths], [*widths, 0.0], strict=True)]
    densities, below = [], []
    for a, b in posteriors:
        scale = lgamma(a + b) - lgamma(a) - lgamma(b)
        density = [exp(scale - a * _softplus(-at) - b * _softplus(at)) for at in grid]
        reached = list(accumulate(((one + two) * width for one, two, width in
                                   zip(density, density[1:], widths, strict=False)), initial=0.0))
        densities.append(density)
        below.append([each / reached[-1] for each in reached])
    chances = []
    for own, density in enumerate(densities):
        product = [one * weight for one, weight in zip(density, weights, strict=True)]
        for other, reached in enumerate(below):
            if other != own:
                product = [one * two for one, two in zip(product, reached, strict=True)]
        chances.append(sum(product))
    whole = sum(chances)
    return [chance / whole for chance in chances]


def _softplus(value: float) -> float:
    """ln(1 + e^value) without overflow."""
    return log1p(exp(value)) if value < 0 else value + log1p(exp(-value))


def percents(weights: Sequence[float]) -> tuple[int, ...]:
    """``weights`` as whole percents that add up to 100, by largest remainder; a weight over 0 keeps 1 % at least."""
    whole = sum(weights)
    exact = [100 * weight / whole for weight in weights]
    found = [max(1, int(each)) if each > 0 else 0 for each in exact]
    order = sorted(range(len(exact)), key=lambda index: (found[index] - exact[index], index))
    while (rest := 100 - sum(found)) != 0:
        for index in order if rest > 0 else reversed(order):
            if exact[index] > 0 and rest and (rest > 0 or found[index] > 1):
                found[index] += 1 if rest > 0 else -1
                rest += -1 if rest > 0 else 1
    return tuple(found)
