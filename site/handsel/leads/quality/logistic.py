"""Logistic regression with a ridge, by Newton's method on plain lists.

There are never more than a couple of thousand rows and a dozen columns, so no library for matrices is needed at run
time; the tests compare every figure with the ones that statisticians use.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log, log1p, sqrt

Row = Sequence[float]
STEPS = 50  # Newton takes five or six; beyond fifty something is wrong with the numbers, and the last step is taken
NEAR = 1e-9  # of the largest change of a coefficient, at which it has arrived


@dataclass(frozen=True)
class Fitted:
    """The natural logarithm of the odds is ``bias`` plus the sum of each value times its weight."""

    bias: float
    weights: tuple[float, ...]

    def log_odds(self, row: Row) -> float:
        """What the model says of one row, as log-odds."""
        return self.bias + sum(weight * value for weight, value in zip(self.weights, row, strict=True))

    def chance(self, row: Row) -> float:
        """What the model says of one row, from 0 to 1."""
        return chance(self.log_odds(row))


@dataclass(frozen=True)
class Scale:
    """How columns are brought to a mean of 0 and a deviation of 1, so that one penalty is fair to all of them."""

    means: tuple[float, ...]
    deviations: tuple[float, ...]
    """1 for a column that never varies."""

    def scaled(self, row: Row) -> list[float]:
        """One row on the common scale."""
        return [(value - mean) / deviation
                for value, mean, deviation in zip(row, self.means, self.deviations, strict=True)]


def chance(log_odds: float) -> float:
    """Log-odds as a probability; no value is too far out."""
    if log_odds >= 0:
        return 1 / (1 + exp(-log_odds))
    grown = exp(max(log_odds, -700.0))  # the smallest number there is lies beyond
    return grown / (1 + grown)


def scale_of(rows: Sequence[Row]) -> Scale:
    """The scale of these rows, at least one."""
    number = len(rows)
    columns = list(zip(*rows, strict=True))
    means = [sum(column) / number for column in columns]
    deviations = [sqrt(sum((value - mean) ** 2 for value in column) / number)
                  for column, mean in zip(columns, means, strict=True)]
    return Scale(tuple(means), tuple(one if one > 1e-12 else 1.0 for one in deviations))


def fit(rows: Sequence[Row], accepted: Sequence[bool], ridge: float = 1.0) -> Fitted:
    """The weights at which the penalised likelihood is largest: log-likelihood less ridge/2 times the squared weights.

    The bias is not penalised, so the mean of the chances is the share that was accepted. With a ridge of more than 0
    and both outcomes among the rows there is exactly one such point. Raises ValueError without both.
    """
    if not any(accepted) or all(accepted):
        raise ValueError("needs rows of both outcomes")
    wide = [(1.0, *row) for row in rows]
    targets = [1.0 if one else 0.0 for one in accepted]
    share = sum(targets) / len(targets)
    weights = [log(share / (1 - share)), *[0.0] * (len(wide[0]) - 1)]
    reached = _objective(wide, targets, weights, ridge)
    for _ in range(STEPS):
        step = _newton(wide, targets, weights, ridge)
        length = 1.0
        while True:
            moved = [weight + length * change for weight, change in zip(weights, step, strict=True)]
            found = _objective(wide, targets, moved, ridge)
            if found >= reached or length < 1e-6:
                break
            length /= 2  # a full step leaps over the hill when the rows are nearly separated
        weights, reached = moved, found
        if max(abs(change) for change in step) * length < NEAR:
            break
    return Fitted(weights[0], tuple(weights[1:]))


def _objective(rows: Sequence[Row], targets: Sequence[float], weights: Sequence[float], ridge: float) -> float:
    total = -ridge / 2 * sum(weight * weight for weight in weights[1:])
    for row, target in zip(rows, targets, strict=True):
        score = sum(map(float.__mul__, row, weights))
        # log of the chance of what happened, without ever taking the logarithm of a rounded zero
        total += (score if target else 0.0) - (max(score, 0.0) + log1p(exp(-abs(score))))
    return total


def _newton(rows: Sequence[Row], targets: Sequence[float], weights: Sequence[float], ridge: float) -> list[float]:
    size = len(weights)
    slope = [0.0, *[-ridge * weight for weight in weights[1:]]]
    bend = [[0.0] * size for _ in range(size)]
    for row, target in zip(rows, targets, strict=True):
        expected = chance(sum(map(float.__mul__, row, weights)))
        missed, certain = target - expected, expected * (1 - expected)
        for i, value in enumerate(row):
            slope[i] += missed * value
            if value:
                line, part = bend[i], certain * value
                for j in range(i + 1):
                    line[j] += part * row[j]
    for i in range(size):
        bend[i][i] += ridge if i else 0.0
    return _solved(bend, slope)


def _solved(matrix: list[list[float]], right: list[float]) -> list[float]:
    """The solution of a positive definite system of which the lower half is given, by Cholesky's method."""
    size = len(right)
    low = [[0.0] * size for _ in range(size)]
    for i in range(size):
        for j in range(i + 1):
            rest = matrix[i][j] - sum(low[i][k] * low[j][k] for k in range(j))
            # Without a ridge, columns that say the same leave nothing here; a trifle keeps the step finite.
            low[i][j] = sqrt(max(rest, 1e-12)) if i == j else rest / low[j][j]
    half: list[float] = []
    for i in range(size):
        half.append((right[i] - sum(low[i][k] * half[k] for k in range(i))) / low[i][i])
    found = [0.0] * size
    for i in reversed(range(size)):
        found[i] = (half[i] - sum(low[k][i] * found[k] for k in range(i + 1, size))) / low[i][i]
    return found
