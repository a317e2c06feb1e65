"""How many leads a rule holds for, said while somebody writes it: exactly, or about if that would take too long."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from handsel.leads.models import Lead
from handsel.leads.segments.patience import OutOfTime, patience
from handsel.leads.segments.sql import where
from handsel.rules.conditions import Condition

PATIENCE = 0.4  # seconds for the exact count: with the rest of the answer, as long as people take for "at once"
SAMPLE = 4_000  # leads that are asked otherwise: a share of 10 % is then known to within one point
RARE = 5  # of a sample; fewer say no more than that they are few


@dataclass(frozen=True)
class Size:
    """How many leads there are: ``number`` of them, or about so many, or, with ``below``, fewer than that."""

    number: int
    about: bool = False
    below: bool = False

    def __str__(self) -> str:
        if self.below:
            return f"fewer than {self.number:,} leads"
        return f"{'about ' if self.about else ''}{self.number:,} {'lead' if self.number == 1 else 'leads'}"


def size(session: Session, condition: Condition, at: datetime, *, seconds: float = PATIENCE) -> Size:
    """How many leads the condition holds for; merged mailboxes count with the lead they belong to."""
    query = select(func.count()).select_from(Lead).where(Lead.merged_into_id.is_(None), where(condition, at))
    try:
        with patience(session, seconds):
            return Size(session.scalar(query) or 0)
    except OutOfTime:
        return sampled(session, condition, at)


def sampled(session: Session, condition: Condition, at: datetime, number: int = SAMPLE) -> Size:
    """About how many, by asking leads that stand evenly among all: a lead's number says nothing about its owner."""
    lowest, highest = session.execute(select(func.min(Lead.id), func.max(Lead.id))).one()
    if lowest is None:
        return Size(0)
    span = highest - lowest + 1
    asked = min(number, span)
    numbers = [lowest + span * place // asked for place in range(asked)]
    fit = session.scalar(select(func.count()).select_from(Lead).where(
        Lead.id.in_(numbers), Lead.merged_into_id.is_(None), where(condition, at, probing=True))) or 0
    if asked == span:
        return Size(fit)
    if fit < RARE:
        return Size(_round(span * (RARE + fit) / asked), below=True)
    return Size(_round(span * fit / asked), about=True)


def _round(number: float) -> int:
    """Two figures: a sample knows no more."""
    return int(float(f"{number:.1e}"))
