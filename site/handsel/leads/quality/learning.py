"""Learning from outcomes: when there are enough of them, what is learned, and how well it predicts. Pure."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import exp
from typing import Any

from handsel.leads.quality.logistic import Fitted, Row, Scale, chance, fit, scale_of
from handsel.leads.quality.measures import Figures, Group, cross_validated, figures, folds
from handsel.leads.quality.properties import PROPERTIES, Seen, named, row

LEAST = 100  # outcomes: with fewer, a fifth of them is too small a jury to say how well the others predict it
LEAST_EACH = 30  # of either kind: below, the AUC is only known to about 0.15, and cannot be told from guessing
PER_PROPERTY = 10  # outcomes of the rarer kind for each property, the usual rule against learning noise by heart
MOST = 2000  # the newest outcomes; older ones tell of a market and of sellers that there are no more
RIDGE = 1.0  # keeps weights finite where a property separates the outcomes wholly


@dataclass(frozen=True)
class Missing:
    """How many outcomes there are, and what is missing for a model."""

    accepted: int
    rejected: int

    @property
    def total(self) -> int:
        """How many more outcomes there must be in all, at least; 0 when there are enough."""
        each = max(LEAST_EACH - self.accepted, 0) + max(LEAST_EACH - self.rejected, 0)
        return max(LEAST - self.accepted - self.rejected, each)

    @property
    def words(self) -> str:
        """What is missing in a sentence; empty when there is enough."""
        if not self.total:
            return ""
        said = f"{self.total} more {'outcome' if self.total == 1 else 'outcomes'} of hand-overs"
        short = [f"{LEAST_EACH - number} {kind}" for number, kind in (
            (self.accepted, "accepted"), (self.rejected, "rejected")) if number < LEAST_EACH]
        return f"{said} {'is' if self.total == 1 else 'are'} missing" + (
            f", at least {' and '.join(short)} among them." if short else ".")


@dataclass(frozen=True)
class Part:
    """What one property does to the odds: times ``factor``, against a lead that is average in it."""

    name: str
    words: str
    factor: float


@dataclass(frozen=True)
class Learned:
    """A model, and how its kind did on outcomes that it had not seen."""

    properties: tuple[str, ...]
    scale: Scale
    fitted: Fitted
    figures: Figures

    def chance(self, seen: Seen) -> float:
        """How likely sales accepts that person, from 0 to 1."""
        return self.fitted.chance(self.scale.scaled(row(named(self.properties), seen)))

    @property
    def average(self) -> float:
        """The chance of a lead that is average in everything."""
        return chance(self.fitted.bias)

    def parts(self, seen: Seen) -> list[Part]:
        """Why: what each property does, the strongest first. The odds of the average times all factors are the odds
        of the chance."""
        properties = named(self.properties)
        scaled = self.scale.scaled(row(properties, seen))
        found = [Part(each.name, each.said(seen), exp(weight * value))
                 for each, weight, value in zip(properties, self.fitted.weights, scaled, strict=True)]
        return sorted(found, key=lambda part: -max(part.factor, 1 / part.factor))

    def stored(self) -> dict[str, Any]:
        """The values as JSON keeps them."""
        return {"properties": list(self.properties), "means": list(self.scale.means),
                "deviations": list(self.scale.deviations), "bias": self.fitted.bias,
                "weights": list(self.fitted.weights), "figures": asdict(self.figures)}


def restored(stored: Mapping[str, Any]) -> Learned:
    """The model that ``stored`` came from. Raises KeyError for a property there is not any more."""
    told = dict(stored["figures"])
    told["groups"] = tuple(Group(**group) for group in told["groups"])
    named(stored["properties"])
    return Learned(tuple(stored["properties"]), Scale(tuple(stored["means"]), tuple(stored["deviations"])),
                   Fitted(stored["bias"], tuple(stored["weights"])), Figures(**told))


def width(accepted: int, rejected: int) -> int:
    """How many properties so many outcomes can carry."""
    return min(min(accepted, rejected) // PER_PROPERTY, len(PROPERTIES))


def learn(rows: Sequence[Row], accepted: Sequence[bool], keys: Sequence[Hashable],
          rest: Callable[[], None] = lambda: None) -> Learned | None:
    """What these outcomes teach, or None while they are too few.

    ``rows`` have a number for each of PROPERTIES; ``keys`` name the leads. ``rest`` is called between long steps.
    """
    ups = sum(accepted)
    if Missing(ups, len(accepted) - ups).total:
        return None
    wide = width(ups, len(accepted) - ups)
    some = [line[:wide] for line in rows]
    told = figures(*cross_validated(some, accepted, folds(keys, accepted), RIDGE, rest), accepted)
    scale = scale_of(some)
    return Learned(tuple(each.name for each in PROPERTIES[:wide]), scale,
                   fit([scale.scaled(line) for line in some], accepted, RIDGE), told)
