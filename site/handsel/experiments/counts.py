"""The counts of an experiment: people who saw each variant, how many of them converted, and who is left out and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import case, func, select
from sqlalchemy.engine import Connection

from handsel.experiments.models import Conversion, Exposure

CROSSED = "crossed over"  # saw two variants (the split changed while they were here), so neither can have the credit


@dataclass
class Arm:
    """One variant: ``visitors`` who saw it, and how many of them reached the goal."""

    variant: str
    visitors: int = 0
    conversions: int = 0

    @property
    def rate(self) -> float | None:
        """Conversions by visitor, 0 to 1; None while nobody has seen the variant."""
        return self.conversions / self.visitors if self.visitors else None


@dataclass
class Counts:
    """The counts of one offer's experiment; ``excluded`` tells by reason what does not count."""

    offer: str
    goal: str
    arms: dict[str, Arm]
    excluded: dict[str, int] = field(default_factory=dict)


def counts(connection: Connection, offer: str, variants: Iterable[str], goal: str = "capture") -> Counts:
    """Visitors and conversions of ``offer`` by variant. Each visitor counts once, and in one variant only."""
    found = Counts(offer, goal, {name: Arm(name) for name in variants})
    one = case((func.count() > 1, CROSSED), else_=func.min(Exposure.variant)).label("arm")
    seen = select(Exposure.visitor, one).where(Exposure.offer == offer).group_by(Exposure.visitor).subquery()
    converted = select(Conversion.visitor).where(Conversion.offer == offer, Conversion.goal == goal).subquery()
    rows = connection.execute(
        select(seen.c.arm, func.count(), func.count(converted.c.visitor))
        .select_from(seen.outerjoin(converted, converted.c.visitor == seen.c.visitor)).group_by(seen.c.arm))
    for name, visitors, conversions in rows:
        if name == CROSSED:
            found.excluded[CROSSED] = visitors
        else:
            arm = found.arms.setdefault(name, Arm(name))
            arm.visitors, arm.conversions = visitors, conversions
    return found
