"""How good predictions are, judged on cases that the model did not learn from."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from math import sqrt
from statistics import NormalDist

from handsel.leads.quality.logistic import Row, fit, scale_of

FOLDS = 5  # each model learns from four fifths, and every case is judged once
GROUPS = 5  # of the calibration table: with a hundred cases, twenty in each
_SURE = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True)
class Group:
    """Some cases with similar predictions: what was predicted on average, and what happened."""

    number: int
    predicted: float
    accepted: int
    low: float
    high: float
    """The stretch in which the true share may lie (Wilson, 95 %)."""

    @property
    def share(self) -> float:
        """Which share was accepted."""
        return self.accepted / self.number


@dataclass(frozen=True)
class Figures:
    """How the cross-validated predictions did."""

    auc: float
    """How often, of one accepted and one rejected lead, the accepted one had the higher prediction."""
    auc_low: float
    auc_high: float
    brier: float
    """The mean squared distance between prediction and outcome."""
    brier_of_guessing: float
    """The same for one who always says the share of the other folds."""
    groups: tuple[Group, ...]

    @property
    def better_than_guessing(self) -> bool:
        """Whether there is reason to show the predictions at all."""
        return self.auc_low > 0.5 and self.brier < self.brier_of_guessing


def auc(chances: Sequence[float], accepted: Sequence[bool]) -> float:
    """The share of pairs of an accepted and a rejected case in which the accepted one is ahead; ties count half."""
    order = sorted(range(len(chances)), key=chances.__getitem__)
    positives = sum(accepted)
    ranks, at = 0.0, 0
    while at < len(order):
        end = at
        while end < len(order) and chances[order[end]] == chances[order[at]]:
            end += 1
        middle = (at + 1 + end) / 2
        ranks += middle * sum(1 for index in order[at:end] if accepted[index])
        at = end
    return (ranks - positives * (positives + 1) / 2) / (positives * (len(order) - positives))


def auc_interval(value: float, positives: int, negatives: int) -> tuple[float, float]:
    """The stretch of 95 % around an AUC (Hanley and McNeil 1982)."""
    one, both = value / (2 - value), 2 * value * value / (1 + value)
    spread = (value * (1 - value) + (positives - 1) * (one - value * value)
              + (negatives - 1) * (both - value * value)) / (positives * negatives)
    reach = _SURE * sqrt(max(spread, 0.0))
    return max(value - reach, 0.0), min(value + reach, 1.0)


def brier(chances: Sequence[float], accepted: Sequence[bool]) -> float:
    """The mean squared distance between what was predicted and what happened; 0 is perfect."""
    return sum((chance - one) ** 2 for chance, one in zip(chances, accepted, strict=True)) / len(chances)


def calibration(chances: Sequence[float], accepted: Sequence[bool], groups: int = GROUPS) -> tuple[Group, ...]:
    """The cases in ``groups`` of equal size, from the lowest predictions to the highest."""
    order = sorted(range(len(chances)), key=chances.__getitem__)
    found = []
    for part in range(groups):
        some = order[part * len(order) // groups:(part + 1) * len(order) // groups]
        if some:
            hits = sum(accepted[index] for index in some)
            found.append(Group(len(some), sum(chances[index] for index in some) / len(some), hits,
                               *wilson(hits, len(some))))
    return tuple(found)


def wilson(hits: int, number: int) -> tuple[float, float]:
    """The stretch of 95 % around a share."""
    share, square = hits / number, _SURE * _SURE
    middle = (share + square / (2 * number)) / (1 + square / number)
    reach = _SURE / (1 + square / number) * sqrt(share * (1 - share) / number + square / (4 * number * number))
    return max(middle - reach, 0.0), min(middle + reach, 1.0)


def folds(keys: Sequence[Hashable], accepted: Sequence[bool], number: int = FOLDS) -> list[int]:
    """Which fold each case is in: equal keys in one fold, both outcomes in each, the same at every call.

    A lead that was handed over twice must not be learned from and judged by at once.
    """
    first: dict[Hashable, bool] = {}
    for key, one in zip(keys, accepted, strict=True):
        first.setdefault(key, one)
    fold: dict[Hashable, int] = {}
    for outcome in (True, False):
        some = sorted((key for key, one in first.items() if one is outcome),
                      key=lambda key: sha256(repr(key).encode()).digest())
        fold |= {key: place % number for place, key in enumerate(some)}
    return [fold[key] for key in keys]


def cross_validated(rows: Sequence[Row], accepted: Sequence[bool], fold: Sequence[int], ridge: float = 1.0,
                    rest: Callable[[], None] = lambda: None) -> tuple[list[float], list[float]]:
    """For each case the chance by a model that never saw its fold, and the share accepted in the other folds.

    The scale too is that of the other folds. ``rest`` is called between the models.
    """
    chances, shares = [0.0] * len(rows), [0.0] * len(rows)
    for held in sorted(set(fold)):
        learn = [index for index, number in enumerate(fold) if number != held]
        scale = scale_of([rows[index] for index in learn])
        model = fit([scale.scaled(rows[index]) for index in learn], [accepted[index] for index in learn], ridge)
        share = sum(accepted[index] for index in learn) / len(learn)
        for index, number in enumerate(fold):
            if number == held:
                chances[index], shares[index] = model.chance(scale.scaled(rows[index])), share
        rest()
    return chances, shares


def figures(chances: Sequence[float], shares: Sequence[float], accepted: Sequence[bool]) -> Figures:
    """What to say of predictions that came out of ``cross_validated``."""
    positives = sum(accepted)
    value = auc(chances, accepted)
    low, high = auc_interval(value, positives, len(accepted) - positives)
    return Figures(value, low, high, brier(chances, accepted), brier(shares, accepted), calibration(chances, accepted))
