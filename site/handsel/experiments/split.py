"""The wrong-split alarm: are visitors shared out as they should be?"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, inf, lgamma, log

from handsel.experiments.trial import Cell, Period

CONCENTRATIONS = (100.0, 1000.0)  # the first sees gross faults within hundreds of visitors, the second fine ones
ALARM = log(1000)  # at most one in a thousand right splits is ever called wrong


def log_e(periods: Sequence[Period], cells: Sequence[Sequence[Cell]]) -> float:
    """ln e against "visitors are assigned with the periods' weights", from the visitors alone.

    A Dirichlet-multinomial over the multinomial, for each period anew, multiplied over the periods, and the mean of two
    concentrations. Source: Lindon & Malek, "Anytime-valid inference for multinomial count data" (2022). Under the right
    split e has the expectation 1 at every look. Positive infinity where a variant without any weight was seen.
    """
    logs = [0.0] * len(CONCENTRATIONS)
    for period, row in zip(periods, cells, strict=True):
        total = sum(period.weights)
        expected = [(weight / total, cell.visitors) for weight, cell in zip(period.weights, row, strict=True)]
        if any(share <= 0 and visitors > 0 for share, visitors in expected):
            return inf
        seen = [(share, visitors) for share, visitors in expected if share > 0]
        visitors = sum(number for _, number in seen)
        if visitors <= 0:
            continue
        under_split = sum(number * log(share) for share, number in seen)
        for place, strength in enumerate(CONCENTRATIONS):
            logs[place] += lgamma(strength) - lgamma(strength + visitors) - under_split + sum(
                lgamma(strength * share + number) - lgamma(strength * share) for share, number in seen)
    top = max(logs)
    return top + log(sum(exp(value - top) for value in logs) / len(logs))
